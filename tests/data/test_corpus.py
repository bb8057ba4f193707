"""Encoding splits, the content hash, and batches that can be resumed."""

import dataclasses
import hashlib
import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gantext.data import flat
from gantext.data.batches import Batches, of_like_length
from gantext.data.corpus import Corpus, Sentences, Split, build_corpus, content_hash
from gantext.data.flat import Tokens
from gantext.data.vocabulary import EOS, PAD, UNK, Vocabulary
from gantext.errors import UserError


def sentences(*lines: str) -> Sentences:
    return Sentences.of(map(str.split, lines), lines)


def corpus(train: Sentences, validation: Sentences, test: Sentences) -> Corpus:
    vocabulary = train.vocabulary(tokenizer="whitespace")
    return build_corpus("made", vocabulary, train, validation, test)


def test_ids_of_more_than_65536_words_take_four_bytes() -> None:
    """Places of words and the special ones: 65,536 fit into two bytes, not one more."""
    for words, kind in ((2**16 - 4, "uint16"), (2**16 - 3, "uint32")):
        lines = [str(i) for i in range(words)]
        found = corpus(sentences(*lines), sentences(), sentences("0"))
        assert len(found.vocabulary) == words + 4
        assert found.train.tokens.values.dtype == kind
        assert found.train.tokens.values.max() == words + 3


def numbered(n: int) -> Split:
    """Sentence i is the single word i + 4, so that a batch says which sentences it holds."""
    return Split(Tokens.of([i + 4, EOS] for i in range(n)), tuple(map(str, range(n))))


def drawn(batch: torch.Tensor) -> list[int]:
    return (batch[:, 0] - 4).tolist()


def test_rows_end_with_eos_then_padding() -> None:
    """Words by frequency: b (2) is 4, a is 5, c is 6; 'z' is unknown; the longest row has 3."""
    made = corpus(sentences("a b", "b c x"), sentences(), sentences("z"))
    # a, c and x stand once each: ids 5, 6, 7 in the order of the alphabet.
    assert made.train.tokens.padded().tolist() == [[5, 4, EOS, PAD], [4, 6, 7, EOS]]
    assert made.test.tokens.padded().tolist() == [[UNK, EOS]]
    assert made.test.tokens.padded(4).tolist() == [[UNK, EOS, PAD, PAD]]
    assert made.validation.tokens.padded(4).shape == (0, 4)
    assert made.train.tokens.padded().dtype == torch.int64
    assert made.max_length == 4
    assert tuple(made.train.text) == ("a b", "b c x")
    assert made.notes == ("test: 1 of 1 tokens (100.0%) are not in the vocabulary",)


def test_no_training_sentence_is_refused() -> None:
    with pytest.raises(UserError, match="no training sentence"):
        corpus(sentences(), sentences(), sentences("a"))


def test_hash_sees_every_word_line_and_split_but_not_the_padding() -> None:
    base = corpus(sentences("a b", "b"), sentences("a"), sentences("b"))
    same = corpus(sentences("a b", "b"), sentences("a"), sentences("b"))
    assert base.hash == same.hash
    assert len(base.hash) == 64
    others = [
        corpus(sentences("b", "a b"), sentences("a"), sentences("b")),
        corpus(sentences("a b", "b"), sentences("b"), sentences("a")),
        corpus(sentences("a b", "b"), sentences(), sentences("a", "b")),
        corpus(sentences("a b", "b"), sentences("a"), Sentences.of([["b"]], ["b "])),
        corpus(sentences("a b", "b"), sentences("a"), Sentences.of([["c"]], ["b"])),
    ]
    assert len({base.hash, *(other.hash for other in others)}) == 6
    cased = dataclasses.replace(base.vocabulary, lowercase=False)
    assert content_hash(base.vocabulary, [base.train]) != content_hash(cased, [base.train])


def plain_hash(vocabulary: Vocabulary, splits: list[Split], classes: tuple[str, ...]) -> str:
    """What has been hashed from the first release on, row by row."""
    digest = hashlib.sha256(json.dumps(vocabulary.to_json(), sort_keys=True).encode())
    for split in splits:
        digest.update(json.dumps([len(split), *split.text]).encode())
        for row in split.tokens.padded().tolist():
            digest.update(json.dumps([i for i in row if i != PAD]).encode())
    if classes:
        digest.update(json.dumps([classes, *(split.labels.tolist() for split in splits)]).encode())
    return digest.hexdigest()


def test_hash_is_that_of_earlier_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several chunks, of letters that JSON escapes, and with classes."""
    monkeypatch.setattr(flat, "CHUNK", 2)
    monkeypatch.setattr("gantext.data.corpus.CHUNK", 2)
    train = Sentences.of([["é", '"'], ["b"], ["c", "b"]], ['é "', "b\x1b", "c \ud800b"], "xyx")
    test = Sentences.of([["z"]], ["z"], "x")
    made = build_corpus("made", train.vocabulary(), train, sentences(), test)
    splits = [made.train, made.test]
    assert content_hash(made.vocabulary, splits) == plain_hash(made.vocabulary, splits, ())
    found = content_hash(made.vocabulary, splits, made.classes)
    assert found == plain_hash(made.vocabulary, splits, ("x", "y"))


def test_split_needs_one_line_a_row() -> None:
    with pytest.raises(ValueError, match="for 1 lines"):
        Split(Tokens.of([[EOS], [EOS]]), ("a",))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 5))
def test_every_sentence_once_an_epoch_and_none_twice_in_a_batch(
    n: int, rows: int, seed: int
) -> None:
    """12 sentences' worth of batches, cut into epochs of n, hold every sentence once each."""
    batches = Batches(numbered(n), seed)
    stream: list[int] = []
    for _ in range(3 * n):
        held = drawn(batches.next(rows))
        assert len(held) == rows
        assert rows > n or len(set(held)) == rows
        stream += held
    for start in range(0, len(stream) - n + 1, n):
        assert sorted(stream[start : start + n]) == list(range(n))


