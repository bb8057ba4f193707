"""Captions that are near by their words."""

import torch

from gantext.models.dpr_gan.near_captions import NearCaptions


def test_the_nearest_captions_share_most_words() -> None:
    """Of {4, 5, 6}: {4, 5, 7} has Jaccard index 2/4, {4, 8} 1/4, {8} 0; the caption itself, the
    same words in another order, and one that says all of them and more come last."""
    captions = torch.tensor(
        [[4, 5, 6, 0], [6, 5, 4, 0], [4, 5, 6, 7], [8, 0, 0, 0], [4, 8, 0, 0], [4, 5, 7, 0]]
    )
    near = NearCaptions(captions, 9, 6).nearest(captions[:1])[0].tolist()
    assert near[:3] == [5, 4, 3] and set(near[3:]) == {0, 1, 2}


def test_near_captions_are_drawn_from_the_nearest() -> None:
    captions = torch.tensor([[4, 5, 6], [4, 5, 7], [4, 8, 7], [8, 8, 8]])
    found = NearCaptions(captions, 9, 2).draw(captions[:1], 50, torch.Generator().manual_seed(1))
    assert found.shape == (1, 50) and set(found[0].tolist()) == {1, 2}
