"""The learned scalars: kept positive, saved and loaded by name."""

import pytest
import torch
from safetensors.torch import save_file

from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.scalars import INITIAL_VALUES, SIGNED, FusionScalars, ScalarValues


def test_starts_at_the_documented_values():
    assert FusionScalars().values() == pytest.approx(INITIAL_VALUES)


def test_every_scalar_is_documented():
    for name in ScalarValues._fields:
        assert f"{name}: " in ScalarValues.__doc__


def test_no_step_makes_a_positive_scalar_negative():
    scalars = FusionScalars()
    with torch.no_grad():
        for parameter in scalars.parameters():
            parameter -= 10.0
    values = scalars.values()
    assert all(value > 0 for name, value in values.items() if name not in SIGNED)
    assert values["missed_bias"] == pytest.approx(-11.1)


def test_survives_a_file_in_physical_units(tmp_path):
    scalars = FusionScalars()
    scalars.set_values({"cone_radius": 0.07, "missed_bias": -2.0})
    scalars.save(tmp_path / "fusion.safetensors")
    fuser = Fuser(FuserConfig(weights=str(tmp_path / "fusion.safetensors")))
    assert fuser.scalars.values() == pytest.approx(scalars.values())
    assert fuser.scalars.values()["cone_radius"] == pytest.approx(0.07)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cone_radius": -1.0}, "cone_radius is -1.0, expected a finite number above 0"),
        ({"lidar_bias": float("nan")}, "lidar_bias is nan, expected a finite number"),
        ({"radius": 1.0}, "fusion scalar 'radius' is unknown"),
    ],
)
def test_refuses_bad_values(values, message):
    with pytest.raises(ValueError, match=message):
        FusionScalars().set_values(values)


def test_refuses_a_file_that_lacks_a_scalar(tmp_path):
    save_file({"cone_radius": torch.tensor(0.05)}, tmp_path / "old.safetensors")
    with pytest.raises(ValueError, match="lacks the fusion scalars range_noise"):
        FusionScalars().load(tmp_path / "old.safetensors")


def test_refuses_a_file_of_other_tensors(tmp_path):
    save_file({"cone_radius": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"other\.safetensors holds no single numbers"):
        FusionScalars().load(tmp_path / "other.safetensors")


def test_refuses_a_file_of_another_kind(tmp_path):
    (tmp_path / "text").write_text("not weights")
    with pytest.raises(ValueError, match="is not a safetensors file"):
        FusionScalars().load(tmp_path / "text")
