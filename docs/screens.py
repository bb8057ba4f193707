"""Makes the pictures of docs/gallery.md anew: `python -m docs.screens [FOLDER]`, or `make gallery`.

Commands run in a real pseudo-terminal of 80 and of 120 columns, on small runs made for it; what its
screen shows becomes an SVG. The report is photographed by chromium where that is installed. Last
comes the page, with what there is. Needs the extra `docs` (pyte, a terminal's screen in memory).
"""

import fcntl
import itertools
import os
import pty
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyte
from PIL import Image
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import MONOKAI
from rich.text import Text

PAGE = Path(__file__).parent / "gallery.md"
WIDTHS = (80, 120)
LINES = 200  # of the screen, so that nothing scrolls out of it
PART = 0.7  # of what a command writes, after which it is shown at work
BROWSER = "chromium"
# Small enough for a few minutes of one core, large enough that the screens look as they do.
SIZES = (
    "data=scenes data.train_size=2000 data.validation_size=100 data.test_size=500 eval.samples=500 "
    "model.generator.embedding=32 model.generator.hidden=64 model.mle.epochs=12 "
    "model.mle.learning_rate=0.01 log.trackers=[] threads=1 device=cpu"
)
GAN = (
    f"model=gan {SIZES} model.discriminator.filters=[32,32,32,32] model.d_training.batch_size=32 "
    "model.d_training.pretrain_steps=100 model.adversarial.steps=40 model.adversarial.batch_size=16"
)


@dataclass(frozen=True)
class Shot:
    """A command whose screen is shown.

    Attributes:
        name: of the picture.
        caption: what it shows.
        words: of the command, {columns} being the terminal's; what is trained has a name by it.
        at_work: it is shown before its end, too.
        code: with which it ends.
    """

    name: str
    caption: str
    words: str
    at_work: bool = False
    code: int = 0


SHOTS = (
    Shot("help", "What there is", "--help"),
    Shot("train", "A run, from its first line to its scores",
         f"train {GAN} name=gan-{{columns}}", True),
    Shot("sweep", "A sweep of four jobs", f"train -m model=mle {SIZES} seed=1,2 "
         "model.generator.dropout=0.0,0.5 name=dropout-{columns} --jobs 2", True),
    Shot("runs", "All runs", "runs list"),
    Shot("runs-sweep", "A sweep's table", "runs sweep dropout-{columns}"),
    Shot("compare", "Two models and a generator before its adversarial phase, side by side",
         "compare mle-1 gan-80 gan-80@mle"),
    Shot("eval", "Scores beside the real text's", "eval bleu gan-80"),
    Shot("run", "One run: its phases, its discriminator, its times", "runs show gan-80"),
    Shot("sample", "Sentences", "sample gan-80 -n 5"),
    Shot("methods", "All methods", "methods"),
    Shot("explain", "What a score is", "explain bleu-4"),
    Shot("explain-key", "What a key is", "explain model.adversarial.rollouts"),
    Shot("error", "A misspelt key", "train model=gan model.adversarial.rolouts=4", code=2),
)  # fmt: skip
# What the shots need, made beforehand; then the figures, each with its caption.
BEFORE = (f"train model=mle {SIZES} name=mle-1",)
FIGURES = {
    "frontier": ("BLEU against Self-BLEU over temperatures", "eval frontier gan-80 --plane bleu "
                 "--order 3 --temperatures 0.6,0.8,1.0,1.2 --out ."),
    "lengths": ("Scores by length", "eval lengths gan-80 --plot lengths.png"),
}  # fmt: skip
REPORT = "report gan-80 mle-1 --out report.html"


class Screen(pyte.Screen):
    """A terminal's screen on which dim text stays dim: pyte has no such attribute, so it blinks."""

    def select_graphic_rendition(self, *attributes: int, **options: Any) -> None:
        super().select_graphic_rendition(*attributes, **options)
        if 2 in attributes and 38 not in attributes and 48 not in attributes:
            self.cursor.attrs = self.cursor.attrs._replace(blink=True)


