"""The web page of the live view: static files, and the newest state and picture on request.

A client asks for the next state once it has the last one, so that a slow one gets fewer of them
and nothing is queued for it.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from conegrad_nodes.view_server.camera_picture import CameraPictures
from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.page_state import PageState

LOOPBACK, ANY_ADDRESS = "127.0.0.1", "0.0.0.0"
# Names of this machine: a page of another site that points its own name here gets nothing.
OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
POLL = 0.02  # [s] between two looks for news while a client waits
LONGEST_WAIT = 2.0  # [s] that a client waits: ages and silences change without news
STOP_TIMEOUT = 2  # [s] for answers under way at the end
PAGE = Path(__file__).parent / "page"
FILES = {"/": "index.html", "/view.css": "view.css", "/view.js": "view.js"}
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
MOST_DIGITS = 18  # of a number in a request
NUMBER = "X-Number"  # header: of the newest change that is in an answer

Answer = Callable[[Request], Awaitable[Response]]


class WebServer:
    """Serves the page in a thread of its own; use it in a ``with`` statement.

    Attributes:
        address: of the page, such as ``http://127.0.0.1:8766``.
    """

    def __init__(
        self, feed: ViewFeed, port: int, *, is_open: bool = False, rate: float = 10.0
    ) -> None:
        """Take the port.

        Args:
            feed: what is shown.
            port: of the page; 0 takes a free one.
            is_open: serve other machines as well.
            rate: most states and pictures per second for a client.

        Raises:
            OSError: if the port cannot be had; names it.
        """
        self._feed, self._period = feed, 1.0 / rate
        self._state, self._pictures = PageState(feed), CameraPictures(feed)
        self._socket = _listening(ANY_ADDRESS if is_open else LOOPBACK, port)
        name = socket.gethostname() if is_open else LOOPBACK
        self.address = f"http://{name}:{self._socket.getsockname()[1]}"
        guards = [] if is_open else [Middleware(TrustedHostMiddleware, allowed_hosts=OWN_NAMES)]
        routes = [Route(path, _file(PAGE / name)) for path, name in FILES.items()]
        routes += [
            Route("/state.json", self._answer_state),
            Route("/camera.jpg", self._answer_picture),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes, middleware=guards),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=STOP_TIMEOUT,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="web view", daemon=True
        )

    def __enter__(self) -> "WebServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(2 * STOP_TIMEOUT)
        self._socket.close()

    async def _answer_state(self, request: Request) -> Response:
        after = self._after(request)
        if isinstance(after, Response):
            return after
        await self._wait_for_news(after, lambda: self._feed.number)
        number, content = await run_in_threadpool(self._state.newest)
        headers = {**HEADERS, NUMBER: str(number)}
        return Response(content, media_type="application/json", headers=headers)

    async def _answer_picture(self, request: Request) -> Response:
        after = self._after(request)
        if isinstance(after, Response):
            return after
        await self._wait_for_news(after, self._pictures.number)
        picture = await run_in_threadpool(self._pictures.newest)
        if picture is None or picture.number <= after:
            return Response(status_code=204, headers=HEADERS)
        headers = {**HEADERS, NUMBER: str(picture.number)}
        if picture.fault:
            return PlainTextResponse(picture.fault, status_code=415, headers=headers)
        if picture.boxes is not None:
            headers["X-Boxes"] = str(picture.boxes)
        return Response(picture.jpeg, media_type="image/jpeg", headers=headers)

    def _after(self, request: Request) -> int | Response:
        """Number of the change that a client has, or the refusal of its request."""
        text = request.query_params.get("after", "0")
        if not (text.isascii() and text.isdigit() and len(text) < MOST_DIGITS):
            fault = f"after is {text[:MOST_DIGITS]!r}, expected the number of a change"
            return PlainTextResponse(fault, status_code=400, headers=HEADERS)
        # A later number is that of an earlier run on the same port.
        return int(text) if int(text) <= self._feed.number else 0

    async def _wait_for_news(self, after: int, number: Callable[[], int]) -> None:
        """Wait for a change after the one that the client has; at least the shortest period."""
        self._feed.look()
        if not after:
            return
        end = time.monotonic() + LONGEST_WAIT
        await asyncio.sleep(self._period)
        while number() <= after and time.monotonic() < end and not self._server.should_exit:
            self._feed.look()
            await asyncio.sleep(POLL)
        self._feed.look()


def _file(path: Path) -> Answer:
    async def answer(request: Request) -> Response:
        return FileResponse(path, media_type=TYPES[path.suffix], headers=HEADERS)

    return answer


def _listening(host: str, port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen()
    except OSError as error:
        found.close()
        fault = f"port {port} of {host} cannot be had ({error.strerror})"
        raise OSError(
            f"{fault}: choose another one with --view-port, 0 takes a free one"
        ) from error
    return found
