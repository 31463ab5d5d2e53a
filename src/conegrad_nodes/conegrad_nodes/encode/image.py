"""Images to messages."""

from array import array

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from conegrad_core.camera.image import RgbImage


def image_to_msg(image: RgbImage, header: Header) -> Image:
    """sensor_msgs/Image, rgb8, of a ``(height, width, 3)`` image."""
    height, width, _ = image.shape
    return Image(
        header=header,
        height=height,
        width=width,
        encoding="rgb8",
        step=3 * width,
        data=array("B", np.ascontiguousarray(image).tobytes()),
    )
