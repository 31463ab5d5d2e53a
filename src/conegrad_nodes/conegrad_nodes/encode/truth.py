"""True cones to messages."""

from conegrad_msgs.msg import TruthCone, TruthCones
from geometry_msgs.msg import Point
from std_msgs.msg import Header

from conegrad_core.cones import COLOUR_NAMES, TrueCones
from conegrad_data.decode.cones import COLOUR_NUMBERS


def truth_to_msg(truth: TrueCones, header: Header, ground_z: float) -> TruthCones:
    """conegrad_msgs/TruthCones.

    Args:
        truth: cones in the frame of the header.
        header: stamp that the positions hold for.
        ground_z: height of the ground in that frame [m].
    """
    deviations = truth.variances().sqrt()
    rows = zip(*(column.tolist() for column in (*truth[:4], deviations)), strict=True)
    return TruthCones(
        header=header,
        cones=[
            TruthCone(
                position=Point(x=float(x), y=float(y), z=float(ground_z)),
                colour=COLOUR_NUMBERS[COLOUR_NAMES[cone_class]],
                visible_camera=bool(visible_camera),
                visible_lidar=bool(visible_lidar),
                deviation=float(deviation),
            )
            for (x, y), cone_class, visible_camera, visible_lidar, deviation in rows
        ],
    )
