"""model=dpr_gan: pictures of captions, by a GAN whose discriminator retrieves passages.

A dual encoder (dense passage retrieval, Karpukhin et al. 2020, arXiv 2004.04906) says how well a
picture fits a caption; a generator draws pictures that it would find. The architecture is not of a
paper: `variant=faithful` is the idea as it stands, `variant=recipe` is one that trains.

- faithful: the dual encoder is the discriminator. It learns to find a caption's real picture among
  real and generated ones; the generator learns to be found, and to be near the real picture; in
  turn. The encoder soon tells every generated picture from a real one, and what it then asks of
  the generator is no picture.
- recipe: the dual encoder is first fitted to real pairs and frozen, so that the generator cannot
  be left behind by it, nor it be led astray. The generator draws in two steps, by a code of what
  the caption leaves open (`generator.py`), and both steps are first fitted to real
  pictures as a variational autoencoder: what words look like is learned there. Then its codes are
  trained by the dual encoder, which sees their pictures, and by another discriminator, of codes
  (as in adversarial autoencoders, Makhzani et al. 2016, arXiv 1511.05644), which also refuses the
  codes of real pictures of another caption (matching-aware, Reed et al. 2016, arXiv 1605.05396),
  with a relativistic loss and both gradient penalties (R3GAN, Huang et al. 2024, arXiv
  2501.05441), while they go on fitting real pictures.

Shapes: B batch, N pictures, C channels, S side in pixels, T words of a caption, F features of a
caption, E size of the encoder's space.

Where this differs from those papers, and why:
- A wrong caption's loss is relative too: the real picture should fit its own caption better.
- Half of the wrong captions are near ones, by their words, as DPR's hard negatives are.
- The penalties are lazy (Karras et al. 2020, appendix B), on every `reg_every`-th step and that
  many times as heavy.
- One forward pass of G a step: D is updated on the codes by which G is updated next.
- D judges codes, not pictures: a step takes 256 ms where one of pictures took 370 (two cores).
- D reads captions by the dual encoder's text tower, and does not change it.
- Captions with the same words in a batch are no negatives of each other.
- Pictures are drawn by an average of the past weights of G, several of a caption, of which the dual
  encoder takes the nearest (reranking as in DALL-E, Ramesh et al. 2021, arXiv 2102.12092).
"""

from gantext.models.contract import Ability, Reads
from gantext.models.dpr_gan.model import Config, build
from gantext.plots.curves import D_ACCURACY, D_OUTPUTS, GRADIENT_NORMS, LOSSES, PENALTIES
from gantext.plots.layouts import Layout

__all__ = ["CAN", "CURVES", "READS", "SHOWN", "Config", "build"]

READS = Reads.captioned
CAN = frozenset({Ability.illustrate})
SHOWN = ("g_loss", "d_loss", "d_real", "d_fake", "d_accuracy", "retrieval_fake")
RETRIEVAL = Layout(
    "Retrieval",
    "Share of captions whose own picture the dual encoder finds among those of the batch: "
    "their real pictures, and the generator's. Where the second is near 1 too and the "
    "pictures are still blots, the encoder asks for less than a person does.",
    "retrieval accuracy",
    {"retrieval_real": "real", "retrieval_fake": "generated"},
    covers=(0.0, 1.0),
)
FIT = Layout(
    "Fit to real pictures",
    "Terms of the bound on the negative log-likelihood of a picture under its caption: half "
    "the squared error of the picture drawn of its own code and what the code says, then half "
    "the squared error of the code composed of its own noise and what the noise says.",
    "nats per picture",
    {
        "picture_error": "picture's error",
        "code_kl": "code",
        "code_error": "code's error",
        "noise_kl": "noise",
    },
)
SIMILARITY = Layout(
    "Similarity",
    "Mean cosine of a caption's embedding and its picture's, real and generated.",
    "cosine",
    {"similarity_real": "real", "similarity_fake": "generated"},
)
CAPTION_ACCURACY = Layout(
    "Caption discriminator accuracy",
    "Share of real pictures that the discriminator prefers with their own caption to another.",
    "accuracy",
    {"d_match_accuracy": "own caption"},
    level=(0.5, "chance"),
    covers=(0.0, 1.0),
)
CONTRASTIVE = Layout(
    "Contrastive loss",
    "Of finding each caption's generated picture in the batch by the dual encoder (InfoNCE).",
    "nats",
    {"contrastive": "generator"},
)
CURVES = (
    LOSSES,
    D_ACCURACY,
    D_OUTPUTS,
    PENALTIES,
    RETRIEVAL,
    FIT,
    SIMILARITY,
    CAPTION_ACCURACY,
    CONTRASTIVE,
    GRADIENT_NORMS,
)
