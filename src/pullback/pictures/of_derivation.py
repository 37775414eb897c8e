"""The pictures of a derivation: graph, blocks, tensor networks, heat maps, and the sparsity of a derivative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pullback.checking.draw import draw
from pullback.derivation.readings import Readings
from pullback.derivation.record import Record
from pullback.dimension import ONE
from pullback.expression import Expression
from pullback.lowering.program import Program, Statement
from pullback.pictures.folding import fold
from pullback.pictures.graph import Vertex, draw_graph
from pullback.pictures.network import Network, draw_networks
from pullback.pictures.patterns import draw_heat, draw_pattern
from pullback.pictures.products import network_of
from pullback.syntax.names import normalise, unicode_name
from pullback.syntax.printer import show
from pullback.tensor.node import Variable, topological

MOST_VERTICES = 400
MOST_ROWS = 64
MOST_COLUMNS = 400
MOST_NETWORKS = 12
_LONGEST = 36
_LENGTHS = (2, 3, 4, 5)
_MOST_LENGTH = 8


def _shape(axes: Sequence[Any]) -> str:
    return " × ".join(str(axis) for axis in axes)


def _loss(record: Record) -> str:
    return record.request.names.loss


def graph(record: Record, folded: bool = True) -> str | None:
    """The computation graph; layers that repeat are folded, unless the whole of it is wanted."""
    request = record.request
    program = request.board
    if len(program.inputs) + len(program.statements) > MOST_VERTICES:
        return None
    readings = _readings(record)
    vertices = []
    for name, entry in program.inputs.items():
        vertices.append(_vertex(record, readings, name, unicode_name(name), _shape(entry.shape), "", ()))
    known = set(program.inputs)
    for k, statement in enumerate(program.statements):
        name = request.name_of(k)
        uses = tuple(dict.fromkeys(v for v in _variables(statement) if v in known))
        formula = show(program.syntax.bindings[k].value, "unicode")
        if len(formula) > _LONGEST:
            formula = formula[: _LONGEST - 1] + "…"
        vertices.append(_vertex(record, readings, name, unicode_name(name), _shape(statement.shape), formula, uses))
        known.add(name)
    shown = fold(vertices)
    if not folded and len(shown) == len(vertices):
        return None
    return draw_graph(shown if folded else vertices, "computation graph")


def whole(record: Record) -> str | None:
    """The computation graph with nothing folded; None where nothing is."""
    return graph(record, folded=False)


def _variables(statement: Statement) -> list[str]:
    return [node.name for node in topological([statement.local]) if isinstance(node, Variable)]


def _readings(record: Record) -> Readings | None:
    """All numbers; those of gradients become known as the steps are told."""
    readings = record.request.readings
    if readings is not None:
        _ = record.steps
    return readings


def _vertex(
    record: Record, readings: Readings | None, name: str, label: str, shape: str, formula: str, uses: tuple[str, ...]
) -> Vertex:
    request = record.request
    comes_back = name in request.reaching
    gradient = readings.gradients.get(name) if readings is not None and comes_back else None
    value = readings.values.get(name) if readings is not None else None
    back = f"∂{_loss(record)}/∂{label}" if comes_back and name != _loss(record) else ""
    return Vertex(name, label, shape, formula, uses, value, gradient, back)


def known_values(program: Program, values: Mapping[str, Any] | None, sizes: Mapping[str, int]) -> Any:
    """The values given, or drawn ones at small sizes; and the sizes. None where a size can't be small."""
    import numpy as np

    if values is not None:
        return dict(values), dict(sizes)
    lengths = small_lengths(program, {})
    if lengths is None:
        return None
    drawn = draw(program.inputs, lengths, np.random.default_rng(1))
    told = {axis.name for entry in program.inputs.values() for axis in entry.shape}
    return {**drawn, **{n: k for n, k in lengths.items() if n not in told}}, lengths


def small_lengths(program: Program, sizes: Mapping[str, int]) -> dict[str, int] | None:
    """Small lengths for all dimension names, those of the values where they are small."""
    names = [n for e in program.inputs.values() for axis in e.shape for n in sorted(axis.names)]
    names += [n for s in program.statements for axis in s.shape for n in sorted(axis.names)]
    lengths: dict[str, int] = {}
    for k, name in enumerate(dict.fromkeys(names)):
        lengths[name] = min(sizes.get(name, _LENGTHS[k % len(_LENGTHS)]), _MOST_LENGTH)
    for entry in program.inputs.values():
        for axis in entry.shape:
            if axis is not ONE and axis.evaluate(lengths) > 16 * _MOST_LENGTH:
                return None
    return lengths


def sparsity(second: Expression, wrt: str, values: Mapping[str, Any] | None, sizes: Mapping[str, int]) -> str | None:
    """The pattern of a Jacobian or a Hessian by an input: a row for each entry of what is differentiated."""
    import numpy as np

    program = second.program
    known = known_values(program, values, sizes)
    if known is None:
        return None
    arrays, lengths = known
    array = np.nan_to_num(second.evaluate(arrays))
    entry = program.input(wrt)
    if entry.name in arrays and not lengths:
        columns = int(np.size(arrays[entry.name]))
    else:
        columns = int(np.prod([axis.evaluate(lengths) for axis in entry.shape]))
    if array.size > MOST_ROWS * MOST_COLUMNS or array.size % max(1, columns):
        return None
    output = program.output.name
    square = array.size == columns * columns and not _is_jacobian(second)
    rows = f"∂{unicode_name(normalise(wrt))}" if square or not output else f"∂{unicode_name(output)}"
    return draw_pattern([(f"∂{unicode_name(normalise(wrt))}", array.reshape(-1, columns))], rows, "sparsity pattern")


def _is_jacobian(second: Expression) -> bool:
    return any(axis is not ONE for axis in second.program.output.shape)


def blocks(record: Record) -> str | None:
    """The Jacobian by all inputs: a row for each entry of the output, found with unit vectors from above."""
    import numpy as np

    request = record.request
    if request.is_loss or all(axis is ONE for axis in request.program.output.shape):
        return None
    known = known_values(request.program, request.values, request.arrays[1])
    if known is None:
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
    found = [(f"∂{unicode_name(normalise(name))}", np.array(each)) for name, each in rows.items()]
    if sum(array.shape[1] for _, array in found) > MOST_COLUMNS:
        return None
    return draw_pattern(found, f"∂{unicode_name(request.names.output)}", "block structure of the Jacobian")


def heat(record: Record) -> str | None:
    """Values beside their gradients."""
    request = record.request
    readings = _readings(record)
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


def networks(record: Record) -> str | None:
    """The products of the forward pass and of the closed forms."""
    request = record.request
    found: list[Network | None] = []
    for k, statement in enumerate(request.board.statements):
        found.append(
            network_of(
                unicode_name(request.name_of(k)), Expression(statement.local, statement.shape, request.board), {}
            )
        )
    back = {request.upstream_name: f"∂{_loss(record)}/∂{unicode_name(request.names.output)}"}
    for name, expression in record.results.items():
        found.append(network_of(f"∂{_loss(record)}/∂{unicode_name(normalise(name))}", expression, back))
    drawn = [network for network in found if network is not None][:MOST_NETWORKS]
    return draw_networks(drawn, "tensor network") if drawn else None
