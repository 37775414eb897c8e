"""The search for the smallest mistake that explains a wrong claim."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from pullback.auditing.claims import Claim
from pullback.auditing.edits import Edit, Words, edits
from pullback.auditing.relations import Compared, Relation, relations, scale_of
from pullback.auditing.report import Explanation
from pullback.auditing.slips import Slip, slips
from pullback.auditing.stages import Replace, Stage, reverse
from pullback.auditing.trial import Trial, close
from pullback.checking.evaluator import UnfitError
from pullback.errors import PullbackError
from pullback.syntax.printer import show_program
from pullback.syntax.tree import Binding, Syntax
from pullback.tensor.node import Node, Variable

SECONDS = 4.0
"""How long two changes at once are looked for."""
_PAIR_RANK = 1.5
_STEP_KEYS = 3.6
_LIKELY = frozenset("transpose_too_many transpose_too_few sign order order_and_transpose other_name".split())
_IN_PAIRS = frozenset(
    (
        "transpose_too_many transpose_too_few sign order order_and_transpose elementwise_for_product "
        "product_for_elementwise other_name power factor_two mean sum_missing axis mean_for_sum factor_missing"
    ).split()
)
"""What may be wrong beside something else; two bolder changes would explain anything."""


@dataclass(frozen=True)
class Candidate:
    """An explanation with how likely it is; the smaller the rank the likelier."""

    rank: float
    explanation: Explanation


@dataclass
class Search:
    """Everything that the search for one program shares between claims."""

    stages: Sequence[Stage]
    trials: Sequence[Trial]
    upstream: Node
    wanted: Mapping[str, Variable]
    shapes: Mapping[str, tuple[Any, ...]]
    spelling: Callable[[str], str]
    words: Words
    batch: str | None
    forms: Mapping[str, Sequence[Binding]]
    without_upstream: Mapping[str, Sequence[Any]]
    _slipped: list[tuple[Slip, Mapping[str, Any]]] | None = None

    # slips

    @property
    def slipped(self) -> list[tuple[Slip, Mapping[str, Any]]]:
        """Every slip with the gradients that it leads to at the first trial."""
        if self._slipped is None:
            self._slipped = []
            for slip in slips(self.stages, set(self.wanted), self.spelling):
                found = self.gradients(slip, 0)
                if found is not None:
                    self._slipped.append((slip, found))
        return self._slipped

    def gradients(self, slip: Replace, k: int) -> Mapping[str, Any] | None:
        """The gradients at a trial if the reverse pass slips there; None where it can't be computed."""
        import numpy as np

        try:
            nodes = reverse(self.stages, self.upstream, self.wanted, slip)
            arrays = self.trials[k].compute(list(nodes.values()))
        except (AssertionError, PullbackError, KeyError, ValueError, np.linalg.LinAlgError):
            return None
        return {name: self.full(name, array, k) for name, array in zip(nodes, arrays, strict=True)}

    def full(self, name: str, array: Any, k: int) -> Any:
        """An array in the full shape of its variable."""
        return array.reshape(tuple(axis.evaluate(self.trials[k].sizes) for axis in self.shapes[name]))

    def by_slips(self, claim: Claim, values: Sequence[Any], others: Mapping[str, Sequence[Any]]) -> Iterable[Candidate]:
        """Slips that lead to the claim at every trial; those that explain other wrong claims too come first."""
        for slip, found in self.slipped:
            result = found[claim.variable]
            if self._factor(values[0], result) is None:
                continue
            later = [self.gradients(slip, k) for k in range(1, len(self.trials))]
            if any(each is None for each in later):
                continue
            every = [found, *(each for each in later if each is not None)]
            if all(
                close(each[claim.variable], t.right[claim.variable]) for each, t in zip(every, self.trials, strict=True)
            ):
                continue
            relation = self._relation(values, [each[claim.variable] for each in every])
            if relation is None:
                continue
            shared = sum(
                all(close(o, each[name]) for o, each in zip(arrays, every, strict=True))
                for name, arrays in others.items()
            )
            rank = slip.rank - 0.2 * shared - 1e-3 * self.stages.index(slip.stage)
            fields = dict(slip.fields)
            key = slip.key
            if relation.key != "same":
                rank += _PAIR_RANK + relation.rank
                fields["also"] = relation.fields.get("ratio", "-1")
                key = f"{slip.key}+factor"
            yield Candidate(rank, Explanation(key, fields, slip.stage.text))

    def by_two_paths(self, claim: Claim, values: Sequence[Any]) -> Iterable[Candidate]:
        """Two paths taken as constants: the mean and the variance of a normalisation."""
        paths = [slip for slip, _ in self.slipped if slip.key in ("path", "path_of_sum")]
        until = time.monotonic() + SECONDS
        for first, second in combinations(paths, 2):

            def both(
                stage: Stage, node: Node, k: int, c: Node, g: Node, a: Slip = first, b: Slip = second
            ) -> Node | None:
                other = a(stage, node, k, c, g)
                return b(stage, node, k, c, g) if other is None else other

            every = [self.gradients(both, k) for k in range(1)]
            if every[0] is not None and close(values[0], every[0][claim.variable]):
                later = [self.gradients(both, k) for k in range(1, len(self.trials))]
                if all(e is not None and close(v, e[claim.variable]) for v, e in zip(values[1:], later, strict=True)):
                    fields = {
                        "part": first.fields["part"],
                        "other": second.fields["part"],
                        "also_step": second.stage.text,
                    }
                    yield Candidate(2.6, Explanation("two_paths", fields, first.stage.text))
                    return
            if time.monotonic() > until:
                return

    @staticmethod
    def _factor(claim: Any, result: Any) -> float | None:
        """The number that makes a slipped result of the claim; None where there is none."""
        import numpy as np

        if np.shape(claim) != np.shape(result) or not np.all(np.isfinite(result)):
            return None
        if close(claim, result):
            return 1.0
        if np.size(result) < 2 or not np.any(result):
            return None
        at = int(np.argmax(np.abs(result)))
        ratio = float(claim.reshape(-1)[at] / result.reshape(-1)[at])
        return ratio if ratio and close(claim, ratio * result) else None

    def _relation(self, values: Sequence[Any], results: Sequence[Any]) -> Relation | None:
        if all(close(v, r) for v, r in zip(values, results, strict=True)):
            return Relation("same", 0.0)
        ratios = []
        for value, result in zip(values, results, strict=True):
            ratio = self._factor(value, result)
            if ratio is None:
                return None
            ratios.append(ratio)
        found = next(iter(scale_of(ratios, [t.sizes for t in self.trials], self.batch)), None)
        return found if found is not None and found.rank < 1 else None

    # relations

    def by_relation(self, claim: Claim, values: Sequence[Any]) -> Iterable[Candidate]:
        """What relates the claim as a whole to the right gradient."""
        name = claim.variable
        pairs = [
            Compared(
                value,
                trial.right[name],
                self.without_upstream[name][k],
                {other: trial.right[other] for other in self.wanted if other != name},
                trial.values[name],
                trial.sizes,
                self.batch,
            )
            for k, (value, trial) in enumerate(zip(values, self.trials, strict=True))
        ]
        for relation in relations(pairs):
            yield Candidate(relation.rank, Explanation(relation.key, {"name": self.spelling(name), **relation.fields}))

    # edits

    def by_edits(self, claim: Claim, values: Sequence[Any] | None, deep: bool) -> Iterable[Candidate]:
        """Changes of the claim that make it right, or of the right form that make the claim."""
        name = claim.variable
        if claim.is_text:
            *before, last = claim.bindings
            target = [trial.right[name] for trial in self.trials]
            for edit in self._edits(before, last.value, target, deep):
                mended = show_program([*before, Binding(None, edit.tree)])
                yield Candidate(edit.cost, Explanation(f"edit.{edit.key}", edit.fields, "", mended.replace("\n", "; ")))
            return
        if values is None:
            return
        *before, last = self.forms[name]
        for edit in self._edits(before, last.value, values, deep):
            yield Candidate(edit.cost + 0.5, Explanation(f"made.{edit.key}", edit.fields))

    def _edits(self, before: Sequence[Binding], tree: Syntax, target: Sequence[Any], deep: bool) -> Iterable[Edit]:
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
        yield from found
        if found or not deep:
            return
        until = time.monotonic() + SECONDS
        for allowed in (_LIKELY, _IN_PAIRS):
            yield from self._pairs(
                [e for e in ranked if e.key in allowed], allowed, {tree, *first}, scopes, target, until
            )

    def _pairs(
        self,
        ranked: Sequence[Edit],
        allowed: frozenset[str],
        seen: set[Syntax],
        scopes: Sequence[Mapping[str, Any]],
        target: Sequence[Any],
        until: float,
    ) -> Iterable[Edit]:
        """The first pair of changes that has the wanted values."""
        for edit in ranked:
            for second in edits(edit.tree, self.words):
                if second.key not in allowed or second.tree in seen:
                    continue
                seen.add(second.tree)
                if self._is(second.tree, scopes, target):
                    both = {**second.fields, **edit.fields}
                    yield Edit(
                        second.tree, "two", edit.cost + second.cost, {"first": edit.key, "second": second.key, **both}
                    )
                    return
            if time.monotonic() > until:
                return

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

    def explain(
        self, claim: Claim, values: Sequence[Any] | None, others: Mapping[str, Sequence[Any]]
    ) -> tuple[Explanation, ...]:
        """The explanations of a wrong claim, the likeliest first."""
        found: list[Candidate] = []
        slipped: list[Candidate] = []
        if values is not None:
            found += self.by_relation(claim, values)
            slipped = sorted(self.by_slips(claim, values, others), key=lambda c: c.rank)
            found += slipped
        best = min((c.rank for c in found), default=9.0)
        if best > 1.0:
            near = list(self.by_two_paths(claim, values)) if values is not None and best > 3.9 else []
            found += near
            found += self.by_edits(claim, values, best > 3.9 and not near)
        found.sort(key=lambda candidate: candidate.rank)
        step = (
            slipped[0].explanation.step if slipped and slipped[0].rank < _STEP_KEYS else self.last_step(claim.variable)
        )
        explanations: list[Explanation] = []
        for candidate in found:
            e = candidate.explanation
            if all((e.key, e.step) != (o.key, o.step) for o in explanations):
                explanations.append(Explanation(e.key, e.fields, e.step or step, e.mended))
        return tuple(explanations[:5])

    def last_step(self, name: str) -> str:
        """The step through which the gradient reaches a variable."""
        from pullback.tensor.node import topological

        for stage in self.stages:
            if any(isinstance(v, Variable) and v.name == name for v in topological([stage.local])):
                return stage.text
        return ""
