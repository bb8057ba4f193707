"""What holds a generator to its anchor: the sums after a word, by hand."""

import pytest
import torch

from gantext.nn import ranks
from gantext.nn.text.anchor import Anchor, later_divergence
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from tests.nn.threaded_ranks import of_ranks
from tests.pretended_gpu import pretended_gpu

TOKENS = torch.tensor([[4, 5, 2], [6, 2, 0], [4, 4, 4]])


def model(seed: int) -> LanguageModel:
    config = GeneratorConfig(6, 5, 1, True, 0.0, 0.0, Init.mixed)
    made = LanguageModel(8, config, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(4.0)
    return made


@pytest.mark.parametrize("temperature", [1.0, 2.0])
@pytest.mark.parametrize("on_gpu", [False, True])
def test_a_divergence_is_that_of_the_words_at_each_place(temperature: float, on_gpu: bool) -> None:
    """Plainly, sum of p (log p - log q) of the words that may be written; the loss is their sum
    over 3 sentences of at most 10 words. The anchor takes no gradient, and stays as it was."""
    policy, other = model(1), model(2)
    with torch.no_grad():
        scores = [
            each.features(TOKENS) @ each.output.weight.T / temperature + each.output.bias
            for each in (policy, other)
        ]
    p, q = (each[..., [2, 4, 5, 6, 7]].log_softmax(2) for each in scores)
    wanted = (p.exp() * (p - q)).sum(2) * (TOKENS != 0)
    if on_gpu:
        with pretended_gpu():
            there = TOKENS.to("cuda")
            policy, anchor = policy.to("cuda"), Anchor(other.to("cuda"))
            read = policy.valid_features(there) / temperature
            held = anchor.hold(policy.output_layer(written=True), read, there, 10, temperature)
            loss, later = held.loss.detach().cpu(), held.later.cpu()
    else:
        anchor, read = Anchor(other), policy.valid_features(TOKENS) / temperature
        held = anchor.hold(policy.output_layer(written=True), read, TOKENS, 10, temperature)
        loss, later = held.loss.detach(), held.later
        torch.testing.assert_close(held.kl, wanted[TOKENS != 0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(loss, wanted.sum() / 30, rtol=1e-4, atol=1e-5)
    plain = later_divergence(wanted, TOKENS != 0)
    torch.testing.assert_close(later, plain, rtol=1e-4, atol=1e-4)
    assert held.loss.requires_grad and not any(w.requires_grad for w in other.parameters())


def test_it_holds_to_what_the_generator_is_by_then() -> None:
    policy, anchor = model(1), Anchor(model(2))
    assert not anchor.frozen.training
    given = policy.output_layer(written=True), policy.valid_features(TOKENS), TOKENS, 10
    assert anchor.hold(*given).loss > 0.01
    anchor.drop(policy)
    assert anchor.hold(*given).loss.item() == pytest.approx(0, abs=1e-6)


def test_ranks_hold_their_own_sentences_and_know_what_comes_after_all_words() -> None:
    """Of 4 sentences two each: the mean of their losses is that of all."""
    tokens, policy, anchor = torch.cat([TOKENS, TOKENS[1:2]]), model(1), Anchor(model(2))

    def hold(own: torch.Tensor) -> tuple[float, torch.Tensor]:
        layer, read = policy.output_layer(written=True), policy.valid_features(own)
        held = anchor.hold(layer, read, tokens, 10)
        return held.loss.item(), held.later

    whole, later = hold(tokens)
    found = of_ranks(2, lambda: hold(tokens[ranks.current().number :: 2]))
    assert sum(loss for loss, _ in found) / 2 == pytest.approx(whole, rel=1e-4)
    for _, own in found:
        torch.testing.assert_close(own, later, rtol=1e-4, atol=1e-5)


def test_what_comes_after_a_word_by_hand() -> None:
    """Divergences 1, 2, 4 / 3, 5: after each word come 6, 4, 0 / 5, 0. Less those of the other
    sentence: 1 and -1 at the first word, 4 and -4 at the second; at the third there is none other,
    and its mean over all words, 5/2, is taken."""
    kl = torch.tensor([[1.0, 2, 4], [3, 5, 0]])
    valid = torch.tensor([[1, 1, 1], [1, 1, 0]], dtype=torch.bool)
    wanted = torch.tensor([[1.0, 4, -2.5], [-1, -4, 0]])
    torch.testing.assert_close(later_divergence(kl, valid), wanted)
