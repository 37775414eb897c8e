"""The answer to a question, as JSON: a derivation with its closed forms and pictures, a check, source text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pullback as pb
from pullback.derivation.record import Record
from pullback.dimension import Dimension
from pullback.emission.emitting import emit_program
from pullback.errors import Place, PullbackError
from pullback.expression import Expression
from pullback.lowering.program import Program
from pullback.pictures.of_derivation import sparsity as draw_sparsity
from pullback.pictures.picture import KINDS, of_record
from pullback.rendering.derivation import Derivation
from pullback.syntax.names import normalise, unicode_name
from pullback.web.forms import closed_forms, second_form
from pullback.web.question import DETAILS, Question, read_array, read_question
from pullback.web.telling import Teller

SCHEMA = "pullback/page/1"
SUBJECT = "program"


def answer(document: Any) -> dict[str, Any]:
    """Answer a question; what is wrong with it is an answer too."""
    try:
        if isinstance(document, dict) and document.get("ask") == "practice":
            from pullback.web.practising import practised

            return practised(document)
        question = read_question(document)
        return _WAYS[question.ask](question)
    except PullbackError as error:
        return complaint(error)
    except RecursionError:
        return refusal("deep")
    except MemoryError:
        return refusal("memory")


def refusal(reason: str, **more: Any) -> dict[str, Any]:
    """Say that a limit was reached; the page has the words for each reason."""
    return {"schema": SCHEMA, "ok": False, "error": {"type": "Limit", "reason": reason, **more}}


def complaint(error: PullbackError, subject: str = SUBJECT) -> dict[str, Any]:
    """An error with its places as offsets that a browser counts in."""
    source = error.source
    return {
        "schema": SCHEMA,
        "ok": False,
        "error": {
            "type": type(error).__name__,
            "message": error.message,
            "hint": error.hint,
            "subject": subject,
            "source": source,
            "line": error.line,
            "column": error.column,
            "places": [_place(source, place) for place in error.places if source],
        },
    }


def _place(source: str, place: Place) -> dict[str, Any]:
    """Browsers count UTF-16 units, Python characters."""
    before = _units(source[: place.span.start])
    return {"start": before, "end": before + max(1, _units(source[place.span.start : place.span.end])),
            "label": place.label}  # fmt: skip


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _derived(question: Question, program: Program) -> Derivation:
    """Derive what a question asks for."""
    values, upstream = _numbers(question, program)
    wrt = None if not question.wrt else [program.input(question.wrt).name]
    if question.want == "hessian" and wrt is None:
        wrt = [_one_input(program)]
    return pb.derive(
        program,
        wrt=wrt,
        values=values or None,
        upstream=upstream,
        lang=question.lang,
        method=question.method,
        check=question.ask == "document",  # the page has a check of its own, beside each result
    )


def _derive(question: Question) -> dict[str, Any]:
    """The whole page: inputs, closed forms, steps, pictures."""
    program = pb.parse(question.program)
    made = described(program)
    made["lang"], made["layout"], made["detail"] = question.lang, question.layout, question.detail
    try:
        derivation = _derived(question, program)
        _ = derivation.steps
    except PullbackError as error:
        # The program is right: its inputs are shown all the same.
        wrong = complaint(error, "values" if isinstance(error, pb.ValuesError) else SUBJECT)
        return {**made, **wrong}
    made.update(_told(question, derivation))
    made["ok"] = True
    return made


def _told(question: Question, derivation: Derivation) -> dict[str, Any]:
    teller = Teller(derivation, question.lang)
    request = derivation.request
    made: dict[str, Any] = {
        "title": teller.title(),
        "steps": _detailed(teller.steps(), question.detail),
        "symbols": dict(request.names.symbols),
        "loss": request.names.loss,
        "isLoss": request.is_loss,
        "sizes": dict(sorted(request.arrays[1].items())),
        "layouts": closed_forms(derivation),
    }
    second: Expression | None = None
    if question.want != "backward":
        found = second_form(question, derivation)
        second = found.pop("expression")
        made["second"] = found
    made["pictures"] = _pictures(derivation, second)
    return made


def _pictures(derivation: Derivation, second: Expression | None) -> dict[str, str]:
    """All pictures that there are; one that says nothing, or can't be drawn, is left out."""
    request = derivation.request
    found: dict[str, str] = {}
    for kind in KINDS:
        try:
            if kind == "sparsity":
                wrt = next(iter(derivation.results))
                values, sizes = request.values, request.arrays[1]
                drawn = None if second is None else draw_sparsity(second, wrt, values, sizes)
            else:
                drawn = of_record(derivation, kind)
        except (PullbackError, ArithmeticError, ValueError, KeyError):
            continue
        if drawn is not None:
            found[kind] = drawn
    return found


