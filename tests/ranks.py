"""Steps of tiny models that one process takes, or two together: what both come to.

python -m tests.ranks PORT TEXT OUT
"""

import hashlib
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from gantext import data, models
from gantext.config.compose import compose
from gantext.models.build import build, task_of
from gantext.nn.ranks import Ranks, joined
from gantext.training.preparation import Job
from gantext.training.stepper import Stepper
from gantext.training.tracker import to_floats

CPU = torch.device("cpu")
PATIENCE = timedelta(seconds=60)
# Short sentences: each word that is drawn is an exchange.
SENTENCES = [
    f"{who} {does}"
    for who in ("dogs", "cats", "birds", "mice", "bats", "we")
    for does in ("see", "like", "hunt us", "run", "sing")
]
COMMON = [
    "data=text",
    "data.tokenizer=whitespace",
    "data.test_share=0.2",
    "model.mle.epochs=1",
    "model.mle.batch_size=8",
]
LSTM = ["model.generator.embedding=8", "model.generator.hidden=8"]
CNN = [
    "model.judge.kind=cnn",
    "model.discriminator.embedding=8",
    "model.discriminator.widths=[2,3]",
    "model.discriminator.filters=[4,4]",
    "model.d_training.pretrain_steps=2",
    "model.d_training.batch_size=8",
    "model.adversarial.steps=15",
    "model.adversarial.batch_size=8",
    "model.adversarial.rollouts=1",
]
MODELS = {
    "mle": ["model=mle", *COMMON, *LSTM, "model.mle.epochs=7"],
    "gan": [
        "model=gan",
        *COMMON,
        *LSTM,
        *CNN,
        "model.adversarial.entropy_weight=0.01",
        "model.adversarial.kl_weight=0.1",
    ],
    "leakgan": [
        "model=leakgan",
        *COMMON,
        *LSTM,
        *CNN,
        "model.generator.manager_hidden=8",
        "model.generator.goal_size=4",
        "model.d_training.pretrain_batch_size=8",
        "model.d_training.alone_steps=2",
        "model.adversarial.worker_reward=intrinsic",
        "model.adversarial.rank_real=3",
        "model.adversarial.kl_weight=0.1",
        "data.validation=5",
        "model.d_training.balance=fixed",
        "model.d_training.look_every=4",
    ],
    "gan_held_out": [
        *("model=gan", *COMMON, *LSTM, *CNN),
        *("data.validation=5", "model.d_training.look_every=3", "model.d_training.patience=2"),
        *("model.adversarial.reward=sentence", "model.adversarial.baseline=mean"),
        "model.adversarial.reward_less=words",
    ],
    "gan_ranked": [
        *("model=gan", *COMMON, *LSTM, *CNN, "model.mle.weighting=mixce"),
        *("model.judge.kind=ranker", "model.judge.ranker.references=2"),
        *("model.adversarial.reward=sentence", "model.adversarial.baseline=mean"),
        *("model.adversarial.reward_scale=maligan", "model.adversarial.steps=15"),
    ],
    "cot": [
        *("model=cot", *COMMON, *LSTM, "data.validation=5", "model.mediator.steps=2"),
        *("model.mediator.look_every=4", "model.cooperative.steps=15"),
        "model.cooperative.batch_size=8",
    ],
    "jsdgan": [
        *("model=jsdgan", *COMMON, *LSTM, "data.validation=5", "model.divergence.steps=18"),
        *("model.divergence.look_every=4", "model.divergence.batch_size=8"),
    ],
    "dpgan": [
        *("model=dpgan", *COMMON, *LSTM, "data.validation=5", "model.d_training.batch_size=8"),
        *("model.d_training.pretrain_steps=2", "model.d_training.look_every=3"),
        *("model.adversarial.steps=16", "model.adversarial.batch_size=8"),
        *("model.adversarial.discount=0.5", "model.adversarial.teacher_forcing=rewarded"),
    ],
    "vae": [
        "model=vae",
        *COMMON,
        "model.mle.epochs=6",
        "model.latent_size=3",
        "model.encoder.embedding=8",
        "model.encoder.hidden=8",
        "model.encoder.dropout=0.2",
        "model.encoder.bn_gamma=0.5",
        "model.decoder.embedding=8",
        "model.decoder.hidden=8",
        "model.decoder.word_dropout=0.2",
        "model.objective.free_bits=0.1",
        "model.pretrain_ae=1",
        "model.aggressive.enabled=true",
        "model.aggressive.inner_steps=2",
        "model.aggressive.window=1",
        "model.aggressive.information_every=4",
        "model.aggressive.information_sentences=5",
    ],
}


def taken(overrides: list[str], text: Path) -> dict[str, Any]:
    """All steps of a model: the metrics of each, and a digest of the weights after each phase."""
    settings = compose([*overrides, f"data.train={text}"])
    corpus = data.load_for(settings.data, models.reads(settings.model.name))
    algorithm = build(settings.model, settings.seed, task_of(corpus, CPU))
    phases = tuple(phase for phase in algorithm.phases() if phase.steps)
    stepper = Stepper(Job(settings, corpus, algorithm, CPU, phases))
    metrics, digests = [], []
    for phase in phases:
        metrics += [[phase.name, to_floats(stepper.take())] for _ in range(phase.steps)]
        weights = [w for network in algorithm.networks().values() for w in network.parameters()]
        whole = b"".join(weight.detach().numpy().tobytes() for weight in weights)
        digests.append(hashlib.sha256(whole).hexdigest())
        stepper.end_phase()
    return {"metrics": metrics, "digests": digests, "noise": stepper.noise.get_state().tolist()}


def taken_together(port: int, number: int, text: Path) -> dict[str, dict[str, Any]]:
    """The same of all models, by two processes of which this one has the number."""
    address = f"tcp://127.0.0.1:{port}"
    distributed.init_process_group(
        "gloo", init_method=address, timeout=PATIENCE, rank=number, world_size=2
    )
    try:
        with joined(Ranks(number, 2)):
            return {name: taken(overrides, text) for name, overrides in MODELS.items()}
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    port, text, out = sys.argv[1:]
    Path(out).write_text(json.dumps(taken_together(int(port), 1, Path(text))))
