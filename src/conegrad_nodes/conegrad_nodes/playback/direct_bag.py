"""Writes the cones of a run without the live graph as a bag like that of a run with it."""

import shlex
from pathlib import Path
from typing import Any

from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter
from conegrad_nodes.encode import cones_to_msg, stamp_to_msg
from conegrad_nodes.pair_fusion import SensorResult
from conegrad_nodes.playback.direct import DirectFrame, direct_frames
from conegrad_nodes.playback.perceive import PerceiveOptions, Progress, output_topics


def perceive_directly(
    bag_path: str | Path,
    output: str | Path,
    options: PerceiveOptions | None = None,
    *,
    progress: Progress | None = None,
) -> int:
    """Run the modules on a bag and write it again with ``/cones``.

    Returns:
        The number of messages on ``/cones``.

    Raises:
        BagError: if a bag cannot be read or written, lacks a part of the calibration, or gives no
            cones.
        CalibrationError: if a pair is decided before the calibration is known.
    """
    options = options or PerceiveOptions()
    outputs = output_topics(options.hosts)
    with BagReader(bag_path) as bag:
        frames = direct_frames(bag, options, progress=progress)  # refuses before a bag is made
        with BagWriter(
            output,
            typestore=bag.typestore,
            qos=bag.qos,
            notes=options.notes,
            removed_by=BaseException,
        ) as writer:
            count = 0
            for frame in frames:
                data = serialize_message(_cones_msg(frame))
                writer.write("/cones", outputs["/cones"], frame.receive_ns, data)
                count += 1
            if not count:
                raise BagError(
                    f"nothing was perceived: no message of {bag.path} gave cones, and no bag is "
                    f"written; 'conegrad info {shlex.quote(str(bag.path))}' says what it lacks"
                )
            for raw in bag.raw_messages([n for n, t in bag.topics.items() if t.is_readable]):
                if raw.topic not in outputs:
                    writer.write(raw.topic, raw.msgtype, raw.receive_ns, raw.data)
    return count


def _cones_msg(frame: DirectFrame) -> Any:
    image: SensorResult | None = frame.pair.detections
    scan: SensorResult | None = frame.pair.segmentation
    header = Header(stamp=stamp_to_msg(frame.pair.stamp_ns), frame_id=frame.frame)
    return cones_to_msg(
        frame.cones,
        header,
        frame.ground,
        camera_stamp=stamp_to_msg(image.stamp_ns) if image else None,
        lidar_stamp=stamp_to_msg(scan.stamp_ns) if scan else None,
        reasons=frame.reasons,
    )
