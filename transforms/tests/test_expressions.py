"""What an expression means: the SDK's evaluator, null-safe, exact and pure."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import simpleeval
from crm_to_xero.evaluator import FUNCTIONS, IMPURE, MODULES
from crm_to_xero.expressions import (
    FAILURES,
    ExpressionMistake,
    Vocabulary,
    _Resolver,
    _slow,
    compile_expression,
)
from crm_to_xero.scope import Scope
from singer_sdk.mapper import CustomStreamMap

NOTHING = Vocabulary({})


def work_out(source: str, record: dict[str, Any] | None = None, options: dict[str, Any] | None = None) -> Any:
    record = record or {}
    scope = Scope(record, {})
    scope["record"] = record
    return compile_expression(source, Vocabulary(options or {}))(scope)


@pytest.mark.parametrize(
    "source",
    [
        "Missing",
        "Account.Name",
        "Account.Owner.Name",
        "record['Missing']",
        "record.get('Missing')",
        "Name.upper()",
        "Lines[0].Id",
    ],
)
def test_what_a_record_does_not_have_is_null_however_deep(source: str) -> None:
    assert work_out(source, {"Account": None}) is None


@pytest.mark.parametrize("source", ["Quantity * 2", "Quantity + 1", "Quantity > 0", "-Quantity"])
def test_arithmetic_on_null_is_an_error_and_never_a_guess(source: str) -> None:
    with pytest.raises(FAILURES):
        work_out(source, {"Quantity": None})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("Price * 3", "3600.30"),
        ("1 / 8", "0.125"),
        ("Price * 0.5", "600.050"),
        ("1200.10", "1200.1"),
        ("sum([l.Amount for l in Lines])", "0.30"),
        ("json.loads('[0.10]')[0]", "0.10"),
    ],
)
def test_numbers_are_exact(source: str, value: str) -> None:
    record = {
        "Price": Decimal("1200.10"),
        "Lines": [{"Amount": Decimal("0.10")}, {"Amount": Decimal("0.20")}],
    }
    result = work_out(source, record)
    assert isinstance(result, Decimal)
    assert result == Decimal(value)


def test_a_null_inside_an_f_string_prints_nothing() -> None:
    assert work_out("f'{PO} {Price:.1f}'", {"Price": Decimal("2.25")}) == " 2.2"


@pytest.mark.parametrize(
    "source", ["datetime.datetime.now()", "datetime.date.today()", "rand()", "randint(9)"]
)
def test_an_expression_that_depends_on_when_it_runs_is_refused_at_load(source: str) -> None:
    with pytest.raises(ExpressionMistake, match="depends on when it runs"):
        compile_expression(source, NOTHING)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("clipp(Name, 3)", "Did you mean clip?"),
        ("clip(Name)", "Its form is clip(value, most, end='…')"),
        ("Name.uper()", "Did you mean upper?"),
        ("options.due_day", "Did you mean due_days?"),
        ("options.fields.po", "Did you mean po_number?"),
        ("lambda x: x", "Lambda is not available"),
        ("Name.__class__", "__class__ is not available"),
        ("float(Amount)", "Use decimal(…)"),
        ("(1, ", "is no expression"),
        ("", "empty expression"),
        ("Name = 1", "is no expression"),
        ("(x := 1)", "NamedExpr is not available"),
        ("record.update({'a': 1})", "no method 'update'"),
        ("'a'.format(1)", "no method 'format'"),
        ("(text)(Name)(1)", "only functions by name"),
        ("x" * 2001, "longer than 2000"),
    ],
)
def test_a_mistake_is_found_at_load_and_says_what_was_meant(source: str, message: str) -> None:
    with pytest.raises(ExpressionMistake) as caught:
        compile_expression(source, Vocabulary({"due_days": 30, "fields": {"po_number": "PO__c"}}))
    assert message in f"{caught.value.problem} {caught.value.cure}"


def test_an_expression_cannot_change_the_record() -> None:
    record = {"Lines": [3, 1, 2], "Name": "a"}
    for source in ("Lines.append(4)", "Lines.sort()", "record.pop('Name')", "record.clear()"):
        with pytest.raises((ExpressionMistake, *FAILURES)):
            work_out(source, record)
    assert work_out("sorted(Lines)", record) == [1, 2, 3]
    assert record == {"Lines": [3, 1, 2], "Name": "a"}


def test_everything_the_sdk_offers_is_here_or_left_out_on_purpose() -> None:
    offered = set(CustomStreamMap.functions.fget(None)) | {"list", "tuple", "dict", "set"}  # type: ignore[attr-defined]
    assert offered - set(FUNCTIONS) - set(MODULES) == {"float", "rand", "randint"}
    assert {"rand", "randint"} <= IMPURE


def test_options_are_constants_and_config_is_their_other_name() -> None:
    assert work_out("options.days + config.days", options={"days": 4}) == 8


def test_a_name_bound_by_a_comprehension_hides_a_local_name_only_inside_it() -> None:
    vocabulary = Vocabulary({}, frozenset({"line"}))
    scope = Scope({"Lines": [1, 2], " line": 10}, {})
    assert compile_expression("[line for line in Lines] + [line]", vocabulary)(scope) == [1, 2, 10]


SCALARS = (
    None, True, False, -5, -1, 0, 1, 2, 5, Decimal("0.00"), Decimal("-2.50"), Decimal(1), Decimal("4.99"),
    "", "0", "x", "A", "é😀\n",
)  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        "A", "A.B", "A.upper()", "A.get('x', B)", "A[0]", "A[1:]", "record['A']", "record[A]", "record.A",
        "first(A, B)", "join('-', *[A, B])", "text(value=A)", "A or B", "A and B", "not A", "-A", "A if B else 1",
        "A == B", "A != B", "A < B", "1 < A < B", "A is None", "A in ['', 0]", "A not in [B]", "A + B", "A - B", "A * B",
        "A / B", "A // B", "A % B", "A ** 2", "[A, *[B]]", "(A, B)", "[x for x in A or []]",
        "[x.B for x in [record] if x.A]", "any(x == B for x in [A])", "f'{A}-{B}'", "f'{A:>5}'", "f''",
        "1 if True else A", "A or True or B", "False and A", "None is None and A", "1 == True", "1 is True",
    ],
)  # fmt: skip
def test_native_code_and_the_evaluator_give_the_same(source: str) -> None:
    expression = compile_expression(source, NOTHING)
    assert expression.code is not None, "it is left to the evaluator"
    evaluated = _slow(expression_tree(source), source)

    def outcome(work: Callable[[Scope], Any], a: Any, b: Any) -> Any:
        scope = Scope({"A": a, "B": b}, {})
        scope["record"] = {"A": a, "B": b}
        try:
            value = work(scope)
        except FAILURES as exc:
            return "failed", isinstance(exc, simpleeval.InvalidExpression)
        return type(value), repr(value)

    for a, b in itertools.product(SCALARS, repeat=2):
        assert outcome(expression.work, a, b) == outcome(evaluated, a, b), (a, b)


def expression_tree(source: str) -> ast.expr:
    """The checked tree, as the evaluator gets it."""
    return _Resolver(NOTHING).visit(ast.parse(f"({source})", mode="eval").body)


def test_a_plain_field_does_not_pass_through_the_evaluator(monkeypatch: pytest.MonkeyPatch) -> None:
    expressions = [
        compile_expression(source, NOTHING) for source in ("Name", "Account.Name", "clip(text(Name), 5)")
    ]
    monkeypatch.setattr(simpleeval.SimpleEval, "eval", None)
    scope = Scope({"Name": "Acme Ltd", "Account": {"Name": "B"}}, {})
    assert [expression(scope) for expression in expressions] == ["Acme Ltd", "B", "Acme…"]


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("text(Name)", {"Name"}),
        ("Account.Name or record['PO__c']", {"Account.Name", "PO__c"}),
        ("[l.Id for l in Lines if l.Id != Skip]", {"Lines", "Skip"}),
        ("options.x", set()),
    ],
)
def test_it_knows_which_fields_it_reads(source: str, fields: set[str]) -> None:
    assert compile_expression(source, Vocabulary({"x": 1})).reads == fields


def test_a_named_value_is_worked_out_once_for_a_record_and_seen_from_inside_a_list() -> None:
    calls: list[int] = []

    def work(scope: Scope) -> int:
        calls.append(1)
        return len(calls)

    outer = Scope({}, {" total": work})
    inner = [Scope({" line": index}, {}, outer) for index in range(3)]
    assert [scope[" total"] for scope in inner] == [1, 1, 1]
    assert calls == [1]
    assert inner[0]["Anything"] is None
