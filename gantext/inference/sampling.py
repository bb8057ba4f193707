"""Sampling a trained run."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from gantext.data.vocabulary import Vocabulary
from gantext.metrics.score import Setting, signed
from gantext.models.contract import Algorithm
from gantext.nn.rng import generator
from gantext.nn.text.sampling import LogitsNotFinite, SamplingOptions, check_drawn
from gantext.runs.folder import RunDir
from gantext.runs.kinds import KINDS, TEXT, Kind
from gantext.runs.trained import TrainedText


@dataclass(frozen=True)
class SamplingRequest:
    """What is sampled: how many, how words are drawn (of text), from which state of the run."""

    n: int
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    phase: str | None = None

    def __post_init__(self) -> None:
        SamplingOptions(self.temperature)  # refuses one that nothing can be drawn at, before work

    @property
    def options(self) -> SamplingOptions:
        """How tokens are drawn."""
        return SamplingOptions(self.temperature, self.top_k, self.top_p)


def draw(trained: TrainedText, request: SamplingRequest) -> tuple[list[str], list[list[str]]]:
    """Sample a run: n sentences, and their words. Raises LogitsNotFinite, naming the run."""
    rng = generator(request.seed, "sampling", trained.device)
    with naming(trained.run):
        return sample_texts(
            trained.algorithm, trained.vocabulary, request.n, rng, request.options, ROWS
        )


@contextlib.contextmanager
def naming(run: RunDir) -> Iterator[None]:
    """Name the run where its logits turn out not to be finite."""
    try:
        yield
    except LogitsNotFinite as error:
        raise LogitsNotFinite(f"{run.path.name} cannot be sampled: {error}") from error


def signed_temperature(temperature: float) -> Setting:
    """What a signature says of a temperature: 0 is greedy."""
    return temperature or "greedy"


def signature(
    origin: Mapping[str, Setting],
    request: SamplingRequest,
    run_data: str | None,
    kind: Kind[Any, Any] = TEXT,
) -> dict[str, Setting]:
    """The settings that these samples can be drawn again with.

    What a user may choose of words only is left out of pictures.

    Args:
        origin: which model it is, as `origin_of` says.
        request: the samples.
        run_data: the hash of the data that it was trained on.
        kind: what it makes.
    """
    found = signed(
        **origin,
        sampled=request.n,
        temperature=signed_temperature(request.temperature),
        top_k=request.top_k,
        top_p=request.top_p,
        sample_seed=request.seed,
        run_data=run_data,
    )
    foreign = {option for one in KINDS for option in one.options} - kind.options
    return {key: value for key, value in found.items() if key not in foreign}


ROWS = 500


def sample_texts(
    algorithm: Algorithm,
    vocabulary: Vocabulary,
    n: int,
    rng: torch.Generator,
    options: SamplingOptions,
    rows: int,
) -> tuple[list[str], list[list[str]]]:
    """Draw n sentences, `rows` at a time: as readable text, and as tokens.

    Raises:
        LogitsNotFinite: some of the words could not be drawn.
    """
    sizes = [rows] * (n // rows) + ([n % rows] if n % rows else [])
    drawn: list[list[int]] = []
    for size in sizes:
        tokens = algorithm.sample(size, rng, options).cpu()
        check_drawn(tokens)
        drawn += tokens.tolist()
    return [vocabulary.text(row) for row in drawn], [vocabulary.decode(row) for row in drawn]
