"""Golden results: what the product computes today, to be equal after a change of its structure.

    scripts/run.sh python scripts/golden_results.py make out/golden      # before the change
    scripts/run.sh python scripts/golden_results.py compare out/golden   # after it

Everything goes through the public commands, so that the script outlives the modules behind them.
A digest depends on processor and library versions: make and compare on one machine, with one
environment.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml
from rosbags.highlevel import AnyReader
from safetensors.numpy import load_file

PATTERNS = (
    "individual", "partial_camera", "partial_lidar", "simultaneous", "alternating", "fusion_only",
    "statistics_only", "individual_then_simultaneous", "individual_then_fusion_only",
)  # fmt: skip
STEPS = 20  # optimizer steps of each training
SMALL = ["--input-width", "160", "--input-height", "96", "--batch", "2", "--workers", "0"]
QUIET = ["--no-tracking", "--evaluation-frames", "0", "--threads", "1"]
RESULTS = "golden.json"
DEADLINE = 900.0  # [s] for each command

Digests = dict[str, str]


def main() -> None:
    """Make golden results in a folder, or compare this version with those of a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("action", choices=["make", "compare"])
    parser.add_argument("folder", type=Path, help="of the drive and of golden.json")
    parser.add_argument("--only", nargs="*", default=[], help=f"of {', '.join(GROUPS)}")
    arguments = parser.parse_args()
    chosen = arguments.only or list(GROUPS)
    if unknown := sorted(set(chosen) - set(GROUPS)):
        parser.error(f"--only has {', '.join(unknown)}, expected some of {', '.join(GROUPS)}")
    path = arguments.folder / RESULTS
    if arguments.action == "make":
        arguments.folder.mkdir(parents=True, exist_ok=True)
        if not (arguments.folder / "drive").exists():
            simulate(arguments.folder / "drive")
        path.write_text(json.dumps(computed(arguments.folder, chosen), indent=1) + "\n")
        print(f"wrote {path}")
    else:
        sys.exit(compare(json.loads(path.read_text()), computed(arguments.folder, chosen), chosen))


def computed(folder: Path, chosen: Iterable[str]) -> Digests:
    """Digests of the chosen groups on the drive of a folder, by ``group/part``."""
    results: Digests = {}
    with tempfile.TemporaryDirectory(prefix="golden-") as work:
        for group in chosen:
            print(f"{group} ...", flush=True)
            found = GROUPS[group](folder / "drive", Path(work))
            results |= {f"{group}/{part}": digest for part, digest in found.items()}
    return results


def compare(golden: Digests, found: Digests, chosen: Iterable[str]) -> int:
    """Print each difference; 1 if there is one."""
    expected = {name: value for name, value in golden.items() if name.split("/")[0] in chosen}
    names = sorted(expected.keys() | found.keys())
    differing = [name for name in names if expected.get(name) != found.get(name)]
    for name in differing:
        print(f"differs: {name}: {expected.get(name)} before, {found.get(name)} now")
    print(f"{len(names) - len(differing)} of {len(names)} results are equal")
    return 1 if differing else 0


def simulate(drive: Path) -> None:
    """A short drive along an unseen track."""
    conegrad(
        "simulate",
        "-o",
        drive,
        "--track",
        "random",
        "--seed",
        7,
        "--seconds",
        3,
        "--camera-rate",
        10,
    )


def simulated(drive: Path, work: Path) -> Digests:
    """The recording itself."""
    simulate(work / "drive")
    return {"messages": bag_digest(work / "drive", "")}


def live(drive: Path, work: Path) -> Digests:
    """Cones of the live graph."""
    conegrad("perceive", drive, "-o", work / "live")
    return {"cones": bag_digest(work / "live", "/cones")}


def direct(drive: Path, work: Path) -> Digests:
    """Cones of the modules without a graph."""
    conegrad("perceive", drive, "-o", work / "direct", "--direct")
    return {"cones": bag_digest(work / "direct", "/cones")}


def evaluation(drive: Path, work: Path) -> Digests:
    """The metrics of a report, from the truth topic and from the map."""
    conegrad("perceive", drive, "-o", work / "evaluated", "--direct")
    track = drive.with_name(drive.name + "_track.csv")
    digests = {}
    for name, options in {"truth": [], "map": ["--track", track]}.items():
        report = work / f"report_{name}"
        conegrad("evaluate", work / "evaluated", "-o", report, *options)
        digests[name] = digest(as_in_0_1(json.loads((report / "metrics.json").read_text())))
    return digests


def as_in_0_1(metrics: dict[str, Any]) -> bytes:
    """Bytes of ``metrics.json`` with the keys of version 0.1, as in the golden results."""
    return (json.dumps(with_former_keys(metrics), indent=2, allow_nan=False) + "\n").encode()


def with_former_keys(metrics: dict[str, Any]) -> dict[str, Any]:
    """Metrics of cones with the keys of version 0.1 alone, in their order."""
    former = {"range_bins": "bands", "failure_modes": "reasons"}
    for name, key in former.items():
        if metrics.pop(key) != metrics[name]:
            raise ValueError(f"{name} and {key} of metrics.json differ, expected equal values")
    return {former.get(name, name): value for name, value in metrics.items()}


