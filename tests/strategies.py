"""Random well-typed programs over the whole language.

One generator serves hypothesis (``programs``) and long seeded runs (``seeded``): it asks for small numbers
and nothing else, and smaller numbers give simpler programs. Programs come as syntax trees with their text,
spelled by a speller of its own, so that neither the parser nor the printer of the package is taken for
granted; ``tests.engine.reference`` says what they mean.
"""

from __future__ import annotations

import random

from hypothesis import strategies as st

from tests.engine.generation import BASES, LITERAL, Below, Generator, Made
from tests.engine.productions import RULES
from tests.engine.spelling import names_of, spell_program

__all__ = ["Made", "make", "names_of", "programs", "seeded", "spell_program"]


def make(below: Below, fuel: int = 8, scalar: bool = False, ones: bool = True) -> Made:
    """Draw a program with its shapes, sizes and a seed for values."""
    generator = Generator(below, RULES)
    bindings = generator.program(1 + below(fuel), scalar)
    lengths = [(2, 3, 5), (3, 2, 5), (5, 3, 2), (2, 5, 3)][below(4)]
    sizes = dict(zip(BASES, lengths, strict=True))
    if ones and below(12) == 11:
        sizes[BASES[below(3)]] = 1
    literal = frozenset(name for name in BASES if (below(4) == 3 or LITERAL) and sizes[name] > 1)
    numbers = {name: sizes[name] for name in literal}
    text = spell_program(bindings, numbers, below)
    used = {name for binding in bindings for name in names_of(binding.value)}
    shapes = {name: shape for name, shape in generator.shapes.items() if name in used}
    assume = {name: word for name, word in generator.assume.items() if name in used}
    return Made(bindings, shapes, assume, sizes, literal, text, below(1 << 16))


def seeded(seed: int, fuel: int = 8, scalar: bool = False) -> Made:
    """Draw a program by a seed."""
    rng = random.Random(seed)
    return make(lambda n: rng.randrange(n), fuel, scalar)


@st.composite
def programs(draw: st.DrawFn, fuel: int = 8, scalar: bool = False) -> Made:
    """Programs, for hypothesis."""
    return make(lambda n: draw(st.integers(0, n - 1)), fuel, scalar)