def test_epochs_differ_and_the_seed_decides() -> None:
    one, two, other = (Batches(numbered(50), seed) for seed in (1, 1, 2))
    first = drawn(one.next(50))
    assert first == drawn(two.next(50)) != drawn(other.next(50))
    assert first != drawn(one.next(50))
    assert first != list(range(50))


def test_global_random_numbers_play_no_part() -> None:
    torch.manual_seed(0)
    first = drawn(Batches(numbered(20), 3).next(20))
    before = torch.get_rng_state()
    assert drawn(Batches(numbered(20), 3).next(20)) == first
    assert torch.equal(torch.get_rng_state(), before)


def test_next_epoch_keeps_the_shuffle_random() -> None:
    """With 3 sentences in batches of 2, all 3 * 2 orders of an epoch come up."""
    batches = Batches(numbered(3), 0)
    stream = [i for _ in range(300) for i in drawn(batches.next(2))]
    assert len({tuple(stream[i : i + 3]) for i in range(0, 600, 3)}) == 6


def test_batches_are_trimmed_to_their_longest_row() -> None:
    tokens = Tokens.of([[4, EOS], [4, 4, 4, EOS], [4, 4, EOS]])
    batches = Batches(Split(tokens, ("a", "b", "c")), 0)
    for _ in range(3):
        batch = batches.next(1)
        assert batch.shape[1] == int((batch != PAD).sum())
        assert batch[0, -1] == EOS
    assert batches.next(3).shape == (3, 4)


@pytest.mark.parametrize("done", [0, 1, 4, 7])
def test_resume_goes_on_exactly(done: int) -> None:
    """10 sentences in batches of 4: after 1 and 4 batches the position is amid an epoch."""
    straight, other = Batches(numbered(10), 5), Batches(numbered(10), 99)
    for _ in range(done):
        straight.next(4)
    state = straight.state_dict()
    expected = [straight.next(4) for _ in range(10)]
    other.next(3)
    other.load_state_dict(state)
    for batch in expected:
        assert torch.equal(other.next(4), batch)


def test_state_holds_tensors_and_ints_and_does_not_move() -> None:
    batches = Batches(numbered(10), 5)
    batches.next(4)
    state = batches.state_dict()
    assert all(isinstance(value, torch.Tensor | int) for value in state.values())
    assert state["position"] == 4
    order = state["order"]
    assert isinstance(order, torch.Tensor)
    kept = order.clone()
    for _ in range(9):
        batches.next(7)
    assert torch.equal(order, kept)
    assert batches.state_dict()["epoch"] == 6  # 67 sentences drawn: six whole epochs of 10


def test_a_batch_is_the_callers_own() -> None:
    split = numbered(4)
    batches = Batches(split, 0)
    batches.next(4).zero_()
    assert int(split.tokens.values.min()) == EOS


def test_states_of_other_data_are_refused() -> None:
    state = Batches(numbered(10), 5).state_dict()
    with pytest.raises(UserError, match="for 10 rows, not 11"):
        Batches(numbered(11), 5).load_state_dict(state)
    with pytest.raises(UserError, match="damaged"):
        Batches(numbered(10), 5).load_state_dict({**state, "order": 3})


def test_no_sentences_and_no_rows_are_refused() -> None:
    with pytest.raises(UserError, match="an empty split"):
        Batches(Split(Tokens.of([]), ()), 0)
    with pytest.raises(ValueError, match="at least 1 row"):
        Batches(numbered(3), 0).next(0)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=30), st.integers(1, 8))
def test_batches_of_like_length_hold_each_sentence_once_and_whole(lengths, rows) -> None:
    tokens = torch.full((len(lengths), 6), PAD)
    for place, length in enumerate(lengths):
        tokens[place, :length] = 10 + place
    batches = list(of_like_length(tokens, rows))
    held = Tokens.of([10 + place] * length for place, length in enumerate(lengths))
    for (places, part), (same, alike) in zip(batches, of_like_length(held, rows), strict=True):
        assert torch.equal(places, same) and torch.equal(part, alike)
    assert sorted(place for places, _ in batches for place in places.tolist()) == list(
        range(len(lengths))
    )
    assert sorted(lengths) == [lengths[i] for places, _ in batches for i in places.tolist()]
    for places, part in batches:
        assert len(part) <= rows and part.shape[1] == max(lengths[i] for i in places.tolist())
        assert torch.equal(part, tokens[places][:, : part.shape[1]])


def test_sentences_that_are_mapped_from_a_file_are_read_without_a_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    held = Tokens.of([[10, EOS], [11, 12, EOS]])
    held.lengths.flags.writeable = held.values.flags.writeable = False
    assert [places.tolist() for places, _ in of_like_length(held, 1)] == [[0], [1]]
    assert not recwarn.list
