"""Telling apart what people hand over: NumPy functions, PyTorch modules and Functions, JAX functions, files."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from pullback.errors import NotationError, UnsupportedError, ValuesError
from pullback.tracing.layer import Backward, Layer, drawn
from pullback.tracing.tape import TracedProgram


def kind_of(source: Any) -> str:
    """What a thing is, without importing a library that is not loaded: module, function, jax, object or numpy.

    Raises:
        UnsupportedError: It is nothing that can be run forward.
    """
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch is not None and isinstance(source, torch.nn.Module):
        return "module"
    if torch is not None and inspect.isclass(source) and issubclass(source, torch.autograd.Function):
        return "function"
    if jax is not None and (isinstance(source, jax.custom_vjp | jax.custom_jvp) or hasattr(source, "lower")):
        return "jax"
    if inspect.isclass(source):
        raise UnsupportedError(
            f"{source.__name__} is a class, and a layer is needed", hint=f"make one: {source.__name__}(…)"
        )
    if callable(getattr(source, "forward", None)) and callable(getattr(source, "backward", None)):
        return "object"
    if callable(source):
        return {"jax": "jax", "torch": "module"}.get(_library_of(source), "numpy")
    raise UnsupportedError(f"a {type(source).__name__} is not read", hint="give a function, a module or a program")


def read_layer(
    source: Any, backward: Backward | None = None, values: Any = None, shapes: Mapping[str, Any] | None = None
) -> Layer:
    """Read a forward pass, with the backward pass that it brings along or that is given.

    Args:
        source: A function, a module, a ``torch.autograd.Function``, a JAX function, an object with
            ``forward`` and ``backward``.
        backward: The backward pass, where the source has none of its own or another is meant.
        values: Example arguments, in order or by name.
        shapes: The shapes of the arguments; for what is not NumPy, numbers, from which examples are drawn.

    Raises:
        ValuesError: Examples are needed for the shapes, and there are none.
    """
    kind = kind_of(source)
    given = list(values.values()) if isinstance(values, Mapping) else list(values) if values is not None else []
    if kind == "numpy" and any(_from(v, "jax") for v in given):
        kind = "jax"
    if kind == "numpy" and any(_from(v, "torch") for v in given):
        kind = "module"
    if kind in ("numpy", "object"):
        from pullback.tracing import numpy_layers

        if kind == "object" and values is None and shapes:
            values = drawn(shapes)
        return numpy_layers.read(source, backward, values, shapes, kind == "object")
    if not given and shapes:
        given = list(drawn(shapes).values())
    if not given:
        raise ValuesError(
            "example values are needed", hint="give values=[…], one array for each input, or their shapes"
        )
    from pullback.tracing import framework_layers

    return {
        "module": framework_layers.module,
        "function": framework_layers.function,
        "jax": framework_layers.jax_layer,
    }[kind](source, backward, given)


def read_program(source: Any, values: Any = None, shapes: Mapping[str, Any] | None = None) -> TracedProgram:
    """Read a forward pass as a program."""
    return read_layer(source, None, values, shapes).program()


def _library_of(function: Any) -> str:
    """The library that a function's code names, jax or torch; empty where it names neither."""
    code = getattr(function, "__code__", None)
    names = getattr(function, "__globals__", {})
    pending, used = [code] if code is not None else [], set()
    while pending:
        here = pending.pop()
        used |= set(here.co_names)
        pending += [part for part in here.co_consts if inspect.iscode(part)]
    roots = {(getattr(names.get(name), "__name__", "") or "").split(".")[0] for name in used if name in names}
    return next((library for library in ("jax", "torch") if library in roots), "")


def _from(thing: Any, library: str) -> bool:
    return type(thing).__module__.split(".")[0] in (library, f"{library}lib")


_LOADED: dict[Path, ModuleType] = {}
"""The files that were run, by their full path."""


def load(place: str) -> Any:
    """Load an object from a file: ``my_layer.py:forward``. The file is run; the caller says so first.

    Raises:
        NotationError: There is no such file, or no such name in it.
        ValuesError: The file fails when it is run.
    """
    path, _, name = place.rpartition(":")
    module = _run(path)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            named = [(n, getattr(v, "__module__", "")) for n, v in vars(module).items() if callable(v)]
            known = ", ".join(n for n, home in named if home == module.__name__) or "nothing that can be called"
            raise NotationError(f"there is no {name or 'name'} in {path}", hint=f"it has: {known}")
        found = getattr(found, part)
    return found


def loaded(path: str) -> ModuleType | None:
    """The module of a file that was run."""
    return _LOADED.get(Path(path).resolve())


def _run(path: str) -> ModuleType:
    from importlib.util import module_from_spec, spec_from_file_location

    file = Path(path)
    if not file.is_file():
        raise NotationError(f"there is no file {path}", hint="write it as my_layer.py:forward")
    spec = spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise NotationError(f"{path} is not a Python file")
    module = module_from_spec(spec)
    sys.modules.setdefault(file.stem, module)  # dataclasses and pickles look a class's module up
    sys.path.insert(0, str(file.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ValuesError(f"{path} fails when it is run: {_said(error, str(file))}") from None
    finally:
        sys.path.pop(0)
    _LOADED[file.resolve()] = module
    return module


def _said(error: BaseException, file: str) -> str:
    """An error of a file on one line, with the line of the file."""
    text = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}" if str(error) else type(error).__name__
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"{type(error).__name__}: {error.msg}, line {error.lineno}"
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{text}, line {line}" if line else text
