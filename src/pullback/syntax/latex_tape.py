"""What every part of the LaTeX reader works on: items that come in, tokens that go out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pullback.errors import NotationError, Place, Span
from pullback.syntax import latex_tokens as tex
from pullback.syntax.latex_tokens import Item, end_at, itemize
from pullback.syntax.tokens import Token

STYLED = tex.UPRIGHT | tex.STYLING | {r"\mathit"}
ENDS = frozenset(["end", "newline"])


class Tape:
    """Items of LaTeX that are read, and tokens of the notation that are written."""

    def __init__(self, text: str, functions: Collection[str]) -> None:
        self.text = text
        self.functions = frozenset(functions)
        self.items: list[Item] = itemize(text)
        self.at = 0
        self.out: list[Token] = []
        self.scopes: list[frozenset[str] | None] = []
        """The indices that sums bind, innermost last; None inside index notation, where all are indices."""
        self.used: list[list[str]] = [[]]
        """The indices that entries have, in the order of the scopes."""
        self.sums: dict[int, frozenset[str]] = {}
        """The indices that the sum at an offset names."""
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
