"""C99: one function over row-major arrays, products by CBLAS or by plain loops, and a main that checks it."""

from __future__ import annotations

import re
from dataclasses import replace

from pullback.emission.c_check import check_main
from pullback.emission.c_library import BLAS, REAL, calls_blas, needed
from pullback.emission.c_writer import Writer
from pullback.emission.comments import comments
from pullback.emission.drafting import Drawn
from pullback.emission.files import say, wrapped
from pullback.emission.numpy_file import says
from pullback.planning.memory import owned_results

_WIDTH = 110


def c_source(drawn: Drawn) -> str:
    """A function of sizes, inputs and results, which it writes."""
    drawn = replace(drawn, plan=owned_results(drawn.plan))
    writer = Writer(drawn)
    statements = writer.run()
    notes = comments(drawn, [statement.line for statement in statements])
    body: list[str] = []
    for statement in statements:
        note = notes.get(statement.line)
        text = f"/* {note.replace('*/', '* /')} */" if note else ""
        if note and len(statement.code) == 1 and len(statement.code[0]) + len(text) < _WIDTH - 6:
            body.append(f"{statement.code[0]}  {text}")
        else:
            body += [text] if note else []
            body += statement.code
    frame = _frame(writer)
    function = [
        *_signature(drawn),
        "{",
        *("    " + line if line else "" for line in (*frame[0], *body, *frame[1])),
        "}",
    ]
    check = check_main(drawn)
    definitions = needed(re.sub(r"/\*.*?\*/", "", "\n".join([*function, *check]), flags=re.DOTALL))
    text = "\n".join([*definitions, *function])
    headers = ["float.h"] if "DBL_MAX" in text else []
    headers += ["math.h", "stddef.h", "stdio.h", "stdlib.h"] + (["string.h"] if "memcpy(" in text else [])
    parts = [
        "\n".join(_head(drawn, calls_blas(definitions))),
        "\n".join(f"#include <{name}>" for name in headers),
        (BLAS if calls_blas(definitions) else REAL).strip("\n"),
        *definitions,
        "\n".join(function),
        "\n".join(check),
    ]
    return "\n\n".join(parts) + "\n"


def _head(drawn: Drawn, blas: bool) -> list[str]:
    subject = drawn.subject
    what = "a program and its backward pass" if subject.has_backward else "a closed form"
    lines = [f"/* {drawn.name}: {what}, derived by pullback.", ""]
    lines += ["    " + line for line in subject.stated] + ([""] if subject.stated else [])
    lines += ["    " + line for line in subject.derived if line not in subject.stated] + [""]
    shown = []
    for name, shape in drawn.inputs.items():
        size = " x ".join(say(axis, drawn.sizes) for axis in shape)
        shown.append(f"{name} {size}" if shape else f"{name} a number")
    if drawn.upstream is not None:
        lines.append(f"   {drawn.upstream} is the gradient that comes from above.")
    lines += [
        "   " + line
        for line in wrapped([f"{one}," for one in shown[:-1]] + [f"{one}." for one in shown[-1:]], "Row by row:")
    ]
    libraries = " -lblas" if blas else ""
    lines += [
        "",
        "   Compile with: cc -std=c99 -O3 -c FILE.c",
        f"   Check with:   cc -std=c99 -DCHECK FILE.c{libraries} -lm && ./a.out",
    ]
    if blas:
        lines.append("   -DPLAIN_LOOPS does without CBLAS; -DSINGLE computes in single precision. */")
    else:
        lines.append("   -DSINGLE computes in single precision. */")
    return [lines[0], *(line.replace("*/", "* /") for line in lines[1:-1]), lines[-1]]


def _signature(drawn: Drawn) -> list[str]:
    sizes = [f"size_t {size}" for size in drawn.sizes.values()]
    given = [f"const real *restrict {name}" if shape else f"real {name}" for name, shape in drawn.inputs.items()]
    results = [f"real *restrict {name}" for name in drawn.results]
    said = says(drawn).replace("Return", "Write", 1).replace("*/", "* /")
    head = wrapped(
        [f"{one}," for one in (*sizes, *given, *results)[:-1]] + [f"{results[-1]})"],
        f"int {drawn.name}(",
        " " * (len(drawn.name) + 5),
    )
    return [
        f"/* {said.rstrip('.')}. 0, or 1 where memory runs out or a matrix can't be inverted. */",
        head[0].replace("( ", "(", 1),
        *head[1:],
    ]


def _frame(writer: Writer) -> tuple[list[str], list[str]]:
    """What stands before and after the statements: memory for temporary arrays, and the verdict."""
    text = "\n".join(line for statement in writer.statements for line in statement.code)
    text += " ".join(writer.work.values())
    text = text.replace("'T'", "").replace("'N'", "")
    idle = [own for own in (*writer.drawn.sizes.values(), *writer.drawn.inputs) if not re.search(rf"\b{own}\b", text)]
    before = [f"(void){own};" for own in idle]
    if writer.work:
        before += [
            f"real *work = calloc({' + '.join(writer.work.values())}, sizeof(real));",
            "if (work == NULL)",
            "    return 1;",
        ]
        last = "work"
        for own, size in writer.work.items():
            before.append(f"real *{own} = {last};")
            last = f"{own} + {size}"
    if writer.fallible:
        before.append("int failed = 0;")
    after = ["free(work);"] if writer.work else []
    return [*before, *([""] if before else [])], [*after, "return failed;" if writer.fallible else "return 0;"]
