"""The table of functions by their NumPy name, and how entries are made; an option that is not known is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pullback.tracing.array import Array, arrays, as_value
from pullback.tracing.tape import Value, refuse

Function = Callable[..., Any]
FUNCTIONS: dict[str, Function] = {}

F = TypeVar("F", bound=Function)
_DEFAULTS: Mapping[str, Any] = {"out": None, "where": True, "initial": None, "casting": "same_kind", "subok": True}
_HARMLESS = ("optimize", "copy", "device", "order")


def define(*names: str) -> Callable[[F], F]:
    """Enter a function into the table under these names."""

    def decorate(function: F) -> F:
        for name in names:
            FUNCTIONS[name] = function
        return function

    return decorate


def unary(name: str, make: Callable[[Value], Value]) -> None:
    """Enter a function of one array."""

    def function(x: Array, **options: Any) -> Array:
        plain(name, options)
        return Array(make(x.value), x.recording)

    FUNCTIONS[name] = function


def binary(name: str, make: Callable[[Value, Value], Value], mask: bool = False) -> None:
    """Enter a function of two arrays; ``mask`` where its result is one of true and false."""

    def function(a: Any, b: Any, **options: Any) -> Array:
        plain(name, options)
        recording = arrays([a, b])
        return Array(make(as_value(a, recording), as_value(b, recording)), recording, mask=mask)

    FUNCTIONS[name] = function


def plain(name: str, options: Mapping[str, Any]) -> None:
    """Refuse options that would change what a function does.

    Raises:
        UnsupportedError: There is one.
    """
    import numpy as np

    for option, given in options.items():
        if option in _HARMLESS or (option in _DEFAULTS and given is _DEFAULTS[option]):
            continue
        if option == "dtype" and (given is None or given == "float64" or np.dtype(given).kind == "f"):
            continue
        raise refuse(f"numpy.{name} with {option}=")


def number_of(thing: Any, what: str) -> int:
    """A whole number that an argument has to be.

    Raises:
        UnsupportedError: It is none.
    """
    if isinstance(thing, bool) or not hasattr(thing, "__index__") or isinstance(thing, Array):
        raise refuse(f"{what} that is no whole number")
    return int(thing)
