"""nn holds what several models use, or a model and a judge."""

from tests.test_architecture import FILES, inside, module


def users(name: str, imported: dict[str, set[str]]) -> set[str]:
    """Families and judges that use a module of nn, also through others of nn and what families
    have in common."""
    direct = {other for other, names in imported.items() if name in names}
    shared = [
        other for other in direct if other.startswith(("gantext.nn.", "gantext.models.base."))
    ]
    through = [users(other, imported) for other in shared]
    families = {other.split(".")[2] for other in direct if other.startswith("gantext.models.")}
    families -= {"contract", "build", "base"}
    judges = {other for other in direct if other.startswith("gantext.evaluation.judges.")}
    return (families | judges).union(*through)


def test_each_module_of_nn_serves_several() -> None:
    imported = {module(path): inside(path) for path in FILES}
    packages = {name.rpartition(".")[0] for name in imported}
    blocks = [
        name
        for name in imported.keys() - packages
        if name.count(".") == 3 and name.startswith("gantext.nn.")
    ]
    assert len(blocks) > 10
    assert not [name for name in blocks if len(users(name, imported)) < 2]
