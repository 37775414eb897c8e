"""Everything that a search for mistakes needs, put together for one program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pullback.auditing.edits import Words
from pullback.auditing.recognition import recognised
from pullback.auditing.search import Search
from pullback.auditing.stages import Stage
from pullback.auditing.trial import Setting, Trial
from pullback.auditing.wording import Wording
from pullback.lowering.program import squeezed
from pullback.syntax.names import normalise
from pullback.syntax.tree import Binding
from pullback.tensor.node import Node, make_variable
from pullback.tensor.product import product


def search_of(setting: Setting, drawn: Sequence[Trial], wanted: Sequence[str], alike: Iterable[str] = ()) -> Search:
    """Put a search together; ``alike`` are inputs that were drawn like the given values."""
    program, upstream, stages = setting.program, setting.upstream, setting.stages
    start: Node = product([], ())
    if upstream is not None:
        start = make_variable(upstream, squeezed(program.output.shape))
    bare = {name: make_variable(name, squeezed(entry.shape)) for name, entry in program.inputs.items()}
    names = [*program.inputs, *(normalise(s.name) for s in stages if s.given and s is not stages[-1])]
    if upstream is not None:
        names.append(upstream)
    dimensions = sorted({n for entry in program.inputs.values() for axis in entry.shape for n in axis.names})
    forms: dict[str, Sequence[Binding]] = {}
    for name in wanted:
        expression = setting.results[name]
        forms[name] = (*expression.spelled.where, Binding(None, expression.tree))
    return Search(
        setting,
        recognised(stages, list(bare.values()), drawn),
        drawn,
        start,
        {name: bare[name] for name in wanted},
        {name: program.inputs[name].shape for name in wanted},
        _wording(setting, stages),
        Words(names, dimensions),
        str(program.batch) if program.batch is not None else None,
        forms,
        _with_ones(setting, drawn, wanted),
        unstructured(setting),
        frozenset(alike),
    )


def unstructured(setting: Setting) -> list[str]:
    """The inputs of which nothing is declared."""
    constants = getattr(setting.program, "constants", {})
    inputs = setting.program.inputs.items()
    return [name for name, entry in inputs if not entry.properties - {"constant"} and name not in constants]


def _wording(setting: Setting, stages: Sequence[Stage]) -> Wording:
    wording = Wording()
    for name, entry in setting.program.inputs.items():
        wording.know(name, entry.shape, entry.name)
    for stage in stages:
        wording.know(stage.name, stage.shape, stage.said)
    return wording


def _with_ones(setting: Setting, drawn: Sequence[Trial], wanted: Sequence[str]) -> dict[str, list[Any]]:
    """The right gradients where every entry of the upstream gradient is one."""
    import numpy as np

    program, upstream = setting.program, setting.upstream
    found: dict[str, list[Any]] = {name: [] for name in wanted}
    for trial in drawn:
        known: dict[str, Any] = dict(trial.sizes)
        known.update({name: trial.values[name] for name in program.inputs})
        if upstream is not None:
            known[upstream] = np.ones_like(trial.values[upstream])
        results = setting.results.evaluate(known)
        for name in wanted:
            found[name].append(results[program.inputs[name].name])
    return found
