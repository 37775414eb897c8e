"""Walking a jaxpr: what depends on the inputs is recorded, what does not is computed on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pullback.dimension import Dimension
from pullback.errors import UnsupportedError
from pullback.tracing import ops
from pullback.tracing.assigning import grid_of, placed_at
from pullback.tracing.convolution import Window, convolution
from pullback.tracing.jax_rules import RULES, split, window
from pullback.tracing.tables import running_sum, with_gaps
from pullback.tracing.tape import Recording, Value, order_of, placed, refuse

_INLINED = frozenset(
    (
        "pjit",
        "jit",
        "closed_call",
        "core_call",
        "remat",
        "checkpoint",
        "remat2",
        "custom_jvp_call",
        "custom_vjp_call",
        "custom_vjp_call_jaxpr",
    )
)
_PASSED = frozenset(
    (
        "convert_element_type",
        "copy",
        "copy_p",
        "stop_gradient",
        "reduce_precision",
        "sharding_constraint",
        "pvary",
        "optimization_barrier",
    )
)
_MOVED = frozenset(("gather", "rev", "tile", "dynamic_slice", "squeeze", "broadcast_in_dim"))
"""Primitives that only move entries: they are asked where each entry of a table of places goes."""
_MOST_STEPS = 64

Known = Any
"""A traced value, or an array of JAX that depends on no input."""


class Reader:
    """Reads jaxprs into a recording."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.shifted: list[str] = []

    def closed(self, closed: Any, inputs: Sequence[Known]) -> list[Known]:
        """Read a closed jaxpr."""
        return self.body(closed.jaxpr, list(closed.consts), inputs)

    def body(self, jaxpr: Any, constants: Sequence[Known], inputs: Sequence[Known]) -> list[Known]:
        """Read the equations in order."""
        known: dict[Any, Known] = {}
        known.update(zip(jaxpr.constvars, constants, strict=True))
        known.update(zip(jaxpr.invars, inputs, strict=True))

        def read(atom: Any) -> Known:
            return atom.val if hasattr(atom, "val") else known[atom]

        for equation in jaxpr.eqns:
            place = ":".join(place_of(equation).split(" ")[0].split(":")[:2])
            given = [read(atom) for atom in equation.invars]
            with placed(lambda place=place: place):  # type: ignore[misc]
                results = self.equation(equation, given)
            known.update(zip(equation.outvars, results, strict=False))
        return [read(atom) for atom in jaxpr.outvars]

    def value(self, thing: Known) -> Value:
        """A traced value of what may be a plain array."""
        import numpy as np

        return thing if isinstance(thing, Value) else self.recording.constant(np.asarray(thing))

    def equation(self, equation: Any, given: list[Known]) -> list[Known]:
        """Read one equation."""
        name, parameters = equation.primitive.name, equation.params
        if not any(isinstance(thing, Value) for thing in given):
            return _computed(equation, given)
        if name in _INLINED:
            inner = parameters.get("jaxpr", parameters.get("call_jaxpr", parameters.get("fun_jaxpr")))
            if inner is None:
                raise refuse(f"the JAX primitive {name}", place_of(equation))
            whole = self.whole(parameters.get("name", ""), inner, given)
            if whole is not None:
                return whole
            return self.closed(inner, given) if hasattr(inner, "consts") else self.body(inner, [], given)
        if name == "stop_gradient":
            return [self.held(self.value(given[0]), equation)]
        if name in _PASSED:
            return [given[0]]
        if name == "scan":
            return self.scan(equation, given)
        if name == "cond" and not isinstance(given[0], Value):
            return self.closed(parameters["branches"][int(given[0])], given[1:])
        if name == "split":
            return list(split(self.value(given[0]), parameters))
        if name in ("reduce_window_sum", "reduce_window_max"):
            return [window(self.recording, self.value(given[0]), parameters, name.endswith("max"))]
        if name in ("cumsum", "cumulative_sum"):
            value = self.value(given[0])
            return [running_sum(self.recording, value, parameters["axis"], bool(parameters.get("reverse")))]
        if name in ("scatter", "scatter-add"):
            return [self.scattered(equation, given)]
        if name == "conv_general_dilated":
            return [self.convolved(equation, given)]
        try:
            rule = RULES.get(name)
            if rule is not None:
                return [rule([self.value(thing) for thing in given], parameters)]
            if name in _MOVED and isinstance(given[0], Value) and not any(isinstance(g, Value) for g in given[1:]):
                return [self.moved(equation, given)]
        except UnsupportedError as error:
            what = f"{error.message.removesuffix(' is not read')} in {name}"
            raise refuse(what, place_of(equation), error.hint) from None
        raise refuse(f"the JAX primitive {name}", place_of(equation))

    def held(self, value: Value, equation: Any) -> Value:
        """A maximum that is held fixed is the shift of a softmax: left out, if that changes nothing."""
        if not any(v.step == "max" for v in order_of(value)):
            raise refuse("stop_gradient", place_of(equation), "its derivative is not that of the values it gives")
        self.shifted.append(place_of(equation))
        return ops.filled(0, value.shape)

    def whole(self, name: str, inner: Any, given: Sequence[Known]) -> list[Known] | None:
        """A function of linear algebra that JAX computes by factorising, read as what it is."""
        make = _WHOLE.get(name)
        if make is None or not all(isinstance(g, Value) for g in given) or not hasattr(inner, "consts"):
            return None
        shapes = [tuple(axis.number or 0 for axis in g.shape) for g in given]
        if len(shapes[0]) != 2 or shapes[0][0] != shapes[0][1] or not _is_really(name, inner, shapes):
            return None
        return make(*given)

    def moved(self, equation: Any, given: Sequence[Known]) -> Value:
        """Entries that are picked or moved by what depends on no input."""
        import numpy as np

        value = given[0]
        grid = np.asarray(grid_of(value), dtype=np.float64) + 1
        (places,) = _computed(equation, [grid, *given[1:]])
        return placed_at(value, np.asarray(places).astype(int) - 1, self.recording)

    def scattered(self, equation: Any, given: Sequence[Known]) -> Value:
        """``x.at[…].set`` and ``.add``: linear in both, by tables that the primitive itself fills."""
        import numpy as np

        operand, indices, updates = given
        if isinstance(indices, Value):
            raise refuse("an index that is computed from values", place_of(equation))
        first, second = self.value(operand), self.value(updates)
        shapes = [[axis.number or 0 for axis in value.shape] for value in (first, second)]
        (kept,) = _computed(equation, [np.ones(shapes[0]), indices, np.zeros(shapes[1])])
        count = int(np.prod(shapes[1], dtype=int))
        size = int(np.prod(shapes[0], dtype=int))
        if count * size > _MOST_ENTRIES:
            raise refuse(f"an assignment of {count} entries to {size}", place_of(equation))
        table = np.zeros((size, count))
        for k in range(count):
            one = np.zeros(count)
            one[k] = 1.0
            (column,) = _computed(equation, [np.zeros(shapes[0]), indices, one.reshape(shapes[1])])
            table[:, k] = np.asarray(column).reshape(-1)
        flat = ops.reshape(second, (Dimension.of(count),))
        put = ops.contract([(self.recording.constant(table), [0, 1], 1), (flat, [1], 1)], [0], "assigned entries")
        rest = ops.multiply(first, self.recording.constant(np.asarray(kept)))
        return ops.add(rest, ops.reshape(put, first.shape))

    def scan(self, equation: Any, given: Sequence[Known]) -> list[Known]:
        """A loop of known length, unrolled."""
        import numpy as np

        parameters = equation.params
        length, constants, carried = parameters["length"], parameters["num_consts"], parameters["num_carry"]
        if length > _MOST_STEPS:
            raise refuse(f"a loop of {length} steps", place_of(equation), f"up to {_MOST_STEPS} are unrolled")
        fixed, carry = list(given[:constants]), list(given[constants : constants + carried])
        series = given[constants + carried :]
        outputs: list[list[Known]] = []
        for turn in range(length):
            k = length - 1 - turn if parameters["reverse"] else turn
            here = [
                ops.squeeze(ops.take(x, 0, k, 1), [0]) if isinstance(x, Value) else np.asarray(x)[k] for x in series
            ]
            results = self.closed(parameters["jaxpr"], [*fixed, *carry, *here])
            carry = results[:carried]
            outputs.append(results[carried:])
        if parameters["reverse"]:
            outputs.reverse()
        columns = [[self.value(part) for part in column] for column in zip(*outputs, strict=True)]
        stacked = [ops.concat([ops.unsqueeze(part, 0) for part in column], 0) for column in columns]
        return [*carry, *stacked]

    def convolved(self, equation: Any, given: Sequence[Known]) -> Value:
        """A convolution in whatever layout."""
        p = equation.params
        if p["batch_group_count"] != 1:
            raise refuse("a convolution in groups of the batch", place_of(equation))
        numbers = p["dimension_numbers"]
        x = ops.permute(self.value(given[0]), list(numbers.lhs_spec))
        w = ops.permute(self.value(given[1]), list(numbers.rhs_spec))
        space = range(x.rank - 2)
        lengths = [axis.number or 0 for axis in w.shape[2:]]
        for k in space:
            x = with_gaps(self.recording, x, 2 + k, p["lhs_dilation"][k])
        windows = [Window(lengths[k], p["window_strides"][k], p["rhs_dilation"][k], *p["padding"][k]) for k in space]
        y = convolution(self.recording, x, w, windows, p["feature_group_count"])
        back = list(numbers.out_spec)
        return ops.permute(y, [back.index(k) for k in range(y.rank)])


