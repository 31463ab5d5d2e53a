"""The ``conegrad`` command: finds the sub-command, imports only what it needs, reports errors."""

import argparse
import importlib
import logging
import os
import select
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType, ModuleType
from typing import NamedTuple

from conegrad_bringup.option_parser import EXIT_USAGE, OptionParser, unknown_name

EXIT_ERROR, EXIT_INTERRUPTED, EXIT_BROKEN_PIPE, EXIT_TERMINATED = 1, 130, 141, 143


class Command(NamedTuple):
    """A sub-command: one line for people, and its module.

    The module has ``add_arguments(parser)``, ``run(options)`` and its settings, ``SETTINGS``.
    """

    summary: str
    module: str


COMMANDS = {
    "demo": Command("simulate a drive or take one, perceive it, evaluate it", "demo"),
    "simulate": Command("drive along a track and record it as a bag", "recording.simulate"),
    "sample": Command("make small drives with known faults to learn on", "recording.sample"),
    "drive": Command("drive a simulated car on perceived cones alone", "drive"),
    "world": Command("make a scene as a world for Gazebo or as a bag", "recording.world"),
    "import": Command("turn a folder of recordings into a bag", "recording.import_recording"),
    "look": Command("run the detector on pictures, show boxes and scores", "look"),
    "info": Command("describe a bag, and what perception lacks in it", "recording.info"),
    "doctor": Command("check an installation or a running graph", "doctor"),
    "perceive": Command("play a bag through the live graph and record the cones", "perceive"),
    "view": Command("see a bag or a running graph in a browser or in Foxglove", "view"),
    "pipeline": Command("show, draw, check and list pipelines of stages", "pipeline"),
    "system log": Command("record a system, name it in store and registry", "system.log"),
    "system list": Command("list recorded systems and their versions", "system.list"),
    "system show": Command("show a recorded system, draw its lineage", "system.show"),
    "system diff": Command("show what differs between two systems", "system.diff"),
    "system promote": Command("make a version the champion of its system", "system.promote"),
    "system rollback": Command("go back to the champion before", "system.rollback"),
    "system export": Command("write a recorded system to one file", "system.export"),
    "system import": Command("take a system from a file or the registry", "system.import_record"),
    "system parameters": Command("write the parameters of a car for a system", "system.parameters"),
    "system gate": Command("decide whether a new system may replace the old one", "system.gate"),
    "system verify": Command("compare every byte with the manifest", "system.verify"),
    "evaluate": Command(
        "compare the cones of a bag with the truth, write a report", "evaluation.evaluate"
    ),
    "monitor fit": Command("fit a monitor that detects frames unlike a training", "monitor.fit"),
    "monitor check": Command(
        "measure which frames of a drive are unlike a training", "monitor.check"
    ),
    "robustness": Command(
        "measure the F1 that a system keeps when disturbed", "evaluation.robustness"
    ),
    "attack": Command(
        "attack a system through images and scans, measure what it keeps", "evaluation.attack"
    ),
    "attribute": Command(
        "find the component that costs a system most, write a report", "evaluation.attribute"
    ),
    "align": Command(
        "place a surveyed map of cones in the odometry frame of a bag", "recording.align"
    ),
    "export": Command("write a system for OpenVINO or ONNX Runtime, compared", "export"),
    "train": Command("train all models through the fusion on recorded drives", "training.train"),
    "compare": Command(
        "compare the training patterns from one start, write a report", "training.compare"
    ),
    "cross": Command("evaluate every combination of versions of stages", "evaluation.cross"),
    "sweep": Command("search patterns and settings of a training, with Optuna", "training.sweep"),
    "forecast": Command("predict what training each part would gain", "training.forecast"),
    "train-camera": Command("train the cone detector alone", "training.train_camera"),
    "train-lidar": Command("train the scan segmenter alone", "training.train_lidar"),
    "train-keypoints": Command("train the keypoint network alone", "training.train_keypoints"),
    "train-colours": Command("train the colour classifier alone", "training.train_colours"),
}
# Of those whose 1 is an answer: the system is held, a fault was found, the drive is unlike.
ERROR_CODES = {command: EXIT_USAGE for command in ("system gate", "doctor", "monitor check")}
ROS_MODULES = ("rclpy", "ament_", "rosidl_", "builtin_interfaces")  # and all messages
WITH_GRAPH = ("demo", "drive", "perceive", "robustness")  # they start ROS nodes of their own


