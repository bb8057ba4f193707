"""Sampling a trained run."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from gantext.data.tokenizers import detokenize
from gantext.data.vocabulary import Vocabulary
from gantext.metrics.score import Setting, signed
from gantext.models.contract import Algorithm
from gantext.nn.rng import generator
from gantext.nn.text.sampling import LogitsNotFinite, SamplingOptions, check_drawn
from gantext.runs.folder import RunDir
from gantext.runs.kinds import KINDS, TEXT, Kind
from gantext.runs.trained import TrainedText

Texts = tuple[list[str], list[list[str]]]  # sentences, and the words of each


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


def draw(trained: TrainedText, request: SamplingRequest) -> Texts:
    """Sample a run: n sentences, and their words. Raises LogitsNotFinite, naming the run."""
    return _joined(draw_parts(trained, request))


def draw_parts(trained: TrainedText, request: SamplingRequest) -> Iterator[Texts]:
    """The same, some sentences at a time: of a million nothing but these is held in memory."""
    rng = generator(request.seed, "sampling", trained.device)
    with naming(trained.run):
        yield from sampled_parts(
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
) -> Texts:
    """Draw n sentences, `rows` at a time: as readable text, and as tokens.

    Raises:
        LogitsNotFinite: some of the words could not be drawn.
    """
    return _joined(sampled_parts(algorithm, vocabulary, n, rng, options, rows))


def sampled_parts(
    algorithm: Algorithm,
    vocabulary: Vocabulary,
    n: int,
    rng: torch.Generator,
    options: SamplingOptions,
    rows: int,
) -> Iterator[Texts]:
    """The same, `rows` sentences after the other."""
    for start in range(0, n, rows):
        tokens = algorithm.sample(min(rows, n - start), rng, options).cpu()
        check_drawn(tokens)
        words = [vocabulary.decode(row) for row in tokens.tolist()]
        yield [detokenize(row, vocabulary.tokenizer) for row in words], words


def _joined(parts: Iterable[Texts]) -> Texts:
    lines: list[str] = []
    words: list[list[str]] = []
    for own_lines, own_words in parts:
        lines += own_lines
        words += own_words
    return lines, words
