r"""LaTeX as papers write it: translated to the tokens of the notation, places kept, and parsed as those.

Letters that stand together are a product; a name of several letters is written ``\mathrm{loss}``. What
could be read in two ways is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from pullback.errors import NotationError
from pullback.syntax import latex_tokens as tex
from pullback.syntax.expressions import Expressions
from pullback.syntax.latex_tape import ENDS
from pullback.syntax.latex_tokens import Item
from pullback.syntax.latex_words import Words
from pullback.syntax.names import normalise
from pullback.syntax.parser import Statements
from pullback.syntax.tokens import Brackets, Token, check_length, tokenize, too_deep
from pullback.syntax.tree import Program

_PLAIN_LINE = re.compile(r"\s*(?:[^\W\d]\w*\s*(?:,\s*[^\W\d]\w*\s*)*:[^=]|batch\s+\w+\s*(?:over[^:]*)?:)")
_IN_COMMENT = re.compile(r"^[ \t]*%[ \t]*([^\W\d]\w*[ \t]*:[ \t]*entrywise)[ \t]*$", re.MULTILINE)
_STATEMENT_END = re.compile(r"[;\n]|\\\\")
_DERIVATIVE = re.compile(
    r"\s*\{\s*(?:d|\\mathrm\{d\})(?:\s*\^[^{}]*|\s*\\?[A-Za-z][^{}]*)?\}\s*\{\s*(?:d|\\mathrm\{d\})\s*\\?[A-Za-z]"
)
_WHOLE_TEXT = re.compile(r"\\\\|\\begin")
_NUMBERS = frozenset("det logdet tr norm norm1 dot sum mean".split())
"""Functions whose values are numbers, so that bars around them are absolute values."""
DEEPEST_LATEX = 100
"""The deepest nesting that is read; half of the notation's, since a fraction is two levels there."""


def latex_to_program(text: str, functions: Collection[str]) -> Program:
    r"""Read a program written in LaTeX.

    >>> from pullback.syntax.printer import show
    >>> program = latex_to_program(r"\frac12\|Ax-b\|_2^2 + \lambda\|x\|_1", {"norm", "norm1"})
    >>> show(program.bindings[0].value)
    '1/2 norm(A x - b)^2 + lambda norm1(x)'
    """
    check_length(text)
    return Statements(latex_reader(text, functions), functions).program()


def latex_reader(text: str, functions: Collection[str], variables: Collection[str] = ()) -> Expressions:
    r"""Give a reader of expressions over LaTeX; ``variables`` are known to be none of e and ``\pi``."""
    translator = Translator(text, functions, variables)
    tokens = translator.program()
    brackets = Brackets(text)
    for token in tokens:
        brackets.see(token)
    brackets.finish()
    reader = Expressions(text, tokens, functions)
    reader.sums = translator.sums
    reader.known.update(variables)
    return reader


