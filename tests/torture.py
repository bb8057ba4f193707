"""Runs that are killed at random moments and go on: do they end as if nothing had happened?

    python -m tests.torture --chains 100 --seed 1

A chain is one run (or a sweep of two) of a tiny model. It is started, killed by SIGKILL after a
random time, and gone on with, up to five times; then it is left to end. What it comes to is held
against the run that nobody has killed, bit by bit: weights, states of optimisers and of random
numbers, lines of metrics, samples, scores and the result. A chain is lost when it cannot go on.
"""

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gantext.runs import state_tree
from gantext.runs.folder import RunDir
from tests import conftest
from tests.forker import Child, Forker

KILLS = 5  # at most in a chain
QUICK = ["eval.samples=10"]  # its scores take most of a tiny run's time
# Sentences of three words are drawn in no time; those of scenes have up to 29. 64 of 80 are trained
# on, as many as of scenes.
FILE = "sentences.txt"
SENTENCES = [
    f"{who} {does} {whom}"
    for who in ("dogs", "cats", "we", "they")
    for does in ("see", "like", "hunt", "call")
    for whom in ("mice", "birds", "bats", "us", "them")
]
SHORT = [
    "data=text",
    f"data.train=../{FILE}",
    "data.tokenizer=whitespace",
    "data.test_share=0.1",
    "data.validation=8",
]


def on_short(words: list[str]) -> list[str]:
    """A tiny run on the short sentences."""
    return [*(word for word in words if not word.startswith("data")), *SHORT, *QUICK]


SWEEP = [*on_short(conftest.SMALL_MLE), "model.mle.epochs=1", "seed=1,2"]
# Its looks are at steps 5, 10 and 15, where it ends: a whole nat is too much to ask for.
EARLY = ["early_stop.patience=2", "early_stop.min_delta=1", "checkpoint.best=nll_valid"]
CURVE = ["log.curve.every_steps=4", "log.curve.adversarial_every_steps=3"]
HELD_OUT = ["model.d_training.balance=held_out", "model.d_training.look_every=2"]
FEW_PICTURES = [
    "data.train_size=24",
    "data.test_size=10",
    "model.candidates=1",
    *(f"model.{group}.steps=2" for group in ("fitting", "decoding", "composing")),
    "model.adversarial.steps=6",
]
RUNS = {
    "mle": [*on_short(conftest.SMALL_MLE), *EARLY],
    "gan": [
        *on_short(conftest.SMALL_GAN),
        *("checkpoint.best=bleu-2", "eval.every_steps=4"),
        *(*CURVE, *HELD_OUT),
    ],
    "leakgan": [*on_short(conftest.SMALL_LEAKGAN), *HELD_OUT, "model.d_training.patience=1"],
    "cot": on_short(conftest.SMALL_COT),
    "jsdgan": on_short(conftest.SMALL_JSDGAN),
    "dpgan": on_short(conftest.SMALL_DPGAN),
    "vae": on_short(conftest.SMALL_VAE),
    "image_gan": [*conftest.SMALL_IMAGE_GAN, *QUICK],
    "dpr_gan": [*conftest.SMALL_DPR_GAN, *QUICK, *FEW_PICTURES],
    "sweep": SWEEP,
}


@dataclass(frozen=True)
class Straight:
    """What nobody has killed: the folders of its runs, and how many seconds it took."""

    runs: list[Path]
    seconds: float


@dataclass(frozen=True)
class Chain:
    """What came of a chain: of what, how often it was killed, and what is wrong with its end."""

    kind: str
    kills: int
    lost: str = ""
    differing: str = ""


def words_of(kind: str) -> list[str]:
    """The command that starts a run, or a sweep, named r."""
    return ["train", *(["-m"] if kind == "sweep" else []), *RUNS[kind], "name=r"]


def runs_of(folder: Path, kind: str) -> list[Path]:
    """The runs that lie in the folder that a command was given in."""
    run = folder / "runs" / "r"
    return [run / "0", run / "1"] if kind == "sweep" else [run]


