"""Programs: statements, declarations and the batch header."""

from __future__ import annotations

import re
from collections.abc import Collection

from pullback.errors import NOWHERE, NotationError, Place, Span
from pullback.syntax import complaints
from pullback.syntax.expressions import Expressions
from pullback.syntax.forms import fold, names, rebuild
from pullback.syntax.names import normalise
from pullback.syntax.tokens import Token, check_length, tokenize
from pullback.syntax.tree import Batch, Binding, Declaration, Name, Program, Syntax

PROPERTIES = (
    "symmetric", "spd", "diagonal", "lower", "upper", "orthogonal", "invertible", "positive", "constant",
)  # fmt: skip
KINDS = ("scalar", "vector", "matrix", "entrywise")
"""What may be declared in place of a shape; all but ``scalar`` are kept among the properties."""

Shape = tuple[int | str, ...] | None
_BYTE_ORDER_MARK = "\ufeff"
"""What some editors put before a text."""


def parse_program(text: str, functions: Collection[str], variables: Collection[str] = ()) -> Program:
    r"""Read a program, in the notation or in LaTeX (where the text has a LaTeX command).

    Args:
        text: The program.
        functions: The reserved function names.
        variables: Names declared elsewhere, so that e and ``\pi`` are no numbers in LaTeX.

    Returns:
        The statements as they were written.

    Raises:
        NotationError: Where the text can't be read.

    >>> program = parse_program("W : (m, n); y = W x", {"exp"})
    >>> [b.name for b in program.bindings], program.declarations[0].shape
    (['y'], ('m', 'n'))
    """
    return Statements(*_reader(text, functions, variables)).program()


def parse_expression(text: str, functions: Collection[str]) -> Syntax:
    """Read one expression, in the notation or in LaTeX.

    >>> parse_expression("x'", ()).operand.identifier
    'x'
    """
    reader, _ = _reader(text, functions)
    while reader.token.kind == "newline":
        reader.at += 1
    if reader.token.kind == "end":
        raise NotationError("the expression is empty", source=text, hint="write an expression such as W x + b")
    tree = reader.expression()
    while reader.token.kind == "newline":
        reader.at += 1
    if reader.token.kind != "end":
        raise complaints.unexpected(text, reader.tokens, reader.at)
    return tree


def _reader(
    text: str, functions: Collection[str], variables: Collection[str] = ()
) -> tuple[Expressions, Collection[str]]:
    text = text.removeprefix(_BYTE_ORDER_MARK)
    check_length(text)
    if is_latex(text) or _looks_like_a_paper(text, functions):
        from pullback.syntax.latex import latex_reader

        return latex_reader(text, functions, variables), functions
    reader = Expressions(text, tokenize(text), functions)
    reader.known.update(variables)
    return reader, functions


def is_latex(text: str) -> bool:
    r"""Tell whether a text is to be read as LaTeX: it has a backslash command outside comments.

    >>> is_latex(r"W^\top x"), is_latex("W' x")
    (True, False)
    """
    if "\\" not in text:
        return False
    for line in text.split("\n"):
        at = line.partition("#")[0].find("\\")
        if at >= 0:
            following = line[at + 1 : at + 2]
            if following.isalpha() or following in tuple("|\\,;:!{}[]( "):
                return True
    return False


_GLUED = re.compile(r"\^T[^\W\d_ᵀ]|\^\{[(\[]|_\{[^}]{0,20}[^}\w]|(?:^|[^\^_])\{|(?<!\w)e\^\{")
_RUN = re.compile(r"(?<![\^\w])[^\W\d_]{2,}")


def _looks_like_a_paper(text: str, functions: Collection[str]) -> bool:
    """Tell whether a text without commands is LaTeX: X^TX or W^{(1)}, and no name of several letters."""
    if not _GLUED.search(text):
        return False
    return all(word in functions for word in _RUN.findall(text))


