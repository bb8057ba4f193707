"""Sampling a trained run."""

import contextlib
from collections.abc import Iterable, Iterator

import torch

from gantext.config.settings import Stream
from gantext.data.tokenizers import detokenize
from gantext.data.vocabulary import Vocabulary
from gantext.inference.request import SamplingRequest
from gantext.models.contract import Algorithm
from gantext.nn.rng import generator
from gantext.nn.text.sampling import LogitsNotFinite, SamplingOptions, check_drawn
from gantext.runs.folder import RunDir
from gantext.runs.trained import TrainedText

Texts = tuple[list[str], list[list[str]]]  # sentences, and the words of each


def draw(trained: TrainedText, request: SamplingRequest, stream: Stream = Stream.sampling) -> Texts:
    """Sample a run: n sentences, and their words. Raises LogitsNotFinite, naming the run."""
    return _joined(draw_parts(trained, request, stream))


def draw_parts(
    trained: TrainedText, request: SamplingRequest, stream: Stream = Stream.sampling
) -> Iterator[Texts]:
    """The same, some sentences at a time: of a million nothing but these is held in memory."""
    rng = generator(request.seed, stream.value, trained.device)
    with naming(trained.run):
        yield from sampled_parts(
            trained.algorithm,
            trained.vocabulary,
            request.n,
            rng,
            request.options,
            trained.settings.eval.batch_size,
        )


@contextlib.contextmanager
def naming(run: RunDir) -> Iterator[None]:
    """Name the run where its logits turn out not to be finite."""
    try:
        yield
    except LogitsNotFinite as error:
        raise LogitsNotFinite(f"{run.path.name} cannot be sampled: {error}") from error


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
