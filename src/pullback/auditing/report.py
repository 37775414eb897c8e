"""What an audit found, as data; truthy where every claim is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pullback.checking.words import say


@dataclass(frozen=True)
class Explanation:
    """A mistake by its key, what fills the sentence, and the step of the derivation at which it happened."""

    key: str
    fields: Mapping[str, str] = field(default_factory=dict)
    step: str = ""
    mended: str = ""
    """The claim with the mistake mended, where it was given as text."""
    parts: tuple[Explanation, ...] = ()
    """Two mistakes that are one explanation only together."""

    def say(self, language: str) -> str:
        """The mistake in words."""
        if self.parts:
            steps = {part.step for part in self.parts}
            said = [part.say(language) + (f" [{part.step}]" if len(steps) > 1 else "") for part in self.parts]
            first, second = said
            return say(language, "mistake.two", first=first, second=second)
        key, _, factor = self.key.partition("+")
        sentence = say(language, f"mistake.{key}", **self.fields)
        return say(language, "mistake.also_factor", first=sentence, also=self.fields["also"]) if factor else sentence


@dataclass(frozen=True)
class Difference:
    """The entry at which a claim is farthest off, at a drawn point."""

    index: tuple[int, ...]
    claimed: float
    right: float

    @property
    def place(self) -> str:
        """The entry, counted from one."""
        return f"[{', '.join(str(k + 1) for k in self.index)}]" if self.index else ""


@dataclass(frozen=True)
class Finding:
    """One claim judged.

    Attributes:
        variable: The variable whose gradient is claimed.
        right: Whether the claim is right.
        claim: Its text; empty for a Python function.
        form: The right gradient in its simplest form.
        how: ``algebra`` where both are one graph, ``numbers`` where they agree at every drawn point, ``given``
            where they agree at every point that is like the given values in one respect.
        explanations: What is wrong, the likeliest first; empty where nothing explains it.
        shapes: The shape of the variable and of the claim, where they differ.
        difference: The worst entry, where both have one shape.
        problem: Why the claim has no value at all, such as a shape error with its place.
    """

    variable: str
    right: bool
    claim: str
    form: str
    how: str = ""
    explanations: tuple[Explanation, ...] = ()
    shapes: tuple[str, str] | None = None
    difference: Difference | None = None
    problem: str = ""

    @property
    def explanation(self) -> Explanation | None:
        """The likeliest explanation."""
        return self.explanations[0] if self.explanations else None

    def lines(self, language: str, tells: bool = True) -> Iterator[str]:
        """Say the finding line by line; with ``tells=False``, without what the right gradient is."""
        name = self.variable
        if self.right:
            yield say(language, f"audit.right.{self.how}", name=name, form=self.form.replace("\n", "; "))
            if self.explanation is not None:
                yield "  " + self.explanation.say(language)
            return
        yield say(language, "audit.wrong", name=name, claim=self.claim or say(language, "audit.function"))
        if self.shapes is not None:
            yield "  " + say(language, "audit.shapes", name=name, wanted=self.shapes[0], found=self.shapes[1])
        elif self.problem:
            yield from ("  " + line for line in self.problem.splitlines() if tells or not line.startswith("hint:"))
        found = self.explanation
        if found is not None:
            yield "  " + found.say(language)
            if found.step:
                yield "  " + say(language, "audit.step", step=found.step)
            if found.mended and tells:
                yield "  " + say(language, "audit.mended", mended=found.mended)
        elif self.difference is not None:
            yield "  " + say(language, "audit.unexplained")
        if self.difference is not None:
            yield "  " + say(
                language,
                "audit.difference",
                place=f"dL/d{name}{self.difference.place}",
                claimed=f"{self.difference.claimed:.6g}",
                right=f"{self.difference.right:.6g}",
            )
        if self.form and tells:
            yield "  " + say(language, "audit.form", name=name, form=self.form.replace("\n", "; "))


@dataclass(frozen=True)
class Report:
    """The outcome of an audit."""

    subject: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    language: str = "en"
    in_place: bool = False
    """Whether the backward pass changed its arguments, which spoils whatever uses them next."""

    @property
    def right(self) -> bool:
        """Whether every claim is right, and nothing was changed in place."""
        return not self.in_place and all(finding.right for finding in self.findings)

    def __bool__(self) -> bool:
        return self.right

    def __getitem__(self, name: str) -> Finding:
        return next(finding for finding in self.findings if finding.variable == name)

    def show(self, language: str | None = None) -> str:
        """Say it in a language."""
        lang = language or self.language
        lines = [self.subject] if self.subject else []
        shared = self.shared
        for finding in self.findings:
            lines += finding.lines(lang)
        if shared is not None:
            lines.append(say(lang, "audit.shared"))
        lines += self.notes
        return "\n".join(lines)

    @property
    def shared(self) -> Explanation | None:
        """The one mistake that explains several wrong claims."""
        wrong = [finding for finding in self.findings if not finding.right]
        first = wrong[0].explanation if wrong else None
        if first is None or len(wrong) < 2 or not first.step:
            return None
        same = all(f.explanation is not None and _is_one(f.explanation, first) for f in wrong)
        return first if same else None

    def __str__(self) -> str:
        return self.show()


def _is_one(left: Explanation, right: Explanation) -> bool:
    """Whether two explanations are of one mistake."""
    if (left.key, left.step) != (right.key, right.step):
        return False
    ignored = {"name"} | ({"other"} if left.key == "swapped" else set())
    return all(left.fields.get(k) == right.fields.get(k) for k in {*left.fields, *right.fields} - ignored)
