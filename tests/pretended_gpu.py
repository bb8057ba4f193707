"""A GPU that is not there: tensors "on cuda" are CPU tensors that know where they claim to be.

What a GPU refuses is refused: an operation on tensors of both devices (a CPU tensor without
dimensions and CPU indices are allowed, as there), a generator of the other device, `numpy()`, and
what is not the same each time where that is asked for.
Counted are launches (operators that are no views) and waits of the host (`item`, `tolist`, `bool`,
`nonzero`, boolean indices, copies that block, tensors made of the host's numbers). A CPU's
kernels do the work, so an operator that is one kernel there may count as its parts here; an LSTM's
cell counts as the two products and the one kernel of a GPU.
"""

import collections
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map_only

CUDA, CPU = torch.device("cuda", 0), torch.device("cpu")
ATEN = torch.ops.aten
CELL = 3
# Of an optimiser, whether a graph is being captured: its names in torch of different ages.
CAPTURE_CHECKS = (
    "_accelerator_graph_capture_health_check",
    "_cuda_graph_capture_health_check",
)
INDEXED = {
    ATEN.index.Tensor,
    ATEN.index_put.default,
    ATEN.index_put_.default,
    ATEN._index_put_impl_.default,
    ATEN._unsafe_index.Tensor,
}
# What takes no CPU tensor without dimensions either.
TAKING_NO_NUMBER = {*INDEXED, ATEN.cat.default, ATEN.stack.default}
# Of what the documentation of `torch.use_deterministic_algorithms` lists, what a model may use.
UNREPEATABLE = {
    ATEN._adaptive_avg_pool2d_backward.default,
    ATEN.adaptive_max_pool2d_backward.default,
    ATEN.cumsum.default,
    ATEN.grid_sampler_2d_backward.default,
    ATEN.histc.default,
    ATEN.median.dim,
    ATEN.nll_loss2d_forward.default,
    ATEN.put.default,
    ATEN.put_.default,
    ATEN.reflection_pad2d_backward.default,
    ATEN.upsample_bicubic2d_backward.default,
    ATEN.upsample_bilinear2d_backward.default,
}
FREE = {ATEN.empty.memory_format, ATEN.empty_like.default, ATEN.new_empty.default}
WAITING = {
    ATEN._local_scalar_dense.default,
    ATEN.nonzero.default,
    ATEN.masked_select.default,
    ATEN._unique2.default,
    ATEN.unique_consecutive.default,
    ATEN.unique_dim.default,
    ATEN.equal.default,
    ATEN.repeat_interleave.Tensor,
}


class Counter:
    """What the device was asked for.

    Attributes:
        launches: operators that compute.
        waits: of the host, by what waits and where in the package.
    """

    def __init__(self) -> None:
        self.launches = 0
        self.waits: collections.Counter[str] = collections.Counter()

    def wait(self, what: str) -> None:
        """Count a wait."""
        frame: FrameType | None = sys._getframe()
        while frame and not frame.f_globals["__name__"].startswith("gantext."):
            frame = frame.f_back
        where = f" {frame.f_globals['__name__']}:{frame.f_lineno}" if frame else ""
        self.waits[what + where] += 1


COUNTER = Counter()


class GpuTensor(torch.Tensor):
    """A tensor that claims to be on cuda."""

    @staticmethod
    def __new__(cls, inner: Tensor, requires_grad: bool = False) -> Self:
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device="cpu",
            requires_grad=requires_grad,
        )
        made.inner = inner
        return made

    def __repr__(self) -> str:
        return f"GpuTensor({self.inner!r})"

    @property
    def device(self) -> torch.device:
        return CUDA

    @property
    def is_cuda(self) -> bool:
        return True

    @property
    def is_cpu(self) -> bool:
        return False

    # With these a module swaps its weights for such tensors as a whole.
    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["inner"], None

    @staticmethod
    def __tensor_unflatten__(
        inner: dict[str, Tensor], ctx: None, outer_size: Any, outer_stride: Any
    ) -> "GpuTensor":
        return GpuTensor(inner["inner"])

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        flat = tree_leaves((args, kwargs))
        _refuse(func, args, flat)
        _count(func, args)
        bare, options = tree_map_only(GpuTensor, lambda t: t.inner, (args, kwargs))
        if options.get("device") is not None:
            options["device"] = CPU
        out = func(*bare, **options)
        if func is ATEN.copy_.default:
            return args[0]
        out = tree_map_only(torch.Tensor, GpuTensor, out)
        return return_and_correct_aliasing(func, args, kwargs, out)


