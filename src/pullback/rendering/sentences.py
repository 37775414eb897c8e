"""Messages with their parameters put in, in a language and a style."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter
from types import ModuleType

from pullback.derivation.formula import Line
from pullback.derivation.steps import Key, Parameter, Rule, Shape, Step
from pullback.languages import language
from pullback.syntax.tree import Syntax

_PARSER = Formatter()


class Speaker:
    """Says keys in one language.

    ``formula`` writes an expression or a line inside a sentence; ``text`` escapes words for the format.
    """

    def __init__(
        self, code: str, formula: Callable[[Syntax | Line], str], text: Callable[[str], str] = str, times: str = " × "
    ) -> None:
        self.language: ModuleType = language(code)
        self.formula, self.text, self.times = formula, text, times

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
                parts.append(self.text(self.language.inflect(plain(parameters[name]), form)))
        return "".join(parts)

    def parameter(self, value: Parameter) -> str:
        """Write a parameter."""
        if isinstance(value, Key):
            return self.say(value.key)
        if isinstance(value, Shape):
            return self.shape(value)
        if isinstance(value, str | int | float):
            return self.text(str(value))
        return self.formula(value)

    def shape(self, value: Shape) -> str:
        """Write a shape."""
        if not value.axes:
            return self.say("shape.scalar")
        return self.text(self.times.join(value.axes))

    def step(self, step: Step) -> str:
        """Give the sentence of a step."""
        return self.say(step.kind, step.parameters)

    def rule(self, rule: Rule) -> str:
        """Name a rule."""
        if rule.is_entry:
            return self.say("rule.entry", {"name": rule.name})
        key = f"rule.{rule.name}"
        return self.say(key) if key in self.language.MESSAGES else self.say("rule", {"name": rule.name})


def plain(value: Parameter) -> str:
    """A parameter as it is read aloud, for what the grammar asks of its ending."""
    from pullback.rendering.blocks import draw
    from pullback.rendering.symbols import write

    if isinstance(value, Line):
        return " ".join(draw(value, "plain", 10**6))
    if isinstance(value, Key):
        return value.key
    if isinstance(value, Shape):
        return " ".join(value.axes)
    return str(value) if isinstance(value, str | int | float) else write(value, "plain")
