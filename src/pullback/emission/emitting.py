"""Source text for a target: what ``pb.emit``, ``Expression.emit`` and ``pullback emit`` do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from pullback.deriving import Source, as_program, refuse_second_reading
from pullback.emission.drafting import Drawn, draw_up
from pullback.emission.identifiers import PYTHON, C, checked
from pullback.emission.sampling import arrays
from pullback.emission.subject import Subject, subject_of_expressions, subject_of_program
from pullback.emission.triton import TRITON
from pullback.errors import PullbackError, ValuesError
from pullback.expression import Expression, Results
from pullback.lowering.asked import Names
from pullback.lowering.given import Properties, Shapes
from pullback.spelling.dialects import JAX, NUMPY, TORCH, Dialect


@dataclass(frozen=True)
class Target:
    """A language: who writes it, which functions it has by name, which names are taken in it, how a file is run.

    Where the backward pass stands ``apart`` from the forward one, it is given the gradient of the output even of a
    scalar, as frameworks do.
    """

    writer: str
    reserved: frozenset[str] = PYTHON
    kept: frozenset[str] = frozenset()
    apart: bool = False
    run: str = "python {file}"

    def write(self, drawn: Drawn) -> str:
        """The source text."""
        module, _, function = self.writer.partition(":")
        write: Callable[[Drawn], str] = getattr(import_module(f"pullback.emission.{module}"), function)
        return write(drawn)


def _in_python(name: str, dialect: Dialect, apart: bool) -> Target:
    return Target(f"{name}_file:{name}_source", PYTHON | set(dialect.definitions), dialect.known, apart)


TARGETS: Mapping[str, Target] = {
    "numpy": _in_python("numpy", NUMPY, apart=False),
    "numpy-out": Target("numpy_out:numpy_out_source", PYTHON | set(NUMPY.definitions)),
    "torch": _in_python("torch", TORCH, apart=True),
    "jax": _in_python("jax", JAX, apart=True),
    "c": Target("c_file:c_source", C, run="cc -std=c99 -DCHECK {file} -lblas -lm && ./a.out"),
    "triton": Target("triton:triton_source", PYTHON | {"triton", "tl", "z", "dz"}, TRITON.known, apart=True),
    "latex": Target("latex:latex_source", run=""),
}
"""The targets, in the order in which help lists them."""


def emit_program(
    source: Source | Results,
    target: str = "numpy",
    wrt: Names = None,
    upstream: str | None = None,
    *,
    name: str | None = None,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
    values: Mapping[str, Any] | None = None,
    seed: Any = None,
) -> str:
    """Write a program and its backward pass as a file of its own.

    Args:
        source: The program: text, Program or Expression; or results, which are emitted as they are.
        target: ``numpy``, ``numpy-out`` (into buffers), ``torch``, ``jax``, ``c``, ``triton`` or ``latex``.
        wrt: The inputs to differentiate by; all that are no constants where none is named.
        upstream: What the gradient of the output is called; ``g`` where the program has no ``g``.
        name: What the function is called; ``layer``, or ``loss`` where the output is a scalar.
        shapes: As in ``parse``.
        assume: As in ``parse``.
        batch: As in ``parse``.
        values: Numbers for inputs, by name, on which the file checks itself; by default it draws some.
        seed: Such numbers for the gradient of the output.

    Returns:
        Source text that needs nothing of pullback; run by itself, it checks itself.

    Raises:
        PullbackError: The target is not known, the name is none, or something in the program has no name there.

    >>> print(emit_program("y = W x").split("def ")[1].split("if")[0].strip())
    layer(W, x, g):
        \"\"\"Return y, and dL/dW and dL/dx, given g = dL/dy.\"\"\"
        m, n = W.shape
        assert x.shape == (n,), f"x is {x.shape}, not {(n,)}"
        assert g.shape == (m,), f"g is {g.shape}, not {(m,)}"
    <BLANKLINE>
        y = W @ x  # y = W x
        dW = np.outer(g, x)  # dL/dW = g x'
        dx = W.T @ g  # dL/dx = W' g
    <BLANKLINE>
        return y, dW, dx
    """
    chosen = target_of(target)
    if isinstance(source, Results):
        refuse_second_reading(shapes, assume, batch)
        return _written(subject_of_expressions(list(source.values()), list(source)), chosen, name)
    subject = subject_of_program(as_program(source, shapes, assume, batch), wrt, upstream, chosen.apart)
    if seed is not None and subject.upstream is None:
        raise ValuesError("no gradient comes from above: the output is a scalar", hint="leave its value out")
    given = dict(values or {}) | ({subject.upstream.name: seed} if seed is not None and subject.upstream else {})
    return _written(subject, chosen, name, given)


def emit_expression(expression: Expression, target: str = "numpy", name: str | None = None) -> str:
    """Write a result as a function of its own; see ``emit_program``."""
    return _written(subject_of_expressions([expression]), target_of(target), name)


def _written(subject: Subject, target: Target, name: str | None, values: Mapping[str, Any] | None = None) -> str:
    drawn = draw_up(subject, target.kept, target.reserved, target.apart, None if name is None else checked(name))
    return target.write(replace(drawn, values=arrays(subject, values or {})))


def target_of(name: str) -> Target:
    """The target of a name.

    Raises:
        PullbackError: There is none; the hint lists those that are.
    """
    if name not in TARGETS:
        raise PullbackError(f"{name[:60]!r} is not a target", hint=f"the targets are: {', '.join(TARGETS)}")
    return TARGETS[name]
