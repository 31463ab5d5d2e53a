"""Messages of sensors: an image of stripes, a scan with one narrow object, a pinhole camera."""

from array import array

import numpy as np
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from untrained import SIZE

BEAMS = 181


def image_msg(stamp=7, size=SIZE):
    msg = Image(width=size[0], height=size[1], encoding="rgb8", step=3 * size[0])
    msg.header.frame_id, msg.header.stamp.sec = "camera_optical", stamp
    pixels = np.arange(3 * size[0] * size[1]) % 251
    msg.data = array("B", pixels.astype(np.uint8).tobytes())
    return msg


def scan_msg(stamp=7, beams=BEAMS, ranges=None):
    msg = LaserScan(angle_min=-1.5, angle_max=1.5, angle_increment=3.0 / (beams - 1))
    msg.range_max = 30.0
    msg.header.frame_id, msg.header.stamp.sec = "lidar", stamp
    values = np.full(beams, np.nan, dtype=np.float32) if ranges is None else ranges
    if ranges is None:
        values[88:93] = 4.0  # one narrow object straight ahead
    msg.ranges = array("f", np.asarray(values, dtype=np.float32).tobytes())
    return msg


def camera_info_msg(size=SIZE):
    msg = CameraInfo(width=size[0], height=size[1], distortion_model="plumb_bob")
    msg.header.frame_id = "camera_optical"
    msg.k = [80.0, 0.0, size[0] / 2, 0.0, 80.0, size[1] / 2, 0.0, 0.0, 1.0]
    msg.d = [0.0] * 5
    return msg
