"""Animation of a drive as GIF: the camera image beside the top view."""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as GifImage

from conegrad_core.cones import Cones
from conegrad_core.drawing import COLOURS_RGB, INK, PAPER
from conegrad_simulation.closed_loop.simulator import Simulator
from conegrad_simulation.closed_loop.top_view import (
    GROUND,
    LINE,
    Image,
    draw_car,
    draw_cones,
    draw_line,
    draw_text,
    top_view_around,
)
from conegrad_simulation.planar import Floats, Ints, Pose, to_parent
from conegrad_simulation.recording.drive_render import Picture
from conegrad_simulation.track.curve import closed

HEIGHT = 216  # [px]
REACH = 16.0  # [m] shown ahead of the car, at full size
GAP = 0.3  # [s], least simulated time between two frames
MAX_FRAMES = 80  # fewer if the file would be too large
MAX_BYTES = 1_900_000
DURATION = 130  # [ms] that a frame is shown
COLOURS = 64
SHADE = 0.6  # brightness of the dark side of a cone


class DriveAnimation:
    """Collects frames of a drive and writes them as a GIF.

    Args:
        simulator: source of scene, car and calibration.

    Raises:
        ValueError: if the vehicle has no chassis.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        description = simulator.description
        if description.vehicle.chassis is None:
            raise ValueError(f"{description.vehicle.name} has no chassis, expected one to drive")
        self._chassis = description.vehicle.chassis
        track = description.track
        self._line = closed(track.centre_line) if track.is_closed else track.centre_line
        self._cones: tuple[Floats, Ints] = (np.zeros((0, 2)), np.zeros(0, dtype=np.int64))
        self._next = 0.0
        self._frames: list[Image] = []

    def set_cones(self, cones: Cones, pose: Pose, *, in_base: bool = False) -> None:
        """Set the perceived cones of the next frames.

        Args:
            cones: in the frame of the LiDAR, or of ``base_link`` [m].
            pose: of ``base_link`` in the map when the cones were made.
            in_base: the cones are in ``base_link``.
        """
        positions = cones.positions.double().numpy()
        if not in_base:
            mounting = self._simulator.description.vehicle.lidar.mounting
            positions = to_parent(positions, mounting.x, mounting.y, mounting.yaw)
        self._cones = (to_parent(positions, *pose), cones.colours.argmax(dim=1).numpy())

    def add_frame(self, picture: Picture | None) -> None:
        """Add a frame, at most one per :data:`GAP`; None stands for a lost camera."""
        time = self._simulator.car.time
        if time < self._next:
            return
        self._next = time + GAP
        self._frames.append(np.hstack([self._camera_view(picture), self._top_view()]))

    def save(self, path: Path) -> int:
        """Write the GIF with at most :data:`MAX_BYTES`; returns the number of its frames."""
        count = min(MAX_FRAMES, len(self._frames))
        while count > 0:
            data = _gif(self._evenly_spaced(count))
            if len(data) <= MAX_BYTES or count == 1:
                path.write_bytes(data)
                return count
            count = max(1, int(0.95 * count * MAX_BYTES / len(data)))
        return 0

    def _evenly_spaced(self, count: int) -> list[Image]:
        rows = np.linspace(0, len(self._frames) - 1, count).round().astype(int)
        return [self._frames[row] for row in rows]

    def _camera_view(self, picture: Picture | None) -> Image:
        camera = self._simulator.description.vehicle.camera
        size = (round(HEIGHT * camera.width / camera.height), HEIGHT)
        if picture is None:
            dark: Image = np.full((HEIGHT, size[0], 3), 40, dtype=np.uint8)
            draw_text(dark, "no camera", (12, HEIGHT // 2), 0.6)
            return dark
        image = cv2.resize(_decoded(picture), size, interpolation=cv2.INTER_AREA)
        state = self._simulator.car.state(self._simulator.car.time)
        label = f"{self._simulator.car.time:5.1f} s   {state.speed:4.1f} m/s"
        draw_text(image, label, (8, HEIGHT - 8), 0.45)
        return np.asarray(image, dtype=np.uint8)

    def _top_view(self) -> Image:
        description, pose = self._simulator.description, self._simulator.car.pose
        scale = description.scale
        view = top_view_around(pose, HEIGHT, REACH * scale)
        draw_line(view, self._line, LINE, 0.1 * scale)
        draw_cones(view, description.track.positions, description.track.classes, 0.7 * scale,
                   is_hollow=True)  # fmt: skip
        draw_cones(view, *self._cones, 0.38 * scale)
        draw_car(view, pose, self._chassis)
        cv2.line(view.image, (0, 0), (0, HEIGHT), PAPER, 2)
        return view.image


def _decoded(picture: Picture) -> Image:
    if not isinstance(picture.data, bytes):
        return picture.data
    image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_REDUCED_COLOR_2)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _gif(frames: list[Image]) -> bytes:
    # One palette for all frames: colours stay still, and equal parts need no bytes.
    palette = _palette(frames[:: max(1, len(frames) // 4)])
    pictures = [
        GifImage.fromarray(frame).quantize(palette=palette, dither=GifImage.Dither.NONE)
        for frame in frames
    ]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, format="GIF", save_all=True, append_images=pictures[1:], duration=DURATION, loop=0
    )
    return buffer.getvalue()


def _palette(frames: list[Image]) -> GifImage.Image:
    """Palette of sampled frames, with fixed entries for the colours of drawings."""
    bright = list(COLOURS_RGB.values())
    in_shade = [tuple(round(SHADE * value) for value in colour) for colour in bright]
    drawn = [INK, PAPER, GROUND, LINE, *bright, *in_shade]
    sampled = GifImage.fromarray(np.vstack(frames)).quantize(COLOURS - len(drawn))
    colours = (sampled.getpalette() or [])[: 3 * (COLOURS - len(drawn))]
    palette = GifImage.new("P", (1, 1))
    palette.putpalette([*colours, *(value for colour in drawn for value in colour)])
    return palette
