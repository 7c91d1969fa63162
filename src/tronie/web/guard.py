"""What every request passes before it reaches a route, and every answer on its way out.

A page elsewhere must not be able to do or see anything, whether it sends the browser here or has its own name point
here (DNS rebinding): so the name that was asked for is checked, and where the request comes from. Then who asks, how
often, and how much. Pure ASGI, so that streams stay streams.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tronie.runtime.logs import logger
from tronie.service.config import MEGA, ServiceConfig
from tronie.web.bodies import Body
from tronie.web.credentials import COOKIE, Credentials
from tronie.web.rates import Rate
from tronie.web.refusals import SENTENCES, Refused, refusal

log = logger(__name__)

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
HEADERS_MOST = 32_768
"""Bytes of all headers together."""
BODY_MOST = 65_536
"""Bytes of a body that holds no files."""
FORM = 1 * MEGA
"""Bytes of a form beside its files."""

OPEN = frozenset(("/", "/healthz", "/readyz", "/v1/info", "/v1/session", "/favicon.ico"))
"""What needs no token: the page has to ask for one, and whoever watches over the service is told yes or no. All else
does, /metrics and /openapi.json too."""
OPEN_BELOW = ("/page/", "/viewer/")
UNCOUNTED = frozenset(("/healthz", "/readyz"))

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
}
"""On every answer."""
UNLESS_SET = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
    ),
}
"""On those that say nothing else themselves."""
Observe = Callable[[Scope, int, float], None]
"""Told of every answer: what was asked, the status, seconds until it began."""


class Guard:
    """Refuses, or lets through with `scope["state"]["client"]`: whose request it is."""

    def __init__(self, app: ASGIApp, config: ServiceConfig, credentials: Credentials, observe: Observe) -> None:
        self.app, self.config, self.credentials, self.observe = app, config, credentials, observe
        self.names = {"localhost", "127.0.0.1", "::1", *(name.lower().strip("[]") for name in config.names)}
        if config.host not in ("", "0.0.0.0", "::"):
            self.names.add(config.host.lower())
        self.requests, self.uploads = Rate(config.requests_per_minute), Rate(config.uploads_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, started = time.perf_counter(), False

        async def out(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(ALWAYS)
                for name, value in UNLESS_SET.items():
                    headers.setdefault(name, value)
                self.observe(scope, message["status"], time.perf_counter() - began)
            await send(message)

        try:
            body = self._admit(scope, Headers(scope=scope), receive)
            await self.app(scope, body, out)
        except Refused as error:
            if started:
                raise
            await refusal(error.status, error.sentence, error.headers)(scope, receive, out)
        except Exception:
            log.exception("%s %s", scope["method"], scope["path"])
            if started:
                raise
            await refusal(500, SENTENCES[500])(scope, receive, out)

    def _admit(self, scope: Scope, headers: Headers, receive: Receive) -> Body:
        """The request's body, if the request may pass. Raises Refused."""
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADERS_MOST:
            raise Refused(431, "The headers of the request are too long.")
        host = self._check_host(scope, headers)
        _check_origin(scope, headers, host)
        client = self._client(scope, headers)
        self._check_rates(scope, client)
        upload = scope["method"] == "POST" and scope["path"] == "/v1/jobs"
        return Body(receive, headers, self.config.max_bytes, FORM) if upload else Body(receive, headers, BODY_MOST)

    def _check_host(self, scope: Scope, headers: Headers) -> str:
        """The one Host header, with a name that is ours."""
        hosts = headers.getlist("host")
        name = _name(hosts[0]) if len(hosts) == 1 else None
        # An address that the connection did reach is nobody else's: names alone can be made to point anywhere.
        server = scope.get("server")
        address = None if name is None else _address(name)
        ours = address is not None and (address.is_loopback or (server is not None and name == server[0]))
        if not (ours or name in self.names):
            raise Refused(403, "The service is not known by this name; --name tells it of names of its own.")
        return hosts[0].lower()

    def _client(self, scope: Scope, headers: Headers) -> str:
        """Whose request it is; also left in the scope. Raises Refused for one that needs a token and has none."""
        address = f"address:{_network(scope['client'][0]) if scope.get('client') else 'unknown'}"
        state = scope.setdefault("state", {})
        state["signed_in"] = False
        state["client"] = state["address"] = address
        if not self.credentials.needed:
            return address
        found, given = None, None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme:
            given = token.strip()
        cookie = _cookie(headers)
        if given is not None and (wait := self.credentials.locked(address)):
            raise Refused(429, "There were too many wrong tokens; try again later.", wait=wait)
        if given is not None:
            found = self.credentials.by_token(given) if scheme.lower() == "bearer" else None
        elif cookie:
            found = self.credentials.by_cookie(cookie)
        if found is not None:
            state["signed_in"] = True
            state["client"] = found
            return found
        if given is not None:
            self.credentials.was_wrong(address)
        path = scope["path"]
        if path in OPEN or path.startswith(OPEN_BELOW):
            return address
        sentence = "The token is wrong." if given is not None else "The service wants a token."
        raise Refused(401, sentence, headers={"WWW-Authenticate": 'Bearer realm="tronie"'})

    def _check_rates(self, scope: Scope, client: str) -> None:
        if scope["path"] in UNCOUNTED:
            return
        if wait := self.requests.take(client):
            raise Refused(429, "There were too many requests; try again later.", wait=wait)
        if scope["method"] == "POST" and scope["path"] == "/v1/jobs" and (wait := self.uploads.take(client)):
            raise Refused(429, "There were too many uploads; try again later.", wait=wait)


def _name(host: str) -> str | None:
    """A Host header without its port; None for one that is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and "@" not in host and not parts.path else None


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _network(name: str) -> str:
    """An address; of IPv6 what one connection has of them, which is a whole network."""
    address = _address(name)
    if address is None or address.version == 4 or address.is_loopback:
        return name
    return str(ipaddress.ip_network((address, 64), strict=False))


def _check_origin(scope: Scope, headers: Headers, host: str) -> None:
    """Refuse what another page has the browser ask. Programs send neither of these headers."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    own = site in (None, "same-origin", "none")
    if origin == "null":
        # A page that sends no referrer may send this in place of its own origin; the browser then vouches for it.
        own = site == "same-origin"
    elif origin is not None:
        own = own and _is_of(origin, host)
    if own:
        return
    link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    if link and origin is None and scope["method"] in SAFE and scope["path"] == "/":
        return
    raise Refused(403, "Pages of other sites may not use the service.")


def _is_of(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host and not (parts.path or parts.query)


def _cookie(headers: Headers) -> str | None:
    for line in headers.getlist("cookie"):
        for part in line.split(";"):
            name, _, value = part.strip().partition("=")
            if name == COOKIE:
                return value
    return None
