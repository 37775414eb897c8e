"""The main of an emitted C file: central differences for every gradient, known values for closed forms."""

from __future__ import annotations

from math import prod
from typing import Any

from pullback.emission.drafting import Drawn
from pullback.emission.sampling import Given, Sample, sample

_STRUCTURES = {
    "symmetric": ["made[i * n + j] = (s[i * n + j] + s[j * n + i]) / 2;"],
    "lower": ["made[i * n + j] = j <= i ? s[i * n + j] : 0;"],
    "upper": ["made[i * n + j] = i <= j ? s[i * n + j] : 0;"],
    "diagonal": ["made[i * n + j] = i == j ? s[i * n + j] : 0;"],
    "spd": ["made[i * n + j] = 0;", "for (size_t k = 0; k < n; k++)",
            "    made[i * n + j] += s[i * n + k] * s[j * n + k];"],
}  # fmt: skip
_ORTHOGONAL = """\
static void orthogonal(size_t n, const real *s, real *made)
{
    for (size_t j = 0; j < n; j++) {
        real norm = 0;
        for (size_t i = 0; i < n; i++)
            made[i * n + j] = s[i * n + j];
        for (size_t k = 0; k < 2 * j; k++) {
            real along = 0;
            for (size_t i = 0; i < n; i++)
                along += made[i * n + j] * made[i * n + k % j];
            for (size_t i = 0; i < n; i++)
                made[i * n + j] -= along * made[i * n + k % j];
        }
        for (size_t i = 0; i < n; i++)
            norm += made[i * n + j] * made[i * n + j];
        for (size_t i = 0; i < n; i++)
            made[i * n + j] /= (real)sqrt(norm);
    }
}"""


def check_main(drawn: Drawn) -> list[str]:
    """Everything under ``#ifdef CHECK``."""
    found = sample(drawn)
    if not found.finite:
        text = 'puts("nothing compared: no numbers are known at which all of this is finite");'
        body = ["int main(void)", "{", f"    {text}", "    return 0;", "}"]
    else:
        body = [*_structures(found), *_arrays(drawn, found), "", *_run(drawn, found), ""]
        body += _differences(drawn, found) if drawn.wrt else _known(drawn, found)
    return ["#ifdef CHECK", *body, "#endif"]


def _structures(found: Sample) -> list[str]:
    lines: list[str] = []
    for structure in dict.fromkeys(g.structure for g in found.given if g.structure is not None):
        if structure == "orthogonal":
            lines += [*_ORTHOGONAL.split("\n"), ""]
            continue
        inner = _STRUCTURES[structure]
        brace = len(inner) > 1
        lines += [f"static void {structure}(size_t n, const real *s, real *made)", "{"]
        lines += [
            "    for (size_t i = 0; i < n; i++)",
            f"        for (size_t j = 0; j < n; j++){' {' if brace else ''}",
        ]
        lines += ["            " + line for line in inner] + (["        }"] if brace else []) + ["}", ""]
    return lines


def _results(drawn: Drawn, found: Sample) -> dict[str, int]:
    """The number of entries of each result."""
    return {name: prod(axis.evaluate(found.sizes) for axis in shape) for name, shape in drawn.results.items()}


def _free(given: Given) -> str:
    """The array of the free numbers of an input."""
    return f"{given.name}_" if given.structure is None else f"free_{given.name}"


def _arrays(drawn: Drawn, found: Sample) -> list[str]:
    arrays = {f"{given.name}_": prod(given.extent) for given in found.given}
    arrays |= {_free(given): prod(given.extent) for given in found.given if given.structure is not None}
    arrays |= {f"{name}_": size for name, size in _results(drawn, found).items()}
    return [f"static real {', '.join(f'{name}[{size}]' for name, size in arrays.items())};"]


def _run(drawn: Drawn, found: Sample) -> list[str]:
    """Functions that fill the inputs with numbers that look random, and that call what is checked."""
    numbers = [str(found.sizes[dimension]) for dimension in drawn.sizes]
    given = [f"{one.name}_" if drawn.inputs[one.name] else f"{one.name}_[0]" for one in found.given]
    lines = ["static int run(void)", "{"]
    lines += [
        f"    {g.structure}({g.extent[0]}, {_free(g)}, {g.name}_);" for g in found.given if g.structure is not None
    ]
    lines.append(f"    return {drawn.name}({', '.join([*numbers, *given, *(f'{name}_' for name in drawn.results)])});")
    return [*lines, "}"]