def straight(forker: Forker, folder: Path, kind: str) -> Straight:
    """Make what the chains of a kind are held against."""
    folder.mkdir()
    began = time.monotonic()
    child = forker.start(folder, *words_of(kind))
    if child.wait() != 0:
        raise RuntimeError(child.said)
    return Straight(runs_of(folder, kind), time.monotonic() - began)


def chain(forker: Forker, folder: Path, kind: str, whole: Straight, rng: random.Random) -> Chain:
    """Start a run, kill and go on with it, and compare its end."""
    folder.mkdir()
    kills = 0
    for _ in range(rng.randint(1, KILLS)):
        if _is_over(folder, kind):
            break
        child = forker.start(folder, *_next_words(folder, kind))
        # Half of them soon: what happens at the start is short, and happens each time.
        time.sleep(rng.random() * whole.seconds * rng.choice((0.2, 0.7)))
        kills += child.kill(signal.SIGKILL) == -signal.SIGKILL
    lost = _finish(forker, folder, kind)
    if lost:
        return Chain(kind, kills, lost=lost)
    pairs = zip(runs_of(folder, kind), whole.runs, strict=True)
    found = (difference(run, other) for run, other in pairs)
    return Chain(kind, kills, differing=next(filter(None, found), ""))


def _next_words(folder: Path, kind: str) -> list[str]:
    """The command that goes on with the run or the sweep, or starts it."""
    place = folder / "runs" / "r"
    begun = place / ("sweep.json" if kind == "sweep" else "config.yaml")
    if begun.exists():
        return ["train", "--resume", str(place)]
    # The name of what is left of a plan is taken.
    shutil.rmtree(folder / "runs", ignore_errors=True)
    return words_of(kind)


def _finish(forker: Forker, folder: Path, kind: str) -> str:
    """Go on until all is finished; what was said where it cannot."""
    for _ in range(len(runs_of(folder, kind)) + 1):
        if _is_over(folder, kind):
            return ""
        child = forker.start(folder, *_next_words(folder, kind))
        if code := child.wait():
            return f"exit code {code}: {_last_line(child)}"
    return "" if _is_over(folder, kind) else "it does not end"


def _is_over(folder: Path, kind: str) -> bool:
    runs = runs_of(folder, kind)
    return all((run / "config.yaml").exists() and RunDir(run).status == "finished" for run in runs)


def _last_line(child: Child) -> str:
    return (child.said.strip().splitlines() or [""])[-1]


def back_to(run: RunDir, total: int, folder: Path) -> RunDir:
    """A copy of a run as a kill after its step `total` would have left it."""
    copy = RunDir(Path(shutil.copytree(run.path, folder / "run")))
    for path in copy.checkpoints.iterdir():
        if int(path.name[:9]) > total:
            shutil.rmtree(path)
    (copy.path / "result.json").unlink()
    copy.update(status="running")
    return copy


def difference(run: Path, other: Path) -> str:
    """The first thing in which the end of a run differs from another's; '' where nothing does."""
    plain, tensors = end_of(run)
    other_plain, other_tensors = end_of(other)
    if plain != other_plain or tensors.keys() != other_tensors.keys():
        return "state"
    for name, tensor in tensors.items():
        other_tensor = other_tensors[name]
        if tensor.dtype != other_tensor.dtype or not torch.equal(tensor, other_tensor):
            return f"tensor {name}"
    for place in ("metrics.jsonl", "samples", "vocabulary.json", "captions.txt"):
        if found := unlike(content(run / place), content(other / place)):
            return f"{place}: {found}"
    if found := unlike(scores_of(run), scores_of(other)):
        return f"scores: {found}"
    if results(run) != results(other):
        return "result"
    if kept(run) != kept(other):
        return "best state or early end"
    left = [path.name for path in run.rglob(".*") if path.name != ".lock"]
    return f"left behind: {left[0]}" if left else ""


def unlike(one: Mapping[str, object], other: Mapping[str, object]) -> str:
    """The first key whose value differs; '' where none does."""
    names = (name for name in sorted({*one, *other}) if one.get(name) != other.get(name))
    return next(names, "")


