"""Several requests in one: `composite/batch` (independent) and `composite` (in order, referring to each other)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.salesforce import errors, limits, wire
from ikaroa_sandbox.salesforce.rest.call import Call

Inner = Callable[[Request], Response]
_REFERENCE = re.compile(r"@\{([^}]+)\}")
_HEAVY = re.compile(r"(?<!/jobs)/(?:query|queryAll|composite/sobjects)(?:[/?]|$)")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def _inner(call: Call, method: str, url: str, body: Any, headers: dict[str, str]) -> Request:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise errors.not_found() from None
    path = parts.path if parts.path.startswith("/services/") else f"/services/data/{parts.path.lstrip('/')}"
    payload = b"" if body is None else wire.dumps(body).encode("utf-8")
    merged = dict(call.request.headers.items()) | headers
    return Request(
        method.upper(),
        path,
        quote(parts.query, safe="=&%+,'()/:;@!*-._~"),
        type(call.request.headers)(merged),
        payload,
    )


def _list(body: dict[str, Any], key: str, most: int) -> list[dict[str, Any]]:
    found = body.get(key)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise errors.RecordError("INVALID_INPUT", f"{key} must be a list of requests")
    if len(found) > most:
        text = f"Maximum number of requests in {key} is {most}"
        raise errors.RecordError("LIMIT_EXCEEDED", text)
    return found


def _json_text(response: Response) -> Any:
    return wire.JsonText(response.body.decode("utf-8")) if response.body else None


def batch(call: Call, inner: Inner) -> Response:
    """POST composite/batch: up to 25 requests; with haltOnError the rest is not run after a failure."""
    call.params()
    body = call.json_object()
    halt = body.get("haltOnError") is True
    results: list[dict[str, Any]] = []
    failed = False
    halted = [
        {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per haltOnError flag"}
    ]
    effects: list[dict[str, Any]] = []
    for one in _list(body, "batchRequests", limits.COMPOSITE_MAX):
        if failed and halt:
            results.append({"statusCode": 412, "result": halted})
            continue
        request = _inner(
            call, str(one.get("method", "GET")), str(one.get("url", "")), one.get("richInput"), {}
        )
        response = inner(request)
        effects += response.effects
        failed = failed or response.status >= 400
        results.append({"statusCode": response.status, "result": _json_text(response)})
    answer = wire.json_response({"hasErrors": failed, "results": results})
    answer.effects = effects
    return answer


def composite(call: Call, inner: Inner) -> Response:
    """POST composite: up to 25 requests in order; `@{ref.path}` stands for a value of an earlier answer."""
    call.params()
    body = call.json_object()
    all_or_none = body.get("allOrNone") is True
    steps = _list(body, "compositeRequest", limits.COMPOSITE_MAX)
    _check_steps(steps)
    results: list[dict[str, Any]] = []
    effects: list[dict[str, Any]] = []
    with call.state.context.atomic() as work:
        answers: dict[str, bytes] = {}
        for step in steps:
            response = _step(call, inner, step, answers)
            effects += response.effects
            reference = str(step.get("referenceId", ""))
            if response.status < 400 and response.body:
                answers[reference] = response.body
            results.append(_result(response, reference))
            if all_or_none and response.status >= 400:
                work.undo = True
                break
    if work.undo:
        results, effects = _rolled_back(steps, results), []
    answer = wire.json_response({"compositeResponse": results})
    answer.effects = effects
    return answer


def _check_steps(steps: list[dict[str, Any]]) -> None:
    references = [str(step["referenceId"]) for step in steps if "referenceId" in step]
    if twice := next((name for name in references if references.count(name) > 1), None):
        raise errors.RecordError("INVALID_INPUT", f"Duplicate referenceId: {twice}")
    heavy = sum(bool(_HEAVY.search(str(step.get("url", "")))) for step in steps)
    if heavy > limits.COMPOSITE_HEAVY_MAX:
        text = (
            f"At most {limits.COMPOSITE_HEAVY_MAX} requests in compositeRequest may be queries or collections"
        )
        raise errors.RecordError("LIMIT_EXCEEDED", text)


def _result(response: Response, reference: str) -> dict[str, Any]:
    headers = {name: value for name, value in response.headers.items() if name == "Location"}
    body = _json_text(response)
    return {"body": body, "httpHeaders": headers, "httpStatusCode": response.status, "referenceId": reference}


def _rolled_back(steps: list[dict[str, Any]], results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    message = "The transaction was rolled back since another operation in the same transaction failed."
    halted = [{"errorCode": "PROCESSING_HALTED", "message": message}]
    failed = results[-1]
    return [
        failed
        if number == len(results) - 1
        else {
            "body": halted,
            "httpHeaders": {},
            "httpStatusCode": 400,
            "referenceId": str(step.get("referenceId", "")),
        }
        for number, step in enumerate(steps)
    ]


def _step(call: Call, inner: Inner, step: dict[str, Any], answers: dict[str, bytes]) -> Response:
    try:
        url = str(_resolve(str(step.get("url", "")), answers))
        body = _resolve(step.get("body"), answers)
    except errors.SalesforceError as error:
        return error.response()
    return _run(call, inner, step, url, body)


def _run(call: Call, inner: Inner, one: dict[str, Any], url: Any, body: Any) -> Response:
    """Sends one of the requests through the same door as those that come alone."""
    given = one.get("httpHeaders")
    headers = {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    try:
        return inner(_inner(call, str(one.get("method", "GET")), str(url), body, headers))
    except errors.SalesforceError as error:
        return error.response()


def _resolve(value: Any, answers: dict[str, bytes]) -> Any:
    if isinstance(value, dict):
        return {key: _resolve(item, answers) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, answers) for item in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _look_up(whole[1], answers)
    return _REFERENCE.sub(lambda match: str(_look_up(match[1], answers)), value)


def _look_up(path: str, answers: dict[str, bytes]) -> Any:
    steps = _STEP.findall(path)
    try:
        value: Any = json.loads(answers[steps[0][0]], parse_float=Decimal)
        for name, index in steps[1:]:
            value = value[int(index)] if index else value[name]
    except (KeyError, IndexError, TypeError, ValueError):
        text = f"Invalid reference specified. No value for {path} found"
        raise errors.RecordError("PROCESSING_HALTED", text) from None
    return value
