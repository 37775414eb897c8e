"""Emitted files run where pullback is not, and emitted functions as Python calls them."""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pullback.syntax.names import normalise

WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
_BLOCKED = "import sys, runpy; sys.modules['pullback'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"


def run_file(source: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a file as a script in a process that cannot import pullback; warnings are errors."""
    path = folder / "emitted.py"
    path.write_text(source, encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"JAX_PLATFORMS": "cpu"} | more
    command = [sys.executable, "-W", "error", "-c", _BLOCKED, str(path)]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def namespace(source: str) -> dict[str, Any]:
    """The names that a Python file defines."""
    scope: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(source, "<emitted>", "exec"), scope)
    return scope


@functools.cache
def cblas() -> list[str]:
    """What the C compiler has to be told to use OpenBLAS, as it comes from PyPI."""
    import scipy_openblas32

    names = [f"cblas_{kind}{name}" for kind in "sd" for name in ("dot", "gemv", "gemm")]
    renamed = [f"-D{name}=scipy_{name}" for name in names]
    folder = scipy_openblas32.get_lib_dir()
    library = ["-L", folder, f"-Wl,-rpath,{folder}", f"-l{scipy_openblas32.get_library()}"]
    return ["-isystem", scipy_openblas32.get_include_dir(), *renamed, *library]


def compile_c(source: str, folder: Path, options: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Compile a file with every warning an error."""
    (folder / "emitted.c").write_text(source, encoding="utf-8")
    command = ["cc", *WARNINGS, "emitted.c", *options, "-lm", "-o", "emitted"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


class CFunction:
    """A function of an emitted C file, called with arrays by name."""

    def __init__(self, source: str, name: str, drawn: Any, kind: Any) -> None:
        self.drawn, self.kind = drawn, np.dtype(kind)
        folder = Path(tempfile.mkdtemp())
        single = ["-DSINGLE"] if self.kind == np.float32 else []
        done = compile_c(source, folder, ["-O1", "-shared", "-fPIC", "-DPLAIN_LOOPS", *single])
        assert done.returncode == 0, done.stderr
        self.function = getattr(ctypes.CDLL(str(folder / "emitted")), name)
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()

    def __call__(self, values: Mapping[str, Any], sizes: Mapping[str, int]) -> list[Any]:
        """Give the results."""
        number = ctypes.c_double if self.kind == np.float64 else ctypes.c_float
        arguments: list[Any] = [ctypes.c_size_t(sizes[dimension]) for dimension in self.drawn.sizes]
        alive = []
        own = {name: key for key, name in self.drawn.names.items()}
        values = {name: values[name if name in values else own[name]] for name in self.drawn.inputs}
        for name, shape in self.drawn.inputs.items():
            array = np.ascontiguousarray(values[name], dtype=self.kind)
            alive.append(array)
            arguments.append(array.ctypes.data_as(ctypes.c_void_p) if shape else number(float(array.reshape(()))))
        results = []
        for shape in self.drawn.results.values():
            results.append(np.full(tuple(axis.evaluate(sizes) for axis in shape), np.nan, dtype=self.kind))
            arguments.append(results[-1].ctypes.data_as(ctypes.c_void_p))
        assert self.function(*arguments) == 0
        return results


Emitted = Callable[[Mapping[str, Any], Mapping[str, int]], list[Any]]


def emitted(expression: Any, target: str, kind: Any) -> Emitted:
    """A closed form as the emitted source of a target computes it: arrays by plain name and sizes in, results out."""
    from pullback.emission.drafting import draw_up
    from pullback.emission.emitting import target_of
    from pullback.emission.subject import subject_of_expressions

    chosen = target_of(target)
    drawn = draw_up(subject_of_expressions([expression]), chosen.kept, chosen.reserved, chosen.apart)
    source = chosen.write(drawn)
    if target == "c":
        return CFunction(source, drawn.name, drawn, kind)
    scope = namespace(source)

    def call(values: Mapping[str, Any], sizes: Mapping[str, int]) -> list[Any]:
        given = [values[key] for key in drawn.names] + [
            sizes[d] for d, size in drawn.sizes.items() if size in drawn.loose
        ]
        if target == "numpy-out":
            function = scope[f"make_{drawn.name}"](*(sizes[d] for d in drawn.sizes), dtype=np.dtype(kind))
            return [function(*(np.asarray(x, kind) for x in given[: len(drawn.inputs)]))]
        if target == "torch":
            import torch

            kinds = {"float64": torch.float64, "float32": torch.float32}
            tensors = [x if isinstance(x, int) else torch.tensor(np.asarray(x), dtype=kinds[kind]) for x in given]
            return [scope[drawn.name](*tensors).numpy()]
        arrays: list[Any] = [x if isinstance(x, int) else np.asarray(x, kind) for x in given]
        if target == "jax":
            import jax.numpy as jnp

            arrays = [x if isinstance(x, int) else jnp.asarray(x) for x in arrays]
        return [np.asarray(scope[drawn.name](*arrays))]

    return call


def layer_call(program: Any, wrt: Sequence[str], target: str) -> Callable[..., dict[str, Any]]:
    """A program with its backward pass as a target computes it: arrays by name, the gradient of the output, sizes."""
    from pullback.emission.drafting import draw_up
    from pullback.emission.emitting import target_of
    from pullback.emission.subject import subject_of_program

    chosen = target_of(target)
    drawn = draw_up(
        subject_of_program(program, list(wrt), "upstream", chosen.apart), chosen.kept, chosen.reserved, chosen.apart
    )
    source = chosen.write(drawn)
    labels = ["" if label is None else label for label in drawn.subject.labels]
    compiled = CFunction(source, drawn.name, drawn, "float64") if target == "c" else None
    scope = {} if target == "c" else namespace(source)

    def call(values: Mapping[str, Any], above: Any, sizes: Mapping[str, int]) -> dict[str, Any]:
        plain = {normalise(name): value for name, value in values.items()} | {"upstream": above}
        given = {own: plain[key] for key, own in drawn.names.items()}
        lengths = [sizes[dimension] for dimension, size in drawn.sizes.items() if size in drawn.loose]
        if compiled is not None:
            results = compiled(given, sizes)
        elif target == "numpy-out":
            results = scope[f"make_{drawn.name}"](*(sizes[d] for d in drawn.sizes))(**given)
        elif target == "numpy":
            results = scope[drawn.name](*(given[name] for name in drawn.inputs), *lengths)
        elif target == "torch":
            results = _torch_results(scope[drawn.name], drawn, given, lengths, above)
        else:
            results = _jax_results(scope[drawn.name], drawn, given, lengths, above)
        return dict(zip(labels, results, strict=True))

    return call


def _torch_results(layer: Any, drawn: Any, given: Mapping[str, Any], lengths: Sequence[int], above: Any) -> list[Any]:
    import torch

    inputs = {name: torch.tensor(np.asarray(given[name])) for name in drawn.layer_inputs}
    asked = [inputs[name].requires_grad_() for name in drawn.wrt]
    output = layer(*inputs.values(), *lengths)
    gradients = torch.autograd.grad(output, asked, torch.as_tensor(np.asarray(above)))
    return [output.detach().numpy(), *(gradient.numpy() for gradient in gradients)]


def _jax_results(layer: Any, drawn: Any, given: Mapping[str, Any], lengths: Sequence[int], above: Any) -> list[Any]:
    import jax
    import jax.numpy as jnp

    inputs = {name: jnp.asarray(given[name]) for name in drawn.layer_inputs}

    def of(*some: Any) -> Any:
        return layer(*(inputs | dict(zip(drawn.wrt, some, strict=True))).values(), *lengths)

    output, pulled = jax.vjp(of, *(inputs[name] for name in drawn.wrt))
    return [output, *pulled(jnp.asarray(above))]
