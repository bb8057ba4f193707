"""Which plane a frontier of runs is drawn in, and what papers report there of the same data."""

from collections.abc import Sequence

from gantext import data
from gantext.errors import UserError
from gantext.evaluation import subjects
from gantext.evaluation.common_data import common_data
from gantext.evaluation.request import Asked
from gantext.evaluation.tempered import why_not
from gantext.metrics.text.planes import ORACLE, Plane, PlaneName, find_plane
from gantext.metrics.text.presets import ORDERS
from gantext.metrics.text.published import PublishedPoint, published_points

ORDER = 4  # N of BLEU, unless another is asked for


def chosen_plane(
    asked: Asked,
    name: PlaneName | None,
    order: int | None,
    temperatures: Sequence[float],
) -> Plane:
    """The plane that is asked for; without a name the oracle's where runs can stand there.

    Args:
        asked: runs and data.
        name: of the plane.
        order: N of BLEU, for the plane that has one.
        temperatures: of the samples.

    Raises:
        UserError: runs or data that have no place there; an option of another plane.
    """
    if name is None:
        name = PlaneName.bleu if _unfit(asked, ORACLE, temperatures) else ORACLE.name
    if order is not None and (name is not PlaneName.bleu or order not in ORDERS):
        raise UserError(f"--order {order}: of --plane bleu, 2 to 5; this is --plane {name.value}")
    plane = find_plane(name, ORDER if order is None else order)
    if unfit := _unfit(asked, plane, temperatures):
        raise UserError(f"--plane {name.value}: {unfit}")
    return plane


def _unfit(asked: Asked, plane: Plane, temperatures: Sequence[float]) -> str:
    """Why runs have no place on a plane; "" where they have."""
    if plane.tempered and asked.candidates is not None:
        return "kept candidates have no nll-test"
    known = _data_name(asked) if plane.truth else ""
    if plane.truth and not (known and data.has_truth(known)):
        there = [f"data={name}" for name in data.kinds() if data.has_truth(name)]
        which = f"data={known}" if known else "a file alone"
        return f"the true distribution of {which} is not known, as that of {' and '.join(there)} is"
    for model in asked.models() if plane.tempered else ():
        for temperature in temperatures:
            if why := why_not(model, temperature):
                run = subjects.label(model, asked.runs_dir)
                return f"{run} has no nll-test at temperature {temperature:g}: {why}"
    return ""


def _data_name(asked: Asked) -> str:
    """Of the data that is scored against; "" where there is none."""
    if asked.data is not None:
        return str(asked.data.name)
    models = asked.models()
    return str(common_data(models)[0].get("name")) if models else ""


def published_beside(asked: Asked, plane: Plane, size: int) -> tuple[PublishedPoint, ...]:
    """Published points that may stand beside so many samples: where scores depend on it."""
    of = plane.published_size
    if of is not None and abs(size - of) > 0.01 * of:
        return ()
    name = _data_name(asked)
    found = published_points(plane.name, name, asked.preset)
    if not found:  # then its config need not be read
        return ()
    cfg = asked.data if asked.data is not None else common_data(asked.models())[1]()
    return found if data.published(cfg) else ()
