"""Printed text: the form that mathematicians write, and the same tree when it is read again."""

import pytest
from hypothesis import given, settings

from pullback.syntax.forms import canonical
from pullback.syntax.parser import parse_expression
from pullback.syntax.printer import show
from pullback.syntax.tree import Syntax

from .trees import FUNCTIONS, trees


@pytest.mark.parametrize("style", ["plain", "unicode"])
@settings(max_examples=600, deadline=None)
@given(tree=trees)
def test_what_is_printed_reads_back_to_the_same_tree(style: str, tree: Syntax) -> None:
    text = show(tree, style)
    assert parse_expression(text, FUNCTIONS) == canonical(tree), text
