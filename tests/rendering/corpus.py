"""The corpus as derivations, for the tests of all formats."""

from __future__ import annotations

from collections.abc import Iterator

from pullback.expression import Expression
from pullback.rendering.derivation import Derivation, derive
from tests.corpus import loading, run
from tests.corpus.loading import Case

FILES = tuple(sorted({case.file for case in loading.cases()}))


def cases(file: str) -> list[Case]:
    """The cases of one file of the corpus."""
    return [case for case in loading.cases() if case.file == file]


def results(case: Case) -> list[Expression]:
    """The closed forms that a case asks for."""
    return list(run.derive(case).values())


def derivations(file: str) -> Iterator[tuple[Case, Derivation]]:
    """Each case derived, by both methods and in both languages in turn."""
    for k, case in enumerate(cases(file)):
        yield (
            case,
            derive(
                case.program,
                wrt=list(case.wrt),
                shapes=case.shapes,
                assume=case.assume or None,
                method=("elementwise", "differential")[k % 2],
                lang=("en", "ko")[k // 2 % 2],
                check=False,
            ),
        )
