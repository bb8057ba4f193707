"""What several runs were trained on, where that is the same for all."""

from collections.abc import Callable, Sequence
from typing import Any

from gantext.data import Reads
from gantext.errors import UserError
from gantext.evaluation.subjects import Model

Data = tuple[dict[str, Any], Callable[[], Any]]  # the plain values of its config, the typed one


def common_reads(models: Sequence[Model]) -> Reads:
    """What all models are trained on; text when there is none.

    Raises:
        UserError: some on text, some on pictures.
    """
    found = {model.reads: model for model in models}
    if len(found) > 1:
        names = " and ".join(f"{one.run.path.name} ({kind.value})" for kind, one in found.items())
        raise UserError(f"{names} have no scores in common: score them apart")
    return next(iter(found), Reads.text)


def common_data(models: Sequence[Model]) -> Data:
    """The data that all models were trained on.

    Raises:
        UserError: they differ.
    """
    found = {model.run.info.get("data"): model for model in models}
    if len(found) > 1:
        names = " and ".join(
            f"{m.run.path.name} ({m.brief['data'].get('name')})" for m in found.values()
        )
        raise UserError(
            f"{names} were trained on different data: score them apart, or on data=NAME"
        )
    model = next(iter(found.values()))
    return model.brief["data"], lambda: model.settings.data
