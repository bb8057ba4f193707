"""How many rows each step of a model is given, how many of them one update computes, and over how
many steps its learning rate rises: worked out by hand from batch sizes that are all different."""

import pytest
import torch

from gantext import models
from gantext.config.compose import compose
from gantext.data import Reads
from gantext.models.base.rewarded import Rewarded
from gantext.models.contract import PictureTask, Task

CPU = torch.device("cpu")
WORDS, T, TRAIN = 9, 12, 100
MLE = ["model.mle.batch_size=5", "model.mle.warmup_steps=9", "model.mle.epochs=2"]
D = ["model.d_training.batch_size=7", "model.d_training.steps=3"]
G = ["model.adversarial.batch_size=11", "model.adversarial.mle_weight=0.1"]
LATE = ["model.adversarial.batch_size=17", "model.adversarial.mle_weight=0"]
NONE = ["model.d_training.steps=0", "model.adversarial.mle_weight=0"]
LEAK = [
    *("model.d_training.pretrain_batch_size=7", "model.d_training.batch_size=3"),
    *("model.d_training.pretrain_steps=80", "model.d_training.steps=4"),
    *("model.adversarial.batch_size=11", "model.adversarial.mle_every=10"),
    "model.adversarial.rank_real=2",
]
ALONE = [
    *("model.adversarial.reward=constant", "model.adversarial.mle_every=0"),
    "model.adversarial.rank_real=0",
]
NOBODY = ["model.adversarial.reward=constant", "model.adversarial.mle_weight=0"]
FIRST = ("mle", 5, 0, 9)
LATENT = [*MLE, "model.pretrain_ae=1", "model.aggressive.information_sentences=13"]
FITS = [
    *("model.fitting.batch_size=2", "model.fitting.warmup_steps=1"),
    *("model.decoding.batch_size=3", "model.decoding.warmup_steps=2"),
    *("model.composing.batch_size=4", "model.composing.warmup_steps=3"),
    *("model.adversarial.batch_size=5", "model.adversarial.warmup_steps=4"),
    *("model.hard_negatives.steps=6", "model.faithful.batch_size=7"),
]
PHASES = {
    "mle": (MLE, [FIRST]),
    # D's sentences and the generator's own; D reads 2 * 7 in an update, G its 11 or 17 samples.
    "gan": ([*MLE, *D, *G], [FIRST, ("discriminator", 7, 0, 0), ("adversarial", 32, 14, 0)]),
    "gan late": (
        [*MLE, *D, *LATE],
        [FIRST, ("discriminator", 7, 0, 0), ("adversarial", 21, 17, 0)],
    ),
    "gan of nobody": (
        [*MLE, *D, *LATE, *NOBODY],
        [FIRST, ("discriminator", 7, 0, 0), ("adversarial", 1, 17, 0)],
    ),
    "dpgan": ([*MLE, *D, *G], [FIRST, ("discriminator", 7, 14, 0), ("adversarial", 32, 14, 0)]),
    "dpgan late": (
        [*MLE, *D, *LATE],
        [FIRST, ("discriminator", 7, 14, 0), ("adversarial", 21, 17, 0)],
    ),
    "dpgan without": (
        [*MLE, *D, *LATE, *NONE],
        [FIRST, ("discriminator", 7, 14, 0), ("adversarial", 1, 17, 0)],
    ),
    "sentigan": ([*MLE, *D, *G], [FIRST, ("discriminator", 7, 0, 0), ("adversarial", 32, 14, 0)]),
    "sentigan late": (
        [*MLE, *D, *LATE],
        [FIRST, ("discriminator", 7, 0, 0), ("adversarial", 21, 17, 0)],
    ),
    # G reads as many real sentences as it writes, whatever they weigh.
    "catgan": ([*MLE, *D, *G], [FIRST, ("discriminator", 7, 0, 0), ("adversarial", 32, 22, 0)]),
    "relgan": (
        [*MLE, *D[1:], *G],
        [FIRST, ("discriminator", 11, 0, 0), ("adversarial", 44, 22, 0)],
    ),
    # Half of a batch of 11 is real, rounded up, and the mediator reads as many samples.
    "cot": (
        [*MLE, "model.cooperative.batch_size=11"],
        [FIRST, ("mediator", 6, 12, 0), ("cooperative", 6, 12, 0)],
    ),
    "jsdgan": ([*MLE, "model.divergence.batch_size=11"], [FIRST, ("divergence", 11, 0, 0)]),
    # D makes 80 steps beside 40 of G; likelihood has 100 / (10 * 5) batches a step.
    "leakgan": (
        [*MLE, *LEAK],
        [("pretraining", 14, 14, 9), ("discriminator", 3, 0, 0), ("adversarial", 22, 11, 0)],
    ),
    "leakgan of nobody": (
        [*MLE, *LEAK, *ALONE],
        [("pretraining", 14, 14, 9), ("discriminator", 3, 0, 0), ("adversarial", 1, 11, 0)],
    ),
    "vae": (
        [*LATENT, "model.aggressive.enabled=false"],
        [("autoencoder", 5, 0, 9), ("vae", 5, 13, 9)],
    ),
    "vae aggressive": (
        [*LATENT, "model.aggressive.enabled=true", "model.aggressive.inner_steps=3"],
        [("autoencoder", 5, 0, 9), ("vae", 5 + 3 * 5 + 13, 13, 9)],
    ),
    "vae of few": (
        [*MLE, "model.aggressive.information_sentences=4"],
        [("autoencoder", 5, 0, 9), ("vae", 5, 5, 9)],
    ),
    "image_gan": (
        ["model.batch_size=5", "model.discriminator.steps=3"],
        [("adversarial", 15, 5, 0)],
    ),
    "dpr_gan": (
        FITS,
        [
            *(("dual_encoder", 2, 0, 1), ("decoder", 3, 0, 2), ("composer", 4, 0, 3)),
            *(("adversarial", 5, 0, 4), ("hard_negatives", 5, 0, 0)),
        ],
    ),
    "dpr_gan faithful": ([*FITS, "model.variant=faithful"], [("adversarial", 7, 0, 0)]),
}


