"""Superscripts, subscripts and the axes of index notation in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pullback.syntax import latex_tokens as tex
from pullback.syntax.latex_tape import Tape
from pullback.syntax.latex_tokens import Item
from pullback.syntax.names import normalise
from pullback.syntax.tokens import Token

_SHIFTED = re.compile(r"([a-zA-Z]\w*)([-−+])(\d)")


def shifted(label: str) -> str | None:
    """Give a label as part of a name: l-1 is lm1, t+1 is tp1; None for what is no label.

    >>> shifted("l"), shifted("l-1"), shifted("12"), shifted("a b")
    ('l', 'lm1', '12', None)
    """
    found = _SHIFTED.fullmatch(label)
    if found:
        return f"{found[1]}{'p' if found[2] == '+' else 'm'}{found[3]}"
    return label if re.fullmatch(r"[a-zA-Z]|\d+", label) else None


class Scripts(Tape):
    """What is raised and lowered: powers, transposes, labels, indices."""

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
        return None if [i.text for i in axes] == ["+"] else (end, axes)

    def comprehension(self, item: Item, axes: tuple[int, list[Item]]) -> None:
        """Translate index notation, whose axes stand below its bracket."""
        end, below = axes
        self.emit("open", "[", item)
        self.index_list(below, item)
        self.emit("op", ":", item)
        self.scopes.append(None)
        self.sequence()
        self.scopes.pop()
        if self.item.text != r"\right":
            raise self.refuse("'[' is never closed", item, r"add \right]")
        self.emit("close", "]", self.item)
        self.at = end

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
        if before is not None and before.kind == "name" and mark.text == "^":
            if self._label_above(texts, raised, before):
                return
            if before.text == "e" and self.is_number_e:
                self._exponential(texts, raised, mark)
                return
        if texts in (["*"], [r"\ast"], [r"\star"], [r"\dagger"], ["H"]):
            raise self.refuse(
                f"^{texts[0]} could be a conjugate transpose or a label", mark, r"write A^\top, or W_{opt} for a name"
            )
        entrywise = mark.text == ".^" or texts[0] in (r"\circ", r"\odot", "∘", "⊙")
        if texts[0] in (r"\circ", r"\odot", "∘", "⊙"):
            raised = raised[1:]
        self.emit("op", ".^" if entrywise else "^", mark)
        self.grouped(raised, mark)

    def _label_above(self, texts: Sequence[str], raised: Sequence[Item], before: Token) -> bool:
        r"""Read ``W^{(1)}``, ``W^{[l]}`` and ``x^*`` as names, with a transpose behind where there is one."""
        transposed = len(texts) > 1 and texts[-1] in tex.TRANSPOSES - {"T"}
        if transposed:
            texts = texts[:-1]
        if texts in (["*"], [r"\ast"], [r"\star"]) and not before.text[:1].isupper():
            label: str | None = "star"
        elif len(texts) > 2 and (texts[0], texts[-1]) in (("(", ")"), ("[", "]")):
            label = shifted("".join(texts[1:-1]))
            if len(texts) == 3 and self._is_bound(texts[1]):
                self._index([raised[1]], before, raised[0], raised[-1])
                if transposed:
                    self.emit("transpose", "'", raised[-1])
                return True
        else:
            label = None
        if label is None:
            return False
        self._rename(label, raised[-1])
        if transposed:
            self.emit("transpose", "'", raised[-1])
        return True

    def _exponential(self, texts: Sequence[str], raised: Sequence[Item], mark: Item) -> None:
        if len(texts) == 1 and texts[0].isdigit():
            raise self.refuse("e^ could be the exponential or a power of a variable e", mark, r"write \exp(…)")
        self.out[-1] = self.out[-1]._replace(text="exp")
        self.grouped(raised, mark)

    def _rename(self, label: str, end: Item) -> None:
        token = self.out[-1]
        name = f"{token.text}_{label}"
        self.out[-1] = Token("name", name, token.start, end.end, self.text[token.start : end.end])

    def _is_bound(self, letter: str) -> bool:
        return any(scope is None or letter in scope for scope in self.scopes)

    def labelled(self, name: str, letters: Sequence[str], below: Sequence[Item]) -> None:
        """See the subscript of a name where no index is summed over; sums say what may stand there."""

    def indexed(self, name: str, item: Item) -> None:
        """See a name with an index that is summed over."""

    def subscript(self, mark: Item) -> None:
        """Translate an index, a label of a name, or the order of a norm."""
        below = self.argument()
        if not below or not self.out:
            raise self.refuse("the subscript is empty", mark, "write x_1 or x_{i}")
        before, end = self.out[-1], self.items[self.at - 1]
        if before.kind == "bar":
            text = "".join(i.text for i in below if i.text not in tex.UPRIGHT and i.text not in ("{", "}"))
            text = tex.NORMS.get(text, text)
            self.emit("subscript", f"_{text}", Item("", "", mark.start, end.end))
            return
        is_label = below[0].text in tex.UPRIGHT
        letters = [i.text for i in below if i.kind == "letter"]
        whole = [i for i in below if i.text == ":"]
        if not is_label and self.scopes and (whole or any(self._is_bound(c) for c in letters)):
            loose = next((i for i in below if i.kind == "letter" and not self._is_bound(i.text)), None)
            if loose is not None:
                raise self.refuse(f"the index {loose.text} is not summed over", loose, r"name it below the \sum")
            self._index(below, before, mark, below[-1])
            return
        if [i.text for i in below] == ["+"] and before.kind in ("close", "name"):
            self._positive_part(mark)
            return
        if before.kind != "name":
            hint = "name the whole, as in p = softmax(x), and take its entries in a sum: p_i"
            raise self.refuse("a subscript follows a name, a norm, or an entry inside a sum", mark, hint)
        self.labelled(before.text, letters, below)
        texts = [i.text for i in below if not (is_label and i.text in tex.UPRIGHT) and i.text not in ("{", "}")]
        label = "".join(tex.LETTERS.get(t, "_" if t == r"\_" else t) for t in texts)
        if "," in texts and all(len(part) == 1 for part in label.split(",")):
            label = label.replace(",", "")
        label = shifted(label.replace(",", "_")) or label
        if not re.fullmatch(r"\w+", label):
            raise self.refuse(f"the subscript {label} is not a name", below[0], "use letters or digits")
        self._rename(normalise(label) if not label.isascii() else label, end)

    def _positive_part(self, mark: Item) -> None:
        """Read ``[x]_+`` as relu(x)."""
        at, depth = len(self.out) - 1, 0
        while self.out[at].kind != "name" or depth:
            depth += (self.out[at].kind == "close") - (self.out[at].kind == "open")
            if not depth:
                break
            at -= 1
        opener = self.out[at]
        if opener.kind == "name":
            self.out[at:] = [Token("open", "(", opener.start, opener.start), opener]
            self.emit("close", ")", mark)
        self.out.insert(at, Token("name", "relu", opener.start, opener.start))

    def _index(self, below: Sequence[Item], before: Token, start: Item, end: Item) -> None:
        """Write the indices of an entry."""
        if before.kind == "name":
            self.indexed(before.text, below[0])
        self.emit("open", "[", start)
        self.used[-1] += self.index_list(below, start)
        self.emit("close", "]", end)

    def index_list(self, below: Sequence[Item], item: Item) -> list[str]:
        names: list[tuple[str, Item]] = []
        at = 0
        while at < len(below):
            i = below[at]
            if i.kind == "letter" or i.text == ":":
                names.append((i.text, i))
            elif i.text == "_" and names and at + 1 < len(below):
                digits = "".join(b.text for b in below[at + 1 : at + 4]).strip("{}")
                names[-1] = (names[-1][0] + digits, i)
                at += 3 if below[at + 1].text == "{" else 1
            elif i.text in ("+", "-", "−"):
                raise self.refuse(
                    "a shifted index is not read", i, "name the shifted part: slice(x, 1, n) leaves x_1 out"
                )
            elif i.text != ",":
                raise self.refuse("an index is a letter here", i, r"write A_{ij} or A_{i,j}")
            at += 1
        self.name_list(names, item)
        return [name for name, _ in names]

    def name_list(self, names: Sequence[tuple[str, Item]], item: Item) -> None:
        for k, (name, i) in enumerate(names):
            if k:
                self.emit("op", ",", item)
            self.emit("op" if name == ":" else "name", name, i)
