"""The server of the page: four routes, on this machine alone, and nothing taken on trust."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pullback.web.assets import asset, assets
from pullback.web.limits import MOST_BODY, Limits
from pullback.web.page import chosen_language, page
from pullback.web.pool import Pool, refused

HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
POLICY = "; ".join((
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
))  # fmt: skip
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_STATUS = {"busy": 503, "time": 200, "memory": 200, "deep": 200, "ended": 200, "large": 200, "fault": 200}


class Guard:
    """Refuses other hosts and other sites, and puts the headers of the policy on every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a refusal."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *extra]
            await send(message)

        request = Request(scope)
        refusal = _refusal(request)
        if refusal is not None:
            await refusal(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)


def _refusal(request: Request) -> Response | None:
    """Why a request is not let through: a name of this machine that a stranger gave it, or another site."""
    host = request.headers.get("host", "")
    name = (urlsplit(f"//{host}").hostname or "").lower() if host else ""
    if name not in HOSTS:
        return PlainTextResponse("this server answers on localhost only", 421)
    if request.method not in ("GET", "HEAD", "POST"):
        return PlainTextResponse("not allowed", 405)
    if request.method == "POST":
        site = request.headers.get("sec-fetch-site")
        if site not in (None, "same-origin", "none"):
            return PlainTextResponse("another site may not ask", 403)
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return PlainTextResponse("another site may not ask", 403)
    return None


def make_app(limits: Limits | None = None, ready: Callable[[], None] | None = None) -> Starlette:
    """Make the application; its workers start with it and end with it, and ``ready`` is called between."""
    pool = Pool(limits)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await pool.start()
        if ready is not None:
            ready()
        try:
            yield
        finally:
            await pool.stop()

    routes = [
        Route("/", _page, methods=["GET"]),
        Route("/favicon.ico", _icon, methods=["GET"]),
        Route("/static/{name}", _static, methods=["GET"]),
        Route("/api/derive", _derive(pool), methods=["POST"]),
    ]
    middleware = [Middleware(Guard), Middleware(GZipMiddleware, minimum_size=1024)]
    app = Starlette(routes=routes, lifespan=lifespan, middleware=middleware)
    app.state.pool = pool
    return app


async def _page(request: Request) -> Response:
    lang = chosen_language(request.headers.get("accept-language", ""))
    headers = {"cache-control": "no-cache", "vary": "accept-language"}
    return Response(page(lang), media_type="text/html; charset=utf-8", headers=headers)


async def _icon(request: Request) -> Response:
    return _kept(asset("icon.svg").name)


async def _static(request: Request) -> Response:
    return _kept(request.path_params["name"])


def _kept(name: str) -> Response:
    found = assets().get(name)
    if found is None:
        return PlainTextResponse("there is no such file", 404)
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(found.data, media_type=found.kind, headers=headers)


def _derive(pool: Pool) -> Callable[[Request], Awaitable[Response]]:
    async def derive(request: Request) -> Response:
        start = perf_counter()
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            return PlainTextResponse("a question is JSON", 415)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return _json(refused("body", most=MOST_BODY)[0], 413)
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return _json(refused("json")[0], 400)
        data, reason = await pool.ask(document)
        response = _json(data, _STATUS.get(reason, 200))
        response.headers["server-timing"] = f"derive;dur={(perf_counter() - start) * 1000:.1f}"
        if response.status_code == 503:
            response.headers["retry-after"] = "2"
        return response

    return derive


async def _body(request: Request) -> bytes | None:
    """Read the body; None where it is too long, of which no more is read than that."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > MOST_BODY:
        return None
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BODY:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _json(data: bytes, status: int = 200) -> Response:
    return Response(data, status, {"cache-control": "no-store"}, "application/json")
