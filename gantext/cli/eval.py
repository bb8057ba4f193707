"""gantext eval: one command a kind of score, all with the same words and options."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gantext.cli import tables
from gantext.cli.kinds import KINDS, OWN_OPTIONS, Kind
from gantext.cli.options import (
    Count,
    DeviceName,
    Json,
    PresetName,
    RunsDir,
    Samples,
    Seed,
    Temperature,
    Words,
)
from gantext.config.settings import Device
from gantext.errors import UserError

if TYPE_CHECKING:
    from gantext.evaluation.request import Asked
    from gantext.evaluation.table import Table


app = typer.Typer(help="Score runs and files.", no_args_is_help=True, rich_markup_mode="rich")


References = Annotated[Path | None, typer.Option(help="A file of references, one a line.")]
Draws = Annotated[
    int | None,
    typer.Option(min=1, help="Importance samples of a sentence (default: 500; eval all: 100)."),
]
Sentences = Annotated[int, typer.Option("-n", "--n", min=1, help="How many test sentences.")]
Probes = Annotated[
    int, typer.Option("-n", "--n", min=1, help="Test sentences to fill, or pairs to join.")
]
Phase = Annotated[str | None, typer.Option(help="The runs as they were after this phase.")]
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
PICTURE_EXAMPLES = """[bold]Examples[/bold]

  gantext eval {0}

  gantext eval {0} RUN RUN

  gantext eval {0} RUN -n 5000 --seed 1 --json"""
DRAWS = {"latent": 500}
REAL_NOTE = "real: training sentences as hypotheses; above it is sharper than the data, not better"


def _register(name: str, kind: Kind) -> None:
    def command(
        words: Words = None,
        samples: Samples = None,
        references: References = None,
        preset: PresetName = "texygen",
        n: Count = None,
        k: Draws = None,
        sentences: Sentences = 1000,
        probes: Probes = 500,
        temperature: Temperature = 1.0,
        seed: Seed = 0,
        phase: Phase = None,
        encoder: Encoder = None,
        plot: Plot = None,
        device: DeviceName = Device.auto,
        runs_dir: RunsDir = Path("runs"),
        json: Json = False,
    ) -> None:
        from gantext.evaluation.request import Asked

        asked = Asked(
            tuple(words or ()),
            tuple(samples or ()),
            references,
            preset,
            n,
            temperature,
            seed,
            phase,
            encoder,
            device,
            runs_dir,
            k or DRAWS.get(name, 100),
            sentences,
            probes,
        )
        _score(name, kind, asked, plot, json)

    examples = PROBE_EXAMPLES if "probes" in kind.options else EXAMPLES
    examples = MODEL_EXAMPLES if "sentences" in kind.options else examples
    examples = PICTURE_EXAMPLES if name == "pictures" else examples
    app.command(name, help=kind.about, epilog=examples.format(name))(_only(command, kind))


def _only(command: Callable[..., None], kind: Kind) -> Callable[..., None]:
    """Hide from Typer those options that say nothing to this command."""
    signature = inspect.signature(command)
    hidden = (OWN_OPTIONS - kind.options) | kind.hidden
    kept = [p for p in signature.parameters.values() if p.name not in hidden]
    shown: Any = command
    shown.__signature__ = signature.replace(parameters=kept)
    return command


for _name, _one in KINDS.items():
    _register(_name, _one)


def _score(name: str, kind: Kind, asked: "Asked", plot: Path | None, json: bool) -> None:
    from gantext.evaluation.table import beside_real, score_all

    measures = kind.measures
    if name == "all" and asked.of_text and not _has_encoder():
        measures = tuple(one for one in measures if one != "frechet")
        tables.hint("frechet is left out: it needs pip install 'gantext[frechet]'")
    with tables.working() as say:
        found = score_all(asked, measures, say)
    if not found:
        raise UserError(f"{name}: {kind.nothing}")
    for missing in asked.labels() - found.keys():
        tables.hint(f"{missing} is left out: {kind.nothing}")
    if plot is not None:
        _draw(found, plot)
    if json:
        tables.print_json([score.to_json() for scores in found.values() for score in scores])
        return
    by_preset = "preset" in kind.options and asked.of_text
    title = kind.title + (f", preset {asked.preset}" if by_preset else "")
    _show(name, title, found if asked.of_text else beside_real(found))
    if "real" in found:
        tables.out.print(f"  {REAL_NOTE}", style="dim", soft_wrap=True)
    if plot is not None:
        tables.hint(f"drawn in {plot}")


def _show(name: str, title: str, found: "Table") -> None:
    """The table of scores; those by length in one of their own, with counts."""
    from gantext.evaluation import by_length
    from gantext.metrics.signatures import signature_lines

    whole = {source: by_length.others(scores) for source, scores in found.items()}
    if any(whole.values()):
        tables.score_table(title, {source: scores for source, scores in whole.items() if scores})
    if name not in ("lengths", "all"):
        return
    columns, rows = by_length.rows(found)
    if not rows:
        return
    tables.table("by sentence length (number of sentences)", columns, rows)
    if name == "lengths":
        for line in signature_lines(found):
            tables.out.print(f"  {line}", style="dim", soft_wrap=True, markup=False)


def _has_encoder() -> bool:
    from importlib.util import find_spec

    return find_spec("sentence_transformers") is not None


def _draw(found: "Table", path: Path) -> None:
    from gantext.evaluation.by_length import draw

    draw(found, path)
