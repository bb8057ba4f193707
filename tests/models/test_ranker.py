"""The ranker: ranks, log-odds and loss by hand, that it learns, and keeps what it stands on."""

import math

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.models.gan.ranker import (
    Ranker,
    RankerTrainer,
    log_ranks,
    nearness,
    rank_log_odds,
)
from gantext.nn.text.adversary import Balance, DTrainingConfig
from gantext.nn.text.judges.config import RankerConfig
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN

CNN = DiscriminatorConfig(4, (1, 2), (3, 3), 0.0, 0.1, -1.0)
TRAINING = DTrainingConfig(
    *(10, 8, 0.01, 0.5, 0.0, 1.0, False, 1, Balance.fixed, 0.8), look_every=0, patience=0
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ranker(rows: int = 8, length: int = 4, words: int = 9, seed: int = 3) -> Ranker:
    return Ranker(words, CNN, length, rng(seed), RankerConfig(references=3, gamma=8.0), rows)


def sentences(word: int, rows: int = 8, length: int = 4) -> torch.Tensor:
    """Sentences of words 6 to 8 whose second one is the given."""
    found = torch.randint(6, 9, (rows, length), generator=rng(word))
    found[:, 1], found[:, -1] = word, EOS
    found[0, 2:] = torch.tensor([EOS, PAD])
    return found


def test_ranks_by_hand() -> None:
    """References (1, 0) and (0, 1); s is (2, 0), the one that it is compared with (0, 3): cosines 1
    and 0, and 0 and 1. With gamma 2 the first reference gives s e^2 / (e^2 + 1), the second
    1 / (1 + e^2). On average both are as near: log-odds 0, where (2 - 0 + 0 - 2) / 2. With (1, 1)
    in its place the cosine is 1 / sqrt 2 twice, and the log-odds (2 - sqrt 2 + 0 - sqrt 2) / 2."""
    references = torch.eye(2)
    near = nearness(torch.tensor([[2.0, 0.0], [0.0, 3.0]]), references)
    assert near.tolist() == [[1, 0], [0, 1]]
    ranked, compared = 2 * near[:1], 2 * near[1:]
    share = math.exp(2) / (math.exp(2) + 1)
    wanted = (math.log(share) + math.log(1 - share)) / 2
    assert log_ranks(ranked, compared).tolist() == pytest.approx([wanted])
    assert rank_log_odds(ranked, compared).tolist() == pytest.approx([0], abs=1e-6)
    other = 2 * nearness(torch.tensor([[1.0, 1.0]]), references)
    assert rank_log_odds(ranked, other).tolist() == pytest.approx([1 - math.sqrt(2)])
    # Of one reference: P beside two is e^2 / (e^2 + 1 + e), the log-odds beside their mean 2 - 1/2.
    two, one = torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0]])
    p = math.exp(2) / (math.exp(2) + 1 + math.e)
    assert log_ranks(one, two).tolist() == pytest.approx([math.log(p)])
    assert rank_log_odds(one, two).tolist() == pytest.approx([1.5])


def test_the_loss_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """One reference, to which a real sentence has cosine 1 and a sample 0; e^gamma is 3. Beside the
    sample the real one's rank is 3/4, beside it the sample's is 1/4: the loss is log 1/4 - log 3/4.
    Both are log 3 / 2 from their mean. The gradient pulls the sample away from the reference."""
    known = Ranker(9, CNN, 4, rng(1), RankerConfig(references=1, gamma=math.log(3)), 2)
    trainer, reference = RankerTrainer(known, TRAINING), torch.tensor([[1.0, 0.0]])
    real = torch.tensor([[1.0, 0.0]])
    fake = torch.tensor([[0.0, 1.0]], requires_grad=True)
    monkeypatch.setattr(known, "features_of", lambda batches, noise: [real, fake])
    monkeypatch.setattr(known, "standing", lambda: (reference, torch.zeros(2, 1)))
    told = trainer.tell(sentences(4, 2), sentences(5, 1), rng())
    assert told.loss.item() == pytest.approx(-math.log(3))
    assert [each.item() for each in told.logits] == pytest.approx(
        [math.log(3) / 2, -math.log(3) / 2]
    )
    told.loss.backward()
    # d loss / d (gamma alpha of the sample) = (1 - 1/4) + 1/4, by both terms; times gamma.
    assert fake.grad is not None
    assert fake.grad[0].tolist() == pytest.approx([math.log(3), 0], abs=1e-6)


def test_it_learns_to_rank_and_its_logits_are_those_of_its_state() -> None:
    """Real sentences have word 4 where samples have 5. Before its first step all are alike."""
    found, real, fake = ranker(), sentences(4), sentences(5)
    assert not found.log_odds(real).any()
    trainer = RankerTrainer(found, TRAINING)
    for step in range(20):
        said = trainer.step(real.roll(step, 0), fake, rng(step))
    assert said["d_loss"] < -1 and said["d_real"] > 0.5 > said["d_fake"]
    new, other = sentences(4, 20)[8:], sentences(5, 20)[8:]
    assert found.log_odds(new).min() > found.log_odds(other).max()
    torch.testing.assert_close(found.logits(new).detach(), found.log_odds(new))
    torch.testing.assert_close(found.logits(new).detach().sigmoid(), found.score(new))
    again = ranker(seed=4)
    again.load_state_dict(found.state_dict())
    assert torch.equal(again.log_odds(new), found.log_odds(new))
    assert not found.penalty() and "output.weight" not in found.state_dict()


def test_it_starts_one_of_other_sizes_and_a_classifier_starts_it() -> None:
    """So many of the sentences as there is place for, unknown words as <unk>; of a CNN none."""
    found = ranker()
    found.remember(sentences(4), sentences(5))
    state = {name: tensor for name, tensor in found.state_dict().items() if name == "seen"}
    smaller = ranker(rows=3, length=3, words=7)
    smaller.load_state_dict(smaller.state_dict() | state)
    kept = sentences(4)[:6, :3]
    assert torch.equal(smaller.seen, torch.where(kept < 7, kept, UNK))
    larger = ranker(rows=9)
    larger.load_state_dict(larger.state_dict() | {"seen": sentences(4)})
    assert torch.equal(larger.seen[:8], sentences(4)) and not larger.seen[8:].any()
    longer = ranker(length=6)
    longer.load_state_dict(longer.state_dict() | {"seen": sentences(4)})
    assert torch.equal(longer.seen[:8, :4], sentences(4)) and not longer.seen[:, 4:].any()
    damaged = torch.full((6, 4), 6)
    damaged[0] = torch.tensor([-1, PAD, 6, 7])
    other = ranker(rows=3, words=7)
    other.load_state_dict(other.state_dict() | {"seen": damaged})
    assert other.seen[0].tolist() == [UNK, PAD, 6, UNK]
    classifier = TextCNN(9, CNN, 4, rng(3))
    found.load_state_dict(classifier.state_dict())
    assert torch.equal(found.gate.weight, classifier.gate.weight) and not found.seen.any()
