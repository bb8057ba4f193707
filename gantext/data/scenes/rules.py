"""The rules of a grammar: reading them from a table and checking that they are well formed.

The notation is described in `gantext.data.grammar`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

Symbols = tuple[str, ...]
Alternative = tuple[Fraction, Symbols]
Rules = dict[str, list[Alternative]]
Features = Mapping[str, Mapping[str, float]]  # variable -> its values and their weights
Binding = dict[str, str]

BRACKETS = re.compile(r"\[([^\]]*)\]")


def read_table(table: str, features: Features) -> Rules:
    """Write out a table as plain rules, the weights not yet normalised.

    A statement goes on over several lines until the next "="; "#" begins a comment.
    """
    rules: defaultdict[str, list[Alternative]] = defaultdict(list)
    for left, right in _statements(table):
        for bound, _ in _bindings(left, {}, features):
            for alternative in right.split("|"):
                weight, *words = alternative.split()
                for binding, share in _bindings(alternative, bound, features):
                    expansion = tuple(_fill(word, binding) for word in words)
                    rules[_fill(left, bound)].append((_weight(weight, left) * share, expansion))
    return dict(rules)


def _statements(table: str) -> Iterator[tuple[str, str]]:
    lines = [line.split("#")[0] for line in table.splitlines()]
    pieces = re.split(r"(\S+)\s+=\s", "\n".join(lines))
    if pieces[0].strip():
        raise ValueError(f"the grammar begins without a symbol: {pieces[0].strip()!r}")
    return zip(pieces[1::2], pieces[2::2], strict=True)


def _weight(text: str, symbol: str) -> Fraction:
    try:
        return Fraction(text)
    except ValueError:
        raise ValueError(f"{symbol}: {text!r} is not a weight") from None


def _bindings(text: str, bound: Binding, features: Features) -> Iterator[tuple[Binding, Fraction]]:
    """Yield the values of the variables in `text` beyond those bound, with their shares (sum 1)."""
    names = (name for inside in BRACKETS.findall(text) for name in inside.split(","))
    free = next((name for name in names if name in features and name not in bound), None)
    if free is None:
        yield bound, Fraction(1)
        return
    taken = {value for name, value in bound.items() if features[name] == features[free]}
    weights = {v: Fraction(str(w)) for v, w in features[free].items() if v not in taken}
    for value, weight in weights.items():
        for binding, share in _bindings(text, {**bound, free: value}, features):
            yield binding, share * weight / sum(weights.values())


def _fill(symbol: str, binding: Binding) -> str:
    def values(match: re.Match[str]) -> str:
        return "[" + ",".join(binding.get(name, name) for name in match[1].split(",")) + "]"

    return BRACKETS.sub(values, symbol)


def normalised(alternatives: Sequence[Alternative]) -> list[Alternative]:
    """Scale the weights of one symbol's alternatives to sum 1."""
    total = sum((weight for weight, _ in alternatives), Fraction(0))
    return [(weight / total, expansion) for weight, expansion in alternatives]


def check(rules: Rules, start: str) -> None:
    """Raise ValueError for weights that are not positive, for empty rules, symbols without rules
    and left recursion.
    """
    for symbol, alternatives in rules.items():
        if not alternatives or any(weight <= 0 for weight, _ in alternatives):
            raise ValueError(f"{symbol} needs alternatives with positive weights")
        if any(not expansion for _, expansion in alternatives):
            raise ValueError(f"{symbol} has an empty alternative")
    used = {symbol for alternatives in rules.values() for _, e in alternatives for symbol in e}
    missing = sorted(s for s in used | {start} if s[0].isupper() and s not in rules)
    if missing:
        raise ValueError(f"the grammar has no rule for {', '.join(missing)}")
    children_first({s: {e[0] for _, e in rules[s]} & rules.keys() for s in rules}, "left-recursive")


def reachable(rules: Rules, start: str) -> list[str]:
    """All symbols with rules that can occur under `start`, which comes first."""
    found = {start: None}
    agenda = [start]
    while agenda:
        for _, expansion in rules[agenda.pop()]:
            fresh = [s for s in dict.fromkeys(expansion) if s in rules and s not in found]
            found.update(dict.fromkeys(fresh))
            agenda.extend(fresh)
    return list(found)


def children_first(children: Mapping[str, set[str]], complaint: str) -> list[str]:
    """Order symbols so that each comes after its children; ValueError if there is a cycle."""
    done: dict[str, None] = {}

    def visit(symbol: str, above: frozenset[str]) -> None:
        if symbol in above:
            raise ValueError(f"{symbol} is {complaint}")
        if symbol not in done:
            for child in sorted(children[symbol]):
                visit(child, above | {symbol})
            done[symbol] = None

    for symbol in children:
        visit(symbol, frozenset())
    return list(done)