def end_of(run: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    """The last checkpoint: its plain part without the seconds, and its tensors."""
    state, damaged = RunDir(run).load_checkpoint()
    assert state is not None and not damaged
    assert state.pop("seconds") >= 0
    tensors: dict[str, torch.Tensor] = {}
    return state_tree.flatten(state, tensors), tensors


def content(path: Path) -> dict[str, bytes]:
    """The files at a path, or below it, by name."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {str(file.relative_to(path)): file.read_bytes() for file in files if file.is_file()}


def scores_of(run: Path) -> dict[str, Any]:
    """The stored scores, by file; those of a measure by what they are of.

    They are found again by all that a checkpoint holds, how long it took too: this digest, the
    place that it gives and the checksum of it all are left out. The digest of the weights stays.
    """
    found: dict[str, Any] = {}
    for path in sorted((run / "scores").glob("*")):
        stored = json.loads(path.read_bytes())
        name = path.name
        if "weights" in stored.get("key", {}):  # else it is of real text
            assert len(stored["key"].pop("weights")) == len(stored.pop("checksum")) == 64
            weights = {one["signature"]["weights"] for one in stored["scores"]}
            name = f"{json.dumps(stored['key'], sort_keys=True)} of {weights}"
        # What is computed twice, as its checkpoint was lost, is the same.
        assert found.setdefault(name, stored) == stored
    return found


def results(run: Path) -> dict[str, Any]:
    """result.json without the words of the command, which name a sweep's job otherwise."""
    return {key: value for key, value in (RunDir(run).result or {}).items() if key != "overrides"}


def kept(run: Path) -> tuple[list[str], Any, Any]:
    """The checkpoints of phases' ends and of the best state, and what is said of them."""
    names = sorted(path.name for path in run.glob("checkpoints/*-*"))
    facts = RunDir(run).info
    return names, facts.get("best"), facts.get("early_ends")


def chains(
    forker: Forker, folder: Path, number: int, seed: int, kinds: list[str]
) -> Iterator[Chain]:
    """So many chains, of each kind in turn; folders of whole ones are removed."""
    (folder / FILE).write_text("\n".join(SENTENCES))
    rng = random.Random(seed)
    wholes: dict[str, Straight] = {}
    for index in range(number):
        kind = kinds[index % len(kinds)]
        if kind not in wholes:
            wholes[kind] = straight(forker, folder / f"straight-{kind}", kind)
        place = folder / f"chain-{index}-{kind}"
        done = chain(forker, place, kind, wholes[kind], rng)
        if not (done.lost or done.differing):
            shutil.rmtree(place)
        yield done


def table(done: list[Chain]) -> list[str]:
    """The lines of the table: a kind a line, and the sum."""
    kinds = list(dict.fromkeys(chain.kind for chain in done))
    lines = [f"{'model':<12}{'chains':>8}{'kills':>8}{'lost':>8}{'differing':>11}"]
    for kind in [*kinds, "all"]:
        of_kind = [chain for chain in done if kind in (chain.kind, "all")]
        counts = Counter(lost=0, differing=0)
        for one in of_kind:
            counts.update(kills=one.kills, lost=bool(one.lost), differing=bool(one.differing))
        numbers = f"{counts['kills']:>8}{counts['lost']:>8}{counts['differing']:>11}"
        lines.append(f"{kind:<12}{len(of_kind):>8}{numbers}")
    return lines


def main(say: Callable[[str], None] = print) -> int:
    """Run the chains that the command line asks for; 1 where one is lost or differs."""
    parser = argparse.ArgumentParser(description="kill runs, go on with them, compare their ends")
    parser.add_argument("--chains", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", choices=RUNS, default=list(RUNS))
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gantext-torture-"))
    forker, done = Forker(), []
    for one in chains(forker, folder, asked.chains, asked.seed, asked.kinds):
        done.append(one)
        say(f"{len(done)}/{asked.chains} {one.kind}: {one.kills} kills {one.lost}{one.differing}")
    forker.close()
    say("\n".join(table(done)))
    bad = [one for one in done if one.lost or one.differing]
    say(f"what is wrong lies in {folder}" if bad else "all ended as if nothing had happened")
    if not bad:
        shutil.rmtree(folder)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
