"""Leaked features: all prefixes in one pass, and word by word, against each prefix on its own."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from gantext.data.vocabulary import EOS, PAD
from gantext.models.leakgan import features as leaked_features
from gantext.models.leakgan.features import KeptTensors, LeakyTextCNN, unread_after
from gantext.nn.text.adversary import Balance, DiscriminatorTrainer, DTrainingConfig
from gantext.nn.text.output_layer import ALIGNED
from gantext.nn.text.text_cnn import DiscriminatorConfig
from gantext.nn.text.windows import prefix_windows

WIDTHS = [(1,), (2, 3), (1, 4, 7), (9,), (1, 2, 3, 4, 5, 6, 7, 8, 9)]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(widths: tuple[int, ...], length: int = 9) -> LeakyTextCNN:
    config = DiscriminatorConfig(6, widths, tuple(3 + w % 3 for w in widths), 0.0, 0.2, -1.0)
    model = LeakyTextCNN(12, config, length, rng(1))
    with torch.no_grad():
        for convolution in model.convolutions:
            convolution.bias.normal_(0, 0.5, generator=rng(2))
    return model


def sentences(rows: int = 30, length: int = 9) -> torch.Tensor:
    """Random words; ends at every place, also at once and never."""
    tokens = torch.randint(3, 12, (rows, length), generator=rng(3))
    for row, end in zip(tokens, range(rows), strict=True):
        row[end % (length + 1) : end % (length + 1) + 1] = EOS
        row[end % (length + 1) + 1 :] = PAD
    return tokens


@torch.no_grad()
def alone(model: LeakyTextCNN, words: list[int]) -> torch.Tensor:
    """The features of one prefix by plain convolutions over the words and what follows them:
    'not yet generated', or zeros after <eos>; the empty one is a single window of the former."""
    found = []
    for convolution in model.convolutions:
        width = convolution.weight.shape[2]
        after = torch.zeros(6) if words and words[-1] == EOS else model.not_yet
        rows = [model.embedding.weight[w] for w in words] + [after] * (width - bool(words))
        windows = F.conv1d(torch.stack(rows).T[None], convolution.weight, convolution.bias)
        found.append(windows[0].amax(1).relu())
    return model.highway(torch.cat(found))


def expected(model: LeakyTextCNN, tokens: torch.Tensor) -> torch.Tensor:
    rows = []
    for row in tokens.tolist():
        words = [w for w in row if w != PAD]
        rows.append(torch.stack([alone(model, words[:s]) for s in range(len(row) + 1)]))
    return torch.stack(rows)


@pytest.mark.parametrize("widths", WIDTHS)
def test_all_prefixes_in_one_pass_equal_each_on_its_own(widths):
    """Also prefixes shorter than a filter, ended sentences, and steps after the end."""
    model, tokens = make(widths), sentences()
    together = model.leaked_features(tokens)
    assert together.shape == (30, 10, model.size) and not together.requires_grad
    torch.testing.assert_close(together, expected(model, tokens), rtol=1e-5, atol=1e-5)


def assert_reads_prefixes(model, tokens):
    """Reading word by word has the features of each prefix on its own."""
    wanted = expected(model, tokens)
    state = tuple(part.expand(len(tokens), -1) for part in model.start_reading())
    empty = model.empty_features().expand(len(tokens), -1)
    torch.testing.assert_close(empty, wanted[:, 0])
    for t in range(tokens.shape[1]):
        state, found = model.read(state, tokens[:, t])
        valid = tokens[:, t] != PAD
        torch.testing.assert_close(found[valid], wanted[valid, t + 1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("table_steps", [0, 1000])
@pytest.mark.parametrize("widths", [*WIDTHS, (4, 1, 7)])
def test_reading_word_by_word_equals_each_prefix_on_its_own(widths, table_steps, monkeypatch):
    """With the words' products multiplied out, and gathered from the table of all words."""
    monkeypatch.setattr(leaked_features, "TABLE_STEPS", table_steps)
    assert_reads_prefixes(make(widths), sentences())


@pytest.mark.parametrize("widths", [(1,), (1, 4, 7)])
def test_reading_by_indices_equals_each_prefix_on_its_own(widths):
    """The way of a GPU, and of widths that do not ascend."""
    model = make(widths)
    model.sums._ascending = False
    assert_reads_prefixes(model, sentences())


def test_places_of_windows_are_no_part_of_a_state():
    """They follow from the widths, and a state of theirs would be refused by who has none."""
    assert not [key for key in make((1, 4)).state_dict() if key.startswith("sums")]


def test_what_is_kept_follows_the_weights_and_is_no_bf16():
    """It is made once an update, perhaps inside autocast, and read outside too."""
    model, tokens = make((1, 4)), torch.tensor([5, 11])
    before = model.table().clone()
    assert model.table() is model.table() and before.shape[0] == 12
    torch.testing.assert_close(before[tokens], model._added(tokens), rtol=1e-5, atol=1e-6)
    for weight in (model.convolutions[1].weight, model.convolutions[0].bias, model.not_yet):
        old = model.table().clone()
        with torch.no_grad():
            weight.add_(0.3)
        with torch.autocast("cpu", torch.bfloat16):
            inside = model.table().clone()
        assert inside.dtype == torch.float32 and not torch.equal(inside, old)
        model._table = KeptTensors()
        assert torch.equal(inside, model.table())
    assert_reads_prefixes(model, sentences())


