"""Former names of modules."""

import importlib
import sys
import warnings

import pytest
from warm_python import finished

from conegrad_core.moved_modules import MOVED, NOTHING

MODULES = sorted(name for name, today in MOVED.items() if today != NOTHING)


@pytest.mark.parametrize("former", MODULES)
def test_a_former_name_is_the_module_of_today_and_warns(former):
    sys.modules.pop(former, None)
    today = importlib.import_module(MOVED[former])
    with pytest.warns(FutureWarning, match=f"{former} is now {MOVED[former]}"):
        assert importlib.import_module(former) is today
    assert today.__spec__.name == MOVED[former]
    sys.modules.pop(former, None)


def test_names_of_today_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        for today in set(MOVED.values()) - {NOTHING}:
            importlib.import_module(today)


def test_a_program_of_version_0_1_reads_bags_in_a_new_process():
    code = (
        "from conegrad_nodes.bags.reader import BagReader\n"
        "from conegrad_nodes.bags import messages\n"
        "from conegrad_data.bags.reader import BagReader as Today\n"
        "from conegrad_core.evaluation.matching import EvaluationConfig\n"
        "from conegrad_training.evaluation.drive import read_drive\n"
        "print(BagReader is Today, messages.__name__, read_drive.__module__)"
    )
    result = finished([sys.executable, "-c", code], timeout=120)
    words = "True conegrad_data.bags.messages conegrad_evaluation.drives.recorded_drive"
    assert result.stdout.strip() == words, result.stderr


def test_other_modules_that_do_not_exist_stay_missing():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("conegrad_nodes.bags.nothing_of_this_name")
