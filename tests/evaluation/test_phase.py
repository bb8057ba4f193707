"""What is scored at the end of a phase."""

import json
from pathlib import Path

from tests.conftest import SMALL_MLE, Command, finished, scores_in


def test_scores_of_other_random_numbers_are_none_that_eval_would_find(
    cli: Command, tmp_path: Path
) -> None:
    """With eval.stream=eval the phase's samples are drawn by numbers of their own."""
    run = finished(tmp_path, [*SMALL_MLE, "model.mle.epochs=1", "eval.stream=eval"])
    assert [path.name for path in (run / "scores").iterdir()] == ["phase-mle.json"]
    at_end = json.loads((run / "scores" / "phase-mle.json").read_text())["scores"]
    found = scores_in(cli("eval", "bleu", str(run), "--json").out)
    own = {one["name"]: one for one in at_end}["bleu-2"]
    (other,) = (one for one in found if one["name"] == "bleu-2")
    assert other["signature"]["hypotheses"] == own["signature"]["hypotheses"] == 50
    assert other["value"] != own["value"]
