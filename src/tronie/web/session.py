"""/v1/session: a browser gives a token once and gets a cookie that no script can read."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tronie.web.credentials import COOKIE, LASTS
from tronie.web.documents import refuses
from tronie.web.records import SessionRequest
from tronie.web.refusals import Refused
from tronie.web.served import Service

router = APIRouter(tags=["session"])


@router.post(
    "/v1/session",
    operation_id="begin_session",
    status_code=204,
    openapi_extra={"x-open": True},
    responses=refuses(400, 401, 413),
)
async def begin(request: Request, asked: SessionRequest, service: Service) -> Response:
    """Let a browser in: its requests bear the cookie from now on, pictures and links too."""
    credentials = service.credentials
    if not credentials.needed:
        return Response(status_code=204)
    address = request.state.address
    if wait := credentials.locked(address):
        raise Refused(429, "There were too many wrong tokens; try again later.", wait=wait)
    cookie = credentials.cookie(asked.token)
    if cookie is None:
        credentials.was_wrong(address)
        raise Refused(401, "The token is wrong.", headers={"WWW-Authenticate": 'Bearer realm="tronie"'})
    response = Response(status_code=204)
    # Behind a proxy only the browser knows that it speaks HTTPS.
    secure = "https" in (request.url.scheme, request.headers.get("origin", "").partition(":")[0])
    response.set_cookie(COOKIE, cookie, max_age=LASTS, path="/", secure=secure, httponly=True, samesite="strict")
    return response


@router.delete("/v1/session", operation_id="end_session", status_code=204, openapi_extra={"x-open": True})
async def end() -> Response:
    """Forget the cookie."""
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response
