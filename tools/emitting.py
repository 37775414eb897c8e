"""Write docs/emitting.md from what the emitters really write: ``python tools/emitting.py``."""

from __future__ import annotations

import contextlib
import io
import shlex
import sys
from pathlib import Path

from pullback.cli import main as pullback

PAGE = Path(__file__).parents[1] / "docs" / "emitting.md"
LAYER = '"h = tanh(W x + b)"'
_LANGUAGES = {"c": "c", "latex": "latex"}

TEXT = """\
# Emitting source

`pullback emit` writes a program and its backward pass as a file of its own, which imports nothing of pullback: to be
read, to be changed, to be put into a project. Everything on this page was written by the commands shown;
`python tools/emitting.py` writes it anew, and a test compares.

| target | what comes out |
|---|---|
| `numpy` | one function that returns the output and the gradients |
| `numpy-out` | the same into buffers that are made once, for loops in which little may be allocated |
| `torch` | a `torch.autograd.Function` with `setup_context`, vmap and second derivatives |
| `jax` | a `jax.custom_vjp` pair; forward mode is lost, as with any `custom_vjp` |
| `c` | C99 over row-major arrays; products by CBLAS, or by plain loops with `-DPLAIN_LOOPS` |
| `triton` | kernels for the linear layer family, `y = f(W x + b)` over a batch; anything else is refused |
| `latex` | an `align*` display of the program and its derivatives |

The names are those of the program, the shared parts are called as in the closed form, and `dh` is the gradient by `h`.
A name that a language has for itself gets an underscore, and the file says so. Sizes stay symbols unless they are given
(`--shape W=10,20`); shapes are asserted. `--wrt` chooses the inputs to differentiate by, `--batch B` lifts a per-sample
program over a batch, `--name` names the function, `--output` writes a file.

In Python, `pb.emit("y = W x", target="torch")` gives the same text, and `.emit(target)` of any result
(`pb.hessian(…).emit("numpy")`) a function for that result alone.

## Every file checks itself

Run as a script, a file compares what it computes, says so, and fails if that is off: NumPy and C by central
differences, PyTorch with `gradcheck` and `gradgradcheck`, JAX with `check_grads` to second order, closed forms with
values from pullback's plain interpreter. The numbers are made by a formula that is the same in every language;
`--value` puts yours in their place.

```console
{check}```

## NumPy

{numpy}

Into buffers, the function itself is made for given sizes:

{numpy_out}

## PyTorch

What the forward pass computes on the way is computed again in the backward pass, for second derivatives have to go
through it; the output is kept. What only one gradient needs is computed only where that gradient is asked for.

{torch}

## JAX

What the backward pass needs is kept from the forward pass.

{jax}

## C

`cc -std=c99 -DCHECK FILE.c -lblas -lm && ./a.out` checks the file, with `-DPLAIN_LOOPS` without any library;
`-DSINGLE` computes in single precision. Sizes come first, then the inputs, then what is written; the function gives 0,
or 1 where memory runs out or a matrix can't be inverted.

{c}

## Triton

Products, bias and function are one kernel; the derivative of the function is another.
`TRITON_INTERPRET=1 python FILE.py` checks it on a machine without a GPU.

{triton}

## LaTeX

{latex}

## What is refused

A function that is only declared (`f : entrywise`) has no definition that could be written down; an operation without a
word in a language is refused by its name, as is everything but the linear layer family in Triton. Nothing is written
then, and the exit code is 2.
"""


def printed(arguments: str) -> str:
    """What a command prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = pullback(shlex.split(arguments)[1:])
    assert code == 0, arguments
    return out.getvalue()


def example(target: str, first: str = "", last: str = "", program: str = LAYER, more: str = "") -> str:
    """A command with the part of its output between two lines that start so."""
    command = f"pullback emit {program} --target {target}{more}"
    lines = printed(command).rstrip("\n").splitlines()
    if first:
        start = next(k for k, line in enumerate(lines) if line.startswith(first))
        stop = next(k for k, line in enumerate(lines) if k > start and line.startswith(last))
        lines = lines[start:stop]
        while not lines[-1]:
            lines.pop()
    shown = "\n".join(lines)
    return f"`{command}`:\n\n```{_LANGUAGES.get(target, 'python')}\n{shown}\n```"


def check() -> str:
    """A file that is written and run."""
    scope: dict[str, object] = {"__name__": "__main__"}
    source = printed(f"pullback emit {LAYER}")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(source, "layer.py", "exec"), scope)
    return f"$ pullback emit {LAYER} --output layer.py\n$ python layer.py\n{out.getvalue()}"


def page() -> str:
    """The page."""
    return TEXT.format(
        check=check(),
        numpy=example("numpy"),
        numpy_out=example("numpy-out", "def make_layer", "if __name__"),
        torch=example("torch", "class Layer", "if __name__"),
        jax=example("jax", "@jax.custom_vjp", "if __name__"),
        c=example("c", "/* Write", "#ifdef CHECK"),
        triton=example("triton", "@triton.jit", "def multiply", more=" --batch B"),
        latex=example("latex"),
    )


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(PAGE.parents[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
