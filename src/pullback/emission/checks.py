"""How a Python file checks itself: on numbers that look random, against differences or against known values."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.emission.drafting import Drawn
from pullback.emission.files import joined
from pullback.emission.sampling import Given, Sample, sample
from pullback.spelling.dialects import JAX, NUMPY, TORCH, Dialect

_STEP = "1e-6"
_MADE = {
    "spd": "{x} @ {x}.T",
    "orthogonal": "{module}.linalg.qr({x})[0]",
    "diagonal": "{module}.diag({module}.diag({x}))",
    "lower": "{module}.tril({x})",
    "upper": "{module}.triu({x})",
    "symmetric": "({x} + {x}.T) / 2",
}


def sampler(found: Sample, module: str) -> list[str]:
    """A function that gives numbers which look random."""
    middle = f"{found.center} + " if found.center else ""
    wide = f"{found.spread} * " if found.spread != 1 else ""
    if all(given.literal is not None for given in found.given):
        return []
    double = ", dtype=torch.float64" if module == "torch" else ""
    return [
        "def sample(first, *shape):",
        '    """Numbers that look random."""',
        f"    k = {module}.arange(first, first + math.prod(shape){double})",
        f"    return ({middle}{wide}{module}.sin(k**{'2' if double else '2.0'})).reshape(shape)",
        "",
    ]


def free_numbers(given: Given, module: str) -> str:
    """The free numbers of an input: square matrices are kept away from singular ones, positive numbers from zero."""
    if given.literal is not None:
        double = ", dtype=torch.float64" if module == "torch" else ", dtype=float"
        return f"{'torch.tensor' if module == 'torch' else f'{module}.array'}({given.literal!r}{double})"
    called = f"sample({', '.join(map(str, (given.first, *given.extent)))})"
    if given.positive and not given.square:
        return f"0.3 + {called} ** 2"
    if not given.square:
        return called
    double = ", dtype=torch.float64" if module == "torch" else ""
    return f"{called} / {given.extent[0]} + {module}.eye({given.extent[0]}{double})"


def made(given: Given, x: str, module: str) -> str:
    """What gives an input its structure."""
    return x if given.structure is None else _MADE[given.structure].format(x=x, module=module)


def numpy_check(drawn: Drawn, called: str, passed: Sequence[str] = ()) -> list[str]:
    """Central differences along one direction an input; for results by themselves, their known values."""
    found = sample(drawn)
    if not drawn.wrt:
        return [*sampler(found, "np"), *_known_values(drawn, found, NUMPY, called)]
    if not found.finite:
        return _nothing_found()
    shaped = [given for given in found.given if given.structure is not None]
    extra = "".join(f", {size}={found.sizes[name]}" for name, size in drawn.sizes.items() if size in drawn.loose)
    lines = [*sampler(found, "np"), "inputs = {"]
    lines += [f'    "{given.name}": {free_numbers(given, "np")},' for given in found.given]
    lines.append("}")
    move = "inputs[name]"
    if shaped:
        lines[-2 - len(found.given)] = "free = {"
        lines.append("structure = {" + ", ".join(f'"{g.name}": lambda s: {made(g, "s", "np")}' for g in shaped) + "}")
        lines.append("inputs = free | {name: make(free[name]) for name, make in structure.items()}")
        lines += [
            "",
            "",
            "def moved(name, change):",
            '    """The inputs with one of them moved, within its structure."""',
        ]
        lines.append("    return inputs | {name: structure.get(name, lambda s: s)(free[name] + change)}")
        lines += ["", ""]
        move = "free[name]"
    weight = f'inputs["{drawn.upstream}"] * ' if drawn.upstream is not None else ""
    ahead = "moved(name, change)" if shaped else "inputs | {name: inputs[name] + change}"
    behind = "moved(name, -change)" if shaped else "inputs | {name: inputs[name] - change}"
    pairs = ", ".join(f'"{name}": {gradient}' for name, gradient in drawn.wrt.items())
    lines += [
        f"{drawn.output}, {', '.join(drawn.wrt.values())} = {called}(**inputs{extra})",
        f"for name, gradient in {{{pairs}}}.items():",
        f"    change = {_STEP} * np.cos(np.arange({move}.size)).reshape({move}.shape)",
        f"    ahead, behind = {ahead}, {behind}",
        f"    rise = {called}(**ahead{extra})[0] - {called}(**behind{extra})[0]",
        f"    measured = np.sum({weight}rise) / 2e-6" if weight else "    measured = rise / 2e-6",
        "    derived = np.sum(gradient * (ahead[name] - behind[name])) / 2e-6",
        "    if not abs(derived - measured) <= 1e-5 * max(1, abs(derived)):",
        '        raise SystemExit(f"dL/d{name}: {derived:.8g} derived, but {measured:.8g} by central differences")',
        '    print(f"dL/d{name}: {derived:.8g} derived, {measured:.8g} by central differences")',
    ]
    return lines


def _nothing_found() -> list[str]:
    return ['print("nothing compared: no numbers are known at which all of this is finite")']


def _known_values(drawn: Drawn, found: Sample, dialect: Dialect, called: str) -> list[str]:
    """Compare a weighted sum of each result with what the plain reading of the closed form gave."""
    if not found.finite:
        return _nothing_found()
    module = dialect.module
    given = ", ".join(_argument(one, module) for one in found.given)
    sizes = "".join(f", {found.sizes[name]}" for name, size in drawn.sizes.items() if size in drawn.loose)
    names = list(drawn.results)
    double = ", dtype=torch.float64" if module == "torch" else ""
    lines = [f"{', '.join(names)} = {called}({(given + sizes).removeprefix(', ')})"]
    pairs = ", ".join(f"({name}, {value!r})" for name, value in zip(names, found.expected, strict=True))
    lines += [
        f"for found, right in [{pairs}]:",
        "    entries = found.reshape(-1)" if module != "np" else "    entries = np.ravel(found)",
        f"    total = float(entries @ {module}.cos({module}.arange(len(entries){double})))",
        "    if not abs(total - right) <= 1e-9 * max(1, abs(right)):",
        '        raise SystemExit(f"wrong: the entries, weighted with cos(k), sum to {total}, not {right}")',
        '    print(f"{tuple(found.shape)}: the entries, weighted with cos(k), sum to {total:.8g}, as they should")',
    ]
    return lines


def _argument(given: Given, module: str) -> str:
    free = free_numbers(given, module)
    return free if given.structure is None else made(given, f"({free})", module)


def torch_check(drawn: Drawn, called: str) -> list[str]:
    """Gradcheck and gradgradcheck by PyTorch itself."""
    found = sample(drawn)
    if not drawn.wrt:
        return [*sampler(found, "torch"), *_known_values(drawn, found, TORCH, called)]
    if not found.finite:
        return _nothing_found()
    given = [one for one in found.given if one.name != drawn.upstream]
    lines = sampler(found, "torch")
    lines.append("inputs = (")
    for one in given:
        free = free_numbers(one, "torch")
        simple = one.literal is not None or not (one.square or one.positive)
        free = free if simple else f"({free})"
        lines.append(f"    {free}{'.requires_grad_()' if one.name in drawn.wrt else ''},")
    lines.append(")")
    tested = _tested(drawn, found, given, called, "torch")
    lines += [
        f"torch.autograd.gradcheck({tested}, inputs)",
        f"torch.autograd.gradgradcheck({tested}, inputs)",
        f'print("gradcheck and gradgradcheck pass for {joined(list(drawn.wrt))}")',
    ]
    return lines


def jax_check(drawn: Drawn, called: str) -> list[str]:
    """First and second derivatives in reverse mode, by JAX itself."""
    found = sample(drawn)
    wide = ['jax.config.update("jax_enable_x64", True)', ""]
    if not drawn.wrt:
        return [*wide, *sampler(found, "jnp"), *_known_values(drawn, found, JAX, called)]
    if not found.finite:
        return _nothing_found()
    given = [one for one in found.given if one.name != drawn.upstream]
    lines = ["from jax.test_util import check_grads", "", *wide, *sampler(found, "jnp")]
    constants = [one for one in given if one.name not in drawn.wrt]
    lines += [f"{one.name} = {_argument(one, 'jnp')}" for one in constants]
    varied = [one for one in given if one.name in drawn.wrt]
    inputs = "".join(f"    {free_numbers(one, 'jnp')},\n" for one in varied)
    lines += ["inputs = (", *inputs.splitlines(), ")"]
    if constants:
        values = ", ".join(made(one, one.name, "jnp") if one in varied else one.name for one in given)
        tested = f"lambda {', '.join(one.name for one in varied)}: {called}({values}{_sizes(drawn, found)})"
    else:
        tested = _tested(drawn, found, given, called, "jnp")
    lines += [
        f'check_grads({tested}, inputs, order=2, modes=["rev"], atol=1e-4, rtol=1e-4)',
        f'print("check_grads passes in reverse mode, to second order, for {joined(list(drawn.wrt))}")',
    ]
    return lines


def _sizes(drawn: Drawn, found: Sample) -> str:
    return "".join(f", {found.sizes[name]}" for name, size in drawn.sizes.items() if size in drawn.loose)


def _tested(drawn: Drawn, found: Sample, given: Sequence[Given], called: str, module: str) -> str:
    """The function of free numbers that is checked."""
    if not drawn.loose and not any(one.structure for one in given):
        return called
    names = ", ".join(one.name for one in given)
    values = ", ".join(made(one, one.name, module) for one in given)
    return f"lambda {names}: {called}({values}{_sizes(drawn, found)})"
