"""Imports go one way only, modules stay small, and nothing heavy comes along."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
PACKAGE = SOURCE / "pullback"

LAYERS = [
    {"errors", "dimension"},
    {"syntax", "values"},
    {"tensor"},
    {"operations"},
    {"lowering"},
    {"calculus"},
    {"simplification"},
    {"lifting"},
    {"evaluation"},
    {"expression"},
    {"deriving"},
    {"languages", "planning", "tracing"},
    {"spelling"},
    {"backends"},
    {"compiling"},
    {"compressed", "emission"},
    {"checking"},
    {"auditing", "derivation"},
    {"pictures"},
    {"rendering"},
    {"practice", "benchmarks"},
    {"__init__"},
    {"pytest_plugin"},
    {"web"},
    {"cli"},
    {"__main__"},
]
"""What may be imported by what stands further down; within a set, nobody imports a neighbour."""

LONGEST_MODULE = 500
STABLE = (
    "parse gradient jacobian hessian backward derive "
    "Program Expression PullbackError NotationError ShapeError UnsupportedError ValuesError"
).split()
OPTIONAL = ("torch", "jax", "starlette", "rich", "matplotlib", "sklearn")

MODULES = sorted(PACKAGE.rglob("*.py"))


def rank(part: str) -> int:
    for position, layer in enumerate(LAYERS):
        if part in layer:
            return position
    raise LookupError(f"{part} is in no layer: add it to LAYERS where design.md puts it")


def part_of(module: Path) -> str:
    """The sub-package, or the module at the top, that a file belongs to."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every import of pullback in a module, deferred and typing-only ones too: its line and the part it names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            base = node.module or ""
            names = [f"{base}.{alias.name}" for alias in node.names] if base == "pullback" else [base]
        else:
            continue
        for name in names:
            root, _, rest = name.partition(".")
            if root == "pullback":
                part = rest.partition(".")[0]
                known = (PACKAGE / part).is_dir() or (PACKAGE / f"{part}.py").is_file()
                yield node.lineno, part if part and known else "__init__"


def wrong_ways(part: str, source: str) -> list[str]:
    """The imports of a module that go against the layers."""
    found = []
    for line, imported in imports(ast.parse(source)):
        if imported != part and rank(imported) >= rank(part):
            found.append(f"line {line}: {part} imports {imported}")
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_follow_the_layers(module: Path) -> None:
    assert wrong_ways(part_of(module), module.read_text(encoding="utf-8")) == []


def test_a_wrong_import_is_found() -> None:
    assert wrong_ways("tensor", "def f():\n    from pullback.calculus.reverse import gradient\n") == [
        "line 2: tensor imports calculus"
    ]
    assert wrong_ways("syntax", "import pullback.values") == ["line 1: syntax imports values"]
    assert wrong_ways("calculus", "import pullback as pb") == ["line 1: calculus imports __init__"]
    assert wrong_ways("calculus", "from pullback import gradient") == ["line 1: calculus imports __init__"]
    assert wrong_ways("calculus", "from pullback.tensor.node import Node\nfrom pullback.calculus import rules\n") == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_stay_small(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_is(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))


def loaded_by(statement: str) -> set[str]:
    """Which optional libraries a fresh interpreter has loaded after a statement."""
    script = f"import sys\n{statement}\nprint(*({set(OPTIONAL)!r} & set(sys.modules)))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=SOURCE, check=True)
    return set(done.stdout.split())


def test_import_loads_no_optional_library() -> None:
    assert loaded_by("import pullback") == set()


def test_public_names_load_no_optional_library() -> None:
    assert loaded_by("from pullback import *") == set()


def test_a_loaded_library_is_seen() -> None:
    assert loaded_by("import pullback, rich") == {"rich"}


def test_every_public_name_is_there() -> None:
    package = importlib.import_module("pullback")
    assert [name for name in STABLE if not hasattr(package, name)] == []


def test_there_is_a_marker_for_types() -> None:
    assert (PACKAGE / "py.typed").is_file()
