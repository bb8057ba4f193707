"""The state of what is made of parts that have a state: a tree of plain dicts for a checkpoint."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from torch import Tensor

from gantext.metrics.score import HASH_DIGITS
from gantext.nn.optim import Optimiser
from gantext.records.content import Damaged
from gantext.records.shape import Misfit, check_of

# What a `load_state_dict` that is not ours, as of a plugin's model, raises for a state that is odd.
REFUSALS = (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)
MOMENTS = frozenset({"step", "exp_avg", "exp_avg_sq"})  # what Adam keeps of each weight
PLAIN = (bool, int, float, str)


class Stateful(Protocol):
    """Anything that has a state."""

    def state_dict(self) -> Any:
        """Its state."""
        ...

    def load_state_dict(self, state: Any) -> object:
        """Restore what `state_dict` gave."""
        ...


class NamedParts:
    """Its state is that of its parts, by name, and its counters.

    Attributes:
        counters: names of attributes that a resume needs too; their values are plain.
    """

    counters: ClassVar[tuple[str, ...]] = ()

    def parts(self) -> Mapping[str, Any]:
        """Everything in it that has a `state_dict`; a name is a key of the checkpoint."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser states and counters."""
        state = {name: part.state_dict() for name, part in self.parts().items()}
        return state | {name: getattr(self, name) for name in self.counters}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        for name in self.counters:
            setattr(self, name, state[name])


class Unmade(dict[str, Any]):
    """The state of a part before it is made: any tree of tensors and plain values may be its."""


class Deferred:
    """A part that is made when it is first used, such as a network that another package has.

    Until then its state is `Unmade`, empty or as it was given; its form is checked by `make`.
    """

    def make(self, to_train: bool = False) -> None:
        """Make it with the state it was given. Raises UserError where that cannot be."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Its state."""
        raise NotImplementedError

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        raise NotImplementedError


