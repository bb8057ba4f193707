"""Files changed at random: bytes as a disk or a cut transfer leaves them, values as a hand does."""

import json
import random
from collections.abc import Callable
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes]

# What readers tend to forget.
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400),
    *(0.5, -0.0, 1e-320, 1e308, float("nan"), float("inf"), float("-inf")),
    *("", " ", "x", "nan", "1e3", "\0", "\ud800", "ü", "\u202e", "a" * 3000, "../../x"),
    "${oc.env:HOME}",
    *([], [[]], [None], {}, {"x": 1}, {"__tensor__": "0"}, {"__integer_keys__": {"x": 1}}),
]
PIECES = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\x80",
    b"{",
    b"[",
    b'"',
    b"\n",
    b"NaN",
    b"9" * 5000,
    b"[" * 999,
]
REFUSED = [b"\nx: &a [1]\ny: *a\n", b"\nx: !!python/name:os.system\n", b"\nx: ${oc.env:HOME}\n"]


def of_bytes(data: bytes, rng: random.Random) -> bytes:
    """One to three changes anywhere: flipped, cut, doubled, left out, or something put in."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(changed) + 1)
        to = min(len(changed), at + rng.randint(1, 64))
        kind = rng.randrange(6)
        if kind == 0 and at < len(changed):
            changed[at] ^= rng.randrange(1, 256)
        elif kind == 1:
            del changed[at:]
        elif kind == 2:
            del changed[at:to]
        elif kind == 3:
            changed[at:at] = changed[at:to]
        elif kind == 4:
            changed[at:at] = rng.choice(PIECES)
        else:
            changed[at:to] = rng.randbytes(to - at)
    return bytes(changed)


def of_json(data: bytes, rng: random.Random) -> bytes:
    """One to three values or keys of a JSON document, or its bytes."""
    if rng.random() < 0.25:
        return of_bytes(data, rng)
    tree = json.loads(data)
    for _ in range(rng.randint(1, 3)):
        tree = _changed(tree, rng)
    return json.dumps(tree).encode()


def of_rows(data: bytes, rng: random.Random) -> bytes:
    """A line of a file of JSON lines, or its bytes."""
    if rng.random() < 0.25:
        return of_bytes(data, rng)
    lines = data.splitlines()
    at = rng.randrange(len(lines))
    lines[at] = of_json(lines[at], rng)
    return b"\n".join(lines) + b"\n"


def of_yaml(data: bytes, rng: random.Random) -> bytes:
    """The value of a line of a YAML file, or its bytes, or what no stored config has."""
    kind = rng.random()
    if kind < 0.25:
        return of_bytes(data, rng)
    if kind < 0.35:
        return data + rng.choice(REFUSED)
    lines = data.decode().splitlines()
    at = rng.randrange(len(lines))
    name, colon, _ = lines[at].partition(":")
    lines[at] = f"{name}{colon} {json.dumps(rng.choice(ODD))}"
    return "\n".join(lines).encode()


def _changed(tree: Any, rng: random.Random) -> Any:
    """A copy with one place changed, found by walking down from the top."""
    inside = isinstance(tree, (dict, list)) and tree and rng.random() < 0.9
    if not inside:
        return rng.choice(ODD)
    if isinstance(tree, list):
        at = rng.randrange(len(tree))
        if rng.random() < 0.2:
            return rng.choice([tree[:at], [*tree, tree[at]], [*tree, rng.choice(ODD)]])
        return [*tree[:at], _changed(tree[at], rng), *tree[at + 1 :]]
    key = rng.choice(list(tree))
    kind = rng.random()
    if kind < 0.15:
        return {name: value for name, value in tree.items() if name != key}
    if kind < 0.25:
        return {**tree, rng.choice(["x", "1", "__tensor__", "", key.upper()]): rng.choice(ODD)}
    return {**tree, key: _changed(tree[key], rng)}