def test_what_a_gpu_keeps_is_written_into_the_memory_that_graphs_read():
    """Made anew of a changed weight, and of no other."""
    weight = SimpleNamespace(device=torch.device("cuda"), _version=0)
    kept, made = KeptTensors(), iter([torch.zeros(2), torch.ones(2)])
    for version, wanted in ((0, 0.0), (0, 0.0), (1, 1.0)):
        weight._version = version
        (found,) = kept.of([weight], lambda: [next(made)])
        if not version:
            place = found.data_ptr()
        assert found.tolist() == [wanted, wanted] and found.data_ptr() == place


def test_words_are_read_by_the_weights_of_the_last_update():
    """An update by torch's fused Adam, as the discriminator's is."""
    model, tokens = make((1, 4)), sentences()
    assert_reads_prefixes(model, tokens)
    settings = DTrainingConfig(1, 30, 0.1, 0.5, 5.0, 1.0, False, 1, Balance.fixed, 0.8, 0, 0)
    trainer = DiscriminatorTrainer(model, settings, prefixes=True, graphs=False)
    for _ in range(2):
        trainer.step(tokens, tokens.flip(0), rng())
        assert_reads_prefixes(model, tokens)


def test_a_table_is_taken_only_where_words_are_read_often():
    """What is drawn does not depend on a table that an earlier sample has made."""
    model, tokens = make((2, 3)), torch.tensor([4])

    with model.read_often(5):
        assert not model._by_table
    with model.read_often(6):  # of twelve words
        assert model._by_table
        found = model._added(tokens)
    assert not model._by_table
    torch.testing.assert_close(model._added(tokens), found, rtol=1e-5, atol=1e-6)


def test_a_table_is_taken_where_a_step_or_a_sample_has_words_enough(monkeypatch):
    """8 steps of one row have fewer words than a vocabulary of 9, of two rows more; a sample's
    table has all sums of all words, if these are not too many numbers."""
    model, made = make((2, 3)), []
    model.embedding = torch.nn.Embedding(9, 6)
    monkeypatch.setattr(model, "table", lambda: made.append(1) or model._products())
    for rows, tables in ((1, 0), (2, 1)):
        model._added(torch.full((rows,), 4))
        assert len(made) == tables
    monkeypatch.setattr(leaked_features, "TABLE_STEPS", 9)
    model._added(torch.tensor([4]))
    assert len(made) == 2
    for numbers, pays in ((9 * model.sums.size, True), (9 * model.sums.size - 1, False)):
        monkeypatch.setattr(leaked_features, "SHARED_NUMBERS", numbers)
        with model.read_often(9):
            assert model._by_table is pays


def test_a_table_s_rows_have_a_length_that_a_gpu_multiplies_quickly():
    for widths in WIDTHS:
        model = make(widths)
        length = model.table().shape[1]
        assert length % ALIGNED == 0 and 0 <= length - model.sums.size < ALIGNED


def test_the_features_of_an_ended_sentence_are_those_that_d_judges_it_by():
    model, tokens = make((1, 4, 7)), sentences()
    ended = (tokens == EOS).any(1)
    whole = model.highway(model.pooled(tokens[ended]))
    last = model.leaked_features(tokens[ended])[:, -1]
    torch.testing.assert_close(last, whole, rtol=1e-5, atol=1e-5)


def test_what_is_not_yet_generated_is_not_padding():
    """Another embedding of it changes unfinished prefixes, and no ended sentence nor its logit."""
    model, tokens = make((2, 3)), torch.tensor([[4, 5, EOS, PAD]])
    before, logit = model.leaked_features(tokens), model.logits(tokens)
    with torch.no_grad():
        model.not_yet.add_(1.0)
    after = model.leaked_features(tokens)
    changed = ((before - after).abs() > 1e-4).any(2)[0].tolist()
    assert changed == [True, True, True, False, False]
    assert torch.equal(model.logits(tokens), logit)


def test_only_prefixes_teach_what_is_not_yet_generated():
    model, tokens = make((2, 3)), sentences()
    model.logits(tokens).sum().backward()
    assert model.not_yet.grad is None
    model.prefix_logits(tokens)[tokens != PAD].sum().backward()
    assert model.not_yet.grad.abs().sum() > 0


def test_prefixes_in_order_or_by_different_words_are_the_same():
    """The way of a GPU, which does not look for equal words: the products of each token."""
    model, tokens = make((1, 4, 7)), sentences()
    found = [prefix_windows(model.prefix_products(tokens, c)) for c in model.convolutions]
    plain = (torch.cat(found, -1) + model._biases()).relu()
    torch.testing.assert_close(model.prefix_pooled(tokens), plain, rtol=1e-5, atol=1e-6)


def test_unread_after_by_hand():
    """u = 1, 2, 4: after tap 0 come 2 + 4, after tap 1 comes 4, after the last nothing."""
    assert unread_after(torch.tensor([[1.0], [2.0], [4.0]])).squeeze(1).tolist() == [6, 4, 0]
