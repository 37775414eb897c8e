"""Practice on the page: exercises asked, answers judged, mistakes explained and counted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from pullback.practice.exercises import chosen
from tests.web.paging import Visitor, program, settled, spoken
from tests.web.serving import Served

pytestmark = pytest.mark.xdist_group("practice")


def answer(page: Page, text: str) -> None:
    page.locator("#practice-answer").fill(text)
    page.locator("#practice-answer").press("Enter")
    expect(page.locator(".asking")).to_have_count(0)


def started(page: Page) -> None:
    page.locator("#practice-open").click()
    expect(page.locator("#practice-form")).to_be_visible()


def test_an_exercise_is_answered_wrong_then_right(visitor: Visitor) -> None:
    page = visitor.open()
    started(page)
    expect(page.locator("#practice-ask .program")).to_have_text("y = W x")
    answer(page, "W g")
    expect(page.locator(".verdict-box.wrong")).to_contain_text("a transpose is missing on W")
    answer(page, "(g' W)'")
    expect(page.locator(".verdict-box.right")).to_contain_text("Right.")
    assert spoken(page.locator(".solution math")) == ["W' g"]
    expect(page.locator("#practice-next")).to_be_focused()
    score = page.locator("#practice-score")
    expect(score).to_contain_text("Solved: 1, at the first try without a hint: 0. Answers: 2, shown: 0.")
    expect(score).to_contain_text(f"1 of the {len(chosen())} exercises done.")
    expect(score).to_contain_text("1 a transpose, an order or a shape")
    page.keyboard.press("Enter")
    expect(page.locator("#practice-answer")).to_be_focused()
    expect(page.locator("#practice-answer")).to_have_value("")


def test_hints_come_in_steps(visitor: Visitor) -> None:
    page = visitor.open()
    started(page)
    said = page.locator("#practice-said")
    for part in ("has the shape of x: n", "takes this way to x", "rules on the way", "dL/dx = W' g"):
        page.get_by_role("button", name="Hint").click()
        expect(said).to_contain_text(part)
    expect(page.locator("#practice-answer")).to_be_disabled()
    expect(page.locator("#practice-score")).to_contain_text("shown: 1")


def test_what_cannot_be_read_counts_as_no_answer(visitor: Visitor) -> None:
    page = visitor.open()
    started(page)
    answer(page, "W' (g")
    expect(page.locator(".verdict-box.unread")).to_contain_text("never closed")
    expect(page.locator("#practice-score")).to_contain_text("Nothing yet")


def test_a_network_is_practised_step_by_step(visitor: Visitor) -> None:
    page = visitor.open()
    started(page)
    page.get_by_label("Topic").select_option("Activations")
    page.get_by_label("Exercise", exact=True).select_option("z = W x; h = sigmoid(z), ∂/∂W")
    expect(page.locator("#practice-ask .program")).to_have_text("z = W x\nh = sigmoid(z)")
    page.get_by_role("button", name="Step by step").click()
    expect(page.locator("#practice-ask")).to_contain_text("Step 1 of 2")
    answer(page, "g .* sigmoid(z)")
    expect(page.locator(".verdict-box.wrong")).to_contain_text(
        "one of the two factors of sigmoid's derivative s (1 - s) is missing"
    )
    answer(page, "g .* sigmoid(z) .* (1 - sigmoid(z))")
    expect(page.locator(".verdict-box.right")).to_be_visible()
    page.get_by_role("button", name="Next step").click()
    expect(page.locator("#practice-ask")).to_contain_text("Step 2 of 2")
    expect(page.locator("#practice-ask .program")).to_have_text("z = W x")
    answer(page, "g x'")
    expect(page.locator(".verdict-box.right")).to_be_visible()
    page.locator("#practice-next").click()
    expect(page.locator("#practice-ask .program")).to_have_text("z = W x\nh = sigmoid(z)")
    expect(page.locator("#practice-ask .label")).to_have_count(0)


def test_it_is_in_korean_too(visitor: Visitor) -> None:
    page = visitor.open(lang="ko")
    started(page)
    expect(page.locator("#practice-title")).to_have_text("연습")
    answer(page, "g x'")
    expect(page.locator(".verdict-box.wrong")).to_contain_text("틀렸습니다")
    page.get_by_role("button", name="힌트").click()
    expect(page.locator("#practice-said")).to_contain_text("dL/dx의 크기는 x의 크기와 같습니다: n")


def test_the_program_on_the_page_can_be_practised(visitor: Visitor) -> None:
    page = visitor.open()
    program(page, "c : scalar constant\nL = c norm(A x)^2")
    page.get_by_role("button", name="Practise this program").click()
    expect(page.locator("#practice-ask .program")).to_contain_text("L = c norm(A x)^2")
    options = page.get_by_label("Exercise", exact=True).locator("option").all_inner_texts()
    assert options == ["∂L/∂A", "∂L/∂x"]
    page.get_by_label("Exercise", exact=True).select_option("∂L/∂x")
    expect(page.locator("#practice-ask math").last).to_have_attribute("aria-label", "dL/dx")
    answer(page, "2 c A' A x")
    expect(page.locator(".verdict-box.right")).to_be_visible()


def test_random_networks_are_shared_by_address_and_the_score_is_kept(visitor: Visitor) -> None:
    page = visitor.open("#v=1&p=y+=+W+x&practice=generated:7&lang=en")
    expect(page.locator("#practice-form")).to_be_visible()
    text = page.locator("#practice-ask .program").inner_text()
    page.get_by_role("button", name="Show the answer").click()
    expect(page.locator(".solution math").first).to_be_visible()
    page.reload()
    expect(page.locator("#practice-ask .program")).to_have_text(text)
    expect(page.locator("#practice-score")).to_contain_text("shown: 1")
    page.get_by_role("button", name="Begin anew").click()
    expect(page.locator("#practice-score")).to_contain_text("Nothing yet")
    page.get_by_role("button", name="Back to deriving").click()
    settled(page)
    expect(page.locator("#result")).to_be_visible()


def test_every_exercise_accepts_its_own_solution(served: Served) -> None:
    exercises = served.ask(ask="practice", do="list")["exercises"]
    for one in [*(e["key"] for e in exercises), "generated:1", "generated:2"]:
        asked = served.ask(ask="practice", do="ask", exercise=one)
        for step in range(asked["steps"] + 1):
            solution = served.ask(ask="practice", do="show", exercise=one, step=step)["solution"]
            judged = served.ask(ask="practice", do="judge", exercise=one, step=step, answer=solution)
            assert judged["right"], (one, step, solution, judged["said"])
