"""The LSTM oracle against a plain loop over its equations."""

import dataclasses
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from gantext import data
from gantext.data.oracle import Config, generator, load, load_truth, published
from gantext.data.oracle.lstm import (
    LstmTruth,
    _draw,
    draw_parameters,
    parameter_shapes,
    read_parameters,
)
from gantext.data.vocabulary import SPECIALS
from gantext.errors import UserError

SMALL = Config(
    name="oracle",
    params="",
    vocab_size=7,
    embedding=3,
    hidden=4,
    length=3,
    train_size=40,
    validation_size=5,
    test_size=20,
    seed=1,
)
SHAPES = parameter_shapes(7, 3, 4)


def parameters() -> dict[str, torch.Tensor]:
    return draw_parameters(SHAPES, torch.Generator().manual_seed(0))


def plain_log_prob(p: dict[str, np.ndarray], words: list[int]) -> float:
    """One sequence, one word at a time, in float64, written from the equations."""

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    h = c = np.zeros(p["bi"].shape)
    x, total = 0, 0.0
    for word in words:
        e = p["embedding"][x]
        gate = {g: e @ p["w" + g] + h @ p["u" + g] + p["b" + g] for g in ("i", "f", "og", "c")}
        c = sigmoid(gate["f"]) * c + sigmoid(gate["i"]) * np.tanh(gate["c"])
        h = sigmoid(gate["og"]) * np.tanh(c)
        logits = h @ p["wo"] + p["bo"]
        total += logits[word] - np.log(np.exp(logits).sum())
        x = word
    return total


def as_words(ids: torch.Tensor) -> list[list[str]]:
    return [list(map(str, row)) for row in ids.tolist()]


def test_log_prob_equals_the_plain_loop() -> None:
    ids = torch.randint(0, 7, (450, 3), generator=torch.Generator().manual_seed(2))
    exact = {name: value.double().numpy() for name, value in parameters().items()}
    expected = [plain_log_prob(exact, row) for row in ids.tolist()]
    found = LstmTruth(parameters(), 3).log_prob(as_words(ids))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_all_sequences_add_up_to_one() -> None:
    """7 ** 3 = 343 sequences are all there are."""
    every = torch.cartesian_prod(*[torch.arange(7)] * 3)
    found = LstmTruth(parameters(), 3).log_prob(as_words(every))
    assert np.exp(found).sum() == pytest.approx(1, abs=1e-5)


def test_impossible_sentences_have_no_probability() -> None:
    truth = LstmTruth(parameters(), 3)
    good = ["1", "2", "6"]
    bad = [["1", "2"], ["1", "2", "3", "4"], ["1", "2", "7"], ["1", "02", "3"], ["-1", "2", "3"]]
    found = truth.log_prob([good, *bad, ["a", "2", "3"], []])
    assert math.isfinite(found[0])
    assert np.isneginf(found[1:]).all()
    assert truth.log_prob([]).shape == (0,)
    assert math.isnan(truth.entropy())


def test_sampled_frequencies_are_the_probabilities() -> None:
    """20,000 draws: each of the 343 frequencies within 5 standard errors of its probability."""
    truth = LstmTruth(parameters(), 3)
    ids = truth.sample(20_000, torch.Generator().manual_seed(3))
    assert ids.shape == (20_000, 3)
    every = torch.cartesian_prod(*[torch.arange(7)] * 3)
    p = np.exp(truth.log_prob(as_words(every)))
    place = ids @ torch.tensor([49, 7, 1])
    frequency = place.bincount(minlength=343).numpy() / 20_000
    assert (np.abs(frequency - p) <= 5 * np.sqrt(p * (1 - p) / 20_000) + 1e-4).all()


@pytest.mark.parametrize("words", [1, 99, 100, 101, 250])
def test_drawing_words_at_the_edges_of_blocks(words: int) -> None:
    """Half on the first word, half on the last: only these come, each 500 +- 80 times of 1,000."""
    logits = torch.full((1000, words), -1e9)
    logits[:, [0, -1]] = 0.0
    counts = _draw(logits, torch.Generator().manual_seed(4)).bincount(minlength=words)
    assert len(counts) == words
    assert int(counts[0] + (counts[-1] if words > 1 else 0)) == 1000
    assert words == 1 or 420 < int(counts[0]) < 580


