"""Fine-tuning of an encoder, with a tiny stand-in, beside the plain loop."""

import torch
import torch.nn.functional as F
from torch import nn

from gantext.nn.text.judges.config import PACKAGE, EncoderConfig
from gantext.nn.text.judges.encoder import FineTuning, Reader
from tests.nn.text.judges.characters import Characters

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