_MOST_ENTRIES = 200_000


def _computed(equation: Any, given: Sequence[Any]) -> list[Any]:
    """Compute what depends on no input."""
    import jax

    from pullback.tracing.jax import enable_x64

    with enable_x64():
        arrays = [_typed(jax, thing, atom.aval) for thing, atom in zip(given, equation.invars, strict=True)]
        results = equation.primitive.bind(*arrays, **equation.params)
    return list(results) if equation.primitive.multiple_results else [results]


def _typed(jax: Any, thing: Any, aval: Any) -> Any:
    """An array of the type that an equation is for; a random key stays as it is."""
    if jax.dtypes.issubdtype(aval.dtype, jax.dtypes.prng_key):
        return thing
    return jax.numpy.asarray(thing, dtype=aval.dtype)


def _inverse(a: Value) -> list[Known]:
    return [ops.structured("inv", a)]


def _solved(a: Value, b: Value) -> list[Known]:
    return [ops.matmul(ops.structured("inv", a), b)]


_WHOLE: Mapping[str, Callable[..., list[Known]]] = {
    "inv": _inverse,
    "solve": _solved,
    "det": lambda a: [ops.structured("det", a)],
    "slogdet": lambda a: [ops.filled(1), ops.structured("logdet", a)],
    "expm": lambda a: [ops.structured("expm", a)],
}
"""Functions of ``jax.numpy.linalg`` and ``jax.scipy.linalg`` by the name of their compiled form."""


