"""A kind of score: what decides it and how it is computed."""

from collections.abc import Callable
from dataclasses import dataclass

from gantext.config.settings import Device
from gantext.evaluation.subjects import Ground, Subject
from gantext.metrics.score import Score
from gantext.models.contract import Reads


@dataclass(frozen=True)
class Protocol:
    """What a user may choose about the scores.

    Attributes:
        preset: the BLEU protocol.
        seed: of shuffles, of the embeddings' sample and of the small language models.
        encoder: the sentence encoder of the Frechet distance; None is the default one.
        device: where networks compute.
        draws: importance samples of a sentence (k).
        sentences: test sentences whose latent vectors are looked at.
        probes: test sentences that are imputed, or pairs of them that are interpolated.
    """

    preset: str
    seed: int
    encoder: str | None
    device: Device
    draws: int
    sentences: int
    probes: int


@dataclass(frozen=True)
class Measure:
    """One kind of score.

    Attributes:
        name: its name, and that of its stored files.
        compute: (subject, ground, protocol) -> scores; none where it does not apply.
        settings: the fields of the protocol that decide it.
        doing: what to tell a user who waits; None when it is quick.
        of_model: it depends on the model alone, not on the samples.
        applies: whether a subject may have it at all.
        pictures: it scores pictures, the others text.
    """

    name: str
    compute: Callable[[Subject, Ground, Protocol], list[Score]]
    settings: tuple[str, ...]
    doing: str | None = None
    of_model: bool = False
    applies: Callable[[Subject], bool] = lambda subject: True
    pictures: bool = False

    def fits(self, subject: Subject) -> bool:
        """Whether a subject has it: pictures or text, and what `applies` says."""
        of_pictures = subject.model is not None and subject.model.reads is not Reads.text
        return self.pictures == of_pictures and self.applies(subject)
