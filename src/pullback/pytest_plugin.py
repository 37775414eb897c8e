"""The pytest fixture ``assert_gradient``: a gradient in a test, proved, and explained where it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

_AUDITED = ("shapes", "values", "assume", "batch", "lang", "seed")


@pytest.fixture
def assert_gradient() -> Callable[..., Any]:
    """Assert that a gradient is right; the failure is the report of ``pullback.check`` or ``pullback.audit``.

    ``assert_gradient("y = W x", {"W": "g x'"})`` audits claims; ``assert_gradient(forward, backward,
    values=[…])`` checks a Python pair and, where it is wrong and the forward pass can be read, says which
    mistake it is; ``assert_gradient("y = W x")`` checks what pullback derives. The options are those of
    ``pullback.audit`` for claims and those of ``pullback.check`` otherwise; the report is returned.
    """
    return _assert_gradient


def _assert_gradient(source: Any, claims: Any = None, **options: Any) -> Any:
    __tracebackhide__ = True
    from pullback.auditing.audit import audit
    from pullback.checking.check import check
    from pullback.errors import PullbackError

    judge = audit if isinstance(claims, Mapping) else check
    problem = ""
    try:
        report: Any = judge(source, claims, **options)
    except PullbackError as error:
        report, problem = None, str(error)
    if problem:
        pytest.fail(f"the gradient can't be judged: {problem}", pytrace=False)
    if not report:
        text = str(report)
        if not isinstance(claims, Mapping):
            text += _explained(source, claims, options)
        pytest.fail(text, pytrace=False)
    return report


def _explained(source: Any, backward: Any, options: dict[str, Any]) -> str:
    """The audit of a failed check, where there can be one."""
    from pullback.auditing.audit import audit
    from pullback.errors import PullbackError

    if backward is None and isinstance(source, tuple):
        source, backward = source
    try:
        report = audit(source, backward, **{key: options[key] for key in _AUDITED if key in options})
    except PullbackError:
        return ""
    return "" if report else f"\n\n{report}"
