"""What a run wrote or drew, as one has it in Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gantext.errors import UserError
from gantext.inference.judges.choice import candidates_of
from gantext.inference.request import SamplingRequest, signature
from gantext.metrics.score import Setting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gantext.inference.candidates import Chooser
    from gantext.inference.drawing import Drawing, PictureRequest
    from gantext.runs.trained import TrainedText

SENTENCES = 10  # that are sampled by default


class Samples(list[str]):
    """Sentences of a run, and the settings that they can be drawn again with.

    Attributes:
        log_prob: of each sentence by the model itself (nats, <eos> and the words of a prompt
            counted), where that was asked for.
        tokens: how many each sentence has, <eos> counted.
    """

    def __init__(
        self,
        lines: Sequence[str],
        signature: Mapping[str, Setting],
        tokens: Sequence[int],
        log_prob: Sequence[float] | None = None,
    ) -> None:
        super().__init__(lines)
        self.signature, self.tokens = dict(signature), list(tokens)
        self.log_prob = None if log_prob is None else list(log_prob)

    def to_json(self) -> dict[str, object]:
        """{"samples": [...], "signature": {...}}, and "log_prob" and "tokens" if asked for."""
        known = {"log_prob": self.log_prob, "tokens": self.tokens}
        asked = {} if self.log_prob is None else known
        return {"samples": list(self), **asked, "signature": self.signature}


@dataclass(frozen=True)
class Drawn:
    """How samples are drawn: what `Run.sample` takes for words; a model of pictures takes none."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    prompt: str | None = None
    label: str | None = None
    likelihood: bool = False
    candidates: int = 1
    judge: str | None = None
    force: bool = False

    def request(
        self, n: int | None, seed: int, phase: str | None, runs_dir: Path
    ) -> SamplingRequest:
        """The sentences that are asked for; a run that judges is looked for in `runs_dir`.

        Raises UserError for a number that makes no sense, and a judge that is not there.
        """
        words = (self.temperature, self.top_k, self.top_p)
        _check(n, *words)
        kept = candidates_of(self.candidates, self.judge, self.force, runs_dir)
        asked = SamplingRequest(n or SENTENCES, *words, seed, phase, self.prompt, kept)
        return replace(asked, label=self.label)

    def of_pictures(
        self, n: int | None, seed: int, phase: str | None, run: str
    ) -> "PictureRequest":
        """The pictures that are asked for. Raises UserError as `request`, and for words."""
        from gantext.inference.drawing import PictureRequest

        _check(n, self.temperature, self.top_k, self.top_p)
        given = [f.name for f in fields(self) if getattr(self, f.name) != f.default]
        if given:
            raise UserError(f"{run} draws pictures: it takes no {', '.join(given)}")
        return PictureRequest(n, seed=seed, phase=phase)


def _check(n: int | None, temperature: float, top_k: int, top_p: float) -> None:
    if (n is not None and n < 1) or temperature < 0 or top_k < 0 or not 0 < top_p <= 1:
        asked = f"n={n}, temperature={temperature}, top_k={top_k}, top_p={top_p}"
        raise UserError(f"cannot sample with {asked}")


def written(
    trained: "TrainedText",
    request: SamplingRequest,
    likelihood: bool,
    chooser: "Chooser | None" = None,
) -> Samples:
    """Sentences of a run as they are asked for; of the judge's choice, if it is there already."""
    from gantext.inference.candidates import chooser_of
    from gantext.inference.likelihood import own_signature
    from gantext.inference.sampling import draw_parts

    chooser = chooser or chooser_of(trained, request)
    parts = list(draw_parts(trained, request, likelihood, chooser=chooser))
    signed = signature(trained.origin(request.phase), request, trained.run.info.get("data"))
    signed |= chooser.signature if chooser else {}
    lines = [line for part in parts for line in part.lines]
    tokens = [count for part in parts for count in part.tokens]
    if not likelihood:
        return Samples(lines, signed, tokens)
    signed |= own_signature(trained.algorithm, request)
    return Samples(lines, signed, tokens, [v for part in parts for v in part.log_prob or ()])


def several(sentences: str | Sequence[str]) -> Sequence[str]:
    """Sentences, of which one may be given as it is."""
    return [sentences] if isinstance(sentences, str) else sentences


def pixels_of(drawing: "Drawing") -> "NDArray[np.uint8]":
    """(N, H, W, C) bytes; what is not a number is black."""
    from gantext.data.gallery import to_bytes

    shown: NDArray[np.uint8] = to_bytes(drawing.pictures.nan_to_num(-1.0)).numpy()
    return shown.transpose(0, 2, 3, 1)