def test_sampling_is_the_generators_alone() -> None:
    truth = LstmTruth(parameters(), 3)
    one, two, other = (truth.sample(50, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert truth.sample(0, torch.Generator()).shape == (0, 3)


# The corpus


def test_rows_are_all_words() -> None:
    corpus = load(SMALL)
    assert corpus.vocabulary.words == (*SPECIALS, "0", "1", "2", "3", "4", "5", "6")
    assert corpus.max_length == corpus.vocabulary.fixed_length == 3
    sizes = {"train": 40, "validation": 5, "test": 20}
    for name, size in sizes.items():
        split = getattr(corpus, name)
        tokens = split.tokens.padded()
        assert tokens.shape == (size, 3)
        assert int(tokens.min()) >= len(SPECIALS)
        decoded = [corpus.vocabulary.text(row) for row in split.tokens.padded().tolist()]
        assert decoded == list(split.text)
    counts = corpus.vocabulary.counts
    assert sum(counts[4:]) == 40 * 3
    assert counts[:4] == (0, 0, 0, 0)
    assert counts[4] == int((corpus.train.tokens.values == 4).sum())


def test_truth_is_the_one_that_was_drawn_from() -> None:
    corpus = load(SMALL)
    assert corpus.truth is not None
    found = corpus.truth.log_prob([line.split() for line in corpus.test.text])
    again = load_truth(SMALL).log_prob([line.split() for line in corpus.test.text])
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, again)


def test_seed_decides_and_splits_do_not_disturb_each_other() -> None:
    base = load(SMALL)
    assert load(SMALL).hash == base.hash
    assert load(dataclasses.replace(SMALL, seed=2)).hash != base.hash
    more = load(dataclasses.replace(SMALL, train_size=60, validation_size=0))
    assert torch.equal(more.test.tokens.padded(), base.test.tokens.padded())
    assert more.hash != base.hash
    assert base.train.text[:20] != list(base.test.text)


def test_reached_through_the_package() -> None:
    assert data.load(SMALL).hash == load(SMALL).hash
    assert data.files(SMALL) == ()


@pytest.mark.parametrize("name", ["vocab_size", "length", "train_size", "test_size"])
def test_sizes_without_sense(name: str) -> None:
    with pytest.raises(UserError, match=f"data.{name}=0: it must be at least 1"):
        load(dataclasses.replace(SMALL, **{name: 0}))


def test_negative_seed() -> None:
    with pytest.raises(UserError, match=r"data\.seed=-1: it must be at least 0"):
        load(dataclasses.replace(SMALL, seed=-1))


# The parameter file


def arrays() -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in parameters().items()}


def test_parameters_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANTEXT_DATA", str(tmp_path))
    np.savez(tmp_path / "p.npz", **arrays())
    cfg = dataclasses.replace(SMALL, params="p.npz")
    rows = [["1", "2", "3"], ["0", "0", "0"]]
    expected = LstmTruth(parameters(), 3).log_prob(rows)
    np.testing.assert_array_equal(load_truth(cfg).log_prob(rows), expected)
    assert load(cfg).hash != load(SMALL).hash


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_parameters(path, SHAPES)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_papers_numbers_are_of_one_file_and_its_sizes() -> None:
    """And of nothing that is drawn from a seed."""
    papers = dataclasses.replace(
        SMALL, vocab_size=5000, length=20, params="there/seqgan_target_lstm.npz"
    )
    assert published(papers) and data.has_truth("oracle") and not data.has_truth("coco")
    others = [{"length": 40}, {"vocab_size": 500}, {"params": ""}, {"params": "own.npz"}]
    assert not any(published(dataclasses.replace(papers, **one)) for one in others)


def test_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    np.savez(path, **arrays())
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes(b ^ 255 for b in whole[middle : middle + 40])
    for content in (b"", b"text", whole[:-30], whole[:200], flipped + whole[middle + 40 :]):
        path.write_bytes(content)
        assert refused(path).startswith(f"{path}: not a")
    np.save(tmp_path / "one.npy", np.zeros(3))
    assert "not an .npz file" in refused(tmp_path / "one.npy")


def test_pickled_objects_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    np.savez(path, **{**arrays(), "bo": np.array([{"a": 1}] * 7, dtype=object)}, allow_pickle=True)
    assert "bo must hold finite floating-point numbers, not object" in refused(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"bo": None}, "no array bo; it has bc, bf"),
        ({"bo": None, "a\nb": np.zeros(2)}, "no array bo; it has a\\nb, bc, bf"),
        ({"wo": np.zeros((7, 4), np.float32)}, "wo has shape (7, 4), not (4, 7)"),
        ({"ui": np.zeros((4, 4), np.int64)}, "ui must hold finite floating-point numbers"),
        ({"bf": np.full(4, np.nan, np.float32)}, "bf must hold finite floating-point numbers"),
        ({"bf": np.full(4, 1e299)}, "bf must hold finite floating-point numbers"),
        ({"bf": np.ones(4, np.longdouble)}, "bf must hold finite floating-point numbers, not f"),
    ],
)
def test_wrong_arrays(tmp_path: Path, change: dict[str, np.ndarray | None], says: str) -> None:
    found = {name: value for name, value in {**arrays(), **change}.items() if value is not None}
    np.savez(tmp_path / "p.npz", **found)
    assert says in refused(tmp_path / "p.npz")


def test_arrays_of_either_byte_order_and_layout(tmp_path: Path) -> None:
    swapped = {name: np.asfortranarray(one.astype(">f8")) for name, one in arrays().items()}
    np.savez_compressed(tmp_path / "p.npz", **swapped)
    for name, one in read_parameters(tmp_path / "p.npz", SHAPES).items():
        assert one.dtype is torch.float32
        np.testing.assert_array_equal(one.numpy(), arrays()[name])


def test_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANTEXT_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"no lost\.npz under \$GANTEXT_DATA .* by hand at"):
        load(dataclasses.replace(SMALL, params="lost.npz"))


def test_published_oracle_scores_its_own_samples_as_published() -> None:
    """The papers' row for real data is 5.750 nats per token; with 2,000, +- 0.012."""
    if not os.environ.get("GANTEXT_DATA"):
        pytest.skip("GANTEXT_DATA is not set: no published parameters here")
    cfg = dataclasses.replace(
        SMALL,
        params="oracle/seqgan_target_lstm.npz",
        vocab_size=5000,
        embedding=32,
        hidden=32,
        length=20,
    )
    truth = load_truth(cfg)
    ids = truth.sample(2000, generator(0, "test"))
    assert -truth.log_prob(as_words(ids)).mean() / 20 == pytest.approx(5.75, abs=0.04)
