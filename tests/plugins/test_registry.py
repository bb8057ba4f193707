"""What is registered: read off the source, not imported, and nothing else has a name."""

import subprocess
import sys
from pathlib import Path

import pytest

from gantext import data, models
from gantext.errors import UserError
from gantext.plugins.registry import bound_names
from tests.conftest import environment


def test_all_of_the_house_are_there() -> None:
    assert data.kinds() == ["scenes", "coco", "oracle", "text", "mnist", "digits"]
    assert models.available() == ["dpr_gan", "gan", "image_gan", "leakgan", "mle", "vae"]


def test_listing_them_imports_none() -> None:
    code = (
        "import sys; from gantext import data, models; data.kinds(); models.available();"
        "print([name for name in sys.modules if name == 'torch' or name == 'gantext.models.gan'])"
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


def test_names_that_a_file_binds(tmp_path: Path) -> None:
    text = "import a.b as c\nfrom d import e, f as g\nH = 1\ni: int = 2\n"
    text += "class J:\n    k = 3\ndef m(n):\n    o = n\n"
    (tmp_path / "x.py").write_text(text)
    assert bound_names(tmp_path / "x.py") == {"c", "e", "g", "H", "i", "J", "m"}
