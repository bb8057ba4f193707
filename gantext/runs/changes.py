"""What came to a run's files with each format, and what it was before that.

The values are those that reproduce what the code of the time did.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Part(enum.Enum):
    """Which values of a run: of its config.yaml, its run.json, a checkpoint's state.json."""

    settings = "settings"
    facts = "facts"
    state = "state"


@dataclass(frozen=True)
class Change:
    """A key that came with a format.

    Attributes:
        format: the first that has it.
        part: where it is.
        key: its name, dotted; it is given only where the group that it is in is there.
        value: what the code did before, as a value of the key.
        was: the name that it had before, whose value it takes; None for a new key.
        now: what values of that name are called today; others stay as they are.
        beside: a key of its group without which it is not given; None: it always is.
        model: the name of the only model whose settings have it; None for every model's.
        data: the name of the only data whose settings have it; None for every data's.
    """

    format: int
    part: Part
    key: str
    value: Any = None
    was: str | None = None
    model: str | None = None
    data: str | None = None
    now: Mapping[Any, Any] = field(default_factory=dict)
    beside: str | None = None


# The data that keys of preparation came to; what is added later has had them from its beginning.
REAL_TEXT = ("text", "hf", "coco", "coco_full", "emnlp_news")
# The models fitted by maximum likelihood, and those of them whose generator is an LSTM of words.
FITTED = ("gan", "leakgan", "mle", "vae")
WRITERS = ("gan", "leakgan", "mle")
# The state of looks at a discriminator on held-out sentences, before the first.
NEVER_LOOKED: Mapping[str, Any] = {
    **dict.fromkeys(("steps", "looks", "waited", "best_step", "played", "rewarded"), 0),
    **{"phase": "", "best": None, "stopped": False, "trusted": True, "kept": {}},
}
# The judge of runs in which the discriminator was the only one, with values that decide nothing.
ONLY_CNN: Mapping[str, Any] = {
    **{"kind": "cnn", "steps": 800, "look_every": 100, "patience": 2},
    **{"refresh_every": 50, "refresh_steps": 8},
    "encoder": {
        **{"base": "auto", "learning_rate": 5e-5, "output_rate": 1e-3, "batch_size": 16},
    },
}
# The backward language model of a ratio was that of `lm-score`.
SMALL_RATIO: Mapping[str, Any] = {
    **{"embedding": 128, "hidden": 192, "dropout": 0.5},
    **{"batch_size": 32, "learning_rate": 0.015},
}
# The transformer of runs whose generator is an LSTM: each model's defaults, which decide nothing.
NO_TRANSFORMER: Mapping[str, Mapping[str, Any]] = {
    "gan": {"width": 128, "layers": 3, "heads": 4, "feed_forward": 512, "dropout": 0.1},
    "mle": {"width": 256, "layers": 3, "heads": 4, "feed_forward": 1024, "dropout": 0.2},
}
# How words were weighted, with values of the ways in which they were not.
UNWEIGHTED: Mapping[str, Any] = {
    **{"weighting": "none", "tailr_gamma": 0.01, "tailr_least": 0.2, "mixce_eta": 0.3},
}
UNRANKED: Mapping[str, Any] = {"references": 16, "gamma": 16.0}
# The relational memory of such runs, likewise.
NO_RELATIONAL: Mapping[str, Any] = {
    **{"embedding": 32, "slots": 1, "heads": 2, "head_size": 256, "dropout": 0.1},
}
# Oldest first. Never change a row: runs of its time are read by it.
CHANGES: tuple[Change, ...] = (
    # Tables were lines like any other: a run on a .csv file has learned its lines, commas and all.
    Change(2, Part.settings, "data.format", "lines", data="text"),
    Change(2, Part.settings, "data.column", "", data="text"),
    Change(2, Part.settings, "data.label_column", "", data="text"),
    *(Change(3, Part.settings, "data.unk", "hide", data=name) for name in REAL_TEXT),
    Change(3, Part.settings, "data.label", None, data="scenes"),
    # A file was read to its end, however long it was.
    *(Change(3, Part.settings, "data.max_bytes", 2**50, data=kind) for kind in REAL_TEXT),
    # Nobody asked how much memory a run needs.
    Change(3, Part.settings, "force", True),
    # The number of threads was torch's choice of the day, or that of the settings; 0: not known.
    Change(3, Part.facts, "threads", 0),
    # Large blocks of memory went back to the system after each use.
    Change(4, Part.settings, "memory", "release"),
    # The rollouts of a LeakGAN were made after every goal's words.
    Change(4, Part.settings, "model.adversarial.rollout_every", 1, model="leakgan"),
    # A GPU computed as torch lets it.
    Change(5, Part.settings, "tf32", "cudnn"),
    Change(5, Part.settings, "deterministic", False),
    Change(5, Part.settings, "cuda_graphs", False),
    # A run was trained by one process.
    Change(5, Part.facts, "processes", 1),
    # No state was the best, phases took all of their steps, and scores were those at their ends.
    Change(5, Part.settings, "checkpoint.best", None),
    Change(
        5,
        Part.settings,
        "early_stop",
        {"patience": 0, "min_delta": 0.0, "metric": "nll_valid", "phases": []},
    ),
    Change(5, Part.settings, "eval.every_steps", 0),
    # TensorBoard was the only tracker.
    Change(
        5,
        Part.settings,
        "log.trackers",
        was="log.tensorboard",
        now={True: ["tensorboard"], False: []},
    ),
    Change(5, Part.state, "best", None, beside="total"),
    Change(
        5,
        Part.state,
        "waiting",
        {"phase": "", "best": None, "step": 0, "looks": 0},
        beside="total",
    ),
    Change(5, Part.state, "ended", False, beside="total"),
    # Format 6, in which a checkpoint has several files of tensors, of which code from before reads
    # one. Samples at the end of a phase were others than those of gantext sample of the same seed.
    Change(6, Part.settings, "eval.stream", "eval"),
    # What the released codes of SeqGAN and LeakGAN have was not to be chosen.
    *(Change(7, Part.settings, "model.mle.beta2", 0.99, model=name) for name in FITTED),
    *(Change(7, Part.settings, "model.generator.init", "mixed", model=name) for name in WRITERS),
    *(
        Change(7, Part.settings, f"model.{key}", value, model=name)
        for name in ("gan", "leakgan")
        for key, value in (
            ("discriminator.gate_bias", -1.0),
            ("d_training.beta1", 0.5),
            ("d_training.temperature", 1.0),
            ("d_training.fresh_real", False),
        )
    ),
    Change(7, Part.settings, "model.adversarial.loss_reduction", "mean", model="gan"),
    Change(7, Part.settings, "model.generator.goal_cosine", "step", model="leakgan"),
    Change(7, Part.settings, "model.generator.clip_apart", False, model="leakgan"),
    Change(7, Part.settings, "model.adversarial.reward", "rollout", model="leakgan"),
    Change(7, Part.settings, "model.adversarial.one_reward", False, model="leakgan"),
    # Real sentences joined the ranking all at once; nothing depended on how many steps were made.
    Change(8, Part.settings, "model.adversarial.rank_real_every", 0, model="leakgan"),
    Change(8, Part.state, "algorithm.adversarial_steps", 0, beside="d_accuracies"),
    # Nothing was computed of samples and test sentences while a run trained.
    Change(
        8,
        Part.settings,
        "log.curve",
        {"every_steps": 0, "adversarial_every_steps": 0, "samples": 1000, "sentences": 500},
    ),
    # No discriminator was looked at on held-out sentences.
    *(
        Change(9, Part.settings, f"model.d_training.{key}", 0, model=name)
        for name in ("gan", "leakgan")
        for key in ("look_every", "patience")
    ),
    # Rewards came from the discriminator alone.
    *(Change(9, Part.settings, "model.judge", ONLY_CNN, model=name) for name in ("gan", "leakgan")),
    *(
        Change(9, Part.state, "algorithm.held_out", NEVER_LOOKED, beside=own)
        for own in ("critic_optimiser", "d_accuracies")  # of gan and of leakgan
    ),
    # Rewards were probabilities, a generator was free to go where it would, and was not averaged.
    *(
        Change(9, Part.settings, f"model.adversarial.{key}", 0.0, model=name)
        for name in ("gan", "leakgan")
        for key in ("log_odds_bound", "kl_weight", "ema")
    ),
    # Every generator was an LSTM.
    *(
        Change(10, Part.settings, f"model.generator.{key}", value, model=name)
        for name in ("gan", "mle")
        for key, value in (
            ("arch", "lstm"),
            ("transformer", NO_TRANSFORMER[name]),
            ("relational", NO_RELATIONAL),
        )
    ),
    # All words of a likelihood counted alike.
    *(
        Change(10, Part.settings, f"model.mle.{key}", value, model=name)
        for name in FITTED
        for key, value in UNWEIGHTED.items()
    ),
    # No discriminator was a ranker.
    *(
        Change(10, Part.settings, "model.judge.ranker", UNRANKED, model=name)
        for name in ("gan", "leakgan")
    ),
    # The decoder of every VAE was an LSTM; a discriminator of pictures said nothing of classes.
    *(
        Change(11, Part.settings, f"model.{key}", value, model=name)
        for name, key, value in (
            ("vae", "decoder.arch", "lstm"),
            ("vae", "decoder.transformer", NO_TRANSFORMER["mle"]),
            ("vae", "decoder.relational", NO_RELATIONAL),
            ("image_gan", "generator.feature_matching", False),
            ("image_gan", "discriminator.classes", False),
            ("image_gan", "discriminator.labels", 0),
        )
    ),
    # The likelihood of held-out sentences ended no adversarial phase.
    *(
        Change(12, Part.settings, f"model.adversarial.{key}", value, model=name)
        for key, value in (("nll_every", 10), ("nll_allowance", None))
        for name in ("relgan", "catgan")
    ),
    Change(12, Part.state, "algorithm.stop.first", None, beside="best"),
    # A LeakGAN's entropy had no weight.
    Change(13, Part.settings, "model.adversarial.entropy_weight", 0.0, model="leakgan"),
    # Its size and its steps could not be chosen.
    *(
        Change(14, Part.settings, "model.judge.lm_ratio", SMALL_RATIO, model=name)
        for name in ("gan", "leakgan")
    ),
    # Nothing was taken off rewards, of which all words had one.
    *(
        Change(15, Part.settings, f"model.adversarial.{key}", value, model=name)
        for name in ("gan", "leakgan")
        for key, value in (("reward_less", "none"), ("reward_after", 0))
    ),
)
