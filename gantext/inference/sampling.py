"""Sampling a trained run."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gantext.config.settings import Stream
from gantext.data.tokenizers import UNKNOWN, detokenize
from gantext.data.vocabulary import PAD, Vocabulary
from gantext.errors import UserError, nearest
from gantext.inference.prompt import decode_after
from gantext.inference.request import SamplingRequest
from gantext.models.contract import Algorithm, Writer
from gantext.nn.rng import generator
from gantext.nn.text.sampling import LogitsNotFinite, SamplingOptions, check_drawn
from gantext.runs.folder import RunDir
from gantext.runs.trained import TrainedText

Texts = tuple[list[str], list[list[str]]]  # sentences, and the words of each


@dataclass(frozen=True)
class Written:
    """Some sentences of a run, in order.

    Attributes:
        lines: as readable text.
        words: of each.
        tokens: how many each has, <eos> counted.
        log_prob: of each by the model itself, in nats, <eos> counted, and all of its words, those
            of a prompt too; None where it was not asked for.
    """

    lines: list[str]
    words: list[list[str]]
    tokens: list[int]
    log_prob: list[float] | None


def draw(trained: TrainedText, request: SamplingRequest, stream: Stream = Stream.sampling) -> Texts:
    """Sample a run: n sentences, and their words. Arguments and errors as of `draw_parts`."""
    parts = draw_parts(trained, request, stream=stream)
    return _joined((part.lines, part.words) for part in parts)


def draw_parts(
    trained: TrainedText,
    request: SamplingRequest,
    likelihood: bool = False,
    stream: Stream = Stream.sampling,
) -> Iterator[Written]:
    """The same, some sentences at a time: of a million nothing but these is held in memory.

    Args:
        trained: the run.
        request: what is sampled.
        likelihood: with the log-likelihood of each sentence.
        stream: of random numbers.

    Raises:
        LogitsNotFinite: some of the words could not be drawn; it names the run.
        UserError: a prompt that the run cannot go on from.
    """
    rng = generator(request.seed, stream.value, trained.device)
    rows = trained.settings.eval.batch_size
    with naming(trained.run):
        for tokens in _token_parts(_sampler(trained, request, rng), request.n, rows):
            lines, words = _texts_of(tokens.tolist(), trained.vocabulary)
            sizes = (tokens != PAD).sum(1).tolist()
            yield Written(lines, words, sizes, _log_prob(trained, tokens) if likelihood else None)


def _sampler(
    trained: TrainedText, request: SamplingRequest, rng: torch.Generator
) -> Callable[[int], Tensor]:
    """What draws so many sentences, (n, T), after the request's prompt if it has one."""
    algorithm, options = trained.algorithm, request.options
    if request.prompt is None:
        return lambda n: algorithm.sample(n, rng, options)
    if not isinstance(algorithm, Writer):
        name = trained.settings.model.name
        raise UserError(f"model={name} does not write word by word: it takes no prompt")
    writer, width = algorithm.writer, trained.run.info["max_length"]
    first = prompt_ids(trained.vocabulary, request.prompt, width)
    return lambda n: decode_after(first, writer(n, rng), n, width, rng, options)


def prompt_ids(vocabulary: Vocabulary, text: str, width: int) -> list[int]:
    """The words of a prompt by their numbers, P of them.

    Args:
        vocabulary: of the run.
        text: the first words of sentences.
        width: tokens of the run's longest sentence, <eos> counted.

    Raises:
        UserError: it has no word, one that the run does not know, or so many that none can follow.
    """
    words = vocabulary.tokenize(text)
    if not words:
        raise UserError("an empty prompt: give it words")
    for word in words:
        if word not in vocabulary and word != UNKNOWN:
            near = nearest(word, vocabulary.words)
            raise UserError(
                f"the prompt's word {word!r} is not in the run's vocabulary{near}; "
                f"{UNKNOWN} stands for any that is not"
            )
    if len(words) + len(vocabulary.end) > width:
        raise UserError(f"a prompt of {len(words)} words: the run takes {vocabulary.limit(width)}")
    return vocabulary.ids(words)


@torch.no_grad()
def _log_prob(trained: TrainedText, tokens: Tensor) -> list[float]:
    longest = int((tokens != PAD).sum(1).max())
    found: list[float] = trained.algorithm.log_prob(tokens[:, :longest].to(trained.device)).tolist()
    return found


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
    parts = _token_parts(lambda some: algorithm.sample(some, rng, options), n, rows)
    return _joined(_texts_of(tokens.tolist(), vocabulary) for tokens in parts)


def _token_parts(sample: Callable[[int], Tensor], n: int, rows: int) -> Iterator[Tensor]:
    """n sentences, `rows` of them after the other, (rows, T) on the CPU."""
    for start in range(0, n, rows):
        tokens = sample(min(rows, n - start)).cpu()
        check_drawn(tokens)
        yield tokens


def _texts_of(rows: list[list[int]], vocabulary: Vocabulary) -> Texts:
    words = [vocabulary.decode(row) for row in rows]
    return [detokenize(row, vocabulary.tokenizer) for row in words], words


def _joined(parts: Iterable[Texts]) -> Texts:
    lines: list[str] = []
    words: list[list[str]] = []
    for own_lines, own_words in parts:
        lines += own_lines
        words += own_words
    return lines, words
