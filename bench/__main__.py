"""Measure speed and memory: `make bench`, about five minutes on one thread.

    python -m bench [--rows gan,bleu] [--check] [--keep] [--threads 1] [--sentences N] [--out build]
                    [--device cuda]

The table goes to stdout and, with its numbers as JSON, into files of --out. --keep adds it to
bench/history.jsonl; --check says which ratios fell by over 20 % since the last entry there of the
same machine, and ends with 1 if there are any. On a GPU the rows are those of models and some of
its own, products may be in TF32, as in a run, and two profiles stand below the table.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from bench import commands, gpu, memory, models, texts
from bench.history import Measured, entry, fallen, keep, measured, read
from bench.row import FULL, Row, Sizes, least
from bench.table import markdown
from gantext.nn.memory import keep_blocks

HISTORY = Path(__file__).parent / "history.jsonl"
ROUNDS, BUDGET = 5, 4.0  # of a row; CPU seconds after which no further round begins


def all_rows(sizes: Sizes) -> list[Row]:
    """The whole table, in its order; of a GPU what is computed there."""
    on_gpu = sizes.device.type == "cuda"
    modules = (models, gpu) if on_gpu else (models, texts, memory, commands)
    made = [module.rows(sizes) for module in modules]
    return [row for rows in made for row in rows]


def measure(rows: Sequence[Row], sizes: Sizes) -> dict[str, Measured]:
    """Each row in turn, said on stderr as it is done."""
    found: dict[str, Measured] = {}
    for row in rows:
        found[row.name] = measured(row.unit, least(row.ways(sizes), ROUNDS, BUDGET), row.tokens)
        print(row.name, found[row.name]["ratios"], file=sys.stderr, flush=True)
    return found


def main(words: Sequence[str], sizes: Sizes = FULL, history: Path = HISTORY) -> int:
    """Measure what the words ask for; returns 1 where a ratio fell.

    Raises SystemExit for words that choose no row.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", help="some groups of rows, as in gan,bleu")
    parser.add_argument("--device", type=torch.device, default=sizes.device, help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sentences", type=int, default=sizes.sentences, help="of large texts")
    parser.add_argument("--out", type=Path, default=Path("build"), help="folder of the files")
    parser.add_argument("--keep", action="store_true", help=f"add to {HISTORY.name}")
    parser.add_argument("--check", action="store_true", help="compare with the last entry there")
    asked = parser.parse_args(words)
    sizes = replace(sizes, sentences=asked.sentences, device=asked.device)
    groups = list(dict.fromkeys(row.group for row in all_rows(sizes)))
    wanted = asked.rows.split(",") if asked.rows else groups
    if unknown := set(wanted) - set(groups):
        parser.error(f"no rows are called {', '.join(sorted(unknown))}: {', '.join(groups)}")
    on_gpu = sizes.device.type == "cuda"
    if on_gpu and not torch.cuda.is_available():
        parser.error("--device cuda: torch sees no GPU")
    torch.set_num_threads(asked.threads)
    keep_blocks()  # as a run does; plain code gains by it too
    torch.backends.cuda.matmul.allow_tf32 = on_gpu  # as a run does, with what lies on a GPU
    rows = measure([row for row in all_rows(sizes) if row.group in wanted], sizes)
    now = entry(rows, torch.cuda.get_device_name() if on_gpu else "")
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "bench.md").write_text(markdown(now), encoding="utf-8")
    (asked.out / "bench.json").write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    print(markdown(now))
    for name in gpu.SHOWN if on_gpu else ():
        if name in wanted:
            print(gpu.profiled(name, sizes))
    fell = fallen(read(history), now) if asked.check else []
    for line in fell:
        print(f"fell: {line}")
    if asked.keep:
        keep(history, now)
    return 1 if fell else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
