"""Cases spread over the corpus: every backend and every emitted form gives what the oracle gives.

``python -m tests.emission.corpus`` does the same for all cases.
"""

from __future__ import annotations

import pytest

from tests.corpus.loading import Case
from tests.emission.corpus import cases, closed_forms, programs

EVERY = 11
spread = pytest.mark.parametrize("case", cases()[::EVERY], ids=lambda case: f"{case.file}/{case.id}")


@spread
def test_closed_forms_agree_with_the_oracle(case: Case) -> None:
    assert [outcome for outcome in closed_forms(case) if not outcome.good] == []


@spread
def test_programs_with_their_backward_pass_agree_with_the_interpreter(case: Case) -> None:
    assert [outcome for outcome in programs(case) if not outcome.good] == []
