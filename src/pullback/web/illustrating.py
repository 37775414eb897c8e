"""The pictures of an answer; one that says nothing, or can't be drawn, is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pullback.derivation.readings import Readings
from pullback.derivation.record import Record
from pullback.dimension import ONE
from pullback.errors import PullbackError
from pullback.expression import Expression
from pullback.lowering.program import Statement
from pullback.pictures.graph import Vertex, draw_graph
from pullback.pictures.network import Network, draw_networks
from pullback.pictures.patterns import draw_heat, draw_pattern
from pullback.rendering.symbols import write
from pullback.syntax.names import unicode_name
from pullback.tensor.node import Apply, Node, Product, Sum, Variable, topological

MOST_VERTICES = 40
MOST_ROWS = 64
MOST_COLUMNS = 400
MOST_NETWORKS = 5
_MOST_FACTORS = 7
_LONGEST = 36


def pictures(record: Record, second: Expression | None, lang: str) -> dict[str, str]:
    """Draw what can be drawn."""
    ways: dict[str, Callable[[], str | None]] = {
        "graph": lambda: _graph(record),
        "sparsity": lambda: _sparsity(record, second),
        "blocks": lambda: _blocks(record),
        "network": lambda: _networks(record),
        "heat": lambda: _heat(record),
    }
    found: dict[str, str] = {}
    for name, way in ways.items():
        try:
            drawn = way()
        except (PullbackError, ArithmeticError, ValueError, KeyError):
            continue
        if drawn is not None:
            found[name] = drawn
    return found


def _shape(axes: Sequence[Any]) -> str:
    return " × ".join(str(axis) for axis in axes)


def _loss(record: Record) -> str:
    return record.request.names.loss


def _graph(record: Record) -> str | None:
    request = record.request
    program = request.board
    if len(program.inputs) + len(program.statements) > MOST_VERTICES:
        return None
    readings = request.readings
    vertices = []
    for name, entry in program.inputs.items():
        vertices.append(_vertex(record, readings, name, unicode_name(name), _shape(entry.shape), "", ()))
    known = set(program.inputs)
    for k, statement in enumerate(program.statements):
        name = request.name_of(k)
        uses = tuple(dict.fromkeys(v for v in _variables(statement) if v in known))
        formula = write(program.syntax.bindings[k].value, "unicode")
        if len(formula) > _LONGEST:
            formula = formula[: _LONGEST - 1] + "…"
        vertices.append(_vertex(record, readings, name, unicode_name(name), _shape(statement.shape), formula, uses))
        known.add(name)
    return draw_graph(vertices, "computation graph")


def _variables(statement: Statement) -> list[str]:
    return [node.name for node in topological([statement.local]) if isinstance(node, Variable)]


def _vertex(
    record: Record, readings: Readings | None, name: str, label: str, shape: str, formula: str, uses: tuple[str, ...]
) -> Vertex:
    request = record.request
    comes_back = name in request.reaching
    gradient = readings.gradients.get(name) if readings is not None and comes_back else None
    value = readings.values.get(name) if readings is not None else None
    back = f"∂{_loss(record)}/∂{label}" if comes_back and name != _loss(record) else ""
    return Vertex(name, label, shape, formula, uses, value, gradient, back)


def _flat(array: Any, rows: int) -> Any:
    return array.reshape(rows, -1)


def _known_values(record: Record) -> tuple[dict[str, Any], Mapping[str, int]] | None:
    """The values given, or drawn ones at small sizes."""
    import numpy as np

    from pullback.checking.draw import draw
    from pullback.web.draws import small_lengths

    request = record.request
    if request.values is not None:
        return dict(request.values), request.arrays[1]
    lengths = small_lengths(request.program, {})
    if lengths is None:
        return None
    values = draw(request.program.inputs, lengths, np.random.default_rng(1))
    told = {axis.name for entry in request.program.inputs.values() for axis in entry.shape}
    return {**values, **{n: k for n, k in lengths.items() if n not in told}}, lengths


def _sparsity(record: Record, second: Expression | None) -> str | None:
    """The pattern of the Hessian or Jacobian that was asked for."""
    import numpy as np

    known = _known_values(record)
    if second is None or known is None:
        return None
    values, sizes = known
    array = np.nan_to_num(second.evaluate(values))
    name = next(iter(record.results))
    columns = _count(record.request.program.input(name).shape, sizes)
    if array.size > MOST_ROWS * MOST_COLUMNS:
        return None
    label = unicode_name(name)
    output = unicode_name(record.request.names.output)
    rows = f"∂{output}" if array.size // max(1, columns) != columns else f"∂{label}"
    return draw_pattern([(f"∂{label}", array.reshape(-1, columns))], rows, "sparsity pattern")


def _count(axes: Sequence[Any], sizes: Mapping[str, int]) -> int:
    total = 1
    for axis in axes:
        total *= axis.evaluate(sizes)
    return total


def _blocks(record: Record) -> str | None:
    """The Jacobian by all inputs: a row for each entry of the output, found with unit vectors from above."""
    import numpy as np

    request = record.request
    known = _known_values(record)
    if request.is_loss or known is None or all(axis is ONE for axis in request.program.output.shape):
        return None
    values, sizes = known
    shape = tuple(axis.evaluate(sizes) for axis in request.program.output.shape)
    count = int(np.prod(shape))
    if count > MOST_ROWS:
        return None
    rows: dict[str, list[Any]] = {name: [] for name in record.results}
    for k in range(count):
        unit = np.zeros(count)
        unit[k] = 1.0
        for name, array in record.results.evaluate({**values, request.upstream_name: unit.reshape(shape)}).items():
            rows[name].append(np.nan_to_num(array.reshape(-1)))
    blocks = [(f"∂{unicode_name(name)}", np.array(found)) for name, found in rows.items()]
    if sum(array.shape[1] for _, array in blocks) > MOST_COLUMNS:
        return None
    return draw_pattern(blocks, f"∂{unicode_name(request.names.output)}", "block structure of the Jacobian")


def _heat(record: Record) -> str | None:
    request = record.request
    readings = request.readings
    if readings is None or not readings.values:
        return None
    arrays = []
    for name in request.program.inputs:
        value = readings.values.get(name)
        if value is None or value.ndim > 2 or value.ndim == 0:
            continue
        arrays.append((unicode_name(name), value))
        gradient = readings.gradients.get(name)
        if gradient is not None:
            arrays.append((f"∂{_loss(record)}/∂{unicode_name(name)}", gradient))
    return draw_heat(arrays, "heat maps") if arrays else None


def _networks(record: Record) -> str | None:
    request = record.request
    found: list[Network] = []
    for k, statement in enumerate(request.board.statements):
        found += _network(unicode_name(request.name_of(k)), statement.local, {})
    seen = {f"d{request.names.loss}"}
    back = {request.upstream_name: f"∂{_loss(record)}/∂{unicode_name(request.names.output)}"}
    for name, expression in record.results.items():
        title = f"∂{_loss(record)}/∂{unicode_name(name)}"
        found += _network(title, expression.node, back) if title not in seen else []
    return draw_networks(found[:MOST_NETWORKS], "tensor network") if found else None


def _network(title: str, node: Node, names: Mapping[str, str]) -> list[Network]:
    if isinstance(node, Sum) and len(node.terms) == 1:
        node = node.terms[0].node
    if not isinstance(node, Product) or not 2 <= len(node.factors) <= _MOST_FACTORS:
        return []
    letters = "ijklpqrstuvab"
    if len(node.dimensions) > len(letters):
        return []
    order = list(dict.fromkeys([*node.output, *range(len(node.dimensions))]))
    row = _in_a_row([f.indices for f in node.factors], node.output)
    letter = {index: letters[k] for k, index in enumerate(order)}
    factors = tuple(
        (_factor(f.node, names) + _raised(f.exponent), tuple(letter[i] for i in f.indices))
        for f in (node.factors[k] for k in row)
    )
    return [Network(title, factors, tuple(letter[i] for i in node.output))]


def _in_a_row(indices: Sequence[Sequence[int]], output: Sequence[int]) -> list[int]:
    """The factors from the one with the first index that is kept, each beside one that it shares an index with."""
    left = list(range(len(indices)))
    row: list[int] = []
    wanted = set(output[:1])
    while left:
        here = next((k for k in left if wanted & set(indices[k])), left[0])
        left.remove(here)
        row.append(here)
        wanted = set(indices[here])
    return row


def _raised(exponent: Any) -> str:
    return "" if exponent == 1 else f"^{exponent}"


def _factor(node: Node, names: Mapping[str, str]) -> str:
    if isinstance(node, Variable):
        return names.get(node.name, unicode_name(node.name))
    if isinstance(node, Apply):
        inner = ", ".join(n.name if isinstance(n, Variable) else "…" for n in node.arguments)
        return f"{node.operation.name}({inner})"
    return "Σ" if isinstance(node, Sum) else "∏"
