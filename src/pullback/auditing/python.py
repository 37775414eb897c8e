"""Backward passes that are Python functions: called at drawn points, with an eye on what they change in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pullback.auditing.claims import Claim
from pullback.auditing.report import Explanation, Finding
from pullback.auditing.trial import Trial
from pullback.checking.gradients import gradients_of
from pullback.checking.words import say
from pullback.lowering.program import Program
from pullback.tracing.calling import called_safely


@dataclass
class Backward:
    """``backward(g, *inputs)`` as a claim for each input.

    Attributes:
        function: The backward pass.
        program: The forward pass that was read.
        upstream: What the upstream gradient is called in trials; None where it is one.
        altered: The arguments that it has changed in place.
        restless: Whether it gives other numbers when it is called again.
    """

    function: Callable[..., Any]
    program: Program
    upstream: str | None
    altered: list[str] = field(default_factory=list)
    restless: bool = False
    _done: list[tuple[Trial, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def arguments(self) -> list[str]:
        """The inputs that the function takes: not the constants that a traced function brought along."""
        leaves = [name for name, path in getattr(self.program, "leaves", []) if not path]
        return leaves or list(self.program.inputs)

    def claims(self, drawn: Sequence[Trial], wanted: Sequence[str]) -> list[Claim]:
        """A claim for each wanted variable that it gives a gradient for.

        Raises:
            ValuesError: It fails, or gives another number of gradients than there are inputs.
        """
        import numpy as np

        found = [self.at(trial) for trial in drawn]
        again = self._call(drawn[0])
        self.restless = any(not np.array_equal(found[0][n], again[n], equal_nan=True) for n in found[0] if n in again)
        return [Claim(n, "", (), partial(self._one, n)) for n in wanted if all(n in each for each in found)]

    def _one(self, name: str, trial: Trial) -> Any:
        return self.at(trial)[name]

    def at(self, trial: Trial) -> Mapping[str, Any]:
        """All gradients at a trial."""
        for known, found in self._done:
            if known is trial:
                return found
        found = self._call(trial)
        self._done.append((trial, found))
        return found

    def _call(self, trial: Trial) -> dict[str, Any]:
        import numpy as np

        inputs = {name: np.array(trial.values[name]) for name in self.arguments}
        output = tuple(axis.evaluate(trial.sizes) for axis in self.program.output.shape)
        g = np.array(trial.values[self.upstream]) if self.upstream is not None else np.ones(output)
        before = {"g": g.copy(), **{name: array.copy() for name, array in inputs.items()}}
        result = called_safely("backward", self.function, g, *inputs.values())
        for name, array in {"g": g, **inputs}.items():
            if not np.array_equal(before[name], array) and name not in self.altered:
                self.altered.append(name)
        free = [name for name in self.arguments if "constant" not in self.program.inputs[name].properties]
        return gradients_of(result, self.arguments, free)

    def notes(self, findings: Sequence[Finding], language: str) -> tuple[str, ...]:
        """What is to be said beside the findings."""
        notes = []
        if self.altered and all(finding.right for finding in findings):
            notes.append(say(language, "audit.altered", altered=", ".join(self.altered)))
        if self.restless:
            notes.append(say(language, "check.restless"))
        return tuple(notes)

    def aliased(self, finding: Finding) -> Finding:
        """A wrong finding where something was changed in place: that is named first."""
        first = Explanation("in_place", {"altered": ", ".join(self.altered)})
        return replace(finding, explanations=(first, *finding.explanations))