class _RepeatedMessageFilter(logging.Filter):
    """Lets each text pass once: a command opens the same bag several times."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: set[tuple[str, str]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the text was not shown yet."""
        shown = record.name, record.getMessage()
        is_new = shown not in self._shown
        self._shown.add(shown)
        return is_new or record.levelno < logging.WARNING


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``conegrad``.

    Returns:
        The exit code: 0 if all is well, 1 for an error that is explained in one line, 130 after
        Ctrl-C, 141 if nobody reads the output any more. Wrong usage exits with 2.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["help"]:  # as of git: 'help train'
        words = [*words[1:], "--help"]
    if not words:
        _main_parser().print_help(sys.stderr)
        return EXIT_USAGE
    parser = _main_parser()
    chosen = parser.parse_args(words)
    chosen.command, chosen.rest = _command_words(chosen.command, chosen.rest)
    if chosen.command not in COMMANDS:
        parser.error(f"command {chosen.command!r} {unknown_name(chosen.command, COMMANDS)}")
    level = logging.DEBUG if chosen.debug else logging.WARNING
    handler = logging.StreamHandler()
    handler.addFilter(_RepeatedMessageFilter())
    logging.basicConfig(level=level, format="%(levelname)s: %(message)s", handlers=[handler])
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, _terminate)
    if before[signal.SIGINT] is not signal.SIG_IGN:  # as in the background of a script
        signal.signal(signal.SIGINT, _Interrupt())
    try:
        return _run(chosen)
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _command_words(first: str, rest: list[str]) -> tuple[str, list[str]]:
    """Name of a command of one word or two, and the words after it.

    A group such as ``system`` without a command of it, or with ``--help``, lists its commands.
    """
    group = {name: command for name, command in COMMANDS.items() if name.startswith(f"{first} ")}
    if not group:
        return first, rest
    if not rest or rest[0] in ("-h", "--help"):
        print("\n".join([f"usage: conegrad {first} COMMAND ...", "", *_listed(group)]))
        raise SystemExit(0 if rest else EXIT_USAGE)
    return f"{first} {rest[0]}", rest[1:]


def _listed(commands: Mapping[str, Command]) -> list[str]:
    width = max(map(len, commands))
    return [f"  {name:<{width}}  {command.summary}" for name, command in commands.items()]


def _main_parser() -> argparse.ArgumentParser:
    lines = _listed(COMMANDS)
    parser = OptionParser(
        prog="conegrad",
        usage="conegrad [--debug] COMMAND ...",
        description="Traffic cones from camera and LiDAR: record, perceive, evaluate, train.",
        epilog="commands:\n"
        + "\n".join(lines)
        + "\n\n'conegrad COMMAND --help' lists the options of a command.",
    )
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="print the version")
    parser.add_argument("command", metavar="COMMAND", help="see below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _run(chosen: argparse.Namespace) -> int:
    try:
        module, options = _parsed(chosen)
        if options.print_config:
            title = f"Settings of 'conegrad {chosen.command}', for --config"
            print(module.SETTINGS.read(options).as_yaml(title), end="")
            return 0
        code = int(module.run(options) or 0)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return EXIT_INTERRUPTED
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _output_is_closed():
            return EXIT_BROKEN_PIPE
        if (module_name := _missing_of_ros(error)) and not chosen.debug:
            print(
                f"conegrad: 'conegrad {chosen.command}' needs ROS 2 and conegrad_msgs (there is no "
                f"{module_name}): source ROS 2 Jazzy and the built workspace, or run it in a clone "
                "after 'make setup build'",
                file=sys.stderr,
            )
            return ERROR_CODES.get(chosen.command, EXIT_ERROR)
        if chosen.debug or not _is_explained(error):
            print(getattr(error, "trace", ""), end="", file=sys.stderr)  # of a job elsewhere
            raise
        print(f"conegrad: {error}", file=sys.stderr)
        return ERROR_CODES.get(chosen.command, EXIT_ERROR)


def _parsed(chosen: argparse.Namespace) -> tuple[ModuleType, argparse.Namespace]:
    """The module of a sub-command, and its options."""
    if chosen.command in WITH_GRAPH:
        from conegrad_nodes.playback.this_machine import check_middleware

        check_middleware()  # ahead of rclpy, which ends the process without one
    module = importlib.import_module(f"conegrad_bringup.commands.{COMMANDS[chosen.command].module}")
    parser = OptionParser(
        prog=f"conegrad {chosen.command}",
        description=module.__doc__,
    )
    module.add_arguments(parser)
    if "--print-config" in chosen.rest:
        _make_optional(parser)
    return module, parser.parse_args(chosen.rest)


def _make_optional(parser: argparse.ArgumentParser) -> None:
    """Require no argument: settings are printed without input and output."""
    for action in parser._actions:
        action.required = False
        if not action.option_strings and action.nargs in (None, "+"):
            action.nargs = "*" if action.nargs else "?"


def _output_is_closed() -> bool:
    """Whether the reader of the output (``head``) is gone; what is left then goes nowhere."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)  # a pipe without reader reports POLLERR unasked
    if not poll.poll(0):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _missing_of_ros(error: Exception) -> str:
    """Name of a module of ROS that is not installed, as beside wheels from pip; empty if none."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return name if name.startswith(ROS_MODULES) or name.endswith("_msgs") else ""


def _is_explained(error: Exception) -> bool:
    """Whether the text of an error is meant for people, so that no traceback is needed."""
    from conegrad_core.camera.engines.engine import EngineError
    from conegrad_core.jobs.job import JobError
    from conegrad_data.errors import TrainingError
    from conegrad_nodes.playback.graph_process import GraphError

    if isinstance(error, JobError):
        return _is_explained(error.error)
    return isinstance(error, (ValueError, OSError, GraphError, EngineError, TrainingError))


class _ShowVersion(argparse.Action):
    """Print the version of the installed package, which is read for that alone."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"conegrad {version('conegrad_bringup')}")
        parser.exit()


class _Interrupt:
    """On Ctrl-C, leave in order; once more does not break that off, a third time does."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count != 2:
            raise KeyboardInterrupt
        os.write(2, b"stopping; Ctrl-C once more does not wait\n")  # print may be amid a line


def _terminate(number: int, frame: FrameType | None) -> None:
    """On SIGTERM, leave in order: child processes are stopped and bags are closed."""
    raise SystemExit(EXIT_TERMINATED)


if __name__ == "__main__":
    sys.exit(main())
