"""The decode of a policy in memory that stays: the same sentences, whatever replays it."""

from collections.abc import Callable

import pytest
import torch

from gantext.nn.rng import generator
from gantext.nn.text import captured_decode
from gantext.nn.text.captured_decode import Sampler, StaticDecode
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.sampling import SamplingOptions, decode
from tests.pretended_gpu import counted, pretended_gpu

CPU = torch.device("cpu")
OPTIONS = [SamplingOptions(), SamplingOptions(0.7, 5, 0.9), SamplingOptions(0.0)]


def language_model() -> LanguageModel:
    config = GeneratorConfig(6, 5, 2, True, 0.0, 0.0, Init.mixed)
    return LanguageModel(130, config, torch.Generator().manual_seed(1))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_draws_what_decode_draws(options: SamplingOptions) -> None:
    """Bit for bit, twice with one generator, and after the weights have changed."""
    model, length = language_model(), 9
    static = StaticDecode(model, (7, length), options, CPU)
    static.run()  # as a capture does, with weights of before
    one, two = generator(1, "a", CPU), generator(1, "a", CPU)
    for _ in range(2):
        for _ in range(2):
            wanted = decode(model, 7, length, two, options, compact=False)
            found = static.sample(one, static.run)
            assert torch.equal(found, wanted)
        with torch.no_grad():
            model.output.weight.normal_(generator=generator(1, "weights", CPU))


def test_without_a_gpu_it_goes_word_by_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captured_decode, "captured", None)
    model, options = language_model(), SamplingOptions()
    found = Sampler(model, 5, graphs=True)(3, generator(1, "a", CPU), options)
    assert torch.equal(found, decode(model, 3, 5, generator(1, "a", CPU), options))


def test_on_a_gpu_a_shape_is_captured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is captured waits for nothing, and each shape of the latest few is kept."""
    captured = list[StaticDecode]()

    def pretended(static: StaticDecode) -> Callable[[], None]:
        assert not counted(static.run)[1]
        captured.append(static)
        return static.run

    monkeypatch.setattr(captured_decode, "captured", pretended)
    options = SamplingOptions()
    with pretended_gpu():
        monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
        cuda = torch.device("cuda")
        model = language_model().to(cuda)
        sampler = Sampler(model, 4, graphs=True)
        one, two = generator(1, "a", cuda), generator(1, "a", cuda)
        for rows in (3, 2, 3):
            wanted = decode(model, rows, 4, two, options)
            assert torch.equal(sampler(rows, one, options).cpu(), wanted.cpu())
        assert [len(static.tokens) for static in captured] == [3, 2]
        for rows in (4, 5, 6, 3):
            sampler(rows, one, options)
        assert [len(static.tokens) for static in captured] == [3, 2, 4, 5, 6, 3]
