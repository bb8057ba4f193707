"""What a sweep comes to, and what an experiment sweeps by itself (`hydra.sweeper.params`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gantext import models
from gantext.config.settings import Settings
from gantext.config.words import key_of
from gantext.data import Reads


@dataclass(frozen=True)
class Swept:
    """What the words of a sweep come to.

    Attributes:
        folder: that its jobs are to lie in.
        jobs: the words of each and what they compose to; None where a sweeper other than the basic
            one makes them up as it goes.
        hydras_own: Hydra has to run them: another launcher or sweeper is chosen, or something is to
            be done around each job.
        runs_dir: where the latest run is marked.
    """

    folder: Path
    jobs: tuple[tuple[list[str], Settings], ...] | None
    hydras_own: bool
    runs_dir: Path


def swept_words(params: Mapping[str, str] | None, overrides: Sequence[str]) -> list[str]:
    """What an experiment sweeps by itself as words, without the keys that the overrides have."""
    given = {key_of(word) for word in overrides}
    return [f"{key}={value}" for key, value in (params or {}).items() if key not in given]


def text_models(*more: str) -> str:
    """`${text_models:}` in the file of an experiment: every model that is trained on text alone;
    with `${text_models:labelled}` also each that needs its classes.
    """
    return ",".join(models.readers([Reads.text, *(Reads[word] for word in more)]))
