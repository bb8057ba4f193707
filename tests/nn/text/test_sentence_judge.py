"""What a judge's logits are worth to a generator, by hand."""

import pytest
import torch

from gantext.nn.text.sentence_judge import belief_of, sentence_rewards

ODDS = torch.tensor([-7.0, -1.0, 0.0, 3.0])


class Judge:
    """Its log-odds are those above."""

    def score(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.log_odds(tokens).sigmoid()

    def log_odds(self, tokens: torch.Tensor) -> torch.Tensor:
        return ODDS[: len(tokens)]


@pytest.mark.parametrize(("clip", "wanted"), [(2.0, [-2.0, -1.0, 0.0, 2.0]), (0.0, None)])
def test_rewards_by_hand(clip: float, wanted: list[float] | None) -> None:
    """Between -2 and 2; or 1 / (1 + exp(-log-odds))."""
    expected = [1 / (1 + 2.718281828**-odds) for odds in ODDS.tolist()] if not clip else wanted
    found = sentence_rewards(Judge(), torch.zeros(4, 3, dtype=torch.long), clip)
    assert found.tolist() == pytest.approx(expected)
    assert belief_of(ODDS, clip).equal(found)
