"""Odd messages to every input of every node, live over DDS.

``python benchmarks/fuzz_nodes.py [--messages 10000] [--seed 0] [--only scan odom]`` sends each
input as many valid messages with odd values, lengths and types, and bytes that are none. No process
may end, no output be NaN, in a wrong frame or with a covariance that is none, valid messages have
to give results again, and memory has to stay flat. It prints a table; exit code 1 for any fault.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from fuzz_graph import FuzzedGraph, driver, perception
from sane_outputs import OutputCheck

RECOVERY = 1.0  # [s], longest time until valid messages give results again
GROWTH = 100.0  # [MB] of a process under the odd messages of one input


def main() -> int:
    """Fuzz the inputs, process by process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[], help="topics")
    parser.add_argument("--recovery", type=float, default=RECOVERY, help="longest recovery [s]")
    options = parser.parse_args()
    faults = []
    print("| input | sent | received | refused | recovery [s] | memory [MB] |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        done = set()
        for target in (
            perception(Path(folder), "image_raw", "scan"),
            perception(Path(folder), "image_raw/compressed", "points"),
            driver(),
        ):
            inputs = [(target.module, topic) for topic in (*target.makers, *target.extra)]
            chosen = [t for m, t in inputs if (m, t) not in done and t in (options.only or [t])]
            done |= set(inputs)
            if not chosen:
                continue
            check = OutputCheck()
            with FuzzedGraph(target, check) as graph:
                for topic in chosen:
                    report = graph.fuzz(topic, options.messages, options.seed)
                    before, after = report.memory
                    print(
                        f"| {topic} | {report.sent} | {report.received} | {report.refused} | "
                        f"{report.recovery:.2f} | {before:.0f} to {after:.0f} |",
                        flush=True,
                    )
                    if report.recovery > options.recovery:
                        faults.append(f"{topic}: {report.recovery:.2f} s until results again")
                    if after - before > GROWTH:
                        faults.append(f"{topic}: memory grew by {after - before:.0f} MB")
            faults += [f"{text} ({count} times)" for text, count in check.faults.items()]
            print("outputs checked:", dict(check.seen), flush=True)
    print("\n".join(faults) or "no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
