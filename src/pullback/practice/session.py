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
from pullback.practice.kinds import kind_of, mistakes_in
from pullback.tensor.node import Apply, Node, Product, Sum, Variable, topological

MOST_HINTS = 4


@dataclass
class Score:
    """What was learned: exercises by how they ended and by their topic, and mistakes by their kind."""

    solved: int = 0
    alone: int = 0
    given_up: int = 0
    answers: int = 0
    mistakes: Counter[str] = field(default_factory=Counter)
    """How often each mistake was made, by the key of its explanation."""
    asked: Counter[str] = field(default_factory=Counter)
    """How many exercises of each topic were asked."""
    done: Counter[str] = field(default_factory=Counter)
    """How many exercises of each topic were solved."""

    @property
    def kinds(self) -> Counter[str]:
        """The mistakes by kind, such as ``turned`` or ``summed``."""
        made: Counter[str] = Counter()
        for key, count in self.mistakes.items():
            made[kind_of(key)] += count
        return made

    def show(self, language: str) -> str:
        """Say it in a language."""
        given = {"solved": self.solved, "alone": self.alone, "given_up": self.given_up, "answers": self.answers}
        lines = [say(language, "practice.score", **given)]
        for topic, count in self.asked.items():
            title = say(language, f"practice.topic.{topic}")
            lines.append("  " + say(language, "practice.topic", topic=title, done=self.done[topic], asked=count))
        if self.mistakes:
            lines.append(say(language, "practice.mistakes"))
        for kind, count in self.kinds.most_common():
            lines.append(
                "  " + say(language, "practice.mistake", kind=say(language, f"practice.kind.{kind}"), count=count)
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
            output=self.program.output.name or say(self.language, "practice.output"),
        )

    def answer(self, text: str) -> Report:
        """Judge an answer: any formula that is equal is right.

        Raises:
            PullbackError: It can't be read.
        """
        claim = {self.exercise.variable: text}
        report = audit_program(self.program, claim, upstream=self.upstream, lang=self.language)
        self.tries += 1
        return report

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
            return say(self.language, "practice.hint.rule", rules="; ".join(dict.fromkeys(self._rules())))
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
        """The rules on the path: those of sums and products, and of each function, in the notation."""
        from pullback.operations.entry import Primitive
        from pullback.operations.table import TABLE

        path = self._path()
        reached = {self.program.input(self.exercise.variable).variable.name, *(stage.name for stage in path)}
        names = set()
        for node in [node for stage in reversed(path) for node in _moving(stage.local, reached)]:
            if isinstance(node, Apply):
                names.add(node.operation.name)
            elif isinstance(node, Sum):
                yield say(self.language, "practice.rule.sum")
            elif isinstance(node, Product):
                yield from (say(self.language, f"practice.rule.{key}") for key in _rules_of(node))
        for entry in TABLE.values():
            for meaning in entry.meanings:
                if isinstance(meaning, Primitive) and meaning.operation.name in names:
                    for parameter, rule in meaning.pullbacks.items():
                        yield f"{entry.name}({', '.join(meaning.pullbacks)}): {parameter} ← {rule}"


def _moving(root: Node, names: set[str]) -> list[Node]:
    """The nodes of a graph that depend on some names."""
    found: dict[int, Node] = {}
    for node in topological([root]):
        if (isinstance(node, Variable) and node.name in names) or any(id(child) in found for child in node.children):
            found[id(node)] = node
    return [*found.values()]


def _rules_of(node: Product) -> Iterator[str]:
    """Which rules a product stands for."""
    kept = set(node.output)
    held = {index for factor in node.factors for index in factor.indices}
    if len(node.factors) > 1:
        yield "product" if held - kept else "entrywise"
    elif held - kept:
        yield "total"
    if any(factor.exponent != 1 for factor in node.factors):
        yield "power"
    if kept - held:
        yield "spread"


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
        score.done[attempt.exercise.topic] += 1
        return True, say(attempt.language, "practice.right", form=attempt.solution)
    for finding in report.findings:
        if finding.explanation is not None:
            score.mistakes.update(mistakes_in(finding.explanation))
    lines = [line for finding in report.findings for line in finding.lines(attempt.language, tells=False)]
    return False, "\n".join(lines)
