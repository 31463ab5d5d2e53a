"""Record a system and name it in the store and in the registry of MLflow.

  conegrad system log run --note "rain, seed 2"
  conegrad system log camera_lidar --weights detector=new.safetensors --system-name car

A training writes a record itself, which is logged as it is. A pipeline is recorded with its
weights: those that ship, or those of --weights.
"""

import argparse
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from conegrad_bringup.bag_options import VEHICLE
from conegrad_bringup.commands.system.store_options import StoreSettings, described, kept_folder
from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.settings import setting
from conegrad_core.settings.command_settings import CommandSettings, Group
from conegrad_core.system_record.record import SystemRecord, write_record
from conegrad_core.system_record.reference import resolve
from conegrad_core.system_record.signature import sign
from conegrad_core.vehicle import load_vehicle
from conegrad_training.systems.system_config import SystemConfig, stage_settings
from conegrad_training.tracking.catalogue import SystemCatalogue
from conegrad_training.tracking.run_record import run_description
from conegrad_training.tracking.tracking import TrackingConfig


@dataclass(frozen=True)
class LogSettings(StoreSettings):
    """Settings of the command itself."""

    system_name: str = setting(
        "", "Name of the system that is recorded; empty: that of its parent or pipeline"
    )
    note: str = setting("", "Note for people who read the record")
    vehicle: str = setting("", f"{VEHICLE}; its calibration is recorded")
    sign: str = setting("", "Private key (PEM, Ed25519) to sign the record with")


SETTINGS = CommandSettings(
    {
        "": LogSettings(),
        "system": Group(SystemConfig(), leave_out=("pipeline",)),
        "tracking": TrackingConfig(),
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "source", help="folder of a training or a record, an archive, or a pipeline to record"
    )
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Record what is not a record, log it, print its version."""
    settings = SETTINGS.read(options)
    own, system = settings[LogSettings], settings[SystemConfig]
    store = own.opened()
    record = resolve(options.source, store)
    is_new = record is None or system != SystemConfig() or bool(own.note or own.system_name)
    with TemporaryDirectory() as folder:
        if record is None or is_new:
            record = _recorded(options.source, record, own, system, Path(folder) / "record")
        kept = kept_folder(store, record)
    if own.sign:
        sign(kept, Path(own.sign).expanduser())
    version = SystemCatalogue(settings[TrackingConfig], store).log(kept)
    print(described(version))


def _recorded(
    source: str, parent: SystemRecord | None, own: LogSettings, system: SystemConfig, folder: Path
) -> SystemRecord:
    """A new record; one of a record keeps what is known of that."""
    config = dataclasses.replace(system, pipeline=source)
    description = run_description(config, name=own.system_name, note=own.note)
    calibration = parent.calibration if parent is not None else None
    if parent is not None and system == SystemConfig():
        description = dataclasses.replace(
            parent.description,
            name=own.system_name or parent.name,
            note=own.note or parent.description.note,
        )
    if own.vehicle:
        calibration = load_vehicle(own.vehicle).calibration()
    pipeline = load_pipeline(source, stage_settings(config), trainable=True)
    return write_record(folder, pipeline, description, calibration)
