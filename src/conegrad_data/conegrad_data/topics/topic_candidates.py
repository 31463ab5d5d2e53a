"""The topics of a bag that may play a role: with messages, of its type, and meant for it."""

from conegrad_data.bags.reader import BagReader
from conegrad_data.topics.topic_roles import COMPRESSED_IMAGE, IMAGE, ROLES, TopicChoice, types_of
from conegrad_data.topics.topic_rules import (
    camera_namespace,
    has_ending,
    info_beside,
    is_truth,
    picture_of,
)

# Packages and types of data that only the driver of a sensor can turn into what is read.
PACKETS = {
    "scan": ("sensor_msgs/msg/MultiEchoLaserScan",),
    "points": (
        "velodyne_msgs/", "ouster_msgs/", "ouster_sensor_msgs/", "livox_ros_driver",
        "livox_interfaces/", "rslidar_msg", "hesai_ros_driver/", "pandar_msgs/",
    ),
    "image": ("theora_image_transport/", "ffmpeg_image_transport_msgs/", "foxglove_msgs/"),
}  # fmt: skip
DEPTHS = ("16UC1", "32FC1")  # encodings of depth images


def candidates(bag: BagReader, role: str, choice: TopicChoice) -> list[str]:
    """Names that may play a role; ``choice`` gets a note of what is passed over.

    Args:
        bag: where to look.
        role: a key of :data:`ROLES`.
        choice: of the roles before it.
    """
    types = types_of(role)
    fitting = [name for name, topic in bag.topics.items() if topic.msgtype in types]
    names = _with_messages(bag, role, fitting, choice)
    names = _without_truth(role, names, choice)
    if role == "image":
        return _without_depth(bag, names, choice)
    return _beside_the_image(bag, names, choice) if role == "camera_info" else names


def _with_messages(bag: BagReader, role: str, names: list[str], choice: TopicChoice) -> list[str]:
    full = [name for name in names if bag.topics[name].count]
    ending = ROLES[role][0][0][0]
    strange = [
        name
        for name, topic in bag.topics.items()
        if name not in names
        and (
            has_ending(picture_of(name), ending) or topic.msgtype.startswith(PACKETS.get(role, ()))
        )
    ]
    if full:
        return full
    if names:
        choice.notes[role] = f"{', '.join(names)} in {bag.path} has no messages"
    elif strange:
        held = ", ".join(f"{name} is {bag.topics[name].msgtype}" for name in strange)
        expected = " or ".join(sorted(types_of(role)))
        choice.notes[role] = f"{held} in {bag.path}, expected {expected} as {role}"
    return []


def _without_truth(role: str, names: list[str], choice: TopicChoice) -> list[str]:
    if role == "truth":
        return names
    truths = [name for name in names if is_truth(name)]
    others = [name for name in names if name not in truths]
    if not truths:
        return names
    if not others:
        choice.notes[role] = f"{', '.join(truths)} is used as {role}: the bag has no other"
        return truths
    choice.notes[role] = f"{', '.join(truths)} is truth and is not used as {role}"
    return others


def _without_depth(bag: BagReader, names: list[str], choice: TopicChoice) -> list[str]:
    if len(names) < 2:
        return names
    depths = [name for name in names if _is_depth(bag, name)]
    if depths and len(depths) < len(names):
        choice.notes["image"] = f"{', '.join(depths)}: depth images are not used"
        return [name for name in names if name not in depths]
    return names


def _is_depth(bag: BagReader, name: str) -> bool:
    raw = next(bag.raw_messages([name]), None)
    if raw is None:
        return False
    msg = bag.decode(raw)
    if raw.msgtype == COMPRESSED_IMAGE:
        return "compressedDepth" in msg.format or msg.format.startswith(DEPTHS)
    return msg.encoding in DEPTHS


def _beside_the_image(bag: BagReader, names: list[str], choice: TopicChoice) -> list[str]:
    """The camera_info of the chosen image; one of another camera is not taken for it."""
    if "image" not in choice.roles:
        return names
    image = choice.roles["image"]
    images = [n for n, t in bag.topics.items() if t.msgtype in (IMAGE, COMPRESSED_IMAGE)]
    found = info_beside(image, names, [name for name in images if name != image])
    if names and not found:
        choice.notes["camera_info"] = (
            f"{', '.join(names)} in {bag.path} is not in the namespace of {image}, whose "
            f"camera_info would be {camera_namespace(image)}/camera_info; --topic camera_info="
            f"{names[0]} takes it all the same"
        )
    return found
