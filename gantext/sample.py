"""Sampling a trained run."""

from dataclasses import dataclass

import gantext
from gantext.assemble import Trained, generator, restore
from gantext.evaluate import ROWS, sample_texts
from gantext.metrics.score import Setting
from gantext.nn.algorithm import SamplingOptions
from gantext.run import RunDir
from gantext.settings import Device, Settings

CHOICES = ("temperature", "top_k", "top_p")  # of words


@dataclass(frozen=True)
class SamplingRequest:
    """What is sampled: how many, how words are drawn (of text), from which state of the run."""

    n: int
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    phase: str | None = None

    @property
    def options(self) -> SamplingOptions:
        """How tokens are drawn."""
        return SamplingOptions(self.temperature, self.top_k, self.top_p)


def sample_run(
    run: RunDir, request: SamplingRequest, device: Device = Device.auto
) -> tuple[list[str], dict[str, Setting]]:
    """Sample a run: (n sentences, the signature of the samples)."""
    trained = restore(run, device, request.phase)
    lines, _ = draw(trained, request)
    return lines, signature(run, trained.settings, trained.step, request)


def draw(trained: Trained, request: SamplingRequest) -> tuple[list[str], list[list[str]]]:
    """Sample a run that is restored already: n sentences, and their words."""
    rng = generator(request.seed, "sampling", trained.device)
    return sample_texts(
        trained.algorithm, trained.vocabulary, request.n, rng, request.options, ROWS
    )


def signature(
    run: RunDir, settings: Settings, step: int, request: SamplingRequest
) -> dict[str, Setting]:
    """The settings that these samples can be drawn again with."""
    return {
        "run": run.path.name,
        "model": settings.model.name,
        "step": step,
        "phase": request.phase,
        "sampled": request.n,
        "temperature": request.temperature,
        "top_k": request.top_k,
        "top_p": request.top_p,
        "sample_seed": request.seed,
        "run_data": run.info.get("data"),
        "version": gantext.__version__,
    }


def picture_signature(
    run: RunDir, settings: Settings, step: int, request: SamplingRequest
) -> dict[str, Setting]:
    """The same of pictures, which are drawn without the choices of words."""
    found = signature(run, settings, step, request)
    return {key: value for key, value in found.items() if key not in CHOICES}
