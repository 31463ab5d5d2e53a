"""Say whether a new system may replace the one in use: promote, hold or undecided.

  conegrad system gate car@champion car@candidate --bags drive1 drive2
  conegrad system gate car@champion car/8 --bags drives/* --budgets team.yaml --promote

Both perceive the same frames in turns. The folder gets gate.html and gate.json: paired differences
with intervals, by bag, light, range, class and disturbance, latencies, and which combinations of
conditions the bags do not cover. docs/systems.md explains it.

The exit code is 0 for promote, 1 for hold, 2 for an error or wrong usage, 3 for undecided.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.commands.system.store_options import KeySettings, described, version_of
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.settings import setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.location import pinned
from conegrad_core.system_record.reference import load_referenced, resolve
from conegrad_core.system_record.store import SystemStore
from conegrad_evaluation.coverage.condition_space import ConditionSpace, read_condition_space
from conegrad_evaluation.gate.bag_gate import GateSettings, gate_bags
from conegrad_evaluation.gate.budgets import Budgets, read_budgets
from conegrad_evaluation.gate.decision import Answer
from conegrad_evaluation.gate.gate_report import as_text, write_gate
from conegrad_training.engine.progress_display import shown
from conegrad_training.tracking.catalogue import CHAMPION, SystemCatalogue
from conegrad_training.tracking.tracking import TrackingConfig

SYSTEM = "NAME@ALIAS, NAME/VERSION, an id, a path of a record, or a pipeline by name or file"


@dataclass(frozen=True)
class PromotionSettings(KeySettings):
    """Settings of the promotion."""

    promote: bool = setting(False, "Give NEW the alias where the answer is promote")
    alias: str = setting(CHAMPION, "Alias of a version")


SETTINGS = CommandSettings(
    {"": GateSettings(), "promotion": PromotionSettings(), "tracking": TrackingConfig()}
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("old", metavar="OLD", help=f"system in use: {SYSTEM}")
    parser.add_argument("new", metavar="NEW", help="system that may replace it, likewise")
    parser.add_argument(
        "--bags", type=Path, nargs="+", required=True, metavar="BAG", help="Drives with truth"
    )
    parser.add_argument(
        "--budgets",
        type=Path,
        metavar="FILE",
        help="budgets of the team (YAML) (default: those of docs/systems.md)",
    )
    parser.add_argument(
        "--conditions",
        type=Path,
        metavar="FILE",
        help="conditions to be tested, labels (YAML) (default: those that the bags show)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("gate"), help="folder to write (default: gate)"
    )
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> int:
    """Replay, print the answer, promote if asked to; returns the exit code."""
    settings = SETTINGS.read(options)
    own = settings[PromotionSettings]
    store = own.opened()
    budgets = read_budgets(options.budgets) if options.budgets else Budgets()
    space = read_condition_space(options.conditions) if options.conditions else ConditionSpace()
    if own.promote:
        version_of(options.new, store)  # before the replay: it has to have a name and a version
    names = {"old": pinned(options.old, store), "new": pinned(options.new, store)}
    _check_different(names, store)
    result = gate_bags(
        _pipeline(names["old"], own, store),
        _pipeline(names["new"], own, store),
        options.bags,
        settings[GateSettings],
        budgets,
        space,
        shown,
    )
    report = write_gate(result, options.output, names, space)
    print(as_text(result))
    print(f"report: {report}")
    if own.promote and result.decision.answer == Answer.PROMOTE:
        version = version_of(names["new"], store)
        catalogue = SystemCatalogue(settings[TrackingConfig], store)
        catalogue.set_alias(version.name, own.alias, version.number)
        print(f"{version.name}@{own.alias} is {described(version)}")
    return int(result.decision.answer)


def _check_different(names: dict[str, str], store: SystemStore) -> None:
    """Refuse to compare a record with itself.

    Raises:
        ValueError: naming both.
    """
    records = [resolve(name, store) for name in names.values()]
    if names["old"] == names["new"] or (
        records[0] is not None and records[1] is not None and records[0].id == records[1].id
    ):
        raise ValueError(f"{names['old']} and {names['new']} are the same system")


def _pipeline(reference: str, own: PromotionSettings, store: SystemStore) -> Pipeline:
    record = resolve(reference, store)
    if record is None:
        return load_referenced(reference)
    own.check(record.folder)
    return load_referenced(record.folder)
