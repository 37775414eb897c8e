r"""Sums over indices in LaTeX: what they run over, how far they reach, and what is refused of them.

A sum runs over all of an index. A part of the range or a condition below the ``\sum`` is refused by name,
and so is an index that stands outside its sum, or as a number.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pullback.errors import NotationError
from pullback.syntax import latex_tokens as tex
from pullback.syntax.entries import Summed
from pullback.syntax.latex_scripts import Scripts
from pullback.syntax.latex_tokens import Item
from pullback.syntax.names import normalise

_INDICES = frozenset("ijklmnpqrst")
_PART = "write the part as a vector of its own, such as slice(x, 1, n - 1), in the plain notation"
_CONDITION = "a sum runs over all of its index; multiply by a matrix of zeros and ones: \\sum_{i,j} M_{ij} x_i x_j"


class Sums(Scripts):
    """Sums over named indices."""

    def __init__(self, text: str, functions: Collection[str], variables: Collection[str] = ()) -> None:
        super().__init__(text, functions, variables)
        self._ended: dict[str, Item] = {}
        """The sums of this statement that have ended, by their indices."""
        self._labels: dict[str, Item] = {}
        """The letters below names of this statement, where no sum binds them."""
        self._free: dict[str, Item] = {}
        """The names that have such an index."""
        self._summed: set[str] = set()
        """The names that have an index that is summed over."""

    def statement_ended(self) -> None:
        """Forget the indices of a statement."""
        self._ended.clear()
        self._labels.clear()
        self._free.clear()
        self._summed.clear()

    def labelled(self, name: str, letters: Sequence[str], below: Sequence[Item]) -> None:
        """Refuse the index of a sum that has ended, and one that no sum binds on a name that has entries."""
        if not letters or below[0].text in tex.UPRIGHT:
            return
        if all(letter in self._ended for letter in letters):
            raise self._outside(letters[0], below[0])
        if len(letters) == 1 == len(below):
            self._labels.setdefault(letters[0], below[0])
            if letters[0] in _INDICES:
                self._free.setdefault(name, below[0])
                if name in self._summed:
                    raise self._unbound(name)

    def indexed(self, name: str, item: Item) -> None:
        """Refuse a name whose other index is bound by no sum."""
        self._summed.add(name)
        if name in self._free and any(scope is not None for scope in self.scopes):
            raise self._unbound(name)

    def _unbound(self, name: str) -> NotationError:
        item = self._free[name]
        return self.refuse(
            f"the index {item.text} of {name} is not summed over, another one is",
            item,
            rf"for all {item.text} at once write \left[ … \right]_{{{item.text}}}",
        )

    def _outside(self, index: str, item: Item) -> NotationError:
        return self.refuse(
            f"the index {index} is used outside its sum",
            item,
            rf"a sum ends before the next + or -: write \sum_{index} ( … ) around all that it adds",
        )

    def refuse_number(self, item: Item) -> None:
        """Refuse the index of a sum that stands as a number."""
        if any(scope is not None and item.text in scope for scope in self.scopes):
            raise self.refuse(
                f"the index {item.text} is used as a number",
                item,
                f"give the numbers a name: k_{item.text}, with the values 1, 2, … in a vector k",
            )

    def sum(self, item: Item) -> None:
        """Translate a sum over named indices; it reaches to the next plus or minus."""
        bound, lengths = self._range(item)
        outside = next((index for index in bound if index in self._labels), None)
        if outside is not None:
            raise self._outside(outside, self._labels[outside])
        self.emit("open", "[", item)
        first = len(self.out)
        self.emit("op", ":", item)
        self.scopes.append(frozenset(bound))
        self.used.append([])
        self.sequence(bar=self.bar, product_only=True)
        self.scopes.pop()
        end = Item("", "", self.out[-1].end, self.out[-1].end)
        self.emit("close", "]", end)
        self.sums[item.start] = Summed(frozenset(bound), lengths)
        axes = [i for i in dict.fromkeys(self.used.pop()) if i not in bound]
        if axes:
            self._entry_of_sum(first, axes, item, end)
        self._ended |= {index: item for index in bound if not self._is_bound(index)}

    def _range(self, item: Item) -> tuple[list[str], dict[str, str | int]]:
        """Read what stands below and above: the indices, and how long those with an upper bound are."""
        below: list[Item] = []
        above: list[Item] = []
        for mark, scripts in (("_", below), ("^", above), ("_", below)):
            if self.item.text == mark:
                self.at += 1
                scripts += self.argument()
        bound, start = self._indices(below)
        if not bound:
            raise self.refuse("the sum names no index", item, r"write \sum_i x_i y_i, or \operatorname{sum}(x)")
        length = self._length(above, start) if above else None
        return bound, {} if length is None else {bound[-1]: length}

    def _indices(self, below: Sequence[Item]) -> tuple[list[str], int | None]:
        bound: list[str] = []
        start: int | None = None
        at = 0
        while at < len(below):
            i = below[at]
            if i.text == "=" and bound and at + 1 < len(below):
                start = self._start(below[at + 1])
                at += 1
            elif i.kind == "letter" and (not start or below[at - 1].text == ","):
                bound.append(i.text)
            elif i.text != "," or not bound:
                raise self.refuse("a condition below a sum is not read", i, _CONDITION)
            at += 1
        return bound, start

    def _start(self, item: Item) -> int:
        if item.text not in ("0", "1"):
            raise self.refuse("a sum over a part of its index is not read", item, _PART)
        return int(item.text)

    def _length(self, above: Sequence[Item], start: int | None) -> str | int | None:
        """Read an upper bound: a number, or a name, which is the length of the index."""
        texts = [i.text for i in above if i.text not in tex.UPRIGHT and i.text not in ("{", "}")]
        whole = start == 0
        if whole and texts[-2:] in (["-", "1"], ["−", "1"]):
            texts, whole = texts[:-2], False
        if len(texts) == 1 and texts[0].isdigit() and above[0].kind == "number":
            return int(texts[0]) + whole
        name = "".join(tex.LETTERS.get(text, text) for text in texts)
        is_name = above[0].kind == "letter" or above[0].text in tex.LETTERS or above[0].text in tex.UPRIGHT
        if not is_name or not name.replace("_", "").isalnum():
            raise self.refuse("a sum over a part of its index is not read", above[0], _PART)
        return None if whole else normalise(name)

    def _entry_of_sum(self, first: int, axes: list[str], item: Item, end: Item) -> None:
        """Write a sum inside a sum as the entry of what it is for all indices of the outer one."""
        names = [(axis, item) for axis in axes]
        tail, self.out = self.out[first:], self.out[:first]
        self.name_list(names, item)
        self.out += tail
        self.emit("open", "[", end)
        self.name_list(names, end)
        self.emit("close", "]", end)
        self.used[-1] += axes
