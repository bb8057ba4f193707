"""RunDir: one folder a run, and the only module that knows the names of its files.

config.yaml       the composed settings          vocabulary.json  words and tokenizer
run.json          status, versions, data hash    metrics.jsonl    one line a report
checkpoints/      see checkpoint.py              samples/         sentences, or see pictures.py
scores/           one JSON file a signature      tensorboard/     event files
plots/            figures                        train.log        everything that was said
result.json       final scores, or the error     diverged/        the batch that it diverged at
"""

import contextlib
import dataclasses
import functools
import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gantext.config.words import command
from gantext.errors import UserError
from gantext.files import Held, hold, is_held
from gantext.records.content import Damaged
from gantext.records.json_file import fitting
from gantext.records.rows import Row
from gantext.runs import migrations, shapes, stored_checkpoint
from gantext.runs.changes import Part
from gantext.runs.enclosed import Enclosed
from gantext.runs.kinds import Kind, kind_by, model_kind
from gantext.runs.pictures import LINES, PictureFiles
from gantext.runs.shapes import Facts, Result, StoredScores
from gantext.runs.stored_checkpoint import StoredCheckpoint

if TYPE_CHECKING:
    from gantext.config.settings import Settings
    from gantext.data.vocabulary import Vocabulary
    from gantext.runs.checkpoint import Checkpoint

logger = logging.getLogger(__name__)
C = TypeVar("C", "Checkpoint", StoredCheckpoint)

CONFIG, INFO, RESULT, LOCK = "config.yaml", "run.json", "result.json", ".lock"


