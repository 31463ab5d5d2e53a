"""Random courses of training frames: a piece of a track, or scattered cones in view."""

import math
from functools import lru_cache

import numpy as np

from conegrad_core.cones import CLASS_NAMES, ConeClass
from conegrad_simulation.planar import Floats, Ints, Pose
from conegrad_simulation.samples.cone_groups import random_groups
from conegrad_simulation.track.track import Track
from conegrad_simulation.track.track_events import acceleration, skidpad
from conegrad_simulation.track.track_random import random_track

TRACKS = 160  # random tracks to choose from
FIRST_TRACK = 1_000_000  # seed of the first of them, far from the seeds of users
REACH = 42.0  # [m], cones farther from the car are left out
SCATTER_SHARE = 0.4  # of frames whose cones follow no track
GROUP_SHARE = 0.5  # of hard frames with groups of cones
LEAST_GAP = 0.25  # [m] between the middles of two cones of a group


def random_course(
    rng: np.random.Generator, half_view: float, spacing: float, level: str
) -> tuple[Floats, Ints, Pose]:
    """Cones ``(N, 2)`` with classes ``(N,)`` in the map, and the pose of the car.

    Args:
        rng: source of all random draws.
        half_view: half of the camera's horizontal field of view [rad].
        spacing: size of the tracks relative to Formula Student.
        level: ``clear`` takes tracks without changes, other levels vary and scatter cones, and
            ``hard`` adds groups of cones close together.
    """
    if level != "clear" and rng.random() < SCATTER_SHARE:
        course = _scatter(rng, half_view, spacing)
    else:
        course = _on_track(rng, spacing, level)
    if level == "hard" and rng.random() < GROUP_SHARE:
        return _with_groups(rng, course, half_view, spacing)
    return course


def _with_groups(
    rng: np.random.Generator,
    course: tuple[Floats, Ints, Pose],
    half_view: float,
    spacing: float,
) -> tuple[Floats, Ints, Pose]:
    """The course with groups of cones ahead, in place of the cones where they stand."""
    positions, classes, pose = course
    places, kinds = random_groups(rng, half_view, max(spacing, 0.6))
    far_enough = np.linalg.norm(places, axis=1) > 1.2
    cosine, sine = math.cos(pose.yaw), math.sin(pose.yaw)
    turned = places[far_enough] @ np.array([[cosine, sine], [-sine, cosine]]) + [pose.x, pose.y]
    all_places = np.vstack([turned, positions.reshape(-1, 2)])
    all_classes = np.concatenate([kinds[far_enough], classes]).astype(np.int64)
    gaps = np.linalg.norm(all_places[:, None] - all_places[None], axis=2)
    earlier = np.tril(np.ones_like(gaps, dtype=bool), -1)
    keep = ~((gaps < LEAST_GAP) & earlier).any(axis=1)
    return all_places[keep], all_classes[keep], pose


def _on_track(rng: np.random.Generator, spacing: float, level: str) -> tuple[Floats, Ints, Pose]:
    track = _track(int(rng.integers(TRACKS + 24)), spacing)
    line = track.centre_line
    at = int(rng.integers(len(line) - 1))
    x, y = line[at]
    ahead = line[(at + 4) % len(line) if track.is_closed else min(at + 4, len(line) - 1)]
    yaw = math.atan2(ahead[1] - y, ahead[0] - x) if (ahead != line[at]).any() else 0.0
    free = level != "clear"
    side = rng.normal(0, 0.5 if free else 0.15) * spacing
    pose = Pose(
        float(x - math.sin(yaw) * side),
        float(y + math.cos(yaw) * side),
        float(yaw + rng.normal(0, 0.2 if free else 0.05) + math.pi * (free and rng.random() < 0.3)),
    )
    near = np.hypot(*(track.positions - [pose.x, pose.y]).T) < REACH
    positions, classes = track.positions[near], track.classes[near]
    if free:
        positions = positions + rng.normal(0, 0.12 * spacing, positions.shape)
        classes = _recoloured(rng, classes)
    return positions, classes, pose


@lru_cache(maxsize=TRACKS + 24)
def _track(index: int, spacing: float) -> Track:
    # The fixed courses come more often than one in a hundred: only they have small orange cones.
    if index >= TRACKS:
        track = acceleration() if index % 2 else skidpad()
    else:
        track = random_track(FIRST_TRACK + index)
    return track.scaled(spacing)


def _recoloured(rng: np.random.Generator, classes: Ints) -> Ints:
    """Classes with some other colours, so that colour and side are not always correlated."""
    draw = rng.random()
    if draw < 0.12:
        return np.asarray(rng.permutation(len(CLASS_NAMES))[classes], dtype=np.int64)
    if draw < 0.3:
        other = rng.integers(len(CLASS_NAMES), size=len(classes))
        return np.where(rng.random(len(classes)) < 0.4, other, classes)
    return classes


def _scatter(
    rng: np.random.Generator, half_view: float, spacing: float
) -> tuple[Floats, Ints, Pose]:
    x, y = rng.uniform(-50, 50, 2).tolist()
    pose = Pose(x, y, float(rng.uniform(-math.pi, math.pi)))
    count = int(rng.integers(0, 26)) if rng.random() < 0.95 else 0
    scale = max(spacing, 0.6)
    distance = np.exp(rng.uniform(math.log(1.3), math.log(28.0), count)) * scale
    azimuth = rng.uniform(-1.1, 1.1, count) * half_view
    local = distance[:, None] * np.stack([np.cos(azimuth), np.sin(azimuth)], axis=1)
    local[:, 0] += 0.8 * scale
    classes = _scattered_classes(rng, count)
    if count and rng.random() < 0.4:
        local, classes = _grouped(rng, local, classes)
    local, classes = _apart(local, classes)
    cosine, sine = math.cos(pose.yaw), math.sin(pose.yaw)
    turned = local @ np.array([[cosine, sine], [-sine, cosine]])
    return np.add(turned, [pose.x, pose.y]), classes, pose


def _scattered_classes(rng: np.random.Generator, count: int) -> Ints:
    shares = rng.dirichlet((0.7, 0.7, 0.6, 0.6))
    return rng.choice(len(CLASS_NAMES), size=count, p=shares).astype(np.int64)


def _grouped(rng: np.random.Generator, local: Floats, classes: Ints) -> tuple[Floats, Ints]:
    """Cones with close neighbours, like the pairs at start lines or stored cones."""
    beside = local + rng.uniform(0.28, 0.9, (len(local), 1)) * _directions(rng, len(local))
    chosen = rng.random(len(local)) < 0.4
    same = np.where(rng.random(len(local)) < 0.8, classes, int(ConeClass.BIG_ORANGE))
    return np.vstack([local, beside[chosen]]), np.concatenate([classes, same[chosen]])


def _directions(rng: np.random.Generator, count: int) -> Floats:
    angle = rng.uniform(0, 2 * np.pi, count)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _apart(local: Floats, classes: Ints) -> tuple[Floats, Ints]:
    """Cones without those that overlap another one or the camera."""
    gaps = np.linalg.norm(local[:, None] - local[None], axis=2)
    earlier = np.tril(np.ones_like(gaps, dtype=bool), -1)
    keep = ~((gaps < 0.27) & earlier).any(axis=1) & (np.linalg.norm(local, axis=1) > 0.9)
    return local[keep], classes[keep]
