"""The search for the smallest mistake that explains a wrong claim."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from pullback.auditing.claims import Claim
from pullback.auditing.conditions import conditions
from pullback.auditing.edits import Words
from pullback.auditing.formulas import Change, Formulas
from pullback.auditing.functions import opened
from pullback.auditing.ratios import known_factors, missing_factors
from pullback.auditing.relations import Compared, Relation, relations, scale_of
from pullback.auditing.report import Explanation
from pullback.auditing.slips import Slip, slips
from pullback.auditing.stages import Replace, Stage, reverse
from pullback.auditing.trial import Setting, Trial, close
from pullback.auditing.wording import Wording
from pullback.checking.evaluator import UnfitError
from pullback.errors import PullbackError
from pullback.syntax.printer import show_program
from pullback.syntax.tree import Binding
from pullback.tensor.node import Apply, Node, Variable, topological
from pullback.tensor.substitute import Lifted, substitute

SECONDS = 2.5
"""How long two slips at once are looked for."""
_CERTAIN = 1.0
"""What explains better than this needs no look at formulas."""
_POOR = 3.9
"""What explains worse than this is looked for in pairs."""
_PAIR_RANK = 1.5
_FORM = 1.6
"""A change of the right form is a guess about a formula that was never written."""
_STEP_KEYS = 3.6
_IN_PAIRS = frozenset(
    "path mean_as_sum derivative_missing factor divisor sign power_factor transpose_other coefficient at_output".split()
)
"""Slips that are made beside another one."""


@dataclass(frozen=True)
class Candidate:
    """An explanation with how likely it is; the smaller the rank the likelier."""

    rank: float
    explanation: Explanation


Slipped = tuple[Slip, Mapping[str, Any]]


@dataclass
class Search:
    """Everything that the search for one program shares between claims.

    Attributes:
        setting: The program, and how points of it are computed.
        stages: Its steps, functions recognised.
        trials: The points.
        upstream: The gradient of the output as a graph.
        wanted: The variables that are audited.
        shapes: Their full shapes.
        wording: What everything is called.
        words: What may be put into a formula.
        batch: The name of the batch axis.
        forms: The right gradients as formulas.
        without_upstream: The right gradients where every entry of g is one, at each trial.
        free: Inputs without declared structure.
        alike: Inputs that were drawn like the given values.
    """

    setting: Setting
    stages: Sequence[Stage]
    trials: Sequence[Trial]
    upstream: Node
    wanted: Mapping[str, Variable]
    shapes: Mapping[str, tuple[Any, ...]]
    wording: Wording
    words: Words
    batch: str | None
    forms: Mapping[str, Sequence[Binding]]
    without_upstream: Mapping[str, Sequence[Any]]
    free: Sequence[str] = ()
    alike: frozenset[str] = frozenset()

    # slips

    @cached_property
    def slipped(self) -> list[Slipped]:
        """Every slip with the gradients that it leads to at the first trial."""
        return list(self._slips(self.stages))

    @cached_property
    def inside(self) -> list[Stage]:
        """The steps with functions written out, such as silu(x) = x .* sigmoid(x)."""
        return [_opened(stage) for stage in self.stages]

    @cached_property
    def slipped_inside(self) -> list[Slipped]:
        """Slips in what is written out."""
        changed = {o.name for s, o in zip(self.stages, self.inside, strict=True) if s is not o}
        return [(slip, found) for slip, found in self._slips(self.inside) if slip.stage.name in changed]

    def _slips(self, stages: Sequence[Stage]) -> Iterator[Slipped]:
        for slip in slips(stages, set(self.wanted), self.wording):
            found = self.gradients(slip, 0, stages)
            if found is not None:
                yield slip, found

    def gradients(self, slip: Replace, k: int, stages: Sequence[Stage] | None = None) -> Mapping[str, Any] | None:
        """The gradients at a trial if the reverse pass slips there; None where it can't be computed."""
        import numpy as np

        try:
            nodes = reverse(self.stages if stages is None else stages, self.upstream, self.wanted, slip)
            with np.errstate(all="ignore"):
                arrays = self.trials[k].compute(list(nodes.values()))
        except (AssertionError, PullbackError, KeyError, ValueError, np.linalg.LinAlgError):
            return None
        return {name: self.full(name, array, k) for name, array in zip(nodes, arrays, strict=True)}

    def full(self, name: str, array: Any, k: int) -> Any:
        """An array in the full shape of its variable."""
        return array.reshape(tuple(axis.evaluate(self.trials[k].sizes) for axis in self.shapes[name]))

    def by_slips(
        self, claim: Claim, values: Sequence[Any], others: Mapping[str, Sequence[Any]], inside: bool = False
    ) -> Iterable[Candidate]:
        """Slips that lead to the claim at every trial; those that explain other wrong claims too come first."""
        stages = self.inside if inside else self.stages
        order = {stage.name: k for k, stage in enumerate(self.stages)}
        for slip, found in self.slipped_inside if inside else self.slipped:
            result = found[claim.variable]
            if self._factor(values[0], result) is None:
                continue
            later = [self.gradients(slip, k, stages) for k in range(1, len(self.trials))]
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
            rank = slip.rank - 0.2 * shared - 1e-3 * order[slip.stage.name]
            explanation = self._of_slip(claim, slip)
            if relation.key != "same":
                rank += _PAIR_RANK + relation.rank
                fields = {**explanation.fields, "also": relation.fields.get("ratio", "-1")}
                explanation = Explanation(f"{explanation.key}+factor", fields, explanation.step)
            yield Candidate(rank, explanation)

    def _of_slip(self, claim: Claim, slip: Slip) -> Explanation:
        fields = {**slip.fields, "name": self.wording.name(claim.variable)}
        key = "use" if slip.key == "path" and fields["part"] == fields["name"] else slip.key
        return Explanation(key, fields, slip.stage.text)

    def by_two_slips(self, claim: Claim, values: Sequence[Any]) -> Iterable[Candidate]:
        """Two slips at once: the mean and the variance of a normalisation taken as constants."""
        likely = sorted((slip for slip, _ in self.slipped if slip.key in _IN_PAIRS), key=lambda s: s.rank)
        paths = [slip for slip in likely if slip.key == "path"]
        until = time.monotonic() + SECONDS
        pairs = [*combinations(paths, 2), *((a, b) for a, b in combinations(likely, 2) if {a.key, b.key} != {"path"})]
        pairs.sort(key=lambda pair: pair[0].rank + pair[1].rank)
        for first, second in pairs:

            def both(
                stage: Stage, node: Node, k: int, c: Node, g: Node, a: Slip = first, b: Slip = second
            ) -> Node | None:
                other = a(stage, node, k, c, g)
                return b(stage, node, k, c, g) if other is None else other

            found = self.gradients(both, 0)
            if found is not None and close(values[0], found[claim.variable]):
                later = [self.gradients(both, k) for k in range(1, len(self.trials))]
                if all(e is not None and close(v, e[claim.variable]) for v, e in zip(values[1:], later, strict=True)):
                    yield Candidate(3.0, self._two(claim, first, second))
                    return
            if time.monotonic() > until:
                return

    def _two(self, claim: Claim, first: Slip, second: Slip) -> Explanation:
        parts = (self._of_slip(claim, first), self._of_slip(claim, second))
        if first.key == second.key == "path":
            fields = {
                "name": self.wording.name(claim.variable),
                "part": first.fields["part"],
                "other": second.fields["part"],
            }
            return Explanation("two_paths", fields, first.stage.text)
        return Explanation("two", {}, first.stage.text, parts=parts)

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

    # what relates the claim as a whole to the right gradient

    def by_relation(self, claim: Claim, values: Sequence[Any]) -> Iterable[Candidate]:
        """Transposed, scaled, not summed, swapped."""
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
                claim.is_text,
            )
            for k, (value, trial) in enumerate(zip(values, self.trials, strict=True))
        ]
        for relation in relations(pairs):
            fields = {"name": self.wording.name(name), **relation.fields}
            if "other" in fields:
                fields["other"] = self.wording.name(fields["other"])
            yield Candidate(relation.rank, Explanation(relation.key, fields))

    def by_ratio(self, claim: Claim, values: Sequence[Any]) -> Iterable[Candidate]:
        """A factor that is no number: a norm, the value of a step."""
        name = claim.variable
        called = {key: self.wording.name(key) for trial in self.trials[:1] for key in trial.values}
        factors = [known_factors(trial.values, called) for trial in self.trials]
        for relation in missing_factors(values, [t.right[name] for t in self.trials], factors):
            yield Candidate(relation.rank, Explanation(relation.key, relation.fields))

    def by_condition(self, claim: Claim, values: Sequence[Any]) -> Iterable[Candidate]:
        """What the claim takes for granted: it is right where an input has a property."""
        for condition in conditions(self.trials[0].values, self.free):
            if any(v.shape != t.right[claim.variable].shape for v, t in zip(values, self.trials, strict=True)):
                return
            if condition.name in self.alike:
                continue
            if all(self._right_where(claim, trial, condition) for trial in self.trials):
                text = self.wording.name(condition.name)
                yield Candidate(condition.rank, Explanation(f"only_if.{condition.key}", {"part": text}))

    def _right_where(self, claim: Claim, trial: Trial, condition: Any) -> bool:
        import numpy as np

        try:
            special = self.setting.changed(trial, condition.met(trial.values))
            value = np.asarray(claim.at(special), dtype=np.float64)
        except (PullbackError, UnfitError, ValueError, TypeError, KeyError, IndexError, np.linalg.LinAlgError):
            return False
        right = special.right[claim.variable]
        return bool(np.any(right)) and close(value, right)

    def by_stop(self, claim: Claim, values: Sequence[Any]) -> Iterable[Candidate]:
        """The gradient of a step in place of that of the variable: the chain rule was not followed to its end."""
        seen: dict[str, Node] = {}
        reverse(self.stages, self.upstream, self.wanted, None, seen)
        axes = self.wanted[claim.variable].axes
        for stage in self.stages[:-1]:
            if stage.name in seen and seen[stage.name].axes == axes:
                arrays = [t.compute([seen[stage.name]])[0] for t in self.trials]
                shaped = [self.full(claim.variable, array, k) for k, array in enumerate(arrays)]
                if all(close(v, a) for v, a in zip(values, shaped, strict=True)):
                    fields = {"part": self.wording.name(stage.name), "name": self.wording.name(claim.variable)}
                    yield Candidate(1.75, Explanation("stopped", fields, stage.text))

    # formulas

    def by_edits(self, claim: Claim, values: Sequence[Any] | None, deep: bool) -> Iterable[Candidate]:
        """Changes of the claim that make it right, or of the right form that make the claim."""
        name = claim.variable
        formulas = Formulas(self.trials, self.words)
        if claim.is_text:
            *before, last = claim.bindings
            target = [trial.right[name] for trial in self.trials]
            for change in formulas.changes(before, last.value, target, deep):
                mended = show_program([*before, Binding(None, change.tree)])
                yield Candidate(change.cost, _said(change, "edit", mended.replace("\n", "; ")))
            return
        if values is None:
            return
        *before, last = self.forms[name]
        for change in formulas.changes(before, last.value, values, deep):
            yield Candidate(change.cost + _FORM, _said(change, "made"))

    # all of them

    def explain(
        self, claim: Claim, values: Sequence[Any] | None, others: Mapping[str, Sequence[Any]]
    ) -> tuple[Explanation, ...]:
        """The explanations of a wrong claim, the likeliest first."""
        found: list[Candidate] = []
        slipped: list[Candidate] = []
        if values is not None:
            found += self.by_relation(claim, values)
            found += self.by_condition(claim, values)
            slipped = sorted(self.by_slips(claim, values, others), key=lambda c: c.rank)
            found += slipped
        if _best(found) > _CERTAIN and values is not None:
            found += self.by_stop(claim, values)
            found += self.by_ratio(claim, values)
        if _best(found) > _CERTAIN:
            found += self.by_edits(claim, values, False)
        if _best(found) > 2.4 and values is not None and any(opened_in(stage) for stage in self.stages):
            found += self.by_slips(claim, values, others, inside=True)
        if _best(found) > _POOR:
            found += self.by_two_slips(claim, values) if values is not None else ()
        if _best(found) > _POOR:
            found += self.by_edits(claim, values, True)
        found.sort(key=lambda candidate: candidate.rank)
        step = (
            slipped[0].explanation.step if slipped and slipped[0].rank < _STEP_KEYS else self.last_step(claim.variable)
        )
        explanations: list[Explanation] = []
        for candidate in found:
            e = candidate.explanation
            if all((e.key, e.step) != (o.key, o.step) for o in explanations):
                explanations.append(Explanation(e.key, e.fields, e.step or step, e.mended, e.parts))
        return tuple(explanations[:5])

    def last_step(self, name: str) -> str:
        """The step through which the gradient reaches a variable."""
        for stage in self.stages:
            if any(isinstance(v, Variable) and v.name == name for v in topological([stage.local])):
                return stage.text
        return ""


def _best(found: Sequence[Candidate]) -> float:
    return min((candidate.rank for candidate in found), default=9.0)


def _said(change: Change, kind: str, mended: str = "") -> Explanation:
    parts = tuple(Explanation(f"{kind}.{edit.key}", edit.fields) for edit in change.edits)
    if len(parts) == 1:
        return Explanation(parts[0].key, parts[0].fields, "", mended)
    return Explanation("two", {}, "", mended, parts)


def opened_in(stage: Stage) -> list[Apply]:
    """The functions of a stage that can be written out."""
    return [n for n in topological([stage.local]) if isinstance(n, Apply) and opened(n) is not None]


def _opened(stage: Stage) -> Stage:
    """The stage with the functions in it written out."""
    from dataclasses import replace

    leaves: dict[Node, Lifted] = {n: Lifted(other) for n in opened_in(stage) if (other := opened(n)) is not None}
    return replace(stage, local=substitute(stage.local, leaves).node) if leaves else stage
