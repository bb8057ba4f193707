"""gantext sample."""

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gantext.cli import tables
from gantext.cli.options import (
    ConfigDir,
    DeviceName,
    ForceJudge,
    Json,
    JudgeName,
    KeptOf,
    Phase,
    Run,
    RunsDir,
    SampleSeed,
    Temperature,
    check_out,
    check_png,
)
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.training.terminal import say, tell
from gantext.training.waiting import waiting

if TYPE_CHECKING:
    from gantext import api
    from gantext.inference.candidates import Chooser
    from gantext.inference.drawing import PictureRequest
    from gantext.inference.request import SamplingRequest
    from gantext.inference.sampling import Written
    from gantext.runs.kinds import Kind


Count = Annotated[
    int | None, typer.Option("-n", min=1, help="How many (default: 10 sentences or 25 pictures).")
]
TopK = Annotated[int, typer.Option(min=0, help="Keep the k likeliest words (0: all).")]
TopP = Annotated[float, typer.Option(help="Nucleus: keep this much probability.")]
Greedy = Annotated[bool, typer.Option("--greedy", help="Always the likeliest word.")]
Prompt = Annotated[
    str | None, typer.Option(help="The first words of each sentence.", show_default=False)
]
Label = Annotated[
    str | None,
    typer.Option(help="The class of all sentences, of a model of classes.", show_default=False),
]
Likelihood = Annotated[
    bool,
    typer.Option(
        "--likelihood",
        help="Log p of each sentence by the model itself (at temperature 1): nats, <eos> and the "
        "prompt counted.",
    ),
]
Captions = Annotated[
    list[str] | None,
    typer.Option(help="Draw n pictures of this caption; may be repeated (8 of each)."),
]
Columns = Annotated[int | None, typer.Option(min=1, help="Pictures in a row.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Write to a file: one sentence a line, or a PNG grid; - is stdout."),
]
Csv = Annotated[
    bool, typer.Option("--csv", help="A CSV table: text, and with --likelihood the numbers.")
]


def register(app: typer.Typer) -> None:
    """Add the sampling command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext sample -n 20\n\n"
        "  gantext sample latest --temperature 0.7 --out samples.txt\n\n"
        "  gantext sample RUN --phase mle --top-p 0.9 --json\n\n"
        "  gantext sample RUN --label positive\n\n"
        '  gantext sample --prompt "a man" --likelihood --csv --out samples.csv\n\n'
        "  gantext sample RUN --candidates 8 --judge lm-ratio\n\n"
        "  gantext sample RUN -n 25 --out grid.png\n\n"
        '  gantext sample RUN --caption "two red circles above a blue square ."'
    )(sample)


def sample(
    ctx: typer.Context,
    run: Run = None,
    n: Count = None,
    temperature: Temperature = 1.0,
    top_k: TopK = 0,
    top_p: TopP = 1.0,
    greedy: Greedy = False,
    prompt: Prompt = None,
    label: Label = None,
    likelihood: Likelihood = False,
    candidates: KeptOf = 1,
    judge: JudgeName = None,
    force: ForceJudge = False,
    caption: Captions = None,
    columns: Columns = None,
    out: Out = None,
    seed: SampleSeed = 0,
    phase: Phase = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    config_dir: ConfigDir = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Write sentences of a trained model to stdout or a file, or pictures to a PNG grid.

    With --likelihood each line is log p, a tab and the sentence. A prompt is continued word by
    word, as sentences are sampled; of a VAE z is drawn from the prior, which the prompt does not
    change. With --label NAME all are of that class (sentigan, catgan). With --candidates 8 each is
    one of eight, kept by a judge that tells the run's samples from real sentences it never saw.

    A run has all of its config in its own folder, so that --config-dir changes nothing.
    """
    _check(config_dir, csv and json, top_p)
    from gantext import api
    from gantext.api.samples import SENTENCES
    from gantext.inference.judges.choice import candidates_of
    from gantext.inference.request import SamplingRequest
    from gantext.runs.kinds import PICTURES, model_kind

    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    kind = model_kind(found.settings.model.name)
    check_out(out, json)
    _check_options(found, kind, ctx)
    if kind is PICTURES:
        from gantext.inference.drawing import PictureRequest

        drawn = PictureRequest(n, tuple(caption or ()), columns, seed, found.phase)
        _pictures(found, drawn, out, json)
    else:
        kept = candidates_of(candidates, judge, force, runs_dir)
        heat = 0.0 if greedy else temperature
        words = heat, top_k, top_p, seed, found.phase, prompt, kept, label
        asked = SamplingRequest(n or SENTENCES, *words)
        chooser = _chooser(found, asked)
        if json:
            _document(found, asked, likelihood, out, chooser)
        else:
            _text(found, asked, likelihood, out, csv, chooser)


