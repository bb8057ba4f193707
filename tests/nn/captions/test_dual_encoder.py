"""The dual encoder: its loss by hand, which pairs are no negatives, and what padding may change."""

import math

import pytest
import torch
import torch.nn.functional as F

from gantext.nn.captions.dual_encoder import (
    DualEncoder,
    DualEncoderConfig,
    contrastive_loss,
    in_batch_accuracy,
    info_nce,
    same_captions,
)

SMALL = DualEncoderConfig(embedding=6, hidden=5, channels=(8, 16), projection=7, temperature=0.1)
# Unit vectors in a plane: along x, along y, and between them.
X, Y, XY = [1.0, 0.0], [0.0, 1.0], [math.sqrt(0.5), math.sqrt(0.5)]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def encoder(seed: int = 0) -> DualEncoder:
    return DualEncoder(9, 3, 8, SMALL, rng(seed))


def no_masks(rows: int, columns: int | None = None) -> torch.Tensor:
    return torch.zeros(rows, columns or rows, dtype=torch.bool)


def test_info_nce_by_hand() -> None:
    """Scale 2. Query x among (x, y): -log(e^2 / (e^2 + 1)) = ln(1 + e^-2). Query y among (x, xy):
    its own is xy with cosine 1/sqrt 2, the other 0: ln(1 + e^-sqrt 2)."""
    found = info_nce(torch.tensor([X, Y]), torch.tensor([X, XY]), 2.0, no_masks(2))
    # Query x sees x (own, 1) and xy (1/sqrt 2).
    first = math.log(1 + math.exp(2 * (math.sqrt(0.5) - 1)))
    second = math.log(1 + math.exp(-math.sqrt(2)))
    assert found.item() == pytest.approx((first + second) / 2)


def test_the_symmetric_loss_by_hand() -> None:
    """Texts x, y and pictures x, xy at scale 1, a = 1/sqrt 2; cosines [[1, a], [0, a]].

    Captions: ln(1 + e^(a - 1)) and ln(1 + e^-a); pictures, down the columns: ln(1 + e^-1) and
    ln(1 + e^(a - a)) = ln 2. The loss is the mean of the four.
    """
    a = math.sqrt(0.5)
    found = contrastive_loss(torch.tensor([X, Y]), torch.tensor([X, XY]), 1.0, no_masks(2))
    parts = [math.exp(a - 1), math.exp(-a), math.exp(-1), 1.0]
    assert found.item() == pytest.approx(sum(math.log(1 + part) for part in parts) / 4)


def test_generated_pictures_are_negatives_of_the_captions_only() -> None:
    """Captions x, y with pictures x, y and a generated x for each, scale 1.

    Caption x: own e, then 1, e, e -> ln((3e + 1) / e). Caption y: own e, then 1, 1, 1 ->
    ln((e + 3) / e). Pictures see the two captions alone: ln(1 + e^-1) twice.
    """
    text, fake = torch.tensor([X, Y]), torch.tensor([X, X])
    found = contrastive_loss(text, text, 1.0, no_masks(2), negatives=fake)
    e = math.e
    captions = (math.log((3 * e + 1) / e) + math.log((e + 3) / e)) / 2
    assert found.item() == pytest.approx((captions + math.log(1 + 1 / e)) / 2)


def test_hard_negatives_stand_beside_one_picture_each() -> None:
    """Pictures x, y of captions x, y; hard captions: y and y for picture x, x and x for picture y.

    A picture sees its own (e), the batch's other and two hard ones (1 each): ln((e + 3) / e).
    Captions see the two pictures alone: ln(1 + e^-1).
    """
    both = torch.tensor([X, Y])
    hard = torch.tensor([[Y, Y], [X, X]])
    found = contrastive_loss(both, both, 1.0, no_masks(2), hard=hard)
    e = math.e
    assert found.item() == pytest.approx((math.log((e + 3) / e) + math.log(1 + 1 / e)) / 2)


