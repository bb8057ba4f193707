"""Options that several commands share, each written once."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gantext.cli import completion
from gantext.cli.formats import Format
from gantext.config import groups
from gantext.config.settings import Device
from gantext.data import ranges
from gantext.errors import UserError
from gantext.files import check_output, is_stdout, is_stream
from gantext.inference.options import How
from gantext.metrics.text.planes import PlaneName
from gantext.metrics.text.presets import PRESETS

if TYPE_CHECKING:
    from gantext.evaluation.request import Asked


# Which run, and in which state.
Run = Annotated[
    str | None, typer.Argument(help="A run's folder or name.", autocompletion=completion.runs)
]
RunAtPhase = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN[@PHASE]]", help="A run's folder or name.", autocompletion=completion.runs
    ),
]
GivenRun = Annotated[
    str,
    typer.Argument(
        help="A run's folder or name, or latest.",
        autocompletion=completion.runs,
        show_default=False,
    ),
]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN[@PHASE]]... [data=NAME]...",
        help="Runs (default: the latest), and the data to score against (default: theirs).",
        autocompletion=completion.runs_or_data,
        show_default=False,
    ),
]
Phase = Annotated[
    str | None,
    typer.Option(
        help="The run as it was at the end of this phase; best: when it was.",
        autocompletion=completion.phases,
    ),
]
WHERE = "Where"  # a panel of the help
RunsDir = Annotated[Path, typer.Option(help="Where the runs are.", rich_help_panel=WHERE)]
ConfigDir = Annotated[
    Path | None,
    typer.Option(
        help="A folder of your own configs (model/, data/, experiment/); without it, that of "
        f"{groups.OWN}.",
        rich_help_panel=WHERE,
    ),
]

# What is read and written.
SentenceFile = Annotated[
    Path,
    typer.Argument(help="Sentences, one a line; .gz is unpacked; - is stdin.", show_default=False),
]
Samples = Annotated[
    list[Path] | None,
    typer.Option(help="Score this file too, one sentence a line; may be repeated."),
]
TableFile = Annotated[Path | None, typer.Option(help="Write the table to a file; - is stdout.")]
PngFile = Annotated[Path, typer.Option(help="The PNG file; - is stdout.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
FormatName = Annotated[
    Format, typer.Option("--format", help="What is printed; csv has all digits, latex booktabs.")
]
Signatures = Annotated[
    bool, typer.Option("--signatures", help="All that each score was computed under.")
]


def within(kind: Any) -> Callable[[typer.CallbackParam, Any], Any]:
    """A check of an option's number by the range of a type of a config's numbers."""
    bounds = ranges.range_of(kind)
    assert bounds is not None

    def checked(option: typer.CallbackParam, number: Any) -> Any:
        fault = None if number is None else bounds.fault(number)
        if fault is not None:
            raise UserError(f"{option.opts[0]} {number}: {fault}")
        return number

    return checked


_AS_SAMPLED, _AS_SEED = within(ranges.GreedyTemperature), within(ranges.Seed)

# How samples are drawn and scored.
MOST_SEEDS = 1000
DeviceName = Annotated[Device, typer.Option(help="Where to compute.", rich_help_panel=WHERE)]
Temperature = Annotated[
    float, typer.Option(callback=_AS_SAMPLED, help="1 is the model's own, 0 is greedy.")
]
SampleSeed = Annotated[int, typer.Option(callback=_AS_SEED, help="Seed of the samples.")]
ScoredTemperature = Annotated[
    float | None,
    typer.Option(
        callback=_AS_SAMPLED,
        help="1 is the model's own, 0 is greedy (default: eval.temperature of the run).",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        callback=_AS_SEED, help="Seed of samples and shuffles (default: eval.seed of the run)."
    ),
]
Seeds = Annotated[
    str | None,
    typer.Option(
        help="How many seeds of samples, from the first on, or which, with commas between "
        "(default: eval.seed of the run)."
    ),
]
SeedCount = Annotated[
    int,
    typer.Option(
        min=1,
        max=MOST_SEEDS,
        help="Draw the samples with so many seeds, from the first on: mean and sd.",
    ),
]
Count = Annotated[
    int | None,
    typer.Option(
        "-n",
        callback=within(ranges.Rows),
        help="How many to sample (default: eval.samples of the run).",
    ),
]
KeptOf = Annotated[
    int,
    typer.Option(
        "--candidates", min=1, help="Keep one of so many sentences, by a judge that is checked."
    ),
]
JudgeName = Annotated[
    str | None,
    typer.Option(
        "--judge",
        help="discriminator, lm-ratio, encoder, encoder:FOLDER, or another RUN, by its "
        "discriminator or else its likelihood (default: the first of the former two that knows "
        "something).",
        autocompletion=completion.judges,
        show_default=False,
    ),
]
ForceJudge = Annotated[
    bool, typer.Option("--force", help="Also by a judge that knows nothing of held-out sentences.")
]
PresetName = Annotated[
    str,
    typer.Option(
        help=f"BLEU protocol: {', '.join(PRESETS)}.",
        autocompletion=completion.presets,
    ),
]
Plane = Annotated[
    PlaneName | None,
    typer.Option(
        help="What stands on the axes: BLEU and Self-BLEU, nll-oracle and nll-test, or scores of "
        "language models (default: oracle where the true distribution is known, else bleu).",
        show_default=False,
    ),
]
Order = Annotated[
    int | None,
    typer.Option(
        min=2, max=5, metavar="N", help="N of --plane bleu (default: 4).", show_default=False
    ),
]
At = Annotated[
    float | None,
    typer.Option(
        metavar="VALUE",
        help="Read curves where the other score has this value (default: the real text's own; "
        "of --plane oracle nll-test 8 on the papers' oracle, or the lowest that all reach).",
        show_default=False,
    ),
]

# How a latent vector is decoded.
DecodedHow = Annotated[How, typer.Option(help="How sentences are decoded.")]
DecodedBeam = Annotated[int, typer.Option(min=1, help="Hypotheses of --how beam.")]
DecodedTemperature = Annotated[float, typer.Option(callback=_AS_SAMPLED, help="Of --how sample.")]
DecodedSeed = Annotated[int, typer.Option(callback=_AS_SEED, help="Seed of --how sample.")]

TEMPERATURES = "0.5,0.6,0.7,0.8,0.9,1.0,1.1,1.2"


def numbers(text: str, option: str) -> list[float]:
    """Numbers of an option, with commas between. Raises UserError."""
    try:
        found = [float(word) for word in text.split(",") if word.strip()]
    except ValueError:
        found = []
    if not found or not all(0 <= value < 1e9 for value in found):
        raise UserError(f"{option} {text}: numbers with commas between are needed, e.g. 0.8,1.0")
    return found


def seeds_of(text: str | None, asked: "Asked") -> list[int]:
    """The seeds of --seeds: so many, or those with commas between. Raises UserError."""
    if text is None:
        return [asked.seed]
    seeds = [int(seed) for seed in numbers(text, "--seeds")]
    if "," in text:
        return seeds
    if not 1 <= seeds[0] <= MOST_SEEDS:
        raise UserError(
            f"--seeds {text}: how many seeds, 1 to {MOST_SEEDS:,}, or which, as in 0,1,2 or 7,"
        )
    return list(range(asked.seed, asked.seed + seeds[0]))


def asked_for(
    words: list[str] | None,
    samples: list[Path] | None,
    preset: str,
    n: int | None,
    seed: int | None,
    device: Device,
    runs_dir: Path,
    config_dir: Path | None = None,
    seeds: int = 1,
) -> "Asked":
    """What is scored, at the temperature of the first run's own scores."""
    from gantext.evaluation.request import Asked

    return Asked(
        words=tuple(words or ()),
        samples=tuple(samples or ()),
        references=None,
        preset=preset,
        n=n,
        asked_temperature=None,
        asked_seed=seed,
        phase=None,
        encoder=None,
        device=device,
        runs_dir=runs_dir,
        config_dir=config_dir,
        seeds=seeds,
    )


def form_of(format: Format, json: bool) -> Format:
    """What is printed: --json is short for --format json. Raises UserError for two of them."""
    if json and format not in (Format.table, Format.json):
        raise UserError(f"--json and --format {format}: leave one out")
    return Format.json if json else format


def check_out(out: Path | None, json: bool) -> None:
    """Refuse what cannot be written to, and stdout where JSON goes there. Raises UserError."""
    if out is None:
        return
    if json and is_stdout(out):
        raise UserError(f"--out {out} and --json both write to stdout: leave one out")
    check_output(out)


def check_png(out: Path, json: bool) -> None:
    """Refuse a file that no PNG can be written to. Raises UserError."""
    named = out.suffix.lower() == ".png" or is_stdout(out) or is_stream(out)
    if not named and not out.is_dir():
        raise UserError(f"--out {out}: the figure is a PNG, so its name has to end in .png")
    check_out(out, json)
