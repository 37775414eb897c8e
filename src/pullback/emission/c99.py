"""C99 that calls CBLAS: one function, row-major arrays in and out, sizes as arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pullback.emission.pieces import sample_sizes, say
from pullback.emission.subject import Subject
from pullback.errors import UnsupportedError
from pullback.planning.memory import owned_results
from pullback.planning.steps import Plan, Step

_CALLS = {"exp", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "erf"}
_FORMS = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "{0} / {1}",
    "power": "pow({0}, {1})", "negative": "-{0}", "reciprocal": "1 / {0}", "square": "{0} * {0}", "abs": "fabs({0})",
    "sign": "(({0} > 0) - ({0} < 0))", "maximum": "({0} > {1} ? {0} : {1})", "minimum": "({0} < {1} ? {0} : {1})",
    "greater": "({0} > {1})", "equal": "({0} == {1})", "where": "({0} != 0 ? {1} : {2})", "copy": "{0}",
    "finite": "fmin(fmax({0}, -DBL_MAX), DBL_MAX)",
} | {name: f"{name}({{0}})" for name in _CALLS}  # fmt: skip


@dataclass(frozen=True)
class _Place:
    """Where a slot is: a pointer, an offset and a stride for each axis, as C; a number where it is constant."""

    pointer: str
    strides: tuple[str, ...]
    offset: str = ""
    number: str | None = None

    def at(self, indices: list[str]) -> str:
        if self.number is not None:
            return self.number
        terms = [i if s == "1" else f"{i} * {s}" for i, s in zip(indices, self.strides, strict=True) if s != "0"]
        terms += [self.offset] if self.offset else []
        return f"{self.pointer}[{' + '.join(terms) or '0'}]"


class _Writer:
    def __init__(self, plan: Plan, names: dict[str, str], results: list[str]) -> None:
        self.plan = plan
        self.places: dict[int, _Place] = {}
        self.lines: list[str] = []
        self.work: list[tuple[str, str]] = []
        self.results = {r.slot: name for r, name in zip(plan.results, results, strict=True)}
        for name, (slot, shape) in plan.inputs.items():
            if slot >= 0:
                self.places[slot] = _Place(names[name], _strides(shape))

    def run(self) -> list[str]:
        for step in self.plan.steps:
            if step.kind != "input":
                self.step(step)
        for slot, name in self.results.items():
            if self.places[slot].pointer != name:
                self.loop(
                    self.plan.shapes[slot], _Place(name, _strides(self.plan.shapes[slot])), "{0}", [self.places[slot]]
                )
        return self.lines

    def fresh(self, slot: int) -> _Place:
        shape = self.plan.shapes[slot]
        name = self.results.get(slot, f"t{slot}")
        if slot not in self.results:
            self.work.append((name, " * ".join(_factor(n) for n in shape) or "1"))
        place = _Place(name, _strides(shape))
        self.places[slot] = place
        return place

    def step(self, step: Step) -> None:
        slot, shape = step.output, self.plan.shapes[step.output]
        given = [self.places[k] for k in step.inputs]
        kind, detail = step.kind, step.detail
        if kind == "constant":
            self.places[slot] = _Place("", (), number=_number(detail[0]))
        elif kind == "full":
            self.places[slot] = _Place("", ("0",) * len(shape), number=_number(detail[0]))
        elif kind == "permute":
            self.places[slot] = _Place(
                given[0].pointer, tuple(given[0].strides[k] for k in detail), given[0].offset, given[0].number
            )
        elif kind == "shape":
            self.reshape(step, given[0])
        elif kind == "expand":
            inner = self.plan.shapes[step.inputs[0]]
            strides = (
                ("0",) * len(shape)
                if not inner
                else tuple(
                    "0" if m == 1 and n != 1 else s for m, n, s in zip(inner, shape, given[0].strides, strict=True)
                )
            )
            self.places[slot] = _Place(given[0].pointer, strides, given[0].offset, given[0].number)
        elif kind == "diagonal":
            order = tuple(dict.fromkeys(detail))
            strides = tuple(
                " + ".join(s for s, x in zip(given[0].strides, detail, strict=True) if x == label) for label in order
            )
            self.places[slot] = _Place(
                given[0].pointer, tuple(f"({s})" if " " in s else s for s in strides), given[0].offset
            )
        elif kind == "part":
            start = repr(detail[0])
            offset = " + ".join(x for x in (given[0].offset, f"({start}) * {given[0].strides[-1]}") if x)
            self.places[slot] = _Place(given[0].pointer, given[0].strides, offset)
        elif kind == "map":
            self.loop(shape, self.fresh(slot), _FORMS[detail[0]], [self.broadcast(k, shape) for k in step.inputs])
        elif kind == "reduce":
            self.reduce(step, given[0])
        elif kind == "dot":
            self.dot(step, given)
        elif kind in ("matmul", "contract"):
            self.contract(step)
        elif kind in ("embed", "pad"):
            self.scatter(step, given[0])
        else:
            raise UnsupportedError(
                f"{detail[0] if detail else kind} is not emitted in C", hint="emit numpy, torch or jax"
            )

    def broadcast(self, slot: int, shape: tuple[int, ...]) -> _Place:
        place, own = self.places[slot], self.plan.shapes[slot]
        if not own:
            return _Place(place.pointer, ("0",) * len(shape), place.offset, place.number)
        return _Place(
            place.pointer,
            tuple("0" if n == 1 else s for n, s in zip(own, place.strides, strict=True)),
            place.offset,
            place.number,
        )

    def reshape(self, step: Step, given: _Place) -> None:
        inner, shape = self.plan.shapes[step.inputs[0]], self.plan.shapes[step.output]
        kept = [s for n, s in zip(inner, given.strides, strict=True) if n != 1]
        if [n for n in inner if n != 1] == [n for n in shape if n != 1]:
            rest = iter(kept)
            self.places[step.output] = _Place(
                given.pointer, tuple("0" if n == 1 else next(rest) for n in shape), given.offset, given.number
            )
            return
        if given.strides != _strides(inner) or given.offset:
            name = f"t{step.output}"
            self.work.append((name, " * ".join(_factor(n) for n in inner)))
            self.loop(inner, _Place(name, _strides(inner)), "{0}", [given])
            given = _Place(name, _strides(inner))
        self.places[step.output] = _Place(given.pointer, _strides(shape), given.offset)

    def loop(self, shape: tuple[int, ...], target: _Place, form: str, given: list[_Place]) -> None:
        names = [f"i{k}" for k in range(len(shape))]
        self.loops(names, shape, f"{target.at(names)} = {form.format(*(place.at(names) for place in given))};")

    def loops(self, names: list[str], shape: tuple[int, ...], body: str) -> None:
        for depth, (name, length) in enumerate(zip(names, shape, strict=True)):
            self.lines.append("    " * depth + f"for (size_t {name} = 0; {name} < {length!r}; {name}++)")
        self.lines.append("    " * len(names) + body)

    def reduce(self, step: Step, given: _Place) -> None:
        function, *axes = step.detail
        keep = bool(axes) and axes[-1] == "keep"
        axes = axes[:-1] if keep else axes
        shape = self.plan.shapes[step.inputs[0]]
        target = self.fresh(step.output)
        names = [f"i{k}" for k in range(len(shape))]
        left = [k for k in range(len(shape)) if k not in axes]
        here = target.at([names[k] if k in left else "0" for k in range(len(shape)) if keep or k in left])
        start = "0" if function == "add" else "-INFINITY"
        self.loops([names[k] for k in left], tuple(shape[k] for k in left), f"{here} = {start};")
        value = given.at(names)
        self.loops(
            names,
            shape,
            f"{here} += {value};" if function == "add" else f"{here} = {value} > {here} ? {value} : {here};",
        )

    def dot(self, step: Step, given: list[_Place]) -> None:
        shapes = [self.plan.shapes[k] for k in step.inputs]
        target = self.fresh(step.output)
        a, b = given
        starts = [f"{p.pointer} + {p.offset}" if p.offset else p.pointer for p in (a, b)]
        if [len(s) for s in shapes] == [1, 1] and a.number is None and b.number is None:
            self.lines.append(
                f"{target.at([])} = cblas_ddot({shapes[0][0]!r}, {starts[0]}, {a.strides[0]}, {starts[1]}, {b.strides[0]});"  # noqa: E501
            )
            return
        flips = [_orientation(p) if len(s) == 2 else ("", p.strides[0]) for p, s in zip(given, shapes, strict=True)]
        if None in flips or a.number is not None or b.number is not None:
            self.contract(step)
            return
        (ta, la), (tb, lb) = flips  # type: ignore[misc]
        if len(shapes[1]) == 2:
            m, k, n = shapes[0][0], shapes[0][1], shapes[1][1]
            self.lines.append(
                f"cblas_dgemm(CblasRowMajor, {ta}, {tb}, {m!r}, {n!r}, {k!r}, 1.0, {starts[0]}, {la}, {starts[1]}, {lb}, 0.0, {target.pointer}, {n!r});"  # noqa: E501
            )
            return
        rows, columns = shapes[0] if ta == "CblasNoTrans" else shapes[0][::-1]
        self.lines.append(
            f"cblas_dgemv(CblasRowMajor, {ta}, {rows!r}, {columns!r}, 1.0, {starts[0]}, {la}, {starts[1]}, {lb}, 0.0, {target.pointer}, 1);"  # noqa: E501
        )

    def contract(self, step: Step) -> None:
        ranks = [len(self.plan.shapes[k]) for k in step.inputs]
        if step.kind == "contract":
            labels = step.detail
        elif step.kind == "matmul":
            labels = ((0, 1, 2), (0, 2, 3), (0, 1, 3))
        else:
            left, right = tuple(range(ranks[0])), tuple(range(ranks[0] - 1, ranks[0] + ranks[1] - 1))
            labels = (left, right, left[:-1] + right[1:])
        lengths: dict[int, int] = {}
        for slot, own in zip(step.inputs, labels, strict=False):
            lengths.update(zip(own, self.plan.shapes[slot], strict=True))
        target = self.places[step.output] if step.output in self.places else self.fresh(step.output)
        inner = [x for x in lengths if x not in labels[2]]
        here = target.at([f"i{x}" for x in labels[2]])
        self.loops([f"i{x}" for x in labels[2]], tuple(lengths[x] for x in labels[2]), f"{here} = 0;")
        a, b = (self.places[k].at([f"i{x}" for x in own]) for k, own in zip(step.inputs, labels, strict=False))
        order = [*labels[2], *inner]
        self.loops([f"i{x}" for x in order], tuple(lengths[x] for x in order), f"{here} += {a} * {b};")

    def scatter(self, step: Step, given: _Place) -> None:
        shape = self.plan.shapes[step.output]
        target = self.fresh(step.output)
        self.loop(shape, target, "0", [])
        if step.kind == "pad":
            inner = self.plan.shapes[step.inputs[0]]
            names = [f"i{k}" for k in range(len(inner))]
            self.loops(
                names, inner, f"{target.at([*names[:-1], f'({names[-1]} + {step.detail[0]!r})'])} = {given.at(names)};"
            )
            return
        labels, kept = step.detail
        lengths = dict(zip(labels, shape, strict=True))
        own = [f"i{x}" for x in kept] if self.plan.shapes[step.inputs[0]] else []
        self.loops(
            [f"i{x}" for x in kept],
            tuple(lengths[x] for x in kept),
            f"{target.at([f'i{x}' for x in labels])} = {given.at(own)};",
        )


def _factor(n: int) -> str:
    text = repr(n)
    return f"({text})" if "+" in text else text


def _strides(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Row-major strides as C."""
    found: list[str] = []
    for k in range(len(shape)):
        later = [_factor(n) for n in shape[k + 1 :] if n != 1]
        found.append("(" + " * ".join(later) + ")" if len(later) > 1 else later[0] if later else "1")
    return tuple(found)


