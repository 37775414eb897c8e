"""The derivation on the page: played step by step, in Korean, with every entry lit up where it comes from."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web.paging import Visitor, program, settled, spoken

pytestmark = pytest.mark.xdist_group("steps")

COLUMN_1 = [
    "dy_1/dx_1 = w_11 = 1",
    "dy_1/dx_2 = w_12 = 2",
    "dy_1/dx_3 = w_13 = 3",
    "[w_11 .; w_12 .; w_13 .] = [1 .; 2 .; 3 .]",
]
COLUMN_2 = [
    "dy_2/dx_1 = w_21 = 4", "dy_2/dx_2 = w_22 = 5", "dy_2/dx_3 = w_23 = 6",
    "[w_11 w_21; w_12 w_22; w_13 w_23] = [1 4; 2 5; 3 6]",
]  # fmt: skip
PART_1 = [
    ["y_1 = w_11 x_1 + w_12 x_2 + w_13 x_3", "y_2 = w_21 x_1 + w_22 x_2 + w_23 x_3"],
    ["y_1 = 1 x_1 + 2 x_2 + 3 x_3", "y_2 = 4 x_1 + 5 x_2 + 6 x_3"],
    ["dL/dx_j = (dL/dy_1)(dy_1/dx_j) + (dL/dy_2)(dy_2/dx_j)"],
    [
        "[dL/dx_1; dL/dx_2; dL/dx_3] = [dy_1/dx_1 dy_2/dx_1; dy_1/dx_2 dy_2/dx_2; dy_1/dx_3 dy_2/dx_3] "
        "[dL/dy_1; dL/dy_2]"
    ],
    COLUMN_1,
    COLUMN_2,
    ["[w_11 w_21; w_12 w_22; w_13 w_23] = W'", "dL/dx = W' dL/dy"],
    ["dL/dx = [1 4; 2 5; 3 6] [7; 8] = [39; 54; 69]"],
]
PART_2 = [
    ["dL/dW = [dL/dw_11 dL/dw_12 dL/dw_13; dL/dw_21 dL/dw_22 dL/dw_23]"],
    ["dL/dw_ij = (dL/dy_i)(dy_i/dw_ij)"],
    [
        "dL/dW = [(dL/dy_1)(dy_1/dw_11) (dL/dy_1)(dy_1/dw_12) (dL/dy_1)(dy_1/dw_13); "
        "(dL/dy_2)(dy_2/dw_21) (dL/dy_2)(dy_2/dw_22) (dL/dy_2)(dy_2/dw_23)]"
    ],
    [
        "dy_i/dw_ij = x_j", "dy_1/dw_11 = x_1 = 9", "dy_1/dw_12 = x_2 = 10", "dy_1/dw_13 = x_3 = 11",
        "dy_2/dw_21 = x_1 = 9", "dy_2/dw_22 = x_2 = 10", "dy_2/dw_23 = x_3 = 11",
    ],
    ["dL/dW = [(dL/dy_1) x_1 (dL/dy_1) x_2 (dL/dy_1) x_3; (dL/dy_2) x_1 (dL/dy_2) x_2 (dL/dy_2) x_3]"],
    ["dL/dW = (dL/dy) x'"],
    ["dL/dW = [7; 8] [9 10 11] = [63 70 77; 72 80 88]"],
]  # fmt: skip
"""What lecture.md has on the board, step by step."""


def current(page: Page) -> Locator:
    return page.locator("#board .current")


def lit(page: Page, kind: str = "lit") -> list[str]:
    """What is lit up, in reading order: a field's value, or the sign itself."""
    found = page.locator(f".{kind}").evaluate_all("all => all.map((e) => e.value ?? e.textContent)")
    return [str(text) for text in found]


def test_the_lecture_is_played_in_korean_line_by_line(visitor: Visitor) -> None:
    page = visitor.open(lang="ko")
    played: list[list[str]] = []
    sentences: list[str] = []
    count = int(page.locator("#count").inner_text())
    for step in range(1, count + 1):
        page.keyboard.press("ArrowRight")
        expect(page.locator("#count")).to_have_text(f"{step} / {count}")
        played.append(spoken(current(page).locator(":scope > .line math")))
        sentences += current(page).locator(":scope > .sentence").all_inner_texts()
    for part in (PART_1, PART_2):
        places = [played.index(lines) for lines in part]
        assert places == sorted(places)
    assert played.index(PART_1[-1]) < played.index(PART_2[0])
    assert all(any("가" <= letter <= "힣" for letter in sentence) for sentence in sentences)
    assert any("연쇄 법칙" in sentence for sentence in sentences)
    assert any("전치" in sentence for sentence in sentences)
    assert any("외적" in sentence for sentence in sentences)


