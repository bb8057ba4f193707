"""Rollouts of all positions in one batch: equal to the plain loop, and no reward misplaced."""

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.nn.text import rollouts
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.rollouts import (
    of_few_shapes,
    roll_out,
    rolled_positions,
    rollout_rewards,
    spaced,
    spacing,
    trimmed,
    trimmed_on_cpu,
    valid_lengths,
)
from gantext.nn.text.sampling import SamplingOptions, decode
from tests.nn.text.test_sampling import Counted
from tests.nn.threaded_ranks import of_ranks
from tests.pretended_gpu import pretended_gpu

GREEDY = SamplingOptions(temperature=0.0)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def policy(words: int = 9) -> LanguageModel:
    model = LanguageModel(words, GeneratorConfig(6, 5, 1, True, 0.0, 0.0, Init.mixed), rng(3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)
    return model


def complete(model: LanguageModel, prefix: list[int], length: int) -> list[int]:
    """The plain loop: read the prefix word by word, then go on greedily."""
    state = model.start(1)
    for word in prefix:
        state = model.advance(state, torch.tensor([word]))
    row = list(prefix)
    while len(row) < length and row[-1] != EOS:
        row.append(int(model.logits(state).argmax()))
        state = model.advance(state, torch.tensor([row[-1]]))
    return row + [PAD] * (length - len(row))


@pytest.mark.parametrize("every", [1, 2, 3])
def test_greedy_rollouts_equal_the_plain_loop(every):
    """With a deterministic policy the batched rollouts equal completing each prefix alone."""
    model = policy()
    tokens = decode(model, 12, 8, rng(1), SamplingOptions())
    made = roll_out(model, tokens, 2, every, rng(), GREEDY)
    lengths = valid_lengths(tokens).tolist()
    expected = {
        (t, b, r)
        for b in range(12)
        for t in range(7)
        for r in range(2)
        if (t + 1) % every == 0 and lengths[b] > t + 1
    }
    keys = zip(made.position.tolist(), made.sentence.tolist(), made.number.tolist(), strict=True)
    found = dict(zip(keys, made.tokens.tolist(), strict=True))
    assert set(found) == expected
    for (t, b, _), row in found.items():
        assert row == complete(model, tokens[b, : t + 1].tolist(), 8)


def test_sampled_rollouts_keep_their_prefix_and_end_properly():
    model = policy()
    tokens = decode(model, 10, 8, rng(1), SamplingOptions())
    made = roll_out(model, tokens, 3, 1, rng(2))
    rows = zip(made.position.tolist(), made.sentence.tolist(), made.tokens.tolist(), strict=True)
    for t, b, row in rows:
        assert row[: t + 1] == tokens[b, : t + 1].tolist()
        end = row.index(EOS) if EOS in row else len(row)
        assert all(word == PAD for word in row[end + 1 :])
        assert PAD not in row[:end]


def test_sampled_rollouts_have_the_policy_s_distribution():
    """After one fixed word, the next word of 20,000 rollouts has the policy's frequencies."""
    model = policy()
    tokens = torch.tensor([[5, 6, EOS]])
    made = roll_out(model, tokens, 20_000, 1, rng(4))
    after = made.tokens[made.position == 0, 1]
    with torch.no_grad():
        state = model.advance(model.start(1), torch.tensor([5]))
        expected = model.logits(state).softmax(-1)[0, :9]
    share = torch.bincount(after, minlength=9) / len(after)
    error = (expected * (1 - expected) / len(after)).sqrt()
    assert ((share - expected).abs() <= 4.5 * error + 1e-9).all()


def encode(tokens: torch.Tensor) -> torch.Tensor:
    """A 'discriminator' that returns a number from which the whole sentence can be read back."""
    powers = 10.0 ** torch.arange(tokens.shape[1], dtype=torch.float64)
    return (tokens * powers).sum(1)


@pytest.mark.parametrize("every", [1, 2])
def test_no_reward_lands_on_another_row_or_step(every):
    """The reward of (b, t) encodes exactly the greedy completion of sentence b's prefix to t, or
    to the next position with rollouts; the last token's encodes the sentence itself."""
    model = policy()
    tokens = decode(model, 9, 7, rng(6), SamplingOptions())
    rewards = rollout_rewards(Greedy(model), encode, tokens, 3, every, rng())
    assert rewards.shape == (9, 7, 3)
    for b, row in enumerate(tokens.tolist()):
        length = sum(word != PAD for word in row)
        for t in range(7):
            if t >= length:
                assert (rewards[b, t] == 0).all()
                continue
            source = t // every * every + every - 1
            if source >= min(length - 1, 6):
                wanted = row
            else:
                wanted = complete(model, row[: source + 1], 7)
            assert rewards[b, t].tolist() == [encode(torch.tensor([wanted])).item()] * 3


class Greedy:
    """The policy that always writes the likeliest word."""

    def __init__(self, model: LanguageModel) -> None:
        self.model, self.vocab_size = model, model.vocab_size
        self.start, self.advance = model.start, model.advance

    def logits(self, state):
        best = self.model.logits(state).argmax(-1)
        return torch.full((len(best), self.vocab_size), -torch.inf).scatter(1, best[:, None], 0.0)


def test_many_rollouts_are_made_in_several_passes(monkeypatch):
    """A small budget of rows changes how rollouts are grouped, not where they land."""
    model = Greedy(policy())
    tokens = decode(model.model, 6, 7, rng(6), SamplingOptions())
    counts: list[int] = []

    def counted(policy, tokens, count, *given, **more):
        counts.append(count)
        return roll_out(policy, tokens, count, *given, **more)

    monkeypatch.setattr(rollouts, "roll_out", counted)
    whole = rollout_rewards(model, encode, tokens, 5, 1, rng())
    monkeypatch.setattr(rollouts, "ROWS", 90)
    assert torch.equal(rollout_rewards(model, encode, tokens, 5, 1, rng()), whole)
    assert counts == [5, 2, 2, 1]  # 6 sentences of 7 words are 42 rows


@pytest.mark.parametrize("every", [1, 2, 3, 20])
def test_rollouts_without_shrinking_are_the_same_when_greedy(every):
    """Every row of every position, also where sentences end at once or there is no rollout."""
    model = policy()
    tokens = torch.cat([decode(model, 12, 8, rng(1), SamplingOptions()), END])
    one = roll_out(model, tokens, 2, every, rng(), GREEDY, compact=True)
    two = roll_out(model, tokens, 2, every, rng(), GREEDY, compact=False)
    for name in ("tokens", "position", "sentence", "number"):
        assert torch.equal(getattr(one, name), getattr(two, name)), name
    assert every > 7 or len(set(valid_lengths(two.tokens).tolist())) > 1


END = torch.tensor([[EOS, *[PAD] * 7]])


def test_rollouts_without_shrinking_have_the_same_distribution():
    """Whole completions of one word, 30,000 with each way: no frequency differs by more than 4.5
    standard errors."""
    model, n = policy(), 30_000
    tokens = torch.tensor([[5, 6, 4, EOS]])
    shares = []
    for seed, compact in ((4, True), (5, False)):
        made = roll_out(model, tokens, n, 1, rng(seed), compact=compact)
        rows = made.tokens[made.position == 0]
        assert ((rows == PAD) <= (rows.roll(1, 1) == PAD) | (rows.roll(1, 1) == EOS)).all()
        code = (rows * torch.tensor([0, 100, 10, 1])).sum(1)
        shares.append(torch.bincount(code, minlength=1000) / n)
    error = (sum(shares) / n).sqrt().clamp_min(1 / n)
    assert ((shares[0] - shares[1]).abs() <= 4.5 * error).all()


def test_no_word_is_read_that_nothing_follows():
    """Of 4 words that never end 3 are read: with shrinking by the sentences and their rollouts
    together, without it by rollouts alone, which read their own prefixes."""
    model, tokens = policy(), torch.tensor([[4, 5, 6, 7]])
    with torch.no_grad():
        model.output.bias[EOS] = -100
    for compact in (False, True):
        counting = Counted(model)
        roll_out(counting, tokens, 1, 1, rng(), compact=compact)
        assert counting.read == 3


def words_rolled(length: int, every: int) -> int:
    """Words that one rollout of each position writes, all of them to the end."""
    return sum(length - 1 - t for t in rolled_positions(length, every))


@pytest.mark.parametrize("goal_steps", [1, 4])
def test_auto_leaves_the_work_of_short_sentences(goal_steps):
    """Up to 59 words it is every position; 200 words are less than 8 times the work of 37."""
    assert [spacing("auto", n) for n in (2, 37, 59, 60, 99, 100, 200)] == [1, 1, 1, 2, 2, 3, 5]
    assert len(rolled_positions(200, spacing("auto", 200))) == 39
    short, long = (words_rolled(n, goal_steps * spacing("auto", n)) for n in (37, 200))
    assert long < 8 * short
    assert words_rolled(200, goal_steps) > 25 * short


def test_what_auto_left_out_is_said_and_another_word_is_refused():
    assert spacing(7, 200) == 7
    assert spaced(7, 7, 200) == spaced("auto", 4, 37) == []
    (line,) = spaced("auto", 20, 200)
    assert line.startswith("rollouts after every 20 words, at 9 places of sentences of up to 200")
    with pytest.raises(UserError, match=r"rollout_every=often: it must be a whole number or auto"):
        spacing("often", 200)


def test_ranks_complete_sentences_as_one_process_does():
    """The same words by the same uniforms, where rows leave the batch."""
    model = policy()
    tokens = decode(model, 7, 8, rng(1), SamplingOptions())
    wanted = rollout_rewards(model, encode, tokens, 2, 1, rng(2))
    for found in of_ranks(2, lambda: rollout_rewards(model, encode, tokens, 2, 1, rng(2))):
        assert torch.equal(found, wanted)


def test_ranks_without_shrinking_complete_their_own_sentences(monkeypatch):
    """As processes alone that have every other sentence, and noise of their own."""
    monkeypatch.setattr(rollouts, "shrinks", lambda device, compact: False)
    model = policy()
    tokens = decode(model, 7, 8, rng(1), SamplingOptions())
    seed = int(torch.randint(2**62, (), generator=rng(2)))
    wanted = torch.zeros(7, 8, 2, dtype=torch.float64)
    for number in range(2):
        own = tokens[number::2]
        wanted[number::2] = rollout_rewards(model, encode, own, 2, 1, rng(seed + number))
    for found in of_ranks(2, lambda: rollout_rewards(model, encode, tokens, 2, 1, rng(2))):
        assert torch.equal(found, wanted)


def test_columns_without_a_word_are_dropped():
    tokens = torch.tensor([[4, EOS, PAD, PAD], [4, 5, EOS, PAD]])
    assert valid_lengths(tokens).tolist() == [2, 3]
    assert torch.equal(trimmed(tokens), tokens[:, :3])
    assert torch.equal(trimmed_on_cpu(tokens), tokens[:, :3])
    assert trimmed_on_cpu(tokens.to("meta")).shape == tokens.shape


def test_lengths_that_are_given_are_taken():
    """Of a sentence said to have ended after two words only the first is completed."""
    tokens = torch.tensor([[4, 5, 6, 7]])
    made = roll_out(policy(), tokens, 3, 1, rng(), lengths=torch.tensor([2]))
    assert made.position.tolist() == [0, 0, 0] and made.number.tolist() == [0, 1, 2]


def test_on_a_gpu_tokens_come_in_few_shapes():
    """As many columns as a multiple of four, or as a sentence has words at most."""
    tokens, rewards = torch.full((2, 6), 5), torch.rand(2, 6)
    assert of_few_shapes(7, tokens, rewards) == (tokens, rewards)
    with pretended_gpu():
        for longest, width in ((7, 7), (8, 8), (20, 8), (6, 6)):
            found = [p.cpu() for p in of_few_shapes(longest, tokens.to("cuda"), rewards.to("cuda"))]
            for part, whole in zip(found, (tokens, rewards), strict=True):
                assert part.shape == (2, width) and torch.equal(part[:, :6], whole)
                assert not part[:, 6:].any()
