"""gantext eval: one command a kind of score, all with the same words and options."""

import inspect
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from gantext.cli import completion, tables
from gantext.cli.eval_tables import ScoreTables
from gantext.cli.formats import Format
from gantext.cli.options import (
    ConfigDir,
    Count,
    DeviceName,
    ForceJudge,
    FormatName,
    Json,
    JudgeName,
    KeptOf,
    PresetName,
    RunsDir,
    Samples,
    ScoredTemperature,
    Seed,
    SeedCount,
    Signatures,
    Words,
    form_of,
)
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.evaluation import measures
from gantext.evaluation.measure import SAMPLED, Command, Protocol, imported
from gantext.files import check_output
from gantext.metrics.score import shown as shown_value
from gantext.training.waiting import waiting

if TYPE_CHECKING:
    from gantext.evaluation.request import Asked
    from gantext.evaluation.table import Table


References = Annotated[Path | None, typer.Option(help="A file of references, one a line.")]
Draws = Annotated[
    int | None,
    typer.Option(min=1, help="Importance samples of a sentence (default: 500; eval all: 100)."),
]
Sentences = Annotated[int, typer.Option("-n", "--n", min=1, help="How many sentences.")]
Probes = Annotated[
    int, typer.Option("-n", "--n", min=1, help="Test sentences to fill, or pairs to join.")
]
Examples = Annotated[
    str, typer.Option(help="How many real examples classifiers get, numbers with commas between.")
]
Phase = Annotated[
    str | None,
    typer.Option(help="The runs as they were after this phase.", autocompletion=completion.phases),
]
Encoder = Annotated[
    str | None, typer.Option(help="A sentence-transformers model (default: all-MiniLM-L6-v2).")
]
Plot = Annotated[Path | None, typer.Option(help="Draw the table into this PNG file.")]
EXAMPLES = """[bold]Examples[/bold]

  gantext eval {0}

  gantext eval {0} RUN@mle RUN

  gantext eval {0} --samples samples.txt data=coco

  gantext eval {0} RUN --temperature 0.8 --json"""
MODEL_EXAMPLES = """[bold]Examples[/bold]

  gantext eval {0}

  gantext eval {0} RUN@vae RUN

  gantext eval {0} RUN --k 100 -n 10000 --json"""
PROBE_EXAMPLES = """[bold]Examples[/bold]

  gantext eval {0}

  gantext eval {0} RUN@vae RUN

  gantext eval {0} RUN -n 2000 --seed 1 --json"""
TEACHING_EXAMPLES = """[bold]Examples[/bold]

  gantext eval {0}

  gantext eval {0} RUN -n 2000 --examples 50,100 --seeds 5"""
RUN_EXAMPLES = """[bold]Examples[/bold]

  gantext eval {0}

  gantext eval {0} RUN RUN --json"""
PICTURE_EXAMPLES = """[bold]Examples[/bold]

  gantext eval {0}

  gantext eval {0} RUN RUN

  gantext eval {0} RUN -n 5000 --seed 1 --json"""
ALL = Command(
    title="all scores",
    about="Every score; what is stored already is read back.",
    options=SAMPLED | {"preset", "encoder", "k"},
)
DRAWS_OF_ALL = 100  # importance samples where they are one score among many


