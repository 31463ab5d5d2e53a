"""Results of runs: one JSON file each, and one table of all."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from conegrad_core.whole_file import write_whole

RESULT = "result.json"


@dataclass(frozen=True)
class RunResult:
    """What one run cost and reached.

    Attributes:
        condition: of :data:`conegrad_training.comparison.scenarios.CONDITIONS`.
        pattern: that trained.
        seed: of the training drives, their order and augmentation.
        frames: to learn from.
        paid_by: label values that bought the frames, see
            :class:`~conegrad_training.comparison.plan.PlannedRun`; empty where any cost was fine.
        start: headline metrics before.
        reached: headline metrics after.
        intact: headline metrics of the start before it was weakened.
        steps: optimizer steps.
        seconds: of the steps [s].
        forward: samples that went forward, by part.
        backward: samples whose gradient went backward, by part.
        frame_values: label values, true cones counted anew in every frame.
        map_values: label values, every cone of a track measured once.
    """

    condition: str
    pattern: str
    seed: int
    frames: int
    paid_by: str
    start: Mapping[str, float]
    reached: Mapping[str, float]
    intact: Mapping[str, float]
    steps: int
    seconds: float
    forward: Mapping[str, int]
    backward: Mapping[str, int]
    frame_values: int
    map_values: int

    @property
    def gain(self) -> float:
        """Rise of f1_colour."""
        return self.reached["f1_colour"] - self.start["f1_colour"]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(content, indent=2) + "\n").encode())


def write_result(result: RunResult, folder: Path) -> None:
    """Mark a run as done."""
    write_json(folder / RESULT, asdict(result))


def read_results(output: Path) -> list[RunResult]:
    """All runs that are done, in the order of their folders."""
    paths = sorted((output / "runs").glob(f"*/*/{RESULT}"))
    return [RunResult(**json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def write_table(results: Sequence[RunResult], path: Path) -> None:
    """One row per run, metrics in columns (CSV)."""
    rows = [dict(_cells(result)) for result in results]
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _cells(result: RunResult) -> Iterable[tuple[str, Any]]:
    for name, value in asdict(result).items():
        if isinstance(value, Mapping):
            for key, entry in value.items():
                yield f"{name}_{key}", _rounded(entry)
        else:
            yield name, _rounded(value)


def _rounded(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value
