r"""LaTeX as papers write it: translated to the tokens of the notation, places kept, and parsed as those.

Letters that stand together are a product; a name of several letters is written ``\mathrm{loss}``. What
could be read in two ways is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from pullback.errors import NotationError
from pullback.syntax import latex_tokens as tex
from pullback.syntax.expressions import Expressions
from pullback.syntax.latex_scripts import Scripts
from pullback.syntax.latex_tape import ENDS
from pullback.syntax.latex_tokens import Item, end_at
from pullback.syntax.parser import Statements
from pullback.syntax.tokens import Brackets, Token, check_length, tokenize, too_deep
from pullback.syntax.tree import Program

_PLAIN_LINE = re.compile(r"\s*(?:[^\W\d]\w*\s*(?:,\s*[^\W\d]\w*\s*)*:[^=]|batch\s+\w+\s*(?:over[^:]*)?:)")
_STATEMENT_END = re.compile(r"[;\n]|\\\\")
_WHOLE_TEXT = re.compile(r"\\\\|\\begin")
DEEPEST_LATEX = 100
"""The deepest nesting that is read; half of the notation's, since a fraction is two levels there."""

_FILLED = {"1": "ones", "I": "eye", "0": "zeros"}


def latex_to_program(text: str, functions: Collection[str]) -> Program:
    r"""Read a program written in LaTeX.

    >>> from pullback.syntax.printer import show
    >>> program = latex_to_program(r"\frac12\|Ax-b\|_2^2 + \lambda\|x\|_1", {"norm", "norm1"})
    >>> show(program.bindings[0].value)
    '1/2 norm(A x - b)^2 + lambda norm1(x)'
    """
    check_length(text)
    return Statements(latex_reader(text, functions), functions).program()


def latex_reader(text: str, functions: Collection[str]) -> Expressions:
    """Give a reader of expressions over LaTeX."""
    translator = Translator(text, functions)
    tokens = translator.program()
    brackets = Brackets(text)
    for token in tokens:
        brackets.see(token)
    brackets.finish()
    reader = Expressions(text, tokens, functions)
    reader.sums = translator.sums
    return reader


