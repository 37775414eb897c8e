"""``pb.from_jax``: a JAX function read through its jaxpr."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pullback.dimension import ONE, Dimension
from pullback.errors import UnsupportedError
from pullback.syntax.names import normalise
from pullback.tracing import exponentials, ops
from pullback.tracing.array import strided
from pullback.tracing.tape import Recording, Shape, TracedProgram, Value, order_of, placed, refuse

Rule = Callable[[list[Value], Mapping[str, Any]], Value]
_INLINED = frozenset(
    (
        "pjit",
        "jit",
        "closed_call",
        "core_call",
        "remat",
        "checkpoint",
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


def from_jax(function: Callable[..., Any], *examples: Any, names: Sequence[str] | None = None) -> TracedProgram:
    """Read a JAX function as a program.

    Args:
        function: The function; of several results the first counts.
        examples: Example arguments, arrays or trees of arrays; their shapes matter, their values do not.
        names: Names for the flattened arguments; by default those of the parameters.

    Raises:
        UnsupportedError: A primitive is not read; it is named with its place.
    """
    import jax
    import numpy as np

    with enable_x64():
        examples = jax.tree_util.tree_map(_doubled, examples)
        closed = jax.make_jaxpr(function)(*examples)
    leaves, structure = jax.tree_util.tree_flatten(examples)
    given = list(names) if names is not None else _names(function, examples, jax)
    recording = Recording()
    reader = _Reader(recording)
    inputs = [
        recording.input(name, tuple(Dimension.of(int(n)) for n in np.shape(leaf)), _facts(leaf))
        for name, leaf in zip(given, leaves, strict=True)
    ]
    for name, leaf in zip(given, leaves, strict=True):
        if np.asarray(leaf).dtype.kind != "f":
            recording.constants[normalise(name)] = np.asarray(leaf, dtype=np.float64)
    results = reader.closed(closed, inputs)

    def run(values: Mapping[str, Any]) -> Any:
        kinds = [None if np.asarray(leaf).dtype.kind == "f" else np.asarray(leaf).dtype for leaf in leaves]
        flat = [np.asarray(values[normalise(n)], dtype=kind) for n, kind in zip(given, kinds, strict=True)]
        if any(np.iscomplexobj(a) for a in flat):
            raise NotImplementedError("JAX functions are not given complex numbers")
        with enable_x64():
            result = function(*jax.tree_util.tree_unflatten(structure, flat))
        return np.asarray(jax.tree_util.tree_leaves(result)[0])

    title = f"{getattr(function, '__name__', 'function')}({', '.join(given)})"
    program = recording.program(results[0], title, {}, run)
    program.leaves.extend((normalise(name), "") for name in given)
    if reader.shifted and not _same(program, run, given, leaves):
        raise refuse("stop_gradient", reader.shifted[0], "its derivative is not that of the values it gives")
    return program


def _same(program: TracedProgram, run: Callable[..., Any], names: Sequence[str], leaves: Sequence[Any]) -> bool:
    """Whether the program computes what the function does."""
    import numpy as np

    from pullback.expression import evaluate_all

    rng = np.random.default_rng(5)
    values = {
        normalise(n): rng.standard_normal(np.shape(a)) if np.asarray(a).dtype.kind == "f" else a
        for n, a in zip(names, leaves, strict=True)
    }
    output = program.output
    (found,) = evaluate_all([(output.node, output.shape)], program.inputs, {**program.constants, **values})
    return bool(np.allclose(found, run(values), rtol=1e-10, atol=1e-12))


def _doubled(array: Any) -> Any:
    import numpy as np

    array = np.asarray(array)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def enable_x64() -> Any:
    """A context in which JAX computes in float64; its name has moved between versions."""
    import jax

    here = getattr(jax, "enable_x64", None)
    if here is not None:
        return here(True)
    from importlib import import_module

    return import_module("jax.experimental").enable_x64()


def _facts(leaf: Any) -> frozenset[str]:
    import numpy as np

    return frozenset() if np.asarray(leaf).dtype.kind == "f" else frozenset({"constant"})


def _names(function: Callable[..., Any], examples: Sequence[Any], jax: Any) -> list[str]:
    import inspect

    try:
        parameters = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        parameters = [f"x{k + 1}" for k in range(len(examples))]
    names = []
    for name, example in zip(parameters, examples, strict=False):
        for path, _ in jax.tree_util.tree_flatten_with_path(example)[0]:
            parts = [str(getattr(p, "key", getattr(p, "name", getattr(p, "idx", "")))) for p in path]
            names.append("_".join([name, *parts]))
    return [name if name not in names[:k] else f"{name}_{k}" for k, name in enumerate(names)]


class _Reader:
    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.shifted: list[str] = []

    def closed(self, closed: Any, inputs: Sequence[Value]) -> list[Value]:
        return self.body(closed.jaxpr, [self.recording.constant(c) for c in closed.consts], inputs)

    def body(self, jaxpr: Any, constants: Sequence[Value], inputs: Sequence[Value]) -> list[Value]:
        known: dict[Any, Value] = {}
        known.update(zip(jaxpr.constvars, constants, strict=True))
        known.update(zip(jaxpr.invars, inputs, strict=True))

        def read(atom: Any) -> Value:
            if hasattr(atom, "val"):
                return self.recording.constant(atom.val)
            return known[atom]

        for equation in jaxpr.eqns:
            place = ":".join(_place(equation).split(" ")[0].split(":")[:2])
            with placed(lambda place=place: place):  # type: ignore[misc]
                results = self.equation(equation, [read(atom) for atom in equation.invars])
            known.update(zip(equation.outvars, results, strict=False))
        return [read(atom) for atom in jaxpr.outvars]

    def equation(self, equation: Any, values: list[Value]) -> list[Value]:
        name, parameters = equation.primitive.name, equation.params
        if name in _INLINED:
            inner = parameters.get("jaxpr", parameters.get("call_jaxpr", parameters.get("fun_jaxpr")))
            if inner is None:
                raise refuse(f"the JAX primitive {name}", _place(equation))
            return self.closed(inner, values) if hasattr(inner, "consts") else self.body(inner, [], values)
        if name in _PASSED:
            if name == "stop_gradient":
                return [self.held(values[0], equation)]
            return [values[0]]
        if name == "split":
            return _split(values[0], parameters)
        folded = self.folded(equation, values)
        if folded is not None:
            return folded
        rule = RULES.get(name)
        if rule is None:
            raise refuse(f"the JAX primitive {name}", _place(equation))
        try:
            return [rule(values, parameters)]
        except UnsupportedError as error:
            raise refuse(
                f"{error.message.removesuffix(' is not read')} in {name}", _place(equation), error.hint
            ) from None

    def held(self, value: Value, equation: Any) -> Value:
        """A maximum that is held fixed is the shift of a softmax: left out, if that changes nothing."""
        if not any(v.step == "max" for v in order_of(value)):
            raise refuse("stop_gradient", _place(equation), "its derivative is not that of the values it gives")
        self.shifted.append(_place(equation))
        return ops.filled(0, value.shape)

    def folded(self, equation: Any, values: Sequence[Value]) -> list[Value] | None:
        """Compute what depends on no input: index ranges, masks."""
        import numpy as np

        if any(value.array is None for value in values):
            return None
        arrays = []
        for value, atom in zip(values, equation.invars, strict=True):
            kind = atom.aval.dtype
            arrays.append(np.broadcast_to(value.array, atom.aval.shape).astype(kind))
        with enable_x64():
            results = equation.primitive.bind(*arrays, **equation.params)
        several = results if equation.primitive.multiple_results else [results]
        return [self.recording.constant(np.asarray(result)) for result in several]


def _place(equation: Any) -> str:
    try:
        from jax._src import source_info_util

        return str(source_info_util.summarize(equation.source_info))
    except Exception:
        return ""


def _shape(parameters: Mapping[str, Any], key: str) -> Shape:
    return tuple(Dimension.of(int(n)) for n in parameters[key])


def _dot_general(values: list[Value], parameters: Mapping[str, Any]) -> Value:
    (left_inner, right_inner), (left_batch, right_batch) = parameters["dimension_numbers"]
    left, right = values
    a = list(range(left.rank))
    b = list(range(left.rank, left.rank + right.rank))
    for i, j in (*zip(left_inner, right_inner, strict=True), *zip(left_batch, right_batch, strict=True)):
        b[j] = a[i]
    summed = {a[i] for i in left_inner}
    batch = [a[i] for i in left_batch]
    output = [*batch, *(k for k in a if k not in summed and k not in batch), *(k for k in b if k >= left.rank)]
    return ops.contract([(left, a, 1), (right, b, 1)], output, "matrix product")


def _broadcast_in_dim(values: list[Value], parameters: Mapping[str, Any]) -> Value:
    value, shape, place = values[0], _shape(parameters, "shape"), parameters["broadcast_dimensions"]
    middle = [ONE] * len(shape)
    for axis, at in zip(value.shape, place, strict=True):
        middle[at] = axis
    return ops.broadcast_to(ops.reshape(value, tuple(middle)), shape)


def _slice(values: list[Value], parameters: Mapping[str, Any]) -> Value:
    value = values[0]
    strides = parameters["strides"] or [1] * value.rank
    for axis, (start, stop, step) in enumerate(
        zip(parameters["start_indices"], parameters["limit_indices"], strides, strict=True)
    ):
        value = ops.take(value, axis, start, stop - start) if step == 1 else strided(value, axis, start, stop, step)
    return value


def _split(value: Value, parameters: Mapping[str, Any]) -> list[Value]:
    start, parts = 0, []
    for size in parameters["sizes"]:
        parts.append(ops.take(value, parameters["axis"], start, size))
        start += size
    return parts


def _pad(values: list[Value], parameters: Mapping[str, Any]) -> Value:
    value, filler = values
    if filler.array is None or float(filler.array) != 0.0:
        raise refuse("padding with anything but zeros")
    for axis, (before, after, inside) in enumerate(parameters["padding_config"]):
        if inside:
            raise refuse("padding between entries")
        value = ops.pad(value, axis, before, after)
    return value


def _reduced(name: str, sign: int = 1) -> Rule:
    def rule(values: list[Value], parameters: Mapping[str, Any]) -> Value:
        value = ops.scale(sign, values[0]) if sign < 0 else values[0]
        for axis in sorted(parameters["axes"], reverse=True):
            value = ops.along(name, value, axis, False)
        return ops.scale(sign, value) if sign < 0 else value

    return rule


def _select(values: list[Value], _: Mapping[str, Any]) -> Value:
    if len(values) != 3:
        raise refuse("a choice among more than two")
    condition, no, yes = values
    return ops.where(condition, yes, no)


def _clamp(values: list[Value], _: Mapping[str, Any]) -> Value:
    low, value, high = values
    return ops.minimum(ops.maximum(value, low), high)


def _not_equal(values: list[Value], _: Mapping[str, Any]) -> Value:
    left, right = values
    if left is right:
        return ops.filled(0, left.shape)
    return ops.different(left, right)


def _entrywise(name: str) -> Rule:
    return lambda values, _: ops.entrywise(name, *values)


RULES: dict[str, Rule] = {
    **{name: _entrywise(name) for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign", "abs", "erf")},
    "log": lambda v, _: exponentials.log(v[0]),
    "logistic": _entrywise("sigmoid"),
    "neg": lambda v, _: ops.scale(-1, v[0]),
    "add": lambda v, _: ops.add(*v),
    "add_any": lambda v, _: ops.add(*v),
    "sub": lambda v, _: ops.subtract(*v),
    "mul": lambda v, _: ops.multiply(v[0], v[1]),
    "div": lambda v, _: exponentials.divide(*v),
    "max": lambda v, _: ops.maximum(*v),
    "min": lambda v, _: ops.minimum(*v),
    "pow": lambda v, _: ops.power(*v),
    "integer_pow": lambda v, p: ops.power(v[0], p["y"]),
    "square": lambda v, _: ops.power(v[0], 2),
    "sqrt": lambda v, _: ops.power(v[0], 0.5),
    "rsqrt": lambda v, _: ops.power(v[0], -0.5),
    "log1p": lambda v, _: ops.entrywise("log", ops.add(ops.filled(1), v[0])),
    "expm1": lambda v, _: ops.subtract(ops.entrywise("exp", v[0]), ops.filled(1)),
    "erfc": lambda v, _: ops.subtract(ops.filled(1), ops.entrywise("erf", v[0])),
    "exp2": lambda v, _: ops.entrywise("exp", ops.scale(0.6931471805599453, v[0])),
    "dot_general": _dot_general,
    "reduce_sum": lambda v, p: ops.sum_over(v[0], p["axes"]) if p["axes"] else v[0],
    "reduce_max": _reduced("max"),
    "reduce_min": _reduced("max", -1),
    "broadcast_in_dim": _broadcast_in_dim,
    "transpose": lambda v, p: ops.permute(v[0], p["permutation"]),
    "reshape": lambda v, p: ops.reshape(v[0], _shape(p, "new_sizes")),
    "squeeze": lambda v, p: ops.squeeze(v[0], p["dimensions"]),
    "expand_dims": lambda v, p: ops.reshape(v[0], _shape(p, "shape")),
    "concatenate": lambda v, p: ops.concat(v, p["dimension"]),
    "slice": _slice,
    "pad": _pad,
    "select_n": _select,
    "clamp": _clamp,
    "gt": lambda v, _: ops.greater(*v),
    "lt": lambda v, _: ops.greater(v[1], v[0]),
    "ge": lambda v, _: ops.greater_equal(*v),
    "le": lambda v, _: ops.greater_equal(v[1], v[0]),
    "ne": _not_equal,
    "eq": lambda v, p: ops.subtract(ops.filled(1), _not_equal(v, p)),
    "is_finite": lambda v, _: ops.filled(1, v[0].shape),
    "cumsum": lambda v, p: _cumsum(v[0], p),
    "cholesky": lambda v, _: ops.structured("chol", v[0]),
}


def _cumsum(value: Value, parameters: Mapping[str, Any]) -> Value:
    import numpy as np

    axis = parameters["axis"]
    length = value.shape[axis].number
    assert length is not None
    steps = np.tril(np.ones((length, length))) if not parameters.get("reverse") else np.triu(np.ones((length, length)))
    terms = []
    for k in range(length):
        moved = ops.take(value, axis, k, 1)
        labels = [ONE] * value.rank
        labels[axis] = Dimension.of(length)
        column = steps[:, k]
        first = int(np.argmax(column))
        count = int(column.sum())
        repeated = ops.broadcast_to(
            moved, tuple(Dimension.of(count) if a == axis else s for a, s in enumerate(value.shape))
        )
        terms.append((1, ops.pad(repeated, axis, first, length - first - count)))
    return ops.linear(terms, "cumulative sum")