def test_equal_captions_are_no_negatives_of_each_other() -> None:
    """With rows 1 and 3 the same caption, each sees itself and row 2 alone: as in a batch of two.

    Row 2 still has both of them as negatives.
    """
    tokens = torch.tensor([[4, 5, 2], [4, 6, 2], [4, 5, 2]])
    same = same_captions(tokens)
    assert same.nonzero().tolist() == [[0, 2], [2, 0]]
    vectors = torch.tensor([X, Y, X])
    found = contrastive_loss(vectors, vectors, 1.0, same)
    pair, row_2 = math.log(1 + math.exp(-1)), math.log(1 + 2 * math.exp(-1))
    assert found.item() == pytest.approx((2 * pair + row_2) / 3)
    # Unmasked they would fight each other.
    assert contrastive_loss(vectors, vectors, 1.0, no_masks(3)) > found + 0.3


def test_in_batch_accuracy_by_hand() -> None:
    """x finds x; y has xy (.7) before its own x (0): 1/2. A tie is a miss, unless it is masked."""
    texts, pictures = torch.tensor([X, Y]), torch.tensor([X, X])
    assert in_batch_accuracy(texts, torch.tensor([X, XY]), no_masks(2)) == 1
    assert in_batch_accuracy(texts, torch.tensor([XY, X]), no_masks(2)) == 0
    assert in_batch_accuracy(texts[:1].expand(2, 2), pictures, no_masks(2)) == 0
    same = ~torch.eye(2, dtype=torch.bool)
    assert in_batch_accuracy(texts[:1].expand(2, 2), pictures, same) == 1


def test_the_text_tower_equals_torchs_bidirectional_lstm() -> None:
    """Against nn.LSTM(bidirectional) on each caption alone, and its maximum over words."""
    tower = encoder().text
    whole = torch.nn.LSTM(6, 5, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for name, weight in tower.forwards.named_parameters():
            whole.get_parameter(name).copy_(weight)
        for name, weight in tower.backwards.named_parameters():
            whole.get_parameter(f"{name}_reverse").copy_(weight)
        tokens = torch.tensor([[4, 5, 6, 2], [7, 2, 0, 0]])
        for row, found in zip(tokens, tower.features(tokens), strict=True):
            words = row[row != 0][None]
            states, _ = whole(tower.embedding(words))
            torch.testing.assert_close(found, states[0].amax(0))


def test_embeddings_are_unit_vectors_that_padding_does_not_change() -> None:
    model = encoder()
    tokens = torch.tensor([[4, 5, 6, 2], [7, 2, 0, 0]])
    found = model.text(tokens)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(model.text(F.pad(tokens, (0, 3))), found)
    pictures = torch.rand(3, 3, 8, 8, generator=rng(1)) * 2 - 1
    shown = model.image(pictures)
    torch.testing.assert_close(shown.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(model.image(pictures[1:2]), shown[1:2])


def test_the_temperature_is_learned_and_bounded() -> None:
    model = encoder()
    assert model.scale().item() == pytest.approx(10)
    with torch.no_grad():
        model.log_scale.fill_(9.0)
    assert model.scale().item() == 100


def test_weights_come_from_the_generator_given() -> None:
    one, two, other = encoder(1), encoder(1), encoder(2)
    pairs = zip(one.parameters(), two.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(one.image.projection.weight, other.image.projection.weight)
    # A word that training never saw counts for nothing.
    assert not one.text.embedding.weight[3].any()


def test_it_learns_which_caption_goes_with_which_picture() -> None:
    """Four words, four flat colours: ln 4 at first, all found after 60 steps."""
    model = encoder()
    tokens = torch.tensor([[4, 2], [5, 2], [6, 2], [7, 2]])
    colours = torch.tensor([[1.0, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1]])
    pictures = colours[:, :, None, None].expand(4, 3, 8, 8)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(60):
        text, shown = model.text(tokens), model.image(pictures)
        loss = contrastive_loss(text, shown, model.scale(), no_masks(4))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert in_batch_accuracy(text, shown, no_masks(4)) == 1 and loss < 0.1
