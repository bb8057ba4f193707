"""Trees of tensors and plain values <-> flat ones, with references in the place of the tensors.

Those that only a resume needs are kept apart: what optimisers keep of each weight, the order of the
data, the states of generators.
"""

import itertools
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from gantext.runs.stored_checkpoint import TENSORS

RESERVED = ("__tensor__", "__integer_keys__")
OPTIMISER = {"state", "param_groups"}  # the keys of its state
PARTS = "algorithm"  # key of the model's state, whose large parts have files of their own
LARGE = 1 << 20  # bytes
MOST_PARTS = 100  # whose numbers have two digits
ONLY_TRAINING = ("batches", "noise")  # keys of what samples and scores do not need
OF_TRAINING = "t"  # mark of the tensors that only a resume needs


Tensors = dict[str, Tensor]


def flatten(tree: Any, tensors: Tensors, moments: Tensors | None = None, mark: str = "") -> Any:
    """Replace the tensors of a tree by references; they are collected in `tensors` (on the CPU).

    Each tensor is cloned, because safetensors refuses tied weights. The keys of a dict are all
    strings or all integers (optimiser states have those).

    Args:
        tree: plain values and tensors.
        tensors: where they are collected.
        moments: where those are collected that optimisers keep; None: with the others.
        mark: that the names of those begin with, or of all where there are no others.

    Raises:
        TypeError: a dict whose keys could not be restored.
    """
    if isinstance(tree, Tensor):
        key = f"{mark if moments is None else ''}{len(tensors)}"
        tensors[key] = tree.detach().cpu().contiguous().clone()
        return {"__tensor__": key}
    if isinstance(tree, dict):
        if moments is not None and tree.keys() == OPTIMISER:
            return flatten(tree, moments, None, mark)
        items = {str(key): flatten(value, tensors, moments, mark) for key, value in tree.items()}
        integers = bool(tree) and all(type(key) is int for key in tree)
        if not integers and any(not isinstance(k, str) or k in RESERVED for k in tree):
            raise TypeError(f"a checkpoint cannot hold a dict with the keys {list(tree)}")
        return {"__integer_keys__": items} if integers else items
    if isinstance(tree, (list, tuple)):
        return [flatten(value, tensors, moments, mark) for value in tree]
    return tree


def unflatten(tree: Any, tensors: Tensors, moments: bool = True) -> Any:
    """The inverse of `flatten` (tuples come back as lists).

    Without `moments` optimisers keep nothing of their weights but which they have stepped.
    """
    if isinstance(tree, list):
        return [unflatten(value, tensors, moments) for value in tree]
    if not isinstance(tree, dict):
        return tree
    if not moments and tree.keys() == OPTIMISER:
        tree = {**tree, "state": _emptied(tree["state"])}
    if "__tensor__" in tree:
        return tensors[tree["__tensor__"]]
    if "__integer_keys__" in tree:
        return {int(k): unflatten(v, tensors, moments) for k, v in tree["__integer_keys__"].items()}
    return {key: unflatten(value, tensors, moments) for key, value in tree.items()}


def _emptied(moments: Any) -> Any:
    """What an optimiser keeps of its weights, without what it is."""
    kept = moments.get("__integer_keys__") if isinstance(moments, dict) else None
    return {"__integer_keys__": {key: {} for key in kept}} if isinstance(kept, dict) else {}


def filed(tree: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Tensors]]:
    """A tree with references in the place of its tensors, and these by the file they go to.

    The name of a tensor in the file of a large part says nothing of other parts, so that the file
    is the same as long as the part is.
    """
    state: dict[str, Any] = {}
    weights = Tensors()
    files: dict[str, Tensors] = {TENSORS: Tensors()}
    for number, (place, name, value) in enumerate(_parts(tree)):
        known, training, mark = len(weights), Tensors(), f"{OF_TRAINING}{number}."
        if place in ONLY_TRAINING:
            flat = flatten(value, training, None, mark)
        else:
            flat = flatten(value, weights, training, mark=mark)
        group = state if name is None else state.setdefault(place, {})
        group[place if name is None else name] = flat
        new = dict(itertools.islice(weights.items(), known, None))
        for kind, own in (("tensors", new), ("training", training)):
            large = name is not None and sum(tensor.nbytes for tensor in own.values()) >= LARGE
            file = f"{kind}-{number:02d}.safetensors" if large else f"{kind}.safetensors"
            if own:
                files.setdefault(file, Tensors()).update(own)
    return state, files


def _parts(tree: dict[str, Any]) -> Iterator[tuple[str, str | None, Any]]:
    """What a tree holds: its key, of what is in the model's state the part's too, and the value."""
    for key, value in tree.items():
        named = isinstance(value, dict) and all(isinstance(name, str) for name in value)
        if key == PARTS and named and len(value) < MOST_PARTS and value.keys() != OPTIMISER:
            for name in value:
                if name in RESERVED:
                    raise TypeError(f"a checkpoint cannot hold a dict with the keys {list(value)}")
                yield key, name, value[name]
        else:
            yield key, None, value


def references(tree: Any, moments: bool = True) -> Iterator[str]:
    """The names of all tensors that a flat tree refers to, with or without those of optimisers."""
    if isinstance(tree, list):
        for value in tree:
            yield from references(value, moments)
    elif isinstance(tree, dict):
        if "__tensor__" in tree:
            yield str(tree["__tensor__"])
            return
        for key, value in tree.items():
            if moments or key != "state" or tree.keys() != OPTIMISER:
                yield from references(value, moments)


def not_finite(tree: Any, name: str = "") -> str | None:
    """The first tensor of a tree with NaN or infinity in it, by its dotted place; None: no one."""
    if isinstance(tree, Tensor):
        return None if bool(tree.isfinite().all()) else f"{name} of the state is not finite"
    items = enumerate(tree) if isinstance(tree, (list, tuple)) else ()
    pairs = tree.items() if isinstance(tree, dict) else items
    found = (not_finite(value, f"{name}.{key}".lstrip(".")) for key, value in pairs)
    return next((place for place in found if place is not None), None)
