"""The file of what the fusion has learned."""

import pytest
import torch
from safetensors.torch import save_file

from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.fuser import Fuser


def loaded(path):
    return Fuser(FuserConfig(weights=str(path)))


def test_survives_a_file_in_physical_units(tmp_path):
    fuser = Fuser()
    fuser.scalars.set_values({"cone_radius": 0.07, "missed_bias": -2.0})
    fuser.mounting.set_values({"camera_turn_x": 0.02, "lidar_y": -0.03})
    fuser.save(tmp_path / "fusion.safetensors")
    values = loaded(tmp_path / "fusion.safetensors").values()
    assert values == pytest.approx(fuser.values())
    assert values["cone_radius"] == pytest.approx(0.07)
    assert values["camera_turn_x"] == pytest.approx(0.02)


def test_a_file_without_corrections_has_none(tmp_path):
    scalars = {name: torch.tensor(value) for name, value in Fuser().scalars.values().items()}
    save_file(scalars, tmp_path / "fusion.safetensors")
    mounting = loaded(tmp_path / "fusion.safetensors").mounting
    assert set(mounting.values().values()) == {0.0}


def test_a_file_of_before_the_camera_alone_was_calibrated_keeps_the_built_in_value(tmp_path):
    values = Fuser().scalars.values()
    built_in = values.pop("camera_only_bias")
    save_file({name: torch.tensor(v) for name, v in values.items()}, tmp_path / "old.safetensors")
    assert loaded(tmp_path / "old.safetensors").values()["camera_only_bias"] == built_in
    fuser, state = Fuser(), Fuser().state_dict()
    del state["scalars.camera_only_bias"]
    fuser.load_state_dict(state)
    assert fuser.values()["camera_only_bias"] == built_in


def test_refuses_a_correction_that_no_knock_explains(tmp_path):
    values = Fuser().values() | {"camera_x": 1.0}
    far = {name: torch.tensor(value) for name, value in values.items()}
    save_file(far, tmp_path / "far.safetensors")
    with pytest.raises(ValueError, match=r"far\.safetensors: .* camera_x is 1 m, expected at most"):
        loaded(tmp_path / "far.safetensors")


def test_refuses_a_file_that_lacks_a_scalar(tmp_path):
    save_file({"cone_radius": torch.tensor(0.05)}, tmp_path / "old.safetensors")
    with pytest.raises(ValueError, match=r"lacks the fusion scalars base_radius, .*range_noise"):
        loaded(tmp_path / "old.safetensors")


def test_refuses_a_file_of_other_tensors(tmp_path):
    save_file({"cone_radius": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"other\.safetensors holds no single numbers"):
        loaded(tmp_path / "other.safetensors")


def test_refuses_a_file_of_another_kind(tmp_path):
    (tmp_path / "text").write_text("not weights")
    with pytest.raises(ValueError, match="is not a safetensors file"):
        loaded(tmp_path / "text")


@pytest.mark.parametrize("name", ["cone_radius", "missed_bias", "camera_x"])
def test_refuses_values_that_are_not_finite(tmp_path, name):
    values = Fuser().values() | {name: float("nan")}
    odd = {name: torch.tensor(value) for name, value in values.items()}
    save_file(odd, tmp_path / "odd.safetensors")
    with pytest.raises(ValueError, match=rf"odd\.safetensors: .*{name} is nan"):
        loaded(tmp_path / "odd.safetensors")
