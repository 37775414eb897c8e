"""One exercise as a conversation: answers are audited, hints come in steps, and what was learned is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pullback.auditing.audit import audit_program
from pullback.auditing.report import Report
from pullback.auditing.stages import Stage, stages_of
from pullback.checking.words import say
from pullback.deriving import backward
from pullback.dimension import ONE
from pullback.errors import PullbackError
from pullback.lowering.asked import free_name
from pullback.practice.exercises import Exercise
from pullback.tensor.node import Variable, topological

MOST_HINTS = 4


@dataclass
class Score:
    """What was learned: exercises by how they ended, and mistakes by their kind."""

    solved: int = 0
    alone: int = 0
    given_up: int = 0
    answers: int = 0
    mistakes: Counter[str] = field(default_factory=Counter)

    def show(self, language: str) -> str:
        """Say it in a language."""
        lines = [
            say(
                language,
                "practice.score",
                solved=self.solved,
                alone=self.alone,
                given_up=self.given_up,
                answers=self.answers,
            )
        ]
        for key, count in self.mistakes.most_common(3):
            lines.append(
                "  " + say(language, "practice.mistakes", kind=key.replace("_", " ").replace("edit.", ""), count=count)
            )
        return "\n".join(lines)


@dataclass
class Attempt:
    """An exercise being solved."""

    exercise: Exercise
    language: str = "en"
    hints: int = 0
    tries: int = 0

    def __post_init__(self) -> None:
        self.program = self.exercise.read()
        self.stages = stages_of(self.program)
        self.upstream = free_name(self.program)
        self.is_scalar = all(axis is ONE for axis in self.program.output.shape)

    @property
    def question(self) -> str:
        """What is asked, with the shapes."""
        inputs = ", ".join(f"{i.name} {_shape(i.shape)}" for i in self.program.inputs.values())
        key = "practice.question.scalar" if self.is_scalar else "practice.question"
        return say(
            self.language,
            key,
            program=self.exercise.program,
            batch=f"batch {self.exercise.batch}: " if self.exercise.batch else "",
            inputs=inputs,
            name=self.exercise.variable,
            upstream=self.upstream,
        )

    def answer(self, text: str) -> Report:
        """Judge an answer: any formula that is equal is right.

        Raises:
            PullbackError: It can't be read.
        """
        self.tries += 1
        return audit_program(self.program, {self.exercise.variable: text}, upstream=self.upstream, lang=self.language)

    def hint(self) -> str:
        """The next hint: the shape, then the path, then the rule, then the form."""
        self.hints = min(self.hints + 1, MOST_HINTS)
        entry = self.program.input(self.exercise.variable)
        if self.hints == 1:
            return say(self.language, "practice.hint.shape", name=entry.name, shape=_shape(entry.shape))
        if self.hints == 2:
            path = " → ".join(stage.text for stage in reversed(self._path()))
            return say(self.language, "practice.hint.path", path=path, name=entry.name)
        if self.hints == 3:
            return say(self.language, "practice.hint.rule", rules="; ".join(self._rules()) or "-")
        return say(self.language, "practice.hint.form", name=entry.name, form=self.solution)

    @property
    def solution(self) -> str:
        """The simplest form."""
        if self.is_scalar:
            from pullback.deriving import gradient

            return str(gradient(self.program, self.exercise.variable)).replace("\n", "; ")
        return str(backward(self.program, self.exercise.variable, self.upstream)[self.exercise.variable]).replace(
            "\n", "; "
        )

    def _path(self) -> list[Stage]:
        """The stages through which the gradient reaches the variable."""
        reached = {self.program.input(self.exercise.variable).variable.name}
        path = []
        for stage in self.stages:
            if any(isinstance(v, Variable) and v.name in reached for v in topological([stage.local])):
                reached.add(stage.name)
                path.append(stage)
        return path

    def _rules(self) -> Iterator[str]:
        """The derivative rules of the functions on the path, in the notation."""
        from pullback.operations.entry import Primitive
        from pullback.operations.table import TABLE
        from pullback.tensor.node import Apply

        names = {n.operation.name for stage in self._path() for n in topological([stage.local]) if isinstance(n, Apply)}
        for entry in TABLE.values():
            for meaning in entry.meanings:
                if isinstance(meaning, Primitive) and meaning.operation.name in names:
                    for parameter, rule in meaning.pullbacks.items():
                        yield f"{entry.name}({', '.join(meaning.pullbacks)}): {parameter} ← {rule}"


def _shape(axes: Iterable[object]) -> str:
    return " x ".join(map(str, axes)) or "scalar"


def judge(attempt: Attempt, text: str, score: Score) -> tuple[bool, str]:
    """Take one answer into the score; give whether it is right, and what to say."""
    try:
        report = attempt.answer(text)
    except PullbackError as error:
        return False, str(error)
    score.answers += 1
    if report:
        score.solved += 1
        score.alone += attempt.hints == 0 and attempt.tries == 1
        return True, say(attempt.language, "practice.right", form=attempt.solution)
    for finding in report.findings:
        if finding.explanation is not None:
            score.mistakes[finding.explanation.key] += 1
    lines = [line for finding in report.findings for line in finding.lines(attempt.language)]
    hidden = (
        say(attempt.language, "audit.form", name="", form="").strip().split(":")[0],
        say(attempt.language, "audit.mended", mended="").split(":")[0],
    )
    return False, "\n".join(line for line in lines if not line.strip().startswith(hidden))
