"""Probabilistic context-free grammars with exact sampling, log-probability and entropy.

A grammar is written as a readable table:

    SENTENCE = 3 GROUP[n] BE[n] here . | 1 nothing BE[sg] here .
    GROUP[sg] = 1 a dog
    GROUP[pl] = 2 two dogs | 1 three dogs

Symbols in capitals are rewritten, everything else is a word. Each alternative begins with its
weight; the weights of one symbol are normalised to probabilities. Square brackets hold features,
and a name declared as a variable stands for each of its values: on the left of "=" the rule is
written out for each value; on the right alone each value becomes an alternative of its own, in
proportion to the value's weight. Two variables over the same values never agree within a rule.
"""

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from gantext.data.scenes.prefixes import IMPOSSIBLE, Prefixes, State
from gantext.data.scenes.rules import (
    Features,
    Rules,
    Symbols,
    check,
    children_first,
    normalised,
    reachable,
    read_table,
)


class Grammar:
    """A probabilistic grammar without left recursion and without empty alternatives.

    Has the methods of a corpus's truth: `log_prob(sentences)` and `entropy()`.
    Raises ValueError for rules that are not such a grammar.
    """

    def __init__(self, rules: Rules, start: str) -> None:
        check(rules, start)
        symbols = reachable(rules, start)
        self.start = start
        self.rules: Rules = {symbol: normalised(rules[symbol]) for symbol in symbols}
        self._cumulative = {
            symbol: [float(total) for total in accumulate(p for p, _ in alternatives)]
            for symbol, alternatives in self.rules.items()
        }
        self._prefixes = Prefixes(self.rules, start)

    @classmethod
    def from_table(cls, table: str, start: str, features: Features | None = None) -> "Grammar":
        """Read the notation of the module's docstring; `features` maps variables to values."""
        return cls(read_table(table, features or {}), start)

    def at(self, symbol: str) -> "Grammar":
        """Return the grammar of one symbol of this grammar."""
        return Grammar(self.rules, symbol)

    @property
    def words(self) -> tuple[str, ...]:
        """All words that a sentence can contain, sorted."""
        used = {s for alternatives in self.rules.values() for _, e in alternatives for s in e}
        return tuple(sorted(used - self.rules.keys()))

    def sample(self, rng: np.random.Generator) -> list[str]:
        """Draw one sentence."""
        tokens, stack = [], [self.start]
        while stack:
            symbol = stack.pop()
            alternatives = self.rules.get(symbol)
            if alternatives is None:
                tokens.append(symbol)
                continue
            last = len(alternatives) - 1  # hi=last: rounding must not run past the end
            chosen = bisect_right(self._cumulative[symbol], rng.random(), hi=last) if last else 0
            stack.extend(reversed(alternatives[chosen][1]))
        return tokens

    def log_prob(self, sentences: Sequence[Sequence[str]]) -> npt.NDArray[np.float64]:
        """Return (N,) log-probabilities, nats per sentence; -inf for what cannot be derived.

        The probability of a sentence is the sum over all its derivations.
        """
        return np.array([self._log_prob(tokens) for tokens in sentences], dtype=np.float64)

    def _log_prob(self, tokens: Sequence[str]) -> float:
        total, state = 0.0, self._prefixes.first
        for token in tokens:
            move = self._prefixes.moves(state).get(token)
            if move is None:
                return IMPOSSIBLE
            total += move[0]
            state = move[1]
        return total + state.log_end

    def error_at(self, tokens: Sequence[str]) -> int | None:
        """Index of the first token that no sentence has there (the length if cut off), or None."""
        state = self._prefixes.first
        for index, token in enumerate(tokens):
            move = self._prefixes.moves(state).get(token)
            if move is None:
                return index
            state = move[1]
        return len(tokens) if state.log_end == IMPOSSIBLE else None

    def derivations_of(self, tokens: Sequence[str]) -> int:
        """Count the derivations of one sentence: 1 for each sentence of an unambiguous grammar."""
        stacks: Counter[Symbols] = Counter({(self.start,): 1})
        for token in tokens:
            following: Counter[Symbols] = Counter()
            for stack, count in stacks.items():
                for word, rest, _ in self._prefixes.reads(stack):
                    if word == token:
                        following[rest] += count
            stacks = following
        return stacks[()]

    def derivations(self) -> int:
        """Count all derivations. Raises ValueError if they are infinitely many."""
        counts: dict[str, int] = {}
        for symbol in self._children_first():
            expansions = [expansion for _, expansion in self.rules[symbol]]
            counts[symbol] = sum(math.prod(counts.get(s, 1) for s in e) for e in expansions)
        return counts[self.start]

    def sentences(self) -> int:
        """Count all different sentences; equals `derivations()` exactly if none is ambiguous.

        Walks the deterministic automaton of the grammar. Raises ValueError if infinitely many.
        """
        self._children_first()
        known: dict[frozenset[Symbols], int] = {}

        def count(stacks: frozenset[Symbols]) -> int:
            if stacks not in known:
                following: defaultdict[str, set[Symbols]] = defaultdict(set)
                for stack in stacks:
                    for word, rest, _ in self._prefixes.reads(stack):
                        following[word].add(rest)
                found = sum(count(frozenset(rests)) for rests in following.values())
                known[stacks] = found + (() in stacks)
            return known[stacks]

        return count(frozenset([(self.start,)]))

    def lengths(self) -> tuple[int, int]:
        """Return the numbers of tokens of the shortest and of the longest sentence."""
        bounds: dict[str, tuple[int, int]] = {}
        for symbol in self._children_first():
            parts = [[bounds.get(s, (1, 1)) for s in e] for _, e in self.rules[symbol]]
            lows = [sum(low for low, _ in part) for part in parts]
            bounds[symbol] = min(lows), max(sum(high for _, high in part) for part in parts)
        return bounds[self.start]

    def entropy(self) -> float:
        """Return the entropy of the derivations, nats per sentence.

        H(X) = sum over the rules r of X of p_r (-log p_r + the H of r's symbols), solved as linear
        equations. It is the entropy of the sentences if the grammar is unambiguous, else above it.
        """
        return self._expected(lambda p, _: -math.log(p))

    def mean_length(self) -> float:
        """Return the expected number of tokens of a sentence."""
        return self._expected(lambda _, e: sum(s not in self.rules for s in e))

    def enumerate(self) -> Iterator[tuple[Symbols, float]]:
        """Yield every sentence once with its probability. Raises ValueError if infinitely many."""
        self._children_first()
        agenda: list[tuple[Symbols, float, State]] = [((), 0.0, self._prefixes.first)]
        while agenda:
            prefix, total, state = agenda.pop()
            if state.log_end > IMPOSSIBLE:
                yield prefix, math.exp(total + state.log_end)
            for word, (nats, following) in self._prefixes.moves(state).items():
                agenda.append(((*prefix, word), total + nats, following))

    def _children_first(self) -> list[str]:
        used = {s: {c for _, e in self.rules[s] for c in e} & self.rules.keys() for s in self.rules}
        return children_first(used, "recursive: there are infinitely many sentences")

    def _expected(self, cost: Callable[[float, Symbols], float]) -> float:
        """Expected sum over a derivation of `cost(probability, expansion)` of the rules it uses."""
        number = {symbol: row for row, symbol in enumerate(self.rules)}
        system, costs = np.eye(len(number)), np.ones((len(number), 2))
        for symbol, row in number.items():
            rules = [(float(p), expansion) for p, expansion in self.rules[symbol]]
            costs[row, 0] = sum(p * cost(p, expansion) for p, expansion in rules)
            for p, expansion in rules:
                for child in expansion:
                    if child in number:
                        system[row, number[child]] -= p
        expected, uses = np.linalg.solve(system, costs).T
        if (uses <= 0).any():  # no positive solution: the derivations are not finite on average
            raise ValueError("the sentences of this grammar have no finite mean length")
        return float(expected[number[self.start]])
