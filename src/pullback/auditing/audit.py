"""``pb.audit``: is a hand-written gradient right, and if not, which mistake is it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pullback.auditing.claims import Claim, Vocabulary, lower_claim, read_claim, uses, vocabulary, with_properties
from pullback.auditing.conditions import alike as conditions_alike
from pullback.auditing.pieces import differs, farther, has_pieces
from pullback.auditing.python import Backward
from pullback.auditing.report import Difference, Explanation, Finding, Report
from pullback.auditing.search import Search
from pullback.auditing.searching import search_of, unstructured
from pullback.auditing.stages import stages_of
from pullback.auditing.trial import Setting, Trial, close
from pullback.checking.evaluator import UnfitError
from pullback.deriving import as_program, backward, gradient
from pullback.dimension import ONE
from pullback.errors import PullbackError, ShapeError, ValuesError
from pullback.expression import Expression, Results
from pullback.lowering.asked import free_name
from pullback.lowering.given import Properties, Shapes
from pullback.lowering.program import Program
from pullback.simplification.simplify import simplify
from pullback.syntax.names import normalise
from pullback.tensor.add import add
from pullback.tensor.node import Node, Sum

EQUAL = 1e-10


def audit(
    source: Any,
    claims: Mapping[str, str] | Callable[..., Any] | None = None,
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
    values: Mapping[str, Any] | Sequence[Any] | None = None,
    upstream: str = "g",
    seed: int = 0,
    lang: str = "en",
) -> Report:
    """Judge gradients given by hand, and name the mistake in those that are wrong.

    Args:
        source: The forward pass: text, a Program or an Expression; or a Python function, a pair
            ``(forward, backward)``, a module or a ``torch.autograd.Function``, which are run.
        claims: For each variable its gradient in the notation, such as ``{"W": "g x'"}``; it may use the
            inputs, the names that the program binds, and the upstream gradient g. Or a Python function
            ``backward(g, *inputs)`` that gives one array an input, in order or by name.
        shapes: As in ``parse``.
        assume: As in ``parse``.
        batch: As in ``parse``.
        values: Fixed values of inputs for the numeric comparison; of a Python function, example arguments.
        upstream: What the claims call the gradient of the output.
        seed: Of the points that are drawn.
        lang: The language of the report, ``en`` or ``ko``.

    Returns:
        A report that is truthy where every claim is right; its findings say what is wrong with the others.

    Raises:
        PullbackError: The program or a claim can't be read.

    >>> print(audit("y = W x", {"W": "x g'"}))
    y = W x
    wrong: dL/dW = x g'
      the shape of dL/dW must be that of W, m x n; this is n x m
      it is the transpose of the right gradient
      the step: y = W x
      right: dL/dW = g x'
    >>> bool(audit("y = W x", {"W": "g x'", "x": "(g' W)'"}))
    True
    """
    if not isinstance(source, str | Program | Expression) or claims is None:
        from pullback.auditing.foreign import audit_python

        return audit_python(source, claims, values=values, shapes=shapes, seed=seed, lang=lang)
    program = as_program(source, shapes, assume, batch)
    if values is not None and not isinstance(values, Mapping):
        values = dict(zip(program.inputs, values, strict=False))
    return audit_program(program, claims, values=values, upstream=upstream, seed=seed, lang=lang)


def audit_program(
    program: Program,
    claims: Mapping[str, str] | Callable[..., Any],
    *,
    values: Mapping[str, Any] | None = None,
    examples: Mapping[str, Any] | None = None,
    upstream: str = "g",
    seed: int = 0,
    lang: str = "en",
    subject: str | None = None,
) -> Report:
    """Judge claims about a program that is read already; ``examples`` show what its inputs are like."""
    import numpy as np

    stages = stages_of(program)
    taken = {*program.inputs, *(normalise(s.name) for s in stages if s.given)}
    name: str | None = normalise(upstream) if normalise(upstream) not in taken else free_name(program)
    words = vocabulary(program, stages, name)
    is_scalar = all(axis is ONE for axis in program.output.shape)
    if not callable(claims) and not claims:
        raise ValuesError("there is no claim to audit", hint='give one, such as {"x": "W\' g"}')
    read = [] if callable(claims) else _read(program, claims, words)
    if is_scalar and not callable(claims) and name is not None and not any(uses(claim, name) for claim in read):
        name = None
        words = replace(words, upstream=None)
    wanted = [claim.variable for claim in read] if read else _free(program)
    results = _right(program, wanted, name)
    setting = Setting(program, stages, results, name)
    drawn = setting.draw(np.random.default_rng(seed), values)
    called = Backward(claims, program, name) if callable(claims) else None
    if called is not None:
        read = called.claims(drawn, wanted)
    findings = _judge(read, words, search_of(setting, drawn, wanted))
    findings = _on_other_pieces(findings, read, words, setting, drawn, wanted, list(values or ()))
    if examples and not all(finding.right for finding in findings):
        findings = _again(read, words, setting, drawn, wanted, examples, findings)
    notes = () if called is None else called.notes(findings, lang)
    if called is not None and called.altered:
        findings = [f if f.right else called.aliased(f) for f in findings]
    in_place = called is not None and bool(called.altered)
    return Report(_subject(program) if subject is None else subject, tuple(findings), notes, lang, in_place)


def _free(program: Program) -> list[str]:
    return [name for name, entry in program.inputs.items() if "constant" not in entry.properties]


def _read(program: Program, claims: Mapping[str, str], words: Vocabulary) -> list[Claim]:
    return [read_claim(normalise(program.input(_variable(name)).name), text, words) for name, text in claims.items()]


def _variable(name: str) -> str:
    """``dL/dW`` and ``dW`` may stand for W."""
    for lead in ("dL/d", "dL_d", "∂L/∂"):
        if name.startswith(lead):
            return name[len(lead) :]
    return name


def _right(program: Program, wanted: Sequence[str], upstream: str | None) -> Results:
    if upstream is None:
        found = gradient(program, list(wanted))
        assert isinstance(found, Results)
        return found
    return backward(program, list(wanted), upstream)


def _judge(read: Sequence[Claim], words: Vocabulary, search: Search) -> list[Finding]:
    verdicts = [_verdict(claim, words, search) for claim in read]
    wrong = {
        claim.variable: values
        for claim, (finding, values) in zip(read, verdicts, strict=True)
        if not finding.right and values is not None
    }
    findings = []
    for claim, (finding, values) in zip(read, verdicts, strict=True):
        if not finding.right:
            others = {name: arrays for name, arrays in wrong.items() if name != claim.variable}
            finding = replace(finding, explanations=search.explain(claim, values, others))
        findings.append(finding)
    return findings


def _on_other_pieces(
    findings: Sequence[Finding],
    read: Sequence[Claim],
    words: Vocabulary,
    setting: Setting,
    drawn: Sequence[Trial],
    wanted: Sequence[str],
    fixed: Sequence[str],
) -> list[Finding]:
    """Look far out at claims that only agree in numbers, where functions in pieces may hide a mistake."""
    doubtful = {
        c.variable for c, f in zip(read, findings, strict=True) if f.how == "numbers" and has_pieces(setting, c)
    }
    if not doubtful:
        return list(findings)
    far = farther(setting, drawn, [normalise(name) for name in fixed])
    result = []
    for claim, finding in zip(read, findings, strict=True):
        against = [trial for trial in far if claim.variable in doubtful and differs(claim, trial)]
        result.append(_judge([claim], words, search_of(setting, against, wanted))[0] if against else finding)
    return result


def _again(
    read: Sequence[Claim],
    words: Vocabulary,
    setting: Setting,
    drawn: Sequence[Trial],
    wanted: Sequence[str],
    examples: Mapping[str, Any],
    before: Sequence[Finding],
) -> list[Finding]:
    """Judge at points that are like the given values: one-hot targets sum to one, a covariance is symmetric."""
    import numpy as np

    known = {normalise(name): np.asarray(value, dtype=np.float64) for name, value in examples.items()}
    alike = conditions_alike(known, unstructured(setting))
    if not alike:
        return list(before)
    for condition in alike:
        drawn = [setting.changed(trial, condition.met(trial.values)) for trial in drawn]
    names = [condition.name for condition in alike]
    findings = []
    judged = _judge(read, words, search_of(setting, drawn, wanted, names))
    for first, second in zip(before, judged, strict=True):
        if first.right or not (second.right or second.explanations):
            findings.append(first)
        elif second.right:
            told = [Explanation(f"given_if.{c.key}", {"part": setting.program.inputs[c.name].name}) for c in alike]
            findings.append(replace(second, how="given", explanations=tuple(told)))
        else:
            findings.append(second)
    return findings


def _verdict(claim: Claim, words: Vocabulary, search: Search) -> tuple[Finding, list[Any] | None]:
    """Judge one claim: shapes, then identity of the graphs, then numbers."""
    name, trials, program = claim.variable, search.trials, search.setting.program
    entry = program.inputs[name]
    expression = search.setting.results[name]
    form = str(expression)
    problem, shapes = "", None
    if claim.is_text:
        try:
            shape, node = lower_claim(claim, words)
        except ShapeError as error:
            problem = str(error)
        except PullbackError:
            pass
        else:
            if _axes(shape) != _axes(entry.shape):
                shapes = (_say(entry.shape), _say(shape))
            elif _same(with_properties(node, program), expression.node):
                return Finding(entry.name, True, claim.text, form, "algebra"), None
    values = _values(claim, trials)
    if values is None:
        return Finding(entry.name, False, claim.text, form, shapes=shapes, problem=problem), None
    if not problem and all(_equal(v, t.right[name]) for v, t in zip(values, trials, strict=True)):
        return Finding(entry.name, True, claim.text, form, "numbers"), None
    if shapes is None and not problem and values[0].shape != trials[0].right[name].shape:
        shapes = (_say(entry.shape), _named_shape(values, trials))
    difference = None if shapes or problem else difference_of(values[0], trials[0].right[name])
    return Finding(entry.name, False, claim.text, form, "", (), shapes, difference, problem), values


def _equal(value: Any, right: Any) -> bool:
    """One shape (a column may be a matrix of one column) and equal numbers; both may be no numbers at all."""
    import numpy as np

    if value.shape != right.shape and not (value.ndim == 2 and value.shape[1] == 1 and value.shape[:1] == right.shape):
        return False
    value = value.reshape(right.shape)
    if not np.all(np.isfinite(right)):
        return bool(np.array_equal(value, right, equal_nan=True))
    scale = max(1.0, float(np.max(np.abs(right), initial=0.0)))
    return close(value, right, EQUAL) or bool(np.max(np.abs(value - right), initial=0.0) <= 1e-12 * scale)


def _values(claim: Claim, drawn: Sequence[Trial]) -> list[Any] | None:
    import numpy as np

    try:
        return [np.asarray(claim.at(trial), dtype=np.float64) for trial in drawn]
    except (UnfitError, PullbackError, ValueError, TypeError, KeyError, IndexError):
        return None


def _same(left: Node, right: Node) -> bool:
    if left is right:
        return True
    if left.axes != right.axes:
        return False
    shorter, other, difference = simplify([left, right, add([(1, left), (-1, right)], left.axes)])
    return shorter is other or (isinstance(difference, Sum) and not difference.terms)


def _axes(shape: Sequence[Any]) -> tuple[Any, ...]:
    """A shape as it is compared: a column of a matrix is a vector, a row is not."""
    shape = tuple(shape)
    if len(shape) == 2 and shape[1] is ONE:
        shape = shape[:1]
    return () if all(axis is ONE for axis in shape) else shape


def _say(shape: Sequence[Any]) -> str:
    return " x ".join(map(str, shape)) or "scalar"


def _named_shape(values: Sequence[Any], drawn: Sequence[Trial]) -> str:
    """The shape of arrays in terms of the dimension names."""
    if any(value.ndim != values[0].ndim for value in values):
        return _say(values[0].shape)
    parts = []
    for axis in range(values[0].ndim):
        lengths = [value.shape[axis] for value in values]
        names = [n for n in drawn[0].sizes if [t.sizes[n] for t in drawn] == lengths]
        parts.append(names[0] if names else str(lengths[0]))
    return " x ".join(parts) or "scalar"


def difference_of(value: Any, right: Any) -> Difference | None:
    """The entry at which two arrays are farthest apart; None where their shapes differ."""
    import numpy as np

    if value.shape != right.shape:
        return None
    gap = np.where(np.isfinite(value), np.abs(value - right), np.inf)
    at = tuple(int(k) for k in np.unravel_index(int(np.argmax(gap)), gap.shape)) if gap.ndim else ()
    return Difference(at, float(value[at]) + 0.0, float(right[at]) + 0.0)


def _subject(program: Program) -> str:
    """The program on a line; with a batch, the shapes that claims have to have."""
    text = "; ".join(line.strip() for line in program.source.splitlines() if line.strip())
    if program.batch is None:
        return text
    lifted = [f"{entry.name}: {_say(entry.shape)}" for entry in program.inputs.values() if entry.batched]
    return f"{text}   (batch {program.batch}; {'; '.join([*lifted, f'g: {_say(program.output.shape)}'])})"