def _orientation(place: _Place) -> tuple[str, str] | None:
    """How CBLAS is told of a matrix: transposed or not, and the distance of its rows."""
    first, second = place.strides
    if second in ("1", "0") and first != "0":
        return "CblasNoTrans", first
    return ("CblasTrans", second) if first in ("1", "0") and second != "0" else None


def _number(value: float) -> str:
    text = re.sub(r"(\([^()]*\)|\w+) \*\* (-?[\d.]+)", r"pow(\1, \2)", repr(value))
    for name in ("inf", "nan"):
        if text.lstrip("-") == name:
            return text.replace("inf", "INFINITY").replace("nan", "NAN")
    return f"({text})" if not text.replace(".", "").isalnum() else text


def c_source(subject: Subject) -> str:
    """A C function in double precision, with a ``main`` that checks its derivatives by central differences."""
    plan = owned_results(subject.plan)
    writer = _Writer(plan, subject.names, list(subject.results))
    body = writer.run()
    sizes = [f"const int {name}" for name in subject.sizes.values()]
    given = [f"const double *{name}" for name in subject.inputs]
    results = [f"double *{name}" for name in subject.results]
    work = [f"double *{name} = malloc(sizeof(double) * ({size}));" for name, size in writer.work]
    text = [
        "/* Derived by pullback; needs a C99 compiler and a CBLAS: cc -std=c99 -O3 -DCHECK file.c -lopenblas -lm", "",
        *("   " + line.replace("*/", "* /") for line in subject.closed), "*/", "", "#include <float.h>", "#include <math.h>",  # noqa: E501
        "#include <stddef.h>", "#include <stdio.h>", "#include <stdlib.h>", "#include <cblas.h>", "",
        f"void {subject.name}({', '.join([*sizes, *given, *results])})", "{",
        *("    " + line for line in (*work, *body, *(f"free({name});" for name, _ in writer.work))), "}", "",
        *_check(subject),
    ]  # fmt: skip
    return "\n".join(text) + "\n"


