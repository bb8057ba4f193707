"""The model card of an export: README.md as the hub of Hugging Face reads it.

A YAML head (license, tags, scores as a model-index), then what a person wants to know: what it was
trained on, how to load it, what its scores are and under which protocol.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from gantext import models
from gantext.config import groups
from gantext.files import visible
from gantext.metrics.score import HASH_DIGITS, Score, shown
from gantext.metrics.signatures import own_name, signature_lines
from gantext.models.contract import Ability
from gantext.runs.checkpoint import Checkpoint
from gantext.runs.folder import RunDir
from gantext.runs.kinds import PICTURES
from gantext.runs.summary import clock, phase_scores

REAL = "real-"  # how the names of real text's scores begin
SHOWN = 8  # sentences


def card(run: RunDir, found: Checkpoint, phase: str | None) -> str:
    """What README.md says of a run at a checkpoint; `phase` is the one that was named."""
    steps = run.phase_steps()
    behind = [name for name, step in steps.items() if step <= found.step]
    scores = {name: own for name, own in phase_scores(run).items() if name in behind}
    last = next(reversed(scores), None)
    name = f"{run.path.name}@{phase}" if phase else run.path.name
    parts = [
        f"---\n{yaml.safe_dump(_head(run, name, scores.get(last or '', [])), sort_keys=False)}---",
        f"# {_plain(name)}\n\n{_about(run)}",
        f"## How to load it\n\n{LOADING}",
        f"## How it was trained\n\n{_training(run, found, steps, behind)}",
        *([f"## Scores\n\n{_scores(scores)}"] if scores else []),
        *_samples(run, phase or last),
        f"## Before it is shared\n\n{SHARING}",
    ]
    return "\n\n".join(parts) + "\n"


LOADING = """```python
import gantext

run = gantext.load_run("this/folder")
run.sample(4)
```

The commands of gantext take the folder as a run: `gantext sample`, `score`, `eval`, and `gantext
pretrain --from` to go on from its weights. Nothing in it is code, and nothing is unpickled."""
SHARING = """The license is yours to say: `license` above is `unknown`. A model can repeat
sentences of its training data, and config.yaml names that data, with its folders; whether either
may be shared, you have to know."""


def _head(run: RunDir, name: str, scores: Sequence[Score]) -> dict[str, Any]:
    """The YAML head; its keys are the hub's."""
    settings, task = run.settings, _task(run)
    own = [score for score in scores if not score.name.startswith(REAL)]
    metrics = [
        {"type": s.name, "name": s.name, "value": s.value} for s in own if s.value == s.value
    ]
    data = settings.data.name
    result = {
        "task": {"type": task},
        "dataset": {"type": data, "name": data, "revision": run.info.get("data", "")},
        "metrics": metrics,
    }
    index = [{"name": visible(name), "results": [result]}] if metrics else []
    return {
        "library_name": "gantext",
        "license": "unknown",
        "pipeline_tag": task,
        "tags": ["gantext", settings.model.name],
        **({"model-index": index} if index else {}),
    }


def _task(run: RunDir) -> str:
    """What the hub calls what the model does."""
    if run.kind is not PICTURES:
        return "text-generation"
    follows = Ability.illustrate in models.abilities(run.settings.model.name)
    return "text-to-image" if follows else "unconditional-image-generation"


def _about(run: RunDir) -> str:
    settings = run.settings
    what = groups.describe("model", settings.model.name)
    return (
        f"A model of gantext {run.info.get('gantext', '')}: `model={settings.model.name}`"
        f"{f' ({_plain(what)})' if what else ''}, trained on `data={settings.data.name}`."
    )


def _training(
    run: RunDir, found: Checkpoint, steps: Mapping[str, int], behind: Sequence[str]
) -> str:
    """A table of what the weights came of."""
    info, settings, vocabulary = run.info, run.settings, run.vocabulary
    origin = info.get("origin", {})
    phases = (f"{name} (to step {steps[name]:,})" for name in behind)
    facts = {
        "data": f"{settings.data.name}, {info.get('train_size', 0):,} to train on",
        "hash of the data": info.get("data"),
        "vocabulary": f"{len(vocabulary):,} words" if vocabulary else None,
        "phases": ", ".join(phases) or None,
        "step": f"{found.step:,}",
        "began with": origin.get("run"),
        "seed": settings.seed,
        "training time": clock(info["seconds"]) if "seconds" in info else None,
        "weights": f"{found.digest[:HASH_DIGITS]} (of the run's checkpoint, as signatures have it)",
        "torch": info.get("torch"),
    }
    rows = [(key, str(value)) for key, value in facts.items() if value not in (None, "")]
    return _table(["", ""], rows)


def _scores(scores: Mapping[str, Sequence[Score]]) -> str:
    """Rows of scores, columns of phases, real text's in a row of their own; signatures below."""
    values = {phase: {s.name: s.value for s in own} for phase, own in scores.items()}
    names = dict.fromkeys(name for own in values.values() for name in own)
    rows = [(_named(name), *(shown(values[phase].get(name)) for phase in scores)) for name in names]
    signatures = "\n".join(f"- `{_coded(line)}`" for line in signature_lines(scores))
    return f"{_table(['score', *scores], rows)}\n\nComputed under:\n\n{signatures}"


def _named(name: str) -> str:
    return f"{own_name(name)} of the real data" if name.startswith(REAL) else name


def _samples(run: RunDir, phase: str | None) -> list[str]:
    """The first sentences that were scored at the end of a phase, as they are."""
    lines = run.samples(phase)[:SHOWN] if phase else []
    if not lines:
        return []
    return ["## Samples\n\n" + "\n".join(f"    {visible(line)}" for line in lines)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_plain, line)) + " |" for line in lines)


def _plain(text: str) -> str:
    """Text as Markdown shows it, that may come from anywhere."""
    escaped = "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in visible(text))
    return " ".join(escaped.split())


def _coded(text: str) -> str:
    """The same between backticks."""
    return " ".join(visible(text).replace("`", "'").split())
