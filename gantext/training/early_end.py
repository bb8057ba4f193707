"""Phases that end before their steps are done, and what else a model decides while it trains."""

from typing import Any

from gantext.models.contract import Checked
from gantext.runs.folder import RunDir
from gantext.runs.shapes import Best, EarlyEnd
from gantext.runs.summary import not_adversarial
from gantext.training.console import Reporter
from gantext.training.stepper import Stepper
from gantext.training.watch import Watch


def hear(model: Any, stepper: Stepper, run: RunDir, reporter: Reporter) -> None:
    """Say what a model has decided in the step just made; where that ends its phase, end it."""
    step, phase = stepper.step, stepper.current
    if isinstance(model, Checked):
        for line in model.held_out.news():
            reporter.say(f"step {step:,}: {line}")
    ended = phase.ended()
    if ended is not None and step < phase.steps:
        metric, best, best_step, limit = ended
        end = EarlyEnd(step=step, metric=metric, best=best, best_step=best_step)
        if limit is not None:
            end["limit"] = limit
        end_early(end, stepper, run, reporter)


def end_early(end: EarlyEnd, stepper: Stepper, run: RunDir, reporter: Reporter) -> None:
    """End the phase here; the run's folder and the user are told why."""
    phase = stepper.current
    stepper.ended = True
    run.update(early_ends={**run.info.get("early_ends", {}), phase.name: end})
    was = f"under {end['limit']:.4g} last" if "limit" in end else "best"
    reporter.say(
        f"{phase.name} ends early, at step {end['step']:,} of {phase.steps:,}: "
        f"{end['metric']} was {was} at step {end['best_step']:,}, {end['best']:.4g}"
    )


def note_share(model: Any, run: RunDir, watch: Watch, total: int) -> list[str]:
    """Let run.json say of how many adversarial steps a policy gradient was part.

    Returns:
        A warning where these are under half of them, at the step `total` of the run.
    """
    share = model.held_out.share if isinstance(model, Checked) else None
    if share is not None:
        run.update(policy_on=share)
    line = not_adversarial(share)
    return [] if line is None else watch.warn(total, [line])


def correct_facts(run: RunDir, stepper: Stepper, best: Best | None) -> None:
    """Let run.json say no more of the best state and of early ends than is done."""
    behind = {phase.name for phase in stepper.phases[: stepper.phase + stepper.ended]}
    facts = run.info
    early = facts.get("early_ends", {})
    kept = {name: end for name, end in early.items() if name in behind}
    if (facts.get("best"), early) != (best, kept):
        run.update(best=best, early_ends=kept)
