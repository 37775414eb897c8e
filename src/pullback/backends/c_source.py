"""A plan as one C function: entrywise chains as loops, products by BLAS, all of it specialised to the shapes.

Every array is a pointer, an offset and strides that are numbers here. Steps that need more than loops and BLAS, such
as an inverse, are left to NumPy: they part the function into segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite, isnan, prod

from pullback.planning.fusing import Operations, fused
from pullback.planning.memory import Memory, assign, owned_results, packed, strides_of
from pullback.planning.steps import LEAVES, UPDATES, VIEWS, Extent, Plan, Step

ALIGNMENT = 64
_INLINE = 600
"""Products of fewer multiplications than this are loops: calling BLAS would cost as much."""

_FORMS = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "{0} / {1}",
    "power": "POW({0}, {1})", "negative": "-{0}", "reciprocal": "1 / {0}", "square": "{0} * {0}", "sqrt": "SQRT({0})",
    "exp": "EXP({0})", "log": "LOG({0})", "log1p": "LOG1P({0})", "sin": "SIN({0})", "cos": "COS({0})",
    "tan": "TAN({0})", "sinh": "SINH({0})", "cosh": "COSH({0})", "tanh": "TANH({0})", "erf": "ERF({0})",
    "abs": "ABS({0})", "sign": "({0} != {0} ? {0} : (T)(({0} > 0) - ({0} < 0)))",
    "maximum": "({0} >= {1} || {0} != {0} ? {0} : {1})", "minimum": "({0} <= {1} || {0} != {0} ? {0} : {1})",
    "greater": "(T)({0} > {1})", "equal": "(T)({0} == {1})", "where": "({0} != 0 ? {1} : {2})", "copy": "{0}",
    "finite": "({0} > LIMIT ? LIMIT : {0} < -LIMIT ? -LIMIT : {0})",
}  # fmt: skip

_VECTORISED = {1: ("exp", "log", "sin", "cos", "pow"), 2: ("tan", "sinh", "cosh", "tanh", "erf", "log1p")}
_PLAIN = ("sqrt", "fabs")


@dataclass(frozen=True)
class Place:
    """Where a slot is: a pointer, how far from it, and how far apart its entries are along each axis."""

    pointer: str
    strides: tuple[int, ...]
    offset: int = 0
    number: float | None = None

    @property
    def start(self) -> str:
        """The address of the first entry."""
        return f"{self.pointer} + {self.offset}" if self.offset else self.pointer

    def at(self, names: Sequence[str]) -> str:
        """One entry."""
        if self.number is not None:
            return number(self.number)
        terms = [n if s == 1 else f"{n} * {s}" for n, s in zip(names, self.strides, strict=True) if s]
        terms += [str(self.offset)] if self.offset else []
        return f"{self.pointer}[{' + '.join(terms) or '0'}]"


@dataclass
class Source:
    """C source, what calls it, and the memory that it works in.

    ``segments`` are the numbers of C functions and, between them, steps for NumPy.
    """

    text: str
    plan: Plan
    segments: list[int | Step]
    offsets: dict[int, int]
    zeroed: frozenset[int]
    size: int
    places: dict[int, Place] = field(default_factory=dict)


class CWriter:
    """Writes one plan; ``single`` for float32."""

    def __init__(self, plan: Plan, single: bool, width: int) -> None:
        self.plan = plan = fused(packed(owned_results(plan)))
        self.single, self.width = single, width
        self.made = {step.output: step for step in plan.steps}
        self.readers: dict[int, int] = {}
        for step in plan.steps:
            for slot in step.inputs:
                self.readers[slot] = self.readers.get(slot, 0) + 1
        self.folded = self.folds()
        self.memory = self.layout()
        self.results = {result.slot: k for k, result in enumerate(plan.results)}
        self.offsets: dict[int, int] = {}
        self.zeroed: set[int] = set()
        self.size = 0
        starts: list[int] = []
        item = 4 if single else 8
        for length in self.memory.lengths:
            starts.append(self.size)
            self.size += -(-length * item // ALIGNMENT) * ALIGNMENT
        for slot, buffer in self.memory.buffer.items():
            self.offsets[slot] = starts[buffer]
        self.places: dict[int, Place] = {}
        self.segments: list[int | Step] = []
        self.functions: list[list[str]] = []
        self.lines: list[str] = []

    def folds(self) -> set[int]:
        """Products that are added to what is updated right where they are computed."""
        found: set[int] = set()
        for step in self.plan.steps:
            if step.kind in UPDATES:
                change = self.made[step.inputs[1]]
                plain = change.kind == "dot" and len(self.plan.shapes[change.output]) == 2
                ranks = all(len(self.plan.shapes[slot]) == 2 for slot in change.inputs)
                if plain and ranks and self.readers[change.output] == 1:
                    found.add(change.output)
        return found

    def layout(self) -> Memory:
        """Buffers; a folded product is computed at its update, and what it reads lives until then."""
        steps = []
        for step in self.plan.steps:
            if step.output in self.folded:
                continue
            if step.kind in UPDATES and step.inputs[1] in self.folded:
                product = self.made[step.inputs[1]]
                step = Step("update", (step.inputs[0], *product.inputs), (), step.output)
            steps.append(step)
        self.plan = Plan(self.plan.inputs, tuple(steps), self.plan.results, self.plan.shapes)
        return assign(self.plan, lambda step: step.kind == "loop" and not step.detail[1], lambda step: True)

    def write(self) -> Source:
        """All of it."""
        plan = self.plan
        inputs = list(plan.inputs.values())
        for k, (slot, shape) in enumerate(inputs):
            if slot >= 0:
                self.places[slot] = Place(f"p{k}", _rows(shape))
        for step in plan.steps:
            if step.kind in ("solve", "apply"):
                self.segments += [*self.close(), step]
                self.target(step.output)
            elif step.kind != "input":
                self.step(step)
        self.segments += self.close()
        return Source(
            self.text(len(inputs), len(plan.results)), plan, self.segments, self.offsets,
            frozenset(self.zeroed), self.size, self.places,
        )  # fmt: skip

    def close(self) -> list[int]:
        """End a segment, if it has anything in it."""
        if not self.lines:
            return []
        self.functions.append(self.lines)
        self.lines = []
        return [len(self.functions) - 1]

    def text(self, inputs: int, results: int) -> str:
        """The whole file; arrays come as objects of NumPy, whose entries are found in them."""
        from pullback.backends.native import data_offset

        offset = data_offset()
        assert offset is not None
        whole = "long long" if self.width == 8 else "int"
        arguments = [f"char *o{k}" for k in range(inputs)] + [f"char *u{k}" for k in range(results)] + ["char *work"]
        taken = [f"T *const p{k} = *(T **)(o{k} + {offset});" for k in range(inputs)]
        taken += [f"T *const r{k} = *(T **)(u{k} + {offset});" for k in range(results)]
        taken += [f"T *const b{slot} = (T *)(work + {start});" for slot, start in self.offsets.items()]
        flags = " & ".join(f"*(int *)(o{k} + {offset + 48})" for k in range(inputs))
        check = f"if (({flags} & 0x101) != 0x101) return 1;" if inputs else ""
        parts = [_head(self.single, whole)]
        for k, lines in enumerate(self.functions):
            used = [line for line in taken if _mentioned(line, lines)]
            body = [check, *used, *lines, "return 0;"]
            parts.append(f"int segment{k}({', '.join(arguments)})\n{{\n" + "\n".join("    " + x for x in body) + "\n}")
        return "\n\n".join(parts) + "\n"

    # places

    def target(self, slot: int) -> Place:
        """Where a slot is written."""
        group = self.memory.group[slot]
        if group in self.memory.buffer:
            pointer = f"b{group}"
        else:
            result = next(s for s in self.results if self.memory.group[self.memory.base[s]] == group)
            pointer = f"r{self.results[result]}"
        place = self.places[slot] = Place(pointer, _rows(self.plan.shapes[slot]))
        return place

    def place(self, slot: int) -> Place:
        """Where a slot is read."""
        if slot in self.places:
            return self.places[slot]
        step = self.made[slot]
        source = self.place(step.inputs[0])
        strides = strides_of(slot, self.made, self.plan.shapes)
        assert strides is not None
        if source.number is not None:
            found = Place("", (0,) * len(strides), 0, source.number)
        else:
            offset = source.offset + (step.detail[0] * source.strides[-1] if step.kind == "part" else 0)
            found = Place(source.pointer, strides, offset)
        self.places[slot] = found
        return found

    def broadcast(self, slot: int, shape: Extent) -> Place:
        """Where the entries of a slot are for the indices of a larger shape."""
        place, own = self.place(slot), self.plan.shapes[slot]
        if not own:
            return Place(place.pointer, (0,) * len(shape), place.offset, place.number)
        strides = tuple(0 if n == 1 else s for n, s in zip(own, place.strides, strict=True))
        return Place(place.pointer, strides, place.offset, place.number)

    # steps

    def step(self, step: Step) -> None:
        """Write one step."""
        if step.kind in ("constant", "full"):
            self.places[step.output] = Place("", (0,) * len(self.plan.shapes[step.output]), 0, step.detail[0])
        elif step.kind in VIEWS:
            return
        elif step.kind == "loop":
            self.loop(step)
        elif step.kind in UPDATES:
            self.update(step)
        elif step.kind == "dot":
            self.dot(step.inputs[0], step.inputs[1], self.target(step.output), self.plan.shapes[step.output], 0)
        elif step.kind == "matmul":
            self.matmul(step)
        elif step.kind == "contract":
            self.contract(step)
        else:
            assert step.kind in ("embed", "pad"), step.kind
            self.scatter(step)

    def update(self, step: Step) -> None:
        """p := p + d, where d may be a product that is computed right into p."""
        target = self.place(step.inputs[0])
        self.places[step.output] = target
        shape = self.plan.shapes[step.inputs[0]]
        if len(step.inputs) == 3:
            self.dot(step.inputs[1], step.inputs[2], target, shape, 1)
            return
        change = self.broadcast(step.inputs[1], shape)
        self.nest(shape, [target, change], lambda names, at: [f"{at[0]} += {at[1]};"])

    def nest(self, shape: Extent, places: Sequence[Place], body, simd: bool = True) -> None:  # type: ignore[no-untyped-def]
        """Loops over a shape, axes joined where that can be; ``body`` gives lines for names and entries."""
        shape, places = merged(shape, places)
        names = [f"i{k}" for k in range(len(shape))]
        entries = [place.at(names) for place in places]
        for depth, (name, length) in enumerate(zip(names, shape, strict=True)):
            if simd and depth == len(shape) - 1 and length > 1:
                self.lines.append("    " * depth + "_Pragma(\"omp simd\")")
            self.lines.append("    " * depth + f"for (long {name} = 0; {name} < {length}; {name}++)")
        lines = body(names, entries)
        pad = "    " * len(shape)
        self.lines += [pad + "{", *(pad + "    " + line for line in lines), pad + "}"]

    def loop(self, step: Step) -> None:
        """An entrywise chain, or a sum or maximum of one."""
        shape, reduced, operations = step.detail
        given = [self.broadcast(slot, shape) for slot in step.inputs]
        if not reduced:
            target = self.target(step.output)

            def body(_: Sequence[str], at: Sequence[str]) -> list[str]:
                return [*_statements(operations, at[1:]), f"{at[0]} = t{len(operations) - 1};"]

            self.nest(shape, [target, *given], body)
            return
        function, *axes = reduced
        keep = bool(axes) and axes[-1] == "keep"
        axes = axes[:-1] if keep else axes
        inner = self.target(step.output)
        rest = iter(inner.strides)
        strides = tuple(_next(rest, keep, k in axes) for k in range(len(shape)))
        self.reduce(function, shape, axes, Place(inner.pointer, strides, inner.offset), given, operations)

    def reduce(
        self, function: str, shape: Extent, axes: Sequence[int], target: Place, given: Sequence[Place],
        operations: Operations,
    ) -> None:  # fmt: skip
        """A sum or a maximum; along the last axis in a register, along others into the result."""
        left = [k for k in range(len(shape)) if k not in axes]
        start = "0" if function == "add" else "-INFINITY"
        names = [f"i{k}" for k in range(len(shape))]
        inward = [*left, *axes] if shape and axes[-1] == len(shape) - 1 else [*(k for k in range(len(shape)))]
        inside = [k for k in inward if k in axes] if inward[: len(left)] == left else []
        depth = 0
        last = f"t{len(operations) - 1}"
        statements = _statements(operations, [place.at(names) for place in given])
        if inside:
            for k in left:
                self.lines.append("    " * depth + f"for (long i{k} = 0; i{k} < {shape[k]}; i{k}++)")
                depth += 1
            pad = "    " * depth
            kind = "double" if function == "add" else "T"
            self.lines += [pad + "{", f"{pad}    {kind} sum = {start};"]
            for k in inside:
                depth += 1
                if k == inside[-1] and len(inside) == 1:
                    operator = "+" if function == "add" else "max"
                    self.lines.append("    " * depth + f'_Pragma("omp simd reduction({operator}:sum)")')
                self.lines.append("    " * depth + f"for (long i{k} = 0; i{k} < {shape[k]}; i{k}++)")
            inner = "    " * (depth + 1)
            grown = f"sum += {last};" if function == "add" else f"sum = {_FORMS['maximum'].format('sum', last)};"
            if function != "add":
                self.lines = [line for line in self.lines if "reduction(max:sum)" not in line]
            self.lines += [inner + "{", *(inner + "    " + x for x in (*statements, grown)), inner + "}"]
            self.lines += [f"{pad}    {target.at(names)} = (T)sum;", pad + "}"]
            return
        whole = tuple(shape[k] for k in left)
        plain = Place(target.pointer, tuple(target.strides[k] for k in left), target.offset)
        self.nest(whole, [plain], lambda _, at: [f"{at[0]} = {start};"])
        if function == "add":
            grown = f"{{0}} += {last};"
        else:
            grown = "{0} = " + _FORMS["maximum"].format("{0}", last) + ";"

        def body(_: Sequence[str], at: Sequence[str]) -> list[str]:
            return [*_statements(operations, at[1:]), grown.format(at[0])]

        self.nest(shape, [target, *given], body, simd=shape[-1] > 1)

    def dot(self, a: int, b: int, target: Place, shape: Extent, beta: int) -> None:
        """A product of matrices and vectors, onto what is there where ``beta`` is 1."""
        one, two = self.place(a), self.place(b)
        first, second = self.plan.shapes[a], self.plan.shapes[b]
        rows = first[0] if len(first) == 2 else 1
        columns = second[1] if len(second) == 2 else 1
        inner = first[-1]
        along = (one.strides[0] if len(first) == 2 else 0, one.strides[-1])
        across = (two.strides[0], two.strides[1] if len(second) == 2 else 0)
        left = target.strides[0] if len(first) == 2 else 0
        right = target.strides[-1] if len(second) == 2 else 0
        where = (left, right)
        numbers = one.number is not None or two.number is not None
        if not numbers and inner and rows * columns:
            if len(first) == len(second) == 2 and self.syrk(one, two, along, across, target, where, rows, inner, beta):
                return
            if rows * columns * inner > _INLINE and self.blas(
                one, two, along, across, target, where, (rows, columns, inner), beta
            ):
                return
        self.product(Place(one.pointer, (*along, 0), one.offset, one.number), Place(two.pointer, (across[0], across[1]), two.offset, two.number), target, where, (rows, columns, inner), beta)  # noqa: E501

    def product(
        self, one: Place, two: Place, target: Place, where: tuple[int, int], sizes: tuple[int, int, int], beta: int,
        before: Sequence[tuple[str, int, int, int]] = (),
    ) -> None:  # fmt: skip
        """A product as loops."""
        rows, columns, inner = sizes
        here = Place(target.pointer, (*where,), target.offset)
        sign = "+=" if beta else "="
        if columns == 1:
            self.lines += [
                f"for (long i = 0; i < {rows}; i++) {{", "    T sum = 0;", '    _Pragma("omp simd reduction(+:sum)")',
                f"    for (long k = 0; k < {inner}; k++) sum += {_at(one, ('i', 'k'))} * {_at(two, ('k', '0'))};",
                f"    {here.at(('i', '0'))} {sign} sum;", "}",
            ]  # fmt: skip
            return
        start = [] if beta else [
            f'    _Pragma("omp simd") for (long j = 0; j < {columns}; j++) {here.at(("i", "j"))} = 0;'
        ]  # fmt: skip
        self.lines += [
            f"for (long i = 0; i < {rows}; i++) {{", *start,
            f"    for (long k = 0; k < {inner}; k++) {{", f"        const T factor = {_at(one, ('i', 'k'))};",
            f'        _Pragma("omp simd") for (long j = 0; j < {columns}; j++) {here.at(("i", "j"))} += factor * {_at(two, ("k", "j"))};',  # noqa: E501
            "    }", "}",
        ]  # fmt: skip

    def blas(
        self, one: Place, two: Place, along: tuple[int, int], across: tuple[int, int], target: Place,
        where: tuple[int, int], sizes: tuple[int, int, int], beta: int,
    ) -> bool:  # fmt: skip
        """A call of BLAS, if the arrays lie as it wants them."""
        rows, columns, inner = sizes
        if rows == 1 or columns == 1:
            matrix, vector = (one, two) if columns == 1 else (two, one)
            strides = along if columns == 1 else across[::-1]
            step = across[0] if columns == 1 else along[1]
            gap = where[0] if columns == 1 else where[1]
            count = rows if columns == 1 else columns
            found = _leading(strides, (count, inner))
            if found is None or rows == columns == 1 or step <= 0:
                return False
            turned, lead = found
            height, width = (inner, count) if turned else (count, inner)
            self.lines.append(
                f"GEMV(101, {112 if turned else 111}, {height}, {width}, 1, {matrix.start}, {lead}, "
                f"{vector.start}, {step}, {beta}, {target.start}, {gap or 1});"
            )
            return True
        first, second = _leading(along, (rows, inner)), _leading(across, (inner, columns))
        if first is None or second is None or where[1] != 1 or where[0] < columns:
            return False
        self.lines.append(
            f"GEMM(101, {112 if first[0] else 111}, {112 if second[0] else 111}, {rows}, {columns}, {inner}, 1, "
            f"{one.start}, {first[1]}, {two.start}, {second[1]}, {beta}, {target.start}, {where[0]});"
        )
        return True

    def syrk(
        self, one: Place, two: Place, along: tuple[int, int], across: tuple[int, int], target: Place,
        where: tuple[int, int], rows: int, inner: int, beta: int,
    ) -> bool:  # fmt: skip
        """A product with its own transpose: half the work, then mirrored."""
        same = one.pointer == two.pointer and one.offset == two.offset and along == across[::-1]
        found = _leading(along, (rows, inner))
        if not same or beta or rows < 16 or rows * rows * inner <= _INLINE or found is None or where != (rows, 1):
            return False
        self.lines += [
            f"SYRK(101, 121, {112 if found[0] else 111}, {rows}, {inner}, 1, {one.start}, {found[1]}, 0, {target.start}, {rows});",  # noqa: E501
            f"mirror({target.start}, {rows});",
        ]
        return True

    def matmul(self, step: Step) -> None:
        """Many products of the same size."""
        a, b = (self.place(slot) for slot in step.inputs)
        batch, rows, columns = self.plan.shapes[step.output]
        inner = self.plan.shapes[step.inputs[0]][2]
        target = self.target(step.output)
        self.lines.append(f"for (long n = 0; n < {batch}; n++) {{")
        names = []
        for name, place in (("a", a), ("b", b), ("c", target)):
            if place.number is not None:
                names.append(place)
                continue
            self.lines.append(f"    T *const {name} = {place.start} + n * {place.strides[0]};")
            names.append(Place(name, place.strides[1:]))
        one, two, out = names
        along, across = (p.strides[-2:] for p in (one, two))
        sizes = (rows, columns, inner)
        where = (out.strides[0], out.strides[1])
        plain = one.number is None and two.number is None and inner > 0 and rows * columns > 0
        if not (
            plain and rows * columns * inner > _INLINE
            and self.blas(one, two, (along[0], along[1]), (across[0], across[1]), out, where, sizes, 0)
        ):  # fmt: skip
            self.product(one, two, out, where, sizes, 0)
        self.lines.append("}")

    def contract(self, step: Step) -> None:
        """A product by labels, as loops."""
        one, two, wanted = step.detail
        lengths: dict[int, int] = {}
        for slot, labels in zip(step.inputs, (one, two), strict=True):
            lengths.update(zip(labels, self.plan.shapes[slot], strict=True))
        order = [*wanted, *(x for x in lengths if x not in wanted)]
        shape = tuple(lengths[x] for x in order)
        given = []
        for slot, labels in zip(step.inputs, (one, two), strict=True):
            place = self.place(slot)
            stride = dict(zip(labels, place.strides, strict=True))
            given.append(Place(place.pointer, tuple(stride.get(x, 0) for x in order), place.offset, place.number))
        target = self.target(step.output)
        strides = dict(zip(wanted, target.strides, strict=True))
        here = Place(target.pointer, tuple(strides.get(x, 0) for x in order), target.offset)
        axes = list(range(len(wanted), len(order)))
        if axes:
            self.reduce("add", shape, axes, here, given, (("multiply", (0, 1)),))
        else:
            self.nest(shape, [here, *given], lambda _, at: [f"{at[0]} = {at[1]} * {at[2]};"])

    def scatter(self, step: Step) -> None:
        """Write into a part of an array of zeros, which it is from the start on where nothing else lives there."""
        target, shape = self.target(step.output), self.plan.shapes[step.output]
        if target.pointer.startswith("b"):
            self.nest(shape, [target], lambda _, at: [f"{at[0]} = 0;"])
        else:
            self.zeroed.add(int(target.pointer[1:]))
        (slot,) = step.inputs
        if step.kind == "pad":
            inner = self.plan.shapes[slot]
            here = Place(target.pointer, target.strides, step.detail[0] * target.strides[-1])
            self.nest(inner, [here, self.place(slot)], lambda _, at: [f"{at[0]} = {at[1]};"])
            return
        labels, kept = step.detail
        lengths = dict(zip(labels, shape, strict=True))
        strides = tuple(sum(s for s, x in zip(target.strides, labels, strict=True) if x == label) for label in kept)
        inner = tuple(lengths[x] for x in kept)
        self.nest(inner, [Place(target.pointer, strides), self.broadcast(slot, inner)], lambda _, at: [f"{at[0]} = {at[1]};"])  # noqa: E501


def number(value: float) -> str:
    """A number as C."""
    if isnan(value):
        return "(T)NAN"
    return f"(T){value!r}" if isfinite(value) else f"(T){'-' if value < 0 else ''}INFINITY"


def merged(shape: Extent, places: Sequence[Place]) -> tuple[Extent, list[Place]]:
    """Join axes that all places run through without a gap, and leave out those of length one."""
    kept = [k for k, n in enumerate(shape) if n != 1]
    groups: list[list[int]] = []
    for k in kept:
        before = groups[-1][-1] if groups else None
        if before is not None and all(
            p.number is not None or p.strides[before] == p.strides[k] * shape[k] for p in places
        ):
            groups[-1].append(k)
        else:
            groups.append([k])
    new = tuple(prod(shape[k] for k in group) for group in groups)
    moved = [Place(p.pointer, tuple(p.strides[g[-1]] for g in groups), p.offset, p.number) for p in places]
    return new, moved


def _rows(shape: Extent) -> tuple[int, ...]:
    strides = [1] * len(shape)
    for k in range(len(shape) - 2, -1, -1):
        strides[k] = strides[k + 1] * max(shape[k + 1], 1)
    return tuple(strides)


def _next(rest, keep: bool, gone: bool) -> int:  # type: ignore[no-untyped-def]
    if not gone:
        return int(next(rest))
    if keep:
        next(rest)
    return 0


def _at(place: Place, names: Sequence[str]) -> str:
    return Place(place.pointer, place.strides[:2], place.offset, place.number).at(names)


def _leading(strides: Sequence[int], shape: tuple[int, int]) -> tuple[bool, int] | None:
    """Whether BLAS has to be told that a matrix is transposed, and the distance of its rows."""
    (down, along), (rows, columns) = strides, shape
    if (along == 1 or columns == 1) and (down >= columns or rows == 1):
        return False, max(down if rows > 1 else columns, columns)
    if (down == 1 or rows == 1) and (along >= rows or columns == 1):
        return True, max(along if columns > 1 else rows, rows)
    return None


def _statements(operations: Operations, at: Sequence[str]) -> list[str]:
    """The operations of a loop, each into a name of its own."""
    used = {k for _, given in operations for k in given if k >= 0}
    lines = [f"const T x{k} = {at[k]};" for k in sorted(used)]
    for k, (function, given) in enumerate(operations):
        words = [f"x{g}" if g >= 0 else f"t{-1 - g}" for g in given]
        lines.append(f"const T t{k} = {_FORMS[function].format(*words)};")
    return lines


def _mentioned(line: str, lines: Sequence[str]) -> bool:
    """Whether a definition is used; names are a letter and digits."""
    name = line.split("const ")[1].split(" ")[0]
    return any(name in other for other in lines)


def _head(single: bool, whole: str) -> str:
    suffix, letter = ("f", "s") if single else ("", "d")
    kind = "float" if single else "double"
    names = [n for found in _VECTORISED.values() for n in found] + list(_PLAIN)
    lines = ["typedef float T;" if single else "typedef double T;", "#define INFINITY __builtin_inff()"]
    lines += ['#define NAN __builtin_nanf("")', f"#define LIMIT {'3.4028234663852886e38f' if single else '1.7976931348623157e308'}"]  # noqa: E501
    for level, found in _VECTORISED.items():
        lines.append(f"#if VECTORS >= {level}")
        for name in found:
            arguments = f"{kind}, {kind}" if name == "pow" else kind
            lines.append(f'__attribute__((simd("notinbranch"), const)) {kind} {name}{suffix}({arguments});')
        lines.append("#else")
        for name in found:
            arguments = f"{kind}, {kind}" if name == "pow" else kind
            lines.append(f"{kind} {name}{suffix}({arguments});")
        lines.append("#endif")
    lines += [f"{kind} {name}{suffix}({kind});" for name in _PLAIN]
    lines += [f"#define {'ABS' if name == 'fabs' else name.upper()} {name}{suffix}" for name in names]
    lines += [
        f"typedef {whole} N;",
        "typedef void (*gemm_t)(int, int, int, N, N, N, T, const T *, N, const T *, N, T, T *, N);",
        "typedef void (*gemv_t)(int, int, N, N, T, const T *, N, const T *, N, T, T *, N);",
        "typedef void (*syrk_t)(int, int, int, N, N, T, const T *, N, T, T *, N);",
        "static gemm_t GEMM; static gemv_t GEMV; static syrk_t SYRK;",
        "void link_blas(void *gemm, void *gemv, void *syrk) { GEMM = gemm; GEMV = gemv; SYRK = syrk; }",
        f"/* the routines are {letter}gemm, {letter}gemv and {letter}syrk */",
        "static void mirror(T *c, long n)",
        "{",
        "    for (long top = 0; top < n; top += 16)",
        "        for (long left = top; left < n; left += 16)",
        "            for (long i = top; i < top + 16 && i < n; i++)",
        "                for (long j = left > i ? left : i + 1; j < left + 16 && j < n; j++) c[j * n + i] = c[i * n + j];",  # noqa: E501
        "}",
    ]
    return "\n".join(lines)


def is_leaf(step: Step) -> bool:
    """Whether a step computes nothing."""
    return step.kind in LEAVES
