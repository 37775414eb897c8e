"""The pytest fixture ``assert_gradient``: a gradient in a test, proved, and explained where it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def assert_gradient() -> Callable[..., Any]:
    """Assert that a gradient is right; the failure is the report of ``pullback.check`` or ``pullback.audit``.

    ``assert_gradient("y = W x", {"W": "g x'"})`` audits claims; ``assert_gradient(forward, backward,
    values=[…])`` checks a Python pair and, where it is wrong and the forward pass can be read, says which
    mistake it is; ``assert_gradient("y = W x")`` checks what pullback derives.
    """
    __tracebackhide__ = True

    def assert_(source: Any, claims: Any = None, **options: Any) -> Any:
        __tracebackhide__ = True
        from pullback.auditing.audit import audit
        from pullback.checking.check import check

        if isinstance(claims, dict):
            report: Any = audit(source, claims, **options)
        else:
            report = check(source, claims, **options)
        if not report:
            text = str(report)
            if not isinstance(claims, dict):
                text += _explained(source, claims, options)
            pytest.fail(text, pytrace=False)
        return report

    return assert_


def _explained(source: Any, backward: Any, options: dict[str, Any]) -> str:
    """The audit of a failed check, where there can be one."""
    from pullback.auditing.audit import audit
    from pullback.errors import PullbackError

    known = {key: options[key] for key in ("shapes", "values", "assume", "batch", "lang", "seed") if key in options}
    try:
        return f"\n\n{audit(source, backward, **known)}"
    except PullbackError:
        return ""