def _is_really(name: str, inner: Any, shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether a compiled function of this name computes what the name says, at two points."""
    import jax
    import numpy as np

    from pullback.tracing.jax import enable_x64

    meanings: Mapping[str, Callable[..., Any]] = {
        "inv": np.linalg.inv,
        "solve": np.linalg.solve,
        "det": np.linalg.det,
        "slogdet": lambda a: np.linalg.slogdet(a)[1],
        "expm": jax.scipy.linalg.expm,
    }
    rng = np.random.default_rng(11)
    for _ in range(2):
        draw = rng.standard_normal(shapes[0])
        arrays = [draw @ draw.T + np.eye(shapes[0][0]), *(rng.standard_normal(shape) for shape in shapes[1:])]
        with enable_x64():
            try:
                found = jax.core.eval_jaxpr(inner.jaxpr, inner.consts, *arrays)[-1]
                wanted = np.asarray(meanings[name](*arrays))
            except (TypeError, ValueError):
                return False
        if np.shape(found) != wanted.shape or not np.allclose(found, wanted, rtol=1e-8):
            return False
    return True


def place_of(equation: Any) -> str:
    """Where an equation stands in the code it was traced from."""
    try:
        from jax._src import source_info_util

        return str(source_info_util.summarize(equation.source_info))
    except Exception:
        return ""
