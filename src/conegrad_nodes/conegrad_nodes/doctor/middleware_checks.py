"""Examines what the environment says to the middleware: who meets whom, and room for images."""

import os
from collections.abc import Iterator

from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.finding import Finding
from conegrad_nodes.middleware.domain import HIGHEST_DOMAIN, RANGE
from conegrad_nodes.middleware.transport import users_fault
from conegrad_nodes.playback.graph_process import GraphError
from conegrad_nodes.playback.this_machine import RMW, TESTED_RMW, check_discovery, check_middleware

DOMAIN = "ROS_DOMAIN_ID"
AREA = "middleware"


def examine_middleware() -> Iterator[Finding]:
    """What is wrong with the environment of this process, by variable."""
    faults = [*_refusals(), *_domain_faults(), *_transport_faults()]
    yield from faults
    if not faults:
        domain = os.environ.get(DOMAIN) or "0"
        found = os.environ.get(RANGE) or "not set (nodes of ConeGrad meet this machine alone)"
        yield Finding(AREA, Level.OK, f"{TESTED_RMW}, {DOMAIN} {domain}, {RANGE} {found}")


def _refusals() -> Iterator[Finding]:
    """What keeps nodes from meeting."""
    for check, remedy in (
        (check_middleware, f"unset {RMW}"),
        (check_discovery, f"unset {RANGE}, or set it to LOCALHOST or SUBNET"),
    ):
        try:
            check()
        except GraphError as error:
            yield Finding(AREA, Level.ERROR, str(error), remedy)


def _domain_faults() -> Iterator[Finding]:
    text = os.environ.get(DOMAIN, "")
    if not text:
        return
    if not text.isdecimal() or int(text) > HIGHEST_DOMAIN:
        yield Finding(
            AREA,
            Level.ERROR,
            f"{DOMAIN} is {text!r}, expected 0 to {HIGHEST_DOMAIN}: above it the ports of DDS are "
            "those that Linux gives to other programs",
            f"set {DOMAIN} to a number up to {HIGHEST_DOMAIN}, the same on all machines",
        )


def _transport_faults() -> Iterator[Finding]:
    if fault := users_fault():
        text, _, remedy = fault.rpartition("; ")
        yield Finding(AREA, Level.ERROR, text or fault, remedy)
    if os.environ.get("ROS_LOCALHOST_ONLY") == "1" and os.environ.get(RANGE):
        text = f"ROS_LOCALHOST_ONLY is 1: ROS ignores {RANGE}={os.environ[RANGE]}"
        yield Finding(AREA, Level.WARN, text, "unset ROS_LOCALHOST_ONLY")
