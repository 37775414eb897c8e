"""``pb.from_torch``: a PyTorch module or function read through ``torch.export``."""

from __future__ import annotations

import logging
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

from pullback.dimension import Dimension
from pullback.errors import UnsupportedError
from pullback.syntax.names import normalise
from pullback.tracing.tape import Recording, TracedProgram, Value, placed, refuse


def from_torch(module: Any, *examples: Any, names: Sequence[str] | None = None) -> TracedProgram:
    """Read a PyTorch module as a program over its inputs and parameters.

    The module is exported by ``torch.export`` (which runs it) in float64 and as it is: in training mode
    where it is in training mode.

    Args:
        module: A ``torch.nn.Module``, or a function of tensors.
        examples: Example inputs; their shapes count.
        names: Names for the inputs; by default those of the parameters of ``forward``.

    Returns:
        A program; a parameter ``self_attn.in_proj_weight`` is called ``self_attn_in_proj_weight``.

    Raises:
        UnsupportedError: An operation is not read; it is named with its place.
    """
    import copy

    import torch

    from pullback.tracing import aten_layers
    from pullback.tracing.aten import RULES

    _ = aten_layers

    wrapped = copy.deepcopy(module).double() if isinstance(module, torch.nn.Module) else _as_module(module, torch)
    tree = torch.utils._pytree

    def doubled(e: Any) -> Any:
        return e.detach().double() if torch.is_tensor(e) and e.is_floating_point() else e

    nested = tree.tree_map(doubled, examples)
    tensors, structure = tree.tree_flatten(nested)
    if not all(torch.is_tensor(e) for e in tensors):
        raise UnsupportedError("the examples must be tensors")
    for buffer in wrapped.buffers():
        if buffer.is_floating_point():
            buffer.data = buffer.data.double()
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    loud, trace_log = logging.root.manager.disable, logging.getLogger("torch.__trace")
    logging.disable(logging.CRITICAL)
    trace_log.disabled = True  # it does not ask whether logging is
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            exported = torch.export.export(wrapped, nested, strict=False).run_decompositions(_decompositions(torch))
    except UnsupportedError:
        raise
    except Exception as error:
        raise UnsupportedError(
            f"torch.export can't read {_title(module)}: {(str(error) or type(error).__name__).splitlines()[0][:200]}"
        ) from None
    finally:
        logging.disable(loud)
        trace_log.disabled = False
        torch.backends.mha.set_fastpath_enabled(fast)
    recording = Recording()
    state = {**dict(wrapped.named_parameters()), **dict(wrapped.named_buffers())}
    signature = exported.graph_signature
    known: dict[str, Any] = {}
    order: list[str] = []
    given = list(names) if names else _flat_names(_parameter_names(module, len(examples)), nested, tree)
    users = iter(zip(given, tensors, strict=False))
    parameters: dict[str, str] = {}
    for spec in signature.input_specs:
        place = spec.arg.name
        kind = spec.kind.name
        if kind == "USER_INPUT":
            name, example = next(users)
            order.append(normalise(name))
            known[place] = _input(recording, name, example)
        elif kind == "PARAMETER":
            name = _identifier(spec.target, recording)
            parameters[normalise(name)] = spec.target
            known[place] = _input(recording, name, state[spec.target])
        else:
            tensor = (
                exported.constants[spec.target] if kind != "BUFFER" or spec.target not in state else state[spec.target]
            )
            array = tensor.detach().numpy()
            known[place] = (
                recording.constant(array)
                if array.dtype.kind == "f" or array.size > 1
                else array.item()
                if array.size == 1
                else array
            )
    output: Any = None
    for node in exported.graph.nodes:
        if node.op == "placeholder":
            continue
        if node.op == "output":
            output = _user_output(node, signature, known)
            continue
        if node.op == "get_attr":
            known[node.name] = recording.constant(getattr(exported.graph_module, node.target).detach().numpy())
            continue
        with placed(lambda node=node: _place(node)):  # type: ignore[misc]
            known[node.name] = _call(node, known, recording, RULES)
    if not isinstance(output, Value):
        raise UnsupportedError(f"{_title(module)} gives no tensor that depends on its inputs")
    kinds = [None if tensor.is_floating_point() else tensor.dtype for tensor in tensors]
    run = _runner(
        wrapped, list(zip(order, kinds, strict=True)), parameters, lambda flat: tree.tree_unflatten(flat, structure)
    )
    program = recording.program(output, f"{_title(module)}({', '.join(recording.inputs)})", {}, run)
    program.leaves.extend((name, "") for name in order)
    program.leaves.extend(parameters.items())
    program.state.update((name, state[path].detach().numpy()) for name, path in parameters.items())
    return program


def _decompositions(torch: Any) -> Any:
    """PyTorch's own decompositions, but for what is read as a whole."""
    table = torch.export.default_decompositions()
    for operation in list(table):
        if getattr(operation, "_opname", getattr(operation, "__name__", "")).split(".")[0] in _WHOLE:
            del table[operation]
    return table


def _as_module(function: Callable[..., Any], torch: Any) -> Any:
    class Wrapped(torch.nn.Module):  # type: ignore[misc]
        def forward(self, *inputs: Any) -> Any:
            return function(*inputs)

    return Wrapped()


def _title(module: Any) -> str:
    return getattr(module, "__name__", type(module).__name__)


