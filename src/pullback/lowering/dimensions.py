"""Unification of dimensions.

A dimension that is not known yet is a name that starts with ``?``; one that a text merely mentions
(``eye(n)``) starts with ``~`` and becomes that name where nothing else decides it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pullback.dimension import ONE, Dimension

_LETTERS = ("n", "m", "k", "p", "q", "r", "s", "t", "d", "l")


class Solver:
    """Holds what is known of the unknown dimensions.

    A declared name may turn out to be a number of at least ``least``: not one while a program is
    lowered, since that would change what the axes are; any number where values are fitted.
    """

    def __init__(self, least: int = 2) -> None:
        self.least = least
        self.bound: dict[str, Dimension] = {}
        self.mentioned: list[str] = []
        self.composed: list[tuple[Dimension, ...]] = []
        self.count = 0

    def mention(self, name: str) -> Dimension:
        """Make a dimension of a name that the text uses as one."""
        self.mentioned.append(name)
        return Dimension.of(f"~{name}")

    def fresh(self) -> Dimension:
        """Make a dimension that nothing is known of."""
        self.count += 1
        return Dimension.of(f"?{self.count}")

    def copy(self) -> Solver:
        """Copy, for trying out."""
        other = Solver(self.least)
        other.bound, other.mentioned, other.count = dict(self.bound), list(self.mentioned), self.count
        other.composed = list(self.composed)
        return other

    def compose(self, lengths: Iterable[Dimension]) -> Dimension:
        """Make one axis of several, the slowest first; equal products are later taken apart in this order."""
        parts = tuple(lengths)
        if len(parts) > 1:
            self.composed.append(parts)
        total = ONE
        for part in parts:
            total = total * self.resolve(part)
        return total

    def strides(self, length: Dimension, before: int | None = None) -> list[Dimension] | None:
        """The lengths that an axis was made of, the slowest first; None for one that was not made of several.

        ``before`` is how many of the axes made so far may be looked at.
        """
        for position, parts in reversed(list(enumerate(self.composed[:before]))):
            resolved = [part for part in map(self.resolve, parts) if part is not ONE]
            total = ONE
            for part in resolved:
                total = total * part
            if total is length and len(resolved) > 1:
                return [inner for part in resolved for inner in (self.strides(part, position) or [part])]
        return None

    def resolve(self, dimension: Dimension) -> Dimension:
        """Put in what is known."""
        while True:
            name = dimension.name
            if name is not None:
                found = self.bound.get(name)
                if found is None:
                    return dimension
                dimension = found
                continue
            replaced = dimension.substitute(self.bound)
            if replaced is dimension:
                return dimension
            dimension = replaced

    def is_undetermined(self, length: Dimension) -> bool:
        """Whether a length has several unknown ones in it, so that a number does not say what they are."""
        return sum(map(_is_open, self.resolve(length).names)) > 1

    def unify(self, left: Dimension, right: Dimension) -> bool:
        """Make two dimensions equal; False where they can't be."""
        left, right = self.resolve(left), self.resolve(right)
        if left is right:
            return True
        for here, there in ((left, right), (right, left)):
            name = here.name
            if name is not None and _is_open(name) and name not in there.names:
                if name[0] == "~" and there.name is not None and there.name[0] == "?":
                    continue
                self.bound[name] = there
                return True
        names = {*left.names, *right.names}
        for name in sorted(names):
            if name[0] == "~" and name[1:] in names:  # a length that the text names is the one of that name
                self.bound[name] = Dimension.of(name[1:])
                return self.unify(left, right)
        return self._solve_linear(left - right) or self._specialise(left, right) or self._pair_up(left, right)

    def _solve_linear(self, difference: Dimension) -> bool:
        """Solve a x + rest = 0 for a name x that occurs once and is open; where values are fitted, all are."""
        for monomial, coefficient in difference.terms:
            if len(monomial) != 1 or not (_is_open(monomial[0]) or not self.least):
                continue
            rest = Dimension._intern({m: c for m, c in difference.terms if m != monomial})
            if monomial[0] in rest.names or any(c % coefficient for _, c in rest.terms):
                continue
            self.bound[monomial[0]] = Dimension._intern({m: -c // coefficient for m, c in rest.terms})
            return True
        return False

    def _pair_up(self, left: Dimension, right: Dimension) -> bool:
        """Two products of as many lengths, some unknown, are taken factor by factor: m n = p q."""
        if len(left.terms) != 1 or len(right.terms) != 1 or left.terms[0][1] != right.terms[0][1]:
            return False
        first, second = self.strides(left), self.strides(right)
        if first is not None and second is not None and len(first) == len(second):
            return all(self.unify(x, y) for x, y in zip(first, second, strict=True))
        a, b = list(left.terms[0][0]), list(right.terms[0][0])
        for name in [name for name in a if name in b]:
            if name in b:
                a.remove(name)
                b.remove(name)
        if len(a) != len(b) or not any(map(_is_open, a + b)):
            return False
        a.sort(key=_age)
        b.sort(key=_age)
        return all(self.unify(Dimension.of(x), Dimension.of(y)) for x, y in zip(a, b, strict=True))

    def _specialise(self, left: Dimension, right: Dimension) -> bool:
        """A declared name may turn out to be a number."""
        for here, there in ((left, right), (right, left)):
            if here.name is not None and there.number is not None and there.number >= self.least:
                self.bound[here.name] = there
                return True
        return False

    def name_unknowns(self, shapes: Iterable[tuple[Dimension, ...]], taken: Iterable[str]) -> None:
        """Give every dimension that is still unknown a name: n for what is summed over, then m, then k."""
        used = {*taken, *self.mentioned}
        shapes = list(shapes)
        for name in self.mentioned:
            if self.resolve(Dimension.of(f"~{name}")).name == f"~{name}":
                self.bound[f"~{name}"] = Dimension.of(name)
        for shape in shapes:
            for dimension in shape:
                used |= {name for name in self.resolve(dimension).names if not _is_open(name)}
        letters = [letter for letter in _LETTERS if letter not in used]
        for shape in shapes:
            for dimension in reversed(shape):
                for name in sorted(self.resolve(dimension).names):
                    if _is_open(name):
                        letters = [letter for letter in letters if letter not in used]
                        fresh = letters.pop(0) if letters else self._numbered(used)
                        used.add(fresh)
                        self.bound[name] = Dimension.of(fresh)

    @staticmethod
    def _numbered(used: set[str]) -> str:
        k = 1
        while f"n{k}" in used:
            k += 1
        return f"n{k}"


def _is_open(name: str) -> bool:
    return name[0] in "?~"


def _age(name: str) -> tuple[int, str]:
    """Unknown dimensions in the order in which they were made, before names."""
    return (int(name[1:]), "") if name[0] == "?" else (1_000_000, name)