class Translator(Words):
    """Items of LaTeX to tokens of the notation."""

    def __init__(self, text: str, functions: Collection[str], variables: Collection[str] = ()) -> None:
        super().__init__(text, functions, variables)
        self.newlines = _WHOLE_TEXT.search(text) is None

    # Programs

    def program(self) -> list[Token]:
        """Translate a whole text; lines that declare names are read as plain notation."""
        self._declarations_in_comments()
        while True:
            line = self._declaration_line()
            if line is None:
                self.sequence()
            item = self.item
            if item.kind == "newline" or item.text == r"\\":
                self.at += 1
                self.emit("newline", "\n", item)
                self.statement_ended()
            elif item.kind == "end":
                self.emit("end", "", item)
                return self._without_parameters()
            elif line is None:
                raise self.refuse(f"'{item.text}' closes nothing", item, "remove it")

    def _declarations_in_comments(self) -> None:
        """Read ``% f : entrywise``, which is how a printed result says what its functions are."""
        for found in _IN_COMMENT.finditer(self.text):
            for token in tokenize(found[1]):
                if token.kind != "end":
                    self.out.append(token._replace(start=token.start + found.start(1), end=token.end + found.start(1)))
            self.emit("newline", "\n", Item("", "", found.end(1), found.end(1)))

    def _declaration_line(self) -> str | None:
        if self.out and self.out[-1].kind != "newline":
            return None
        start = self.item.start
        line = ""
        if _PLAIN_LINE.match(self.text, start):
            stop = _STATEMENT_END.search(self.text, start)
            line = self.text[start : stop.start() if stop else None]
        found = _PLAIN_LINE.match(line)
        if found is None or "\\" in found.group():
            return None
        if line.startswith("batch"):
            line = found.group()
        self.out += [
            t._replace(start=t.start + start, end=t.end + start)
            for t in tokenize(line.partition("\\")[0])
            if t.kind != "end"
        ]
        while self.item.start < start + len(line) and self.item.kind != "end":
            self.at += 1
        return line

    def _without_parameters(self) -> list[Token]:
        """Read ``f(x) = …`` at the start of a statement as ``f = …``."""
        kept: list[Token] = []
        at = 0
        while at < len(self.out):
            kept.append(self.out[at])
            starts = self.out[at].kind == "name" and (len(kept) == 1 or kept[-2].kind == "newline")
            at += 1
            if starts and self.out[at].text == "(":
                end = at + 1
                while self.out[end].kind == "name" or self.out[end].text == ",":
                    end += 1
                if self.out[end].text == ")" and self.out[end + 1].text == "=":
                    at = end + 1
        return kept

    # Sequences

    def sequence(self, bar: str = "", product_only: bool = False) -> None:
        """Translate up to the end of the group, the line, or with ``product_only`` the product."""
        self.depth += 1
        first, outer, self.bar = len(self.out), self.bar, bar
        while True:
            item = self.item
            if item.kind == "newline" and not (self.newlines and self.depth == 1 and item.text == "\n"):
                if item.text == ";":
                    break
                self.at += 1
                continue
            if item.kind in ENDS or item.text in ("}", r"\right", r"\\") or item.text in tex.CLOSERS:
                break
            operand_next = len(self.out) == first or self.out[-1].kind == "op"
            if bar and not operand_next and (tex.BARS.get(item.text) == bar or (bar, item.text) == ("|", "||")):
                break
            operator = tex.OPERATORS.get(item.text)
            ends = self.ends_statement()
            if product_only and (ends or operator in ("+", "-", "=", ",")) and not operand_next:
                break
            if item.text == "&" or ends:
                self.at += 1
            elif operator is not None:
                self.at += 1
                self.emit("op", operator, item)
            else:
                self.unit()
                self.postfix()
        self.depth -= 1
        self.bar = outer

    def postfix(self) -> None:
        """Translate the superscripts, subscripts and primes that follow an operand."""
        while True:
            item = self.item
            if item.text in ("^", ".^"):
                if self._subscript_first():
                    continue
                self.at += 1
                self.superscript(item)
            elif item.text == "_":
                self.at += 1
                self.subscript(item)
            elif item.text in ("'", "’", "ᵀ", "ᵗ", "⊤"):
                self.at += 1
                self.emit("transpose", "'", item)
            else:
                return

    def _subscript_first(self) -> bool:
        r"""Move a subscript before the superscript that it follows, as in ``\|x\|^2_2`` and ``x^2_i``."""
        if not self.out or self.out[-1].kind not in ("bar", "name"):
            return False
        start = self.at
        self.at += 1
        raised = self.argument()
        middle = self.at
        is_label = [i.text for i in raised[:1]] in (["("], ["["], ["*"])
        if is_label or self.item.text != "_":
            self.at = start
            return False
        self.at += 1
        self.argument()
        end = self.at
        self.items[start:end] = [*self.items[middle:end], *self.items[start:middle]]
        self.at = start
        return True

    def unit(self) -> None:
        """Translate one operand."""
        self.nested += 1
        if self.nested > DEEPEST_LATEX:
            raise too_deep(self.text, self.item.span, DEEPEST_LATEX)
        self._unit(self.take())
        self.nested -= 1

    def _unit(self, item: Item) -> None:
        text = item.text
        if item.kind == "number":
            self.emit("number", text, item)
        elif item.kind == "letter":
            self.letters(item)
        elif text in tex.LETTERS:
            self.greek(item)
        elif text == "{":
            self._group(item)
        elif text in tex.FRACTIONS:
            self._fraction(item)
        elif text in tex.BARS:
            self._bars(item)
        elif text in tex.OPENERS:
            self._brackets(item, text)
        elif text == r"\left":
            self._left(item)
        elif text == r"\sqrt":
            self._root(item)
        elif text == r"\sum":
            self.sum(item)
        elif text in tex.FUNCTIONS:
            self.apply(tex.FUNCTIONS[text], item)
        elif text in tex.UPRIGHT or text == r"\mathit":
            self.word(item)
        elif text in tex.STYLING:
            self.styled(item)
        elif text in tex.ACCENTS:
            self.accented(item)
        elif text in tex.DECORATED:
            self._decorated(item)
        elif text in (r"\begin", r"\end"):
            self._environment(item)
        elif text in tex.IGNORED_WITH_ARGUMENT:
            self.argument()
        else:
            raise self._unknown(item)

    def _unknown(self, item: Item) -> NotationError:
        if item.kind == "end":
            end = Item("end", "", max(item.start - 1, 0), item.start)
            return self.refuse("an operand is needed before the end of the text", end)
        if item.kind != "command":
            return self.refuse(f"'{item.text}' can't stand here", item)
        close = tex.nearest(item.text, tex.KNOWN)
        hint = tex.REFUSED.get(item.text) or (f"did you mean {close}?" if close else "write it in the plain notation")
        return self.refuse(f"the LaTeX command {item.text} is not known", item, hint)

    # Operands

    def _group(self, item: Item) -> None:
        r"""Translate a group; ``{\rm tr}`` is the word tr, which may be a function."""
        self.at -= 1
        inner = self.argument()
        if len(inner) > 1 and inner[0].text in tex.SWITCHES and all(i.kind == "letter" for i in inner[1:]):
            closed = self.at
            self.items[closed:closed] = [
                inner[0],
                Item("mark", "{", item.start, item.end),
                *inner[1:],
                self.items[closed - 1],
            ]
            self.unit()
            return
        self.grouped(inner, item)

    def _decorated(self, item: Item) -> None:
        r"""Translate ``\underbrace{x}_{note}`` and ``\textcolor{red}{x}`` as what they hold."""
        if tex.DECORATED[item.text]:
            self.argument()
            if item.text == r"\color":
                return
        self.grouped(self.argument(), item)
        if item.text in (r"\underbrace", r"\overbrace") and self.item.text in ("_", "^"):
            self.at += 1
            self.argument()

    def _fraction(self, item: Item) -> None:
        self.emit("open", "(", item)
        if _DERIVATIVE.match(self.text, item.end):
            raise self.refuse("a derivative can't stand in a program", item, tex.REFUSED[r"\partial"])
        for k in range(2):
            part = self.argument()
            if not part:
                raise self.refuse("the fraction has an empty part", item, r"write \frac{a}{b}")
            self.grouped(part, part[0])
            if k == 0:
                self.emit("op", "/", item)
        self.emit("close", ")", Item("", "", self.out[-1].start, self.out[-1].end))

    def _root(self, item: Item) -> None:
        degree: list[Item] = []
        if self.item.text == "[":
            self.at += 1
            while self.item.text != "]" and self.item.kind != "end":
                degree.append(self.take())
            self.at += 1
        if not degree:
            self.emit("name", "sqrt", item)
            self.grouped(self.argument(), item)
            return
        self.grouped(self.argument(), item)
        self.emit("op", "^", item)
        self.emit("open", "(", item)
        self.emit("number", "1", item)
        self.emit("op", "/", item)
        self.grouped(degree, degree[0])
        self.emit("close", ")", item)

    def _bars(self, item: Item) -> None:
        bar = tex.BARS[item.text]
        first = len(self.out)
        self.emit("bar", bar, item)
        self.sequence(bar=bar)
        if self.item.text == r"\right":
            self.at += 1
        if bar == "|" and self.item.text == "||":
            _, _, start, end = self.item
            self.items[self.at : self.at + 1] = [Item("mark", "|", start, start + 1), Item("mark", "|", start + 1, end)]
        if tex.BARS.get(self.item.text) != bar:
            raise self.refuse(f"'{item.text}' is never closed", item, f"write '{item.text}' after the expression")
        self.emit("bar", bar, self.take())
        if bar == "|":
            names = [t for t in self.out[first:] if t.kind == "name" and t.text not in self.functions]
            self._absolute_or_determinant(first, names, item)

    def _absolute_or_determinant(self, first: int, names: list[Token], item: Item) -> None:
        capitals = [t.text[0].isupper() for t in names]
        before = self.out[first - 1] if first else None
        if not any(capitals) or self.out[first + 1].text in _NUMBERS:
            return
        if not all(capitals) or before is None or before.text != "log":
            raise self.refuse(
                "bars around a matrix could be a determinant or absolute values",
                item,
                r"write \det(A) or \operatorname{abs}(A)",
            )
        opener, closer = self.out[first], self.out[-1]
        self.out[first] = opener._replace(kind="open", text="(")
        self.out[-1] = closer._replace(kind="close", text=")")
        self.out[first - 1] = before._replace(text="logdet")

    def _left(self, item: Item) -> None:
        inner = self.take()
        if inner.text in tex.BARS:
            self._bars(inner)
        elif inner.text in tex.OPENERS:
            self._brackets(inner, inner.text, left=True)
        elif inner.text != ".":
            raise self.refuse(f"'\\left{inner.text}' is not read", item, r"write \left( … \right)")

    def _brackets(self, item: Item, text: str, left: bool = False) -> None:
        """Translate brackets of any kind, an inner product, or with axes below, index notation."""
        if left and text == "[":
            axes = self.axes_below()
            if axes is not None:
                self.comprehension(item, axes)
                return
        if text == "(":
            self._refuse_applied(item)
        if text == r"\langle":
            self.emit("name", "dot", item)
        self.emit("open", "(", item)
        self.sequence()
        if self.item.text == r"\right":
            self.at += 1
        closer = self.take()
        if closer.text != tex.OPENERS[text]:
            raise self.refuse(f"'{text}' is never closed", item, f"add '{tex.OPENERS[text]}'")
        self.emit("close", ")", closer)
        if text == r"\langle" and self.item.text == "_":
            mark = self.take()
            if "".join(i.text for i in self.argument()) not in ("F", "2"):
                raise self.refuse("only the plain inner product is read", mark, r"write x^\top A y")

    def _refuse_applied(self, item: Item) -> None:
        r"""Refuse ``f(x)`` of a name that is no function: nobody writes a product with one name in brackets so.

        With a thin space, ``v \, (V^2)^\top``, it is a product; so it is printed.
        """
        before = self.out[-1] if self.out else None
        if before is None or before.kind != "name" or before.text in self.functions or before.end > item.start:
            return
        if r"\," in self.text[before.end : item.start]:
            return
        is_law = len(self.out) > 1 and self.out[-2].text == "~"
        name = normalise(before.text)
        if is_law or name in self.declared or tex.PARAMETERS.match(self.text, item.end):
            return
        found = tex.ARGUMENTS.match(self.text, item.end)
        if found and found[1] != "e":
            hint = f"declare it, {name} : entrywise; or write the product {before.raw} \\cdot (…)"
            if name in self.bound:
                hint = f"write {before.raw} alone, the arguments of a bound name are not part of it"
            raise self.refuse(f"{before.raw}(…) could be a function or a product", item, hint)

    # Environments

    def _environment(self, item: Item) -> None:
        name = "".join(i.text for i in self.argument())
        if name.rstrip("*") not in tex.ENVIRONMENTS:
            hint = tex.OTHER_ENVIRONMENTS.get(name.rstrip("*"), "give the formula alone")
            raise self.refuse(f"the environment {name} is not read", item, hint)
