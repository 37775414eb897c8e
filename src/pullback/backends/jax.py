"""Plans run by JAX: the plan as JAX source, compiled whole by ``jax.jit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.backends.numpy_functions import table_value
from pullback.errors import PullbackError, UnsupportedError
from pullback.planning.steps import Plan
from pullback.spelling.definitions import needed
from pullback.spelling.dialects import JAX, with_operations
from pullback.spelling.speller import Speller

Run = Callable[..., Any]


class JaxProgram:
    """A plan specialised to a type, traced and compiled once."""

    name = "jax"

    def __init__(self, plan: Plan, dtype: Any, arrangement: str, given: str = "numpy") -> None:
        try:
            import jax
        except ImportError:
            raise PullbackError("JAX is not installed", hint="pip install pullback[jax]") from None
        if any(step.kind == "update" for step in plan.steps):
            raise UnsupportedError("JAX can't change arrays in place", hint='leave out rate, or use backend="torch"')
        self.plan, self.dtype, self.given, self.arrangement = plan, dtype, given, arrangement
        names = {name: f"p{k}" for k, name in enumerate(plan.inputs)}
        results = [f"r{k}" for k in range(len(plan.results))]
        dialect = with_operations(JAX, _Known(JAX.operations))
        lines = [str(line) for line in Speller(plan, dialect, names, results).spell()]
        lines = [
            *needed(lines, JAX.definitions),
            f"def run({', '.join(names.values())}):",
            *("    " + line for line in lines),
        ]
        lines.append(f"    return {', '.join(results)},")
        self.text = "\n".join(lines)
        scope: dict[str, Any] = {"jax": jax, "jnp": jax.numpy, "callback": _callback}
        exec(compile(self.text, "<pullback plan>", "exec"), scope)
        self.function = jax.jit(scope["run"])

    def bind(self, miss: Run) -> Run:
        """The function that runs it; ``miss`` takes arguments that do not fit."""
        import jax
        import numpy as np

        shapes = [shape for _, shape in self.plan.inputs.values()]
        arrange = eval(
            f"lambda results: {self.arrangement.format(*(f'results[{k}]' for k in range(len(self.plan.results))))}"
        )
        kind = jax.Array if self.given == "jax" else np.ndarray
        wide = self.dtype == np.float64

        def run(*arrays: Any) -> Any:
            for array, shape in zip(arrays, shapes, strict=True):
                if not (isinstance(array, kind) and array.shape == shape and array.dtype == self.dtype):
                    return miss(*arrays)
            if wide and not jax.config.read("jax_enable_x64"):  # type: ignore[no-untyped-call]
                with jax.enable_x64(True):
                    results = self.function(*arrays)
            else:
                results = self.function(*arrays)
            return arrange(results if self.given == "jax" else [np.array(result) for result in results])

        return run


class _Known(dict[str, str]):
    """JAX's words for operations; what it has no word for goes back to NumPy."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name) or f"callback({name!r}, {{0}})"


def _callback(name: str, *arrays: Any) -> Any:
    import jax
    import numpy as np

    value = table_value(name)
    shape = jax.ShapeDtypeStruct(  # type: ignore[no-untyped-call]
        np.shape(value(*(np.eye(a.shape[-1]) if a.ndim else np.ones(()) for a in arrays))), arrays[0].dtype
    )
    return jax.pure_callback(lambda *given: np.asarray(value(*map(np.asarray, given)), given[0].dtype), shape, *arrays)
