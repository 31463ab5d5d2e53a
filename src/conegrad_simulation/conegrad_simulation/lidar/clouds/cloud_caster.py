"""One frame of a 3-D LiDAR: solids, ground and own car, with noise, as points with labels."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_simulation.lidar.clouds.beam_grid import SensorMotion, Sweep, rotated, sweeps_of
from conegrad_simulation.lidar.clouds.patterns import LidarPattern
from conegrad_simulation.lidar.clouds.solid_casting import SolidHits, cast_solids
from conegrad_simulation.lidar.clouds.solids import Solids
from conegrad_simulation.lidar.clouds.terrain import Terrain, meet_ground
from conegrad_simulation.lidar.lidar_noise import LidarNoise, apply_noise
from conegrad_simulation.lidar.ray_casting import GROUND, NOTHING, Hits
from conegrad_simulation.planar import Bools, Floats, Ints

NO_CONE = -1
ROAD_REFLECTIVITY = 0.15


class CastCloud(NamedTuple):
    """Returns of one frame, in the order of time within each ring.

    Attributes:
        points: ``(N, 3)`` float32, each in the frame of the LiDAR at its time [m].
        rings: ``(N,)`` int16, from the lowest laser.
        times: ``(N,)`` float32 after the stamp [s].
        intensities: ``(N,)`` float32 in [0, 255].
        cones: ``(N,)`` int32 index of the cone that was hit, -1 for none.
        on_car: ``(N,)`` bool, the return is from the own car.
    """

    points: npt.NDArray[np.float32]
    rings: npt.NDArray[np.int16]
    times: npt.NDArray[np.float32]
    intensities: npt.NDArray[np.float32]
    cones: npt.NDArray[np.int32]
    on_car: Bools

    @property
    def labels(self) -> Bools:
        """``(N,)`` whether the return is from a cone."""
        return np.asarray(self.cones != NO_CONE)


class CarBody(NamedTuple):
    """The own car as the LiDAR sees it.

    Attributes:
        solids: in ``base_link``.
        motion: place and tilt of the LiDAR in ``base_link``, without speed.
    """

    solids: Solids
    motion: SensorMotion


class CloudScene(NamedTuple):
    """What a LiDAR can see.

    Attributes:
        solids: in the map.
        terrain: the ground of the map.
        car: the own car; None where it is out of sight.
    """

    solids: Solids
    terrain: Terrain
    car: CarBody | None = None


class CloudSensor(NamedTuple):
    """A LiDAR with its imperfections.

    Attributes:
        pattern: of its beams.
        noise: of the ranges.
        is_clockwise: it turns clockwise, as seen from above.
        hidden: lowest and highest azimuth [rad] of parts of the view that the driver masks out.
    """

    pattern: LidarPattern
    noise: LidarNoise
    is_clockwise: bool = True
    hidden: tuple[tuple[float, float], ...] = ()


class _Surfaces(NamedTuple):
    is_cone: Bools
    depth_scatter: Floats
    cone_rows: Ints
    reflectivity: Floats


def cast_cloud(
    sensor: CloudSensor, motion: SensorMotion, scene: CloudScene, rng: np.random.Generator
) -> CastCloud:
    """Cast one frame; a pure function of its arguments and the state of ``rng``.

    Args:
        sensor: the LiDAR.
        motion: of the LiDAR in the map.
        scene: around it.
        rng: source of every draw.
    """
    surfaces = _surfaces(scene)
    parts = [
        _cast_sweep(sweep, sensor, motion, scene, surfaces, rng)
        for sweep in sweeps_of(sensor.pattern, rng, is_clockwise=sensor.is_clockwise)
    ]
    return CastCloud(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _cast_sweep(
    sweep: Sweep,
    sensor: CloudSensor,
    motion: SensorMotion,
    scene: CloudScene,
    surfaces: _Surfaces,
    rng: np.random.Generator,
) -> CastCloud:
    hits, first_of_car = cast_solids(scene.solids, sweep, motion, rng), len(scene.solids.cone_rows)
    _add_ground(hits, sweep, motion, scene.terrain, rng)
    if scene.car is not None:
        own = cast_solids(scene.car.solids, sweep, scene.car.motion, rng)
        _add_car(hits, own, first_of_car)
    ranges, rows, grazing = hits.ranges.ravel(), hits.rows.ravel(), hits.grazing.ravel()
    ground = float(scene.terrain.heights(np.array(motion.x), np.array(motion.y)))
    height = max(motion.height - ground, 0.05)
    noisy, is_cone = apply_noise(Hits(ranges, rows, grazing), surfaces, height, sensor.noise, rng)
    noisy[(noisy < sensor.pattern.range_min) | _hidden(sweep, sensor.hidden)] = np.nan
    kept = np.isfinite(noisy)
    ring_of, column = np.divmod(np.flatnonzero(kept), len(sweep.times))
    rows, grazing, noisy, is_cone = rows[kept], grazing[kept], noisy[kept], is_cone[kept]
    points = sweep.directions.reshape(-1, 3)[kept] * noisy[:, None]
    surface = np.where(rows >= 0, rows, -1)  # the last one where no solid was met
    return CastCloud(
        points.astype(np.float32),
        ring_of.astype(np.int16),
        sweep.times[column].astype(np.float32),
        _intensities(surfaces.reflectivity[surface], grazing, rng),
        np.where(is_cone, surfaces.cone_rows[surface], NO_CONE).astype(np.int32),
        rows >= first_of_car,
    )


def _surfaces(scene: CloudScene) -> _Surfaces:
    """Of the solids, then of the car, then of the road."""
    solids, car = scene.solids, scene.car
    own = np.zeros(1 + (0 if car is None else len(car.solids.cone_rows)))
    paint = own[:-1] if car is None else car.solids.reflectivity
    cone_rows = np.concatenate([solids.cone_rows, np.full(len(own), NO_CONE)])
    return _Surfaces(
        cone_rows >= 0,
        np.concatenate([solids.depth_scatter, own]),
        cone_rows,
        np.concatenate([solids.reflectivity, paint, [ROAD_REFLECTIVITY]]),
    )


def _add_ground(
    hits: SolidHits,
    sweep: Sweep,
    motion: SensorMotion,
    terrain: Terrain,
    rng: np.random.Generator,
) -> None:
    places, yaws = motion.poses(sweep.times)
    along = rotated(sweep.directions @ motion.tilt.T, yaws)
    ground = meet_ground(terrain, np.broadcast_to(places, along.shape), along, rng)
    nearer = ground < hits.ranges
    hits.ranges[nearer] = ground[nearer]
    hits.rows[nearer] = GROUND
    with np.errstate(invalid="ignore"):
        rough = terrain.roughness * rng.standard_normal(int(nearer.sum()))
        hits.ranges[nearer] += rough / np.maximum(-along[nearer, 2], 0.1)
    hits.grazing[nearer] = 0.0
    hits.rows[np.isinf(hits.ranges)] = NOTHING


def _add_car(hits: SolidHits, own: SolidHits, first_row: int) -> None:
    nearer = own.ranges < hits.ranges
    hits.ranges[nearer] = own.ranges[nearer]
    hits.rows[nearer] = own.rows[nearer] + first_row
    hits.grazing[nearer] = own.grazing[nearer]


def _hidden(sweep: Sweep, hidden: tuple[tuple[float, float], ...]) -> Bools:
    columns = len(sweep.times)
    azimuths = sweep.first_azimuth + sweep.step * np.arange(columns)
    found = np.zeros(columns, dtype=bool)
    for low, high in hidden:
        found |= (azimuths >= low) & (azimuths <= high)
    return np.tile(found, len(sweep.elevations))


def _intensities(
    reflectivity: Floats, grazing: Floats, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    values = 255 * reflectivity * (1.0 - 0.7 * grazing) * rng.uniform(0.7, 1.1, len(grazing))
    return np.clip(values, 0, 255).astype(np.float32)
