"""Who is signed in: the identity URL (`/id/<org>/<user>`, named by every token answer) and `/services/oauth2/userinfo`."""

from __future__ import annotations

from typing import Any

from ikaroa_sandbox.core import Headers, Request, Response
from ikaroa_sandbox.salesforce import errors, wire
from ikaroa_sandbox.salesforce.oauth import identity_url
from ikaroa_sandbox.salesforce.state import State


def answer(state: State, request: Request, parts: list[str]) -> Response:
    """GET /id/<org>/<user>, with the token in the header or as `oauth_token`."""
    params = dict(request.params())
    if request.method != "GET" or params.get("format", "json") != "json":
        raise errors.NotSimulatedError(f"{request.method} {request.path}?{request.query}")
    token = params.get("oauth_token")
    asked = request
    if token:
        asked = Request("GET", request.path, headers=Headers({"Authorization": f"Bearer {token}"}))
    elif "Authorization" not in request.headers:
        return _refusal(403, "Missing_OAuth_Token")
    try:
        state.tokens.check(asked, state.world.clock.now())
    except errors.SessionError:
        return _refusal(403, "Bad_OAuth_Token")
    if parts != [state.org_id, state.context.user_id]:
        return _refusal(404, "Bad_Id")
    user = _user(state)
    base_url = request.base_url
    return wire.json_response(
        {
            "id": identity_url(base_url, state.org_id, state.context.user_id),
            "asserted_user": True,
            "user_id": state.context.user_id,
            "organization_id": state.org_id,
            "username": user.get("Username"),
            "nick_name": user.get("Alias"),
            "display_name": user.get("Name"),
            "email": user.get("Email"),
            "email_verified": True,
            "first_name": user.get("FirstName"),
            "last_name": user.get("LastName"),
            "timezone": user.get("TimeZoneSidKey"),
            "active": True,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": user.get("LocaleSidKey"),
            "last_modified_date": wire.wire_time(str(user.get("SystemModstamp"))),
            "urls": _urls(base_url),
        }
    )


def user_info(state: State, base_url: str) -> dict[str, Any]:
    """GET /services/oauth2/userinfo."""
    user = _user(state)
    return {
        "sub": identity_url(base_url, state.org_id, state.context.user_id),
        "user_id": state.context.user_id,
        "organization_id": state.org_id,
        "preferred_username": user.get("Username"),
        "nickname": user.get("Alias"),
        "name": user.get("Name"),
        "email": user.get("Email"),
        "email_verified": True,
        "given_name": user.get("FirstName"),
        "family_name": user.get("LastName"),
        "zoneinfo": user.get("TimeZoneSidKey"),
        "locale": user.get("LocaleSidKey"),
        "active": True,
        "updated_at": wire.wire_time(str(user.get("SystemModstamp"))),
        "urls": _urls(base_url),
    }


def _user(state: State) -> dict[str, Any]:
    return state.db.get(state.org.full["User"], state.context.user_id) or {}


def _urls(base_url: str) -> dict[str, str]:
    return {
        "rest": f"{base_url}/services/data/v{{version}}/",
        "sobjects": f"{base_url}/services/data/v{{version}}/sobjects/",
        "query": f"{base_url}/services/data/v{{version}}/query/",
    }


def _refusal(status: int, text: str) -> Response:
    return Response(status, {"Content-Type": "text/html;charset=UTF-8"}, text.encode())
