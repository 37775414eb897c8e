"""Source text for a target: what ``pb.emit``, ``Expression.emit`` and ``pullback emit`` do."""

from __future__ import annotations

from collections.abc import Callable

from pullback.deriving import Source, as_program, refuse_second_reading
from pullback.emission.subject import Subject, subject_of
from pullback.errors import PullbackError
from pullback.expression import Expression, Results
from pullback.lowering.asked import Names
from pullback.lowering.given import Properties, Shapes


def _python(name: str) -> Callable[[Subject], str]:
    def write(subject: Subject) -> str:
        from pullback.emission import python

        function: Callable[[Subject], str] = getattr(python, f"{name}_source")
        return function(subject)

    return write


def _numpy_out(subject: Subject) -> str:
    from pullback.emission.numpy_out import numpy_out_source

    return numpy_out_source(subject)


def _c(subject: Subject) -> str:
    from pullback.emission.c99 import c_source

    return c_source(subject)


def _triton(subject: Subject) -> str:
    from pullback.emission.triton import triton_source

    return triton_source(subject)


def _latex(subject: Subject) -> str:
    from pullback.emission.latex import latex_source

    return latex_source(subject)


TARGETS: dict[str, Callable[[Subject], str]] = {
    "numpy": _python("numpy"),
    "numpy-out": _numpy_out,
    "torch": _python("torch"),
    "jax": _python("jax"),
    "c": _c,
    "triton": _triton,
    "latex": _latex,
}
"""The targets, in the order in which help lists them."""


def emit_program(
    source: Source | Results,
    target: str = "numpy",
    wrt: Names = None,
    upstream: str = "g",
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
) -> str:
    """Write a program and its backward pass as a file of its own.

    Args:
        source: The program: text, Program or Expression; or results, which are emitted as they are.
        target: ``numpy``, ``numpy-out`` (into buffers), ``torch``, ``jax``, ``c``, ``triton`` or ``latex``.
        wrt: The inputs to differentiate by; all that are no constants where none is named.
        upstream: What the gradient of the output is called.
        shapes: As in ``parse``.
        assume: As in ``parse``.
        batch: As in ``parse``.

    Returns:
        Source text that needs nothing of pullback; run by itself, it checks itself.

    Raises:
        PullbackError: The target is not known, or something in the program has no name there.

    >>> print(emit_program("y = W x").split("def ")[1].split("if")[0].strip())
    layer(W, x, g):
        \"\"\"Give y, dW, dx.\"\"\"
        m = W.shape[0]
        n = W.shape[1]
        assert W.shape == (m, n), W.shape
        assert x.shape == (n,), x.shape
        assert g.shape == (m,), g.shape
        y = W @ x
        dW = x[None, :] * g[:, None]
        dx = W.T @ g
        return y, dW, dx
    """
    write = _writer(target)
    if isinstance(source, Results):
        refuse_second_reading(shapes, assume, batch)
        return write(subject_of(source))
    return write(subject_of(as_program(source, shapes, assume, batch), wrt, upstream))


def emit_expression(expression: Expression, target: str = "numpy") -> str:
    """Write a result as a function of its own; see ``emit_program``."""
    return _writer(target)(subject_of(expression, backward_pass=False))


def _writer(target: str) -> Callable[[Subject], str]:
    if target not in TARGETS:
        raise PullbackError(f"{target!r} is not a target", hint=f"the targets are: {', '.join(TARGETS)}")
    return TARGETS[target]
