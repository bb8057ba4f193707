"""What is sampled of a run, and the settings that the samples can be drawn again with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gantext.data import ranges
from gantext.data.ranges import Draws, GreedyTemperature
from gantext.errors import UserError
from gantext.metrics.score import Setting, signed
from gantext.runs.kinds import KINDS, TEXT, Kind

if TYPE_CHECKING:
    from gantext.nn.text.sampling import SamplingOptions


@dataclass(frozen=True)
class Candidates:
    """Of how many sentences one is kept, and by which judge (see gantext.inference.candidates).

    Attributes:
        count: K, at least 2.
        judge: by name, as `candidates_of` resolves it; "" for the default.
        force: also by a judge that knows nothing.

    Raises:
        UserError: fewer than 2.
    """

    count: Draws
    judge: str = ""
    force: bool = False

    def __post_init__(self) -> None:
        ranges.check(self, "candidates")
        if self.count < 2:
            raise UserError(f"candidates={self.count}: one of at least 2 is kept")


@dataclass(frozen=True)
class SamplingRequest:
    """What is sampled: how many, how words are drawn (of text), from which state of the run.

    `prompt` are the first words of each sentence; None: all are drawn. `label` is the class that
    all sentences are of; None: the model draws it. With `candidates` each sentence is one of
    several, kept by a judge.

    Raises:
        UserError: a temperature that nothing can be drawn at, or no candidates differ at.
    """

    n: int
    temperature: GreedyTemperature = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    phase: str | None = None
    prompt: str | None = None
    candidates: Candidates | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        ranges.check(self)
        if self.label is not None and self.prompt is not None:
            raise UserError("a label and a prompt: sentences take one of the two")
        if self.candidates is not None and not self.temperature:
            raise UserError(
                "candidates are drawn, and at temperature 0 nothing is: leave out one of the two"
            )

    @property
    def options(self) -> "SamplingOptions":
        """How tokens are drawn."""
        from gantext.nn.text.sampling import SamplingOptions

        return SamplingOptions(self.temperature, self.top_k, self.top_p)


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
        request: the samples; which judge kept them, where one did, says the judge itself.
        run_data: the hash of the data that it was trained on.
        kind: what it makes.

    Raises:
        UserError: candidates of what no judge reads.
    """
    begun: dict[str, Setting] = {} if request.prompt is None else {"prompt": request.prompt}
    if request.label is not None:
        begun["label"] = request.label
    if request.candidates is not None:
        if "candidates" not in kind.options:
            raise UserError(f"{origin['run']} makes {kind.makes}: it takes no candidates")
        begun["candidates"] = request.candidates.count
    found = signed(
        **origin,
        sampled=request.n,
        **begun,
        temperature=signed_temperature(request.temperature),
        top_k=request.top_k,
        top_p=request.top_p,
        sample_seed=request.seed,
        run_data=run_data,
    )
    foreign = {option for one in KINDS for option in one.options} - kind.options
    return {key: value for key, value in found.items() if key not in foreign}