def _check(subject: Subject) -> list[str]:
    numbers = sample_sizes(subject)
    lines = ["#ifdef CHECK", "int main(void)", "{", "    srand(1);"]
    lines += [f"    const int {subject.sizes[name]} = {numbers[name]};" for name in subject.sizes]
    names = {**subject.inputs, **subject.results}
    for name, shape in names.items():
        size = " * ".join(f"({say(axis, subject.sizes)})" for axis in shape) or "1"
        lines.append(f"    const size_t n_{name} = {size}; double *{name} = calloc(n_{name}, sizeof(double));")
        if name in subject.inputs:
            lines.append(f"    for (size_t k = 0; k < n_{name}; k++) {name}[k] = 0.3 + rand() / (double)RAND_MAX;")
    call = f"{subject.name}({', '.join([*subject.sizes.values(), *subject.inputs, *subject.results])});"
    lines.append(f"    {call}")
    output = next(iter(subject.results))
    for name, slope in zip(subject.wrt, list(subject.results)[1:], strict=True):
        weight = f"{subject.upstream}[k]" if subject.upstream else "1.0"
        lines += [
            f"    for (size_t j = 0; j < n_{name}; j++) {{",
            f"        {call}",
            f"        double derived = {slope}[j], kept = {name}[j], measured = 0;",
            f"        for (int sign = -1; sign < 2; sign += 2) {{ {name}[j] = kept + sign * 1e-6; {call}",
            f"            for (size_t k = 0; k < n_{output}; k++) measured += sign * {weight} * {output}[k] / 2e-6; }}",
            f"        {name}[j] = kept;",
            "        if (fabs(measured - derived) > 1e-4 * fmax(1.0, fabs(derived)))",
            f'            {{ printf("{name}[%zu]: %g, not %g\\n", j, derived, measured); return 1; }}',
            "    }",
        ]
    return [*lines, '    puts("derivatives agree with central differences");', "    return 0;", "}", "#endif"]
