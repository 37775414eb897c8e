"""Plans run by PyTorch, without its tape: what is derived needs none."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from pullback.backends.numpy import failed
from pullback.backends.numpy_functions import table_value
from pullback.backends.torch_source import NAMES, TorchWriter
from pullback.errors import PullbackError
from pullback.planning.steps import Plan

Run = Callable[..., Any]


def library() -> Any:
    """PyTorch, or a PullbackError that says how to get it."""
    try:
        import torch
    except ImportError:
        raise PullbackError("PyTorch is not installed", hint="pip install pullback[torch]") from None
    return torch


class TorchProgram:
    """A plan specialised to a type and to the library of the arrays that come in."""

    name = "torch"

    def __init__(self, plan: Plan, dtype: Any, arrangement: str, reuse: bool, given: str = "numpy") -> None:
        library()
        self.plan = plan
        self.dtype = dtype
        self.given = "torch" if given == "torch" else "numpy"
        self.source = TorchWriter(plan, arrangement, reuse, self.given).write()
        self.code = compile(self.source.text, "<pullback plan>", "exec")

    def bind(self, miss: Run) -> Run:
        """Make buffers and the function that runs in them; ``miss`` takes arguments that do not fit."""
        import numpy as np

        torch, source = library(), self.source
        kind = getattr(torch, str(self.dtype))
        limit = float(torch.finfo(kind).max)
        pool = [torch.empty(length, dtype=kind) for length in source.memory.lengths]
        scope: dict[str, Any] = {
            "A": torch.Tensor if self.given == "torch" else np.ndarray,
            "D": kind if self.given == "torch" else self.dtype,
            "T": kind, "E": torch.linalg.LinAlgError, "miss": miss, "failed": failed, "tensor": tensor,
            "empty": lambda shape, _: torch.empty(shape, dtype=kind), "zeros": torch.zeros, "einsum": torch.einsum,
            "mm": torch.mm, "mv": torch.mv, "vdot": torch.dot, "bmm": torch.bmm, "addmm": torch.addmm,
            "tsum": torch.sum, "amax": torch.amax, "clamp": torch.clamp, "where": torch.where,
            "solve": torch.linalg.solve, "threshold": torch.ops.aten.threshold_backward.grad_input,
            "LOW": -limit, "HIGH": limit, "diagonals": diagonals,
        }  # fmt: skip
        for name in NAMES.values():
            scope[name] = getattr(torch, name)
        for name, (number, shape, value) in source.buffers.items():
            if number is not None:
                scope[name] = pool[number][: int(np.prod(shape, dtype=np.int64))].reshape(shape)
            else:
                scope[name] = torch.full(shape, 0.0 if value is None else value, dtype=kind)
        for name, operation in source.operations.items():
            scope[name] = operation_of(operation)
        for name, text in source.views:
            scope[name] = eval(text, scope)
        if source.risky:
            scope["enter"] = lambda body, *arrays: body(*arrays)
        exec(self.code, scope)
        run: Run = scope["run"]
        return torch.no_grad()(run) if self.given == "torch" else run


def tensor(array: Any) -> Any:
    """Look at an array of NumPy as a tensor; what PyTorch can't look at is copied."""
    torch = library()
    if array.flags.writeable:
        return torch.from_numpy(array if min(array.strides, default=0) >= 0 else array.copy())
    if not array.flags.c_contiguous or not array.size:
        return torch.from_numpy(array.copy())
    # PyTorch would warn that a read-only array could be written to; plans write to no input but those they change.
    memory = (ctypes.c_char * array.nbytes).from_address(array.__array_interface__["data"][0])
    return torch.frombuffer(memory, dtype=getattr(torch, str(array.dtype))).reshape(array.shape)


def diagonals(x: Any, labels: tuple[int, ...], order: tuple[int, ...] | None = None) -> Any:
    """Look at the entries where axes of the same label have the same index."""
    order = tuple(dict.fromkeys(labels)) if order is None else order
    strides = [sum(s for s, label in zip(x.stride(), labels, strict=True) if label == wanted) for wanted in order]
    sizes = [x.shape[labels.index(wanted)] for wanted in order]
    return x.as_strided(sizes, strides, x.storage_offset())


def operation_of(name: str) -> Run:
    """An operation of the table on tensors; what PyTorch does not have goes through NumPy."""
    torch = library()

    def logdet(a: Any) -> Any:
        sign, value = torch.linalg.slogdet(a)
        return torch.where(sign > 0, value, torch.nan)

    known: dict[str, Run] = {
        "inv": torch.linalg.inv,
        "det": torch.linalg.det,
        "logdet": logdet,
        "chol": lambda a: torch.linalg.cholesky((a + a.mT) / 2),
        "tril": torch.tril,
        "expm": torch.linalg.matrix_exp,
    }
    if name in known:
        return known[name]
    value = table_value(name)

    def through_numpy(*tensors: Any) -> Any:
        import numpy as np

        found = np.asarray(value(*(tensor.numpy() for tensor in tensors)))
        return torch.from_numpy(found.astype(tensors[0].numpy().dtype, copy=False))

    return through_numpy
