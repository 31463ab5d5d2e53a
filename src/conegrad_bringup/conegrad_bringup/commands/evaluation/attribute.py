"""Find the component that costs a system most on a drive, and what to do about it; write a report.

Every component (networks, joining stage, calibration, stamps) is replaced by what it would be
without fault, alone and with others. The output folder gets report.html, attribution.json and
pictures.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.bag_options import (
    BAG,
    CALIBRATION,
    PIPELINE,
    TRUTH_OF_BAG,
    read_roles,
    topic_setting,
)
from conegrad_bringup.text_table import text_table
from conegrad_core.pipeline.build import DEFAULT
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.reference import load_referenced
from conegrad_core.vehicle import Vehicle, load_vehicle
from conegrad_evaluation.attribution.advice import AdviceConfig, findings, headline
from conegrad_evaluation.attribution.attribution import AttributionConfig
from conegrad_evaluation.attribution.bag_attribution import attribute_bag
from conegrad_evaluation.attribution.reference import SHIPPED, read_reference
from conegrad_evaluation.attribution.report.attribution_report import (
    component_rows,
    write_attribution,
)
from conegrad_evaluation.bag_evaluation import MATCH_DISTANCE, MAX_RANGE
from conegrad_evaluation.metrics.matching import EvaluationConfig


@dataclass(frozen=True)
class AttributeSettings(Config):
    """Settings of the command itself."""

    pipeline: str = setting(DEFAULT, PIPELINE, aliases=("system",))
    track: str = setting("", TRUTH_OF_BAG)
    vehicle: str = setting("", CALIBRATION)
    topic: tuple[str, ...] = topic_setting()
    reference: str = setting(
        "", "attribution.json of a good drive of this system (default: of the weights that ship)"
    )
    max_range: float | None = setting(
        None, "Truth beyond this range is ignored [m] (default: of the vehicle)", low=0.1
    )
    match_distance: float | None = setting(
        None,
        "Largest distance of a cone to the truth that it matches [m] (default: of the vehicle)",
        low=1e-6,
    )


SETTINGS = CommandSettings(
    {"": AttributeSettings(), "attribution": AttributionConfig(), "advice": AdviceConfig()}
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", type=Path, help=BAG)
    parser.add_argument(
        "-o", "--output", type=Path, default=None, help="folder to write (default: BAG_attribution)"
    )
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Attribute, write the report, print what to do and the shares."""
    settings = SETTINGS.read(options)
    own, bag = settings[AttributeSettings], options.bag
    reference = read_reference(own.reference) if own.reference else SHIPPED
    vehicle = load_vehicle(own.vehicle) if own.vehicle else None
    pipeline = load_referenced(own.pipeline)
    pipeline.accelerate()
    drive = attribute_bag(
        bag,
        pipeline,
        _evaluation(own, vehicle),
        settings[AttributionConfig],
        reference=reference,
        track=Path(own.track) if own.track else None,
        vehicle=vehicle,
        topics=read_roles(own.topic),
    )
    found = drive.attribution
    joins = set(found.shares) & set(drive.system.end_joins)
    standing = findings(found, settings[AdviceConfig], joins=joins)
    output = options.output or bag.with_name(f"{bag.stem}_attribution")
    report = write_attribution(drive, standing, output, bag.stem)
    print(headline(standing, found))
    rows = component_rows(found)
    print("\n".join(text_table([list(rows[0]), *(list(row.values()) for row in rows)])))
    print(f"cost: {found.cost:.2f} evaluations of the {found.frames} frames")
    print(f"report: {report}")


def _evaluation(own: AttributeSettings, vehicle: Vehicle | None) -> EvaluationConfig:
    bounds = vehicle.evaluation if vehicle is not None else None
    return EvaluationConfig(
        match_distance=own.match_distance or (bounds.match_distance if bounds else MATCH_DISTANCE),
        max_range=own.max_range or (bounds.max_range if bounds else MAX_RANGE),
    )