class Statements:
    """A reader of statements over a reader of expressions."""

    def __init__(self, reader: Expressions, functions: Collection[str]) -> None:
        self.reader = reader
        self.text = reader.text
        self.reserved = frozenset(functions)
        self.bindings: list[Binding] = []
        self.declarations: list[Declaration] = []
        self.bound: dict[str, Span] = {}
        self.shaped: dict[str, Span] = {}

    def program(self) -> Program:
        """Read all statements."""
        reader = self.reader
        self._declared_functions()
        self._skip_separators()
        batch = self._batch()
        self._skip_separators()
        while reader.token.kind != "end":
            self._statement()
            if reader.token.kind not in ("newline", "end"):
                raise complaints.unexpected(self.text, reader.tokens, reader.at)
            self._skip_separators()
        if not self.bindings:
            raise NotationError(
                "the program only declares names" if self.declarations else "the program is empty",
                source=self.text,
                places=tuple(Place(d.span) for d in self.declarations[:1]),
                hint="write a statement such as y = W x + b",
            )
        return Program(tuple(map(self._measured, self.bindings)), tuple(self.declarations), batch, self.text)

    def _measured(self, binding: Binding) -> Binding:
        """Write the upper bound of a sum, where it stands elsewhere as a number, as the size that it is."""
        sizes = {
            name: size
            for name, size in self.reader.lengths.items()
            if name not in self.reader.known and not self.bound.keys() & {n.identifier for n in names(size)}
        }
        if not sizes:
            return binding

        def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
            return sizes.get(node.identifier, node) if isinstance(node, Name) else rebuild(node, parts)

        return Binding(binding.name, fold(binding.value, visit), binding.span, binding.name_span)

    def _skip_separators(self) -> None:
        while self.reader.token.kind == "newline":
            self.reader.at += 1

    def _declared_functions(self) -> None:
        """Find the functions that are declared by name only, so that they can be called."""
        tokens, found = self.reader.tokens, set()
        for k in range(2, len(tokens)):
            if tokens[k].text != "entrywise" or tokens[k - 1].text != ":":
                continue
            at = k - 2
            while tokens[at].kind == "name":
                found.add(normalise(tokens[at].text))
                if at < 2 or tokens[at - 1].text != ",":
                    break
                at -= 2
        self.reader.entrywise = frozenset(found)
        self.reader.functions |= self.reader.entrywise

    def _statement(self) -> None:
        reader, first = self.reader, self.reader.token
        if first.kind == "name":
            following = reader.ahead(1).text
            if following == ":" or (following == "," and self._declares_several()):
                self._declaration()
                return
            if following in ("=", ":="):
                self._binding(first)
                return
        self._complain_unless_last()
        value = reader.expression()
        if reader.is_at("=") or reader.is_at(":="):
            raise reader.error(
                "left of '=' there must be one name",
                Place(Span(first.start, reader.tokens[reader.at - 1].end)),
                hint="bind a name, y = W x; a function is given by its value, f = x' A x",
            )
        self.bindings.append(Binding(None, value, value.span, NOWHERE))

    def _complain_unless_last(self) -> None:
        if self.bindings and self.bindings[-1].name is None:
            raise self.reader.error(
                "an expression without a name can only be the last statement",
                Place(self.bindings[-1].span, "nothing uses this"),
                Place(self.reader.token.span, "more follows here"),
                hint="bind it to a name: h = …",
            )

    def _binding(self, token: Token) -> None:
        reader, name = self.reader, normalise(token.text)
        self._complain_unless_last()
        if reader.ahead(1).text == ":=":
            raise reader.error("':=' can't stand here", Place(reader.ahead(1).span), hint="write = to bind a name")
        self._refuse_reserved(token, "bound")
        if name in self.bound:
            raise reader.error(
                f"the name '{token.text}' is bound twice",
                Place(self.bound[name], "bound here"),
                Place(token.span, "and again here"),
                hint="give the second one another name",
            )
        reader.at += 2
        value = reader.expression()
        if name in reader.first_use:
            raise reader.error(
                f"the name '{token.text}' is used before it is bound",
                Place(reader.first_use[name], "used here"),
                Place(token.span, "bound here"),
                hint="give what is bound another name, or move the statement up",
            )
        self.bound[name] = token.span
        reader.known.add(name)
        self.bindings.append(Binding(name, value, Span(token.start, value.span.end), token.span))

    def _refuse_reserved(self, token: Token, done: str) -> None:
        if self.reader.function_name(token) in self.reserved:
            raise self.reader.error(
                f"'{token.text}' is the name of a function and can't be {done}",
                Place(token.span),
                hint=f"use another name, such as {token.text[0]} or my_{token.text}",
            )

    # Declarations

    def _declares_several(self) -> bool:
        distance = 1
        while self.reader.ahead(distance).text == "," and self.reader.ahead(distance + 1).kind == "name":
            distance += 2
        return self.reader.ahead(distance).text == ":"

    def _declaration(self) -> None:
        reader, first = self.reader, self.reader.token
        names = [first]
        reader.at += 1
        while reader.is_at(","):
            names.append(reader.ahead(1))
            reader.at += 2
        reader.at += 1
        shape = self._shape()
        properties: list[str] = []
        if reader.token.kind == "name" and reader.token.text in KINDS and shape is None:
            if reader.token.text == "scalar":
                shape = ()
            else:
                properties.append(reader.token.text)
            reader.at += 1
        while reader.token.kind == "name" or (reader.is_at(",") and reader.ahead(1).kind == "name"):
            reader.at += reader.is_at(",")
            properties.append(self._property(reader.token))
            reader.at += 1
        if shape is None and not properties:
            raise reader.error(
                "a declaration needs a shape or a property",
                Place(Span(first.start, reader.tokens[reader.at - 1].end)),
                hint="write W : (m, n), x : n, c : scalar or A : symmetric",
            )
        end = reader.tokens[reader.at - 1].end
        for token in names:
            self._declare(token, shape, tuple(properties), Span(token.start, end))

    def _declare(self, token: Token, shape: Shape, properties: tuple[str, ...], span: Span) -> None:
        name = normalise(token.text)
        if "entrywise" not in properties or token.text in self.reserved:
            self._refuse_reserved(token, "declared")
        if shape is not None and name in self.shaped:
            raise self.reader.error(
                f"the name '{token.text}' is declared twice",
                Place(self.shaped[name], "declared here"),
                Place(token.span, "and again here"),
                hint="keep one of the two",
            )
        if shape is not None:
            self.shaped[name] = token.span
        if shape == ():
            self.reader.scalars.add(name)
        self.reader.known.add(name)
        self.declarations.append(Declaration(name, shape, properties, span))

    def _property(self, token: Token) -> str:
        if token.text not in PROPERTIES:
            raise self.reader.error(
                f"'{token.text}' is not a property", Place(token.span), hint=complaints.nearest(token.text, PROPERTIES)
            )
        return token.text

    def _shape(self) -> Shape:
        """Read ``(m, n)``, ``n`` or ``3``; None where a property or kind comes first."""
        reader = self.reader
        if not reader.is_at("("):
            token = reader.token
            is_word = token.text in PROPERTIES or token.text in KINDS
            if token.kind == "name" and not is_word and complaints.is_near(token.text, PROPERTIES + KINDS):
                self._property(token)
            return (self._dimension(),) if token.kind in ("name", "number") and not is_word else None
        opener = reader.token
        reader.at += 1
        shape: list[int | str] = []
        while not reader.is_at(")"):
            shape.append(self._dimension())
            if reader.is_at(","):
                reader.at += 1
            elif not reader.is_at(")"):
                raise reader.error(
                    "a dimension is a whole number or a name",
                    Place(reader.token.span, "not part of a dimension"),
                    Place(opener.span, "in this shape"),
                    hint="name the dimension, as in W : (m, n)",
                )
        reader.at += 1
        return tuple(shape)

    def _dimension(self) -> int | str:
        reader, token = self.reader, self.reader.token
        reader.at += 1
        if token.kind == "name":
            return normalise(token.text)
        if token.kind == "number" and token.text.isdigit() and len(token.text) <= 18 and int(token.text) > 0:
            return int(token.text)
        raise reader.error(
            "a dimension is a whole number from 1, or a name",
            Place(token.span, "this is neither"),
            hint="declare shapes as in W : (m, n), x : 3",
        )

    def _batch(self) -> Batch | None:
        reader, first = self.reader, self.reader.token
        if first.text != "batch" or reader.ahead(1).kind not in ("name", "number"):
            return None
        if reader.ahead(2).text not in (":", "over"):
            return None
        reader.at += 1
        size = self._dimension()
        over: list[str] = []
        if reader.token.text == "over":
            reader.at += 1
            while reader.token.kind == "name":
                over.append(normalise(reader.token.text))
                reader.at += 1
                if not reader.is_at(","):
                    break
                reader.at += 1
        reader.expect(":", first, "after the batch size and its names")
        return Batch(size, tuple(over), Span(first.start, reader.tokens[reader.at - 1].end))
