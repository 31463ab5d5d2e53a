"""What the names of topics tell: whose camera_info, which truth, which pictures are rectified."""

from collections.abc import Sequence

TRUTH_PARTS = {"truth", "ground_truth", "groundtruth"}
TRANSPORTS = {"compressed", "compressedDepth", "theora", "ffmpeg", "zstd"}  # of image_transport
RECTIFIED = "image_rect"  # image_proc publishes image_rect, image_rect_color
RECTIFIED_PARTS = {"rect", "rectified"}  # as in /rgb/rect/image


def namespace_of(name: str) -> str:
    """``/left`` of ``/left/image_raw``; empty at the root."""
    return name.rpartition("/")[0]


def has_ending(name: str, ending: str) -> bool:
    """Whether a name ends with whole parts; an empty ending fits every name."""
    return not ending or name == f"/{ending}" or name.endswith(f"/{ending}")


def is_truth(name: str) -> bool:
    """Whether a topic lies in a namespace of truth, such as ``/truth/odom``."""
    return bool(TRUTH_PARTS & set(namespace_of(name).split("/")))


def picture_of(name: str) -> str:
    """``/left/image_raw`` of ``/left/image_raw/compressed``."""
    head, _, last = name.rpartition("/")
    return head if last in TRANSPORTS else name


def camera_namespace(image: str) -> str:
    """``/left`` of ``/left/image_raw/compressed``."""
    return namespace_of(picture_of(image))


def is_rectified(image: str) -> bool:
    """Whether a topic of images says that they have no distortion any more."""
    *_, place, name = f"//{picture_of(image)}".split("/")
    return name.startswith(RECTIFIED) or place in RECTIFIED_PARTS


def info_beside(image: str, infos: Sequence[str], others: Sequence[str]) -> list[str]:
    """The camera_info topics that may belong to an image.

    The one in its namespace, else in the nearest namespace around it; else those that are not
    beside another image.

    Args:
        image: its topic.
        infos: topics of CameraInfo.
        others: topics of other images.
    """
    place = camera_namespace(image)
    while True:
        beside = [name for name in infos if namespace_of(name) == place]
        if beside or not place:
            break
        place = namespace_of(place)
    foreign = {camera_namespace(name) for name in others} - {camera_namespace(image)}
    if beside and (place == camera_namespace(image) or place not in foreign):
        return beside
    return [name for name in infos if namespace_of(name) not in foreign]
