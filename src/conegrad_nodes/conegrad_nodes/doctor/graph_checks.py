"""Examines who is on a graph: publishers, types, QoS, life cycle, and what the nodes report."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from conegrad_data.status.part_status import Level
from conegrad_data.topics.topic_roles import types_of
from conegrad_nodes.doctor.finding import Finding
from conegrad_nodes.doctor.graph_sample import CONES, GraphSample, by_name
from conegrad_nodes.parameters.node_settings import NODE_SETTINGS

ONE_SOURCE = ("image", "camera_info", "scan", "points", "odom", "cones")  # roles
ACTIVE = "active"
MANUAL = "docs/troubleshooting.md says more"
REMEDIES = (  # of what the nodes report: pattern of name and text, and what helps
    (r"has no publisher", "start the driver in this ROS_DOMAIN_ID, or remap the topic"),
    (r"publisher\(s\) that are silent", "look at the driver: it waits for its sensor"),
    (r"is published as", "remap, or set image_transport or input to what is published"),
    (r"offers another", "set reliability or sensor_reliability of the node as the driver has it"),
    (r"cannot configure", "put right what it names, then: ros2 lifecycle set NODE configure"),
    (r"no intrinsics", "publish camera_info, or set calibration.intrinsics to file or vehicle"),
    (r"no extrinsics", "publish tf_static, or set calibration.extrinsics to file or vehicle"),
    (
        r"nearest scan is|behind",
        "synchronise the clocks (PTP, chrony), or set pairing.camera_offset",
    ),
    (r"stamps .* (behind|ahead of)", "synchronise the clocks (PTP, chrony)"),
    (r"stopped [0-9.]+ s ago", "look at the driver: it ended or hangs"),
    (r"are missing by their stamps", "give DDS shared memory, or look for a full network"),
    (
        r"repeat the stamp|went back",
        "let one driver alone publish the topic, with a clock that runs",
    ),
    (r"no odometry covers", "publish odom, for moving cars"),
    (r"skipped", "mend the messages in the driver"),
)


def examine_graph(sample: GraphSample) -> Iterator[Finding]:
    """What is wrong with nodes and topics.

    Args:
        sample: of the graph.
    """
    yield from _examine_nodes(sample)
    yield from _examine_topics(sample)
    yield from _examine_statuses(sample)
    yield from _examine_cones(sample)


def _examine_nodes(sample: GraphSample) -> Iterator[Finding]:
    for name, count in Counter(sample.nodes).items():
        if count > 1:
            yield Finding(
                "nodes",
                Level.ERROR,
                f"{count} nodes are called {name}: parameters and life cycle reach any of them",
                "end one, or give it another name or namespace (__node:=, __ns:=)",
            )
    silent = [name for name in set(sample.nodes) if name.rpartition("/")[2] in NODE_SETTINGS]
    silent = sorted(name for name in silent if name not in sample.states)
    if silent:
        text = f"{_named(silent)} sent no heartbeat on /diagnostics in {sample.seconds:.0f} s"
        remedy = "it is still starting, or hangs: listen longer (--seconds), then start it again"
        yield Finding("nodes", Level.ERROR, text, remedy)
    elif not sample.states:
        yield Finding(
            "nodes",
            Level.ERROR,
            f"no node of ConeGrad is on this graph; it has {_named(sample.nodes)}",
            "ros2 launch conegrad_bringup perception.launch.py, with the same ROS_DOMAIN_ID and "
            "ROS_AUTOMATIC_DISCOVERY_RANGE",
        )
    inactive = {name: state for name, state in sample.states.items() if state != ACTIVE}
    for name, state in sorted(inactive.items()):
        yield Finding(
            "nodes",
            Level.ERROR,
            f"{name} is {state}, expected {ACTIVE}",
            f"ros2 lifecycle set {name} configure, then activate; or set autostart: true",
        )
    if sample.states and not inactive:
        yield Finding("nodes", Level.OK, f"active: {_named(sample.states)}")


def _examine_topics(sample: GraphSample) -> Iterator[Finding]:
    for topic, publishers in sorted(sample.publishers.items()):
        kinds = {endpoint.msgtype for endpoint in (*publishers, *sample.subscriptions[topic])}
        if len(kinds) > 1 and publishers:
            text = f"{topic} has the types {_named(kinds)}"
            remedy = "remap one of them: nodes of different types do not meet"
            yield Finding("topics", Level.ERROR, text, remedy)
        if len(publishers) > 1 and _has_one_source(publishers[0].msgtype):
            nodes = _named(endpoint.node for endpoint in publishers)
            text = f"{topic} has {len(publishers)} publishers: {nodes}"
            remedy = "let one alone publish it; another may be a player or a second driver"
            yield Finding("topics", Level.ERROR, text, remedy)
    for topic, publisher, subscription, reason in sample.mismatches():
        yield Finding(
            "topics",
            Level.ERROR,
            f"{topic}: {subscription.node} gets nothing of {publisher.node}: {reason}",
            "let the subscription ask for less (reliability best_effort, durability volatile), or "
            "the publisher offer more",
        )
    for topic, msgtype in sorted(sample.unreadable.items()):
        remedy = f"install {msgtype.partition('/')[0]}; ROS from apt has it"
        yield Finding("topics", Level.WARN, f"{topic}: {msgtype} is not installed", remedy)
    for topic, count in sorted(sample.received.items()):
        publishers = sample.publishers.get(topic, [])
        if publishers and not count and publishers[0].msgtype not in CONES:
            text = f"{topic} is silent: nothing of {_named(e.node for e in publishers)}"
            text = f"{text} in {sample.seconds:.0f} s"
            yield Finding("topics", Level.WARN, text, "look at the driver: it waits for its sensor")


def _examine_statuses(sample: GraphSample) -> Iterator[Finding]:
    for name, (level, text) in sorted(by_name(sample.statuses).items()):
        if level == Level.OK:
            continue
        remedy = next((help for pattern, help in REMEDIES if re.search(pattern, text)), MANUAL)
        yield Finding("diagnostics", Level(min(level, Level.ERROR)), f"{name}: {text}", remedy)


def _examine_cones(sample: GraphSample) -> Iterator[Finding]:
    if not sample.states:
        return
    counts = {
        topic: sample.received.get(topic, 0)
        for topic, publishers in sample.publishers.items()
        if publishers and publishers[0].msgtype in CONES
    }
    for topic, count in sorted(counts.items()):
        rate = count / max(sample.seconds, 1e-9)
        if count:
            yield Finding("cones", Level.OK, f"{topic} comes at {rate:.1f} Hz")
        else:
            text = f"{topic}: no cones in {sample.seconds:.0f} s"
            yield Finding("cones", Level.ERROR, text, "the other findings say why")
    if not counts:
        text = "nobody publishes cones"
        yield Finding("cones", Level.ERROR, text, "start the fusion node: perception.launch.py")


def _has_one_source(msgtype: str) -> bool:
    return any(msgtype in types_of(role) for role in ONE_SOURCE)


def _named(names: Iterable[str]) -> str:
    found = sorted(set(names))
    return ", ".join(found) or "nobody"
