"""Checks of derived closed forms against numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pullback.checking.compare import Comparison
from pullback.checking.draw import DOMAINS, STRUCTURED, Point, dimension_names, draw, prime_sizes, structured
from pullback.checking.forward import Forward, of_source
from pullback.checking.report import Report
from pullback.checking.second import compare_second
from pullback.deriving import Source, as_program, backward, by_inputs
from pullback.errors import ValuesError
from pullback.evaluation.binding import bind
from pullback.expression import Expression, Results
from pullback.lowering.asked import Names, chosen, free_name
from pullback.lowering.program import Input, Program, squeezed
from pullback.syntax.names import normalise
from pullback.tensor.node import topological
from pullback.tensor.reshape import lengths

RANDOM_POINTS = 3
_MOST_DRAWS = 12
_MOST_WORK = 6000
"""Entries times statements: of a long program fewer entries of each variable are compared, and a direction of it."""
_FEWEST_ENTRIES = 3
_SHAKE = 1e-10
_SHAKEN = 1e-5
"""A value that moves this much when its inputs move by ``_SHAKE`` is rounding, such as the inverse of a
singular matrix."""


def check_program(
    source: Source,
    wrt: Names = None,
    values: Mapping[str, Any] | None = None,
    *,
    order: int = 1,
    seed: int = 0,
    tolerance: float | None = None,
    language: str = "en",
    points: Sequence[str] | None = None,
    **reading: Any,
) -> Report:
    """Check the derived backward pass of a program; ``pullback.check`` says what the arguments mean."""
    import numpy as np

    program = as_program(source, **reading)
    source = program if isinstance(source, str) else source
    names = chosen(program, wrt)
    upstream = free_name(program)
    results = backward(program, names, upstream)
    most = max(_FEWEST_ENTRIES, _MOST_WORK // (len(names) * len(program.statements)))
    rng = np.random.default_rng(seed)
    forward = of_source(source, program)
    constants = getattr(program, "constants", {})

    def gradients(point: Point, given: Any) -> Mapping[str, Any]:
        found = results.evaluate({**point.sizes, **point.values, **constants, upstream: given})
        return {normalise(name): array for name, array in found.items()}

    comparison = Comparison(_subject(program), forward, gradients, names, rng, tolerance)
    comparison.most = min(comparison.most, most)
    comparison.shaken = lambda point: well_defined(forward, point.values, point.sizes)
    usable = []
    for point in points_of(program, values, rng, forward, points):
        if comparison.at(point):
            usable.append(point)
    if order == 2:
        directions = {name: f"{name}_along" for name in names}
        derived = _products(program, upstream, names, directions)

        def products(point: Point, given: Any, along: Mapping[str, Any]) -> Mapping[str, Any]:
            known = {**point.sizes, **point.values, **constants, upstream: given}
            known.update({directions[n]: along[n] for n in names})
            return {normalise(name): array for name, array in derived.evaluate(known).items()}

        compare_second(comparison, products, names, usable[:2], rng)
    return comparison.report(language, order)


def points_of(
    program: Program, values: Mapping[str, Any] | None, rng: Any, forward: Forward, wanted: Sequence[str] | None = None
) -> list[Point]:
    """Give the points to compare at: the given one first, then random and structured ones."""
    points = [given_point(program, values)] if values else []
    wanted = ("random", *STRUCTURED) if wanted is None else wanted
    unknown = [name for name in wanted if name not in ("random", *STRUCTURED)]
    if unknown:
        known = ", ".join(("random", *STRUCTURED))
        raise ValuesError(f"there is no kind of point called {unknown[0]!r}", hint=f"the kinds are: {known}")
    names = dimension_names(program.inputs, _spoken(program))
    fixed = getattr(program, "constants", {})
    domain = find_domain(program, forward)
    if "random" in wanted:
        for turn in range(RANDOM_POINTS):
            points.append(_random(program, forward, names, turn, rng, domain))
    sizes = next((dict(p.sizes) for p in points if p.name == "random 1"), prime_sizes(names))
    for kind in (kind for kind in STRUCTURED if kind in wanted):
        points.append(Point(kind, {**structured(program.inputs, sizes, kind, rng, domain), **fixed}, sizes))
    return points


def _random(program: Program, forward: Forward, names: Sequence[str], turn: int, rng: Any, domain: str) -> Point:
    """Draw a point at which the program is well defined, with other sizes where these do not do."""
    fixed = getattr(program, "constants", {})
    point: Point | None = None
    for order in (list(names), list(names)[::-1]):
        sizes = prime_sizes(order, turn)
        for _ in range(_MOST_DRAWS):
            drawn = {**draw(program.inputs, sizes, rng, domain), **fixed}
            point = point or Point(f"random {turn + 1}", drawn, sizes)
            if well_defined(forward, drawn, sizes):
                return Point(f"random {turn + 1}", drawn, sizes)
    assert point is not None
    return point


def well_defined(forward: Forward, values: Mapping[str, Any], sizes: Mapping[str, int]) -> bool:
    """Whether the forward pass has a finite value that rounding did not make."""
    import numpy as np

    from pullback.checking.evaluator import UnfitError

    try:
        output = np.asarray(forward(values, sizes))
        shaken = {
            name: array * (1 + _SHAKE * np.cos(np.arange(np.size(array)).reshape(np.shape(array))))
            for name, array in values.items()
        }
        other = np.asarray(forward(shaken, sizes))
    except UnfitError:
        return False
    scale = max(1.0, float(np.max(np.abs(output), initial=0.0)))
    return bool(np.all(np.isfinite(output))) and bool(np.max(np.abs(output - other), initial=0.0) < _SHAKEN * scale)


def find_domain(program: Program, forward: Forward) -> str:
    """The first domain from which the program has values that are well defined."""
    import numpy as np

    names = dimension_names(program.inputs, _spoken(program))
    fixed = getattr(program, "constants", {})
    best = ("normal", 0)
    for domain in DOMAINS:
        rng = np.random.default_rng(7)
        fine = 0
        for turn in range(3):
            for order in (list(names), list(names)[::-1]):
                sizes = prime_sizes(order, turn)
                drawn = {**draw(program.inputs, sizes, rng, domain), **fixed}
                if well_defined(forward, drawn, sizes):
                    fine += 1
                    break
        if fine == 3:
            return domain
        if fine > best[1]:
            best = (domain, fine)
    return best[0]


def given_sizes(program: Program, values: Mapping[str, Any]) -> dict[str, int]:
    """The lengths of dimension names that fixed values settle."""
    import numpy as np

    sizes: dict[str, int] = {}
    for name, entry in program.inputs.items():
        if name in values:
            for axis, length in zip(entry.shape, np.shape(values[name]), strict=False):
                if axis.name is not None:
                    sizes[axis.name] = int(length)
    return sizes


def given_point(program: Program, values: Mapping[str, Any]) -> Point:
    """Fit the user's values to the inputs.

    Raises:
        ValuesError: A value is missing or does not fit.
    """
    import numpy as np

    needed = [entry.variable for entry in program.inputs.values()]
    names = dimension_names(program.inputs, _spoken(program))
    values = {**getattr(program, "constants", {}), **values}
    bound = bind(program.inputs, values, needed, names)
    known = {normalise(name): value for name, value in values.items()}
    arrays = {name: np.asarray(known[name], dtype=np.float64) for name in program.inputs}
    if not all(np.all(np.isfinite(array)) for array in arrays.values()):
        raise ValuesError("the values are not all finite numbers")
    return Point("given", arrays, bound.sizes)


def _spoken(program: Program) -> list[str]:
    """The dimension names that statements have and inputs do not, those inside them last."""
    names = [name for s in program.statements for axis in s.shape for name in sorted(axis.names)]
    inner = {name for node in topological([program.output.node]) for axis in lengths(node) for name in axis.names}
    return [*names, *sorted(inner)]


def _subject(program: Program) -> str:
    text = " ; ".join(line.strip() for line in program.source.splitlines() if line.strip())
    return text if len(text) <= 100 else text[:97] + "…"


def _products(program: Program, upstream: str, names: Sequence[str], directions: Mapping[str, str]) -> Results:
    """Derive the Hessian of <g, output> times a direction, for every variable, all entries free."""
    from pullback.calculus.reverse import backward as pull_back
    from pullback.calculus.reverse import gradient as differentiate
    from pullback.tensor.add import add
    from pullback.tensor.node import Node, make_variable
    from pullback.tensor.product import product

    extra = {upstream: Input(upstream, program.output.shape, frozenset())}
    for name in names:
        extra[directions[name]] = Input(directions[name], program.inputs[name].shape, frozenset())
    given = make_variable(normalise(upstream), squeezed(program.output.shape))

    def twice(root: Node, targets: Sequence[Node]) -> list[Node]:
        along: list[tuple[int, Node]] = []
        for name, slope in zip(names, pull_back(root, given, targets), strict=True):
            direction = make_variable(normalise(directions[name]), squeezed(program.inputs[name].shape))
            axes = range(len(slope.axes))
            along.append((1, product([(slope, axes, 1), (direction, axes, 1)], ())))
        return differentiate(add(along, ()), targets)

    expressions = {
        name: Expression(node, program.inputs[name].shape, program, extra)
        for name, node in zip(names, by_inputs(program, names, twice), strict=True)
    }
    return Results(expressions, {name: name for name in names})
