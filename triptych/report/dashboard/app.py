"""What answers a browser: GET alone, on this machine alone, with headers that let no script in but the page's own."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from importlib import resources
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triptych.report.dashboard.live import Live, UnknownRunError
from triptych.report.html import TEMPLATES, VENDOR
from triptych.utils.checks import InputError

STATIC = resources.files("triptych.report.dashboard") / "static"
# Another page that has its own name lead here (DNS rebinding) sends that name.
HOSTS = ("127.0.0.1", "localhost")
HEADERS = {
    # Plotly writes its styles into the page; scripts come from files of ours alone.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
JAVASCRIPT, CSS, HTML = "text/javascript", "text/css", "text/html"
FILES = {
    "/": (STATIC / "page.html", HTML),
    "/page.css": (TEMPLATES / "page.css", CSS),
    "/dashboard.css": (STATIC / "dashboard.css", CSS),
    "/chart.js": (TEMPLATES / "chart.js", JAVASCRIPT),
}
PLOTLY = VENDOR / "plotly-basic.min.js.gz"


def app_of(live: Live) -> Starlette:
    """The application over a folder of runs."""

    def asked(answer: Callable[[Any], Any]) -> Callable[[Request], Response]:
        """A route that answers with JSON."""

        def route(request: Request) -> Response:  # no coroutine: Starlette calls it in a thread of its own
            try:
                content = msgspec.json.encode(answer(request.query_params))
            except UnknownRunError as error:
                raise HTTPException(404, f"there is no {error}") from None
            except (InputError, ValueError) as error:
                raise HTTPException(400, str(error)) from None
            return Response(content, media_type="application/json", headers={"cache-control": "no-store"})

        return route

    def film(request: Request) -> Response:
        asked = request.query_params
        try:
            return FileResponse(live.film(asked.get("run", ""), asked.get("file", "")), media_type="video/mp4")
        except UnknownRunError as error:
            raise HTTPException(404, f"there is no {error}") from None

    answers: dict[str, Callable[[Any], Any]] = {
        "/about": lambda given: live.about(),
        "/runs": lambda given: live.runs(),
        "/run": lambda given: live.run(given.get("run", "")),
        "/now": lambda given: live.now(given.get("run", "")),
        "/curves": lambda given: curves(live, given),
        "/means": lambda given: means(live, given),
    }
    packed = [Route(path, asked(answer)) for path, answer in answers.items()]
    scripts = {f"/{file.name}": (file, JAVASCRIPT) for file in STATIC.iterdir() if file.name.endswith(".js")}
    files = [Route(path, file_route(*found)) for path, found in (FILES | scripts).items()]
    gzip = [
        Middleware(GZipMiddleware, minimum_size=800, compresslevel=4)
    ]  # not of films, which a browser reads in pieces
    return Starlette(
        routes=[
            Mount("/api", routes=packed, middleware=gzip),
            Route("/film", film),
            Route("/plotly.js", chart_library),
            Mount("/", routes=files, middleware=gzip),
        ],
        middleware=[
            Middleware(Guarded),
            Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False),
        ],
    )


def curves(live: Live, given: Any) -> dict[str, Any]:
    return live.curves(
        given.getlist("run"),
        given.getlist("version"),
        given.get("column", ""),
        given.get("axis", "steps"),
        number(given.get("smooth", "1"), "smooth"),
        number(given.get("points", "600"), "points"),
    )


def means(live: Live, given: Any) -> dict[str, Any]:
    known = dict(zip(given.getlist("known"), given.getlist("version"), strict=False))
    smooth = number(given.get("smooth", "1"), "smooth")
    return live.means(
        given.getlist("run"),
        known,
        given.get("column", ""),
        given.get("axis", "steps"),
        smooth,
        number(given.get("points", "200"), "points"),
    )


def number(text: str, name: str) -> int:
    value = float(text)
    if not (math.isfinite(value) and value >= 1):
        raise InputError(f"{name} is {text!r}; allowed: 1 or more")
    return int(value)


def file_route(file: Any, kind: str) -> Callable[[Request], Response]:
    content = file.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'

    def route(request: Request) -> Response:
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)

    return route


def chart_library(request: Request) -> Response:
    """plotly.js as it lies here, compressed: every browser unpacks it."""
    headers = {"content-encoding": "gzip", "cache-control": "max-age=86400"}
    return Response(PLOTLY.read_bytes(), media_type=JAVASCRIPT, headers=headers)


class Guarded:
    """Puts the headers on every answer, those of errors too."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
