"""Modules that moved in version 0.2: their former names work, with a warning, until 0.3.

Only modules that programs outside of this repository use are listed.
"""

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType

NOTHING = ""  # a package of which only its modules are left, each at another place
MOVED = {
    "conegrad_core.config": "conegrad_core.settings",
    "conegrad_core.evaluation": NOTHING,
    "conegrad_core.evaluation.matching": "conegrad_evaluation.metrics.matching",
    "conegrad_core.evaluation.metrics": "conegrad_evaluation.metrics.evaluator",
    "conegrad_core.stamps": "conegrad_core.timing.stamps",
    "conegrad_core.sync": "conegrad_core.timing.pairing",
    "conegrad_nodes.bags": NOTHING,
    "conegrad_nodes.bags.messages": "conegrad_data.bags.messages",
    "conegrad_nodes.bags.reader": "conegrad_data.bags.reader",
    "conegrad_nodes.bags.topics": "conegrad_data.topics.topics",
    "conegrad_nodes.bags.types": "conegrad_data.bags.types",
    "conegrad_nodes.bags.writer": "conegrad_data.bags.writer",
    "conegrad_nodes.calibration": "conegrad_data.calibration.calibration_source",
    "conegrad_nodes.decode": "conegrad_data.decode",
    "conegrad_simulation.track_csv": "conegrad_data.cone_map.cone_map_csv",
    "conegrad_training.evaluation": NOTHING,
    "conegrad_training.evaluation.bag_evaluation": "conegrad_evaluation.bag_evaluation",
    "conegrad_training.evaluation.drive": "conegrad_evaluation.drives.recorded_drive",
    "conegrad_training.evaluation.drive_evaluation": "conegrad_evaluation.drives.drive_evaluation",
    "conegrad_training.training_run": "conegrad_training.engine.training_run",
}


class MovedModules(MetaPathFinder, Loader):
    """Imports the module of today where one of :data:`MOVED` is asked for."""

    def __init__(self) -> None:
        self._specs: dict[str, ModuleSpec | None] = {}  # of the modules of today, by former name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A specification for a former name, else None."""
        if fullname not in MOVED:
            return None
        return spec_from_loader(fullname, self, is_package=MOVED[fullname] == NOTHING)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The module of today; None, which stands for an empty one, for :data:`NOTHING`."""
        today = MOVED[spec.name]
        if today == NOTHING:
            return None
        warnings.warn(
            f"{spec.name} is now {today}; its former name works until version 0.3",
            FutureWarning,
            stacklevel=2,
        )
        module = importlib.import_module(today)
        self._specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module of today its own specification back; it has run already."""
        former = module.__spec__
        if former is not None and former.name in self._specs:
            module.__spec__ = self._specs[former.name]


def install() -> None:
    """Answer imports of former names, from now on; once is enough."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedModules())
