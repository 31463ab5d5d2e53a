"""Write a system for an engine: OpenVINO or ONNX Runtime, in fp32, bf16 or int8.

  conegrad export car@champion -o car_int8 --engine openvino --precision int8 --calibrate drive
  conegrad export camera_lidar -o fast --engine openvino --precision bf16 --compare drive1 drive2
  conegrad perceive drive -o cones --system car_int8

The export runs beside the original (torch, fp32) on the same frames, and is refused where it loses
more f1_colour, recall or boxes than the tolerances allow. What is written is the record of a system
like any other: its parent is the original, its metrics are the comparison.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conegrad_bringup.bag_options import PIPELINE
from conegrad_bringup.progress_bar import ProgressBar
from conegrad_bringup.text_table import text_table
from conegrad_core.engines.form import EXPORT_ENGINES, EXPORT_PRECISIONS, EngineForm
from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.record import ExportOrder, SystemRecord, write_record
from conegrad_core.system_record.reference import resolve
from conegrad_evaluation.bag_evaluation import MATCH_DISTANCE, MAX_RANGE
from conegrad_evaluation.exported.comparison import SIDES, EngineComparer, EngineComparison
from conegrad_evaluation.exported.tolerances import Tolerances, check
from conegrad_evaluation.replay_settings import ReplaySettings
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.systems.system_config import SystemConfig
from conegrad_training.tracking.run_record import run_description

ORIGINAL = "original"  # section of the metrics of a record


@dataclass(frozen=True)
class ExportSettings(Config):
    """Settings of the command itself."""

    engine: str = setting("openvino", "Engine that runs the networks", choices=EXPORT_ENGINES)
    precision: str = setting("fp32", "Precision of the networks", choices=EXPORT_PRECISIONS)
    stages: tuple[str, ...] = setting(
        (), "Stages to export; empty: all that an engine runs", metavar="STAGE"
    )
    calibrate: tuple[Path, ...] = setting(
        (),
        "Drives whose frames give the ranges of int8, in the light to be expected",
        metavar="BAG",
    )
    compare: tuple[Path, ...] = setting(
        (), "Drives with truth to compare on; empty: those of --calibrate", metavar="BAG"
    )
    examples: int = setting(64, "Frames of each of --calibrate, spread evenly", low=1)
    every: int = setting(1, "Replay every Nth frame", low=1)
    max_range: float = setting(MAX_RANGE, "Truth beyond this range is ignored [m]", low=0.1)
    match_distance: float = setting(
        MATCH_DISTANCE, "Largest distance of a cone to the truth that it matches [m]", low=1e-6
    )


SETTINGS = CommandSettings({"": ExportSettings(), "tolerance": Tolerances()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("system", help=PIPELINE)
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Export, compare, write what is as good as the original."""
    settings = SETTINGS.read(options)
    own = settings[ExportSettings]
    form = EngineForm(own.engine, own.precision)
    bags = own.compare or own.calibrate
    if not bags:
        raise ValueError("no bag is given, expected --calibrate or --compare: exports are compared")
    if form.precision == "int8" and not own.calibrate:
        raise ValueError(
            "--calibrate is missing, expected a drive: int8 needs ranges of its values"
        )
    original = load_pipeline(options.system, trainable=True)
    with TemporaryDirectory(prefix="conegrad-") as folder:
        made = _export(original, options.system, form, own, Path(folder) / "export")
        exported = made.pipeline()
        exported.accelerate()
        compared = ReplaySettings(
            every=own.every, max_range=own.max_range, match_distance=own.match_distance
        )
        comparer = EngineComparer(original, exported, compared.evaluation)
        for bag in bags:
            with compared.replayed(bag) as (samples, rows):
                comparer.add(ProgressBar(bag.name)((samples[row] for row in rows), len(rows)))
        found = comparer.result()
        print("\n".join([*_table(found), ""]))
        check(found, settings[Tolerances])
        record = made.with_metrics(options.output, _metrics(found))
    size = sum(entry.size for entry in record.manifest.files.values()) / 1e6
    print(f"{options.output}: {record.name} for {form}, record {record.id}, {size:.1f} MB")


def _export(
    original: Pipeline, source: str, form: EngineForm, own: ExportSettings, folder: Path
) -> SystemRecord:
    stages = _stages(original, own.stages)
    examples = _examples(original, stages, own) if form.precision == "int8" else {}
    parent = resolve(source)
    of_parent = f" of record {parent.id}" if parent is not None else ""
    description = run_description(
        SystemConfig(pipeline=source),
        note=f"{form} export{of_parent}",
        settings={"export": {"engine": form.engine, "precision": form.precision}},
    )
    calibration = parent.calibration if parent is not None else None
    order = ExportOrder(form, stages, examples)
    return write_record(folder, original, description, calibration, order=order)


def _stages(original: Pipeline, chosen: tuple[str, ...]) -> tuple[str, ...]:
    for name in chosen:
        original.stage(name)  # refuses an unknown one
    return tuple(n for n in original.order if n in chosen) if chosen else tuple(original.order)


def _examples(
    original: Pipeline, stages: tuple[str, ...], own: ExportSettings
) -> Mapping[str, Sequence[Any]]:
    """Values of the input of every stage that has one only, from the frames of a drive."""
    samples = [sample for bag in own.calibrate for sample in _spread(bag, own.examples)]
    given = original.specification.inputs
    found: dict[str, Sequence[Any]] = {}
    for name in stages:
        ports = tuple(original.specification.stages[name].inputs.values())
        if len(ports) == 1 and ports[0] in given:
            found[name] = [sample.inputs[ports[0]] for sample in samples]
    return found


def _spread(bag: Path, count: int) -> list[Sample]:
    """Some frames of a drive, spread evenly."""
    replay = BagReplay(bag, needs_truth=False)
    count = min(count, len(replay))
    samples = [replay[place * len(replay) // count] for place in range(count)]
    replay.close()
    return samples


def _table(found: EngineComparison) -> list[str]:
    """Figures of both, side by side; times in milliseconds."""
    figures = found.figures()
    rows = [["", *SIDES]]
    for name in dict.fromkeys(n for of_side in figures.values() for n in of_side):
        is_time = name.endswith("[s]")
        title = name.replace("[s]", "[ms]")
        values = [figures[side].get(name, math.nan) for side in SIDES]
        text = [f"{1e3 * v:.2f}" if is_time else f"{v:.4f}" for v in values]
        rows.append(
            [title, *("" if math.isnan(v) else t for v, t in zip(values, text, strict=True))]
        )
    return text_table(rows)


def _metrics(found: EngineComparison) -> dict[str, dict[str, float]]:
    """As a record keeps them: those of the export are those of the system."""
    sections = {"system": found.figures()["exported"], ORIGINAL: found.figures()["original"]}
    return {
        section: {name: value for name, value in values.items() if math.isfinite(value)}
        for section, values in sections.items()
    }
