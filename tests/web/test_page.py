"""The page as a visitor uses it, in a real browser: type, change values, switch."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.web.paging import Visitor, closed_forms, pasted, program, settled, spoken

pytestmark = pytest.mark.xdist_group("page")

GALLERY = ("lecture", "linear", "softmax", "layernorm", "attention", "logistic")


def numbers(page: Page) -> list[str]:
    """The arrays at the end of the derivation."""
    return spoken(page.locator("#step-4\\.1 .line math"))


# Typing


def test_the_first_visit_shows_the_lecture(visitor: Visitor) -> None:
    page = visitor.open()
    expect(page.locator("#program")).to_have_value("y = W x")
    assert closed_forms(page) == ["dL/dW = (dL/dy) x'", "dL/dx = W' dL/dy"]
    assert numbers(page) == ["dL/dW = [63 70 77; 72 80 88]", "dL/dx = [39; 54; 69]"]
    expect(page.locator("#check")).to_contain_text("Agrees with finite differences")
    expect(page.locator("[data-result] .verdict:not(.failed)")).to_have_count(2)


def test_a_wrong_program_is_marked_where_it_is_wrong_and_can_be_mended(visitor: Visitor) -> None:
    page = visitor.open()
    program(page, "x : n\nz = W x\ny = z x")
    error = page.locator("#error")
    expect(error.locator(".error-message")).to_contain_text("can't multiply")
    assert page.locator("#mirror mark").all_inner_texts() == ["z", "x"]
    carets = [str(place.text_content()).split("\n") for place in error.locator(".caret").all()]
    assert [line for line, _ in carets] == ["y = z x", "y = z x"]
    assert [caret.index("^") for _, caret in carets] == [4, 6]
    expect(error.locator(".error-hint")).to_contain_text("x y' for the outer product")
    expect(page.locator("#program")).to_have_attribute("aria-invalid", "true")

    program(page, "x : n\nz = W x\ny = z x'")
    expect(error).to_be_hidden()
    expect(page.locator("#mirror mark")).to_have_count(0)
    expect(page.locator("#program")).to_have_attribute("aria-invalid", "false")
    assert closed_forms(page)[0].startswith("dL/dW = ")


def test_an_error_is_marked_behind_letters_that_browsers_count_twice(visitor: Visitor) -> None:
    page = visitor.open()
    program(page, "# 𝔸\ny = W x + )")
    expect(page.locator("#mirror mark")).to_have_text(")")
    expect(page.locator("#error .caret")).to_contain_text("y = W x + )\n          ^")


def test_shapes_are_inferred_and_can_be_declared(visitor: Visitor) -> None:
    page = visitor.open()
    program(page, "y = W x + b_0")
    chips = [" ".join(text.split()) for text in page.locator("#chips .chip").all_inner_texts()]
    assert chips == ["W matrix m × n", "x vector n", "b₀ vector m"]
    page.locator("#chips button", has_text="W").click()
    page.get_by_label("Shape").fill("n, n")
    page.get_by_label("Known of it").select_option("symmetric")
    page.get_by_role("button", name="Declare").click()
    settled(page)
    expect(page.locator("#program")).to_have_value("W : (n, n) symmetric\ny = W x + b_0")
    assert "dL/dx = W dL/dy" in closed_forms(page)
    page.locator("#cell-W-0-1").fill("9")
    expect(page.locator("#cell-W-1-0")).to_have_value("9")
    settled(page)
    expect(page.locator("#error")).to_be_hidden()


def test_an_empty_program_says_what_to_do(visitor: Visitor) -> None:
    page = visitor.open()
    program(page, "")
    expect(page.locator("#closed .empty")).to_contain_text("Write a forward pass")
    for hidden in ("#steps-card", "#pictures-card", "#check", "#error"):
        expect(page.locator(hidden)).to_be_hidden()
    program(page, "y = 2 x")
    assert closed_forms(page) == ["dL/dx = 2 dL/dy"]


# Values


def test_values_and_the_upstream_gradient_can_be_edited(visitor: Visitor) -> None:
    page = visitor.open()
    page.get_by_label("W 1, 2", exact=True).fill("20")
    expect(page.locator("#step-2\\.1 .line math").last).to_have_attribute("aria-label", "y = [242; 152]")
    page.get_by_label("From above dL/dy 1", exact=True).fill("1/2")
    expect(page.locator("#step-4\\.1 .line math").last).to_have_attribute("aria-label", "dL/dx = [32.5; 50; 49.5]")


@pytest.mark.parametrize(
    "text",
    ["1 0; 0 2; 3 -15", "[[1, 0], [0, 2], [3, -1.5e1]]", "1\t0\n0\t2\n3\t-15\n", "1 & 0 \\\\ 0 & 2 \\\\ 3 & -15"],
    ids=["plain", "json", "spreadsheet", "latex"],
)
def test_a_matrix_can_be_pasted_and_all_that_shares_its_lengths_follows(visitor: Visitor, text: str) -> None:
    page = visitor.open()
    pasted(page, page.get_by_label("W 1, 1", exact=True), text)
    expect(page.locator("#step-1\\.1 .line math")).to_have_attribute("aria-label", "W = [1 0; 0 2; 3 -15]")
    expect(page.locator("#step-1\\.2 .line math")).to_have_attribute("aria-label", "x = [9; 10]")
    expect(page.get_by_label("From above dL/dy 3", exact=True)).to_be_visible()


def test_what_is_no_number_is_marked_and_not_sent(visitor: Visitor) -> None:
    page = visitor.open()
    cell = page.get_by_label("x 1", exact=True)
    cell.fill("nine")
    expect(cell).to_have_attribute("aria-invalid", "true")
    assert numbers(page)[1] == "dL/dx = [39; 54; 69]"


def test_lengths_can_be_changed(visitor: Visitor) -> None:
    page = visitor.open()
    page.get_by_role("button", name="Make n larger").click()
    expect(page.get_by_label("x 4", exact=True)).to_be_visible()
    expect(page.get_by_label("W 2, 4", exact=True)).to_be_visible()


def test_letters_alone(visitor: Visitor) -> None:
    page = visitor.open()
    page.get_by_role("switch", name="with numbers").uncheck()
    expect(page.locator("#matrices .empty")).to_be_visible()
    settled(page)
    assert not [text for text in spoken(page.locator("#board math")) if "63" in text]
    assert closed_forms(page) == ["dL/dW = (dL/dy) x'", "dL/dx = W' dL/dy"]


# Switches


def test_the_language_switch_changes_every_word(visitor: Visitor) -> None:
    page = visitor.open()
    page.get_by_role("button", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator("#board h3").first).to_have_text("주어진 것")
    settled(page)
    text = page.locator("body").inner_text()
    english = {"Program", "Result", "Derivation", "Values", "Given", "Pictures", "Copy", "Practice", "finite"}
    assert not {word for word in english if word in text}


def test_the_language_follows_the_browser(visitor: Visitor) -> None:
    expect(visitor.open(lang="ko").locator("html")).to_have_attribute("lang", "ko")
    expect(visitor.open(lang="en").locator("html")).to_have_attribute("lang", "en")


def test_method_layout_and_detail(visitor: Visitor) -> None:
    page = visitor.open()
    steps = {}
    for detail in ("brief", "normal", "full"):
        page.get_by_role("button", name=detail, exact=True).click()
        steps[detail] = int(page.locator("#count").inner_text())
    assert steps["brief"] < steps["normal"] <= steps["full"]
    page.get_by_role("button", name="numerator", exact=True).click()
    assert closed_forms(page) == ["dL/dW = x dL/dy", "dL/dx = (dL/dy) W"]
    expect(page.locator("#closed .hint")).to_contain_text("Numerator layout")
    page.get_by_role("button", name="by differentials").click()
    expect(page.locator("#board math[aria-label*='tr(']").first).to_be_visible()


def test_jacobian_and_hessian(visitor: Visitor) -> None:
    page = visitor.open()
    page.get_by_role("button", name="Jacobian").click()
    page.get_by_label("with respect to").select_option("x")
    settled(page)
    assert closed_forms(page)[0] == "dy/dx = W"
    program(page, "L = norm(A x - b)^2")
    page.get_by_role("button", name="Hessian").click()
    settled(page)
    assert closed_forms(page)[0].endswith("= 2 A' A")
    expect(page.locator("#pictures").get_by_role("tab", name="Sparsity")).to_be_visible()


@pytest.mark.parametrize("key", GALLERY)
def test_every_example_is_derived_checked_and_drawn(visitor: Visitor, key: str) -> None:
    page = visitor.open("#lang=en")
    page.locator(f"#gallery a[data-key='{key}']").click()
    settled(page)
    expect(page.locator("#error")).to_be_hidden()
    expect(page.locator("#check")).to_contain_text("Agrees with finite differences")
    expect(page.locator("#gallery a[aria-current]")).to_have_attribute("data-key", key)
    expect(page.locator("#pictures .drawing svg").first).to_be_visible()
