"""The audit corpus: every mistake found, nine of ten explained, no false alarm."""

from __future__ import annotations

from typing import Any

import pytest

from pullback.auditing.audit import audit
from tests.auditing.table import Row, right, wrong, wrong_cases

WRONG = wrong_cases()
RIGHT = list(right())


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [wrong(case) for case in WRONG]


def test_every_mistake_is_found(rows: list[Row]) -> None:
    assert [row.id for row in rows if not row.found] == []


def test_mistakes_are_explained_as_a_person_would(rows: list[Row]) -> None:
    unexplained = [(row.id, row.keys) for row in rows if not row.explained]
    assert len(unexplained) <= 0.1 * len(rows), unexplained


def test_every_explanation_has_its_step(rows: list[Row]) -> None:
    found = [f.explanation for row in rows for f in row.report.findings]
    assert all(e is None or e.step for e in found)


def test_reports_can_be_said_in_both_languages(rows: list[Row]) -> None:
    for row in rows:
        english, korean = row.report.show("en"), row.report.show("ko")
        assert "wrong:" in english and "틀렸습니다" in korean


def test_the_corpus_is_large_enough() -> None:
    assert len(WRONG) >= 40 and len({case["layer"] for case in WRONG}) >= 12 and len(RIGHT) >= 200
    assert len({case["id"] for case in WRONG}) == len(WRONG)


@pytest.mark.parametrize("start", range(8))
def test_right_ones_raise_no_alarm(start: int) -> None:
    alarms: list[Any] = []
    for program, known, variable, text in RIGHT[start::8]:
        if not audit(program, {variable: text}, **known):
            alarms.append((program, variable, text))
    assert alarms == []