class RunDir:
    """A run's folder. `create` makes one; the writer holds `lock`.

    It may come from a stranger: `files` reaches what is in it through no symbolic link.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = Enclosed(path)
        self.config = path / CONFIG
        self.log = path / "train.log"
        self.tensorboard = path / "tensorboard"
        self.plots = path / "plots"
        self.checkpoints = path / "checkpoints"
        self.bad_step = path / "diverged"
        self.pictures = PictureFiles(self.files)
        self._lock = path / LOCK
        self._metrics = path / "metrics.jsonl"
        self.vocabulary_file = path / "vocabulary.json"

    @classmethod
    def create(
        cls,
        path: Path,
        config: str,
        vocabulary: Any,
        info: dict[str, Any],
        captions: tuple[str, ...] = (),
    ) -> "RunDir":
        """Make a new run folder whole or not at all; refuses one that holds a run already.

        A vocabulary may be None.
        """
        run = cls(path)
        if run.config.exists():
            raise run.taken
        path.mkdir(parents=True, exist_ok=True)
        before = set(path.iterdir())
        try:
            if vocabulary is not None:
                text = json.dumps(vocabulary, ensure_ascii=False)
                run.files.write(run.vocabulary_file, text.encode())
            run.pictures.save_captions(captions)
            run.update(format=migrations.FORMAT, created=time.strftime("%Y-%m-%d %H:%M:%S"), **info)
            run.files.write(run.config, config.encode())
        except OSError:  # such as a full disk
            for half in set(path.iterdir()) - before:
                half.unlink()
            raise
        return run

    @property
    def taken(self) -> UserError:
        """What to say where a new run would begin in the folder of this one."""
        return UserError(
            f"{self.path} holds a run already: go on with it by "
            + command("train", "--resume", self.path)
        )

    def readable(self) -> "RunDir":
        """The run itself. Raises NewerFormat where this code would misread it."""
        migrations.format_of(self.path.name, self._facts)
        return self

    def name_in(self, runs_dir: Path) -> str:
        """The run's name as `listing.find` takes it."""
        return os.path.relpath(self.path, os.path.realpath(runs_dir))

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for writing; a second process is refused.

        When the block ends and no run has come of the folder, the lock and the folder go.
        """
        self.files.check()
        try:
            with hold(self._lock):
                try:
                    yield
                finally:
                    self._remove_if_no_run()
        except Held as error:
            raise UserError(f"{self.path} is in use by process {error.holder}") from error

    def _remove_if_no_run(self) -> None:
        if not self.config.exists():
            self._lock.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # it holds other files
                self.path.rmdir()

    @property
    def info(self) -> Facts:
        """What run.json says of the run, in today's words. Raises UserError."""
        facts = self._facts
        values = migrations.migrated(facts, migrations.format_of(self.path.name, facts), Part.facts)
        return fitting(self.path / INFO, Facts, values)

    @property
    def _facts(self) -> dict[str, Any]:
        """What run.json says of the run, in the words of its format."""
        return {**(self.files.json(self.path / INFO, shapes.VERSION) or {})}

    @property
    def status(self) -> str:
        """new, running, stopped, failed, diverged, finished; killed where nobody runs it."""
        return self.status_by(self.info)

    def status_by(self, info: Facts) -> str:
        """The same by what run.json has been read to say."""
        status = info.get("status", "unknown")
        return "killed" if status in ("new", "running") and not is_held(self._lock) else status

    @property
    def divergence(self) -> str | None:
        """When and by what a run diverged, and its last good checkpoint; None where it did not."""
        return str((self.result or {}).get("error")) if self.status == "diverged" else None

    @functools.cached_property
    def settings(self) -> "Settings":
        """What config.yaml says, in today's words, read and checked once. Raises UserError."""
        from gantext.config import schema

        values = self.values
        try:
            return schema.of_values(values)
        except UserError as error:
            raise Damaged(self.config, f"{error}{migrations.written_by(self._facts)}") from error

    @functools.cached_property
    def values(self) -> dict[str, Any]:
        """The plain values of config.yaml, in today's words, not checked yet. Raises UserError."""
        return migrations.config_values(self.config, self._facts)

    @property
    def config_text(self) -> str:
        """What config.yaml says, as it is written. Raises UserError."""
        from gantext.records import yaml_file

        return yaml_file.read_text(self.config, self.path)

    def upgrade(self) -> None:
        """Write a run of an older format as one of today's, as which it goes on."""
        from gantext.config import schema

        if migrations.format_of(self.path.name, self._facts) < migrations.FORMAT:
            self.files.write(self.config, schema.to_yaml(self.settings).encode())
            self.update(format=migrations.FORMAT)

    @property
    def kind(self) -> Kind[Any, Any]:
        """What its model makes, as run.json tells without loading the model."""
        return kind_by(self.info)

    def refusal(self, why: str) -> UserError:
        """What to say where the run makes the wrong kind of thing; `why` says what is needed."""
        model = self.settings.model.name
        return UserError(
            f"{self.path.name} is a run of model={model}, which {model_kind(model).does}: {why}"
        )

    def remove_leftovers(self) -> None:
        """Remove half-written files that a kill left; only for the holder of the lock."""
        from gantext.runs import checkpoint

        checkpoint.remove_leftovers(self.checkpoints)
        self.files.remove_half_written()

    def update(self, **values: Any) -> None:
        """Change entries of run.json."""
        self.files.write_json(self.path / INFO, {**self.info, **values})

    @property
    def vocabulary(self) -> "Vocabulary | None":
        """The words of its text or captions; None where there are none. Raises UserError."""
        from gantext.data.vocabulary import FILE, Vocabulary

        record = self.files.json(self.vocabulary_file, FILE)
        try:
            return None if record is None else Vocabulary.from_json(record)
        except UserError as error:
            raise Damaged(self.vocabulary_file, str(error)) from error

    def append_metrics(self, row: dict[str, Any]) -> None:
        """Add one line to metrics.jsonl."""
        self.files.append(self._metrics, json.dumps(row))

    def metrics(self) -> list[Row]:
        """All lines of metrics.jsonl, but for a last one that a kill left half written."""
        return self.files.rows(self._metrics)

    def metrics_size(self) -> int:
        """Bytes written to metrics.jsonl, which a checkpoint remembers."""
        return self.files.size(self._metrics)

    def cut_metrics(self, size: int) -> None:
        """Drop what was written after the checkpoint that a run goes on from."""
        self.files.cut(self._metrics, size)

    def save_checkpoint(self, tree: dict[str, Any], step: int, phase: str | None, keep: int) -> str:
        """Write the checkpoint of a step; with `phase` it ends that phase and is always kept.

        Returns the digest of its weights.
        """
        from gantext.runs import checkpoint

        return checkpoint.save(self.checkpoints, tree, step, phase, keep)

    def load_checkpoint(self, phase: str | None = None) -> tuple[dict[str, Any] | None, list[str]]:
        """The newest whole checkpoint (of the end of `phase`, if named), and what was damaged."""
        from gantext.runs import checkpoint

        found, damaged = checkpoint.newest(self.checkpoints, phase)
        return (found.tree if found else None), damaged

    def checkpoint(self, phase: str | None = None, moments: bool = True) -> "Checkpoint":
        """The newest whole checkpoint, `moments` as in `checkpoint.load`. Raises UserError."""
        from gantext.runs import checkpoint

        return self._there(phase, *checkpoint.newest(self.checkpoints, phase, moments))

    def stored_checkpoint(self, phase: str | None = None) -> StoredCheckpoint:
        """The files of the newest whole checkpoint, as `checkpoint`, without torch."""
        return self._there(phase, *stored_checkpoint.newest(self.checkpoints, phase))

    def _there(self, phase: str | None, found: C | None, damaged: list[str]) -> C:
        if found is None:
            raise self.no_checkpoint(phase)
        if self.divergence:
            logger.warning("note: %s %s", self.path.name, self.divergence)
        return dataclasses.replace(found, damaged=tuple(damaged))

    def last_checkpoint(self) -> Path | None:
        """The folder of the newest checkpoint, whole or not; None where there is none."""
        exported = self.path if stored_checkpoint.is_export(self.path) else None
        return max(stored_checkpoint.folders(self.checkpoints), default=exported)

    def no_checkpoint(self, phase: str | None) -> UserError:
        """What to say when there is no whole checkpoint."""
        if self.divergence:
            return UserError(f"{self.path} {self.divergence}")
        return UserError(stored_checkpoint.none_said(self.path, phase, self.phase_ends()))

    def phase_ends(self) -> list[str]:
        """Names of the phases whose end is kept, in order."""
        return list(self.phase_steps())

    def phase_steps(self) -> dict[str, int]:
        """The step at which each phase ended whose end is kept, in order."""
        return stored_checkpoint.phase_steps(self.checkpoints)

    def save_samples(self, name: str, lines: list[str]) -> None:
        """Write samples, one sentence a line."""
        path = self.path / "samples" / f"{name}.txt"
        self.files.write(path, "".join(line + "\n" for line in lines).encode())

    def samples(self, name: str) -> list[str]:
        """Samples stored under a name; none when there are none."""
        return self.files.lines(self.path / "samples" / f"{name}.txt", LINES)

    def save_scores(self, name: str, document: Any) -> None:
        """Store a document of scores under a name, with its checksum."""
        path = self.path / "scores" / f"{name}.json"
        self.files.write_json(path, shapes.sealed(document))

    def scores(self, name: str) -> StoredScores | None:
        """A stored document of scores, or None.

        Raises:
            UserError: it cannot be read, or it is not as it was stored.
        """
        path = self.path / "scores" / f"{name}.json"
        return shapes.unchanged(path, self.files.json(path, shapes.SCORES))

    def save_result(self, result: dict[str, Any]) -> None:
        """Write the job's result, which a sweep's table is made from."""
        self.files.write_json(self.path / RESULT, result)

    @property
    def result(self) -> Result | None:
        """The job's result, or None while there is none. Raises UserError."""
        return self.files.json(self.path / RESULT, shapes.RESULT)
