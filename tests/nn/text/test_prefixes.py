"""Rows that have read the same words share what is computed of them, also beside other ranks."""

import torch

from gantext.nn.text.sampling import Prefixes, SamplingOptions, decode, next_tokens
from tests.nn.text.test_sampling import Started, rng, tiny
from tests.nn.threaded_ranks import of_ranks
from tests.pretended_gpu import pretended_gpu


def test_rows_with_one_prefix_share_what_is_computed_of_it():
    """Seven rows of two prefixes: one state each, and each row draws with its own uniform."""
    model = tiny()
    words = torch.tensor([4, 5, 4, 4, 5, 4, 5])
    shared = Prefixes(model, model.start(7))
    read = shared.read(shared.start, words)
    assert len(shared.state[0]) == 2
    assert read.tolist() == [0, 1, 0, 0, 1, 0, 1]
    apart = model.advance(model.start(7), words)
    torch.testing.assert_close(shared.state[0][read], apart[0])
    drawn = shared.draw(read, rng(3), SamplingOptions())
    assert torch.equal(drawn, next_tokens(model, apart, rng(3), SamplingOptions()))
    assert len(set(drawn[words == 4].tolist())) > 1
    assert len(Prefixes(model, apart).state[0]) == 7  # rows that do not start alike stay apart


def test_a_start_is_shared_only_where_all_of_it_is_alike():
    """Two states of a row each, of which one differs, or one number of one."""
    model, alike = tiny(), torch.ones(3, 1, 5)
    other = alike.clone()
    other[2, 0, 4] = 2
    shared = Prefixes(model, (alike, alike))
    assert [len(part) for part in shared.state] == [1, 1] and shared.start.tolist() == [0, 0, 0]
    for state in ((alike, other), (other, alike)):
        apart = Prefixes(model, state)
        assert [len(part) for part in apart.state] == [3, 3] and apart.start.tolist() == [0, 1, 2]


def test_ranks_draw_the_words_of_one_process():
    """With rows that leave the batch, of one prefix or of prefixes of their own."""
    model, options = tiny(), SamplingOptions(0.9)
    started = Started(model, torch.tensor([4, 5, 6, 7, 4, 5, 6]))
    for policy in (model, started):
        whole = decode(policy, 7, 9, rng(4), options)
        for found in of_ranks(3, lambda: decode(policy, 7, 9, rng(4), options)):  # noqa: B023
            assert torch.equal(found, whole)
    assert len(set(whole[:, 0].tolist())) > 2


def test_ranks_without_shrinking_draw_sentences_of_their_own():
    """Each by a generator of its own, whose seed is the common one's and its number."""
    model, options = tiny(), SamplingOptions()
    seed = int(torch.randint(2**62, (), generator=rng(4)))
    wanted = torch.zeros(7, 9, dtype=torch.long)
    for number in range(2):
        rows = len(range(number, 7, 2))
        wanted[number::2] = decode(model, rows, 9, rng(seed + number), options, compact=False)
    for found in of_ranks(2, lambda: decode(model, 7, 9, rng(4), options, compact=False)):
        assert torch.equal(found, wanted)


def test_rows_may_leave_the_batch_on_a_gpu_too():
    greedy, wanted = SamplingOptions(0.0), decode(tiny(), 5, 9, rng(1), SamplingOptions(0.0))
    with pretended_gpu():
        cuda = torch.device("cuda")
        there, noise = tiny().to(cuda), torch.Generator(cuda).manual_seed(1)
        assert torch.equal(decode(there, 5, 9, noise, greedy, compact=True).cpu(), wanted)
