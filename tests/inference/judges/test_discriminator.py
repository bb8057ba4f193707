"""The discriminator as a judge: the log-odds of its probability, also of a certain one."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gantext.inference.judges.discriminator import Discriminator


def test_its_logit_is_the_log_odds_of_real_text() -> None:
    """Of what it is certain of, those of one in ten million."""
    model: Any = SimpleNamespace(score=lambda tokens: {"real": tokens[:, 0] / 4})
    trained: Any = SimpleNamespace(device=torch.device("cpu"), digest="0123456789")
    judge = Discriminator(trained, model, "discriminator")
    found = judge.logits(torch.tensor([[0, 9], [1, 9], [2, 9], [4, 9]]))
    sure = math.log((1 - 1e-7) / 1e-7)
    assert found.dtype == torch.float64
    assert found.tolist() == pytest.approx([-sure, -math.log(3), 0, sure], rel=1e-6)
    assert judge.digest == "01234567" and not judge.stopped_by_half