def _check(config_dir: Path | None, two_forms: bool, top_p: float) -> None:
    """Raise UserError for what makes no sense of any run."""
    if config_dir is not None and not config_dir.is_dir():
        raise UserError(f"config folder not found: {config_dir}")
    if two_forms:
        raise UserError("--csv and --json are two forms of the same: leave one out")
    if not 0 < top_p <= 1:
        raise UserError(f"--top-p {top_p}: a probability above 0 and at most 1 is needed")


def _chooser(run: "api.Run", request: "SamplingRequest") -> "Chooser | None":
    """What keeps the sentences, if they are candidates; says which judge, and what it is worth."""
    from gantext.inference.candidates import chooser_of

    if request.candidates is None:
        return None
    with waiting(tables.err, "reading the run and its data") as told:
        chooser = chooser_of(run.trained, request, told)
    if chooser is not None:
        tables.hint(chooser.words)
    return chooser


def _check_options(run: "api.Run", kind: "Kind[Any, Any]", ctx: typer.Context) -> None:
    """Raise UserError for options of what the run's model does not make."""
    from gantext.runs.kinds import KINDS

    makers = {option: one for one in KINDS if one is not kind for option in one.options}
    wrong = [name for name in ctx.params if name in makers and _is_given(ctx, name)]
    if wrong:
        option, other = "--" + wrong[0].replace("_", "-"), makers[wrong[0]].makes
        who = f"{run.path.name} is a run of model={run.settings.model.name}"
        raise UserError(f"{option} is for models of {other}: {who}, which makes {kind.makes}")


def _is_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _document(
    run: "api.Run",
    request: "SamplingRequest",
    likelihood: bool,
    out: Path | None,
    chooser: "Chooser | None",
) -> None:
    """One JSON document, and the lines in a file if one is named."""
    from gantext.api.samples import written
    from gantext.files import write_output

    lines = written(run.trained, request, likelihood, chooser)
    if out is not None:
        write_output(out, "".join(f"{line}\n" for line in lines).encode())
        tables.hint(f"{request.n} sentences of {run.path.name} in {out}")
    tables.print_json(lines.to_json())


def _text(
    run: "api.Run",
    request: "SamplingRequest",
    likelihood: bool,
    out: Path | None,
    csv: bool,
    chooser: "Chooser | None",
) -> None:
    """Lines or a CSV table, some at a time: as many as are wanted, maybe more than memory holds."""
    from gantext.files import write_output
    from gantext.inference.sampling import draw_parts

    form = _csv_rows if csv else _plain_lines
    drawn = draw_parts(run.trained, request, likelihood, chooser=chooser)
    parts = map(form, drawn)
    head = _csv_head(likelihood) if csv else ""
    if out is not None:
        pieces = (part.encode() for part in chain([head], parts))
        write_output(out, pieces)
        tables.hint(f"{request.n} sentences of {run.path.name} in {out}")
        return
    say(head, end="")
    for part in parts:
        if csv or not tables.out.is_terminal:
            say(part, end="")
        else:
            for line in part.removesuffix("\n").split("\n"):
                tell(tables.out, line)


def _plain_lines(part: "Written") -> str:
    """A sentence a line; after its log p and a tab where that was asked for."""
    if part.log_prob is None:
        return "".join(f"{line}\n" for line in part.lines)
    pairs = zip(part.log_prob, part.lines, strict=True)
    return "".join(f"{value:.4f}\t{line}\n" for value, line in pairs)


def _csv_head(likelihood: bool) -> str:
    return "text,tokens,log_prob\n" if likelihood else "text\n"


def _csv_rows(part: "Written") -> str:
    from gantext.evaluation.spreadsheet import csv_text

    if part.log_prob is None:
        return csv_text([line] for line in part.lines)
    return csv_text(zip(part.lines, part.tokens, part.log_prob, strict=True))


def _pictures(run: "api.Run", request: "PictureRequest", out: Path | None, json: bool) -> None:
    from gantext.cli import preview
    from gantext.files import attempt, write_output
    from gantext.plots.captions import captioned_png
    from gantext.plots.pictures import grid_array

    if out is not None:
        check_png(out, json)
    drawing = run.draw(request)
    for note in drawing.notes:
        tell(tables.err, f"warning: {note}", "yellow")
    png = captioned_png(drawing.pictures, drawing.columns, drawing.captions)
    if out is not None:
        write_output(out, png)
    with attempt(f"write into {run.path}"):
        path = out or run.folder.pictures.save_grid(drawing.name, png)
    count = len(drawing.pictures)
    if json:
        document = {"path": str(path), "pictures": count, "signature": drawing.signature}
        tables.print_json(document)
    elif out is not None:
        tables.hint(f"{count} pictures of {run.path.name} in {out}")
    else:
        preview.show(tables.out, grid_array(drawing.pictures, drawing.columns))
        say(str(path))
