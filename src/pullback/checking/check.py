"""``pb.check``: prove gradients by numbers, whatever they are written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pullback.checking.program import check_program
from pullback.checking.report import Report
from pullback.checking.words import catalogue
from pullback.errors import UnsupportedError
from pullback.expression import Expression
from pullback.lowering.asked import Names
from pullback.lowering.given import Properties, Shapes
from pullback.lowering.program import Program


def check(
    source: Any,
    backward: Callable[..., Any] | None = None,
    *,
    wrt: Names = None,
    values: Mapping[str, Any] | Sequence[Any] | None = None,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
    order: int = 1,
    seed: int = 0,
    tolerance: float | None = None,
    points: Sequence[str] | None = None,
    lang: str = "en",
) -> Report:
    """Compare gradients with the complex step or with extrapolated central differences, in float64.

    Args:
        source: A program (text, Program, Expression), whose derived backward pass is checked; or a Python
            forward pass: a NumPy function, a ``torch.nn.Module``, a subclass of ``torch.autograd.Function``,
            a JAX function (with ``custom_vjp``: its own rule is checked).
        backward: The hand-written backward pass of a Python function: ``backward(g, *inputs)`` gives one
            gradient an input, as a tuple in order or a mapping; where ``forward`` gives ``(output, cache)``
            it is called as ``backward(g, cache)``.
        wrt: The inputs to check; all where none is named.
        values: For a program, a value for each input: a point to compare at beside the drawn ones. For a
            Python function, its example arguments, by name or in order.
        shapes: As in ``parse``; of a Python function, the shapes of its arguments.
        assume: As in ``parse``.
        batch: As in ``parse``.
        order: 2 to compare second derivatives too.
        seed: Of everything that is drawn.
        tolerance: The relative difference that is allowed; by the method where it is not given.
        points: Which points to draw, of random, zeros, ones, repeated, tiny, huge; all where not given.
        lang: The language of the report, ``en`` or ``ko``.

    Returns:
        A report that is truthy where all agrees.

    Raises:
        PullbackError: The source can't be read, or the values do not fit.

    >>> bool(check("y = tanh(W x + b)"))
    True
    """
    if order not in (1, 2):
        raise UnsupportedError(f"derivatives of order {order} are not checked", hint="the orders are 1 and 2")
    if backward is not None and not callable(backward):
        raise UnsupportedError(
            "the backward pass is not a function", hint='formulas are audited: pb.audit("y = W x", {"W": "g x\'"})'
        )
    catalogue(lang)  # a language that is not there is refused before anything is run
    reading: dict[str, Any] = {"shapes": shapes, "assume": assume, "batch": batch}
    if isinstance(source, str | Program | Expression):
        if backward is not None:
            from pullback.checking.pairs import check_claimed

            return check_claimed(source, backward, values, seed=seed, tolerance=tolerance, language=lang, **reading)
        if values is not None and not isinstance(values, Mapping):
            raise UnsupportedError("the values of a program are given by name", hint='such as values={"x": [1, 2]}')
        return check_program(
            source, wrt, values, order=order, seed=seed, tolerance=tolerance, language=lang, points=points, **reading
        )
    if isinstance(source, tuple) and len(source) == 2 and backward is None:
        source, backward = source
    from pullback.checking.pairs import check_python

    return check_python(
        source,
        backward,
        values,
        wrt=wrt,
        shapes=shapes,
        order=order,
        seed=seed,
        tolerance=tolerance,
        language=lang,
        points=points,
    )
