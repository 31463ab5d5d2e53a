"""Images and scans of a drive, each a pure function of its index; images on several processes."""

import dataclasses
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import forkserver, resource_tracker
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.processes.interrupts import delay_interrupts
from conegrad_core.processes.worker_process import end_with_parent
from conegrad_core.vehicle import Vehicle
from conegrad_simulation.lidar.planar_lidar import CastScan, LidarCaster
from conegrad_simulation.recording.drive import CarState, Motion
from conegrad_simulation.render.camera import CameraRenderer
from conegrad_simulation.scene.scene import Scene
from conegrad_simulation.scene.world import World

MIN_VISIBILITY = 0.3  # least visible share of a cone
MIN_BOX_HEIGHT = 4.0  # [px], a smaller cone counts as hidden


class DriveSetup(NamedTuple):
    """The constant part of a drive.

    Attributes:
        vehicle: sensors and their mountings.
        scene: cones, obstacles and walls in the map frame.
        world: domain parameters, without the attitude of a moment.
        drive: motion of the car.
        seed: of the sensor noise.
        quality: of JPEG, 1 to 100; 0 keeps raw pictures.
    """

    vehicle: Vehicle
    scene: Scene
    world: World
    drive: Motion
    seed: int
    quality: int


class Picture(NamedTuple):
    """One image of the drive.

    Attributes:
        data: JPEG bytes, or a ``(H, W, 3)`` RGB picture.
        visible: rows of the visible cones of the scene.
    """

    data: bytes | npt.NDArray[np.uint8]
    visible: npt.NDArray[np.int64]


def render(setup: DriveSetup, time: float, index: int) -> Picture:
    """The image at a time of the drive [s]; ``index`` seeds its noise."""
    camera = setup.vehicle.camera
    renderer = CameraRenderer(camera.model(), camera.mounting)
    state = setup.drive.state(time)
    rendered = renderer.render(
        setup.scene, state.pose, _leaning(setup.world, state), setup.seed * 1_000_003 + index
    )
    heights = rendered.boxes_xyxy[:, 3] - rendered.boxes_xyxy[:, 1]
    is_visible = (rendered.visibility > MIN_VISIBILITY) & (heights >= MIN_BOX_HEIGHT)
    return Picture(encoded(rendered.image, setup.quality), rendered.cones[is_visible])


def cast(setup: DriveSetup, caster: LidarCaster, time: float, index: int) -> CastScan:
    """The scan that begins at a time of the drive [s]; ``index`` seeds its noise."""
    state = setup.drive.state(time)
    world = _leaning(setup.world, state)
    seed = setup.seed * 2_000_003 + index
    if caster.preset.scan_duration == 0.0:
        return caster.cast(setup.scene, state.pose, world, seed)
    return caster.cast(
        setup.scene, state.pose, world, seed, lambda after: setup.drive.state(time + after).pose
    )


@contextmanager
def rendering(setup: DriveSetup, times: list[float], workers: int) -> Iterator[Iterator[Picture]]:
    """Images at the given times [s], in order, rendered ahead by worker processes."""
    if workers <= 1:
        yield (render(setup, time, index) for index, time in enumerate(times))
        return
    with ExitStack() as stack:
        with delay_interrupts() as release:
            pool = stack.enter_context(_process_context().Pool(workers, _start_worker, (setup,)))
            release()
        yield pool.imap(_render_in_worker, list(enumerate(times)), chunksize=2)


_setup: DriveSetup | None = None  # of a worker process, set when it starts


def _start_worker(setup: DriveSetup) -> None:
    global _setup
    _setup = setup
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this one
    cv2.setNumThreads(1)


def _render_in_worker(job: tuple[int, float]) -> Picture:
    if _setup is None:
        raise RuntimeError("the worker was not started with a setup")
    index, time = job
    return render(_setup, time, index)


def _process_context() -> Any:
    """Start workers from a fresh process: a fork of this one, with its threads, may hang."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    # Server and workers inherit the blocked signal: they would report Ctrl-C with a traceback each.
    resource_tracker.ensure_running()  # it unblocks the signal when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


def _leaning(world: World, state: CarState) -> World:
    return dataclasses.replace(world, vehicle_pitch=state.pitch, vehicle_roll=state.roll)


def encoded(image: npt.NDArray[np.uint8], quality: int) -> bytes | npt.NDArray[np.uint8]:
    """JPEG bytes of an RGB picture; the picture itself at a quality of 0."""
    if not quality:
        return image
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()
