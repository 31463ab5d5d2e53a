"""Export of a scene for Gazebo and the truth node into a folder."""

import shutil
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from conegrad_simulation.gazebo.car_sdf import CAR, car_sdf
from conegrad_simulation.gazebo.car_urdf import car_urdf
from conegrad_simulation.gazebo.cone_models import write_cone_models
from conegrad_simulation.gazebo.world_sdf import world_sdf
from conegrad_simulation.gazebo.xml_text import SDF_VERSION, child, document_text
from conegrad_simulation.scene.scene_file import save_scene
from conegrad_simulation.scene.scene_settings import SceneDescription, save_settings
from conegrad_simulation.track.track_csv import save_csv

WORLD_FILE = "world.sdf"
MODELS_FOLDER = "models"  # belongs in GZ_SIM_RESOURCE_PATH
URDF_FILE = "car.urdf"
SCENE_FILE = "scene.json"
SETTINGS_FILE = "scene.yaml"
TRACK_FILE = "track.csv"


class GazeboWorld(NamedTuple):
    """Result of an export.

    Attributes:
        world: SDF of the world.
        models: folder of the models of cones and car.
        cones: number of cones.
    """

    world: Path
    models: Path
    cones: int


def export_gazebo_world(description: SceneDescription, folder: Path) -> GazeboWorld:
    """Write a world, its models, the URDF, and the scene for the truth.

    Args:
        description: the scene.
        folder: created if it is missing; files of an earlier export are replaced.

    Raises:
        FileExistsError: if the folder holds other files than an export.
        ValueError: if the vehicle cannot be built.
    """
    vehicle, lidar = description.vehicle, description.settings.lidar
    car, urdf = car_sdf(vehicle, lidar), car_urdf(vehicle, lidar)
    _prepare_folder(folder)
    models = folder / MODELS_FOLDER
    write_cone_models(models)
    _write_car(models / CAR, car)
    (folder / URDF_FILE).write_text(document_text(urdf))
    (folder / WORLD_FILE).write_text(document_text(world_sdf(description)))
    save_scene(description.scene, folder / SCENE_FILE)
    save_settings(description.settings, folder / SETTINGS_FILE)
    save_csv(description.track, folder / TRACK_FILE)
    return GazeboWorld(folder / WORLD_FILE, models, len(description.scene.cone_classes))


def _prepare_folder(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / WORLD_FILE).is_file():
        raise FileExistsError(f"{folder} is not empty and has no {WORLD_FILE}, expected neither")
    if (folder / MODELS_FOLDER).is_dir():
        shutil.rmtree(folder / MODELS_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)


def _write_car(home: Path, car: Element) -> None:
    home.mkdir(parents=True)
    (home / "model.sdf").write_text(document_text(car))
    root = Element("model")
    child(root, "name", CAR)
    child(root, "version", "1.0")
    child(root, "sdf", "model.sdf", version=SDF_VERSION)
    child(root, "description", "Car with a camera and a LiDAR")
    (home / "model.config").write_text(document_text(root))
