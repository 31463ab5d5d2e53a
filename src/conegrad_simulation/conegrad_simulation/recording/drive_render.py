"""Renders a drive on several processes: each frame is a pure function of its index."""

import dataclasses
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.processes.worker_process import end_with_parent
from conegrad_core.vehicle import Vehicle
from conegrad_simulation.lidar.planar_lidar import CastScan, LidarCaster
from conegrad_simulation.recording.drive import CarState, Motion
from conegrad_simulation.render.camera import CameraRenderer
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import World

MIN_VISIBILITY = 0.3  # share of a cone that must be seen
MIN_BOX_HEIGHT = 4.0  # [px], a smaller cone cannot be told from noise


class Stage(NamedTuple):
    """Everything that stays the same during a drive."""

    vehicle: Vehicle
    scene: Scene
    world: World
    drive: Motion
    seed: int
    quality: int  # of JPEG; 0 keeps raw pictures


class Picture(NamedTuple):
    """One image of the drive.

    Attributes:
        data: JPEG bytes, or a ``(H, W, 3)`` RGB picture.
        seen: rows of the scene's cones that the camera could see.
    """

    data: bytes | npt.NDArray[np.uint8]
    seen: npt.NDArray[np.int64]


def render(stage: Stage, time: float, index: int) -> Picture:
    """The image at a time of the drive [s]; ``index`` seeds its noise."""
    camera = stage.vehicle.camera
    renderer = CameraRenderer(camera.model(), camera.mounting)
    state = stage.drive.state(time)
    rendered = renderer.render(
        stage.scene, state.pose, _leaning(stage.world, state), stage.seed * 1_000_003 + index
    )
    heights = rendered.boxes_xyxy[:, 3] - rendered.boxes_xyxy[:, 1]
    is_seen = (rendered.visibility > MIN_VISIBILITY) & (heights >= MIN_BOX_HEIGHT)
    data = _encode(rendered.image, stage.quality) if stage.quality else rendered.image
    return Picture(data, rendered.cones[is_seen])


def cast(stage: Stage, caster: LidarCaster, time: float, index: int) -> CastScan:
    """The scan that begins at a time of the drive [s]; ``index`` seeds its noise."""
    state = stage.drive.state(time)
    world = _leaning(stage.world, state)
    seed = stage.seed * 2_000_003 + index
    if caster.preset.scan_duration == 0.0:
        return caster.cast(stage.scene, state.pose, world, seed)
    return caster.cast(
        stage.scene, state.pose, world, seed, lambda after: stage.drive.state(time + after).pose
    )


@contextmanager
def rendering(stage: Stage, times: list[float], workers: int) -> Iterator[Iterator[Picture]]:
    """Images at the given times [s], in order, made ahead by worker processes."""
    if workers <= 1:
        yield (render(stage, time, index) for index, time in enumerate(times))
        return
    with _process_context().Pool(workers, _start_worker, (stage,)) as pool:
        yield pool.imap(_render_in_worker, list(enumerate(times)), chunksize=2)


_stage: Stage | None = None  # of a worker process, set when it starts


def _start_worker(stage: Stage) -> None:
    global _stage
    _stage = stage
    end_with_parent()
    cv2.setNumThreads(1)


def _render_in_worker(job: tuple[int, float]) -> Picture:
    if _stage is None:
        raise RuntimeError("the worker was not started with a stage")
    index, time = job
    return render(_stage, time, index)


def _process_context() -> Any:
    """Start workers from a fresh process: a fork of this one, with its threads, may hang."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _leaning(world: World, state: CarState) -> World:
    return dataclasses.replace(world, vehicle_pitch=state.pitch, vehicle_roll=state.roll)


def _encode(image: npt.NDArray[np.uint8], quality: int) -> bytes:
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()
