"""Which judge is asked for by --judge, and what of it decides the sentences that it keeps.

Nothing here loads torch: stored scores are found by it.
"""

from pathlib import Path

from gantext.errors import UserError
from gantext.inference.request import Candidates
from gantext.metrics.score import Setting
from gantext.nn.text.judges.pretrained import encoder_id
from gantext.runs import listing
from gantext.runs.folder import RunDir

DEFAULT = ""  # the first of discriminator and lm-ratio that knows something
DISCRIMINATOR, LM_RATIO, ENCODER = "discriminator", "lm-ratio", "encoder"
OWN = (DISCRIMINATOR, LM_RATIO, ENCODER)
FOLDER = f"{ENCODER}:"  # before the folder of an encoder


def candidates_of(count: int, judge: str | None, force: bool, runs_dir: Path) -> Candidates | None:
    """What --candidates, --judge and --force ask for; None for samples as they come.

    Args:
        count: of how many one is kept; 1: all are.
        judge: one of `OWN`, "encoder:FOLDER" or a run, RUN or RUN@PHASE; None for the default.
        force: also by a judge that knows nothing.
        runs_dir: where the runs are.

    Raises:
        UserError: no such run; a judge, or force, without candidates.
    """
    if count == 1:
        if judge is not None or force:
            raise UserError("--judge and --force are for --candidates 2 or more")
        return None
    return Candidates(count, DEFAULT if judge is None else _resolved(judge, runs_dir), force)


def _resolved(judge: str, runs_dir: Path) -> str:
    """The judge by a name that means the same from any folder."""
    if judge in OWN:
        return judge
    if judge.startswith(FOLDER):
        return FOLDER + str(Path(judge.removeprefix(FOLDER)).expanduser().resolve())
    try:
        run, phase = listing.find_trained_at(judge, runs_dir)
    except UserError as error:
        raise UserError(f"--judge {judge}: no {', '.join(OWN)}; {error}") from error
    return f"{run.path.resolve()}@{phase}" if phase else str(run.path.resolve())


def judge_run(judge: str) -> tuple[RunDir, str | None]:
    """The run that is the judge, and its phase."""
    return listing.find_trained_at(judge, Path())


def encoder_folder(judge: str) -> str | None:
    """The folder of the encoder; None for the default one."""
    return judge.removeprefix(FOLDER) if judge.startswith(FOLDER) else None


# Of how candidates are put into groups: scores by other ones are not found.
GROUPS = 2


def decided_by(candidates: Candidates | None) -> dict[str, Setting]:
    """All of them that decides which sentences are kept, besides the run itself.

    Raises:
        UserError: the judge is not there.
    """
    if candidates is None:
        return {}
    judge = candidates.judge
    found: dict[str, Setting] = {"judge": judge, "judge_forced": candidates.force, "groups": GROUPS}
    if judge.partition(":")[0] == ENCODER:
        return {**found, "judge": ENCODER, "judge_weights": encoder_id(encoder_folder(judge))}
    if judge not in (*OWN, DEFAULT):
        run, phase = judge_run(judge)
        weights = run.stored_checkpoint(phase).whole
        return {**found, "judge": run.path.name, "judge_weights": weights}
    return found
