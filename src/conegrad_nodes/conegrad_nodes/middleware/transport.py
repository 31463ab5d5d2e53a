"""Shared memory of Fast DDS that is large enough for raw images.

By default it holds 512 kB. An image of 2.7 MB fills it, a scan that is sent meanwhile is lost, and
reliable topics repair that with the next heartbeat only, up to 3 s later. The sender's memory
counts.
"""

import logging
import os
import shutil
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from conegrad_nodes.middleware.domain import BUILTIN

logger = logging.getLogger(__name__)

VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
SEGMENT_SIZE = 64 * 2**20  # [bytes], about twenty raw images
SMALLEST_SEGMENT = 4 * 2**20  # [bytes], one raw image of 1280x720 and what is sent meanwhile
SEGMENTS = 6  # of that size, for the processes of a graph
SHARED_MEMORY = Path("/dev/shm")
REMEDY = "give its SHM transport a segment_size as config/fastdds_large_messages.xml does"
HERE = "<interfaceWhiteList><address>127.0.0.1</address></interfaceWhiteList>"


def profile_text(interfaces: str = HERE) -> str:
    """The profile, with the network interfaces that it may use."""
    return f"""<?xml version="1.0" encoding="UTF-8" ?>
<dds xmlns="http://www.eprosima.com">
  <profiles>
    <transport_descriptors>
      <transport_descriptor>
        <transport_id>large_shared_memory</transport_id>
        <type>SHM</type>
        <segment_size>{SEGMENT_SIZE}</segment_size>
      </transport_descriptor>
      <transport_descriptor>
        <transport_id>network</transport_id>
        <type>UDPv4</type>
        {interfaces}
      </transport_descriptor>
    </transport_descriptors>
    <participant profile_name="large_messages" is_default_profile="true">
      <rtps>
        <userTransports>
          <transport_id>large_shared_memory</transport_id>
          <transport_id>network</transport_id>
        </userTransports>
        <useBuiltinTransports>false</useBuiltinTransports>
      </rtps>
    </participant>
  </profiles>
</dds>
"""


@contextmanager
def large_messages(folder: Path | None = None, interfaces: str = HERE) -> Iterator[None]:
    """Let this process and those it starts send large messages over shared memory.

    A profile that the user has set stays in force; the log says where it is too small. Fast DDS
    reads it once, when a process joins its first graph.

    Args:
        folder: where to write the profile; must exist while processes start. None: a new one,
            for this block.
        interfaces: XML of the network interfaces; the default is this machine, empty are all.
    """
    if fault := users_fault():
        logger.warning("%s", fault)
    if is_chosen(os.environ) or fault:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="conegrad-") as new:
        path = Path(folder or new) / "fastdds.xml"
        path.write_text(profile_text(interfaces), encoding="utf-8")
        os.environ.update(dict.fromkeys(VARIABLES, str(path)))
        try:
            yield
        finally:
            for name in VARIABLES:
                os.environ.pop(name, None)


def is_chosen(environment: Mapping[str, str]) -> bool:
    """Whether the user has chosen transports; that stays in force."""
    return any(environment.get(name) for name in (*VARIABLES, BUILTIN))


def users_profile() -> tuple[str, Path] | None:
    """Variable and file of the profile that the user has set, if any."""
    for name in reversed(VARIABLES):  # Jazzy's Fast DDS reads the second one
        if os.environ.get(name):
            return name, Path(os.environ[name])
    return None


def users_fault() -> str:
    """What raw images lack, in the profile that the user has set or on this machine; or empty."""
    found = users_profile()
    if found is None:
        return "" if is_chosen(os.environ) else _shortage()
    name, path = found
    try:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, ElementTree.ParseError) as error:
        return f"{name}={path} cannot be read, Fast DDS goes on without it: {error}"
    size = _shared_memory(root)
    if size is None or size >= SMALLEST_SEGMENT:
        return ""
    return f"{name}={path} has {size} bytes of shared memory: raw images are lost; {REMEDY}"


def _shortage() -> str:
    """Fast DDS cannot start where the machine lacks the memory, as a container by default does."""
    if not SHARED_MEMORY.is_dir():
        return ""
    free = shutil.disk_usage(SHARED_MEMORY).free
    if free >= SEGMENTS * SEGMENT_SIZE:
        return ""
    return (
        f"{SHARED_MEMORY} has {free // 2**20} MB free: raw images may be lost; "
        f"give it {SEGMENTS * SEGMENT_SIZE // 2**20} MB (docker run --shm-size)"
    )


def _shared_memory(root: ElementTree.Element) -> int | None:
    """Smallest segment of shared memory of a profile [bytes]; None where it uses none."""
    texts = [
        (element.tag.rpartition("}")[2], (element.text or "").strip()) for element in root.iter()
    ]
    sizes = [int(text) for tag, text in texts if tag == "segment_size" and text.isdecimal()]
    if sizes:
        return min(sizes)
    is_udp_alone = ("useBuiltinTransports", "false") in texts and ("type", "SHM") not in texts
    return None if is_udp_alone else 512 * 2**10  # as Fast DDS has it