class Translator(Scripts):
    """Items of LaTeX to tokens of the notation."""

    def __init__(self, text: str, functions: Collection[str]) -> None:
        super().__init__(text, functions)
        self.longest = max(map(len, self.functions), default=0)
        self.newlines = _WHOLE_TEXT.search(text) is None

    # Programs

    def program(self) -> list[Token]:
        """Translate a whole text; lines that declare names are read as plain notation."""
        while True:
            line = self._declaration_line()
            if line is None:
                self.sequence()
            item = self.item
            if item.kind == "newline" or item.text == r"\\":
                self.at += 1
                self.emit("newline", "\n", item)
            elif item.kind == "end":
                self.emit("end", "", item)
                return self._without_parameters()
            elif line is None:
                raise self.refuse(f"'{item.text}' closes nothing", item, "remove it")

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
        first = len(self.out)
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
            if bar and tex.BARS.get(item.text) == bar and not operand_next:
                break
            operator = tex.OPERATORS.get(item.text)
            if product_only and operator in ("+", "-", "=", ",") and not operand_next:
                break
            if item.text == "&":
                self.at += 1
            elif operator is not None:
                self.at += 1
                self.emit("op", operator, item)
            else:
                self.unit()
                self.postfix()
        self.depth -= 1

    def postfix(self) -> None:
        """Translate the superscripts, subscripts and primes that follow an operand."""
        while True:
            item = self.item
            if item.text in ("^", ".^"):
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
            self._letters(item)
        elif text in tex.LETTERS:
            if text == r"\sigma" and self._opens(self.item):
                self._apply("sigmoid", item)
            else:
                self.emit("name", tex.LETTERS[text], item)
        elif text == "{":
            self.at -= 1
            self.grouped(self.argument(), item)
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
            self._apply(tex.FUNCTIONS[text], item)
        elif text in tex.UPRIGHT or text == r"\mathit":
            self._word(item)
        elif text in tex.STYLING:
            self._styled(item)
        elif text in tex.ACCENTS:
            self.emit("name", f"{self._name_in(self.argument(), item)}_{tex.ACCENTS[text]}", item)
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
        close = get_close_matches(item.text, sorted(tex.KNOWN), 1, 0.6)
        hint = tex.REFUSED.get(item.text) or (
            f"did you mean {close[0]}?" if close else "write it in the plain notation"
        )
        return self.refuse(f"the LaTeX command {item.text} is not known", item, hint)

    # Operands

    def _letters(self, item: Item) -> None:
        """Translate a letter: a name, with digits right behind it; or a function's name written out."""
        end = self.at
        last = self.at + self.longest
        while end < last and self.items[end].kind == "letter" and self.items[end].start == self.items[end - 1].end:
            end += 1
        word = "".join(i.text for i in self.items[self.at - 1 : end])
        if len(word) > 1 and word in self.functions and self._opens(self.items[end]):
            self.at = end
            self._apply(word, item)
            return
        following = self.item
        if following.kind == "number" and following.start == item.end and following.text.isdigit():
            self.at += 1
            self.emit("name", item.text + following.text, Item("letter", "", item.start, following.end))
        else:
            self.emit("name", item.text, item)

    def _opens(self, item: Item) -> bool:
        return item.text == "(" or (item.text == r"\left" and self.text[item.end :].lstrip()[:1] == "(")

    def _fraction(self, item: Item) -> None:
        self.emit("open", "(", item)
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
        if tex.BARS.get(self.item.text) != bar:
            raise self.refuse(f"'{item.text}' is never closed", item, f"write '{item.text}' after the expression")
        self.emit("bar", bar, self.take())
        if bar == "|":
            names = [t for t in self.out[first:] if t.kind == "name" and t.text not in self.functions]
            self._absolute_or_determinant(first, names, item)

    def _absolute_or_determinant(self, first: int, names: list[Token], item: Item) -> None:
        capitals = [t.text[0].isupper() for t in names]
        before = self.out[first - 1] if first else None
        if not any(capitals):
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

    # Functions and words

    def _apply(self, function: str, item: Item) -> None:
        """Translate a function with its argument, which has brackets, braces, or is one clear operand."""
        if function == "log" and self.item.text == r"\det":
            self.at += 1
            function = "logdet"
        following = self.item
        if following.text in ("_", "^"):
            raise self.refuse(f"'{following.text}' behind a function is not read", item, "put it behind the argument")
        while self.item.text == "'":
            self.emit("name", function, item)
            self.emit("transpose", "'", self.take())
            return
        self.emit("name", function, item)
        if self._opens(following):
            self.unit()
            return
        if following.text == "{":
            self.grouped(self.argument(), following)
            return
        if following.text in ("[", r"\{") or (
            following.text == r"\left" and self.items[self.at + 1].text not in tex.BARS
        ):
            self.unit()
            return
        if function == "log" and (following.text == "|" or self.items[self.at + 1].text == "|"):
            first = len(self.out)
            self.unit()
            if self.out[first].kind == "bar":
                self.out.insert(first, Token("open", "(", following.start, following.start))
                self.emit("close", ")", self.items[self.at - 1])
            return
        self.emit("open", "(", following)
        self.unit()
        self.postfix()
        self.emit("close", ")", self.items[self.at - 1])
        after = self.item
        ends = (
            after.kind in ENDS
            or after.text in tex.OPERATORS
            or after.text in tex.CLOSERS
            or after.text in tex.FUNCTIONS
        )
        if not ends and after.text not in ("}", r"\right", r"\\", "&") and after.text not in tex.BARS:
            raise self.refuse(f"it is not clear how far {item.text} reaches", after, f"write {item.text}( … )")

    def _word(self, item: Item) -> None:
        r"""Translate ``\operatorname{tr}``, ``\mathrm{loss}`` and their like."""
        argument = self.argument()
        place = Item("", item.text, item.start, self.items[self.at - 1].end)
        if [i.text for i in argument] == [r"\pi"]:
            self.emit("name", "pi", place)
            self.emit("open", "(", place)
            self.emit("close", ")", place)
            return
        word = self._word_in(argument, item)
        function = tex.WORDS.get(word, word)
        if item.text != r"\mathit" and function in self.functions:
            self._apply(function, Item("", f"{item.text}{{{word}}}", place.start, place.end))
        else:
            self.emit("name", word, place)

    def _word_in(self, items: Sequence[Item], item: Item) -> str:
        parts = [tex.LETTERS.get(i.text, "_" if i.text == r"\_" else i.text) for i in items]
        word = "".join(parts)
        if not re.fullmatch(r"[^\W\d_]\w*", word):
            raise self.refuse("this is not a name", item, "a name has letters, digits and underscores")
        return word

    def _name_in(self, items: Sequence[Item], item: Item) -> str:
        names = [i for i in items if i.text not in tex.STYLING | tex.UPRIGHT | {r"\mathit", "{", "}"}]
        if len(names) != 1 and not any(i.text in tex.UPRIGHT | {r"\mathit"} for i in items):
            raise self.refuse("an accent stands over one letter here", item, r"write \hat{x}, or \hat{\mathrm{loss}}")
        return self._word_in(names, item)

    def _styled(self, item: Item) -> None:
        r"""Translate ``\mathbf{x}`` as x; with a subscript, ``\mathbf{1}_n`` and ``\mathbb{E}_{x \sim …}``."""
        argument = self.argument()
        text = "".join(i.text for i in argument)
        below = self.item.text == "_"
        if below and item.text in (r"\mathbf", r"\mathbb", r"\bm", r"\boldsymbol") and text in _FILLED:
            self.at += 1
            self._filled(_FILLED[text], self.argument(), item)
        elif text == "1" or text == "0":
            raise self.refuse(
                f"the size of {item.text}{{{text}}} is not said", item, rf"write {item.text}{{{text}}}_{{n}}"
            )
        elif below and item.text == r"\mathbb" and text == "E":
            self.at += 1
            law = self.argument()
            if not law:
                raise self.refuse(
                    "the expectation names no distribution", item, r"write \mathbb{E}_{x \sim \mathcal{N}(\mu, S)}"
                )
            self.emit("name", "E", item)
            self.emit("open", "[", item)
            self.inside(law, law[-1])
            self.emit("close", "]", law[-1])
        elif item.text == r"\mathbb" and text == "E":
            message = "the expectation does not say over what"
            raise self.refuse(message, item, r"write \mathbb{E}_{x \sim \mathcal{N}(\mu, S)}[…]")
        elif len(argument) == 1:
            kept, at = self.items, self.at
            self.items, self.at = [argument[0], *end_at(argument[0].end)], 0
            self.unit()
            self.items, self.at = kept, at
        else:
            self.grouped(argument, item)

    def _filled(self, function: str, below: Sequence[Item], item: Item) -> None:
        self.emit("name", function, item)
        self.emit("open", "(", item)
        part: list[Item] = []
        for i in [*below, Item("mark", ",", item.end, item.end)]:
            if i.text in (",", r"\times"):
                self.inside(part, i)
                self.emit("op", ",", i)
                part = []
            else:
                part.append(i)
        self.out.pop()
        self.emit("close", ")", item)

    def _environment(self, item: Item) -> None:
        name = "".join(i.text for i in self.argument())
        if name.rstrip("*") not in tex.ENVIRONMENTS:
            raise self.refuse(f"the environment {name} is not read", item, "give matrices of numbers as values")
