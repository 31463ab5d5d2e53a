"""Shared memory of Fast DDS that is large enough for raw images.

By default it holds 512 kB. An image of 2.7 MB fills it, a scan that is sent meanwhile is lost, and
reliable topics repair that with the next heartbeat only, up to 3 s later.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
SEGMENT_SIZE = 64 * 2**20  # [bytes], about twenty raw images
PROFILE = f"""<?xml version="1.0" encoding="UTF-8" ?>
<dds xmlns="http://www.eprosima.com">
  <profiles>
    <transport_descriptors>
      <transport_descriptor>
        <transport_id>large_shared_memory</transport_id>
        <type>SHM</type>
        <segment_size>{SEGMENT_SIZE}</segment_size>
      </transport_descriptor>
      <transport_descriptor>
        <transport_id>this_machine</transport_id>
        <type>UDPv4</type>
        <interfaceWhiteList><address>127.0.0.1</address></interfaceWhiteList>
      </transport_descriptor>
    </transport_descriptors>
    <participant profile_name="large_messages" is_default_profile="true">
      <rtps>
        <userTransports>
          <transport_id>large_shared_memory</transport_id>
          <transport_id>this_machine</transport_id>
        </userTransports>
        <useBuiltinTransports>false</useBuiltinTransports>
      </rtps>
    </participant>
  </profiles>
</dds>
"""


@contextmanager
def large_messages(folder: Path) -> Iterator[None]:
    """Let this process and those it starts send large messages over shared memory.

    A profile that the user has set stays in force. Fast DDS reads it once, when a process joins
    its first graph.

    Args:
        folder: where to write the profile; must exist while processes start.
    """
    if any(name in os.environ for name in VARIABLES):
        yield
        return
    path = folder / "fastdds.xml"
    path.write_text(PROFILE, encoding="utf-8")
    os.environ.update(dict.fromkeys(VARIABLES, str(path)))
    try:
        yield
    finally:
        for name in VARIABLES:
            os.environ.pop(name, None)