def _check(question: Question) -> dict[str, Any]:
    """Compare each closed form with finite differences; None for one for which no point could be drawn."""
    from pullback.web.draws import Drawn, check_first

    program = pb.parse(question.program)
    derivation = _derived(question, program)
    request = derivation.request
    sizes = request.arrays[1]
    upstream = None if request.is_loss else request.upstream_name
    checks: dict[str, Drawn] | None = None
    second: Drawn | None = None
    try:
        checks = check_first(request.program, derivation.results, upstream, sizes)
        if question.want != "backward":
            plain = replace(question, layout="denominator")
            expression = second_form(plain, derivation)["expression"]
            second = _checked_second(request.program, derivation, expression, question, sizes)
    except (PullbackError, ArithmeticError, ValueError, KeyError):
        pass
    shown = {name: _drawn((checks or {}).get(name)) for name in derivation.results}
    return {"schema": SCHEMA, "ok": True, "checks": shown, "second": _drawn(second)}


def _drawn(found: Any) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"passed": found.passed, "worst": f"{found.worst:.0e}".replace("e-0", "e-"), "draws": found.draws}


def _code(question: Question) -> dict[str, Any]:
    """The program with its backward pass as source text for another library."""
    program = pb.parse(question.program)
    wrt = None if not question.wrt else [program.input(question.wrt).name]
    text = emit_program(program, question.target, wrt)
    return {"schema": SCHEMA, "ok": True, "target": question.target, "code": text}


def _document(question: Question) -> dict[str, Any]:
    """The derivation as JSON, as the command line writes it; as text, so that it is saved as it is."""
    derivation = _derived(question, pb.parse(question.program))
    return {"schema": SCHEMA, "ok": True, "document": derivation.to_json()}


_WAYS: dict[str, Callable[[Question], dict[str, Any]]] = {
    "derive": _derive,
    "check": _check,
    "code": _code,
    "document": _document,
}


def _checked_second(
    program: Program, derivation: Record, second: Expression, question: Question, sizes: Mapping[str, int]
) -> Any:
    from pullback.web.draws import check_second

    wrt = normalise(next(iter(derivation.results)))
    if question.want == "hessian":
        return check_second(program, derivation.results[wrt], wrt, second, sizes)
    output = Expression(program.output.node, program.output.shape, program)
    return check_second(program, output, wrt, second, sizes)


def _one_input(program: Program) -> str:
    """What a second derivative is by where it is not said: the first vector, or else the first input."""
    names = [entry.name for entry in program.inputs.values() if "constant" not in entry.properties]
    vectors = [entry.name for entry in program.inputs.values() if len(entry.shape) == 1]
    return (vectors or names)[0]


def _detailed(steps: list[dict[str, Any]], detail: str) -> list[dict[str, Any]]:
    """Leave out the steps that a level of detail does not show; headings stay."""
    level = DETAILS.index(detail)

    def shown(items: list[dict[str, Any]], depth: int) -> list[dict[str, Any]]:
        kept = []
        for item in items:
            if depth and DETAILS.index(item["detail"]) > level:
                continue
            below = shown(item.get("steps", []), depth + 1)
            kept.append({**item, "steps": below} if below else {k: v for k, v in item.items() if k != "steps"})
        return kept

    return shown(steps, 0)


def _numbers(question: Question, program: Program) -> tuple[dict[str, Any], Any]:
    """Read the values that belong to inputs of the program; others are left for when they are inputs again."""
    from pullback.values import fit

    values: dict[str, Any] = {}
    for name, text in question.values.items():
        entry = program.inputs.get(normalise(name))
        if text.strip() and entry is not None:
            values[entry.name] = fit(read_array(text, name), len(entry.shape))
    told = {axis.name for e in program.inputs.values() for axis in e.shape}
    for name, text in question.values.items():
        if name in told and text.strip().isdigit() and normalise(name) not in program.inputs:
            values[name] = int(text)
    if len([n for n in values if normalise(n) in program.inputs]) < len(program.inputs):
        values = {}
    upstream = None
    if question.upstream.strip():
        upstream = fit(read_array(question.upstream, "dL/dy"), len(program.output.shape))
    return values, upstream


def described(program: Program) -> dict[str, Any]:
    """What the page shows of a program beside its text: the chips, the sizes, the output."""
    entries = []
    for name, entry in program.inputs.items():
        entries.append({
            "name": entry.name,
            "key": name,
            "label": unicode_name(name),
            "shape": [str(axis) for axis in entry.shape],
            "axes": [_polynomial(axis) for axis in entry.shape],
            "properties": sorted(entry.properties),
            "batched": entry.batched,
        })  # fmt: skip
    output = program.output
    statements = [
        {"name": s.name, "label": unicode_name(s.name) if s.name else "", "shape": [str(axis) for axis in s.shape]}
        for s in program.statements
    ]
    return {
        "schema": SCHEMA,
        "ok": False,
        "inputs": entries,
        "statements": statements,
        "output": {
            "name": output.name or "y",
            "label": unicode_name(output.name) if output.name else "y",
            "shape": [str(axis) for axis in output.shape],
            "axes": [_polynomial(axis) for axis in output.shape],
        },
    }


def _polynomial(axis: Dimension) -> list[list[Any]]:
    """A length as coefficients with names, for the page to compute."""
    return [[coefficient, list(monomial)] for monomial, coefficient in axis.terms]
