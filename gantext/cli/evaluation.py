"""gantext eval bleu, self-bleu."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import completion, tables
from gantext.settings import Device

if TYPE_CHECKING:
    from gantext.evaluation import Asked, Table

app = typer.Typer(help="Score a run or a file.", no_args_is_help=True, rich_markup_mode="rich")


def run_or_override(incomplete: str) -> list[str]:
    """Completions of a RUN or of data=NAME."""
    if incomplete.startswith("data"):
        return completion.overrides(incomplete)
    return completion.runs(incomplete)


Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN] [data=NAME]...",
        help="A run (default: the latest), or the data whose test split is the reference.",
        autocompletion=run_or_override,
        show_default=False,
    ),
]
Samples = Annotated[Path | None, typer.Option(help="Score this file, one sentence a line.")]
References = Annotated[Path | None, typer.Option(help="A file of references, one a line.")]
PresetName = Annotated[
    str,
    typer.Option(help="Protocol: texygen, texygen-fast, leakgan, relgan or textgan."),
]
Count = Annotated[int | None, typer.Option("-n", min=1, help="How many sentences to sample.")]
Temperature = Annotated[float, typer.Option(min=0.0, help="Sampling temperature.")]
Seed = Annotated[int, typer.Option(help="Seed of samples and shuffles.")]
Phase = Annotated[str | None, typer.Option(help="The run as it was at the end of this phase.")]
DeviceName = Annotated[Device, typer.Option("--device", help="Where to compute.")]
RunsDir = Annotated[Path, typer.Option(help="Where the runs are.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
EXAMPLES = """[bold]Examples[/bold]

  gantext eval {0}

  gantext eval {0} --samples samples.txt data=coco

  gantext eval {0} RUN --preset relgan --temperature 0.8 --json"""


def _asked(
    words: list[str] | None,
    samples: Path | None,
    references: Path | None,
    preset: str,
    n: int | None,
    temperature: float,
    seed: int,
    phase: str | None,
    device: Device,
    runs_dir: Path,
) -> "Asked":
    from gantext.evaluation import Asked

    return Asked(
        tuple(words or ()),
        samples,
        references,
        preset,
        n,
        temperature,
        seed,
        phase,
        device,
        runs_dir,
    )


@app.command(epilog=EXAMPLES.format("bleu"))
def bleu(
    words: Words = None,
    samples: Samples = None,
    references: References = None,
    preset: PresetName = "texygen",
    n: Count = None,
    temperature: Temperature = 1.0,
    seed: Seed = 0,
    phase: Phase = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """BLEU-2..5 against all references, and sacreBLEU's corpus BLEU, beside real text's."""
    from gantext.evaluation import bleu_table

    asked = _asked(
        words, samples, references, preset, n, temperature, seed, phase, device, runs_dir
    )
    _show("BLEU", asked, bleu_table(asked), json)


@app.command("self-bleu", epilog=EXAMPLES.format("self-bleu"))
def self_bleu(
    words: Words = None,
    samples: Samples = None,
    references: References = None,
    preset: PresetName = "texygen",
    n: Count = None,
    temperature: Temperature = 1.0,
    seed: Seed = 0,
    phase: Phase = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Self-BLEU-2..5: each sentence against all the others; lower is more diverse."""
    from gantext.evaluation import self_bleu_table

    asked = _asked(
        words, samples, references, preset, n, temperature, seed, phase, device, runs_dir
    )
    _show("Self-BLEU", asked, self_bleu_table(asked), json)


def _show(title: str, asked: "Asked", found: "Table", json: bool) -> None:
    if json:
        tables.print_json([score.to_json() for scores in found.values() for score in scores])
        return
    tables.score_table(f"{title}, preset {asked.preset}", found)
    if "real" in found:
        tables.out.print(
            "  real: training sentences as hypotheses; above it is sharper than the data, not "
            "better",
            style="dim",
            soft_wrap=True,
        )