def _refuse(func: Any, args: Any, flat: list[Any]) -> None:
    """Raises RuntimeError for what is on both devices."""
    for part in flat:
        if isinstance(part, torch.Generator) and part.device.type != "cuda":
            raise RuntimeError(f"{func}: a generator of the CPU for a tensor of the GPU")
    if torch.are_deterministic_algorithms_enabled() and func in UNREPEATABLE:
        if args[0].is_floating_point():
            raise RuntimeError(f"{func} does not have a deterministic implementation")
    if func is ATEN.copy_.default:
        return
    given = args[:1] if func in INDEXED else flat
    there = [t for t in given if isinstance(t, Tensor) and not isinstance(t, GpuTensor)]
    if torch._C._current_graph_task_id() != -1 and func is ATEN.cat.default:
        # Gradients of parts that nothing depends on: autograd takes the device for the CPU.
        there = [t for t in there if t.any()]
    if any(tensor.dim() > 0 for tensor in there) or (func in TAKING_NO_NUMBER and there):
        raise RuntimeError(f"{func}: tensors of both devices: {[tuple(t.shape) for t in there]}")


def _count(func: Any, args: Any) -> None:
    COUNTER.launches += not (func.is_view or func in FREE)
    if func in WAITING:
        COUNTER.wait(str(func))
    if func is ATEN.copy_.default and not isinstance(args[0], GpuTensor):
        COUNTER.wait("copy to the host")
    if func in INDEXED:
        indices = [index for index in args[1] if index is not None]
        if any(index.dtype in (torch.bool, torch.uint8) for index in indices):
            COUNTER.wait("boolean index")
        if not all(isinstance(index, GpuTensor) for index in indices):
            COUNTER.wait("index from the host")


class _Moved(torch.autograd.Function):
    """A tensor on the other device; gradients come back."""

    @staticmethod
    def forward(ctx: Any, tensor: Any, up: bool) -> Tensor:
        ctx.up = up
        return GpuTensor(tensor.detach().clone()) if up else tensor.inner.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> tuple[Tensor, None]:
        if ctx.up:
            return getattr(gradient, "inner", gradient), None
        return gradient if isinstance(gradient, GpuTensor) else GpuTensor(gradient), None


def _moved(tensor: Tensor, up: bool, waits: bool = True) -> Tensor:
    if isinstance(tensor, GpuTensor) == up:
        return tensor
    if waits:
        COUNTER.wait("copy to the device" if up else "copy to the host")
    return _Moved.apply(tensor, up)


def _is_cuda(device: Any) -> bool:
    return isinstance(device, int) or torch.device(device).type == "cuda"


