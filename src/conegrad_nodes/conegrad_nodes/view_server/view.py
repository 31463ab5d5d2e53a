"""The live view as a whole: what a run needs to be looked at."""

import contextlib
from collections.abc import Callable, Iterator

from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.settings import ViewConfig


def _print_at_once(line: str) -> None:
    print(line, flush=True)


@contextlib.contextmanager
def served(
    feed: ViewFeed, config: ViewConfig, tell: Callable[[str], None] = _print_at_once
) -> Iterator[ViewFeed]:
    """Serve a feed while the block runs.

    Args:
        feed: what is shown.
        config: where.
        tell: gets a line with each address.

    Raises:
        OSError: if a port cannot be had.
    """
    # Imported here: a run that nobody wants to look at does not load servers.
    from conegrad_nodes.view_server.foxglove_server import FoxgloveServer
    from conegrad_nodes.view_server.web_server import WebServer

    with contextlib.ExitStack() as stack:
        web = WebServer(feed, config.view_port, is_open=config.view_network, rate=config.view_rate)
        stack.enter_context(web)
        for_foxglove = FoxgloveServer(feed, config.foxglove_port, is_open=config.view_network)
        stack.enter_context(for_foxglove)
        tell(f"view: {web.address}; Foxglove: {for_foxglove.address}")
        yield feed
