"""Results of runs: one JSON file each, and one table of all."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from conegrad_core.whole_file import write_whole

RESULT = "result.json"
FORMER_KEYS = {  # of version 0.1
    "paid_by": "label_budget",
    "start": "baseline",
    "reached": "after",
    "intact": "before_degradation",
}


@dataclass(frozen=True)
class RunResult:
    """Metrics and cost of one run.

    Attributes:
        condition: name of a condition of :data:`conegrad_training.comparison.scenarios.CONDITIONS`.
        pattern: training pattern.
        seed: of the training drives, their order and augmentation.
        frames: training frames.
        label_budget: label values that limited the frames, see
            :class:`~conegrad_training.comparison.plan.PlannedRun`; empty without a limit.
        baseline: headline metrics before training.
        after: headline metrics after training.
        before_degradation: headline metrics of the weights before they were degraded.
        steps: optimizer steps.
        seconds: of the steps [s].
        forward: samples that went forward, by stage.
        backward: samples whose gradient went backward, by stage.
        frame_values: label values, true cones counted again in every frame.
        map_values: label values, every cone of a track measured once.
    """

    condition: str
    pattern: str
    seed: int
    frames: int
    label_budget: str
    baseline: Mapping[str, float]
    after: Mapping[str, float]
    before_degradation: Mapping[str, float]
    steps: int
    seconds: float
    forward: Mapping[str, int]
    backward: Mapping[str, int]
    frame_values: int
    map_values: int

    @property
    def gain(self) -> float:
        """Increase of f1_colour."""
        return self.after["f1_colour"] - self.baseline["f1_colour"]


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(content, indent=2) + "\n").encode())


def write_result(result: RunResult, folder: Path) -> None:
    """Write the result of a run, which marks the run as done."""
    write_json(folder / RESULT, asdict(result))


def read_results(output: Path) -> list[RunResult]:
    """All runs that are done, in the order of their folders; results of version 0.1 as well."""
    return [_read(path) for path in sorted((output / "runs").glob(f"*/*/{RESULT}"))]


def write_table(results: Sequence[RunResult], path: Path) -> None:
    """One row per run, metrics in columns (CSV)."""
    rows = [dict(_cells(result)) for result in results]
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _read(path: Path) -> RunResult:
    content = json.loads(path.read_text(encoding="utf-8"))
    return RunResult(**{FORMER_KEYS.get(key, key): value for key, value in content.items()})


def _cells(result: RunResult) -> Iterable[tuple[str, Any]]:
    for name, value in asdict(result).items():
        if isinstance(value, Mapping):
            for key, entry in value.items():
                yield f"{name}_{key}", _rounded(entry)
        else:
            yield name, _rounded(value)


def _rounded(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value
