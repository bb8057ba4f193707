"""Sentences that go on from given first words: ancestral sampling, conditioned on them.

Shapes: N rows, P words of the prompt, T steps.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from gantext.nn.autocast import without_autocast
from gantext.nn.text.sampling import Policy, SamplingOptions, State, decode


class Prompted:
    """A policy that has read the same first words in each row when it starts.

    They are read by the step that reads drawn words, so that what follows is drawn from
    p(x_t | prompt, x_P..x_{t-1}) itself.
    """

    def __init__(self, policy: Policy, prompt: Sequence[int]) -> None:
        self.policy, self.prompt, self.vocab_size = policy, prompt, policy.vocab_size

    def start(self, rows: int) -> State:
        """The state that has read <bos> and the prompt."""
        state = self.policy.start(rows)
        for word in self.prompt:
            words = torch.full((rows,), word, dtype=torch.long, device=state[0].device)
            state = self.policy.advance(state, words)
        return state

    def advance(self, state: State, tokens: Tensor) -> State:
        """Read one token a row, (N,)."""
        return self.policy.advance(state, tokens)

    def logits(self, state: State) -> Tensor:
        """As the policy's."""
        return self.policy.logits(state)


@torch.no_grad()
def decode_after(
    prompt: Sequence[int],
    policy: Policy,
    rows: int,
    length: int,
    rng: torch.Generator,
    options: SamplingOptions,
) -> Tensor:
    """Sentences that begin with the prompt's P words, (rows, length) int64, as `decode` draws them.

    Raises:
        ValueError: the prompt leaves no word to be drawn.
    """
    if len(prompt) >= length:
        raise ValueError(f"a prompt of {len(prompt)} words in sentences of {length} tokens")
    with without_autocast(rng.device):
        rest = decode(Prompted(policy, prompt), rows, length - len(prompt), rng, options)
        first = torch.tensor(prompt, dtype=torch.long, device=rest.device)
        return torch.cat([first.expand(rows, -1), rest], 1)
