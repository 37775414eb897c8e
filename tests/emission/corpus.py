"""The corpus through all backends and all emitted forms: ``python -m tests.emission.corpus`` prints the table.

Closed forms are held against the corpus' own oracle, differentiated by JAX in float64; programs with their backward
pass against the plain interpreter of graphs. The exit status is 1 where anything is off or refused. File names or
case ids as arguments choose some; two seeds of values are drawn with ``--seeds 2``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

import pullback as pb
from pullback.compiling import compile_expression
from pullback.errors import PullbackError
from pullback.expression import Expression
from pullback.syntax.names import normalise
from tests.corpus import loading
from tests.corpus.loading import Case
from tests.corpus.run import derive
from tests.emission.running import emitted, layer_call

BACKENDS = ("numpy", "torch", "jax", "auto")
TARGETS = ("numpy", "numpy-out", "torch", "jax", "c")
BOUNDS = {"float64": 1e-9, "float32": 1e-3}
"""The largest difference that is let through, relative to the largest entry."""


class Outcome(NamedTuple):
    """How far one way of computing one case is from what is right; a text where it did not compute."""

    case: str
    way: str
    kind: str
    error: float
    refused: str = ""

    @property
    def good(self) -> bool:
        """Whether it is within the bound."""
        return not self.refused and self.error < BOUNDS[self.kind]


def cases() -> list[Case]:
    """The cases that need no function from outside."""
    return [case for case in loading.cases() if not case.functions]


def _values(case: Case, seed: int) -> dict[str, Any]:
    values: dict[str, Any] = dict(loading.draw(case, seed))
    if case.upstream:
        values[case.upstream] = loading.draw_upstream(case, values, seed)
    return values


def _outcome(case: Case, way: str, kind: str, compute: Any, right: Any) -> Outcome:
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(compute())
    except (PullbackError, AssertionError) as error:
        return Outcome(case.id, way, kind, np.inf, str(error).splitlines()[0])
    if found.dtype != kind:
        return Outcome(case.id, way, kind, np.inf, f"its type is {found.dtype}")
    return Outcome(case.id, way, kind, loading.error(found, right))


def closed_forms(case: Case, seed: int = 0) -> Iterator[Outcome]:
    """The closed forms of a case by every backend and in every emitted form."""
    values = _values(case, seed)
    given = {name: value for name, value in values.items() if name != case.upstream}
    right = loading.reference(case, given, values.get(case.upstream) if case.upstream else None)
    by_key = {normalise(name): value for name, value in values.items()}
    for label, expression in derive(case).items():
        for kind in BOUNDS:
            narrow = {name: value.astype(kind) for name, value in values.items()}
            for backend in BACKENDS:
                compute = compile_expression(expression, backend=backend)
                yield _outcome(case, backend, kind, lambda f=compute, v=narrow: f(**v), right[label])
            for target in TARGETS:
                yield _outcome(
                    case, f"emitted {target}", kind,
                    lambda t=target, e=expression, k=kind: emitted(e, t, k)(by_key, case.sizes)[0], right[label],
                )  # fmt: skip


def programs(case: Case, seed: int = 0) -> Iterator[Outcome]:
    """The program of a case with its backward pass, in every emitted form."""
    values = {name: value for name, value in _values(case, seed).items() if name != case.upstream}
    program = pb.parse(case.program, case.shapes, case.assume)
    output = Expression(program.output.node, program.output.shape, program).evaluate(values)
    rng = np.random.default_rng(seed)
    above = rng.normal(size=output.shape) if output.size > 1 else np.ones(output.shape)
    slopes = pb.backward(program, list(case.wrt), "upstream").evaluate({**values, "upstream": above})
    right: Mapping[str, Any] = {"": output, **slopes}
    for target in TARGETS:
        try:
            found = layer_call(program, list(case.wrt), target)(values, above, case.sizes)
        except (PullbackError, AssertionError) as error:
            yield Outcome(case.id, f"program in {target}", "float64", np.inf, str(error).splitlines()[0])
            continue
        for name, array in right.items():
            yield Outcome(case.id, f"program in {target}", "float64", loading.error(found[name], array))


def main() -> int:
    """Print, for each way, how many results are within the bound and the worst of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", help="file names or case ids")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    started = time.perf_counter()
    count: Counter[tuple[str, str]] = Counter()
    good: Counter[tuple[str, str]] = Counter()
    worst: dict[tuple[str, str], float] = {}
    for case in cases():
        if options.only and case.id not in options.only and case.file not in options.only:
            continue
        for seed in range(options.seeds):
            for outcome in (*closed_forms(case, seed), *programs(case, seed)):
                key = (outcome.way, outcome.kind)
                count[key] += 1
                good[key] += outcome.good
                if outcome.good:
                    worst[key] = max(worst.get(key, 0.0), outcome.error)
                else:
                    print(f"{outcome.case}: {outcome.way} in {outcome.kind}: {outcome.refused or outcome.error}")
    for way, kind in sorted(count):
        key = (way, kind)
        print(
            f"{way:22} {kind}  {good[key]:5} of {count[key]:5}  worst {worst.get(key, 0.0):.1e}  bound {BOUNDS[kind]:g}"
        )
    print(f"{time.perf_counter() - started:.0f} s")
    return int(good != count)


if __name__ == "__main__":
    sys.exit(main())
