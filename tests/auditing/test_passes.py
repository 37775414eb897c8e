"""Backward passes written with NumPy: wrong ones explained, right ones let through, both as they are written."""

from __future__ import annotations

import pytest

from pullback.auditing.audit import audit
from pullback.auditing.report import Report
from tests.auditing.passes import RIGHT, WRONG, Pair


def audited(case: Pair) -> Report:
    return audit(case.forward, case.backward, values=list(case.values))


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.id)
def test_wrong_passes_are_explained(case: Pair) -> None:
    report = audited(case)
    wrong = {f.variable: f.explanation for f in report.findings if not f.right}
    assert set(wrong) == set(case.keys), str(report)
    for name, explanation in wrong.items():
        assert explanation is not None and explanation.key.partition("+")[0] in case.keys[name], str(report)


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.id)
def test_right_passes_raise_no_alarm(case: Pair) -> None:
    assert audited(case), str(audited(case))


def test_the_step_is_told_with_its_line_of_code() -> None:
    report = audited(next(case for case in WRONG if case.id == "network_no_mask"))
    explanation = report["w1"].explanation
    assert explanation is not None
    assert explanation.step.startswith("h = relu(z)   [passes.py:")
    assert explanation.step.endswith("h = np.maximum(z, 0)]")
