"""What is taken off rewards: a line by log p, and what words foretell, of batches before."""

import copy

import pytest
import torch
from torch import Tensor

from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.nn.text import foretold
from gantext.nn.text.foretold import Foretold, Less, check_less, foretold_of, without_line
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from tests.nn.threaded_ranks import of_ranks
from tests.pretended_gpu import pretended_gpu

V = 9  # words 4 ... 8


def sentences(n: int, seed: int) -> Tensor:
    """n of 1 to 4 words and their end, (n, 5)."""
    noise = torch.Generator().manual_seed(seed)
    tokens = torch.randint(4, V, (n, 5), generator=noise)
    ends = torch.randint(1, 5, (n,), generator=noise)
    places = torch.arange(5)
    tokens[places == ends[:, None]] = EOS
    return tokens.masked_fill(places > ends[:, None], PAD)


def likely(tokens: Tensor) -> Tensor:
    return -(tokens * torch.tensor([0.3, 0.1, 0.7, 0.2, 0.5])).sum(1)


def test_a_line_is_taken_off_by_hand() -> None:
    """By 0, 1, 2 the values 1, 5, 3 rise by 1 each: their mean is 3, the rest -1, 2, -1."""
    found = without_line(torch.tensor([1.0, 5.0, 3.0]), torch.tensor([10.0, 11.0, 12.0]))
    torch.testing.assert_close(found, torch.tensor([-1.0, 2.0, -1.0]))
    alike = without_line(torch.tensor([1.0, 3.0]), torch.tensor([7.0, 7.0]))
    assert alike.tolist() == [-1.0, 1.0]


def test_a_line_by_tiny_differences_is_taken_off_too() -> None:
    """Their squares add up to 1.5e-12."""
    by = torch.tensor([0.75e-12, 0.75e-12]).sqrt() * torch.tensor([1, -1])
    torch.testing.assert_close(without_line(torch.tensor([3.0, 1.0]), by), torch.zeros(2))


def test_ranks_share_what_rewards_are_foretold_by() -> None:
    """Each asks how likely its own sentences are, and all learn what one process does."""
    tokens, alone, other = sentences(7, 1), Foretold(Less.words, V, likely), sentences(7, 2)
    rewards = torch.randn(2, 7, generator=torch.Generator().manual_seed(2))
    wanted = [alone.left(*given) for given in zip(rewards, (tokens, other), strict=True)]
    asked: list[int] = []

    def own(rows: Tensor) -> Tensor:
        asked.append(len(rows))
        return likely(rows)

    def work() -> list[Tensor]:
        of = Foretold(Less.words, V, own)
        return [of.left(*given) for given in zip(rewards, (tokens, other), strict=True)]

    for found in of_ranks(2, work):
        torch.testing.assert_close(found, wanted)
    assert sorted(asked) == [3, 3, 4, 4]


def test_what_it_is_made_of_is_on_the_gpu() -> None:
    with pretended_gpu():
        device = torch.device("cuda")
        model = LanguageModel(V, GeneratorConfig(3, 3, 1, True, 0, 0, Init.mixed), NOISE).to(device)
        of = foretold_of(Less.words, V, model, device)
        assert of is not None and foretold_of(Less.none, V, model, device) is None
        rewards, tokens = torch.randn(20, generator=NOISE), sentences(20, 1)
        for _ in range(2):
            found = of.left(rewards.to(device), tokens.to(device)).cpu()
    plain = LanguageModel(V, GeneratorConfig(3, 3, 1, True, 0, 0, Init.mixed), NOISE)
    plain.load_state_dict({name: each.cpu() for name, each in model.state_dict().items()})
    there = Foretold(Less.words, V, lambda rows: plain.token_log_prob(rows).sum(1))
    for _ in range(2):
        wanted = there.left(rewards, tokens)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)


NOISE = torch.Generator().manual_seed(0)