def _filled(found: Sample) -> list[str]:
    lines = []
    for given in found.given:
        if given.literal is not None:
            entries = ", ".join(map(repr, _flat(given.literal)))
            lines.append(f"    static const double given_{given.name}[] = {{ {entries} }};")
            lines.append(f"    for (int k = 0; k < {prod(given.extent)}; k++)")
            lines.append(f"        {_free(given)}[k] = (real)given_{given.name}[k];")
            continue
        value = f"{found.center} + {found.spread} * sin((double)k * k)"
        if given.square:
            n = given.extent[0]
            value = f"({value}) / {n} + (k % {n + 1} == {given.first % (n + 1)})"
        elif given.positive:
            value = f"0.3 + pow({value}, 2)"
        lines.append(f"    for (int k = {given.first}; k < {given.first + prod(given.extent)}; k++)")
        lines.append(f"        {_free(given)}[k - {given.first}] = (real)({value});")
    return lines


def _flat(literal: Any) -> list[float]:
    return [entry for part in literal for entry in _flat(part)] if isinstance(literal, list) else [literal]


def _known(drawn: Drawn, found: Sample) -> list[str]:
    """Compare a weighted sum of each result with what the plain reading of the closed form gave."""
    lines = [
        "/* Compare the entries, weighted with cos(k), with what they sum to. */",
        "static int differs(size_t n, const real *found, double right)",
        "{",
        "    double total = 0;",
        "    for (size_t k = 0; k < n; k++)",
        "        total += found[k] * cos((double)k);",
        '    printf("the entries, weighted with cos(k), sum to %.8g; right is %.8g\\n", total, right);',
        "    return !(fabs(total - right) <= (sizeof(real) == 4 ? 1e-3 : 1e-9) * fmax(1, fabs(right)));",
        "}",
        "",
        "int main(void)",
        "{",
        *_filled(found),
        "    if (run())",
        "        return 1;",
    ]
    sizes = _results(drawn, found)
    calls = [f"differs({sizes[name]}, {name}_, {right!r})" for name, right in zip(sizes, found.expected, strict=True)]
    return [*lines, f"    return {' || '.join(calls)};", "}"]


def _differences(drawn: Drawn, found: Sample) -> list[str]:
    """Move each input along one direction, within its structure."""
    by_name = {given.name: given for given in found.given}
    weight = "" if drawn.upstream is None else f"{drawn.upstream}_[k] * "
    size = _results(drawn, found)[drawn.output]
    most = max(prod(by_name[name].extent) for name in drawn.wrt)
    lines = [
        "/* Compare a gradient with central differences: the change of the output as its n free numbers move. */",
        "static int differs(const char *name, size_t n, real *moved, const real *input, const real *gradient)",
        "{",
        "    const double step = sizeof(real) == 4 ? 1e-2 : 1e-6, allowed = sizeof(real) == 4 ? 2e-2 : 1e-5;",
        f"    double derived = 0, measured = 0, slope[{most}], kept[{most}];",
        "    if (run())",
        "        return 1;",
        "    for (size_t k = 0; k < n; k++) {",
        "        slope[k] = gradient[k];",
        "        kept[k] = moved[k];",
        "    }",
        "    for (int sign = -1; sign < 2; sign += 2) {",
        "        for (size_t k = 0; k < n; k++)",
        "            moved[k] = (real)(kept[k] + sign * step * cos((double)k));",
        "        if (run())",
        "            return 1;",
        f"        for (size_t k = 0; k < {size}; k++)",
        f"            measured += sign * {weight}{drawn.output}_[k] / (2 * step);",
        "        for (size_t k = 0; k < n; k++)",
        "            derived += sign * slope[k] * input[k] / (2 * step);",
        "    }",
        "    for (size_t k = 0; k < n; k++)",
        "        moved[k] = (real)kept[k];",
        '    printf("dL/d%s: %.8g derived, %.8g by central differences\\n", name, derived, measured);',
        "    return !(fabs(derived - measured) <= allowed * fmax(1, fabs(derived)));",
        "}",
        "",
        "int main(void)",
        "{",
        *_filled(found),
    ]
    calls = [
        f'differs("{name}", {prod(by_name[name].extent)}, {_free(by_name[name])}, {name}_, {gradient}_)'
        for name, gradient in drawn.wrt.items()
    ]
    joined = [f"    return {calls[0]}", *(f"        || {call}" for call in calls[1:])]
    joined[-1] += ";"
    return [*lines, *joined, "}"]