class Commands(TyperGroup):
    """A command for each measure, made when one of them, or their list, is asked for.

    The measures of installed packages are looked up by then, and not for `gantext --help`.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the order of the help."""
        return list(self._complete())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; None when there is none."""
        return self._complete().get(cmd_name)

    def _complete(self) -> Mapping[str, Any]:
        if "all" not in self.commands:
            made = typer.Typer(rich_markup_mode="rich")
            for measure, command in measures.commanded():
                register(made, measure.name, command, (measure.name, *command.also))
            register(made, "all", ALL, tuple(one.name for one in measures.of_all()))
            self.commands = {**get_group(made).commands, **self.commands}
        return self.commands


app = typer.Typer(
    cls=Commands,
    help="Score runs and files.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


def register(made: typer.Typer, name: str, command: Command, names: tuple[str, ...]) -> None:
    """Add the command that scores by the measures `names`.

    Raises:
        UserError: it asks for an option that there is not.
    """

    def scored(
        words: Words = None,
        samples: Samples = None,
        references: References = None,
        preset: PresetName = "texygen",
        n: Count = None,
        k: Draws = None,
        sentences: Sentences = Protocol.sentences,
        probes: Probes = Protocol.probes,
        examples: Examples = Protocol.examples,
        temperature: ScoredTemperature = None,
        candidates: KeptOf = 1,
        judge: JudgeName = None,
        force: ForceJudge = False,
        seed: Seed = None,
        seeds: SeedCount = command.seeds,
        phase: Phase = None,
        encoder: Encoder = None,
        plot: Plot = None,
        device: DeviceName = Device.auto,
        runs_dir: RunsDir = Path("runs"),
        config_dir: ConfigDir = None,
        signatures: Signatures = False,
        format: FormatName = Format.table,
        json: Json = False,
    ) -> None:
        from gantext.evaluation.request import Asked
        from gantext.inference.judges.choice import candidates_of

        asked = Asked(
            words=tuple(words or ()),
            samples=tuple(samples or ()),
            references=references,
            preset=preset,
            n=n,
            asked_temperature=temperature,
            asked_seed=seed,
            phase=phase,
            encoder=encoder,
            device=device,
            runs_dir=runs_dir,
            config_dir=config_dir,
            draws=k or (DRAWS_OF_ALL if command is ALL else Protocol.draws),
            sentences=sentences,
            probes=probes,
            examples=examples,
            seeds=seeds,
            candidates=candidates_of(candidates, judge, force, runs_dir),
        )
        _score(name, command, names, asked, plot, signatures, form_of(format, json))

    shown = _only(name, scored, command.options)
    made.command(name, help=command.about, epilog=_examples(names).format(name))(shown)


def _examples(names: tuple[str, ...]) -> str:
    """Examples of the command that scores by the measures `names`."""
    rows = [measures.find(name) for name in names]
    options = rows[0].command.options if rows[0].command else frozenset()
    if "examples" in options:
        return TEACHING_EXAMPLES
    if all(row.pictures for row in rows):
        return PICTURE_EXAMPLES if "n" in options else RUN_EXAMPLES
    if "sentences" in options:
        return MODEL_EXAMPLES
    return PROBE_EXAMPLES if "probes" in options else EXAMPLES


def _only(name: str, command: Callable[..., None], options: Set[str]) -> Callable[..., None]:
    """Hide from Typer those options that say nothing to this command."""
    signature = inspect.signature(command)
    if unknown := options - signature.parameters.keys():
        raise UserError(f"{name}: gantext eval has no option {', '.join(sorted(unknown))}")
    of_some = {name for row in measures.OWN if row.command for name in row.command.options}
    kept = [p for p in signature.parameters.values() if p.name in options or p.name not in of_some]
    shown: Any = command
    shown.__signature__ = signature.replace(parameters=kept)
    return command


def _score(
    name: str,
    command: Command,
    names: tuple[str, ...],
    asked: "Asked",
    plot: Path | None,
    signatures: bool,
    form: Format,
) -> None:
    from gantext.evaluation.document import scored_runs
    from gantext.evaluation.table import beside_real, to_csv

    if plot is not None:
        check_output(plot)
    of_text = asked.of_text
    if command is ALL:
        names = _there(names, of_text)
    found, interrupted = _computed(asked, names, tell=command is ALL)
    tables.notes(asked.notes)
    if not found:
        if interrupted is not None:
            raise interrupted
        raise UserError(f"{name}: {command.nothing}")
    for missing in asked.labels() - found.keys():
        tables.hint(f"{missing} is left out: {command.nothing}")
    if plot is not None and command.draw is not None:
        imported(command.draw)(found, plot)
    if form is Format.json:
        runs = scored_runs(found, asked.places)
        tables.print_json({"runs": runs, "notes": asked.notes})
    elif form is Format.csv:
        tables.print_csv(to_csv(found))
    else:
        by_preset = "preset" in command.options and of_text
        title = command.title + (f", preset {asked.preset}" if by_preset else "")
        over = f", mean ± sd over {asked.seeds} seeds" if asked.seeds > 1 else ""
        shown = ScoreTables(title + over, asked.data_name, signatures, form)
        shown.print(found if of_text else beside_real(found))
        if plot is not None:
            tables.hint(f"drawn in {plot}")
    if interrupted is not None:
        raise interrupted


def _computed(
    asked: "Asked", names: Sequence[str], tell: bool
) -> "tuple[Table, KeyboardInterrupt | None]":
    """The scores, and by what they were cut off, if they were: what is computed is stored by then.

    With `tell` each measure's are said as they come.
    """
    from gantext.evaluation.table import one_by_one, whole

    parts: list[Table] = []
    interrupted = None
    with waiting(tables.err, "reading runs and data") as say:
        try:
            for part in one_by_one(asked, names, say):
                parts.append(part)
                if tell:
                    _tell(part)
        except KeyboardInterrupt as error:
            if not tell:
                raise
            interrupted = error
    if interrupted is not None:
        left = len(names) - len(parts)
        tables.hint(f"interrupted: {left} of {len(names)} measures are left; the same words go on")
    return whole(asked, parts), interrupted


def _tell(part: "Table") -> None:
    for source, scores in part.items():
        if scores and source != "real":
            values = ", ".join(f"{one.name} {shown_value(one.value)}" for one in scores)
            tables.hint(f"{source}: {values}")


def _there(names: tuple[str, ...], of_text: bool) -> tuple[str, ...]:
    """The measures whose libraries are installed; says which of those asked for are not."""
    kept = []
    for row in map(measures.find, names):
        if row.missing is None:
            kept.append(row.name)
        elif row.pictures is not of_text:
            tables.hint(f"{row.name} is left out: it needs pip install '{row.missing}'")
    return tuple(kept)
