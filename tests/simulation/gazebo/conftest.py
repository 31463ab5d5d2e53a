"""Worlds of both vehicles, and libsdformat to check them."""

import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from conegrad_simulation.gazebo.export import export_gazebo_world
from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene

# What a simulator reads and Drake, which brings libsdformat along, has no use for.
UNUSED = "Ignoring unsupported SDFormat element in"
# The only element that SDF does not list; gz-sensors reads it, see docs/gazebo.md.
FRAME_ID = re.compile(r"\s*<gz_frame_id>\w+</gz_frame_id>")


class Parsed(NamedTuple):
    """What libsdformat made of a world: names of its models, the plant, and complaints."""

    models: list
    plant: object
    complaints: list


@pytest.fixture(scope="session")
def export(tmp_path_factory):
    """Exports a world by vehicle, LiDAR and further settings; returns its folder."""
    made = {}

    def make(vehicle="formula_student", lidar="planar", **settings):
        key = (vehicle, lidar, *sorted(settings.items()))
        if key not in made:
            made[key] = tmp_path_factory.mktemp("world") / "export"
            chosen = SceneSettings(vehicle=vehicle, lidar=lidar, **settings)
            export_gazebo_world(describe_scene(chosen), made[key])
        return made[key]

    return make


@pytest.fixture
def parse(tmp_path, caplog):
    """Reads an exported world with libsdformat."""
    plants = pytest.importorskip(
        "pydrake.multibody.plant", reason="libsdformat comes with Drake, which is not installed"
    )
    from pydrake.multibody.parsing import Parser

    def read(folder: Path) -> Parsed:
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        plant = plants.MultibodyPlant(time_step=0.001)
        parser = Parser(plant)
        for model in (copy / "models").iterdir():
            parser.package_map().Add(model.name, str(model))
            sdf = model / "model.sdf"
            sdf.write_text(FRAME_ID.sub("", sdf.read_text()))
        world = copy / "world.sdf"
        # Drake finds files, where Gazebo also finds the folder of a model.
        world.write_text(re.sub(r"model://(\w+)<", r"model://\1/model.sdf<", world.read_text()))
        caplog.clear()
        models = parser.AddModels(str(world))
        plant.Finalize()
        names = [plant.GetModelInstanceName(model) for model in models]
        said = [record.getMessage() for record in caplog.records]
        return Parsed(names, plant, [text for text in said if UNUSED not in text])

    return read
