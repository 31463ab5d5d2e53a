"""The whole examination: the installation, and where wanted the running graph."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from conegrad_core.pipeline.build import DEFAULT
from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.finding import Finding
from conegrad_nodes.doctor.installation import (
    examine_device,
    examine_disk,
    examine_engines,
    examine_packages,
    examine_weights,
)
from conegrad_nodes.doctor.middleware_checks import examine_middleware

Progress = Callable[[float], None]


def examine_installation(pipeline: str = DEFAULT) -> Iterator[Finding]:
    """What is wrong with this installation and its environment.

    Args:
        pipeline: whose stages and engines are tried; by name or path, or a recorded system.
    """
    yield from examine_packages()
    yield from examine_weights()
    yield from examine_engines(pipeline)
    yield from examine_device()
    yield from examine_disk()
    yield from examine_middleware()


def examine_running_graph(
    seconds: float,
    *,
    topics: Mapping[str, str] | None = None,
    vehicle: str = "",
    domain: int | None = None,
    progress: Progress = lambda seconds: None,
) -> Iterator[Finding]:
    """What is wrong with the graph that this environment reaches.

    Args:
        seconds: how long to listen.
        topics: topic of each role, where the usual names do not tell.
        vehicle: preset of the calibration, in place of that of the graph.
        domain: ROS domain; None: of the environment.
        progress: is told the seconds that have passed.
    """
    # rclpy is imported here: an installation without it can be examined.
    from conegrad_nodes.doctor.graph_checks import examine_graph
    from conegrad_nodes.doctor.graph_sample import sample_graph
    from conegrad_nodes.doctor.recorded_checks import examine_recording, options_of

    with tempfile.TemporaryDirectory(prefix="conegrad-") as folder:
        sample = sample_graph(Path(folder), seconds, domain=domain, progress=progress)
        yield from examine_graph(sample)
        if any(sample.received.values()):
            options = options_of(sample.parameters, topics or {}, vehicle)
            yield from examine_recording(sample.bag, options)
        else:
            yield Finding(
                "sensors",
                Level.ERROR,
                f"no message of a sensor in {seconds:.0f} s",
                "start the drivers, in this ROS_DOMAIN_ID and discovery range",
            )
