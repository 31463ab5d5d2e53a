"""Run the commands of the tutorials as they stand in the documents, in order.

    scripts/run.sh python scripts/check_tutorials.py [DOCUMENT...] [--keep FOLDER]

Each tutorial has a folder of its own. Trainings get fewer steps, the vehicle that ships stands for
the reader's, and nothing else is changed. Not run, and said so: what needs ROS from apt, a
container, or a package that is not installed. Ends with 1 where a command failed. The commands of
the other documents are parsed by `tests/bringup/test_documented_commands.py`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Tutorial:
    """A document whose commands are run.

    Attributes:
        prepare: shell lines that make what the reader brings along; ROOT is the checkout.
        sections: headings under which commands are run; empty: all.
    """

    prepare: tuple[str, ...]
    sections: tuple[str, ...] = ()


TUTORIALS = {
    "README.md": Tutorial(
        (
            "conegrad sample -o sample_files",
            "cp -r sample_files/clear drive",
            "cp sample_files/cones.csv .",
            'mkdir pictures && cp "$ROOT/docs/images/demo.png" pictures/',
        ),
        ("Your own pictures", "Your own bags", "Troubleshooting"),
    ),
    "docs/season.md": Tutorial(()),
    "docs/pipelines.md": Tutorial(
        (
            "conegrad simulate -o drive --track random --seed 7 --seconds 5",
            'cp "$ROOT/config/pipelines/camera_fork.yaml" my.yaml',
            'ln -s "$ROOT/examples" examples',
        ),
    ),
}
RUN = re.compile(r"^    ((?:conegrad|python) .*)$")
NOT_RUN = {  # why a line is left out
    r"^    (ros2|sudo|make|docker) ": "needs ROS from apt, root or a container",
    r"conegrad view |--view": "serves until Ctrl-C: tests/nodes/view_server runs it",
    r"exposure": "needs the example package installed: tests/examples runs it",
    r"conegrad simulate -o drive ": "done ahead of the tutorial",
}
SHORT = {"conegrad train ": "--steps 4 --batch 2 --evaluation-frames 6"}
ANSWERS = {  # exit codes that answer a question
    "conegrad monitor check": (0, 1),
    "conegrad system gate": (0, 1, 3),
    "conegrad doctor": (0, 1),
}


def commands(document: Path, sections: tuple[str, ...]) -> Iterator[str]:
    """Lines of the indented code blocks under the chosen headings."""
    heading = ""
    for line in re.sub(r"\\\n *", "", document.read_text()).splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("    ") and (not sections or heading in sections):
            yield line


def run(tutorial: str, folder: Path) -> list[str]:
    """Run a tutorial in an empty folder; the commands that failed."""
    failed = []
    settings = TUTORIALS[tutorial]
    for line in settings.prepare:
        subprocess.run(line, shell=True, cwd=folder, check=True, env=environment(folder))
    place = folder
    for line in commands(ROOT / tutorial, settings.sections):
        reason = next((why for pattern, why in NOT_RUN.items() if re.search(pattern, line)), None)
        if reason is not None:
            print(f"  not run ({reason}): {line.strip()}", flush=True)
            continue
        if not (match := RUN.match(line)):
            continue
        command = match[1].split(" #")[0].rstrip()
        command = command.replace("our_car.yaml", '"$ROOT/config/vehicles/formula_student.yaml"')
        extra = next((add for start, add in SHORT.items() if command.startswith(start)), "")
        started = time.monotonic()
        result = subprocess.run(
            f"{command} {extra}; code=$?; pwd >'{folder}/.place'; exit $code",
            shell=True,
            executable="/bin/bash",
            cwd=place,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        place = Path((folder / ".place").read_text().strip())
        allowed = next((codes for name, codes in ANSWERS.items() if command.startswith(name)), (0,))
        good = result.returncode in allowed
        print(
            f"  {'ok' if good else 'FAILED'} {time.monotonic() - started:5.0f} s  {command}",
            flush=True,
        )
        if not good:
            print(f"exit code {result.returncode}\n{result.stdout[-2000:]}{result.stderr[-3000:]}")
            failed.append(command)
    return failed


def environment(folder: Path) -> dict[str, str]:
    """That of this process, with records and tracked runs inside the folder."""
    return os.environ | {
        "ROOT": str(ROOT),
        "CONEGRAD_SYSTEMS": str(folder / "systems"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
    }


def main() -> int:
    """Run the tutorials that are named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("documents", nargs="*", default=list(TUTORIALS), metavar="DOCUMENT")
    parser.add_argument("--keep", type=Path, help="folder that stays, to look at what was made")
    options = parser.parse_args()
    failed: dict[str, list[str]] = {}
    for document in options.documents:
        if document not in TUTORIALS:
            parser.error(f"no tutorial {document!r}: expected one of {', '.join(TUTORIALS)}")
        folder = (
            Path(tempfile.mkdtemp()) if options.keep is None else options.keep / Path(document).stem
        )
        folder.mkdir(parents=True, exist_ok=True)
        print(document, flush=True)
        try:
            failed[document] = run(document, folder.resolve())
        finally:
            if options.keep is None:
                shutil.rmtree(folder)
    for document, lines in failed.items():
        print(f"{document}: {len(lines)} failed")
    return 1 if any(failed.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
