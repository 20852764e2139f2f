"""Salesforce's own words for what goes wrong on its side."""

from __future__ import annotations

from ikaroa_sandbox.core import Response
from ikaroa_sandbox.salesforce import errors, limits, wire

_HTML = "text/html;charset=UTF-8"
_DOWN = (
    b"<html><head><title>We are down for maintenance.</title></head>"
    b"<body><h1>Sorry, Salesforce is temporarily unavailable.</h1></body></html>"
)
_UNEXPECTED = (
    "An unexpected error occurred. Please include this ErrorId if you contact support: 1122334455-12345 (-1)"
)
_SOAP_FAULT = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com">'
    "<soapenv:Body><soapenv:Fault><faultcode>{code}</faultcode><faultstring>{code}: {text}</faultstring>"
    "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)
_ERRORS: dict[str, tuple[int, str, str]] = {
    "500": (500, "UNKNOWN_EXCEPTION", _UNEXPECTED),
    "503": (503, "SERVER_UNAVAILABLE", "The server is temporarily unavailable. Please try again later."),
    "429": (429, "REQUEST_LIMIT_EXCEEDED", "Too many requests. Please try again later."),
    "429_minute": (429, "REQUEST_LIMIT_EXCEEDED", "Too many requests. Please try again later."),
    "429_day": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "429_concurrent": (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    ),
    "query_timeout": (400, "QUERY_TIMEOUT", "Your query request was running for too long."),
    "invalid_locator": (400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
    "lock": (400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
    "locator_expired": (400, "INVALID_LOCATOR", "Invalid locator"),
    "results_gone": (404, "NOT_FOUND", "The results of this job have expired"),
    "401": (401, "INVALID_SESSION_ID", "Session expired or invalid"),
    "401_jwt": (401, "INVALID_AUTH_HEADER", "INVALID_JWT_FORMAT"),
    "api_disabled": (403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."),
}
_PAGES = {"502": (502, _DOWN), "504": (504, _DOWN), "html": (503, _DOWN), "maintenance": (200, _DOWN)}
_EMPTY = {"406": 406, "420": 420}

KINDS = (*_ERRORS, *_PAGES, *_EMPTY)


def response(kind: str) -> Response | None:
    """The answer of a named fault, or None."""
    if kind in _ERRORS:
        status, code, text = _ERRORS[kind]
        return errors.SalesforceError(code, text, status=status).response()
    if kind in _PAGES:
        status, page = _PAGES[kind]
        return Response(status, {"Content-Type": _HTML}, page)
    if kind in _EMPTY:
        return wire.empty_response(_EMPTY[kind])
    return None


def soap_refusal(version: str = "") -> Response:
    """SOAP login is off, as in every new org; a retired version (`30.0`) is refused as such."""
    code, text = "INVALID_OPERATION", "SOAP API login() is disabled by default in this org."
    number = version.partition(".")[0]
    if number.isdecimal() and int(number) < limits.API_VERSION_OLDEST:
        code, text = "UNSUPPORTED_API_VERSION", f"Invalid Api version specified on URL: {version}"
    body = _SOAP_FAULT.format(code=code, text=text)
    return Response(500, {"Content-Type": "text/xml;charset=UTF-8"}, body.encode("utf-8"))
