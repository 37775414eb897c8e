"""Messages with their parameters put in, in a language and a style."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter
from types import ModuleType

from pullback.derivation.formula import EXTENT, Line, equation
from pullback.derivation.record import Record
from pullback.derivation.steps import Key, Keys, Parameter, Rule, Shape, Step, Thing
from pullback.languages import language
from pullback.operations.table import TABLE
from pullback.syntax.parser import parse_expression
from pullback.syntax.tree import Call, Name, Syntax

_PARSER = Formatter()
_TITLES = {"jacobian": "title.jacobian", "hessian": "title.hessian"}
_THINGS = {0: "thing.scalar", 1: "thing.vector", 2: "thing.matrix"}


def anchor(rule: Rule) -> str | None:
    """Where a rule stands in the table of operations; None for a rule of calculus.

    >>> anchor(Rule("tanh", is_entry=True)), anchor(Rule("product"))
    ('tanh', None)
    """
    return rule.name if rule.is_entry and rule.name in TABLE else None


class Speaker:
    """Says keys in one language.

    ``formula`` writes an expression or a line inside a sentence; ``text`` escapes words for the format;
    ``joint`` keeps what the grammar hangs on a formula on the same row as that.
    """

    def __init__(
        self,
        code: str,
        formula: Callable[[Syntax | Line], str],
        text: Callable[[str], str] = str,
        joint: str = "",
    ) -> None:
        self.language: ModuleType = language(code)
        self.formula, self.text, self.joint = formula, text, joint

    def say(self, key: str, parameters: Mapping[str, Parameter] | None = None) -> str:
        """Give the sentence of a key."""
        parameters = parameters or {}
        parts: list[str] = []
        for literal, name, form, _ in _PARSER.parse(self.language.MESSAGES[key]):
            parts.append(self.text(literal))
            if name is None:
                continue
            parts.append(self.parameter(parameters[name]))
            if form:
                parts.append(self.joint + self.text(self.language.inflect(self.aloud(parameters[name]), form)))
        return "".join(parts)

    def aloud(self, value: Parameter) -> str:
        """A parameter as it is read, for what the grammar asks of its ending."""
        return str(self.language.MESSAGES[value.key]) if isinstance(value, Key) else plain(value)

    def parameter(self, value: Parameter) -> str:
        """Write a parameter."""
        if isinstance(value, Key):
            return self.say(value.key)
        if isinstance(value, Keys):
            return self.text(", ").join(self.say(key) for key in value.keys)
        if isinstance(value, Shape):
            return self.shape(value)
        if isinstance(value, Thing):
            kind = _THINGS.get(len(value.shape.axes), "thing.tensor")
            return self.say(kind, {"shape": value.shape})
        if isinstance(value, str | int | float):
            return self.text(str(value))
        return self.formula(value)

    def shape(self, value: Shape) -> str:
        """Write a shape."""
        lengths = tuple(parse_expression(axis, ()) for axis in value.axes)
        if not lengths:
            return self.say("shape.scalar")
        if len(lengths) == 1:
            return self.say("shape.vector", {"length": lengths[0]})
        return self.formula(Call(EXTENT, lengths))

    def step(self, step: Step) -> str:
        """Give the sentence of a step."""
        return self.say(step.kind, step.parameters)

    def rule(self, rule: Rule) -> str:
        """Name a rule."""
        if rule.is_entry:
            return self.say("rule.entry", {"name": rule.name})
        key = f"rule.{rule.name}"
        return self.say(key) if key in self.language.MESSAGES else self.say("rule", {"name": rule.name})

    def linked(self, rule: Rule, link: Callable[[str, str], str]) -> str:
        """Name a rule, with a link to its entry in the table of operations where it is one."""
        place = anchor(rule)
        return self.rule(rule) if place is None else link(self.rule(rule), f"#{place}")


def title(speaker: Speaker, record: Record) -> str:
    """What a derivation is of: its last statement."""
    program = record.request.program
    value = program.syntax.bindings[len(program.statements) - 1].value
    key = "title" if record.second is None else _TITLES[record.second.kind]
    return speaker.say(key, {"statement": equation(Name(record.request.names.output), value)})


def plain(value: Parameter) -> str:
    """A parameter as it is read aloud, for what the grammar asks of its ending."""
    from pullback.rendering.blocks import draw
    from pullback.rendering.symbols import write

    if isinstance(value, Line):
        return " ".join(draw(value, "plain", 10**6))
    if isinstance(value, Key):
        return value.key
    if isinstance(value, Keys):
        return " ".join(value.keys)
    if isinstance(value, Shape | Thing):
        return " ".join(value.axes if isinstance(value, Shape) else value.shape.axes)
    return str(value) if isinstance(value, str | int | float) else write(value, "plain")