def typed(words: Sequence[str], columns: int, folder: Path, code: int = 0) -> list[bytes]:
    """All that a command writes to a terminal of so many columns, as it comes."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [*_gantext(), *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
    )
    os.close(theirs)
    written = list(_read(ours))
    os.close(ours)
    if process.wait() != code:
        raise SystemExit(f"gantext {shlex.join(words)}:\n{b''.join(written).decode()}")
    return written


def _gantext() -> list[str]:
    """The command, by which its help calls itself."""
    installed = Path(sys.executable).with_name("gantext")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "gantext"]


def _read(terminal: int) -> Iterator[bytes]:
    """What comes until the last process that writes there has ended."""
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # Linux's end of a pseudo-terminal
            return
        if not part:
            return
        yield part


def shown(written: Sequence[bytes], columns: int) -> Text:
    """What a terminal shows after it was sent this."""
    screen = Screen(columns, LINES)
    pyte.ByteStream(screen).feed(b"".join(written))
    lines = [_line(screen.buffer[row], columns) for row in range(LINES)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    return Text("\n").join(lines)


def _line(row: Any, columns: int) -> Text:
    line = Text()
    cells = (row[column] for column in range(columns))
    for style, alike in itertools.groupby(cells, _style):  # a piece of the SVG each
        line.append("".join(cell.data for cell in alike), style)
    line.rstrip()
    return line


def _style(cell: Any) -> Style:
    colour = _colour(cell.fg)
    return Style(color=colour, bold=cell.bold, dim=cell.blink, reverse=cell.reverse)


def _colour(name: str) -> str | None:
    """pyte's name of a colour as rich's."""
    if re.fullmatch(r"[0-9a-f]{6}", name):
        return f"#{name}"
    plain = name.removeprefix("bright").replace("brown", "yellow")
    if plain == "default":
        return None
    return f"bright_{plain}" if name.startswith("bright") else plain


def svg(command: str, screen: Text, columns: int) -> str:
    """A picture of a screen, under the command that was typed. It fetches no font."""
    console = Console(record=True, width=columns, file=open(os.devnull, "w"), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold"), soft_wrap=False)
    console.print(screen)
    text = console.export_svg(title=f"{columns} columns", theme=MONOKAI)
    return re.sub(r"@font-face \{.*?\}\s*", "", text, flags=re.DOTALL)


def shots(folder: Path, pictures: Path) -> Iterator[tuple[str, str]]:
    """Make the pictures of all screens; each with its caption."""
    for shot in SHOTS:
        for columns in WIDTHS:
            words = shlex.split(shot.words.format(columns=columns))
            written = typed(words, columns, folder, shot.code)
            command = _short(["gantext", *words])
            ends = {"": len(written)}
            if shot.at_work:
                ends = {"-at-work": int(PART * len(written)), **ends}
            for suffix, end in ends.items():
                name = f"{shot.name}{suffix}-{columns}.svg"
                (pictures / name).write_text(svg(command, shown(written[:end], columns), columns))
                at_work = ", at work" if suffix else ""
                yield f"{shot.caption}{at_work} ({columns} columns)", name


def _short(words: Sequence[str]) -> str:
    """A command as a picture shows it: without the sizes, which are those of the gallery alone."""
    left_out = set(SIZES.split()) | set(GAN.split()) - {"model=gan"}
    kept = [word for word in words if word not in left_out]
    return shlex.join([*kept, "..."] if len(kept) < len(words) else kept)


def figures(folder: Path, pictures: Path) -> Iterator[tuple[str, str]]:
    """Draw the figures, and photograph the report where there is a browser."""
    for name, (caption, words) in FIGURES.items():
        typed(shlex.split(words), 120, folder)
        yield from _small(folder / f"{name}.png", pictures, caption)
    typed(shlex.split(REPORT), 120, folder)
    browser = shutil.which(BROWSER)
    if browser is None:
        print(f"no {BROWSER}: the report is not photographed", file=sys.stderr)
        return
    picture = folder / "report.png"
    options = ("--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1100,2400")
    page = (folder / "report.html").as_uri()
    subprocess.run(
        [browser, *options, f"--screenshot={picture}", page],
        check=True,
        timeout=120,
        capture_output=True,
    )
    yield from _small(picture, pictures, "The report's first page")


def _small(picture: Path, pictures: Path, caption: str) -> Iterator[tuple[str, str]]:
    """A picture with 64 colours, which is a quarter of its size and looks alike."""
    if picture.is_file():
        with Image.open(picture) as opened:
            few = opened.convert("RGB").quantize(64)
            few.save(pictures / picture.name, optimize=True)
        yield caption, picture.name


def page(made: Sequence[tuple[str, str]], folder: str) -> str:
    """The page that shows the pictures."""
    parts = [PAGE.read_text(encoding="utf-8").partition("\n## ")[0].rstrip()]
    parts += [f"## {caption}\n\n![{caption}]({folder}/{name})" for caption, name in made]
    return "\n\n".join(parts) + "\n"


def main(pictures: Path) -> None:
    """Make all of it anew."""
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob("*.*g"):
        old.unlink()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for words in BEFORE:
            typed(shlex.split(words), 80, folder)
        found = [*shots(folder, pictures), *figures(folder, pictures)]
    if pictures == PAGE.parent / "gallery":
        PAGE.write_text(page(found, pictures.name), encoding="utf-8")
    size = sum(path.stat().st_size for path in pictures.iterdir())
    print(f"{len(found)} pictures, {size / 1e6:.1f} MB, in {pictures}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE.parent / "gallery")
