"""Backward passes that are Python functions: called at drawn points, with an eye on what they change in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pullback.auditing.claims import Claim
from pullback.auditing.report import Explanation, Finding
from pullback.auditing.trial import Trial
from pullback.checking.calling import called_safely
from pullback.checking.words import say
from pullback.errors import ValuesError
from pullback.lowering.program import Program
from pullback.syntax.names import normalise


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
        return by_name(result, self.arguments, self.program)

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


def by_name(result: Any, names: Sequence[str], program: Program) -> dict[str, Any]:
    """Read what a backward pass gives: a mapping, or one gradient an input in order, None for no gradient.

    Raises:
        ValuesError: There are more or fewer gradients than inputs, or one is no array of numbers.
    """
    if isinstance(result, Mapping):
        unknown = [name for name in result if _input_of(name, names) is None]
        if unknown:
            raise ValuesError(
                f"the backward pass gives a gradient for {unknown[0]}, which is not an input",
                hint=f"the inputs are: {', '.join(names)}",
            )
        pairs = [(_input_of(name, names) or "", part) for name, part in result.items()]
    else:
        parts = list(result) if isinstance(result, tuple | list) else [result]
        free = [name for name in names if "constant" not in program.inputs[name].properties]
        if len(parts) not in (len(names), len(free)):
            raise ValuesError(
                f"the backward pass gives {len(parts)} gradient(s) for {len(names)} inputs: {', '.join(names)}",
                hint="give one for each input, in order (None for none), or a mapping from name to gradient",
            )
        pairs = list(zip(names if len(parts) == len(names) else free, parts, strict=True))
    return {name: as_numbers(part, f"the gradient of {name}") for name, part in pairs if part is not None}


def _input_of(name: Any, names: Sequence[str]) -> str | None:
    """``W``, ``dW``, ``dL_dW`` and ``grad_W`` all mean W."""
    key = normalise(str(name))
    if key in names:
        return key
    for lead in ("dL_d", "dL/d", "grad_", "d_", "d"):
        if str(name).startswith(lead) and normalise(str(name)[len(lead) :]) in names:
            return normalise(str(name)[len(lead) :])
    return None


def as_numbers(thing: Any, what: str) -> Any:
    """An array of float64.

    Raises:
        ValuesError: It is none.
    """
    import numpy as np

    try:
        array = np.asarray(thing)
        if array.dtype.kind in "biuf":
            return np.array(array, dtype=np.float64)
        if array.dtype.kind == "c" and not np.any(array.imag):
            return np.array(array.real, dtype=np.float64)
        said = f"an array of {array.dtype}"
    except (ValueError, TypeError):
        said = f"a {type(thing).__name__}"
    raise ValuesError(f"{what} is {said}, not an array of real numbers")
