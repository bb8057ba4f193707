"""Fine-tuning of an encoder, with a tiny stand-in, beside the plain loop."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.nn import ranks
from gantext.nn.text.judges import encoder as encoders
from gantext.nn.text.judges.config import PACKAGE, EncoderConfig
from gantext.nn.text.judges.encoder import FineTuning, Reader, Transformer
from tests.nn.text.judges.characters import Characters
from tests.nn.threaded_ranks import of_ranks

CONFIG = EncoderConfig(PACKAGE, learning_rate=0.01, output_rate=0.05, batch_size=2)
BATCHES = [(["ab", "a star"], ["zz", "y z"]), (["b", "stars"], ["xy", "az"])] * 3


def test_its_steps_are_those_of_a_plain_loop() -> None:
    """The output begins at normal weights by the seed; each network has its own AdamW."""
    torch.manual_seed(9)
    reader, encoder, output = (
        Reader(Characters(), torch.device("cpu")),
        Characters(),
        nn.Linear(8, 1),
    )
    tuning = FineTuning(reader, CONFIG)
    with torch.no_grad():
        output.weight.normal_(0, 0.02, generator=torch.Generator().manual_seed(81))
        output.bias.zero_()
    steps = [
        torch.optim.AdamW(encoder.network.parameters(), 0.01),
        torch.optim.AdamW(output.parameters(), 0.05),
    ]
    for real, samples in BATCHES:
        losses = (
            F.softplus(-output(encoder.embed(real))),
            F.softplus(output(encoder.embed(samples))),
        )
        loss = torch.cat(losses).mean()
        for one in steps:
            one.zero_grad()
        torch.autograd.backward(loss)
        for one in steps:
            one.step()
        torch.testing.assert_close(tuning.step(real, samples)["judge_loss"], loss.detach())
    torch.testing.assert_close(reader.output.weight, output.weight)
    torch.testing.assert_close(reader.output.bias, output.bias)
    torch.testing.assert_close(reader.encoder.network.weight, encoder.network.weight)


class Lines(dict[str, Tensor]):
    """What a tokenizer of the library gives."""

    def to(self, device: torch.device) -> "Lines":
        return Lines({name: each.to(device) for name, each in self.items()})


class Letters:
    """A tokenizer whose tokens are letters, as many of a line as `model_max_length` at most."""

    def __init__(self, most: int) -> None:
        self.model_max_length = most
        self.asked: dict[str, Any] = {}

    def __call__(self, lines: list[str], **asked: Any) -> Lines:
        self.asked = asked
        rows = [line[: asked["max_length"]] for line in lines]
        width = max(map(len, rows))
        ids = torch.tensor([[*map(ord, row), *[0] * (width - len(row))] for row in rows])
        return Lines(input_ids=ids, attention_mask=(ids != 0).long())


class Numbers(nn.Module):
    """Its states are the tokens' numbers, and 9 at padding."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        states = torch.where(attention_mask == 1, input_ids, 9).float() * self.weight
        return SimpleNamespace(last_hidden_state=states[..., None])


@pytest.mark.parametrize(("most", "cut"), [(3, 3), (10**30, 512)])
def test_an_embedding_is_the_mean_of_its_tokens_states_without_padding(most: int, cut: int) -> None:
    letters = Letters(most)
    encoder = Transformer("letters", Numbers(), letters, 1)
    found = encoder.embed(("ab", "abcd", "z" * 600))
    whole = [97, 98, 99, 100][:cut]
    assert found[:, 0].tolist() == pytest.approx([97.5, sum(whole) / len(whole), 122])
    assert letters.asked == {
        "padding": True, "truncation": True, "max_length": cut, "return_tensors": "pt",
    }  # fmt: skip
    assert found.requires_grad


def test_an_equal_line_is_read_once_and_the_shortest_first() -> None:
    """Two batches of 64 and one of what is left; logits are in the order of the lines."""
    read: list[Sequence[str]] = []

    class Counted(Characters):
        def embed(self, lines: Sequence[str]) -> Tensor:
            read.append(lines)
            return super().embed(lines)

    reader = Reader(Counted(), torch.device("cpu"))
    lines = [chr(97 + i % 26) * (1 + i % 65) for i in range(130)] * 2
    found = reader.logits(lines)
    assert found.dtype == torch.float64 and not found.requires_grad and found.shape == (260,)
    assert [len(part) for part in read] == [64, 64, 2]
    lengths = [len(line) for part in read for line in part]
    assert lengths == sorted(lengths)
    for line, logit in list(zip(lines, found.tolist(), strict=True))[::37]:
        assert logit == pytest.approx(reader.logits_of([line]).item(), abs=1e-6)


def test_it_is_known_by_its_weights_and_rests_without_moments() -> None:
    reader = Reader(Characters(), torch.device("cpu"))
    other = Reader(Characters(seed=1), torch.device("cpu"))
    name, digest = reader.base.split()
    assert name == "characters" and len(digest) == 8 and reader.base != other.base
    assert set(reader.weights()) == {"encoder.weight", "head.weight", "head.bias"}
    tuning = FineTuning(reader, CONFIG)
    tuning.step(*BATCHES[0])
    assert set(tuning.state_dict()) == {
        "encoder", "head", "encoder_optimiser", "head_optimiser", "base",
    }  # fmt: skip
    assert all(one.stepped for one in tuning.optimisers.values())
    tuning.rest()
    assert not any(one.stepped for one in tuning.optimisers.values())
    weights = [w for one in reader.networks.values() for w in one.parameters()]
    assert all(weight.grad is None for weight in weights) and tuning.base == reader.base


def test_ranks_step_by_the_mean_of_their_gradients() -> None:
    """Each reads one line of either side: both step as one process that reads all."""
    alone = FineTuning(Reader(Characters(), torch.device("cpu")), CONFIG)
    real, samples = BATCHES[0]
    for _ in range(3):
        alone.step(real, samples)

    def work() -> Tensor:
        tuning, own = FineTuning(Reader(Characters(), torch.device("cpu")), CONFIG), number()
        for _ in range(3):
            tuning.step(real[own : own + 1], samples[own : own + 1])
        return tuning.reader.output.weight.detach()

    for found in of_ranks(2, work):
        torch.testing.assert_close(found, alone.reader.output.weight.detach())


def number() -> int:
    return ranks.current().number


def test_an_encoder_is_read_from_this_machine_and_never_from_a_pickle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever made the weights could run code in one; and nothing is fetched."""
    asked = list[tuple[str, dict[str, bool]]]()
    network = nn.Linear(1, 1)
    network.config = SimpleNamespace(hidden_size=7)

    def reading(made: Any) -> Any:
        def from_pretrained(place: str, **options: bool) -> Any:
            asked.append((place, options))
            return made

        return SimpleNamespace(from_pretrained=from_pretrained)

    library = SimpleNamespace(AutoTokenizer=reading("words"), AutoModel=reading(network))
    monkeypatch.setattr(encoders.pretrained, "package", lambda *_: library)
    monkeypatch.setattr(encoders, "encoder_id", lambda folder: "known")
    encoders.load_encoder("place", torch.device("cpu"))
    local = {"local_files_only": True}
    assert asked == [("place", local), ("place", {**local, "use_safetensors": True})]
