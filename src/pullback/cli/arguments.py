"""The commands and their options, and what is said where an argument fits none of them."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NoReturn

from pullback.errors import PullbackError

HANDLERS = {
    "derive": "pullback.cli.derive:run",
    "gradient": "pullback.cli.closed_forms:run",
    "jacobian": "pullback.cli.closed_forms:run",
    "hessian": "pullback.cli.closed_forms:run",
    "backward": "pullback.cli.closed_forms:run",
    "check": "pullback.cli.check:run",
    "audit": "pullback.cli.audit:run",
    "practice": "pullback.cli.practice:run",
    "picture": "pullback.cli.picture:run",
    "emit": "pullback.cli.emit:run",
    "bench": "pullback.benchmarks.command:run",
    "serve": "pullback.web.serve:run",
    "export-site": "pullback.web.serve:export",
    "tour": "pullback.cli.tour:run",
}

_SUMMARIES = {
    "derive": "show the derivation, step by step, with numbers where values are given",
    "gradient": "print the gradient of a scalar",
    "jacobian": "print the Jacobian",
    "hessian": "print the Hessian of a scalar (--wrt x,y for a mixed one)",
    "backward": "print dL/d(each input) given g = dL/d(output)",
    "check": "compare what is derived with numbers: complex steps and differences, at random and structured points",
    "audit": 'judge gradients given by hand, and name the mistake (--claim "W = x g\'")',
    "practice": "exercises in deriving, with hints and explanations",
    "emit": "print a program with its backward pass as source: NumPy, PyTorch, JAX, C, Triton, LaTeX",
    "picture": "draw the graph, the sparsity of a derivative, heat maps or tensor networks, as SVG or PNG",
    "bench": "time the derived forms beside other libraries; values are compared first",
    "serve": "show the page on this machine",
    "export-site": "write the gallery as static pages that need no server",
    "tour": "derive a linear layer's backward pass, then train a network on digits with derived gradients",
}

_EXAMPLES = """examples:
  pullback derive "y = W x" --value W="1 2 3; 4 5 6" --value x="9 10 11" --upstream "7 8"
  pullback gradient "norm(A x - b)^2" --wrt x
  pullback backward "h = relu(W x + b)" --format latex
  echo "x' A x" | pullback gradient - --wrt x --assume A=symmetric
