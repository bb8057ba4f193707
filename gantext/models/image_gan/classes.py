"""A discriminator that tells classes apart, from a few labels (Salimans et al. 2016, section 5).

It has one output l_k for each of K classes; that of the class "generated" is fixed to 0, since only
differences of logits count. So p(generated | x) = 1 / (1 + Z(x)) with Z(x) = sum_k exp l_k(x), and
D(x) = Z(x) / (Z(x) + 1) = sigmoid(log Z(x)): log Z is the logit of "real", on which each loss of
nn/gan_losses.py goes on. The paper's are minimax's for D (model.loss=nonsaturating),

    L_unsupervised = -E_real log D(x) - E_generated log(1 - D(x)),

and, of the labelled pictures,

    L_supervised = -E log p(y | x, real) = -E [l_y(x) - log Z(x)].

Legend: B pictures, K classes, F features, N labelled pictures.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.data.balanced import balanced
from gantext.data.gallery import PictureBatch, PictureSplit
from gantext.errors import UserError


def real_logit(class_logits: Tensor) -> Tensor:
    """log Z = log sum_k exp l_k, (B,), of (B, K): the logit of "real" against "generated"."""
    return class_logits.logsumexp(1)


def supervised_loss(class_logits: Tensor, labels: Tensor) -> Tensor:
    """Mean of log Z - l_y, a scalar, of (B, K) and classes y (B,): nats per picture."""
    return F.cross_entropy(class_logits, labels)


def feature_matching(real: Tensor, fake: Tensor) -> Tensor:
    """|mean f(x) - mean f(G(z))|^2, a scalar, of features (B, F) each (the paper's section 3.1)."""
    return (real.mean(0) - fake.mean(0)).square().sum()


class Labelled:
    """The training pictures whose classes the discriminator is told.

    Args:
        examples: training pictures with classes; None where nothing is trained.
        n: how many, evenly of all classes; 0 for all.
        classes: K.
        rng: draws them.

    Raises:
        UserError: more than there are, or fewer than classes.
    """

    def __init__(
        self, examples: PictureSplit | None, n: int, classes: int, rng: torch.Generator
    ) -> None:
        self.examples = examples
        self.places = torch.zeros(n, dtype=torch.int64, device="cpu")
        if examples is None or not n:
            return
        if not classes <= n <= len(examples):
            raise UserError(
                f"model.discriminator.labels={n}: at least one for each of {classes} classes is "
                f"needed, and at most the {len(examples):,} training pictures; 0 takes all"
            )
        self.places = balanced(examples.labels, n, rng)

    def draw(self, rows: int, rng: torch.Generator) -> PictureBatch:
        """A batch of so many of them, drawn with replacement, on the generator's device."""
        assert self.examples is not None
        count = len(self.places) or len(self.examples)
        chosen = torch.randint(count, (rows,), generator=rng, device=rng.device).cpu()
        places = self.places[chosen] if len(self.places) else chosen
        return self.examples.batch(places).to(rng.device)

    def state_dict(self) -> dict[str, Any]:
        """Which they are."""
        return {"places": self.places}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with those of `state_dict`."""
        self.places = state["places"].cpu()
