"""Faults of the stamps of one sensor, live over DDS: are they reported, and does the rest go on?

``python benchmarks/stamp_faults.py`` starts the perception with tiny networks, sends images at
10 Hz, scans at 20 Hz and odometry at 50 Hz, and gives one sensor after the other each fault for
2 s. Within 1 s of the first message that a fault changes, a status of /diagnostics has to name the
input or the pairing; no second may pass without cones; within 1 s of its end cones of both sensors
have to come again. It prints a table; exit code 1 where a limit is missed. The same faults in
simulated time: ``tests/nodes/test_stamp_faults.py``.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from fuzz_graph import perception
from sane_outputs import OutputCheck
from stamp_fault_kinds import FAULTS as KINDS
from stamp_fault_kinds import has_no_stamp
from stamped_graph import PERIODS, StampedGraph

LIMIT = 1.0  # [s]
SECONDS = 2.0  # of each fault
FAULTS = {**KINDS, "has no stamp": has_no_stamp(time.time())}
CHOSEN = (
    "stops",
    "slows down to 1 Hz",
    "doubles",
    "freezes",
    "comes 0.6 s late",
    "is 0.4 s ahead",
    "is 37 s ahead",
    "jumps 2 s back now and then",
    "loops over 1 s",
)


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=CHOSEN, choices=list(FAULTS), metavar="FAULT")
    parser.add_argument("--all", action="store_true", help=f"all {len(FAULTS)} faults")
    parser.add_argument("--sensors", nargs="+", default=list(PERIODS), choices=list(PERIODS))
    parser.add_argument("--limit", type=float, default=LIMIT, help="of each time [s]")
    return parser.parse_args()


def main() -> int:
    """Try the faults, sensor by sensor."""
    chosen, missed, check = options(), [], OutputCheck()
    print("| sensor | fault | reported after [s] | by | longest silence [s] | recovery [s] |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        target = perception(Path(folder), "image_raw", "scan")
        with StampedGraph(target, check) as graph:
            for sensor in chosen.sensors:
                for name in FAULTS if chosen.all else chosen.only:
                    before = graph.complaints()
                    if before:
                        missed.append(f"{sensor} {name}: complaints before: {', '.join(before)}")
                    out = graph.outcome(sensor, FAULTS[name], SECONDS)
                    print(
                        f"| {sensor} | {name} | {out.told:.2f} | {out.teller} | "
                        f"{out.silence:.2f} | {out.recovery:.2f} |",
                        flush=True,
                    )
                    times = {"reported": out.told, "silence": out.silence, "recovery": out.recovery}
                    missed += [
                        f"{sensor} {name}: {what} {seconds:.2f} s"
                        for what, seconds in times.items()
                        if seconds > chosen.limit
                    ]
    missed += [f"{text} ({count} times)" for text, count in check.faults.items()]
    print("\n".join(missed) or "no limit missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
