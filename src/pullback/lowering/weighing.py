"""Lowering that notes what is odd: places where a name is a scalar, and a reader would not think so."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.lowering.expressions import Lowering
from pullback.lowering.kinds import ODD, ODD_CAPITAL, ODD_SUM, OF_ARRAYS, OF_MATRICES, RATHER_ODD, VERY_ODD, is_capital
from pullback.lowering.value import Context, Value
from pullback.syntax.entries import ENTRYWISE
from pullback.syntax.names import is_greek
from pullback.syntax.parser import is_latex

_NORMS = frozenset(["norm", "norm1"])
_SCALAR_BEHIND = 1
"""Of a_i d_i, the first is the scalar, as papers write it."""
_ENTRY = "[entry]"
"""What stands for the name of an entry of a tensor."""


class Weighing(Lowering):
    """Lowers a program in which the kinds of some names are tried.

    Scalars that are made of such names and numbers alone are *loose*: they would be something else if the
    names were. A sum of vectors in which one is repeated has it *spread*.
    """

    def __init__(self, context: Context, dimensions: frozenset[str]) -> None:
        super().__init__(context, dimensions)
        self.tried: dict[Value, str] = {}
        """The inputs whose kinds are tried."""
        self.cost = 0
        self.seen: set[str] = set()
        self._bare: dict[Value, str] = {}
        self._loose: dict[Value, tuple[str, ...]] = {}
        self._spread: dict[Value, tuple[str, ...]] = {}
        self._scaled: set[Value] = set()
        self._entries: set[Value] = set()
        self._applied: set[Value] = set()
        self._entrywise_scalar = ODD if is_latex(context.source) else 0
        """The notation lets a scalar stand beside .*, papers write no circle for it."""

    def note(self, operation: str, parts: Sequence[Value], result: Value, last: bool = False) -> Value:
        """See what an operation is given."""
        if operation == "entry" or any(part in self._entries for part in parts):
            self._entries.add(result)
        if operation == "name":
            self._name(parts[0], result)
        elif operation in ("entry", "entries"):
            self._entry(parts, result, operation == "entries")
        elif operation == "number":
            self._loose[result] = ()
        elif operation == "sum":
            self._sum(parts, result)
        elif operation == "transpose":
            self._reach(parts[0], ODD, self._spread.get(parts[0], ()))
        elif operation == "power":
            self._power(parts[0], result)
        elif operation in ("*", "/"):
            self._product(parts[0], parts[1], result, last and operation == "*")
        elif operation in (".*", "./"):
            self._entrywise(parts[0], parts[1], result)
        elif operation in OF_MATRICES and len(parts) == 1:
            self._reach(parts[0], ODD, ())
        elif operation in OF_ARRAYS and len(parts) == 1:
            self._reach(parts[0], ODD, self._spread.get(parts[0], ()) if operation in _NORMS else ())
        elif operation in ENTRYWISE:
            self._applied.add(result)
        return result

    def _name(self, found: Value, result: Value) -> None:
        for table in (self._loose, self._spread):
            if found in table:
                table[result] = table[found]
        if self._bare.get(found) == _ENTRY:
            self._bare[result] = _ENTRY
        name = self.tried.get(found)
        if name is not None:
            self.seen.add(name)
            self._bare[result] = name
            if not found.shape:
                self._loose[result] = (name,)

    def _entry(self, parts: Sequence[Value], result: Value, summed: bool) -> None:
        """An entry, or a sum of nothing but entries, could be a row; what is summed over is no entry any more."""
        if summed:
            self._entries.discard(result)
            self.cost += ODD_SUM * any(part in self._applied and not self.context.is_scalar(part) for part in parts)
        if not result.shape and (not summed or all(part in self._loose for part in parts)):
            self._loose[result] = (_ENTRY,)
            self._bare[result] = _ENTRY

    def _reach(self, part: Value, odd: int, spread: Sequence[str]) -> None:
        """A scalar stands where something with entries is wanted; of a bare name that is known already."""
        if self._loose.get(part) and self._bare.get(part, _ENTRY) == _ENTRY:
            self.cost += odd
        self.cost += RATHER_ODD * len(spread)

    def _sum(self, parts: Sequence[Value], result: Value) -> None:
        loose = [self._loose.get(part) for part in parts]
        names = tuple(name for some in loose if some for name in some)
        if self.context.is_scalar(result):
            if None not in loose:
                self._loose[result] = names
            return
        if any(part in self._entries and self.context.is_scalar(part) for part in parts):
            self.cost += VERY_ODD
        if result.rank == 2:
            bare = (self._bare[part] for part in parts if part in self._bare and part in self._loose)
            self.cost += ODD * sum(not is_greek(name) for name in bare)
        self._spread[result] = (*names, *(name for part in parts for name in self._spread.get(part, ())))
        if any(part in self._scaled for part in parts):
            self.cost += RATHER_ODD * len(names)

    def _product(self, left: Value, right: Value, result: Value, last: bool) -> None:
        a, b = self._loose.get(left), self._loose.get(right)
        if a is not None and b is not None:
            self._loose[result] = a + b
            return
        for mine, other in ((a, right), (b, left)):
            if mine and not self.context.is_scalar(other):
                self.cost += ODD_CAPITAL * sum(is_capital(name) and is_greek(name) for name in mine)
        if last and left in self._bare and a is not None and self.context.is_row(right):
            self.cost += RATHER_ODD
        if self._bare.get(right) == _ENTRY and b is not None:
            self.cost += _SCALAR_BEHIND
        if left.rank == 2 and not self.context.is_scalar(left):
            if last and right in self._bare and b is not None:
                name = self._bare[right]
                self.cost += RATHER_ODD if name == _ENTRY or is_greek(name) else VERY_ODD
            self.cost += RATHER_ODD * len(self._spread.get(right, ()))

    def _entrywise(self, left: Value, right: Value, result: Value) -> None:
        if left in self._loose and right in self._loose:
            self._loose[result] = self._loose[left] + self._loose[right]
            return
        for part, other in ((left, right), (right, left)):
            if part not in self._bare:
                continue
            if part in self._loose:
                self.cost += self._entrywise_scalar
            elif is_greek(self._bare[part]):
                self._scaled.add(result)
                self.cost += RATHER_ODD * len(self._spread.get(other, ()))

    def _power(self, base: Value, result: Value) -> None:
        loose = self._loose.get(base)
        if loose is None or not self.context.is_scalar(base):
            return
        self._loose[result] = loose
        if base not in self._bare:
            self.cost += ODD_CAPITAL * any(is_capital(name) and is_greek(name) for name in loose)