def patterns(drive: Path, work: Path) -> Digests:
    """Weights after some steps of each pattern."""
    digests = {}
    for pattern in PATTERNS:
        output = work / f"pattern_{pattern}"
        options = ["--pattern", pattern, "--steps", STEPS, "--first-steps", STEPS // 2]
        # A recorded drive has no boxes and beam labels.
        source = ["--simulated", 16] if pattern.startswith("individual") else [drive]
        conegrad("train", *source, "-o", output, *options, *SMALL, *QUIET)
        digests |= {f"{pattern}/{name}": value for name, value in weights_digests(output).items()}
    return digests


def replayed(drive: Path, work: Path) -> Digests:
    """What the training measures on the replayed drive before its first steps and after them."""
    output = work / "replayed"
    conegrad("train", drive, "-o", output, "--steps", 2, *SMALL, "--no-tracking", "--threads", 1)
    digests = {}
    for name in ("metrics_before.json", "metrics_after.json"):
        metrics = json.loads((output / name).read_text())
        metrics.pop("ports")  # new in version 0.2, beside the figures of before
        metrics["system"] = with_former_keys(metrics["system"])
        digests[name] = digest((json.dumps(metrics, indent=2, allow_nan=False) + "\n").encode())
    return digests


def resumed(drive: Path, work: Path) -> Digests:
    """Weights of a run that was broken off half-way and resumed: those of ``patterns``."""
    output = work / "resumed"
    options = ["train", drive, "-o", output, "--checkpoint-every", 5, *SMALL, *QUIET]
    conegrad(*options, "--steps", STEPS, until=output / "checkpoint.pt")
    conegrad(*options, "--steps", STEPS, "--resume")
    return weights_digests(output)


def topics(drive: Path, work: Path) -> Digests:
    """Weights of a training with each network in a process of its own."""
    output, settings = work / "topics", work / "topics.yaml"
    small = {"input_width": 160, "input_height": 96}
    run = {"batch": 2, "steps": 5, "workers": 0}
    content = {"system": small, "run": run, "tracking": {"tracking": False}}
    settings.write_text(yaml.safe_dump(content))
    shared = {"reliability": "reliable", "depth": 5, "training.output": output}
    width = {f"detector.{name}": value for name, value in small.items()}
    models = [node("training_camera_node", shared | width), node("training_lidar_node", shared)]
    own = {"bags": f"[{drive}]", "config": settings, "output": output, "timeout": 300.0}
    trainer = node("topic_trainer", own)
    try:
        printed, _ = trainer.communicate(timeout=DEADLINE)
    finally:
        for process in (*models, trainer):
            process.terminate()
            process.wait(timeout=60)
    if trainer.returncode:
        raise SystemExit(f"topic_trainer ended with {trainer.returncode}:\n{printed}")
    return weights_digests(output)


GROUPS: dict[str, Callable[[Path, Path], Digests]] = {
    "simulated": simulated, "direct": direct, "live": live, "evaluation": evaluation,
    "replayed": replayed, "patterns": patterns, "resumed": resumed, "topics": topics,
}  # fmt: skip


def node(program: str, parameters: dict[str, Any]) -> "subprocess.Popen[str]":
    """Start a program of conegrad_training with parameters."""
    given = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    code = f"from conegrad_training.programs import {program}; {program}()"
    command = [sys.executable, "-c", code, "--ros-args", *given]
    return subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment()
    )


def conegrad(*arguments: object, until: Path | None = None) -> None:
    """Run a command; with ``until``, kill it as soon as that file exists.

    Raises:
        SystemExit: with the output of the command, if it fails.
    """
    command = ["conegrad", *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment()
        )
        while until is not None and process.poll() is None and not until.exists():
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        if until is not None:
            process.kill()
        if process.wait(DEADLINE) and until is None:
            output.seek(0)
            raise SystemExit(
                f"{' '.join(command)} ended with {process.returncode}:\n{output.read()}"
            )


def environment() -> dict[str, str]:
    """One thread, so that sums have one order."""
    return os.environ | {"OMP_NUM_THREADS": "1"}


def weights_digests(output: Path) -> Digests:
    """Digest of the tensors of each weights file of a training."""
    return {path.name: tensors_digest(path) for path in sorted(output.glob("*.safetensors"))}


def tensors_digest(path: Path) -> str:
    """Digest of names, types, shapes and bytes; safetensors writes metadata in any order."""
    tensors = load_file(path)
    parts = [
        f"{name} {tensors[name].dtype} {tensors[name].shape} ".encode() + tensors[name].tobytes()
        for name in sorted(tensors)
    ]
    return digest(b"".join(parts))


def bag_digest(bag: Path, suffix: str) -> str:
    """Digest of all messages of the topics with a suffix, in the order of their content."""
    with AnyReader([bag]) as reader:
        connections = [c for c in reader.connections if c.topic.endswith(suffix)]
        if not connections:
            raise SystemExit(f"{bag} has no topic that ends with {suffix!r}")
        rows = [
            json.dumps(plain(reader.deserialize(raw, connection.msgtype)), sort_keys=True)
            for connection, _, raw in reader.messages(connections)
        ]
    return f"{len(rows)} messages {digest(chr(10).join(sorted(rows)).encode())}"


def plain(value: Any) -> Any:
    """A message as dictionaries, lists and numbers, without its type's private names."""
    if hasattr(value, "__dataclass_fields__"):
        fields = (name for name in value.__dataclass_fields__ if not name.startswith("__"))
        return {name: plain(getattr(value, name)) for name in fields}
    if hasattr(value, "tolist"):
        return value.tolist()
    return [plain(item) for item in value] if isinstance(value, list) else value


def digest(data: bytes) -> str:
    """The first half of a SHA-256."""
    return hashlib.sha256(data).hexdigest()[:32]


if __name__ == "__main__":
    main()
