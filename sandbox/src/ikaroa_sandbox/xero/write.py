"""PUT and POST: reads the body, saves element by element, and says what became of each.

`summarizeErrors` decides the answer. Its real default is true: one refused element makes the answer a 400 for all of
them (recorded). With `summarizeErrors=false` the answer is 200 and every element carries its own status.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from ikaroa_sandbox.core import Request, Response
from ikaroa_sandbox.xero import errors, params, reading, wire
from ikaroa_sandbox.xero.answers import envelope
from ikaroa_sandbox.xero.resource import Context, Element, Resource, Verb


@dataclass(frozen=True)
class Outcome:
    """What became of one element: its wire form, and why it was refused (empty: it was saved)."""

    element: Element
    warnings: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def many(request: Request, resource: Resource, ctx: Context) -> Response:
    """`PUT` or `POST /{Name}`.

    Raises:
        ValidationFailed: an element is refused and errors are summarised.
        WireError: the whole request is refused; the gateway undoes what was done so far.
    """
    params.check_write(resource, ctx)
    elements = elements_of(request, resource)
    if not resource.batch:
        del elements[1:]
    summarise = ctx.params.get("summarizeerrors", "true").lower() != "false"
    start = ctx.store.mark()
    outcomes = [_save(element, cast("Verb", request.method), resource, ctx) for element in elements]
    if not summarise:
        return envelope(resource, [_with_status(outcome, resource) for outcome in outcomes], ctx)
    refused = [_refusal(outcome, resource) for outcome in outcomes if outcome.refused]
    if refused:
        if ctx.variants["xero.write.summarised_400"] == "nothing_saved":
            ctx.store.rollback(start)
        raise errors.ValidationFailed(refused)
    return envelope(resource, [_with_warnings(outcome) for outcome in outcomes], ctx)


def one(request: Request, resource: Resource, ctx: Context) -> Response:
    """`POST /{Name}/{key}`: updates the row the path names; `summarizeErrors` does not exist here.

    Raises:
        ValidationFailed: the element is refused.
    """
    params.check_write(resource, ctx)
    element = elements_of(request, resource)[0]
    outcome = _save(element, "POST", resource, ctx)
    if outcome.refused:
        raise errors.ValidationFailed([_refusal(outcome, resource)])
    return envelope(resource, [_with_warnings(outcome)], ctx)


def elements_of(request: Request, resource: Resource) -> list[Element]:
    """The body's elements: `{"Contacts": […]}`, a bare list, or one bare object.

    Raises:
        NotSimulated: a form.
        PostDataInvalid: neither JSON nor XML, or something else than objects.
        NoDataProcessed: nothing in it.
    """
    body = found = reading.body_of(request)
    if isinstance(body, dict):
        inner = next((value for key, value in body.items() if key.lower() == resource.name.lower()), None)
        found = body if inner is None else inner
    if isinstance(found, dict):
        found = [found] if found else []
    if not found:
        raise errors.NoDataProcessed(resource.type_name)
    if not isinstance(found, list) or not all(isinstance(element, dict) for element in found):
        raise errors.PostDataInvalid(
            f"JSON request body could not be read, Error: {resource.name} must be a list of objects"
        )
    return cast("list[Element]", found)


def _save(element: Element, verb: Verb, resource: Resource, ctx: Context) -> Outcome:
    for name in resource.not_heeded:
        if element.get(name):
            raise errors.NotSimulated(f"{name} of {resource.type_name} in a write")
    mark = ctx.store.mark()
    ctx.warnings = []
    try:
        saved = resource.save(element, verb, ctx)
    except errors.ElementInvalid as refusal:
        ctx.store.rollback(mark)
        return Outcome(refusal.echo, (), tuple(refusal.messages))
    return Outcome(saved, tuple(ctx.warnings))


def _refusal(outcome: Outcome, resource: Resource) -> Element:
    return {
        **({resource.id_field: wire.ZERO_GUID} if resource.refused_id else {}),
        **outcome.element,
        resource.error_flag: True,
        "ValidationErrors": [{"Message": message} for message in outcome.refused],
    }


def _with_warnings(outcome: Outcome) -> Element:
    if not outcome.warnings:
        return outcome.element
    return {**outcome.element, "Warnings": [{"Message": message} for message in outcome.warnings]}


def _with_status(outcome: Outcome, resource: Resource) -> Element:
    if outcome.refused:
        return {**_refusal(outcome, resource), "StatusAttributeString": "ERROR"}
    status = "WARNING" if outcome.warnings else "OK"
    return {**_with_warnings(outcome), "StatusAttributeString": status}
