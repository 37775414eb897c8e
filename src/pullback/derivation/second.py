"""Jacobians and Hessians: what comes back through a function, whatever is given from above, is its Jacobian.

The Jacobian of y by x is read off the backward pass of y, whose upstream gradient may be anything. The Hessian
is the Jacobian of the gradient, so for it the gradient is written as a program of its own, and that is derived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pullback.calculus.reverse import gradient as differentiate
from pullback.derivation.backward import backward_step
from pullback.derivation.checking import Check, compare
from pullback.derivation.finishing import finished
from pullback.derivation.formula import equation, partial
from pullback.derivation.opening import forward_step, given_step
from pullback.derivation.readings import shown
from pullback.derivation.request import Request
from pullback.derivation.results import result_step
from pullback.derivation.steps import Step
from pullback.deriving import by_inputs, hessian, jacobian, require_scalar
from pullback.expression import Expression
from pullback.lowering.asked import only, pair
from pullback.lowering.program import Program, lower_program
from pullback.simplification.simplify import simplify
from pullback.syntax import tree
from pullback.syntax.names import normalise
from pullback.syntax.tree import Binding, Name, Syntax
from pullback.tensor.node import Node, variables

if TYPE_CHECKING:
    from numpy import ndarray

Want = Literal["backward", "jacobian", "hessian"]
WANTS: tuple[Want, ...] = ("backward", "jacobian", "hessian")

_CONCLUSIONS = {"jacobian": "result.jacobian", "hessian": "result.hessian"}
_SMALLEST_MATRIX = 2
_AGAIN = frozenset({"given.standin", "given.symbols", "given.no_board"})
"""What is said of the sizes of a second program, where it differs from what was said of the first."""


@dataclass(frozen=True)
class Second:
    """The last part of a derivation: from what comes back through a function to its Jacobian.

    ``function`` is the function, the gradient for a Hessian; ``wrt`` are the inputs of the whole.
    """

    request: Request
    function: Request | None
    wrt: tuple[str, ...]
    layout: str = "denominator"

    @property
    def kind(self) -> Want:
        """Which of the two it is."""
        return "jacobian" if self.function is self.request else "hessian"

    @cached_property
    def expression(self) -> Expression:
        """The closed form."""
        if self.kind == "jacobian":
            return jacobian(self.request.program, self.wrt[0], layout=self.layout)
        names = self.wrt[0] if len(self.wrt) == 1 else self.wrt
        return hessian(self.request.program, names)

    @cached_property
    def numbers(self) -> ndarray[Any, Any] | None:
        """Its entries, where values are given."""
        return None if self.request.values is None else self.expression.evaluate(self.request.values)

    def steps(self, method: str) -> list[Step]:
        """The passes through the gradient, for a Hessian, and what follows from them."""
        last = finished(self.conclusion(), self.request)
        if self.kind == "jacobian":
            return [last]
        if self.function is None:
            constant = Step("second.constant", {"x": Name(self.wrt[-1])}, (), None, (), "brief")
            return [finished(constant, self.request), last]
        here = self.function
        middle = (self.opening(here), forward_step(here), backward_step(here, method), result_step(here, None))
        return [*(finished(step, here) for step in middle), last]

    def opening(self, function: Request) -> Step:
        """The gradient as a program of its own, with weights on its entries."""
        names = function.names
        loss, y = Name(names.loss), Name(names.output)
        weights = names.gradient(names.output)
        line = equation(y, self.request.names.gradient(self.wrt[0]))
        weighed = Step("second.weights", {"y": y, "weights": weights, "loss": loss}, (), None, (), "brief")
        before = {repr(step) for step in given_step(self.request).steps}
        said = [s for s in given_step(function).steps if s.kind in _AGAIN and repr(s) not in before]
        return Step("second", {}, (line,), None, (weighed, *said), "brief")

    def conclusion(self) -> Step:
        """The closed form, since what is given from above may be anything."""
        names = self.request.names
        left = partial(Name(names.output), Name(self.wrt[0]))
        if self.kind == "hessian":
            left = partial(names.gradient(self.wrt[0]), Name(self.wrt[-1]))
        spelled = self.expression.spelled
        lines = [equation(Name(b.name or ""), b.value) for b in spelled.where]
        lines.append(equation(left, spelled.results[0]))
        steps = []
        if self.function is not None:
            given = self.function.names.gradient(self.function.names.output)
            steps.append(Step(self.reason(), {"given": given}, tuple(lines), None, (), "brief"))
            lines = []
        if self.numbers is not None:
            steps.append(Step("result.numbers", {}, (equation(left, shown(self.numbers)),), None, (), "brief"))
        return Step(_CONCLUSIONS[self.kind], {}, tuple(lines), None, tuple(steps), "brief")

    def reason(self) -> str:
        """The message that says why it follows."""
        assert self.function is not None
        inner = self.function.program.inputs[normalise(self.wrt[-1])].shape
        most = max(len(inner), len(self.function.program.output.shape))
        if most >= _SMALLEST_MATRIX:
            return "result.settled.entries"
        if most == 0:
            return "result.settled.number"
        return "result.settled.numerator" if self.layout == "numerator" else "result.settled"

    @cached_property
    def check(self) -> Check | None:
        """The closed form beside measured slopes of the function; None where that can't be done."""
        free = all(not self.request.program.inputs[normalise(n)].properties - {"positive"} for n in self.wrt)
        if self.function is None or not free:
            return None
        whole = Second(self.request, self.function, self.wrt).expression
        read_off = _Weighed(whole, self.function.upstream_name, self.wrt[-1])
        return compare(self.function, read_off)


