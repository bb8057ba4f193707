"""What is registered: read off the source, not imported, and nothing else has a name."""

import subprocess
import sys
from pathlib import Path

import pytest

from gantext import data, models
from gantext.config import groups
from gantext.errors import UserError
from gantext.plugins import registry
from gantext.plugins.registry import Registry, bound_names
from tests.conftest import environment


def test_every_yaml_has_its_module_and_every_module_a_yaml() -> None:
    for group, registered in (("model", models.available()), ("data", data.kinds())):
        named = {groups.module(group, name) for name in groups.names(group)}
        assert named == set(registered)


def test_data_is_advised_by_what_it_offers() -> None:
    """Captioned pictures first, then text, then pictures; what needs a package more comes last."""
    kinds = data.kinds()
    ranked = ["scenes", "text", "mnist", "digits"]
    assert kinds[0] == "scenes" and sorted(ranked, key=kinds.index) == ranked


def test_listing_them_imports_none() -> None:
    code = (
        "import sys; from gantext import data, models; data.kinds(); models.available();"
        "print([name for name in sys.modules if name in ('torch', 'gantext.models.gan')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
    )
    assert found.stdout == "[]\n"


@pytest.mark.parametrize("name", ["contract", "build", "corpus", "os", "../gan", "", "gan.GAN"])
def test_no_other_module_has_a_name(name: str) -> None:
    with pytest.raises(UserError, match="unknown model"):
        models.module(name)
    with pytest.raises(UserError, match="unknown data"):
        data.config_class(name)


def test_a_name_is_found_without_the_files_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(
        registry, "bound_names", lambda path: (read.append(path.name), bound_names(path))[1]
    )
    fresh = Registry(models.REGISTRY.package, models.REGISTRY.folder, models.DECLARED.issubset)
    assert "mle" in fresh and "contract" not in fresh and "nothing" not in fresh
    assert fresh.module("mle").__name__ == "gantext.models.mle"
    assert read == ["mle.py", "contract.py"]


def test_names_that_a_file_binds(tmp_path: Path) -> None:
    text = "import a.b as c\nfrom d import e, f as g\nH = 1\ni: int = 2\n"
    text += "class J:\n    k = 3\ndef m(n):\n    o = n\n"
    (tmp_path / "x.py").write_text(text)
    assert bound_names(tmp_path / "x.py") == {"c", "e", "g", "H", "i", "J", "m"}
