"""The search over formulas: the smallest change of the claim that makes it right, or of the right form to the claim."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.auditing.edits import Edit, Words, edits
from pullback.auditing.trial import Trial, close
from pullback.checking.evaluator import UnfitError
from pullback.errors import PullbackError
from pullback.syntax.tree import Binding, Syntax

SECONDS = 2.5
"""How long two changes at once are looked for."""
_LIKELY = frozenset("transpose_too_many transpose_too_few sign order order_and_transpose other_name".split())
_IN_PAIRS = frozenset(
    (
        "transpose_too_many transpose_too_few sign order order_and_transpose elementwise_for_product "
        "product_for_elementwise other_name power factor_two mean sum_missing axis mean_for_sum factor_missing "
        "grouping wrong_count"
    ).split()
)
"""What may be wrong beside something else; two bolder changes would explain anything."""


@dataclass(frozen=True)
class Change:
    """One or two edits that have the wanted values."""

    edits: tuple[Edit, ...]
    tree: Syntax

    @property
    def cost(self) -> float:
        """The sum of what the edits cost."""
        return sum(edit.cost for edit in self.edits)


@dataclass(frozen=True)
class Formulas:
    """Looks for changes of formulas over the values of the trials."""

    trials: Sequence[Trial]
    words: Words

    def changes(self, before: Sequence[Binding], tree: Syntax, target: Sequence[Any], deep: bool) -> Iterable[Change]:
        """Formulas one change away that have the wanted values; two changes away where one is not enough."""
        scopes = []
        for trial in self.trials:
            scopes.append(trial.evaluator.program(before, trial.values) if before else trial.values)
        first: dict[Syntax, Edit] = {}
        for edit in edits(tree, self.words):
            if edit.tree != tree and (edit.tree not in first or edit.cost < first[edit.tree].cost):
                first[edit.tree] = edit
        ranked = sorted(first.values(), key=lambda e: e.cost)
        found = [edit for edit in ranked if self._is(edit.tree, scopes, target)]
        yield from (Change((edit,), edit.tree) for edit in found)
        if found or not deep:
            return
        until = time.monotonic() + SECONDS
        for allowed in (_LIKELY, _IN_PAIRS):
            if (pair := self._pair(ranked, allowed, {tree, *first}, scopes, target, until)) is not None:
                yield pair
                return

    def _pair(
        self,
        ranked: Sequence[Edit],
        allowed: frozenset[str],
        seen: set[Syntax],
        scopes: Sequence[Mapping[str, Any]],
        target: Sequence[Any],
        until: float,
    ) -> Change | None:
        """The likeliest pair of changes that has the wanted values."""
        best: Change | None = None
        likely = [edit for edit in ranked if edit.key in allowed]
        for edit in likely:
            if best is not None and edit.cost + likely[0].cost >= best.cost:
                break
            for second in self._after(edit, allowed, seen):
                if best is not None and edit.cost + second.cost >= best.cost:
                    break
                seen.add(second.tree)
                if self._is(second.tree, scopes, target):
                    best = Change((edit, second), second.tree)
            if time.monotonic() > until:
                break
        return best

    def _after(self, edit: Edit, allowed: frozenset[str], seen: set[Syntax]) -> Iterator[Edit]:
        second = [e for e in edits(edit.tree, self.words) if e.key in allowed and e.tree not in seen]
        yield from sorted(second, key=lambda e: e.cost)

    def _is(self, tree: Syntax, scopes: Sequence[Mapping[str, Any]], target: Sequence[Any]) -> bool:
        import numpy as np

        for k, (scope, wanted) in enumerate(zip(scopes, target, strict=True)):
            try:
                with np.errstate(all="ignore"):
                    value = self.trials[k].evaluator.value(tree, scope)
            except (UnfitError, PullbackError, ValueError, TypeError, OverflowError, KeyError):
                return False
            if not close(value, wanted):
                return False
        return True
