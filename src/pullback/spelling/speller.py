"""A plan as lines of source: one line for what is named or used twice, the rest inside the lines that use it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from pullback.planning.steps import VIEWS, Extent, Plan, Step
from pullback.planning.turning import ALONG_AXIS
from pullback.spelling import idioms
from pullback.spelling.dialects import Dialect
from pullback.spelling.printer import Printer, identifiers
from pullback.spelling.term import Term, name, size

_LONGEST = 56
_MOST_OPERATIONS = 4
_OP_NAMES = {"dot": "matmul", "contract": "einsum", "expand": "broadcast", "part": "slice", "apply": "call"}
_STEMS = {"max": "top", "solve": "u", "mean": "mean"}
_CALLED = {"softmax": "p", "sigmoid": "s", "tanh": "t", "exp": "e", "relu": "h", "inv": "K", "chol": "L",
           "logsumexp": "lse"}  # fmt: skip


class Line(NamedTuple):
    """An assignment: the name, the text of its right side, the names in that, the slot it is of.

    Where it is a ``call``, the text writes into what the name stands for.
    """

    name: str
    text: str
    uses: frozenset[str]
    slot: int
    call: bool = False

    def __str__(self) -> str:
        return self.text if self.call else f"{self.name} = {self.text}"


class Speller:
    """Spells a plan.

    ``names`` are what inputs are called, ``results`` what results are called, ``wanted`` names for slots, of which
    those in ``forced`` get a line of their own in any case, ``taken`` other names that are in use.
    """

    def __init__(
        self,
        plan: Plan,
        dialect: Dialect,
        names: Mapping[str, str],
        results: Sequence[str],
        wanted: Mapping[int, str] | None = None,
        forced: Collection[int] = (),
        taken: Iterable[str] = (),
        like: str | None = None,
    ) -> None:
        self.plan = plan
        self.dialect = dialect
        self.terms: dict[int, Term] = {}
        self.lines: list[Line] = []
        self.results = list(results)
        self.finals: dict[int, str] = {}
        for result, own in zip(plan.results, results, strict=True):
            if plan.shapes[result.slot] == result.shape:
                self.finals.setdefault(result.slot, own)
        for key, (slot, shape) in plan.inputs.items():
            if slot >= 0:
                self.terms[slot] = name(names[key], shape)
        self.wanted = {slot: own for slot, own in (wanted or {}).items() if slot not in self.finals}
        self.forced = forced
        self.taken = {*names.values(), *results, *self.wanted.values(), *taken}
        self.uses = _uses(plan)
        self.printer = Printer(dialect, next(iter(names.values()), "") if like is None else like)

    def spell(self) -> list[Line]:
        """All lines, the results assigned to their names."""
        for step in self.plan.steps:
            if step.kind != "input":
                self.step(step)
        for result, own in zip(self.plan.results, self.results, strict=True):
            self.finish(result.slot, result.shape, own)
        return self.lines

    def step(self, step: Step) -> None:
        """Give a step a line, or keep its term for those that use it."""
        slot = step.output
        term = self.term(step)
        if slot in self.finals and not term.is_number and term.op != "name":
            self.assign(slot, self.finals[slot], term)
        elif slot in self.forced and slot in self.wanted and term.op not in ("name", "number", "full"):
            self.assign(slot, self.wanted[slot], term)
        elif self.inline(step, term):
            self.terms[slot] = term
        else:
            self.assign(slot, self.wanted.get(slot) or self.fresh(term), term)

    def inline(self, step: Step, term: Term) -> bool:
        """Whether a term stands inside the line that uses it."""
        if step.kind in VIEWS or step.kind in ("constant", "full") or term.op in ("name", "negative"):
            return term.weight() == 0 or self.uses.get(step.output, 0) <= 1
        if self.uses.get(step.output, 0) > 1:
            return False
        return term.weight() <= _MOST_OPERATIONS and len(self.printer.text(term)) <= _LONGEST

    def term(self, step: Step) -> Term:
        """The term of a step over those of its inputs."""
        shape = self.plan.shapes[step.output]
        args = tuple(self.terms[slot] for slot in step.inputs)
        if step.kind == "constant":
            return Term("number", (), step.detail, ())
        if step.kind == "full":
            return Term("full", (), step.detail, shape)
        if step.kind == "permute":
            return idioms.permuted(self.array(args[0]), step.detail)
        if step.kind == "shape":
            return idioms.reshaped(self.array(args[0]), shape)
        if step.kind == "map":
            (function,) = step.detail
            if function not in ("multiply", "where"):
                args = tuple(_as_numbers(arg) for arg in args)
            elif all(arg.is_mask or arg.is_number for arg in args):
                args = tuple(_as_numbers(arg) for arg in args)
            return idioms.tidy(Term(function, args, (), shape))
        args = tuple(_as_numbers(arg) for arg in args)
        if step.kind == "reduce":
            function, *axes = step.detail
            keep = bool(axes) and axes[-1] == "keep"
            op = "sum" if function == "add" else "max"
            return idioms.tidy(Term(op, args, (tuple(axes[:-1] if keep else axes), keep), shape))
        if step.kind == "apply":
            called, *axis = step.detail
            along = tuple(axis or (args[0].rank - 1,)) if called in ALONG_AXIS else ()
            return idioms.tidy(Term("call", tuple(map(self.array, args)), (called, *along), shape))
        op = _OP_NAMES.get(step.kind, step.kind)
        if op not in ("broadcast", "embed"):
            args = tuple(map(self.array, args))
        return idioms.tidy(Term(op, args, step.detail if op not in ("matmul", "broadcast", "solve") else (), shape))

    def array(self, term: Term) -> Term:
        """A term as an array, where it may be a number of the source."""
        return Term("scalar", (term,), (), ()) if term.is_number else _as_numbers(term)

    def finish(self, slot: int, shape: Extent, own: str) -> None:
        """Give a result its name and shape."""
        term = self.terms[slot]
        if term.op == "name" and term.detail == (own,) and term.shape == shape:
            return
        if term.shape != shape:
            if size(term.shape) == size(shape):
                term = idioms.reshaped(self.array(term), shape)
            else:
                term = Term("broadcast", (term,), (), shape)
        self.assign(slot, own, self.array(term) if term.is_number else _as_numbers(term))

    def assign(self, slot: int, own: str, term: Term) -> None:
        """Write a line."""
        term = _as_numbers(term)
        text = self.printer.text(term)
        self.lines.append(Line(own, text, identifiers(text), slot))
        self.terms[slot] = name(own, term.shape)
        self.taken.add(own)

    def fresh(self, term: Term) -> str:
        """A name that nothing has, after what it stands for."""
        stem = _CALLED.get(str(term.detail[0])) if term.op == "call" else _STEMS.get(term.op, _CALLED.get(term.op))
        if stem is None:
            stem, count = "t", 1
        else:
            stem = stem.upper() if term.rank == 2 and len(stem) == 1 else stem
            if stem not in self.taken:
                return stem
            count = 2
        while f"{stem}{count}" in self.taken:
            count += 1
        return f"{stem}{count}"


def _as_numbers(term: Term) -> Term:
    """A comparison as 1 and 0 of the type of what is compared."""
    return Term("cast", (term,), (), term.shape) if term.is_mask else term


def _uses(plan: Plan) -> dict[int, int]:
    uses: dict[int, int] = {}
    for step in plan.steps:
        for slot in step.inputs:
            uses[slot] = uses.get(slot, 0) + 1
    for result in plan.results:
        uses[result.slot] = uses.get(result.slot, 0) + 1
    return uses
