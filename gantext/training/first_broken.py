"""The first operation of a step whose result is not finite: its name, its module, its line.

Masks are full of -inf, and softmax, log and products of what is masked pass it on. So an infinity
counts only where the operation's own tensors had none, and no operation that writes a mask counts
for it; NaN counts wherever it is computed: a view shows memory as it lies there, filled or not.
"""

import contextlib
import math
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import gantext

# What gives no number of its own: memory that is not filled yet.
UNFILLED = ("empty", "new_empty", "resize", "set_")
# What writes infinities on purpose: masks, and the logarithm of a probability of 0.
MASKING = ("fill", "full", "masked", "scatter", "where", "log", "pad", "copy", "index_put")
PACKAGE = gantext.__path__[0]


@dataclass(frozen=True)
class Operation:
    """Where a number stopped being finite.

    Attributes:
        name: of the operation, as torch has it: "aten.exp".
        value: "nan", "inf" or "-inf".
        module: the part of a network that it ran in, "generator.output"; None outside of all.
        backward: the gradient that it is a part of, "ExpBackward0"; None in a forward pass.
        line: "FILE:LINE, in FUNCTION" of gantext: of a gradient that of its forward pass.
    """

    name: str
    value: str
    module: str | None
    backward: str | None
    line: str | None


class _Each(TorchDispatchMode):
    """Has every operation that torch is asked for computed by `compute`."""

    compute: Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return self.compute(func, args, kwargs or {})


class FirstBroken:
    """While it is on, it looks at all that torch computes; `found` is the first broken result."""

    def __init__(self, networks: Mapping[str, nn.Module]) -> None:
        self.found: Operation | None = None
        self._names = {
            module: f"{role}.{name}".rstrip(".")
            for role, network in networks.items()
            for name, module in network.named_modules()
        }
        self._inside: list[nn.Module] = []

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """Look at everything that the block computes, gradients too."""
        enter = register_module_forward_pre_hook(lambda module, _: self._inside.append(module))
        leave = register_module_forward_hook(
            lambda module, *_: self._inside.remove(module), always_call=True
        )
        mode = _Each()
        mode.compute = self._compute
        try:
            with torch.autograd.set_detect_anomaly(True, check_nan=False), mode:
                yield
        finally:
            enter.remove()
            leave.remove()

    def _compute(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.found is not None:
            return func(*args, **kwargs)
        name = str(func.overloadpacket)
        word = name.removeprefix("aten.").lstrip("_")
        before = any(_is_infinite(part) for part in tree_leaves((args, kwargs)))
        result = func(*args, **kwargs)
        if not func.is_view and not word.startswith(UNFILLED):
            lenient = before or any(mask in word for mask in MASKING)
            written = [result, *_written(func, args, kwargs)]
            values = (_broken(part, lenient) for part in tree_leaves(written))
            value = next((value for value in values if value is not None), None)
            if value is not None:
                self.found = self._operation(name, value)
        return result

    def _operation(self, name: str, value: str) -> Operation:
        node = torch._C._current_autograd_node()
        if node is None:
            module = self._names.get(self._inside[-1]) if self._inside else None
            frames = traceback.format_list(traceback.extract_stack())
            return Operation(name, value, module, None, _line(frames))
        # Anomaly detection keeps where the forward pass made the node.
        frames = getattr(node, "metadata", {}).get("traceback_", [])
        return Operation(name, value, None, node.name(), _line(frames))


def _written(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """The arguments that an operation writes into."""
    named = zip(func._schema.arguments, args, strict=False)
    given = [(argument, value) for argument, value in named]
    given += [(a, kwargs[a.name]) for a in func._schema.arguments if a.name in kwargs]
    return [v for a, v in given if a.alias_info is not None and a.alias_info.is_write]


def _is_number(part: Any) -> bool:
    return isinstance(part, Tensor) and part.is_floating_point() and part.numel() > 0


def _is_infinite(part: Any) -> bool:
    if isinstance(part, float):
        return math.isinf(part)
    return _is_number(part) and bool(part.isinf().any())


def _broken(part: Any, lenient: bool) -> str | None:
    """What in a result is not finite; infinities do not count where one is lenient."""
    if not _is_number(part) or bool(part.isfinite().all()):
        return None
    if bool(part.isnan().any()):
        return "nan"
    if lenient:
        return None
    return "inf" if bool((part == torch.inf).any()) else "-inf"


def _line(frames: list[str]) -> str | None:
    """The innermost frame of gantext's own, of those that a traceback prints."""
    for frame in reversed(frames):
        head = frame.strip().partition("\n")[0]
        if PACKAGE in head and __file__ not in head:
            file, line, function = head.removeprefix("File ").split(", ", 2)
            path = file.strip('"').removeprefix(PACKAGE.removesuffix("gantext"))
            return f"{path}:{line.removeprefix('line ')}, {function}"
    return None
