"""Expressions: tokens to a syntax tree, by precedence.

From loosest to tightest: sums; every product and quotient, juxtaposition included, from left to right;
unary minus; powers and the transpose, which follow their operand. Each level of nesting costs three
Python calls, so that the deepest expression allowed stays far from the interpreter's limit.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from pullback.errors import NotationError, Place, Span
from pullback.syntax import complaints
from pullback.syntax.entries import Gatherer, Summed, lengths_in
from pullback.syntax.forms import COMPARISONS, chain, comparison, exponent
from pullback.syntax.names import GREEK, normalise
from pullback.syntax.tokens import DEEPEST_NESTING, LONGEST_NUMBER, SUPERSCRIPTS, Token, too_deep
from pullback.syntax.tree import (
    PRODUCT_OPERATORS,
    SUM_OPERATORS,
    Call,
    Comprehension,
    Expectation,
    Indexed,
    Name,
    Negate,
    Number,
    Power,
    Syntax,
    Transpose,
)

_ATOMS = frozenset(["name", "number"])
_NORMS = {"": "norm", "2": "norm", "F": "norm", "1": "norm1"}
_LARGEST_EXPONENT = 308
VARIABLE = r"\mathit"
"""What LaTeX marks a name with that is no function, whatever follows it."""


class Expressions:
    """A position in a list of tokens, from which expressions are read."""

    def __init__(self, text: str, tokens: list[Token], functions: Collection[str]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.functions = frozenset(functions)
        self.entrywise: frozenset[str] = frozenset()
        """Functions that the program declares by name only; their derivatives are ``f'``, ``f''``."""
        self.known: set[str] = set()
        """Names that the program binds or declares; never taken for a misspelt function."""
        self.scalars: set[str] = set()
        """Names that are declared scalars."""
        self.sums: dict[int, Summed] = {}
        """What a written sum runs over, by its offset; other index notation has none of that."""
        self.lengths: dict[str, Syntax] = {}
        """The upper bounds of written sums that are names, as the sizes that they are."""
        self.first_use: dict[str, Span] = {}
        self._depth = 0
        self._height = 0
        self._inside: list[str] = []
        self._scopes = 0

    # Tokens

    @property
    def token(self) -> Token:
        """Give the token that is to be read next."""
        return self.tokens[self.at]

    def ahead(self, distance: int) -> Token:
        """Give a later token; the last one where there is none."""
        return self.tokens[min(self.at + distance, len(self.tokens) - 1)]

    def is_at(self, text: str) -> bool:
        """Tell whether the next token is this operator or bracket."""
        token = self.tokens[self.at]
        return token.text == text and token.kind in ("op", "open", "close", "bar")

    def expect(self, text: str, after: Token, what: str) -> Token:
        """Read this very token, or complain that it is missing."""
        if not self.is_at(text):
            raise self.error(
                f"'{text}' is missing {what}",
                Place(self._here(), f"'{text}' expected here"),
                Place(after.span, "for this"),
            )
        self.at += 1
        return self.tokens[self.at - 1]

    def error(self, message: str, *places: Place, hint: str = "") -> NotationError:
        """Make an error about places in the text."""
        return NotationError(message, source=self.text, places=places, hint=hint)

    def _here(self) -> Span:
        token = self.tokens[self.at]
        return Span(token.start, max(token.end, token.start + 1)) if token.kind != "end" else token.span

    def _from(self, start: int) -> Span:
        return Span(start, self.tokens[self.at - 1].end)

    # Levels of precedence

    def expression(self, product_only: bool = False, comparing: bool = True) -> Syntax:
        """Read a sum or two that are compared; with ``product_only`` one chain of products."""
        self._depth += 1
        if self._depth > DEEPEST_NESTING + 1:
            raise too_deep(self.text, self._here())
        start, height = self.token.start, 0
        terms: list[Syntax] = []
        signs: list[str] = []
        while True:
            term_start = self.token.start
            operands = [self.factor()]
            operators: list[str] = []
            height = max(height, self._height)
            while (operator := self._product_operator()) is not None:
                operators.append(operator)
                operands.append(self.factor())
                height = max(height, self._height)
            terms.append(chain(operands, operators, self._from(term_start)))
            token = self.token
            if product_only or token.kind != "op" or token.text not in SUM_OPERATORS:
                break
            signs.append(token.text)
            self.at += 1
        tree = chain(terms, signs, self._from(start))
        if comparing and not product_only and self.token.kind == "op" and self.token.text in COMPARISONS:
            tree = self._comparison(tree, start)
            height = max(height, self._height) + 2
        self._depth -= 1
        self._height = height
        return tree

    def _comparison(self, left: Syntax, start: int) -> Syntax:
        sign = self.token
        self.at += 1
        right = self.expression(comparing=False)
        if self.token.text in COMPARISONS:
            raise self.error(
                "two comparisons stand in one",
                Place(sign.span),
                Place(self.token.span),
                hint="write (a < b) .* (b < c) for both",
            )
        return comparison(left, sign.text, right, self._from(start))

    def _product_operator(self) -> str | None:
        token = self.tokens[self.at]
        if token.kind == "op":
            if token.text in PRODUCT_OPERATORS:
                self.at += 1
                return token.text
            return None
        if not self.starts_operand(token):
            return None
        before = self.tokens[self.at - 1]
        if token.kind == "number" and before.kind == "number":
            raise self.error(
                "two numbers stand side by side",
                Place(before.span.to(token.span)),
                hint="write 2 * 3 for a product; a number has one decimal point",
            )
        return "*"

    def starts_operand(self, token: Token) -> bool:
        """Tell whether an operand begins here, where an operator could stand too."""
        if token.kind == "bar":
            inside = self._inside[-1] if self._inside else ""
            return token.text != inside and not (inside == "|" and token.text == "||")
        return token.kind in _ATOMS or (token.kind == "open" and token.text != "{")

    def factor(self) -> Syntax:
        """Read signs, an operand, and the powers and transposes that follow it."""
        minuses: list[int] = []
        while (token := self.tokens[self.at]).kind == "op" and token.text in SUM_OPERATORS:
            if token.text == "-":
                minuses.append(token.start)
            self.at += 1
        self._height = 0
        start = token.start
        tree = self.operand(token)
        height = self._height + len(minuses)
        powered = False
        while True:
            token = self.tokens[self.at]
            if token.kind == "transpose":
                self.at += 1
                tree, powered = Transpose(tree, self._from(start)), False
            elif token.kind == "superscript":
                self._refuse_tower(powered, token)
                tree, powered = self._superscript(tree, token, start), True
            elif token.kind == "op" and token.text in ("^", ".^"):
                self._height = 0
                was_powered, tree = powered, self._power(tree, token, start)
                powered = isinstance(tree, Power)
                self._refuse_tower(was_powered and powered, token)
                height = max(height, self._height)
            elif token.text == "[" and token.kind == "open" and self._is_indexing():
                tree, powered = self._indexed(tree, start), False
            else:
                break
            height += 1
            if height > DEEPEST_NESTING:
                raise too_deep(self.text, token.span)
        if height > DEEPEST_NESTING:
            raise too_deep(self.text, self._from(start))
        for minus in reversed(minuses):
            tree = Negate(tree, self._from(minus))
        self._height = height
        return tree

    # Operands

    def operand(self, token: Token) -> Syntax:
        """Read a name, number, call, bracketed expression or norm."""
        match token.kind:
            case "name":
                if self._is_function(token):
                    return self._call(token)
                if self._is_expectation(token):
                    return self._expectation(token)
                return self.name(token)
            case "number":
                self.at += 1
                return Number(self._number(token), token.span)
            case "open" if token.text == "(":
                return self._group(token)
            case "open" if token.text == "[":
                return self._comprehension(token)
            case "bar":
                return self._between_bars(token)
            case _:
                raise complaints.no_operand(self.text, self.tokens, self.at)

    def name(self, token: Token) -> Syntax:
        """Read a name that is no function."""
        self.at += 1
        identifier = normalise(token.text)
        if self.token.text == "(" and identifier not in self.known and not token.raw.startswith(VARIABLE):
            complaint = complaints.unknown_function(self.text, token, self.functions)
            if complaint:
                raise complaint
        if self._inside and self._inside[-1] == "||" and identifier not in self.known:
            complaints.refuse_glued_product(self.text, token)
        self.first_use.setdefault(identifier, token.span)
        return Name(identifier, token.span)

    def function_name(self, token: Token) -> str | None:
        """Give the function that a name stands for where it is applied; None for any other name."""
        if token.raw.startswith(VARIABLE):
            return None
        if token.text in self.functions:
            return token.text
        identifier = normalise(token.text)
        if identifier in self.entrywise:
            return identifier
        return identifier if identifier in self.functions and token.text not in GREEK.values() else None

    def _is_function(self, token: Token) -> bool:
        following = self.tokens[self.at + 1]
        if following.kind == "transpose" and token.text in self.entrywise:
            distance = 1
            while self.ahead(distance).raw == "'":
                distance += 1
            following = self.ahead(distance)
        return following.text == "(" and following.kind == "open" and self.function_name(token) is not None

    def _call(self, token: Token) -> Syntax:
        function = self.function_name(token) or token.text
        self.at += 1
        while self.token.kind == "transpose":
            function += "'"
            self.at += 1
        opener = self.token
        self.at += 1
        arguments: list[Syntax] = []
        self._inside.append("(")
        height = 0
        while not self.is_at(")"):
            arguments.append(self.expression())
            height = max(height, self._height)
            if not self.is_at(","):
                break
            self.at += 1
        self._inside.pop()
        self._close(opener)
        self._height = height + 1
        return Call(function, tuple(arguments), self._from(token.start))

    def _group(self, opener: Token) -> Syntax:
        self.at += 1
        if self.is_at(")"):
            place = Place(opener.span.to(self.token.span))
            raise self.error("the parentheses are empty", place, hint="write an expression")
        self._inside.append("(")
        tree = self.expression()
        self._inside.pop()
        self._close(opener)
        self._height += 1
        return tree

    def _close(self, opener: Token) -> None:
        if self.token.kind != "close":
            raise complaints.unexpected(self.text, self.tokens, self.at, within=opener)
        self.at += 1

    def _between_bars(self, opener: Token) -> Syntax:
        self.at += 1
        self._inside.append(opener.text)
        tree = self.expression()
        self._inside.pop()
        token = self.token
        if token.kind != "bar":
            raise self.error(
                f"'{opener.raw}' is never closed",
                Place(opener.span, "opened here"),
                hint=f"write '{opener.raw}' after the expression, or {'abs' if opener.text == '|' else 'norm'}(x)",
            )
        if token.text == "||" and opener.text == "|":
            self.tokens[self.at] = Token("bar", "|", token.start + 1, token.end, "|")
            self._height += 1
            return Call("abs", (tree,), Span(opener.start, token.start + 1))
        self.at += 1
        self._height += 1
        if opener.text == "|":
            return Call("abs", (tree,), self._from(opener.start))
        return Call(self._norm(), (tree,), self._from(opener.start))

    def _norm(self) -> str:
        token = self.token
        if token.kind != "subscript":
            return "norm"
        self.at += 1
        order = normalise("x" + token.text)[1:].lstrip("_")
        if order not in _NORMS:
            raise self.error(
                f"the norm with subscript {order} is not part of the notation",
                Place(token.span),
                hint="norm(x) is the 2-norm (of a matrix, Frobenius); norm1(x) adds absolute values",
            )
        return _NORMS[order]

    def _number(self, token: Token) -> Fraction:
        mantissa, _, power = token.text.lower().partition("e")
        large = power.lstrip("+-0")
        if len(mantissa) > LONGEST_NUMBER or len(large) > 3 or int(large or "0") > _LARGEST_EXPONENT:
            raise self.error(
                "the number is too long or too large",
                Place(token.span),
                hint=f"a number has at most {LONGEST_NUMBER} digits and an exponent up to {_LARGEST_EXPONENT}",
            )
        return Fraction(mantissa.removesuffix(".")) * Fraction(10) ** int(power or "0")

    # What follows an operand

    def _refuse_tower(self, is_tower: bool, token: Token) -> None:
        if is_tower:
            hint = "write (x^a)^b or x^(a^b), as you mean it"
            raise self.error("a power of a power needs parentheses", Place(token.span), hint=hint)

    def _superscript(self, tree: Syntax, token: Token, start: int) -> Syntax:
        digits = "".join(SUPERSCRIPTS[c] for c in token.text)
        if not digits.removeprefix("-").isdigit() or len(digits) > LONGEST_NUMBER:
            raise self.error("this superscript is no whole number", Place(token.span), hint="write the power with ^")
        self.at += 1
        return Power(tree, Number(Fraction(int(digits)), token.span), span=self._from(start))

    def _power(self, base: Syntax, operator: Token, start: int) -> Syntax:
        """Read ``^`` or ``.^`` and what follows; ``^T`` is the transpose, ``^-T`` that of the inverse."""
        entrywise = operator.text == ".^"
        self.at += 1
        braced = self.token if self.is_at("{") else None
        if braced is None or self._is_braced_transpose():
            self.at += braced is not None
            minus = self.token if self.is_at("-") else None
            if minus is not None or self.is_at("+"):
                self.at += 1
            token = self.token
            if not entrywise and (token.kind == "transpose" or (token.kind == "name" and token.text == "T")):
                self.at += 1 + (braced is not None)
                if minus is not None:
                    base = Power(base, Number(Fraction(-1), minus.span), span=Span(start, token.end))
                return Transpose(base, self._from(start))
            complaints.refuse_glued_transpose(self.text, token)
            if token.kind not in ("name", "number", "open", "bar"):
                raise complaints.no_operand(self.text, self.tokens, self.at)
            power = self.operand(token)
            if minus is not None:
                power = exponent(Negate(power, self._from(minus.start)))
        else:
            self.at += 1
            self._inside.append("(")
            power = exponent(self.expression())
            self._inside.pop()
            self._close(braced)
        return Power(base, exponent(power), entrywise, self._from(start))

    def _is_braced_transpose(self) -> bool:
        offset = 2 if self.ahead(1).text == "-" else 1
        token = self.ahead(offset)
        return self.ahead(offset + 1).text == "}" and (token.kind == "transpose" or token.text == "T")

    # Index notation

    def _is_index(self, distance: int) -> bool:
        token = self.ahead(distance)
        whole = token.text == ":" and self.ahead(distance + 1).text in (",", "]")
        return token.kind == "name" or token.text == "," or whole

    def _is_indexing(self) -> bool:
        """Tell ``A[i,j]`` from a product with a comprehension, ``A [i,j: …]``."""
        distance = 1
        while self._is_index(distance):
            distance += 1
        return self.ahead(distance).text != ":" and self.ahead(distance).text != "~"

    def _indices(self, end: str, opener: Token) -> tuple[str, ...]:
        names: list[str] = []
        while not self.is_at(end):
            token = self.token
            if token.kind != "name" and not (token.text == ":" and end == "]"):
                raise complaints.no_index(self.text, self.tokens, self.at, opener)
            names.append(":" if token.text == ":" else normalise(token.text))
            self.at += 1
            if not self.is_at(","):
                break
            self.at += 1
        if not self.is_at(end):
            raise complaints.no_index(self.text, self.tokens, self.at, opener)
        self.at += 1
        return tuple(names)

    def _indexed(self, tree: Syntax, start: int) -> Syntax:
        opener = self.token
        self.at += 1
        indices = self._indices("]", opener)
        span = self._from(start)
        if not self._scopes or not indices:
            raise self.error(
                "entries are written only inside index notation",
                Place(self._from(opener.start)),
                hint="write [i: x[i] y[i]] for the vector of these entries, or [: x[i] y[i]] for their sum",
            )
        return Indexed(tree, indices, span)

    def _comprehension(self, opener: Token) -> Syntax:
        self.at += 1
        indices = self._indices(":", opener)
        if len(set(indices)) < len(indices):
            place = Place(self._from(opener.start))
            raise self.error("an index is named twice", place, hint="give each axis its own index")
        self._inside.append("(")
        self._scopes += 1
        body = self.expression()
        self._scopes -= 1
        self._inside.pop()
        self._close(opener)
        self._height += 1
        span = self._from(opener.start)
        if opener.start in self.sums:
            gatherer = Gatherer(self.text, self.entrywise, self.scalars)
            over = self.sums[opener.start]
            sizes = lengths_in(body)
            body = gatherer.summed(body, over, span)
            for index, length in over.lengths.items():
                if isinstance(length, str) and index in sizes:
                    self.lengths.setdefault(length, sizes[index])
        return Comprehension(indices, body, span)

    # Expectations

    def _is_expectation(self, token: Token) -> bool:
        if token.text not in ("E", "𝔼") or self.ahead(1).text != "[" or self.ahead(3).text != "~":
            return False
        return self.ahead(2).kind == "name" and self.ahead(4).text == "N" and self.ahead(5).text == "("

    def _expectation(self, token: Token) -> Syntax:
        variable = self.ahead(2)
        opener = self.ahead(5)
        self.at += 6
        self._inside.append("(")
        mean = self.expression()
        self.expect(",", opener, "between the mean and the covariance")
        covariance = self.expression()
        self._inside.pop()
        self._close(opener)
        self.expect("]", variable, "after the distribution")
        identifier = normalise(variable.text)
        used = identifier in self.first_use
        body = self.expression(product_only=True)
        if not used:
            self.first_use.pop(identifier, None)
        self._height += 1
        return Expectation(identifier, mean, covariance, body, self._from(token.start))
