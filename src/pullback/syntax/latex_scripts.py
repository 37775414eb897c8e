"""Superscripts, subscripts and index notation in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pullback.syntax import latex_tokens as tex
from pullback.syntax.latex_tape import Tape
from pullback.syntax.latex_tokens import Item
from pullback.syntax.names import normalise
from pullback.syntax.tokens import Token


class Scripts(Tape):
    """What is raised and lowered: powers, transposes, labels, indices, sums over indices."""

    def axes_below(self) -> tuple[int, list[Item]] | None:
        r"""Find the subscript of the matching ``\right]``: where it ends, and the axes in it."""
        depth, at = 1, self.at
        while depth and self.items[at].kind != "end":
            depth += (self.items[at].text == r"\left") - (self.items[at].text == r"\right")
            at += 1
        if self.items[at].text != "]" or self.items[min(at + 1, len(self.items) - 1)].text != "_":
            return None
        kept, self.at = self.at, at + 2
        axes = self.argument()
        end, self.at = self.at, kept
        return end, axes

    def comprehension(self, item: Item, axes: tuple[int, list[Item]]) -> None:
        """Translate index notation, whose axes stand below its bracket."""
        end, below = axes
        self.emit("open", "[", item)
        self._index_list(below, item)
        self.emit("op", ":", item)
        self.scopes.append(None)
        self.sequence()
        self.scopes.pop()
        if self.item.text != r"\right":
            raise self.refuse("'[' is never closed", item, r"add \right]")
        self.emit("close", "]", self.item)
        self.at = end

    def sum(self, item: Item) -> None:
        """Translate a sum over named indices; it reaches to the next plus or minus."""
        bound: list[str] = []
        if self.item.text == "_":
            self.at += 1
            below = self.argument()
            upto = next((k for k, i in enumerate(below) if i.text == "="), len(below))
            bound = [i.text for i in below[:upto] if i.kind == "letter"]
        if not bound:
            raise self.refuse("the sum names no index", item, r"write \sum_i x_i y_i, or \operatorname{sum}(x)")
        if self.item.text == "^":
            self.at += 1
            self.argument()
        self.emit("open", "[", item)
        first = len(self.out)
        self.emit("op", ":", item)
        self.scopes.append(frozenset(bound))
        self.used.append([])
        self.sequence(product_only=True)
        self.scopes.pop()
        end = Item("", "", self.out[-1].end, self.out[-1].end)
        self.emit("close", "]", end)
        self.sums[item.start] = frozenset(bound)
        axes = [i for i in dict.fromkeys(self.used.pop()) if i not in bound]
        if axes:
            self._entry_of_sum(first, axes, item, end)

    def _entry_of_sum(self, first: int, axes: list[str], item: Item, end: Item) -> None:
        """Write a sum inside a sum as the entry of what it is for all indices of the outer one."""
        names = [(axis, item) for axis in axes]
        tail, self.out = self.out[first:], self.out[:first]
        self._name_list(names, item)
        self.out += tail
        self.emit("open", "[", end)
        self._name_list(names, end)
        self.emit("close", "]", end)
        self.used[-1] += axes

    # Superscripts and subscripts

    def superscript(self, mark: Item) -> None:
        """Translate a power, a transpose, or a label such as ``W^{(1)}``."""
        raised = self.argument()
        texts = [i.text for i in raised if i.text not in tex.UPRIGHT and i.text not in ("{", "}")]
        if not texts:
            raise self.refuse("the superscript is empty", mark, "write x^2 or x^{-1}")
        minus = texts[0] in ("-", "−")
        before = self.out[-1] if self.out else None
        if mark.text == "^" and len(texts) == 1 + minus and texts[-1] in tex.TRANSPOSES:
            if minus:
                self.emit("op", "^", mark)
                self.emit("op", "-", mark)
                self.emit("number", "1", mark)
            self.emit("transpose", "'", raised[-1])
            return
        if before is not None and before.kind == "name":
            if len(texts) == 3 and texts[0] == "(" and texts[2] == ")" and re.fullmatch(r"[a-zL]|\d+", texts[1]):
                if self._is_bound(texts[1]):
                    raise self.refuse(
                        "a summed index in a superscript is not read", raised[1], "write it as a subscript"
                    )
                self._rename(texts[1], raised[-1])
                return
            if before.text == "e":
                raise self.refuse("e^ could be the exponential or a power of a variable e", mark, r"write \exp(…)")
        entrywise = mark.text == ".^" or texts[0] in (r"\circ", r"\odot", "∘", "⊙")
        if texts[0] in (r"\circ", r"\odot", "∘", "⊙"):
            raised = raised[1:]
        self.emit("op", ".^" if entrywise else "^", mark)
        self.grouped(raised, mark)

    def _rename(self, label: str, end: Item) -> None:
        token = self.out[-1]
        name = f"{token.text}_{label}"
        self.out[-1] = Token("name", name, token.start, end.end, self.text[token.start : end.end])

    def _is_bound(self, letter: str) -> bool:
        return any(scope is None or letter in scope for scope in self.scopes)

    def subscript(self, mark: Item) -> None:
        """Translate an index, a label of a name, or the order of a norm."""
        below = self.argument()
        if not below or not self.out:
            raise self.refuse("the subscript is empty", mark, "write x_1 or x_{i}")
        before, end = self.out[-1], self.items[self.at - 1]
        if before.kind == "bar":
            text = "".join(i.text for i in below if i.text not in tex.UPRIGHT and i.text not in ("{", "}"))
            self.emit("subscript", f"_{text}", Item("", "", mark.start, end.end))
            return
        is_label = below[0].text in tex.UPRIGHT
        letters = [i.text for i in below if i.kind == "letter"]
        whole = [i for i in below if i.text == ":"]
        if not is_label and self.scopes and (whole or any(self._is_bound(c) for c in letters)):
            loose = next((i for i in below if i.kind == "letter" and not self._is_bound(i.text)), None)
            if loose is not None:
                raise self.refuse(f"the index {loose.text} is not summed over", loose, r"name it below the \sum")
            self.emit("open", "[", mark)
            self.used[-1] += self._index_list(below, mark)
            self.emit("close", "]", below[-1])
            return
        if before.kind != "name":
            raise self.refuse("a subscript follows a name, a norm, or an entry inside a sum", mark)
        texts = [i.text for i in below if not (is_label and i.text in tex.UPRIGHT) and i.text not in ("{", "}")]
        label = "".join(tex.LETTERS.get(t, "_" if t == r"\_" else t) for t in texts)
        if not re.fullmatch(r"\w+", label):
            raise self.refuse(f"the subscript {label} is not a name", below[0], "use letters or digits")
        self._rename(normalise(label) if not label.isascii() else label, end)

    def _index_list(self, below: Sequence[Item], item: Item) -> list[str]:
        names: list[tuple[str, Item]] = []
        at = 0
        while at < len(below):
            i = below[at]
            if i.kind == "letter" or i.text == ":":
                names.append((i.text, i))
            elif i.text == "_" and names:
                digits = "".join(b.text for b in below[at + 1 : at + 4]).strip("{}")
                names[-1] = (names[-1][0] + digits, i)
                at += 3 if below[at + 1].text == "{" else 1
            elif i.text != ",":
                raise self.refuse("an index is a letter here", i, r"write A_{ij} or A_{i,j}")
            at += 1
        self._name_list(names, item)
        return [name for name, _ in names]

    def _name_list(self, names: Sequence[tuple[str, Item]], item: Item) -> None:
        for k, (name, i) in enumerate(names):
            if k:
                self.emit("op", ",", item)
            self.emit("op" if name == ":" else "name", name, i)
