"""model=vae: sentences from a continuous space (Bowman et al. 2016, arXiv 1511.06349).

An LSTM encoder gives the posterior q(z | x) of a latent vector, a decoder writes the sentence from
it: an LSTM, or a transformer or a relational memory (attending.py). Both are fitted by the evidence
lower bound E_q[log p(x|z)] - KL(q(z|x) || p(z)), p(z) standard normal. The remedies for posterior
collapse are options.

Shapes: B batch, T steps, Z latent, N sentences, R spare rows.

Where this differs from the papers, and why:
- The loss is the bound over the batch's number of tokens, so that learning rate and clipping mean
  what they mean in model=mle.
- AdamW with a cosine; the papers use SGD whose rate is halved at a plateau of the validation loss.
- The decoder has the regularisation of model=mle (locked dropout, dropped rows of the embedding),
  because its likelihood is to be compared with that model's.
- Aggressive training (He et al. 2019) looks at the mutual information every `information_every`
  steps, on sentences that the step does not train on, for a corpus may have no validation part.
- Autoencoder pretraining (Li et al. 2019) passes the mean of the posterior to the decoder, without
  noise; its encoder's variance is first learned in the phase after it.
- The shift of the batch-normalised mean is learned, as in the released code of BN-VAE.
"""

from gantext.models.contract import Ability, Reads
from gantext.models.vae.model import Config, build
from gantext.plots.curves import DIVERSITY, GRADIENT_NORMS, LOSSES, NLL
from gantext.plots.layouts import Layout

__all__ = ["CAN", "CURVES", "PARALLEL", "READS", "SHOWN", "Config", "build"]

READS = Reads.text
PARALLEL = True
CAN = frozenset({Ability.latent, Ability.estimate, Ability.write})
SHOWN = ("nll_bound", "kl")
RECONSTRUCTION = Layout(
    "Reconstruction",
    "Of a sentence from a draw of its own posterior: -E[log p(x|z)]. What the latent vector "
    "tells the decoder lowers it.",
    "nats per sentence",
    {"reconstruction": "training"},
)
INFORMATION = Layout(
    "Latent information",
    "KL term of the bound, and the mutual information of sentence and latent vector where it "
    "is measured. A KL near 0 is posterior collapse: the decoder ignores the latent vector.",
    "nats per sentence",
    {"kl": "KL", "kl_valid": "KL (validation)", "mutual_information": "mutual information"},
)
KL_WEIGHT = Layout(
    "KL weight",
    "Weight of the KL term in the loss.",
    "weight",
    {"beta": "beta"},
    covers=(0.0, 1.0),
)
CURVES = (NLL, RECONSTRUCTION, INFORMATION, KL_WEIGHT, LOSSES, DIVERSITY, GRADIENT_NORMS)
