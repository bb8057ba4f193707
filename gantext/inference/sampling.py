"""Sampling a trained run."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gantext.config.settings import Stream
from gantext.data.tokenizers import UNKNOWN
from gantext.data.vocabulary import PAD, Vocabulary
from gantext.errors import UserError, nearest
from gantext.inference.candidates import Chooser, chooser_of
from gantext.inference.prompt import decode_after
from gantext.inference.request import SamplingRequest
from gantext.inference.token_parts import texts_of, token_parts
from gantext.models.contract import Algorithm, OfClass, Writer
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


def draw(
    trained: TrainedText,
    request: SamplingRequest,
    stream: Stream = Stream.sampling,
    chooser: Chooser | None = None,
) -> Texts:
    """Sample a run: n sentences, and their words. Arguments and errors as of `draw_parts`."""
    parts = draw_parts(trained, request, stream=stream, chooser=chooser)
    return _joined((part.lines, part.words) for part in parts)


def draw_parts(
    trained: TrainedText,
    request: SamplingRequest,
    likelihood: bool = False,
    stream: Stream = Stream.sampling,
    chooser: Chooser | None = None,
) -> Iterator[Written]:
    """The same, some sentences at a time: of a million nothing but these is held in memory.

    Args:
        trained: the run.
        request: what is sampled.
        likelihood: with the log-likelihood of each sentence.
        stream: of random numbers.
        chooser: of the request's candidates, where it is there already.

    Raises:
        LogitsNotFinite: some of the words could not be drawn; it names the run.
        UserError: a prompt that it cannot go on from, a label that it has not; as `chooser_of`.
    """
    rng = generator(request.seed, stream.value, trained.device)
    rows = trained.settings.eval.batch_size
    sample = _sampler(trained, request, rng)
    with naming(trained.run):
        chooser = chooser or chooser_of(trained, request)
        if chooser is not None:
            sample = _chosen(chooser, sample, request.seed)
            rows = max(1, rows // chooser.count)
        for tokens in token_parts(sample, request.n, rows):
            lines, words = texts_of(tokens.tolist(), trained.vocabulary)
            sizes = (tokens != PAD).sum(1).tolist()
            yield Written(lines, words, sizes, _log_prob(trained, tokens) if likelihood else None)


def _sampler(
    trained: TrainedText, request: SamplingRequest, rng: torch.Generator
) -> Callable[[int], Tensor]:
    """What draws so many sentences, (n, T), after the request's prompt if it has one."""
    algorithm, options = trained.algorithm, request.options
    if request.label is not None:
        return _of_class(trained, request.label, rng, options)
    if request.prompt is None:
        return lambda n: algorithm.sample(n, rng, options)
    if not isinstance(algorithm, Writer):
        name = trained.settings.model.name
        raise UserError(f"model={name} does not write word by word: it takes no prompt")
    writer, width = algorithm.writer, trained.run.info["max_length"]
    first = prompt_ids(trained.vocabulary, request.prompt, width)
    return lambda n: decode_after(first, writer(n, rng), n, width, rng, options)


def _of_class(
    trained: TrainedText, label: str, rng: torch.Generator, options: SamplingOptions
) -> Callable[[int], Tensor]:
    """What draws so many sentences of one class, (n, T)."""
    algorithm = trained.algorithm
    if not isinstance(algorithm, OfClass):
        raise UserError(f"model={trained.settings.model.name} has no classes: it takes no label")
    place = class_place(trained, label)
    return lambda n: algorithm.sample_of(torch.full((n,), place, device=rng.device), rng, options)


def class_place(trained: TrainedText, label: str) -> int:
    """The place of a class of the run's data by its name.

    Raises:
        UserError: there is none of that name, or none of its sentences was trained on.
    """
    counts = trained.run.info.get("class_counts", {})
    if label not in counts:
        raise UserError(
            f"{trained.run.path.name} has no class {label!r}{nearest(label, list(counts))}: "
            f"choose {', '.join(counts)}"
        )
    if not counts[label]:
        raise UserError(f"{trained.run.path.name} was trained on no sentence of class {label!r}")
    return list(counts).index(label)


def _chosen(
    chooser: Chooser, sample: Callable[[int], Tensor], seed: int
) -> Callable[[int], Tensor]:
    """What draws so many sentences, each of several that `sample` draws."""
    rng = generator(seed, "candidates", torch.device("cpu"))

    def kept(n: int) -> Tensor:
        tokens = sample(n * chooser.count).cpu()
        check_drawn(tokens)
        return chooser.keep(tokens, rng)

    return kept


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
    parts = token_parts(lambda some: algorithm.sample(some, rng, options), n, rows)
    return _joined(texts_of(tokens.tolist(), vocabulary) for tokens in parts)


def _joined(parts: Iterable[Texts]) -> Texts:
    lines: list[str] = []
    words: list[list[str]] = []
    for own_lines, own_words in parts:
        lines += own_lines
        words += own_words
    return lines, words
