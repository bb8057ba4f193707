"""BLEU and Self-BLEU of a run's samples or of a file, beside the real text's."""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gantext import config, data, schema
from gantext.errors import UserError
from gantext.metrics.corpus_bleu import corpus_bleu_score
from gantext.metrics.presets import bleu_scores, find_preset, self_bleu_scores
from gantext.metrics.score import Score, Setting
from gantext.run import RunDir
from gantext.settings import Device

Table = dict[str, list[Score]]


@dataclass(frozen=True)
class Asked:
    """What a user asked to be scored; `words` are a RUN and overrides in any order."""

    words: tuple[str, ...]
    samples: Path | None
    references: Path | None
    preset: str
    n: int | None
    temperature: float
    seed: int
    phase: str | None
    device: Device
    runs_dir: Path

    @property
    def overrides(self) -> list[str]:
        """Overrides of the data."""
        return [word for word in self.words if "=" in word]

    @property
    def run(self) -> str | None:
        """The run's name, None for the latest."""
        names = [word for word in self.words if "=" not in word]
        if len(names) > 1:
            raise UserError(f"one RUN at a time, not {' '.join(names)}")
        return names[0] if names else None


@dataclass(frozen=True)
class Material:
    """Sentences to score, their references, and the real sentences of the same origin."""

    name: str
    lines: Sequence[str]
    references: Sequence[str]
    real: Sequence[str]
    data_hash: str | None
    origin: dict[str, Setting]


def bleu_table(asked: Asked) -> Table:
    """BLEU-2..5 and corpus BLEU by source: the samples', and the training text's if known."""
    preset = find_preset(asked.preset)
    material = gather(asked, needs_references=True)

    def scores(lines: Sequence[str]) -> list[Score]:
        return [
            *bleu_scores(
                lines, material.references, preset, seed=asked.seed, data_hash=material.data_hash
            ),
            corpus_bleu_score(lines, material.references, data_hash=material.data_hash),
        ]

    return _beside_real(material, scores)


def self_bleu_table(asked: Asked) -> Table:
    """Self-BLEU-2..5 by source."""
    preset = find_preset(asked.preset)
    material = gather(asked, needs_references=False)

    def scores(lines: Sequence[str]) -> list[Score]:
        return self_bleu_scores(lines, preset, seed=asked.seed, data_hash=material.data_hash)

    return _beside_real(material, scores)


def _beside_real(material: Material, scores: Any) -> Table:
    found: Table = {
        material.name: [
            dataclasses.replace(s, signature={**s.signature, **material.origin})
            for s in scores(material.lines)
        ]
    }
    if material.real:
        found["real"] = [
            dataclasses.replace(s, name=f"real-{s.name}") for s in scores(material.real)
        ]
    return found


def gather(asked: Asked, needs_references: bool) -> Material:
    """Read or sample the sentences, and find their references and the real text."""
    corpus_cfg = config.compose_data(asked.overrides) if asked.overrides else None
    if asked.samples is not None:
        if asked.run is not None:
            raise UserError("give a RUN or --samples, not both")
        return _of_file(asked, asked.samples, corpus_cfg, needs_references)
    return _of_run(asked, corpus_cfg)


def _of_file(asked: Asked, path: Path, cfg: Any, needs_references: bool) -> Material:
    from gantext.data.text import read_lines

    lines = read_lines(path, [])
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]
    origin: dict[str, Setting] = {"samples": path.name, "samples_hash": digest}
    references, real, data_hash = _references(asked, cfg)
    if needs_references and not references:
        raise UserError("references are needed: data=NAME or --references FILE")
    return Material(path.name, lines, references, real, data_hash, origin)


def _references(asked: Asked, cfg: Any) -> tuple[Sequence[str], Sequence[str], str | None]:
    """(references, real sentences to compare with, hash of the data)."""
    if asked.references is not None:
        from gantext.data.text import read_lines

        lines = read_lines(asked.references, [])
        return lines, (), hashlib.sha256("\n".join(lines).encode()).hexdigest()
    if cfg is None:
        return (), (), None
    corpus = data.load(cfg)
    return corpus.test.text, corpus.train.text, corpus.hash


def _of_run(asked: Asked, cfg: Any) -> Material:
    from gantext.assemble import restore
    from gantext.sample import SamplingRequest, sample_trained

    run = RunDir.find(asked.run, asked.runs_dir)
    settings = schema.from_yaml(run.config)
    request = SamplingRequest(
        asked.n or settings.eval.samples, asked.temperature, seed=asked.seed, phase=asked.phase
    )
    references, real, data_hash = _references(asked, cfg or settings.data)
    lines, origin = sample_trained(restore(run, asked.device, asked.phase), request)
    return Material(run.path.name, lines, references, real, data_hash, origin)
