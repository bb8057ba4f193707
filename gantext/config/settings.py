"""The typed settings of one run; their values live in conf/config.yaml, never here."""

import enum
from dataclasses import dataclass
from typing import Any, TypeVar

from gantext.data.ranges import (
    BatchSize,
    Count,
    CountOrNone,
    GreedyTemperature,
    Margin,
    Rows,
    Seconds,
    Seed,
    Steps,
    Threads,
)
from gantext.errors import UserError, nearest

Member = TypeVar("Member", bound=enum.Enum)


def member(kind: type[Member], value: Member | str) -> Member:
    """A member of an enumeration by its value. Raises UserError, with the nearest value."""
    try:
        return kind(value)
    except ValueError as error:
        values = [str(one.value) for one in kind]
        hint = nearest(str(value), values) or f" (there are: {', '.join(values)})"
        raise UserError(f"no such {kind.__name__.lower()}: {value}{hint}") from error


class Phases(enum.Enum):
    """Which phases of a model are run."""

    all = "all"
    pretrain = "pretrain"
    adversarial = "adversarial"


class Device(enum.Enum):
    """Where the networks live."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class Precision(enum.Enum):
    """Arithmetic of the forward passes; weights and optimiser stay in fp32."""

    fp32 = "fp32"
    bf16 = "bf16"


class Tf32(enum.Enum):
    """Which of a GPU's products round their inputs to TF32."""

    all = "all"
    cudnn = "cudnn"
    none = "none"


class Memory(enum.Enum):
    """What becomes of large blocks of memory that are free; no number depends on it."""

    keep = "keep"
    release = "release"


class Stream(enum.Enum):
    """Which random numbers draw the samples that are scored at the end of a phase."""

    sampling = "sampling"
    eval = "eval"


@dataclass(frozen=True)
class CheckpointSettings:
    """When a run is saved."""

    every_seconds: Seconds
    every_steps: Steps
    keep: Count
    best: str | None


@dataclass(frozen=True)
class EarlyStopSettings:
    """When a phase ends before its steps are done."""

    patience: CountOrNone
    min_delta: Margin
    metric: str
    phases: tuple[str, ...]


@dataclass(frozen=True)
class CurveSettings:
    """How often nll_oracle and nll_test are computed while a run trains, and of how much."""

    every_steps: Steps
    adversarial_every_steps: Steps
    samples: Rows
    sentences: Rows


@dataclass(frozen=True)
class LogSettings:
    """How often a run reports, and to whom."""

    every_steps: Steps
    sample_every_steps: Steps
    curve: CurveSettings
    trackers: tuple[str, ...]


@dataclass(frozen=True)
class EvalSettings:
    """What is measured at the end of each phase, and of it one score on the way if asked for."""

    every_steps: Steps
    samples: Rows
    temperature: GreedyTemperature
    preset: str
    seed: Seed
    stream: Stream
    batch_size: BatchSize


@dataclass(frozen=True)
class Settings:
    """A composed run. `model` and `data` hold the `Config` of their own modules."""

    model: Any
    data: Any
    seed: Seed
    phases: Phases
    from_run: str | None
    device: Device
    precision: Precision
    tf32: Tf32
    deterministic: bool
    cuda_graphs: bool
    threads: Threads
    memory: Memory
    runs_dir: str
    name: str | None
    objective: str | None
    force: bool
    checkpoint: CheckpointSettings
    early_stop: EarlyStopSettings
    log: LogSettings
    eval: EvalSettings
