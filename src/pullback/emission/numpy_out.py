"""NumPy into buffers that are given: for loops in which nothing may be allocated."""

from __future__ import annotations

from pullback.backends.dialects import NUMPY
from pullback.backends.numpy_functions import UFUNCS
from pullback.backends.spelling import Speller, helpers
from pullback.emission.pieces import indented, opening, sample_lines, size_lines
from pullback.emission.subject import Subject
from pullback.planning.memory import assign, owned_results
from pullback.planning.steps import VIEWS, Plan, Step


def _writes(step: Step) -> bool:
    if step.kind == "map":
        return step.detail[0] in UFUNCS
    return step.kind in ("dot", "matmul", "reduce")


class _OutSpeller(Speller):
    """Writes every kernel into a buffer of its own group."""

    def __init__(self, subject: Subject, plan: Plan) -> None:
        names = {name: subject.names[name] for name in plan.inputs}
        super().__init__(plan, NUMPY, names, list(subject.results))
        self.memory = assign(plan, lambda step: step.kind == "map" and _writes(step), _writes)
        self.buffers: dict[str, tuple[int, ...]] = {}
        self.kept = {
            self.memory.group[self.memory.base[r.slot]]: name
            for r, name in zip(plan.results, subject.results, strict=True)
        }

    def spell(self) -> list[str]:
        """All lines."""
        for step in self.plan.steps:
            if step.kind == "input":
                continue
            if step.kind in VIEWS or step.kind == "constant":
                self.text[step.output] = self.expression(step)
            elif _writes(step) and self.plan.shapes[step.output]:
                self.into(step)
            else:
                self.assign(step.output, self.fresh(), self.expression(step)[0])
        for result, name in zip(self.plan.results, self.results, strict=True):
            self.finish(result.slot, result.shape, name)
        return self.lines

    def into(self, step: Step) -> None:
        """One call with ``out=``."""
        group = self.memory.group[step.output]
        name = f"work_{self.kept[group]}" if group in self.kept else f"work_{group}"
        if group != step.output and name not in self.buffers:
            self.assign(step.output, self.fresh(), self.expression(step)[0])
            return
        self.buffers.setdefault(name, self.plan.shapes[step.output])
        given = ", ".join(self.loose(slot) for slot in step.inputs)
        if step.kind == "map":
            text = f"np.{UFUNCS[step.detail[0]]}({given}, out={name})"
        elif step.kind == "reduce":
            function, *axes = step.detail
            keep = bool(axes) and axes[-1] == "keep"
            axes = axes[:-1] if keep else axes
            shown = repr(axes[0]) if len(axes) == 1 else repr(tuple(axes))
            text = f"np.{function}.reduce({given}, axis={shown}, out={name}{', keepdims=True' if keep else ''})"
        else:
            text = f"np.{'dot' if step.kind == 'dot' else 'matmul'}({given}, out={name})"
        self.lines.append(text)
        self.text[step.output] = (name, 9)


def numpy_out_source(subject: Subject) -> str:
    """A factory: shapes in, a function out that writes into the same buffers at every call."""
    speller = _OutSpeller(subject, owned_results(subject.plan))
    lines = speller.spell()
    given, results = ", ".join(subject.inputs), ", ".join(subject.results)
    sizes = ", ".join(subject.sizes.values())
    like = next(iter(subject.inputs), "np.zeros(())")
    made = [f"{name} = np.empty({Speller.shape(shape)}, dtype)" for name, shape in speller.buffers.items()]
    body = [line.replace(f"{like}.dtype", "dtype") for line in lines]
    checks = [line for line in size_lines(subject) if line.startswith("assert")]
    needed = [line for text in helpers(body, NUMPY) for line in (*text.rstrip().split("\n"), "", "")]
    mathematics = ["import math", ""] if any("math." in line for line in needed) else []
    text = [
        *opening(subject, "Derived by pullback; needs NumPy alone. Results live in buffers that every call writes over."),  # noqa: E501
        "", *mathematics, "import numpy as np", "", "", *needed,
        f"def make_{subject.name}({sizes}{', ' if sizes else ''}dtype=np.float64):",
        '    """Make the function for these sizes, with its buffers."""',
        *indented(made),
        "",
        f"    def {subject.name}({given}):",
        *indented([*checks, *body, f"return {results}"], 2),
        "",
        f"    return {subject.name}",
        "", "",
        'if __name__ == "__main__":',
        *indented(sample_lines(subject)),
        *indented([f"run = make_{subject.name}({', '.join(str(n) for n in _numbers(subject))})", f"run({given})", 'print("runs")']),  # noqa: E501
    ]  # fmt: skip
    return "\n".join(text) + "\n"


def _numbers(subject: Subject) -> list[int]:
    from pullback.emission.pieces import sample_sizes

    numbers = sample_sizes(subject)
    return [numbers[name] for name in subject.sizes]
