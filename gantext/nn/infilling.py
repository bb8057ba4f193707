"""Blanks of sentences filled by beam search: by a latent variable's decoder, or by a policy.

Shapes: N templates, K hypotheses of each, T steps, Z latent.
"""

import torch
from torch import Tensor

from gantext.data.vocabulary import UNK
from gantext.nn.algorithm import Algorithm, Latent
from gantext.nn.beam import FREE, Hypotheses, beam_rows, beam_search
from gantext.nn.sampling import Policy


def generator_policy(algorithm: Algorithm) -> Policy | None:
    """The generator that writes an algorithm's sentences word by word, where it has one."""
    found = algorithm.networks().get("generator")
    return found if isinstance(found, Policy) else None


def fill(
    algorithm: Algorithm, templates: Tensor, width: int, rounds: int, words: int
) -> Hypotheses:
    """The best fillings of each template, (N, T) ids with FREE at the blanks, <eos> and <pad>.

    With a latent variable, z is first the posterior's mean of the sentence with <unk> at its
    blanks; each of `rounds` beam searches given z is followed by the z of its best sentence
    (Bowman et al. 2016, section 4.1). Other models search once. The given words are forced, so a
    filling is ranked by the whole sentence.

    Args:
        algorithm: a Latent, or one with a generator that is a Policy.
        templates: on the algorithm's device.
        width: hypotheses of the beam.
        rounds: of a latent variable's alternation, at least 1.
        words: V.

    Raises:
        ValueError: the model can do neither.
    """
    parts = torch.split(templates, beam_rows(words, width, templates.device))
    policy = generator_policy(algorithm)
    if isinstance(algorithm, Latent):
        found = [_alternate(algorithm, part, width, rounds) for part in parts]
    elif policy is not None:
        found = [_search(policy, part, width) for part in parts]
    else:
        raise ValueError("neither a latent variable nor a generator that writes word by word")
    return Hypotheses(
        torch.cat([one.tokens for one in found]), torch.cat([one.log_prob for one in found])
    )


def _alternate(algorithm: Latent, templates: Tensor, width: int, rounds: int) -> Hypotheses:
    best = templates.where(templates != FREE, UNK)
    for _ in range(rounds):
        z, _ = algorithm.encode(best)
        found = _search(algorithm.policy(z), templates, width)
        best = found.tokens[:, 0]
    return found


def _search(policy: Policy, templates: Tensor, width: int) -> Hypotheses:
    rows, length = templates.shape
    return beam_search(policy, rows, length, width, template=templates)
