"""What a judge's logits are worth to a generator, by hand."""

import pytest
import torch

from gantext.nn.text.sentence_judge import belief_of, sentence_odds, sentence_rewards

ODDS = torch.tensor([-7.0, -1.0, 0.0, 3.0])


class Judge:
    """Its log-odds are those above."""

    def score(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.log_odds(tokens).sigmoid()

    def log_odds(self, tokens: torch.Tensor) -> torch.Tensor:
        return ODDS[: len(tokens)]


class Sure(Judge):
    """It has no doubt."""

    def log_odds(self, tokens: torch.Tensor) -> torch.Tensor:
        return torch.full((len(tokens),), torch.inf)


@pytest.mark.parametrize(("clip", "wanted"), [(2.0, [-2.0, -1.0, 0.0, 2.0]), (0.0, None)])
def test_rewards_by_hand(clip: float, wanted: list[float] | None) -> None:
    """Between -2 and 2; or 1 / (1 + exp(-log-odds))."""
    expected = [1 / (1 + 2.718281828**-odds) for odds in ODDS.tolist()] if not clip else wanted
    found = sentence_rewards(Judge(), torch.zeros(4, 3, dtype=torch.long), clip)
    assert found.tolist() == pytest.approx(expected)
    assert belief_of(ODDS, clip).equal(found)


def test_odds_by_hand() -> None:
    """Of log-odds between -2 and 2; of infinite ones the square of a sum stays finite."""
    tokens = torch.zeros(4, 3, dtype=torch.long)
    found = sentence_odds(Judge(), tokens, 2.0)
    assert found.tolist() == pytest.approx([2.718281828**odds for odds in (-2, -1, 0, 2)])
    assert sentence_odds(Judge(), tokens, 0.0)[3].item() == pytest.approx(2.718281828**3)
    assert sentence_odds(Sure(), tokens, 0.0).sum().square().isfinite()
