"""Programs of nodes, from their first moment on: imports of models take seconds."""

import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def program(module: str) -> Callable[[], None]:
    """Entry point that runs ``main`` of a module.

    Told to stop while the module is imported, it ends at once with exit code 0 and without a word:
    nothing has begun. Parameter files that ROS cannot read end it with exit code 1 and one line.

    Args:
        module: full name.
    """

    def start() -> None:
        for number in SIGNALS:
            signal.signal(number, _leave)
        from conegrad_nodes.parameters.parameter_files import check_arguments  # after the handlers

        try:
            check_arguments(sys.argv)
        except (ValueError, OSError) as error:
            raise SystemExit(str(error)) from error
        main = importlib.import_module(module).main
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with contextlib.suppress(KeyboardInterrupt):  # until main has handlers of its own
            main()

    return start


def _leave(number: int, frame: FrameType | None) -> None:
    # Not an exception: one amid an import comes out as another error, or not at all.
    os._exit(0)
