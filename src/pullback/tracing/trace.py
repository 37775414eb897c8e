"""``pb.trace``: a Python function written with arrays, read as a program by running it on stand-ins."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from pullback.errors import NotationError, PullbackError, UnsupportedError
from pullback.lowering.given import read_shape
from pullback.tracing.array import Array
from pullback.tracing.tape import Recording, TracedProgram, Value


def trace(
    function: Callable[..., Any], *examples: Any, shapes: Mapping[str, Any] | None = None, **more: Any
) -> TracedProgram:
    """Read a function written with NumPy, or with any array-API namespace, as a program.

    The function is run once on stand-ins for its arrays. What depends on values (a branch, an index, an
    assignment to entries) can't be seen this way and is refused by name.

    Args:
        function: The function; it takes arrays and gives one array (or a tuple, of which the first counts).
        examples: Example arguments in order; only their shapes matter.
        shapes: The shape of each argument by name: lengths, numbers or names; ``()`` is a scalar.
        more: The same, as keywords.

    Returns:
        A program, which ``derive``, ``backward``, ``check`` and ``audit`` take. Its steps have the names
        of the function's own variables.

    Raises:
        UnsupportedError: The function does something that is not read; the place is named.

    >>> import pullback as pb
    >>> def layer(W, x, b):
    ...     return W @ x + b
    >>> print(pb.backward(trace(layer, W=("m", "n"), x=("n",), b=("m",))))
    dL/dW = g x'
    dL/dx = W' g
    dL/db = g
    """
    import numpy as np

    given: dict[str, Any] = {**(shapes or {}), **more}
    names = _parameters(function)
    for name, example in zip(names, examples, strict=False):
        given[name] = np.shape(example)
    recording = Recording()
    arguments: dict[str, Any] = {}
    for name in names:
        if name not in given:
            if _has_default(function, name):
                continue
            raise NotationError(f"{name} has no shape", hint=f'give it, such as {name}=("m", "n"), or () for a scalar')
        arguments[name] = Array(recording.input(name, read_shape(name, given[name])), recording)
    unknown = [name for name in given if name not in names]
    if unknown:
        raise NotationError(f"{unknown[0]} is not an argument", hint=f"the arguments are: {', '.join(names)}")
    result, local = _run(function, arguments)
    if isinstance(result, tuple | list) and result and isinstance(result[0], Array):
        result = result[0]
    if not isinstance(result, Array):
        raise UnsupportedError(
            f"{_name(function)} gives {type(result).__name__}, not an array made of its arguments",
            hint="return an array that depends on the arguments",
        )
    called = {id(a.value): n for n, a in local.items() if isinstance(a, Array)}
    values = [a.value for a in arguments.values()]
    title = f"{_name(function)}({', '.join(arguments)})"
    return recording.program(result.value, title, called, _caller(function, list(arguments), len(values)))


def _caller(function: Callable[..., Any], names: Sequence[str], _: int) -> Callable[[Mapping[str, Any]], Any]:
    def run(values: Mapping[str, Any]) -> Any:
        result = function(**{name: values[name] for name in names})
        return result[0] if isinstance(result, tuple | list) else result

    return run


def _parameters(function: Callable[..., Any]) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise UnsupportedError(f"{_name(function)} has the parameter {parameter}, which has no name of its own")
    return [parameter.name for parameter in parameters]


def _has_default(function: Callable[..., Any], name: str) -> bool:
    return inspect.signature(function).parameters[name].default is not inspect.Parameter.empty


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _run(function: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Run a function and give its result and its own variables as they were when it returned."""
    code = getattr(function, "__code__", None)
    local: dict[str, Any] = {}

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            local.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        result = function(**arguments)
    except PullbackError as error:
        place = _place(error, code)
        if place and place not in error.message:
            error.message = f"{error.message}, at {place}"
            error.args = (error.message,)
        raise
    finally:
        sys.setprofile(before)
    return result, local


def _place(error: BaseException, code: Any) -> str:
    """The line of the user's function that an error came through."""
    at, found = error.__traceback__, ""
    while at is not None:
        if at.tb_frame.f_code is code:
            found = f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}"
        at = at.tb_next
    return found


_ = Value
