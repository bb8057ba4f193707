"""The automaton that reads the sentences of a grammar from left to right.

The state after a prefix is the exact distribution over what may still have to be read (a stack of
symbols, the next one first), with all ways to derive the prefix summed. Probabilities are
fractions, so equal states are recognised as equal, sentences share them, and reading a word is one
look-up once its state is known.
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

from gantext.data.scenes.rules import Rules, Symbols

IMPOSSIBLE = float("-inf")


@dataclass(eq=False)
class State:
    """What may follow a prefix: the probabilities of the stacks still to be read (sum 1)."""

    stacks: dict[Symbols, Fraction]
    log_end: float  # log-probability that the sentence ends here, nats
    moves: dict[str, tuple[float, "State"]] | None = None  # word -> (nats, next); None: not yet


class Prefixes:
    """The states of a grammar, made when they are first met; `rules` have probabilities."""

    def __init__(self, rules: Rules, start: str) -> None:
        self.rules = rules
        self._ways: dict[str, list[tuple[str, Symbols, Fraction]]] = {}
        self._states: dict[frozenset[tuple[Symbols, Fraction]], State] = {}
        self.first = self._state({(start,): Fraction(1)})

    def reads(self, stack: Symbols) -> list[tuple[str, Symbols, Fraction]]:
        """List all ways to read one word off a stack: (word, what is left to read, probability)."""
        if not stack:
            return []
        symbol, below = stack[0], stack[1:]
        if symbol not in self.rules:
            return [(symbol, below, Fraction(1))]
        if symbol not in self._ways:
            self._ways[symbol] = [
                (word, rest, p * share)
                for p, expansion in self.rules[symbol]
                for word, rest, share in self.reads(expansion)
            ]
        return [(word, rest + below, p) for word, rest, p in self._ways[symbol]]

    def moves(self, state: State) -> dict[str, tuple[float, State]]:
        """Map each possible next word to its log-probability (nats) and the state after it."""
        if state.moves is None:
            following: defaultdict[str, dict[Symbols, Fraction]] = defaultdict(dict)
            for stack, probability in state.stacks.items():
                for word, rest, share in self.reads(stack):
                    known = following[word].get(rest, 0)
                    following[word][rest] = known + probability * share
            state.moves = {word: self._move(stacks) for word, stacks in following.items()}
        return state.moves

    def _move(self, stacks: dict[Symbols, Fraction]) -> tuple[float, State]:
        total = sum(stacks.values(), Fraction(0))
        return math.log(total), self._state({stack: p / total for stack, p in stacks.items()})

    def _state(self, stacks: dict[Symbols, Fraction]) -> State:
        key = frozenset(stacks.items())
        if key not in self._states:
            end = stacks.get(())
            self._states[key] = State(stacks, math.log(end) if end else IMPOSSIBLE)
        return self._states[key]
