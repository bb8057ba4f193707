"""Samples as a report shows them: what is copied, the nearest training sentence, what is wrong."""

from collections.abc import Sequence

from gantext.config.words import command
from gantext.data.scenes.grammar import Grammar
from gantext.evaluation.ground import Ground
from gantext.evaluation.request import Asked
from gantext.evaluation.subjects import Model, Subject, label
from gantext.inference.request import SamplingRequest
from gantext.metrics.text.copying import copy_index
from gantext.report import kept
from gantext.report.page import Sample, SampleSet

SHOWN = 20  # sentences of each model, the first ones drawn
COPIED = 5  # from so many words in a row on, what training text has too is marked


def sample_set(model: Model, asked: Asked, ground: Ground) -> SampleSet:
    """The first sentences that a model writes, each beside its nearest training sentence."""
    request = SamplingRequest(SHOWN, asked.temperature, seed=asked.seed, phase=model.phase)
    subject = asked.subject(model, request)
    decided = (sorted(subject.key.items()), ground.hash, ground.preparation)
    samples = kept.samples(decided, lambda: _samples(subject, ground))
    how = (
        f"The first {SHOWN} drawn at temperature {asked.temperature:g} with seed {asked.seed}, "
        f"none left out: {again('sample', model, asked, '-n', SHOWN)}. Marked: {COPIED} or more "
        "words in a row that stand in a training sentence."
    )
    wrong = sum(bool(one.fault) for one in samples)
    if wrong:
        how += f" {wrong} of the {len(samples)} are ungrammatical."
    return SampleSet(f"Samples of {label(model, asked.runs_dir)}", how, samples)


def again(name: str, model: Model, asked: Asked, *options: str | int) -> str:
    """The command that draws the same of a model again."""
    phase = ["--phase", model.phase] if model.phase else []
    return command(name, model.run.path, *phase, *options, "--seed", asked.seed)


def _samples(subject: Subject, ground: Ground) -> tuple[Sample, ...]:
    """Sentences, what of them training text has too, the training sentences nearest to them."""
    lines, training = subject.lines, ground.training
    index = copy_index(training)
    faults = _faults(subject, ground)
    return tuple(
        Sample(tuple(index.segments(line, COPIED)), training[place], likeness, (), *fault)
        for line, (place, likeness), fault in zip(lines, index.nearest(lines), faults, strict=True)
    )


def _faults(subject: Subject, ground: Ground) -> list[tuple[str, tuple[int, int]]]:
    """What is wrong with each sentence, and where; nothing where no grammar is known."""
    corpus = ground.corpus
    if corpus is None or not isinstance(corpus.truth, Grammar):
        return [("", (0, 0)) for _ in subject.lines]
    grammar = corpus.truth
    return [
        fault_of(line, words, grammar)
        for line, words in zip(subject.lines, subject.words(corpus), strict=True)
    ]


def fault_of(line: str, words: Sequence[str], grammar: Grammar) -> tuple[str, tuple[int, int]]:
    """What is wrong with a sentence, "" if nothing, and from which character to which."""
    place = grammar.error_at(words)
    if place is None:
        return "", (0, 0)
    if place == len(words):
        return "Ungrammatical: it ends too early.", (0, 0)
    return f"Ungrammatical from word {place + 1} on.", _span(line, words, place)


def _span(line: str, words: Sequence[str], place: int) -> tuple[int, int]:
    """From which character of a line to which one of its words stands."""
    start = end = 0
    for word in words[: place + 1]:
        start = line.find(word, end)
        if start < 0:
            return 0, 0
        end = start + len(word)
    return start, end
