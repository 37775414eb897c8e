"""Plans run as C that is compiled for them: one call for all of it, entrywise chains in one pass over memory."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from pullback.backends import factors, native
from pullback.backends.c_source import CWriter, Source
from pullback.backends.numpy import failed, quiet_context, solve
from pullback.backends.numpy_functions import table_value
from pullback.backends.numpy_source import view_source
from pullback.errors import PullbackError
from pullback.planning.factoring import KINDS
from pullback.planning.steps import LEAVES, UPDATES, VIEWS, Plan, Step

Run = Callable[..., Any]


class CProgram:
    """A plan specialised to a type and compiled; ``bind`` gives a thread its own buffers."""

    name = "c"

    def __init__(self, plan: Plan, dtype: Any, arrangement: str, reuse: bool) -> None:
        import numpy as np

        why = native.available()
        if why is not None:
            raise PullbackError(f"plans can't be compiled here: {why}", hint='leave it to backend="numpy"')
        found = native.blas()
        assert found is not None
        plan = factors.with_factors(plan)
        self.plan, self.dtype, self.arrangement, self.reuse = plan, np.dtype(dtype), arrangement, reuse
        letter = "s" if self.dtype == np.float32 else "d"
        self.written: Source = CWriter(plan, letter == "s", found.width).write()
        self.library = native.load(self.written.text)
        self.library.link_blas(*(ctypes.c_void_p(found.addresses[letter + name]) for name in native.NAMES))

    @property
    def source(self) -> Source:
        """The C source and what belongs to it."""
        return self.written

    def bind(self, miss: Run) -> Run:
        """Make buffers and the function that runs in them; ``miss`` takes arguments that do not fit."""
        import numpy as np

        written, dtype = self.written, self.dtype
        work = np.zeros(written.size + 64, np.uint8)
        start = -work.ctypes.data % 64
        block = work[start : start + written.size]
        count = len(written.plan.inputs)
        scope: dict[str, Any] = {
            "A": np.ndarray, "D": dtype, "E": np.linalg.LinAlgError, "miss": miss, "failed": failed, "work": block,
            "empty": np.empty, "zeros": np.zeros, "broadcast_to": np.broadcast_to, "einsum": np.einsum,
            "copyto": np.copyto, "asarray": np.asarray, "solve": solve, "contiguous": _contiguous,
            "enter": quiet_context(), **factors.FUNCTIONS,
        }  # fmt: skip
        signature = [ctypes.py_object] * (count + len(written.plan.results)) + [ctypes.c_void_p]
        for segment in (k for k in written.segments if isinstance(k, int)):
            function = getattr(self.library, f"segment{segment}")
            function.argtypes, function.restype = signature, ctypes.c_int
            scope[f"segment{segment}"] = function
        scope["W"] = ctypes.c_void_p(work.ctypes.data + start)
        exec(compile(self.runner(scope, block), "<pullback plan>", "exec"), scope)
        run: Run = scope["run"]
        return run

    def runner(self, scope: dict[str, Any], block: Any) -> str:
        """The Python function around the segments."""
        written, plan = self.written, self.written.plan
        count = len(plan.inputs)
        given = ", ".join(f"p{k}" for k in range(count))
        checks = [
            f"type(p{k}) is A and p{k}.shape == {shape!r} and p{k}.dtype is D"
            for k, (_, shape) in enumerate(plan.inputs.values())
        ]
        numbers = {slot: k for k, (slot, _) in enumerate(plan.inputs.values())}
        changed = [numbers[step.inputs[0]] for step in plan.steps if step.kind in UPDATES]
        checks += [f"p{k}.flags.writeable" for k in changed]
        shapes = [shape for _, shape in plan.inputs.values()]
        pairs = [(k, j) for k in changed for j in range(count) if k < j or (k != j and j not in changed)]
        checks += [f"p{k} is not p{j}" for k, j in pairs if shapes[k] == shapes[j]]
        lines = [f"def run({given}):"]
        if checks:
            lines += [f"    if not ({' and '.join(checks)}):", f"        return miss({given})"]
        results = []
        for k, result in enumerate(plan.results):
            shape = plan.shapes[result.slot]
            base = self.shape_of_base(result.slot)
            make = f"{'zeros' if k in written.zeroed else 'empty'}({base!r}, D)"
            if self.reuse:
                scope[f"u{k}"] = eval(make, scope)
            else:
                lines.append(f"    u{k} = {make}")
            results.append(self.seen(result.slot, f"u{k}", shape, result.shape))
        arguments = ", ".join([*(f"p{k}" for k in range(count)), *(f"u{k}" for k in range(len(results))), "W"])
        body: list[str] = []
        for segment in written.segments:
            if isinstance(segment, int):
                body.append(f"if segment{segment}({arguments}):")
                body.append(f"    return scattered({given})")
            else:
                body += self.by_numpy(segment, scope, block)
        if any(isinstance(segment, Step) for segment in written.segments):
            body = [
                "try:",
                *("    " + line for line in body),
                "except E as error:",
                "    raise failed(error) from None",
            ]
        lines += ["    " + line for line in body]
        lines.append(f"    return {self.arrangement.format(*results)}")
        lines += [f"def scattered({given}):", *(f"    q{k} = contiguous(p{k})" for k in range(count))]
        call = ", ".join(f"q{k}" for k in range(count))
        lines.append(f"    result = run({call})")
        lines += [f"    if q{k} is not p{k}: copyto(p{k}, q{k})" for k in changed]
        lines.append("    return result")
        return "\n".join(lines) + "\n"

    def shape_of_base(self, slot: int) -> tuple[int, ...]:
        """The shape in which the memory of a result is made."""
        made = {step.output: step for step in self.written.plan.steps}
        while made[slot].kind in VIEWS:
            slot = made[slot].inputs[0]
        return self.written.plan.shapes[slot]

    def seen(self, slot: int, name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
        """A result as it is handed out: its memory through the views that lie on it."""
        made = {step.output: step for step in self.written.plan.steps}
        chain = []
        while made[slot].kind in VIEWS:
            chain.append(made[slot])
            slot = made[slot].inputs[0]
        for step in reversed(chain):
            name = view_source(step, name)
        return name if shape == wanted else f"{name}.reshape({wanted!r})"

    def by_numpy(self, step: Step, scope: dict[str, Any], block: Any) -> list[str]:
        """A step that NumPy computes."""
        names = [self.array(slot, scope, block) for slot in step.inputs]
        target = self.array(step.output, scope, block)
        if step.kind in KINDS:
            return [factors.call(step, names, target)]
        if step.kind == "solve":
            return [f"copyto({target}, solve({', '.join(names)}))"]
        scope[f"f{step.output}"] = table_value(step.detail[0])
        return [f"copyto({target}, enter(f{step.output}, {', '.join(names)}))"]

    def array(self, slot: int, scope: dict[str, Any], block: Any) -> str:
        """A slot as an expression of NumPy arrays."""
        import numpy as np

        plan, made = self.written.plan, {step.output: step for step in self.written.plan.steps}
        step, shape = made[slot], plan.shapes[slot]
        if step.kind in VIEWS:
            return view_source(step, self.array(step.inputs[0], scope, block))
        if step.kind in LEAVES:
            if step.kind == "input":
                return f"p{list(plan.inputs).index(step.detail[0])}"
            scope[f"c{slot}"] = np.full(shape, step.detail[0], self.dtype)
            return f"c{slot}"
        pointer = self.written.places[slot].pointer
        if pointer.startswith("b"):
            start = self.written.offsets[int(pointer[1:])]
            size = int(np.prod(shape, dtype=np.int64)) * self.dtype.itemsize
            scope[f"v{slot}"] = block[start : start + size].view(self.dtype).reshape(shape)
            return f"v{slot}"
        return f"u{pointer[1:]}.reshape({shape!r})"


def _contiguous(array: Any) -> Any:
    import numpy as np

    return np.require(array, None, ("C", "A"))