"""

_NEGATIVE_START = re.compile(r"-[^-]")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as every other error is said, with the nearest thing that exists."""

    def error(self, message: str) -> NoReturn:
        raise PullbackError(message, hint=f"{self.prog} --help lists what there is")


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the arguments of the process.

    Raises:
        PullbackError: An unknown command or option (with the nearest known one), a missing or surplus argument.
        SystemExit: After ``--help`` or ``--version``.
    """
    parser = _build(arguments)
    words = [argument for argument in arguments if argument not in ("-h", "--help", "--version")]
    if words and words == list(arguments) and words[0] not in HANDLERS and not words[0].startswith("--"):
        raise PullbackError(f"there is no command {words[0][:60]!r}", hint=_nearest(words[0], HANDLERS, parser.prog))
    options, unknown = parser.parse_known_args([_guard(argument) for argument in arguments])
    if unknown:
        surplus = unknown[0].strip()
        if not surplus.startswith("--"):
            raise PullbackError(
                f"one argument too many: {surplus[:60]!r}", hint="put the whole program between quotation marks"
            )
        raise _no_option(surplus, options.command, parser.prog)
    if getattr(options, "format", "") is None:
        options.format = format_of(options.output)
    return options


def _no_option(surplus: str, command: str, prog: str) -> PullbackError:
    """Say that a command has no such option, and which command or option may be meant."""
    option = surplus.partition("=")[0]
    owners = [other for other in HANDLERS if option in _options_of(other)]
    if owners:
        return PullbackError(f"{option} is not for {command}", hint=f"it is for {', '.join(owners)}")
    hint = _nearest(option, _options_of(command), f"{prog} {command}")
    return PullbackError(f"there is no option {surplus[:60]}", hint=hint)


def _options_of(command: str) -> list[str]:
    """The options that a command takes."""
    parser = _Parser(allow_abbrev=False)
    _fill(parser, command)
    return [option for option in parser._option_string_actions if option.startswith("--")]


def format_of(output: str | None) -> str:
    """The format that the name of a file asks for; text for people where it asks for none.

    >>> format_of("d.html"), format_of("notes/d.MD"), format_of("d.txt"), format_of(None)
    ('html', 'markdown', 'terminal', 'terminal')
    """
    ending = os.path.splitext(output or "")[1].lower()
    return ENDINGS.get(ending, "terminal")


def _guard(argument: str) -> str:
    """Let a program or a value that starts with a minus sign through as one: no short option but -h exists."""
    return f" {argument}" if _NEGATIVE_START.match(argument) and argument != "-h" else argument


def _nearest(word: str, known: Sequence[str] | dict[str, str], prog: str) -> str:
    near = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"{prog} --help lists what there is"


def _build(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; only the sub-parser of the command that is asked for gets its options."""
    parser = _Parser(
        prog="pullback",
        description="The forward pass in, the backward pass out: in closed matrix form, with its steps.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for command, summary in _SUMMARIES.items():
        sub = commands.add_parser(command, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        sub.allow_abbrev = False
        if command in arguments:
            _fill(sub, command)
    return parser


def _fill(parser: argparse.ArgumentParser, command: str) -> None:
    """Give a command its options."""
    shared = () if command in _STANDALONE else tuple(_SHARED.values())
    for add in (*shared, *_OWN.get(command, ())):
        add(parser)


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"pullback {version('pullback')}")
        except PackageNotFoundError:
            print("pullback, not installed")
        raise SystemExit(0)


_Adder = Callable[[argparse.ArgumentParser], object]
FORMATS = ("terminal", "unicode", "latex", "markdown", "html", "json", "svg", "png")
ENDINGS = {
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".tex": "latex",
    ".latex": "latex",
    ".md": "markdown",
    ".markdown": "markdown",
    ".svg": "svg",
    ".png": "png",
    ".txt": "terminal",
}
"""The format of a file by the ending of its name, where ``--format`` does not say."""
FORMS = ("entries", "kronecker")
LEVELS = ("brief", "normal", "full")

_SHARED: dict[str, _Adder] = {
    "program": lambda p: p.add_argument(
        "program",
        metavar="PROGRAM",
        help="the program; @FILE reads it from a file, - from standard input; FILE.py:NAME is run and read",
    ),
    "--wrt": lambda p: p.add_argument(
        "--wrt", action="append", default=[], metavar="X", help="by which inputs (repeat, or part by commas)"
    ),
    "--shape": lambda p: p.add_argument(
        "--shape", action="append", default=[], metavar="W=M,N", help="the shape of an input: numbers or names"
    ),
    "--assume": lambda p: p.add_argument(
        "--assume", action="append", default=[], metavar="A=SPD", help="a property of an input, such as symmetric"
    ),
    "--value": lambda p: p.add_argument(
        "--value",
        action="append",
        default=[],
        metavar="W=VALUE",
        help='a value: "1 2 3; 4 5 6", or a .npy, .csv or .json file',
    ),
    "--upstream": lambda p: p.add_argument(
        "--upstream", metavar="VALUE", help="the value of g = dL/d(output), written as --value is"
    ),
    "--structured": lambda p: p.add_argument(
        "--structured", action="store_true", help="respect the declared symmetry of an input in its gradient"
    ),
    "--layout": lambda p: p.add_argument(
        "--layout", choices=("denominator", "numerator"), default="denominator", help="how a derivative is shown"
    ),
    "--batch": lambda p: p.add_argument("--batch", metavar="B", help="lift a per-sample program over a batch axis B"),
    "--method": lambda p: p.add_argument(
        "--method", choices=("elementwise", "differential"), default="elementwise", help="how derive tells it"
    ),
    "--lang": lambda p: p.add_argument(
        "--lang", metavar="LANG", help="the language of the steps: en, ko, … (default: that of the locale)"
    ),
    "--format": lambda p: p.add_argument(
        "--format",
        choices=FORMATS,
        help="how the result is written (default: as the ending of --output says, else terminal)",
    ),
    "--output": lambda p: p.add_argument(
        "--output", metavar="FILE", help="write the result to a file; .html, .json, .tex, .md, .svg, .png name a format"
    ),
}


_STANDALONE = frozenset({"tour", "practice", "bench", "serve", "export-site"})
"""Commands that take no program."""


def _add_form(parser: argparse.ArgumentParser) -> object:
    return parser.add_argument(
        "--form",
        choices=FORMS,
        default="entries",
        help="entries: an axis for each of those of output and input; kronecker: the matrix d vec(Y) / d vec(X)' "
        "(%(default)s)",
    )


_OWN: dict[str, tuple[_Adder, ...]] = {
    "jacobian": (_add_form,),
    "hessian": (_add_form,),
    "audit": (
        lambda p: p.add_argument(
            "--claim", action="append", default=[], metavar="W=FORM", help="a gradient given by hand"
        ),
        lambda p: p.add_argument(
            "--backward", metavar="FILE.py:NAME", help="the backward pass of a Python forward pass (it is run)"
        ),
    ),
    "check": (
        lambda p: p.add_argument(
            "--backward", metavar="FILE.py:NAME", help="the backward pass of a Python forward pass (it is run)"
        ),
    ),
    "practice": (
        lambda p: p.add_argument("program", nargs="?", metavar="PROGRAM", help="one of your own, such as 'y = W x'"),
        lambda p: p.add_argument("--wrt", action="append", default=[], metavar="W", help="its variables to ask for"),
        lambda p: p.add_argument("--steps", action="store_true", help="ask for each step before the final form"),
        lambda p: p.add_argument("--topic", metavar="TOPIC", help="linear, activation, softmax, …"),
        lambda p: p.add_argument("--count", type=int, help="how many exercises"),
        lambda p: p.add_argument("--seed", type=int, default=0, help="of the exercises drawn (%(default)s)"),
        _SHARED["--lang"],
    ),
    "derive": (
        lambda p: p.add_argument(
            "--want",
            choices=("backward", "jacobian", "hessian"),
            default="backward",
            help="the derivation of what: the backward pass, a Jacobian, or the Hessian of a scalar (%(default)s)",
        ),
        lambda p: p.add_argument(
            "--detail", choices=LEVELS, default="normal", help="how much is told: brief, normal or full (%(default)s)"
        ),
        lambda p: p.add_argument(
            "--document", action="store_true", help="with --format latex, a document that compiles, not a fragment"
        ),
    ),
    "picture": (
        lambda p: p.add_argument(
            "--kind",
            choices=("graph", "whole", "network", "blocks", "sparsity", "heat"),
            default="graph",
            help="what to draw (%(default)s)",
        ),
    ),
    "emit": (
        lambda p: p.add_argument(
            "--target",
            default="numpy",
            help="what to write: numpy, numpy-out (into buffers), torch, jax, c, triton or latex (%(default)s)",
        ),
        lambda p: p.add_argument("--name", metavar="NAME", help="what the function is called"),
    ),
    "bench": (
        lambda p: p.add_argument(
            "suite", nargs="?", default="all", help="derive, linear, mlp, hessian, … (%(default)s)"
        ),
        lambda p: p.add_argument("--quick", action="store_true", help="small sizes only"),
        lambda p: p.add_argument("--threads", type=int, default=2, help="for every library alike (%(default)s)"),
        lambda p: p.add_argument(
            "--clock",
            choices=("wall", "processor"),
            default="wall",
            help="processor: the time that the processor worked, for a busy machine; needs --threads 1",
        ),
        lambda p: p.add_argument("--json", metavar="FILE", help="write the figures"),
        lambda p: p.add_argument("--page", metavar="FILE.md", help="write the tables into a page, between its marks"),
        lambda p: p.add_argument("--plot", metavar="FILE", help="draw the ratios"),
    ),
    "serve": (
        lambda p: p.add_argument("--port", type=int, help="of this machine's loopback address; 0 takes a free one"),
        lambda p: p.add_argument("--workers", type=int, help="processes that derive (default: one a core)"),
    ),
    "export-site": (lambda p: p.add_argument("directory", metavar="DIR", help="where the pages go"),),
    "tour": (
        lambda p: p.add_argument(
            "--output", default="pullback-tour.png", metavar="FILE", help="where the plot goes (%(default)s)"
        ),
        lambda p: p.add_argument("--quick", action="store_true", help="train for a few seconds only"),
        _SHARED["--lang"],
        lambda p: p.add_argument("--seed", type=int, default=0, help="of every random number (%(default)s)"),
    ),
}
