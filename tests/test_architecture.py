"""The rules of the house, read off the source: who imports whom, and how long things get."""

import ast
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gantext"
FILES = sorted(PACKAGE.rglob("*.py"))
# Ground first: what stands on a line may import from its own line and from those above it.
ORDER = (
    ("", "errors", "plugins", "conf"),
    ("files", "records", "data"),
    ("nn", "metrics"),
    ("models", "plots"),
    ("config",),
    ("runs",),
    ("inference",),
    ("evaluation",),
    ("training", "report"),
    ("api",),
    ("cli", "__main__"),
)


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions and for types only."""
    return imported(ast.parse(path.read_text()))


def imported(tree: ast.AST) -> set[str]:
    """Every module that a piece of code imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
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
    return next(place for place, parts in enumerate(ORDER) if part(name) in parts)


def inside(path: Path) -> set[str]:
    """What a file imports of the package itself.

    The package's own door only names the types of what it loads when it is asked for.
    """
    found = loaded(path) if path == PACKAGE / "__init__.py" else imports(path)
    return {name for name in found if name.split(".")[0] == "gantext"}


def climbing(path: Path, name: str) -> list[str]:
    """The imports of a file, seen as the module `name`, that run back up."""
    return [f"{name} imports {other}" for other in inside(path) if level(other) > level(name)]


def test_every_part_has_its_place_in_the_order() -> None:
    parts = {part(module(path)) for path in FILES}
    assert parts <= {name for line in ORDER for name in line}
    top = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert len(top) <= 3


def test_imports_point_one_way() -> None:
    assert not [line for path in FILES for line in climbing(path, module(path))]


def test_an_import_that_runs_back_up_is_seen(tmp_path: Path) -> None:
    planted = tmp_path / "a.py"
    planted.write_text("def f():\n    from gantext.training import jobs\n    import hydra.core\n")
    assert imports(planted) == {"gantext.training.jobs", "hydra.core"}
    assert climbing(planted, "gantext.nn.text.fitting")
    assert not climbing(planted, "gantext.cli.train")


def graph() -> dict[str, set[str]]:
    """Which modules each module imports, for types too."""
    modules = {module(path) for path in FILES}
    return {module(path): inside(path) & modules for path in FILES}


def loaded(path: Path) -> set[str]:
    """What a file imports, less what stands under TYPE_CHECKING."""
    tree = ast.parse(path.read_text())
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return imported(tree)


def circles(edges: dict[str, set[str]]) -> list[str]:
    """Modules from which one comes back to them."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        todo = list(edges[start])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += edges[name]
        return seen

    return [name for name in edges if name in reached(name)]


def test_there_is_no_circle_between_files() -> None:
    assert not circles(graph())


def test_a_circle_is_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]


def test_nn_and_metrics_know_nothing_above_them() -> None:
    for path in (PACKAGE / "metrics").rglob("*.py"):
        assert not {name for name in imports(path) if name.split(".")[0] == "torch"}, path
        assert not {name for name in inside(path) if part(name) == "nn"}, path


def test_models_know_neither_the_framework_nor_each_other() -> None:
    for path in (PACKAGE / "models").rglob("*.py"):
        roots = {name.split(".")[0] for name in imports(path)}
        assert not roots & {"hydra", "omegaconf", "typer", "rich"}, path
        family = path.relative_to(PACKAGE / "models").with_suffix("").parts[0]
        used = {name.split(".")[2] for name in inside(path) if name.startswith("gantext.models.")}
        assert used <= {family, "contract", "rewarded", "labelled"}, path


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("hydra", {"gantext.config.compose"}),
        ("omegaconf", {"gantext.config.compose", "gantext.config.schema"}),
        ("typer", {"gantext.cli"}),
        ("rich", {"gantext.cli", "gantext.training"}),
        ("safetensors", {"gantext.runs.checkpoint", "gantext.runs.export"}),
    ],
)
def test_a_library_stays_where_it_belongs(library: str, allowed: set[str]) -> None:
    users = {
        module(path) for path in FILES for name in imports(path) if name.split(".")[0] == library
    }
    assert not [user for user in users if not any(f"{user}.".startswith(f"{a}.") for a in allowed)]


def test_only_the_run_folder_knows_the_names_of_its_files() -> None:
    names = (
        "run.json",
        "metrics.jsonl",
        "vocabulary.json",
        "result.json",
        "config.yaml",
        "train.log",
    )
    users = {path for path in FILES for value in strings(path) if value in names}
    assert users <= {PACKAGE / "runs" / "folder.py"}


def strings(path: Path) -> list[str]:
    """All strings of a file; docstrings among them, which are never just a name."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]


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
    limits = {path: 380 if "models" in path.parts else 330 for path in FILES}
    sizes = {path: path.read_text().count("\n") for path in FILES}
    assert not {path: n for path, n in sizes.items() if n > limits[path]}


def test_nothing_is_unpickled() -> None:
    """Run folders are shared: their weights are safetensors, and nothing else is read from them."""
    names = {name for path in FILES for name in imports(path)}
    assert not [n for n in names if n.split(".")[0] in ("pickle", "dill", "joblib", "shelve")]
    assert not [path for path in FILES if "torch.load(" in path.read_text()]


def test_no_global_randomness() -> None:
    calls = ("torch.manual_seed(", "np.random.seed(", "random.seed(", "torch.rand_like(")
    assert not [f"{path}: {c}" for path in FILES for c in calls if c in path.read_text()]


def test_tests_lie_in_the_folder_of_what_they_test() -> None:
    tests = ROOT / "tests"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    outside = ("bench", "docs", "old_runs", "fuzz", "mutation", "engines")
    of_no_package = {Path(name) for name in outside}
    assert not {f for f in folders if not (PACKAGE / f).is_dir()} - of_no_package


# What says whether something is text or pictures: classes, and constants to compare with.
OF_A_KIND = {"Corpus", "Gallery", "Illustrator", "Algorithm", "Painter"}
KINDS = {"Reads", "TEXT", "PICTURES"}


def kind_questions(tree: ast.AST) -> list[str]:
    """Comparisons and isinstance() that ask whether something is text or pictures.

    Declarations (READS = Reads.text) and tables by kind ask nothing.
    """
    nodes = list(ast.walk(tree))
    compared = [node for node in nodes if isinstance(node, ast.Compare) and names(node) & KINDS]
    tested = [
        node
        for node in nodes
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "isinstance"
        and names(node) & OF_A_KIND
    ]
    within = {id(part) for node in compared for part in ast.walk(node) if part is not node}
    return [ast.unparse(node) for node in [*compared, *tested] if id(node) not in within]


def names(tree: ast.AST) -> set[str]:
    """All names of a piece of code, those after a dot too."""
    nodes = list(ast.walk(tree))
    plain = {node.id for node in nodes if isinstance(node, ast.Name)}
    return plain | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def test_few_places_ask_whether_it_is_text_or_pictures() -> None:
    """One object of each kind answers; data, runs and the report are of one kind or the other."""
    others = [path for path in FILES if part(module(path)) not in ("data", "runs", "report")]
    found = {
        f"{module(path)}: {question}"
        for path in others
        for question in kind_questions(ast.parse(path.read_text()))
    }
    assert len(found) <= 8, "\n".join(sorted(found))


def test_a_question_is_seen() -> None:
    asked = "a = isinstance(x, (int, Gallery))\nif m.reads is not data.Reads.text and y: pass"
    assert len(kind_questions(ast.parse(asked))) == 2
    assert not kind_questions(ast.parse("READS = Reads.text\nDO = {TEXT: write, PICTURES: draw}"))
