"""The rules of the house, read off the source: who imports whom, and how long things get."""

import ast
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gantext"
FILES = sorted(PACKAGE.rglob("*.py"))
# Imports go down this list or stay on a level.
LEVELS = (
    {"cli", "__main__"},
    {
        "config",
        "jobs",
        "preparation",
        "train",
        "sample",
        "score",
        "goals",
        "sentences",
        "latent_decoding",
        "latent_plane",
        "reconstruct",
        "interpolate",
        "impute",
        "imputation",
        "evaluate",
        "evaluation",
        "measures",
        "model_measures",
        "latent_scores",
        "scorebook",
        "subjects",
        "frontier",
        "frontier_files",
        "lengths",
        "comparison",
        "report",
        "report_run",
        "report_pictures",
        "inspection",
        "drawing",
        "picture_work",
        "picture_scores",
        "retrieval_scores",
        "judges",
    },
    {"assemble", "schema", "tracking", "watch", "progress", "downloads", "page", "plots"},
    {"run", "models", "metrics"},
    {"checkpoint", "settings", "picture_files"},
    {"nn"},
    {"data"},
    {"atomic", "errors", "failures", "groups", "interrupt", "lock", "conf", ""},
)


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions and for types only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            name = str(node.module)
            # `from gantext import run` imports a module; `from gantext.run import RunDir` not.
            package = (ROOT / name.replace(".", "/")).is_dir()
            found |= {f"{name}.{alias.name}" for alias in node.names} if package else {name}
    return found


def part(name: str) -> str:
    """gantext.nn.mle -> nn; names of the package itself -> ''."""
    parts = name.split(".")
    inside = len(parts) > 1 and (
        (PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").exists() or parts[1] == "conf"
    )
    return parts[1] if inside else ""


def level(name: str) -> int:
    found = [i for i, names in enumerate(LEVELS) if part(name) in names]
    assert found, f"{name} has no place among LEVELS: give it one"
    return found[0]


def test_imports_point_one_way() -> None:
    wrong = [
        f"{module(path)} imports {name}"
        for path in FILES
        for name in imports(path)
        if name.startswith("gantext") and level(name) < level(module(path))
    ]
    assert not wrong


def test_the_walk_sees_an_import_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "def f():\n    from gantext import jobs\n    import hydra.core\n"
    )
    assert imports(tmp_path / "a.py") == {"gantext.jobs", "hydra.core"}
    assert level("gantext.jobs") < level("gantext.nn.mle")


def test_models_know_neither_the_framework_nor_each_other() -> None:
    for path in (PACKAGE / "models").glob("*.py"):
        roots = {name.split(".")[0] for name in imports(path)}
        assert not roots & {"hydra", "omegaconf", "typer", "rich"}, path
        others = {name for name in imports(path) if name.startswith("gantext.models")}
        assert not others, f"{path} imports {others}"


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("hydra", {"gantext.config"}),
        ("omegaconf", {"gantext.config", "gantext.schema", "gantext.jobs"}),
        ("typer", {"gantext.cli"}),
        (
            "rich",
            {
                "gantext.cli",
                "gantext.progress",
                "gantext.downloads",
                "gantext.jobs",
                "gantext.preparation",
            },
        ),
        ("safetensors", {"gantext.checkpoint"}),
    ],
)
def test_a_library_stays_where_it_belongs(library: str, allowed: set[str]) -> None:
    users = {
        module(path) for path in FILES for name in imports(path) if name.split(".")[0] == library
    }
    assert {".".join(name.split(".")[:2]) for name in users} <= allowed


def functions() -> dict[str, int]:
    """Lines of every function, its decorators not counted."""
    return {
        f"{module(path)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


def test_functions_are_short() -> None:
    sizes = functions()
    assert not {name: size for name, size in sizes.items() if size > 60}
    assert statistics.median(sizes.values()) <= 12


def test_files_are_short() -> None:
    limits = {path: 350 if path.parent.name == "models" else 230 for path in FILES}
    sizes = {path: path.read_text().count("\n") for path in FILES}
    # A model is read from top to bottom like its paper: "about" 350.
    assert not {p: n for p, n in sizes.items() if n > limits[p] + (30 if limits[p] == 350 else 0)}


def test_nothing_is_unpickled() -> None:
    """Run folders are shared: their weights are safetensors, and nothing else is read from them."""
    names = {name for path in FILES for name in imports(path)}
    assert not [n for n in names if n.split(".")[0] in ("pickle", "dill", "joblib", "shelve")]
    assert not [path for path in FILES if "torch.load(" in path.read_text()]


def test_no_global_randomness() -> None:
    calls = ("torch.manual_seed(", "np.random.seed(", "random.seed(", "torch.rand_like(")
    assert not [f"{path}: {c}" for path in FILES for c in calls if c in path.read_text()]
