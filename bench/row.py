"""What a row of the table is: the same work done in several ways, in turns, the least of each.

`gantext` is the product; `plain` does what the paper or the definition says, with torch's own
layers or plain Python; `floor` is what cannot be left out: the matrix products of a step alone in
memory that is there, the imports of a command. A ratio is theirs over the product's, so more is
better: 12 of `plain` is twelve times faster, 1 of `floor` is as fast as can be.
"""

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

Cost = Callable[[], float]
Ways = Mapping[str, Cost]  # "gantext", and "plain" or "floor" or both
OTHERS = ("plain", "floor")
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Sizes:
    """How much work a row is.

    words: V, of models. rows: B. captions, length: T of captions and of long sentences.
    sentences: of texts that are scored or loaded. references: that nltk compares a sentence with.
    runs: that a list has.
    smallest: whether models are as small as they can be, to try the rows rather than to measure.
    device: where models and their tokens lie.
    """

    words: int = 4661
    rows: int = 64
    captions: int = 13
    length: int = 37
    sentences: int = 50_000
    references: int = 10_000
    runs: int = 5000
    smallest: bool = False
    device: torch.device = CPU


FULL = Sizes()
TINY = Sizes(60, 4, 5, 7, 300, 40, 3, smallest=True)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    group: the word that chooses it, as in ROWS=gan.
    ways: made when its turn comes, so that only one row's memory is held.
    unit: ms, s or MB.
    tokens: how many are read or written, where that is what the work is.
    """

    group: str
    name: str
    ways: Callable[[Sizes], Ways]
    unit: str = "ms"
    tokens: int = 0


def seconds(function: Callable[[], object]) -> float:
    """CPU seconds of a call with one thread, else those of a clock, which a GPU's work ends."""
    on_gpu = torch.cuda.is_initialized()
    alone = torch.get_num_threads() == 1 and not on_gpu
    clock = time.process_time if alone else time.perf_counter
    began = clock()
    function()
    if on_gpu:
        torch.cuda.synchronize()
    return clock() - began


def milliseconds(function: Callable[[], object]) -> Cost:
    """The cost of a function."""
    return lambda: 1e3 * seconds(function)


def least(ways: Ways, rounds: int, budget: float) -> dict[str, float]:
    """The least cost of each way, over rounds in which each has its turn.

    No round begins after `budget` CPU seconds, children's included; the first always does.
    """
    found, began = dict.fromkeys(ways, math.inf), _spent()
    for done in range(rounds):
        if done and _spent() - began > budget:
            break
        for name, cost in ways.items():
            found[name] = min(found[name], cost())
    return found


def _spent() -> float:
    return sum(os.times()[:4])


def ratios(costs: Mapping[str, float]) -> dict[str, float]:
    """How many times the product's cost the others have."""
    return {name: costs[name] / costs["gantext"] for name in OTHERS if name in costs}
