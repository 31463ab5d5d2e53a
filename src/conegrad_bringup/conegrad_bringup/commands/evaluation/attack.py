"""Attack a system through its images and scans, and measure what it keeps.

  conegrad attack car@champion --bags drive1 drive2 --every 10
  conegrad attack camera_lidar --bags drive --attacks image_pgd:eps=4 scan_moved:0.1
  conegrad attack run/system --bags drive --attacks image_pgd:2+scan_added:20 --steps 20 -o attacked
  conegrad attack camera_lidar --bags drive --sensors lidar

The attacker knows all weights and raises the end loss of the whole chain within a budget: levels of
the image, a printed patch beside or on a cone, returns moved, removed or added. The folder gets
attack.html (with pictures), attack.json and attack.png: the share of F1 with colour that is left,
by attack, with intervals, beside random changes of the same budget.
"""

import argparse

from conegrad_bringup.bag_options import add_system_and_drives
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.location import pinned
from conegrad_core.system_record.reference import load_referenced
from conegrad_evaluation.attack_report.attack_files import as_text, write_attack
from conegrad_evaluation.attack_report.attack_run import AttackSettings, measure_attacks
from conegrad_evaluation.attack_report.attack_table import attack_table
from conegrad_training.engine.progress_display import shown

SETTINGS = CommandSettings({"": AttackSettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_system_and_drives(parser, "attack")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Attack, print what is left."""
    settings = SETTINGS.read(options)[AttackSettings]
    system = pinned(options.system)
    pipeline = load_referenced(system, trainable=True)
    result = measure_attacks(pipeline, options.bags, settings, shown)
    table = attack_table(result)
    report = write_attack(table, result, options.output, system)
    print(as_text(table))
    print(f"report: {report}")