def test_features_by_hand() -> None:
    """Words 4 and 5 are the commonest; 7 is none of the two."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foretold, "WORDS", 2)
        of = Foretold(Less.words, V, likely)
    rows = torch.tensor([[5, 4, 5, EOS, PAD], [7, 4, EOS, PAD, PAD], [EOS, PAD, PAD, PAD, PAD]])
    found = of.features(rows)
    wanted = [[1, 1, 0, 1, 0.4], [1, 0, 0, 0, 0.3], [0, 0, 0, 0, 0.1]]
    torch.testing.assert_close(found, torch.tensor(wanted))
    assert Foretold(Less.words, 5000, likely).words == 500


def test_likelihood_leaves_what_is_no_line_of_log_p() -> None:
    of, tokens = Foretold(Less.likelihood, V, likely), sentences(50, 1)
    rest = torch.randn(50, generator=torch.Generator().manual_seed(2))
    for slope in (0.0, 3.0):
        found = of.left(slope * likely(tokens) + rest, tokens)
        torch.testing.assert_close(found, without_line(rest, likely(tokens)), rtol=0, atol=1e-4)
    assert not of.gram.numel() and float((found * likely(tokens)).mean()) == pytest.approx(
        0, abs=1e-4
    )


def test_words_are_a_ridge_regression_on_the_batches_before() -> None:
    """Plainly: least squares of sentences, each weighed by a half for each 2,000 that came after
    those of its batch, and of RIDGE times the squares of the effects. The first batch has only its
    line taken off."""
    of = Foretold(Less.words, V, likely)
    size, seen = 2 * 5 + 1, list[tuple[Tensor, Tensor]]()
    noise = torch.Generator().manual_seed(3)
    for step in range(4):
        tokens = sentences(300, step)
        rewards = 2.0 * (tokens == 4).any(1) + torch.randn(300, generator=noise)
        line = without_line(rewards, likely(tokens))
        gram, along = 15.0 * torch.eye(size), torch.zeros(size)
        for age, (features, values) in enumerate(reversed(seen)):
            weight = 0.5 ** (300 * age / 2000)
            gram += weight * features.T @ features
            along += weight * features.T @ values
        features = of.features(tokens)
        left = line - features @ torch.linalg.solve(gram, along)
        wanted = without_line(left, likely(tokens))
        torch.testing.assert_close(of.left(rewards, tokens), wanted, rtol=0, atol=1e-4)
        seen.append((features, line))


def test_a_topic_that_is_paid_more_is_paid_no_more() -> None:
    """Sentences with a 4 in them have 2 more; what else they are paid for stays."""
    of, gaps = Foretold(Less.words, V, likely), []
    for step in range(30):
        tokens = sentences(300, step)
        topic, order = (tokens == 4).any(1), ((tokens[:, :-1] == 5) & (tokens[:, 1:] == 6)).any(1)
        found = of.left(2.0 * topic + 1.0 * order, tokens)
        gaps.append((found[topic].mean() - found[~topic].mean()).item())
        kept = (found[order].mean() - found[~order].mean()).item()
    assert gaps[0] > 1.0 and abs(gaps[-1]) < 0.15 and kept > 0.6


def test_half_precision_changes_nothing() -> None:
    of, other = Foretold(Less.words, V, likely), Foretold(Less.words, V, likely)
    for step in range(3):
        rewards = torch.randn(300, generator=torch.Generator().manual_seed(step))
        wanted = of.left(rewards, sentences(300, step))
        with torch.autocast("cpu", torch.bfloat16):
            assert other.left(rewards, sentences(300, step)).equal(wanted)


def test_it_goes_on_from_its_state() -> None:
    of, other = Foretold(Less.words, V, likely), Foretold(Less.words, V, likely)
    rewards = torch.randn(300, generator=torch.Generator().manual_seed(5))
    of.left(rewards, sentences(300, 1))
    other.load_state_dict(copy.deepcopy(of.state_dict()))
    assert other.left(rewards, sentences(300, 2)).equal(of.left(rewards, sentences(300, 2)))


def test_where_it_makes_no_sense() -> None:
    check_less(Less.none, "rollout", "says no")
    check_less(Less.words, "sentence")
    with pytest.raises(
        UserError, match=r"reward_less=words needs model\.adversarial\.reward=sente"
    ):
        check_less(Less.words, "rollout")
    with pytest.raises(UserError, match="reward_less=likelihood says no"):
        check_less(Less.likelihood, "sentence", "says no")