@dataclass(frozen=True)
class _Weighed:
    """What a Jacobian makes of weights on the entries of the output, in the place of results."""

    expression: Expression
    upstream: str
    wrt: str

    def evaluate(self, values: Mapping[str, Any], /) -> dict[str, Any]:
        """Evaluate it."""
        import numpy as np

        weights = np.asarray(values[self.upstream])
        known = {name: value for name, value in values.items() if name != self.upstream}
        return {self.wrt: np.tensordot(weights, self.expression.evaluate(known), weights.ndim)}


def make_second(request: Request, want: Want, wrt: Sequence[str], layout: str) -> Second | None:
    """Ready the last part of a derivation; None where a backward pass is all that is wanted.

    Raises:
        ShapeError: The Hessian is of no scalar.
        UnsupportedError: The gradient has no text of its own.
    """
    if want == "backward":
        return None
    if want == "jacobian":
        return Second(request, request, tuple(wrt), layout)
    gradient = _gradient_program(request, wrt[0], wrt[-1])
    if gradient is None:
        return Second(request, None, tuple(wrt))
    used = {name: value for name, value in (request.values or {}).items() if _used(name, value, gradient)}
    reserved = frozenset({request.names.loss, request.names.output})
    again = Request(gradient, (normalise(wrt[-1]),), used if request.values else None, None, False, True, reserved)
    return Second(request, again, tuple(wrt))


def _used(name: str, value: Any, program: Program) -> bool:
    lengths = {n for entry in program.inputs.values() for axis in entry.shape for n in axis.names}
    return callable(value) or normalise(name) in program.inputs or name in lengths


def _gradient_program(request: Request, wrt: str, by: str) -> Program | None:
    """The gradient as a program; None where what it is differentiated by does not occur in it."""
    program = request.program
    structured = [n for n in {normalise(wrt), normalise(by)} if program.inputs[n].properties - {"positive", "constant"}]
    program = program.freed(structured) if structured else program
    entry = program.input(wrt)

    def once(root: Node, targets: Sequence[Node]) -> list[Node]:
        return simplify(differentiate(root, targets))

    (node,) = by_inputs(program, [normalise(wrt)], once)
    expression = Expression(node, entry.shape, program)
    spelled = request.names.spelled([expression], program)
    name = _free("G" if len(entry.shape) >= _SMALLEST_MATRIX else "g", request, spelled.where)
    last = Binding(name, spelled.results[0])
    functions = tuple(d for d in program.syntax.declarations if "entrywise" in d.properties)
    text = "\n".join(f"{b.name} = {_plain(b.value)}" for b in (*spelled.where, last))
    shapes = {n: given.shape for n, given in program.inputs.items()}
    facts = {n: given.properties for n, given in program.inputs.items()}
    made = lower_program(tree.Program((*spelled.where, last), functions, None, text), shapes, facts)
    occurring = {variable.name for variable in variables([made.output.node])}
    return made if normalise(by) in occurring else None


def _plain(value: Syntax) -> str:
    from pullback.syntax.printer import show

    return show(value)


def _free(letter: str, request: Request, where: Sequence[Binding]) -> str:
    names = request.names
    taken = {*names.symbols, *names.symbols.values(), *names.spelling, names.loss, names.output}
    taken |= {b.name for b in where if b.name is not None}
    return next(n for n in (letter, *(f"{letter}{k}" for k in range(1, 100))) if n not in taken)


def inputs_of(program: Program, want: Want, wrt: str | Sequence[str] | None) -> tuple[str, ...]:
    """The inputs that a Jacobian or a Hessian is by, as they are written.

    Raises:
        NotationError: It is not said by which, or by more than there can be.
        ShapeError: The Hessian is of no scalar.
    """
    if want == "hessian":
        require_scalar(program)
        names = pair(program, wrt)
        return tuple(dict.fromkeys(program.inputs[name].name for name in names))
    return (program.inputs[only(program, wrt)].name,)