class _Mode(TorchFunctionMode):
    """Sees what names a device, and what leaves tensors."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        first = args[0] if args else None
        if func is torch.Tensor.to:
            return self._to(func, args, kwargs)
        if func is torch.Tensor.cpu:
            return _moved(args[0], up=False)
        if func.__name__ == "lstm" and torch.is_autocast_enabled("cpu"):
            # A GPU has it in bf16, as not every processor has.
            wide = tree_map_only(Tensor, lambda t: t.float() if t.is_floating_point() else t, args)
            with torch.autocast("cpu", enabled=False):
                found = func(*wide, **kwargs)
            return tree_map_only(Tensor, Tensor.bfloat16, found)
        if func.__name__ == "lstm_cell" and isinstance(first, GpuTensor):
            before = COUNTER.launches
            found = func(*args, **kwargs)
            COUNTER.launches = before + CELL
            return found
        if func is torch.Tensor.pin_memory:
            return first
        if func is F.pad and kwargs.get("mode") == "replicate":
            # Where sums come in one order torch makes it of indices, past what is pretended.
            return torch._C._nn.replication_pad2d(*args)
        if isinstance(first, GpuTensor):
            if func in (torch.Tensor.numpy, torch.Tensor.__array__):
                raise TypeError("can't convert a tensor of cuda to numpy: use Tensor.cpu() first")
            if func is torch.Tensor.tolist:
                COUNTER.wait("tolist")
                return first.inner.tolist()
            if func is torch.Tensor.new_tensor:
                COUNTER.wait("new_tensor")
                return GpuTensor(torch.tensor(*args[1:], **kwargs))
        if kwargs.get("device") is not None:
            return self._made(func, args, kwargs)
        return func(*args, **kwargs)

    def _made(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A new tensor on a device."""
        rng, cuda = kwargs.get("generator"), _is_cuda(kwargs["device"])
        if rng is not None and (rng.device.type == "cuda") != cuda:
            raise RuntimeError(f"{func.__name__}: a generator of another device")
        if not cuda:
            return func(*args, **kwargs)
        if func.__name__ in ("tensor", "as_tensor", "asarray"):
            COUNTER.wait(func.__name__)
            if isinstance(args[0], GpuTensor):
                return args[0]
        COUNTER.launches += 1
        asks = kwargs.pop("requires_grad", False)
        bare = tree_map_only(GpuTensor, lambda t: t.inner, args)
        made = GpuTensor(func(*bare, **{**kwargs, "device": CPU}))
        return made.requires_grad_() if asks else made

    def _to(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tensor, rest = args[0], [a for a in args[1:] if a is not None and not isinstance(a, bool)]
        waits = not kwargs.pop("non_blocking", False)
        target = kwargs.pop("device", None)
        for i, given in enumerate(rest):
            if isinstance(given, (str, torch.device)):
                target = rest.pop(i)
                break
            if isinstance(given, Tensor):
                target, rest[i] = given.device, given.dtype
        out = tensor if target is None else _moved(tensor, _is_cuda(target), waits)
        return func(out, *rest, **kwargs) if rest or kwargs else out


_BareGenerator = torch.Generator


class _Generator(_BareGenerator):
    """A CPU's generator that says where it was asked to be."""

    def __new__(cls, device: Any = "cpu") -> Self:
        made = super().__new__(cls, "cpu")
        made.claimed = torch.device(device)
        return made

    @property
    def device(self) -> torch.device:
        return self.claimed


@contextmanager
def pretended_gpu() -> Iterator[Counter]:
    """Within this block a GPU is there; yields its counter."""
    start, grouped = torch.autocast.__init__, torch._C._group_tensors_by_device_and_dtype

    def autocast(self: Any, device_type: str, *args: Any, **kwargs: Any) -> None:
        start(self, "cpu" if device_type == "cuda" else device_type, *args, **kwargs)

    def group(tensors: Any, *args: Any) -> Any:  # an optimiser's, by the devices that they claim
        found = grouped(tensors, *args)
        claimed = CUDA if isinstance(tensors[0][0], GpuTensor) else CPU
        return {(claimed, kind): lists for (_, kind), lists in found.items()}

    with pytest.MonkeyPatch.context() as patch, _Mode():
        patch.setattr(torch._C, "_group_tensors_by_device_and_dtype", group)
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(torch.cuda, "mem_get_info", lambda device=None: (2**34, 2**34))
        patch.setattr(torch.cuda, "get_device_name", lambda device=None: "pretended")
        # Of torch's CUDA builds, which would ask a driver.
        patch.setattr(torch.backends.cudnn, "is_acceptable", lambda tensor: False)
        for check in CAPTURE_CHECKS:
            patch.setattr(torch.optim.Optimizer, check, lambda self: None, raising=False)
        patch.setattr(torch.backends.cuda, "is_built", lambda: False)  # there are no graphs
        patch.setattr(torch, "Generator", _Generator)
        patch.setattr(torch.autocast, "__init__", autocast)
        yield COUNTER


def counted(call: Callable[[], object]) -> tuple[int, collections.Counter[str]]:
    """Launches and waits of a call."""
    launches, waits = COUNTER.launches, COUNTER.waits.copy()
    call()
    return COUNTER.launches - launches, COUNTER.waits - waits
