"""The signatures under a table of scores: in a few words, or all of them, each said once."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence

from gantext.metrics.score import Score, Setting, origin, protocol, signature_line

DIGITS = 4  # of a hash, where a line has to be short


def signature_lines(sources: Mapping[str, Sequence[Score]]) -> list[str]:
    """One line for the families of scores that share a protocol, if all sources share it too.

    A family whose sources do not has a line for each protocol. The samples' origins follow, one
    line a source.
    """
    families: dict[tuple[str, str], list[str]] = {}  # (of which sources, line) -> families
    for name, found in _protocols(sources).items():
        for line, sharing in found.items():
            # Several lines are not comparable as they stand, and it has to be seen.
            of = f" of {', '.join(source for source, _ in sharing)}" if len(found) > 1 else ""
            families.setdefault((of, line), []).append(name)
    lines = [f"{_joined(names)}{of}: {line}" for (of, line), names in families.items()]
    return lines + _origin_lines(sources)


def short_line(sources: Mapping[str, Sequence[Score]], data: str = "") -> str:
    """All signatures in a few words: "texygen · 500 samples · scenes 3fa1 · signature 9c2e".

    Tables that end with the same four digits hold scores of the same protocols.

    Args:
        sources: the scores.
        data: the name of the data that they are against.
    """
    known = [score.signature for scores in sources.values() for score in scores]
    sizes = _values(known, "sampled") or _values(known, "hypotheses") or _values(known, "pictures")
    hashes = [str(digest)[:DIGITS] for digest in _values(known, "data")]
    heats = [f"{heat:g}" for heat in _values(known, "temperature") if isinstance(heat, float | int)]
    parts = [
        *map(str, _values(known, "preset")),
        f"{' / '.join(f'{size:,}' for size in sizes)} samples" if sizes else "",
        " ".join([data or "data", *hashes]) if hashes else "",
        f"temperature {' / '.join(heats)}" if heats not in ([], ["1"]) else "",
        f"signature {_digest(sources)}",
    ]
    return " · ".join(filter(None, parts))


def conflicts(sources: Mapping[str, Sequence[Score]]) -> list[str]:
    """What makes scores of sources not comparable: a line a family, of the settings that differ.

    "self-bleu: not comparable as it stands: hyp:500 of a; hyp:1000 of b".
    """
    return [
        f"{name}: not comparable as it stands: {'; '.join(_differences(found))}"
        for name, found in _protocols(sources).items()
        if len(found) > 1
    ]


def _differences(found: Mapping[str, Sequence[tuple[str, Score]]]) -> list[str]:
    """What differs between protocols, and which sources have each."""
    scores = [sharing[0][1] for sharing in found.values()]
    keys = dict.fromkeys(key for score in scores for key in score.signature)
    differing = {key for key in keys if len({repr(one.signature.get(key)) for one in scores}) > 1}
    said = []
    for score, sharing in zip(scores, found.values(), strict=True):
        own = {key: value for key, value in score.signature.items() if key in differing}
        line = signature_line(dataclasses.replace(score, signature=own)) or "without it"
        said.append(f"{line} of {', '.join(source for source, _ in sharing)}")
    return said


def _protocols(
    sources: Mapping[str, Sequence[Score]],
) -> dict[str, dict[str, list[tuple[str, Score]]]]:
    """By family, by the line of a protocol: the sources that share it, each with a score of it."""
    found: dict[str, dict[str, list[tuple[str, Score]]]] = {}
    for source, scores in sources.items():
        for name, score in _family_scores(scores).items():
            found.setdefault(name, {}).setdefault(signature_line(score), []).append((source, score))
    return found


def _digest(sources: Mapping[str, Sequence[Score]]) -> str:
    """Of all protocols, whatever sources they are of."""
    lines = sorted(f"{name}: {line}" for name, of in _protocols(sources).items() for line in of)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:DIGITS]


def _values(signatures: Sequence[Mapping[str, Setting]], key: str) -> list[Setting]:
    """The different values of a setting, in order."""
    return list(dict.fromkeys(one[key] for one in signatures if one.get(key) is not None))


def _joined(names: Sequence[str]) -> str:
    """The names, those of real samples' scores left out where the scores' own are there."""
    kept = [name for name in names if name.removesuffix("-real") not in set(names) - {name}]
    return ", ".join(kept)


def _family_scores(scores: Sequence[Score]) -> dict[str, Score]:
    """By family, one of its scores with the protocol that all share as its signature."""
    families: dict[str, list[Score]] = {}
    for score in scores:
        families.setdefault(family(own_name(score.name)), []).append(score)
    found = {}
    for shared, members in families.items():
        stems = {own_name(score.name).partition("[")[0] for score in members}
        name = stems.pop() if len(stems) == 1 else shared
        orders = list(dict.fromkeys(score.signature.get("n") for score in members))
        signature = protocol(members[-1])
        if len(orders) > 1:
            signature["n"] = f"{orders[0]}..{orders[-1]}"
        if "length" in signature:  # how many are of a length is a result, not a protocol
            del signature["length"], signature["sentences"]
        found[name] = dataclasses.replace(members[-1], signature=signature)
    return found


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
