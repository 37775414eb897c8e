"""A statement on its own: its operands are the names that it uses, its cotangent is the gradient of its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pullback.calculus.reverse import jacobian as differentiate
from pullback.derivation.naming import Names
from pullback.derivation.rules import outermost, rule_for
from pullback.derivation.steps import Rule, Shape
from pullback.deriving import backward, by_inputs, gradient
from pullback.dimension import Dimension
from pullback.expression import Expression
from pullback.lifting.statements import Spelled
from pullback.lowering.inputs import names_in
from pullback.lowering.program import Input, Program, Statement
from pullback.simplification.simplify import simplify
from pullback.syntax import tree
from pullback.syntax.forms import fold, rebuild
from pullback.syntax.tree import Binding, Call, Name, Syntax
from pullback.tensor.node import Apply, Node, variables
from pullback.tensor.product import transposed


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed form as trees: ``where`` binds the parts that it names."""

    tree: Syntax
    where: tuple[Binding, ...]
    expression: Expression


@dataclass(frozen=True)
class Local:
    """One statement of a program, in terms of the names that it uses."""

    whole: Program
    position: int
    name: str
    names: Names
    sizes: Mapping[str, int] = field(default_factory=dict)

    def shape(self, axes: Sequence[Dimension]) -> Shape:
        """A shape to be said, in numbers where they are known."""
        known = {name: Dimension.of(size) for name, size in self.sizes.items()}
        return Shape(tuple(str(axis.substitute(known)) for axis in axes))

    @property
    def statement(self) -> Statement:
        """The statement."""
        return self.whole.statements[self.position]

    @cached_property
    def program(self) -> Program:
        """The statement as a program: its inputs are its operands, its own name may be used in results."""
        bound = {s.name: s for s in self.whole.statements[: self.position] if s.name is not None}
        inputs: dict[str, Input] = {}
        used = {v.name: v for v in variables([self.statement.local])}
        for name in [*self.order, *used]:
            variable = used.get(name)
            if variable is None or name in inputs:
                continue
            known = self.whole.inputs.get(name)
            shape = known.shape if known is not None else bound[name].shape
            inputs[name] = Input(known.name if known is not None else name, shape, variable.properties)
        here = Statement(self.name, self.statement.shape, self.statement.local, lambda: self.statement.local)
        return Program(self.whole.source, self.alone(inputs), inputs, (here, here), self.whole.batch)

    def alone(self, inputs: Mapping[str, Input]) -> tree.Program:
        """The text of the statement as a program of its own."""
        parsed = self.whole.syntax
        functions = tuple(d for d in parsed.declarations if "entrywise" in d.properties)
        batch = parsed.batch
        if batch is not None:
            lead = Dimension.of(batch.size)
            over = tuple(name for name, entry in inputs.items() if entry.shape and entry.shape[0] is lead)
            batch = tree.Batch(batch.size, over, batch.span)
        return tree.Program((tree.Binding(self.name, self.tree),), functions, batch, parsed.source)

    @cached_property
    def order(self) -> dict[str, int]:
        """Where each name stands first in the text."""
        value = self.whole.syntax.bindings[self.position].value
        return {name: k for k, name in enumerate(dict.fromkeys(name for name, _ in names_in(value)))}

    @property
    def operands(self) -> list[str]:
        """The names that it uses, in the order of the text."""
        return list(self.program.inputs)

    @property
    def tree(self) -> Syntax:
        """Its right side as it was written."""
        return self.whole.syntax.bindings[self.position].value

    def closed(self, operands: Sequence[str], is_loss: bool) -> dict[str, Closed]:
        """The contribution of the statement to the gradient of each operand."""
        if not operands:
            return {}
        found: Mapping[str, Expression]
        if is_loss:
            found = gradient(self.program, list(operands))
        else:
            found = backward(self.program, list(operands), self.names.upstreams[self.name])
        result = {}
        for name in operands:
            expression = found[name]
            result[name] = self.renamed(self.names.spelled([expression], expression.program), expression)
        return result

    def renamed(self, spelled: Spelled, expression: Expression) -> Closed:
        """A closed form with what the statement computes called by its name, also where results named it."""
        own = Name(self.name)
        where = [Binding(b.name, self.called(b.value)) for b in spelled.where if b.name != self.name]
        same = {b.name: own for b in where if b.value == own}

        def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
            found = same.get(node.identifier) if isinstance(node, Name) else None
            return found if found is not None else rebuild(node, parts)

        kept = tuple(Binding(b.name, fold(b.value, visit)) for b in where if b.name not in same)
        return Closed(fold(self.called(spelled.results[0]), visit), kept, expression)

    def called(self, part: Syntax) -> Syntax:
        """A tree with gradients by their signs, and what the statement computes by its name."""
        return self.names.partial_of(self.own_name(part))

    def own_name(self, part: Syntax) -> Syntax:
        """Call the right side by the statement's name, where that is one applied function."""
        if not isinstance(self.own_tree, Call):
            return part

        def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
            made = rebuild(node, parts)
            return Name(self.name) if made == self.own_tree else made

        return fold(part, visit)

    @cached_property
    def own_tree(self) -> Syntax | None:
        """The right side as results spell it."""
        return self.spell(self.statement.local) if isinstance(self.statement.local, Apply) else None

    def jacobian(self, operand: str) -> Node:
        """The derivative of every entry by every entry of an operand."""
        (node,) = by_inputs(self.program, [operand], lambda root, targets: [differentiate(root, targets[0])])
        return simplify([node])[0]

    def spell(self, node: Node) -> Syntax:
        """Spell a node of the statement's own graph; named parts are written out."""
        return Expression(node, node.axes, self.program).tree

    def spell_transposed(self, node: Node) -> Expression:
        """The transpose of a Jacobian of a vector by a vector."""
        turned = transposed(node)
        return Expression(turned, turned.axes, self.program)

    def rule_for(self, operand: str) -> Rule:
        """The rule that leads to an operand: of a sum, that of the one term that it is in."""
        rule = rule_for(self.tree, operand)
        # The power rule is of numbers; A A A is a product.
        is_matrix = len(self.program.inputs[operand].shape) > 1
        return Rule("product") if rule.name == "power" and is_matrix else rule

    def term_of(self, operand: str) -> int:
        """Which term of a sum, as it was written, an operand stands in first; 0 where it is no sum."""
        terms = self.tree.operands if isinstance(self.tree, tree.Chain) and self.tree.is_sum else ()
        holding = [k for k, term in enumerate(terms) if any(name == operand for name, _ in names_in(term))]
        return holding[0] if holding else 0

    @property
    def rule(self) -> Rule:
        """The rule of what the statement does last."""
        return outermost(self.tree)


def inlined(expression: Expression) -> Syntax:
    """The tree with the parts that it names put back where they are used; the statement's own name stays."""
    spelled = expression.spelled
    bound: dict[str, Syntax] = {}
    own = expression.program.statements[0].name

    def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
        if isinstance(node, Name) and node.identifier in bound:
            return bound[node.identifier]
        return rebuild(node, parts)

    for binding in spelled.where:
        if binding.name is not None and binding.name != own:
            bound[binding.name] = fold(binding.value, visit)
    return fold(spelled.results[0], visit)
