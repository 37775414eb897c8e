"""What every part of the LaTeX reader works on: items that come in, tokens that go out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, count

from pullback.errors import NotationError, Place, Span
from pullback.syntax import latex_tokens as tex
from pullback.syntax.entries import Summed
from pullback.syntax.latex_tokens import Item, end_at, itemize
from pullback.syntax.names import normalise
from pullback.syntax.tokens import Token

_LINES = re.compile(r"\\\\|[\n;]")
_DECLARES = re.compile(r"\s*%?\s*([^\W\d]\w*(?:\s*,\s*[^\W\d]\w*)*)\s*:[^=]")
_BINDS = re.compile(r"\s*(?:\\begin\{[a-z]+\*?\})?\s*(\\?[^\W\d_]+)\s*(?:\([^()=]*\))?\s*&?\s*:?=")
TRANSPOSED = frozenset([r"\top", r"\intercal", r"\prime", "T", r"\mathsf", r"\mathrm", r"\transpose"])
STYLED = tex.UPRIGHT | tex.STYLING | {r"\mathit"}
ENDS = frozenset(["end", "newline"])


class Tape:
    """Items of LaTeX that are read, and tokens of the notation that are written."""

    def __init__(self, text: str, functions: Collection[str], variables: Collection[str] = ()) -> None:
        self.text = text
        self.functions = frozenset(functions)
        self.longest = max(map(len, self.functions), default=0)
        self.items: list[Item] = itemize(text)
        self.declared, self.bound = frozenset(variables) | said(text, _DECLARES), said(text, _BINDS)
        self.known = self.declared | self.bound
        """Names that are declared, here or elsewhere, or bound: no functions, and no numbers."""
        self.is_number_pi = "pi" not in self.known and not used_as_variable(self.items, r"\pi")
        self.is_number_e = "e" not in self.known and not used_as_variable(self.items, "e")
        self.at = 0
        self.out: list[Token] = []
        self.scopes: list[frozenset[str] | None] = []
        """The indices that sums bind, innermost last; None inside index notation, where all are indices."""
        self.used: list[list[str]] = [[]]
        """The indices that entries have, in the order of the scopes."""
        self.sums: dict[int, Summed] = {}
        """What the sum at an offset runs over."""
        self._letters: Iterator[str] | None = None
        self.bar = ""
        """The bar that ends what is read now."""
        self.depth = 0
        self.nested = 0

    # Items and tokens

    @property
    def item(self) -> Item:
        """Give the next item."""
        return self.items[self.at]

    def take(self) -> Item:
        """Read an item."""
        self.at += 1
        return self.items[self.at - 1]

    def emit(self, kind: str, text: str, item: Item) -> None:
        """Write a token that stands where the item does."""
        self.out.append(Token(kind, text, item.start, item.end, self.text[item.start : item.end]))

    def refuse(self, message: str, item: Item, hint: str = "") -> NotationError:
        """Make an error about an item."""
        return NotationError(message, source=self.text, places=(Place(Span(item.start, item.end)),), hint=hint)

    def ends_statement(self) -> bool:
        """Tell whether the next item is a full stop or comma at the end of a formula."""
        if self.item.text not in (".", ","):
            return False
        at = self.at + 1
        while self.items[at].text in ("\n", ".", ",", "&"):
            at += 1
        return self.items[at].kind == "end" or self.items[at].text in ("\\\\", r"\end", ";")

    def free_letter(self) -> str:
        """Give a letter for a dimension that the text does not use otherwise."""
        if self._letters is None:
            used = {i.text for i in itemize(self.text)}
            self._letters = filter(lambda letter: letter not in used, chain("nmpqkdrst", map("n{}".format, count(1))))
        return next(self._letters)

    def argument(self) -> list[Item]:
        """Take what a command is applied to, or what is raised or lowered: a group, or one sign."""
        item = self.item
        if item.kind in ENDS or item.text == "}":
            raise self.refuse("something is missing here", item, "write it in braces")
        self.at += 1
        if item.text != "{":
            if item.kind == "number" and len(item.text) > 1 and item.text.isdigit():
                self.at -= 1
                self.items[self.at] = Item("number", item.text[1:], item.start + 1, item.end)
                return [Item("number", item.text[0], item.start, item.start + 1)]
            if item.kind == "number" and len(item.text) == 2 and item.text[1] == ".":  # the end of a sentence
                self.at -= 1
                self.items[self.at] = Item("mark", ".", item.start + 1, item.end)
                return [Item("number", item.text[0], item.start, item.start + 1)]
            taken = [item]
            while taken[-1].text in STYLED:
                if self.item.text == "{":
                    return [*taken, *self.argument()]
                taken.append(self.take())
            return taken
        start, depth = self.at, 1
        while depth:
            depth += (self.item.text == "{") - (self.item.text == "}")
            if self.item.kind == "end":
                raise self.refuse("'{' is never closed", item, "add '}'")
            self.at += 1
        return self.items[start : self.at - 1]

    def inside(self, items: Sequence[Item], end: Item) -> None:
        """Translate items that were taken as an argument."""
        kept, at = self.items, self.at
        self.items, self.at = [*items, *end_at(end.start)], 0
        self.sequence()
        if self.item.kind != "end":
            raise self.refuse(f"'{self.item.text}' can't stand here", self.item)
        self.items, self.at = kept, at

    def grouped(self, items: Sequence[Item], item: Item) -> None:
        """Translate items in parentheses of their own."""
        if not items:
            return
        self.emit("open", "(", item)
        self.inside(items, Item("end", "", items[-1].end, items[-1].end))
        self.emit("close", ")", items[-1])

    def sequence(self, bar: str = "", product_only: bool = False) -> None:
        """Translate what stands together; the translator says how."""
        raise NotImplementedError

    def unit(self) -> None:
        """Translate one operand; the translator says how."""
        raise NotImplementedError

    def postfix(self) -> None:
        """Translate what follows an operand; the translator says how."""
        raise NotImplementedError


def said(text: str, form: re.Pattern[str]) -> frozenset[str]:
    """Find the names that a text declares or binds, as far as that is seen line by line."""
    found: set[str] = set()
    for line in _LINES.split(text):
        match = form.match(line)
        if match:
            found |= {normalise(name.lstrip("\\")) for name in re.split(r"\s*,\s*", match[1])}
    return frozenset(found)


def used_as_variable(items: Sequence[Item], name: str) -> bool:
    r"""Tell whether e or ``\pi`` stands somewhere as only a variable does.

    Both are variables with a transpose, ``\pi`` with a subscript or parentheses too; e is one wherever it is
    no base of a power.
    """
    for k, item in enumerate(items):
        if item.text != name:
            continue
        after = [i.text for i in items[k + 1 : k + 4]]
        raised = after[1:3] if after[0] == "^" else []
        if after[0] in ("'", "=") or any(text in TRANSPOSED for text in raised[: 1 + (raised[:1] == ["{"])]):
            return True
        if name == "e":
            touches = (k and items[k - 1].kind == "letter" and items[k - 1].end == item.start) or (
                items[k + 1].kind == "letter" and items[k + 1].start == item.end
            )
            if after[0] not in ("^", "_", "}") and not touches:
                return True
        elif after[0] in ("_", "("):
            return True
    return False
