"""The steps of a plan as statements of C: products by BLAS, entrywise chains as one loop each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pullback.emission.c_values import (
    FORMS,
    Place,
    Value,
    at_level,
    computed,
    count,
    diagonal,
    expanded,
    number,
    own_indices,
    part,
    permuted,
    row_major,
    squeezed_or_widened,
    stored,
)
from pullback.emission.drafting import Drawn
from pullback.errors import UnsupportedError
from pullback.planning.steps import VIEWS, Extent, Step
from pullback.spelling.speller import Line

_LONGEST_CHAIN = 8
_WRITES_OVER = frozenset({"inv", "det", "logdet", "expm"})
_FAILS = frozenset({"inv", "chol", "expm", "frechet"})
_ON_MATRICES = frozenset({"inv", "det", "logdet", "chol", "tril", "expm", "frechet"})


@dataclass
class Statement:
    """What computes one slot."""

    line: Line
    code: list[str] = field(default_factory=list)


class Writer:
    """Writes the body of the function; ``work`` are the temporary arrays with their numbers of entries."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn, self.plan = drawn, drawn.plan
        self.values: dict[int, Value] = {}
        self.work: dict[str, str] = {}
        self.statements: list[Statement] = []
        self.code: list[str] = []
        pairs = zip(self.plan.results, drawn.results, strict=True)
        self.finals = {r.slot: own for r, own in pairs if self.plan.shapes[r.slot] == r.shape}
        self.taken = {*drawn.reserved, *drawn.inputs, *drawn.results, *drawn.sizes.values(), *drawn.wanted.values()}
        self.users: dict[int, list[Step]] = {}
        for step in self.plan.steps:
            for slot in step.inputs:
                self.users.setdefault(slot, []).append(step)
        self.indices = [
            i for i in ("i", "j", "l", "p", "q", "r", "s", "u", "i1", "i2", "i3", "i4", "i5") if i not in self.taken
        ]
        self.taken |= set(self.indices)
        self.fallible = False
        self.kept: set[tuple[int, str]] = set()
        for key, (slot, shape) in self.plan.inputs.items():
            if slot >= 0:
                own = drawn.names[key]
                self.values[slot] = (
                    stored(shape, Place(own, row_major(shape))) if shape else Value((), lambda _, own=own: (own, 9))  # type: ignore[misc]
                )

    def run(self) -> list[Statement]:
        """All statements."""
        for step in self.plan.steps:
            if step.kind != "input":
                self.step(step)
        for result, own in zip(self.plan.results, self.drawn.results, strict=True):
            if (result.slot, own) not in self.kept:
                value = self.values[result.slot]
                shaped = squeezed_or_widened(value, result.shape) or expanded(value, result.shape)
                self.assign(own, result.shape, shaped)
                self.done(result.slot, own)
        return self.statements

    def done(self, slot: int, own: str) -> None:
        """Close the statement of a slot."""
        if self.code:
            self.statements.append(Statement(Line(own, "", frozenset(), slot), self.code))
            self.code = []

    # one step

    def step(self, step: Step) -> None:
        """Write a step, or keep what it computes for where it is used."""
        slot = step.output
        if step.kind == "constant":
            self.values[slot] = number(step.detail[0])
        elif step.kind == "full":
            self.values[slot] = number(step.detail[0], self.plan.shapes[slot])
        elif step.kind in VIEWS:
            self.values[slot] = self.view(step)
        elif step.kind == "map":
            self.map(step)
        elif step.kind == "reduce":
            self.reduce(step)
        elif step.kind == "dot":
            self.dot(step)
        elif step.kind in ("matmul", "contract"):
            self.contract(step)
        elif step.kind in ("embed", "pad"):
            self.scatter(step)
        elif step.kind == "solve":
            self.solve(step)
        else:
            self.apply(step)
        self.done(slot, self.name_of(slot) or "")

    def view(self, step: Step) -> Value:
        """Another look at a value."""
        (slot,) = step.inputs
        value, shape = self.values[slot], self.plan.shapes[step.output]
        if step.kind == "permute":
            return permuted(value, step.detail)
        if step.kind == "expand":
            return expanded(value, shape)
        if step.kind == "diagonal":
            return diagonal(value, step.detail)
        if step.kind == "part":
            return part(value, step.detail[0])(shape)
        reshaped = squeezed_or_widened(value, shape)
        if reshaped is not None:
            return reshaped
        place = self.contiguous(slot)
        return stored(shape, Place(place.pointer, row_major(shape), place.offset))

    def name_of(self, slot: int) -> str | None:
        """The name of what a slot was written to."""
        value = self.values[slot]
        return self.finals.get(slot) or (
            value.place.pointer if value.place is not None else value.at([])[0] if not value.shape else None
        )

    def target(self, slot: int, array: bool = False) -> str:
        """The name that a slot is written to: a result, a name of the program, or a temporary one.

        It stands for an ``array`` even of one number where a function writes to it.
        """
        if slot in self.finals:
            return self.finals[slot]
        own = self.drawn.wanted.get(slot)
        if own is None or own in self.work:
            own = self.fresh()
        if array or not _is_one(self.plan.shapes[slot]):
            self.work[own] = count(self.plan.shapes[slot])
        self.taken.add(own)
        return own

    def fresh(self) -> str:
        """A name that nothing has."""
        number_ = 1
        while f"t{number_}" in self.taken:
            number_ += 1
        self.taken.add(f"t{number_}")
        return f"t{number_}"

    def keep(self, slot: int, own: str) -> Value:
        """The value of a slot that has been written to a name."""
        self.kept.add((slot, own))
        shape = self.plan.shapes[slot]
        if _is_one(shape) and own not in self.work:
            text = f"(*{own})" if slot in self.finals else own
            self.values[slot] = Value(shape, lambda _: (text, 9))
        else:
            self.values[slot] = stored(shape, Place(own, row_major(shape)))
        return self.values[slot]

    def assign(self, own: str, shape: Extent, value: Value) -> None:
        """Write the entries of a value."""
        if _is_one(shape):
            held = "*" if own in self.drawn.results or own in self.work else "const real "
            left = f"{held}{own}"
            self.code.append(f"{left} = {value.at(['0'] * len(shape))[0]};")
            return
        target = stored(shape, Place(own, row_major(shape)))
        self.loops(shape, lambda i: [f"{target.at(i)[0]} = {value.at(i)[0]};"])

    def names(self, shape: Extent) -> list[str]:
        """An index for each axis; zero where there is one entry."""
        free = iter(self.indices)
        return ["0" if n == 1 else next(free) for n in shape]

    def loops(self, shape: Extent, body: object, names: Sequence[str] | None = None) -> None:
        """Loops over a shape around the statements that ``body`` gives for the indices."""
        names = self.names(shape) if names is None else names
        inner: Iterable[str] = body(names)  # type: ignore[operator]
        self.code += nested(
            [(n, repr(length)) for n, length in zip(names, shape, strict=True) if n != "0"], list(inner)
        )

    def memory(self, slot: int) -> Place:
        """The place of a slot, written down if it is computed where it is used."""
        value = self.values[slot]
        if value.place is None or any(
            s == "0" and n != 1 for s, n in zip(value.place.strides, value.shape, strict=True)
        ):
            return self.written(slot, value)
        return value.place

    def written(self, slot: int, value: Value) -> Place:
        own = self.fresh()
        self.work[own] = count(value.shape)
        target = Place(own, row_major(value.shape))
        self.loops(value.shape, lambda i: [f"{stored(value.shape, target).at(i)[0]} = {value.at(i)[0]};"])
        return target

    def contiguous(self, slot: int) -> Place:
        """A place in which the entries lie row by row."""
        place = self.memory(slot)
        value = self.values[slot]
        wanted = row_major(value.shape)
        same = all(a == b or n == 1 for a, b, n in zip(place.strides, wanted, value.shape, strict=True))
        return place if same else self.written(slot, value)

    def copied(self, slot: int, shape: Extent) -> str:
        """A copy that may be written over."""
        return self.written(slot, self.values[slot]).pointer

    # kernels

    def map(self, step: Step) -> None:
        """An entrywise function: a loop of its own, or part of the one loop that uses it."""
        slot, shape = step.output, self.plan.shapes[step.output]
        (function,) = step.detail
        if function not in FORMS:
            raise UnsupportedError(f"{function} is not emitted in C", hint="emit numpy, torch or jax")
        value = computed(function, [self.values[k] for k in step.inputs], shape)
        if self.fits_in_user(slot, value):
            self.values[slot] = value
            return
        own = self.target(slot)
        self.assign(own, shape, value)
        self.keep(slot, own)

    def fits_in_user(self, slot: int, value: Value) -> bool:
        """Whether it is used once, by a loop over the same entries."""
        if slot in self.finals or slot in self.drawn.forced or value.weight > _LONGEST_CHAIN:
            return False
        size = count(self.plan.shapes[slot])
        while True:
            users = self.users.get(slot, [])
            if len(users) != 1 or slot in self.finals:
                return False
            (user,) = users
            if user.kind not in ("permute", "shape"):
                break
            slot = user.output
        if user.kind == "map":
            return count(self.plan.shapes[user.output]) == size
        return user.kind == "reduce"

    def reduce(self, step: Step) -> None:
        """A sum or a maximum over axes."""
        function, *axes = step.detail
        keep = bool(axes) and axes[-1] == "keep"
        axes = axes[:-1] if keep else axes
        value = self.values[step.inputs[0]]
        names = self.names(value.shape)
        left = ["0" if k in axes else n for k, n in enumerate(names) if keep or k not in axes]
        lengths = [(n, repr(size)) for n, size in zip(names, value.shape, strict=True) if n != "0"]
        inner = [pair for pair in lengths if names.index(pair[0]) in axes]
        outer = [pair for pair in lengths if pair not in inner]
        entry = value.at(names)
        self.accumulate(step.output, left, outer, inner, entry[0], function)

    def accumulate(
        self,
        slot: int,
        left: Sequence[str],
        outer: list[tuple[str, str]],
        inner: list[tuple[str, str]],
        entry: str,
        function: str,
    ) -> None:
        """Gather entries into one number for each index of the outer loops."""
        own = self.target(slot)
        total = "sum" if function == "add" else "top"
        total = own if not outer and _is_one(self.plan.shapes[slot]) and slot not in self.finals else total
        while total in self.taken and total != own:
            total += "_"
        start = "0" if function == "add" else "-INFINITY"
        more = f"{total} += {entry};" if function == "add" else f"{total} = larger({total}, {entry});"
        body = [f"real {total} = {start};", *nested(inner, [more])]
        if total != own:
            shape = self.plan.shapes[slot]
            goal = f"*{own}" if _is_one(shape) else stored(shape, Place(own, row_major(shape))).at(left)[0]
            body.append(f"{goal} = {total};")
        if outer:
            self.code += nested(outer, body)
        elif total == own:
            self.code += body
        else:
            self.code += ["{", *("    " + part for part in body), "}"]
        self.keep(slot, own)

    def dot(self, step: Step) -> None:
        """A product of matrices and vectors, by BLAS."""
        places = [self.memory(k) for k in step.inputs]
        shapes = [self.plan.shapes[k] for k in step.inputs]
        if [len(s) for s in shapes] == [1, 1]:
            a, b = places
            text = f"dot({_int(shapes[0][0])}, {a.start}, {_step(a)}, {b.start}, {_step(b)})"
            own = self.target(step.output)
            self.assign(own, (), Value((), lambda _: (text, 9)))
            self.keep(step.output, own)
            return
        flips: list[tuple[str, str]] = []
        for k, (slot, shape) in enumerate(zip(step.inputs, shapes, strict=True)):
            flip = _orientation(places[k], shape) if len(shape) == 2 else ("", _step(places[k]))
            if flip is None:
                places[k] = self.contiguous(slot)
                flip = ("N", _int(shape[1]))
            flips.append(flip)
        (op_a, lda), (op_b, ldb) = flips
        a, b = places
        own = self.target(step.output, array=True)
        if len(shapes[1]) == 2:
            m, k_, n = _int(shapes[0][0]), _int(shapes[0][1]), _int(shapes[1][1])
            self.code.append(f"gemm('{op_a}', '{op_b}', {m}, {n}, {k_}, {a.start}, {lda}, {b.start}, {ldb}, {own});")
        else:
            rows, columns = map(_int, shapes[0] if op_a == "N" else shapes[0][::-1])
            self.code.append(f"gemv('{op_a}', {rows}, {columns}, {a.start}, {lda}, {b.start}, {ldb}, {own});")
        self.keep(step.output, own)

    def contract(self, step: Step) -> None:
        """Sums of products that BLAS does not have."""
        if step.kind == "contract":
            labels = step.detail
        else:
            labels = ((0, 1, 2), (0, 2, 3), (0, 1, 3))
        lengths: dict[int, object] = {}
        for slot, own in zip(step.inputs, labels, strict=False):
            lengths.update(zip(own, self.plan.shapes[slot], strict=True))
        order = [*labels[2], *(x for x in lengths if x not in labels[2])]
        names = dict(zip(order, self.names(tuple(lengths[x] for x in order)), strict=True))  # type: ignore[misc]
        texts = [self.values[k].at([names[x] for x in own]) for k, own in zip(step.inputs, labels, strict=False)]
        entry = f"{at_level(texts[0], 3)} * {at_level(texts[1], 4)}"
        outer = [(names[x], repr(lengths[x])) for x in labels[2] if names[x] != "0"]
        inner = [(names[x], repr(lengths[x])) for x in order if x not in labels[2] and names[x] != "0"]
        self.accumulate(step.output, [names[x] for x in labels[2]], outer, inner, entry, "add")

    def scatter(self, step: Step) -> None:
        """Entries at their places, zero elsewhere."""
        slot, shape = step.output, self.plan.shapes[step.output]
        (source,) = step.inputs
        value = self.values[source]
        own = self.target(slot, array=True)
        target = self.keep(slot, own)
        self.assign(own, shape, number(0.0, shape))
        if step.kind == "pad":
            names = self.names(value.shape)
            first = step.detail[0]
            last = names[-1] if not first else f"{first!r} + {names[-1]}" if names[-1] != "0" else repr(first)
            self.loops(value.shape, lambda i: [f"{target.at([*i[:-1], last])[0]} = {value.at(i)[0]};"], names)
            return
        labels, kept = step.detail
        lengths = dict(zip(labels, shape, strict=True))
        inner = tuple(lengths[x] for x in kept)
        names = self.names(inner)
        by_label = dict(zip(kept, names, strict=True))
        left = target.at([by_label[x] for x in labels])[0]
        given = own_indices(value, names, inner) if value.shape else []
        self.loops(inner, lambda i: [f"{left} = {value.at(given)[0]};"], names)

    def solve(self, step: Step) -> None:
        """A system of equations, by elimination."""
        a, b = step.inputs
        shape = self.plan.shapes[step.output]
        own = self.target(step.output, array=True)
        self.assign(own, shape, self.values[b])
        copy = self.copied(a, self.plan.shapes[a])
        self.fallible = True
        width = _int(shape[1]) if len(shape) == 2 else "1"
        self.code.append(f"failed |= solve({_int(shape[0])}, {width}, {copy}, {own});")
        self.keep(step.output, own)

    def apply(self, step: Step) -> None:
        """An operation on matrices; of more axes, one after the other."""
        called = step.detail[0]
        if called in FORMS:
            self.map(step)
            return
        if called not in _ON_MATRICES:
            raise UnsupportedError(f"{called} is not emitted in C", hint="emit numpy, torch or jax")
        shape, given = self.plan.shapes[step.output], self.plan.shapes[step.inputs[0]]
        n, lead = _int(given[-1]), given[:-2]
        places = [self.contiguous(k).start for k in step.inputs]
        if called in _WRITES_OVER:
            places[0] = self.copied(step.inputs[0], given)
        own = self.target(step.output, array=len(shape) > len(lead))
        names = self.names(lead)
        shift = stored(lead, Place("", row_major(lead))).at(names)[0][1:-1] if lead else ""
        if shift:
            shift = f"({shift})" if "+" in shift or "*" in shift else shift
            places = [f"{place} + {shift} * {n} * {n}" for place in places]
        if len(shape) == len(lead):
            goal = f"{own}[{shift}]" if lead else own
            text = f"{called}({n}, {places[0]})"
            if lead:
                self.loops(lead, lambda i: [f"{goal} = {text};"], names)
            else:
                self.assign(own, (), Value((), lambda _: (text, 9)))
        else:
            goal = f"{own} + {shift} * {n} * {n}" if shift else own
            text = f"{called}({', '.join([n, *places, goal])})"
            if called in _FAILS:
                self.fallible = True
                text = f"failed |= {text}"
            self.loops(lead, lambda i: [f"{text};"], names)
        self.keep(step.output, own)


def _is_one(shape: Extent) -> bool:
    """Whether there is one entry, which is a number and no array."""
    return all(n == 1 for n in shape)


def nested(loops: Sequence[tuple[str, str]], body: list[str]) -> list[str]:
    """Loops around statements."""
    if not loops:
        return body
    lines = []
    for depth, (name, length) in enumerate(loops):
        brace = " {" if depth == len(loops) - 1 and len(body) > 1 else ""
        lines.append("    " * depth + f"for (size_t {name} = 0; {name} < {length}; {name}++){brace}")
    lines += ["    " * len(loops) + line for line in body]
    if len(body) > 1:
        lines.append("    " * (len(loops) - 1) + "}")
    return lines


def _int(length: object) -> str:
    return repr(length)


def _step(place: Place) -> str:
    return place.strides[0] if place.strides[0] != "0" else "1"


def _orientation(place: Place, shape: Extent) -> tuple[str, str] | None:
    """How BLAS is told of a matrix: as it lies or transposed, and the distance of its rows."""
    first, second = place.strides
    rows, columns = shape
    if second == "1" or columns == 1:
        return ("N", first if first != "0" else repr(columns)) if second in ("1", "0") else None
    return ("T", second) if first == "1" or (rows == 1 and first == "0") else None
