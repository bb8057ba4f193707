"""How likely given sentences are to be written, at any temperature.

Shapes: N sentences, T steps.
"""

import torch
from torch import Tensor

from gantext.data.vocabulary import PAD
from gantext.nn.text.sampling import Policy, SamplingOptions, filtered


@torch.no_grad()
def written_log_prob(policy: Policy, tokens: Tensor, temperature: float) -> Tensor:
    """log p of each word of (N, T) sentences as a policy writes it at a temperature: (N, T), nats.

    Of the very distribution that `decode` draws from: the policy's scores divided by the
    temperature, normalised again. -inf at words that are never written, 0 at <pad>.

    Args:
        policy: what writes; its rows are those of the sentences.
        tokens: (N, T), each sentence filled up with <pad>.
        temperature: above 0.
    """
    options, state, found = SamplingOptions(temperature), policy.start(len(tokens)), []
    for words in tokens.unbind(1):
        scores = filtered(policy.logits(state), options)
        found.append(scores.gather(1, words[:, None])[:, 0] - scores.logsumexp(1))
        state = policy.advance(state, words)
    return torch.stack(found, 1).masked_fill(tokens == PAD, 0)