def _parameter_names(module: Any, count: int) -> list[str]:
    import inspect

    function = getattr(module, "forward", module)
    try:
        names = [
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
    except (TypeError, ValueError):
        names = []
    names = [_short.get(name, name) for name in names]
    return (names + [f"x{k + 1}" for k in range(count)])[:count]


def _flat_names(names: Sequence[str], nested: Sequence[Any], tree: Any) -> list[str]:
    """A name for each tensor; those of a tuple are numbered."""
    flat: list[str] = []
    for name, example in zip(names, nested, strict=True):
        count = len(tree.tree_leaves(example))
        flat += [name] if count == 1 else [f"{name}_{k + 1}" for k in range(count)]
    return [name if name not in flat[:k] else f"{name}{k}" for k, name in enumerate(flat)]


_WHOLE = frozenset(("_safe_softmax", "nll_loss_forward", "nll_loss2d_forward", "linalg_vector_norm", "rms_norm"))
_short = {"input": "x", "input1": "x1", "input2": "x2", "hx": "h0", "query": "q", "key": "k", "value": "v"}


def _identifier(target: str, recording: Recording) -> str:
    name = target.replace(".", "_")
    if not name.isidentifier():
        name = f"layer{name}"
    return name if normalise(name) not in recording.inputs else f"{name}_p"


def _input(recording: Recording, name: str, tensor: Any) -> Value:
    shape = tuple(Dimension.of(int(n)) for n in tensor.shape)
    if not tensor.is_floating_point():
        array = tensor.detach().numpy()
        value = recording.input(name, shape, frozenset({"constant"}))
        recording.constants[normalise(name)] = array.astype("float64")
        value.array = array
        return value
    return recording.input(name, shape)


def _user_output(node: Any, signature: Any, known: Mapping[str, Any]) -> Any:
    for spec, argument in zip(signature.output_specs, node.args[0], strict=True):
        if spec.kind.name == "USER_OUTPUT" and argument is not None:
            return known[argument.name]
    return None


def _call(node: Any, known: Mapping[str, Any], recording: Recording, rules: Mapping[str, Any]) -> Any:
    def read(argument: Any) -> Any:
        if hasattr(argument, "op") and hasattr(argument, "name"):
            return known[argument.name]
        if isinstance(argument, list | tuple):
            return [read(a) for a in argument]
        return argument

    arguments = [read(a) for a in node.args]
    options = {k: read(v) for k, v in node.kwargs.items()}
    if node.target is operator.getitem:
        return arguments[0][arguments[1]]
    name = (
        str(node.target).removeprefix("aten.").rsplit(".", 1)[0]
        if hasattr(node.target, "_schema")
        else getattr(node.target, "__name__", str(node.target))
    )
    folded = _folded(node, arguments, options, recording)
    if folded is not None:
        return folded
    rule = rules.get(name)
    if rule is None:
        raise refuse(f"the PyTorch operation {name}", _place(node))
    try:
        return rule(recording, *arguments, **options)
    except UnsupportedError as error:
        if "PyTorch" in error.message:
            raise
        raise refuse(
            f"{error.message.removesuffix(' is not read')} in the PyTorch operation {name}", _place(node), error.hint
        ) from None


def _folded(node: Any, arguments: Sequence[Any], options: Mapping[str, Any], recording: Recording) -> Any:
    """Compute what depends on no input: masks, ranges."""
    import torch

    tensors = [a for a in arguments if isinstance(a, Value)]
    example = node.meta.get("val")
    if any(a.array is None or id(a) in recording.values for a in tensors) or not torch.is_tensor(example):
        return None
    if (
        any(isinstance(a, list) and any(isinstance(b, Value) for b in a) for a in arguments)
        or options.get("device") == "meta"
    ):
        return None

    def concrete(a: Any, source: Any) -> Any:
        if not isinstance(a, Value):
            return a
        dtype = source.meta["val"].dtype
        return (
            torch.full([axis.number or 0 for axis in a.shape], a.array, dtype=torch.float64).to(dtype)
            if isinstance(a.array, float)
            else torch.from_numpy(a.array).to(dtype)
        )

    result = node.target(*(concrete(a, n) for a, n in zip(arguments, node.args, strict=True)), **options)
    return recording.constant(result.numpy()) if torch.is_tensor(result) else None


def _place(node: Any) -> str:
    stack = node.meta.get("stack_trace") or ""
    lines = [line.strip() for line in stack.splitlines() if line.strip().startswith("File")]
    return lines[-1].replace('File "', "").replace('", line ', ":").split(",")[0] if lines else node.name


def _runner(
    wrapped: Any, order: Sequence[tuple[str, Any]], parameters: Mapping[str, str], nest: Callable[[list[Any]], Any]
) -> Callable[[Mapping[str, Any]], Any]:
    """The module as a function of named arrays, run by PyTorch itself."""

    def run(values: Mapping[str, Any]) -> Any:
        import copy

        import numpy as np
        import torch

        if any(np.iscomplexobj(v) for v in values.values()):
            raise NotImplementedError("PyTorch modules are not given complex numbers")
        state = {t: torch.from_numpy(np.array(values[name], dtype=np.float64)) for name, t in parameters.items()}
        inputs = [torch.from_numpy(np.array(values[name])) for name, _ in order]
        inputs = [t if kind is None else t.to(kind) for t, (_, kind) in zip(inputs, order, strict=True)]
        with torch.no_grad():
            result = torch.func.functional_call(copy.deepcopy(wrapped), state, nest(inputs))
        while isinstance(result, tuple | list):
            result = result[0]
        return result.numpy()

    return run
