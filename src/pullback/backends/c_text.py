"""What generated C is made of: how functions are spelled, and what stands at the head of a file."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.planning.fusing import Operations

FORMS = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "{0} / {1}",
    "power": "POW({0}, {1})", "negative": "-{0}", "reciprocal": "1 / {0}", "square": "{0} * {0}", "sqrt": "SQRT({0})",
    "exp": "EXP({0})", "log": "LOG({0})", "log1p": "LOG1P({0})", "sin": "SIN({0})", "cos": "COS({0})",
    "tan": "TAN({0})", "sinh": "SINH({0})", "cosh": "COSH({0})", "tanh": "TANH({0})", "erf": "ERF({0})",
    "abs": "ABS({0})", "sign": "({0} != {0} ? {0} : (T)(({0} > 0) - ({0} < 0)))",
    "maximum": "({0} >= {1} || {0} != {0} ? {0} : {1})", "minimum": "({0} <= {1} || {0} != {0} ? {0} : {1})",
    "greater": "(T)({0} > {1})", "equal": "(T)({0} == {1})", "where": "({0} != 0 ? {1} : {2})", "copy": "{0}",
    "finite": "({0} > LIMIT ? LIMIT : {0} < -LIMIT ? -LIMIT : {0})",
}  # fmt: skip

_VECTORISED = {1: ("exp", "log", "sin", "cos", "pow"), 2: ("tan", "sinh", "cosh", "tanh", "erf", "log1p")}
_PLAIN = ("sqrt", "fabs")


def statements(operations: Operations, at: Sequence[str]) -> list[str]:
    """The operations of a loop, each into a name of its own."""
    used = {k for _, given in operations for k in given if k >= 0}
    lines = [f"const T x{k} = {at[k]};" for k in sorted(used)]
    for k, (function, given) in enumerate(operations):
        words = [f"x{g}" if g >= 0 else f"t{-1 - g}" for g in given]
        lines.append(f"const T t{k} = {FORMS[function].format(*words)};")
    return lines


def head(single: bool, whole: str) -> str:
    """The start of a file: the type, the functions of the C library as ones on vectors, the BLAS routines.

    ``VECTORS`` is defined by who compiles it; ``whole`` is the type of BLAS's integers.
    """
    suffix, letter = ("f", "s") if single else ("", "d")
    kind = "float" if single else "double"
    names = [n for found in _VECTORISED.values() for n in found] + list(_PLAIN)
    lines = ["typedef float T;" if single else "typedef double T;", "#define INFINITY __builtin_inff()"]
    lines += [
        '#define NAN __builtin_nanf("")',
        f"#define LIMIT {'3.4028234663852886e38f' if single else '1.7976931348623157e308'}",
    ]
    for level, found in _VECTORISED.items():
        lines.append(f"#if VECTORS >= {level}")
        for name in found:
            arguments = f"{kind}, {kind}" if name == "pow" else kind
            lines.append(f'__attribute__((simd("notinbranch"), const)) {kind} {name}{suffix}({arguments});')
        lines.append("#else")
        for name in found:
            arguments = f"{kind}, {kind}" if name == "pow" else kind
            lines.append(f"{kind} {name}{suffix}({arguments});")
        lines.append("#endif")
    lines += [f"{kind} {name}{suffix}({kind});" for name in _PLAIN]
    lines += [f"#define {'ABS' if name == 'fabs' else name.upper()} {name}{suffix}" for name in names]
    lines += [
        f"typedef {whole} N;",
        "typedef void (*gemm_t)(int, int, int, N, N, N, T, const T *, N, const T *, N, T, T *, N);",
        "typedef void (*gemv_t)(int, int, N, N, T, const T *, N, const T *, N, T, T *, N);",
        "typedef void (*syrk_t)(int, int, int, N, N, T, const T *, N, T, T *, N);",
        "static gemm_t GEMM; static gemv_t GEMV; static syrk_t SYRK;",
        "void link_blas(void *gemm, void *gemv, void *syrk) { GEMM = gemm; GEMV = gemv; SYRK = syrk; }",
        f"/* the routines are {letter}gemm, {letter}gemv and {letter}syrk */",
        "static void mirror(T *c, long n)",
        "{",
        "    for (long top = 0; top < n; top += 16)",
        "        for (long left = top; left < n; left += 16)",
        "            for (long i = top; i < top + 16 && i < n; i++)",
        "                for (long j = left > i ? left : i + 1; j < left + 16 && j < n; j++) c[j * n + i] = c[i * n + j];",  # noqa: E501
        "}",
    ]
    return "\n".join(lines)