def task_for(reads: Reads) -> Task | PictureTask:
    """Sentences of two classes, or pictures with captions."""
    if reads.sentences:
        rare = torch.zeros(WORDS, dtype=torch.bool)
        counts = (60, 40) if reads is Reads.labelled else ()
        return Task(WORDS, T, TRAIN, rare, CPU, class_counts=counts)
    captions = torch.full((TRAIN, 5), 4)
    return PictureTask(3, 16, 0, WORDS, 5, TRAIN, captions, CPU)


@pytest.mark.parametrize("kind", PHASES)
def test_the_rows_of_a_step_and_of_an_update(kind: str) -> None:
    words, wanted = PHASES[kind]
    name = kind.split()[0]
    config = compose([f"model={name}", *words]).model
    rng = torch.Generator().manual_seed(1)
    phases = models.module(name).build(config, task_for(models.reads(name)), rng).phases()
    assert [(p.name, p.rows, p.together, p.warmup) for p in phases] == wanted
    assert all(phase.steps == 40 for phase in phases if phase.name == "mle")  # 2 * 100 / 5


@pytest.mark.parametrize("name", ["gan", "leakgan"])
def test_a_judge_that_learns_beside_the_generator_has_rows_of_its_own(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, wanted = PHASES[name]
    monkeypatch.setattr(Rewarded, "judge_rows", 13)
    rng = torch.Generator().manual_seed(1)
    config = compose([f"model={name}", *words]).model
    last = models.module(name).build(config, task_for(Reads.text), rng).phases()[-1]
    assert last.rows == wanted[-1][1] + 13