def weights_hash(weights: Mapping[str, Tensor]) -> str:
    """8 digits of a hash of weights: the same network on two machines may differ in rounding."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:HASH_DIGITS]


def restore(part: Stateful, state: Any, path: Path, name: str, *, to_train: bool = True) -> None:
    """Give a part the state that was read from a file, which must be of its form.

    Args:
        part: as it was built.
        state: what its `state_dict` gave, in that run.
        path: of the file, for errors.
        name: of the part there.
        to_train: whether it goes on training; else its optimisers are not made.

    Raises:
        Damaged: names, kinds or shapes are others than those of the part.
    """
    optimisers = _optimisers(part)
    try:
        with contextlib.ExitStack() as stack:
            for optimiser in optimisers.values():
                stack.enter_context(optimiser.resting())
            check_like(part.state_dict(), state)
            part.load_state_dict(state)
        if to_train:
            for _, own in _leaves(part):
                if isinstance(own, Deferred):
                    own.make(to_train=True)
            for place, optimiser in optimisers.items():
                _check_moments(optimiser, place)
    except Misfit as error:
        raise Damaged(path, str(error.under(name))) from error
    except REFUSALS as error:
        what = " ".join(str(error).split())
        raise Damaged(path, f'"{name}" does not fit: {type(error).__name__}: {what}') from error


def _leaves(part: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """What a part is made of, but parts that have parts themselves, each after its place there."""
    for name, own in part.parts().items() if isinstance(part, NamedParts) else ():
        if isinstance(own, NamedParts):
            yield from _leaves(own, f"{place}{name}.")
        else:
            yield f"{place}{name}", own


def _optimisers(part: Any) -> dict[str, Optimiser]:
    """Those of a part and of its parts, by their place there."""
    return {place: own for place, own in _leaves(part) if isinstance(own, Optimiser)}


def check_like(own: Any, state: Any) -> None:
    """Hold a tree against one of the same form: names, kinds, shapes and types of tensors.

    What is empty or None before the first step may hold anything plain.

    Raises:
        Misfit: at the first difference.
    """
    if isinstance(own, Tensor):
        _check_tensor(own, state)
    elif isinstance(own, Unmade):
        _check_tree(state)
    elif isinstance(own, dict):
        _check_names(own, state)
    elif isinstance(own, (list, tuple)):
        if not isinstance(state, list) or len(state) != len(own):
            raise Misfit(state, f"a list of {len(own)}")
        for place, (mine, one) in enumerate(zip(own, state, strict=True)):
            _check_under(str(place), mine, one)
    elif own is None or isinstance(own, float):
        if state is not None and type(state) not in (bool, int, float):
            raise Misfit(state, "a number")
    else:
        kind: Any = type(own)
        check_of(kind)(state)


def _check_tensor(own: Tensor, state: Any) -> None:
    if not isinstance(state, Tensor) or state.shape != own.shape or state.dtype != own.dtype:
        found = _described(state) if isinstance(state, Tensor) else ""
        raise Misfit(state, _described(own), found=found)


def _described(tensor: Tensor) -> str:
    return f"a tensor {tuple(tensor.shape)} of {str(tensor.dtype).removeprefix('torch.')}"


def _check_names(own: dict[Any, Any], state: Any) -> None:
    if not isinstance(state, dict):
        raise Misfit(state, "a mapping")
    if own.keys() == {"state", "param_groups"}:
        _check_optimiser(own, state)
        return
    if not own:
        _check_plain(state)
        return
    for name, mine in own.items():
        if name not in state:
            raise Misfit(state, f'one with "{name}"')
        _check_under(str(name), mine, state[name])
    for name in state:
        if name not in own:
            raise Misfit(state, f'one without "{name}"')


def _check_under(name: str, own: Any, state: Any) -> None:
    try:
        check_like(own, state)
    except Misfit as error:
        raise error.under(name) from None


def _check_plain(state: dict[Any, Any]) -> None:
    for name, value in state.items():
        if not (value is None or isinstance(value, (Tensor, *PLAIN))):
            raise Misfit(value, "a tensor or a plain value").under(str(name))


def _check_tree(state: Any) -> None:
    if isinstance(state, dict):
        for name, value in state.items():
            try:
                _check_tree(value)
            except Misfit as error:
                raise error.under(str(name)) from None
    elif isinstance(state, (list, tuple)):
        _check_tree(dict(enumerate(state)))
    elif not (state is None or isinstance(state, (Tensor, *PLAIN))):
        raise Misfit(state, "a tensor or a plain value")


def _check_optimiser(own: dict[str, Any], state: dict[str, Any]) -> None:
    """Rates and the like of each group; other versions of torch have more of them, or fewer."""
    for name in own:
        if name not in state:
            raise Misfit(state, f'one with "{name}"')
    groups = state["param_groups"]
    if not isinstance(groups, list) or len(groups) != len(own["param_groups"]):
        raise Misfit(groups, f"a list of {len(own['param_groups'])}").under("param_groups")
    for place, (mine, group) in enumerate(zip(own["param_groups"], groups, strict=True)):
        _check_group(f"param_groups.{place}", mine, group)
    moments, weights = state["state"], [w for group in groups for w in group["params"]]
    if not isinstance(moments, dict) or not set(moments) <= set(weights):
        raise Misfit(moments, "a mapping of weights").under("state")
    for weight, kept in moments.items():
        if not isinstance(kept, dict):
            raise Misfit(kept, "a mapping").under(f"state.{weight}")
        _check_plain(kept)


def _check_group(name: str, own: dict[str, Any], group: Any) -> None:
    if not isinstance(group, dict):
        raise Misfit(group, "a mapping").under(name)
    for key in ("params", "lr", "betas", "eps", "weight_decay"):
        if key in own and key not in group:
            raise Misfit(group, f'one with "{key}"').under(name)
    for key in own.keys() & group.keys():
        # A run from before it was fused goes on as it began.
        _check_under(f"{name}.{key}", None if key == "fused" else own[key], group[key])
    if group["params"] != own["params"]:
        raise Misfit(group["params"], "that of the model's weights").under(f"{name}.params")


def _check_moments(optimiser: Optimiser, name: str) -> None:
    """Raises Misfit where what is kept of a weight has not its shape."""
    for weight, kept in optimiser.state.items():
        if not kept.keys() >= MOMENTS:
            raise Misfit(list(kept), f"a mapping with {', '.join(sorted(MOMENTS))}").under(name)
        for key, value in kept.items():
            if not isinstance(value, Tensor) or (value.dim() and value.shape != weight.shape):
                raise Misfit(value, _described(weight.data)).under(f"{name}.{key}")
