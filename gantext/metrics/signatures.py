"""The signatures under a table of scores: said once if all share them, one by one if not."""

import dataclasses
from collections.abc import Mapping, Sequence

from gantext.metrics.score import Score, origin, protocol, signature_line


def signature_lines(sources: Mapping[str, Sequence[Score]]) -> list[str]:
    """One line for the families of scores that share a protocol, if all sources share it too.

    A family whose sources do not has a line for each protocol. The samples' origins follow, one
    line a source.
    """
    protocols: dict[str, dict[str, list[str]]] = {}  # family -> line -> sources
    for source, scores in sources.items():
        for name, line in _family_lines(scores).items():
            protocols.setdefault(name, {}).setdefault(line, []).append(source)
    families: dict[tuple[str, str], list[str]] = {}  # (of which sources, line) -> families
    for name, found in protocols.items():
        for line, sharing in found.items():
            # Several lines are not comparable as they stand, and it has to be seen.
            of = f" of {', '.join(sharing)}" if len(found) > 1 else ""
            families.setdefault((of, line), []).append(name)
    lines = [f"{_joined(names)}{of}: {line}" for (of, line), names in families.items()]
    return lines + _origin_lines(sources)


def _joined(names: Sequence[str]) -> str:
    """The names, those of real samples' scores left out where the scores' own are there."""
    kept = [name for name in names if name.removesuffix("-real") not in set(names) - {name}]
    return ", ".join(kept)


def _family_lines(scores: Sequence[Score]) -> dict[str, str]:
    families: dict[str, list[Score]] = {}
    for score in scores:
        families.setdefault(family(own_name(score.name)), []).append(score)
    lines = {}
    for shared, members in families.items():
        stems = {own_name(score.name).partition("[")[0] for score in members}
        name = stems.pop() if len(stems) == 1 else shared
        orders = list(dict.fromkeys(score.signature.get("n") for score in members))
        signature = protocol(members[-1])
        if len(orders) > 1:
            signature["n"] = f"{orders[0]}..{orders[-1]}"
        if "length" in signature:  # how many are of a length is a result, not a protocol
            del signature["length"], signature["sentences"]
        lines[name] = signature_line(dataclasses.replace(members[-1], signature=signature))
    return lines


def _origin_lines(sources: Mapping[str, Sequence[Score]]) -> list[str]:
    lines = []
    for source, scores in sources.items():
        fullest = max(scores, key=lambda score: len(origin(score)))
        if origin(fullest):
            said = signature_line(dataclasses.replace(fullest, signature=origin(fullest)))
            lines.append(f"{source}: {said}")
    return lines


def own_name(name: str) -> str:
    """Scores of real text stand in their own column, under the same names."""
    return name.removeprefix("real-")


def family(name: str) -> str:
    """bleu-2 -> bleu, bleu-2[9-12] -> bleu: scores that share a signature but for N and length."""
    return name.partition("[")[0].rstrip("0123456789").rstrip("-")