def test_steps_go_forward_and_back_with_the_keyboard(visitor: Visitor) -> None:
    page = visitor.open()
    count = page.locator("#count")
    total = count.inner_text()
    for key, shown in (
        ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("ArrowLeft", 1), ("End", int(total)),
        ("ArrowRight", int(total)), ("Home", 1),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(count).to_have_text(f"{shown} / {total}")
        expect(current(page)).to_be_focused()
        expect(current(page)).to_be_in_viewport()
        expect(page.locator("#board [data-stop]:visible")).to_have_count(shown)
    page.keyboard.press("Escape")
    expect(count).to_have_text(total)
    expect(page.locator("#board [data-stop]:visible")).to_have_count(int(total))


def test_the_player_plays_and_pauses(visitor: Visitor) -> None:
    page = visitor.open()
    page.clock.install()
    page.keyboard.press("p")
    expect(page.locator("#play")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#count")).to_contain_text("1 /")
    page.clock.run_for(5_000)
    expect(page.locator("#count")).to_contain_text("3 /")
    page.locator("#play").click()
    expect(page.locator("#play")).to_have_attribute("aria-pressed", "false")
    page.clock.run_for(10_000)
    expect(page.locator("#count")).to_contain_text("3 /")


def test_the_slider_goes_to_any_step(visitor: Visitor) -> None:
    page = visitor.open()
    slider = page.get_by_role("slider", name="Step")
    total = page.locator("#count").inner_text()
    slider.fill("8")
    expect(page.locator("#count")).to_contain_text("8 /")
    expect(slider).to_have_attribute("aria-valuetext", f"Step 8 of {total}")
    page.get_by_role("button", name="Show all").click()
    expect(slider).to_have_attribute("aria-valuetext", f"All {total} steps")


def test_what_is_folded_opens_when_it_is_played(visitor: Visitor) -> None:
    page = visitor.open()
    fold = page.locator("details.operand").first
    fold.locator("summary").click()
    expect(fold).not_to_have_attribute("open", "")
    page.locator("h1").click()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    expect(fold).to_have_attribute("open", "")
    expect(current(page)).to_be_focused()


def test_hovering_an_entry_lights_it_up_everywhere(visitor: Visitor) -> None:
    page = visitor.open()
    page.locator("#step-3\\.1\\.1\\.6 .line").first.locator("[data-entry='w.1.2']").first.hover()
    found = lit(page)
    assert found[0] == "2", "the field of W"
    assert found.count("w12") >= 4, "the sum, the column, the matrix"
    assert found.count("2") >= 5, "W, the sum with numbers, the partial, the column, W' with numbers"
    assert not {"w11", "w21", "1", "4"} & set(found)
    page.mouse.move(0, 0)
    page.locator("h1").hover()
    expect(page.locator(".lit")).to_have_count(0)


def test_a_number_that_was_computed_lights_up_what_it_came_from(visitor: Visitor) -> None:
    page = visitor.open()
    line = page.locator("#step-3\\.1\\.1\\.7 .line math")
    line.get_by_text("54", exact=True).hover()
    assert "54" in lit(page)
    origins = lit(page, "origin")
    assert {"2", "5", "7", "8"} <= set(origins)
    assert not {"1", "3", "4", "6", "9"} & set(origins)


def test_a_field_lights_up_its_entry_when_it_is_focused(visitor: Visitor) -> None:
    page = visitor.open()
    page.get_by_label("x 3", exact=True).focus()
    assert "x3" in lit(page) and "11" in lit(page)
    assert {"62", "152"} <= set(lit(page, "use")), "all that was computed from it"


def test_hovering_a_name_lights_up_all_of_it(visitor: Visitor) -> None:
    page = visitor.open()
    page.locator("#closed math mi", has_text="x").first.hover()
    found = lit(page)
    assert {"9", "10", "11", "x1", "x2", "x3", "x"} <= set(found)


def test_a_program_of_several_statements_is_told_from_the_output_back(visitor: Visitor) -> None:
    page = visitor.open()
    program(page, "z = W x + b\nh = relu(z)\nL = mse(h, t)")
    settled(page)
    through = spoken(page.locator("details.statement > summary math"))
    assert [text[0] for text in through] == ["L", "h", "z"]
