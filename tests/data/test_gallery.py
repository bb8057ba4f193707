"""Splits of pictures: the pixel range, batches, the choice of what is held out, and the hash."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gantext.data import gallery
from gantext.data.corpus import Split
from gantext.data.flat import Tokens
from gantext.data.gallery import NO_LABEL, PictureSplit, build_gallery, hold_out, to_bytes, to_unit
from gantext.data.vocabulary import Vocabulary
from gantext.errors import UserError


def numbered(count: int) -> PictureSplit:
    """Grey pictures of 2 x 2 pixels; all pixels and the label are the picture's number."""
    numbers = np.arange(count, dtype=np.uint8)
    return gallery.labelled(np.broadcast_to(numbers[:, None, None], (count, 2, 2)), numbers)


def told() -> PictureSplit:
    """Three RGB pictures with captions of 1, 3 and 2 words and an EOS."""
    tokens = Tokens.of([[4, 2], [4, 5, 6, 2], [5, 4, 2]])
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    return gallery.captioned(pixels, Split(tokens, ("a", "a b c", "b a")), 5)


def test_the_pixel_range() -> None:
    """x / 127.5 - 1: 0, 51 and 255 become -1, 51 / 127.5 - 1 = -0.6 and 1."""
    scaled = to_unit(torch.tensor([0, 51, 255], dtype=torch.uint8))
    assert scaled.dtype == torch.float32
    assert scaled.tolist() == pytest.approx([-1, -0.6, 1])
    every = torch.arange(256).to(torch.uint8)
    assert torch.equal(to_bytes(to_unit(every)), every)


def test_bytes_are_rounded_and_cut() -> None:
    """(0.001 + 1) * 127.5 = 127.63, rounded 128; what lies outside [-1, 1] is cut, not wrapped."""
    assert to_bytes(torch.tensor([-3.0, 0.001, 1.2])).tolist() == [0, 128, 255]


def test_a_batch_without_captions() -> None:
    batch = numbered(9).batch(torch.tensor([7, 2]))
    assert batch.pictures.shape == (2, 1, 2, 2) and batch.pictures.dtype == torch.float32
    assert batch.pictures[:, 0, 0, 0].tolist() == pytest.approx([7 / 127.5 - 1, 2 / 127.5 - 1])
    assert batch.labels.tolist() == [7, 2]
    assert batch.tokens.shape == (2, 0)
    assert len(batch) == len(batch.to("cpu")) == 2


def test_a_batch_of_captions_is_as_wide_as_the_longest() -> None:
    split = told()
    batch = split.batch(torch.tensor([2, 0]))
    assert batch.tokens.tolist() == [[5, 4, 2], [4, 2, 0]]
    assert batch.labels.tolist() == [NO_LABEL, NO_LABEL]
    assert split.batch(torch.tensor([1])).tokens.tolist() == [[4, 5, 6, 2]]
    batch.tokens[:] = 9
    assert split.tokens[0, 0] == 4  # a batch is a copy


def test_colours_come_first() -> None:
    pixels = np.zeros((1, 4, 4, 3), dtype=np.uint8)
    pixels[0, 1, 2] = (10, 20, 30)
    split = gallery.captioned(pixels, Split(Tokens.of([[4, 2]]), ("a",)), 2)
    assert split.pictures.shape == (1, 3, 4, 4)
    assert split.pictures[0, :, 1, 2].tolist() == [10, 20, 30]


def test_take_keeps_rows_together() -> None:
    split = told()
    taken = split.take(torch.tensor([2, 0]))
    assert taken.captions == ("b a", "a")
    assert torch.equal(taken.pictures, split.pictures[[2, 0]])
    assert torch.equal(taken.tokens, split.tokens[[2, 0]])


@given(
    st.integers(1, 40).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(0, n - 1), st.integers(0, 9))
    )
)
def test_held_out_pictures_are_not_trained_on(case: tuple[int, int, int]) -> None:
    count, test_size, seed = case
    validation_size = (count - test_size - 1) // 2
    parts = hold_out(numbered(count), validation_size, test_size, seed)
    assert [len(part) for part in parts[1:]] == [validation_size, test_size]
    assert sorted(torch.cat([part.labels for part in parts]).tolist()) == list(range(count))
    for part in parts:
        assert part.labels.tolist() == sorted(part.labels.tolist())


def test_what_is_held_out_depends_on_the_seed_and_test_not_on_validation() -> None:
    def test(validation: int, seed: int) -> list[int]:
        held: list[int] = hold_out(numbered(200), validation, 20, seed)[2].labels.tolist()
        return held

    assert test(0, 1) == test(50, 1) == test(0, 1)
    assert test(0, 1) != test(0, 2)


@pytest.mark.parametrize(("validation", "test"), [(0, 5), (3, 2), (9, 9), (-1, 1), (1, -1)])
def test_too_few_to_hold_out(validation: int, test: int) -> None:
    said = rf"5 pictures are too few for data\.validation_size={validation} and .*={test}"
    with pytest.raises(UserError, match=said):
        hold_out(numbered(5), validation, test, 0)


def test_a_gallery_says_what_its_pictures_are() -> None:
    words = Vocabulary.build([["a", "b", "c"]])
    split = told()
    found = build_gallery("x", split, split.take(torch.tensor([], dtype=torch.int64)), split)
    assert (found.channels, found.size, found.max_length, found.classes) == (3, 4, 5, ())
    grey = build_gallery("y", *hold_out(numbered(9), 2, 3, 0), classes=("0", "1"), notes=["n"])
    assert (grey.channels, grey.size, grey.max_length, grey.vocabulary) == (1, 2, 0, None)
    assert (len(grey.train), grey.notes) == (4, ("n",))
    assert build_gallery("x", split, split, split, vocabulary=words).vocabulary is words


@pytest.mark.parametrize("part", ["training", "test"])
def test_a_gallery_without_pictures(part: str) -> None:
    empty = numbered(0)
    train, test = (empty, numbered(2)) if part == "training" else (numbered(2), empty)
    with pytest.raises(UserError, match=f"data x: no {part} picture is left"):
        build_gallery("x", train, empty, test)


def test_the_hash_sees_everything() -> None:
    base = told()
    pixels = base.pictures.clone()
    pixels[2, 1, 3, 3] ^= 1
    changed = [
        base,
        replace(base, pictures=pixels),
        replace(base, labels=torch.tensor([0, -1, -1])),
        replace(base, captions=("a", "a b", "b a")),
        base.take(torch.tensor([0, 1])),
        base.take(torch.tensor([1, 0, 2])),
    ]
    hashes = [gallery.gallery_hash((), None, [split]) for split in changed]
    hashes += [
        gallery.gallery_hash(("0",), None, [base]),
        gallery.gallery_hash((), Vocabulary.build([["a"]]), [base]),
        gallery.gallery_hash((), None, [base, base]),
    ]
    assert len(set(hashes)) == len(hashes)
    assert hashes[0] == gallery.gallery_hash((), None, [told()])


@pytest.mark.parametrize(
    "wrong",
    [
        {"pictures": torch.zeros(3, 4, 4, dtype=torch.uint8)},
        {"pictures": torch.zeros(3, 3, 4, 5, dtype=torch.uint8)},
        {"pictures": torch.zeros(3, 3, 4, 4)},
        {"labels": torch.zeros(2, dtype=torch.int64)},
        {"tokens": torch.zeros(2, 5, dtype=torch.int64)},
        {"tokens": torch.zeros(3, 0, dtype=torch.int64)},
        {"captions": ()},
    ],
)
def test_parts_that_do_not_fit(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        replace(told(), **wrong)
