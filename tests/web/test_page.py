"""The page as a visitor uses it, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.web.paging import Visitor, closed_forms, program, result, settled

pytestmark = pytest.mark.xdist_group("page")


def test_first_visit(visitor: Visitor) -> None:
    page = visitor.open()
    assert closed_forms(page) == ["∂L/∂W = ∂L/∂y x'", "∂L/∂x = W' ∂L/∂y"]
    expect(page.locator("#program")).to_have_value("y = W x")
