"""What a client of Foxglove gets: the channels of a feed, and the messages that it asks for."""

import asyncio
import json
import struct

import pytest
from view_messages import SECOND, note_image, note_scan, note_scene

from conegrad_nodes.view_server.decoding import decoded
from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.foxglove_messages import picture_from_msg, scene_from_msg
from conegrad_nodes.view_server.foxglove_server import FoxgloveServer

aiohttp = pytest.importorskip("aiohttp")

LONG = 60.0  # [s]
HEADER = struct.Struct("<BIQ")  # kind, subscription, time [ns]


@pytest.fixture
def feed():
    return ViewFeed("a drive", expected=("image", "scan", "cones"))


@pytest.fixture
def server(feed):
    with FoxgloveServer(feed, 0) as server:
        yield server


async def received(address, wanted, refresh):
    """Schemas of all channels, and the first message of each wanted topic: time and bytes."""
    schemas, ids, topics, found = {}, {}, {}, {}  # ids of channels, topics of subscriptions
    connection = aiohttp.ClientSession()
    async with connection, connection.ws_connect(address, protocols=["foxglove.sdk.v1"]) as socket:
        while set(found) != set(wanted):
            refresh()
            try:
                message = await socket.receive(timeout=0.3)
            except TimeoutError:
                # Also again: the SDK forgets what a client asks for amid its own announcement.
                await subscribe(socket, ids, wanted - found.keys(), topics)
                continue
            if message.type == aiohttp.WSMsgType.BINARY:
                _, number, time_ns = HEADER.unpack_from(message.data)
                found.setdefault(topics[number], (time_ns, message.data[HEADER.size :]))
            elif message.json()["op"] == "advertise":
                channels = message.json()["channels"]
                schemas |= {channel["topic"]: channel["schemaName"] for channel in channels}
                ids |= {channel["topic"]: channel["id"] for channel in channels}
    return schemas, found


async def subscribe(socket, ids, wanted, topics):
    entries = []
    for topic in wanted & ids.keys():
        topics[len(topics) + 1] = topic
        entries.append({"id": len(topics), "channelId": ids[topic]})
    await socket.send_str(json.dumps({"op": "subscribe", "subscriptions": entries}))


def ask(server, wanted, refresh):
    return asyncio.run(asyncio.wait_for(received(server.address, set(wanted), refresh), LONG))


def test_a_client_gets_what_it_subscribes_to(server, feed):
    wanted = ["/view/camera", "/view/boxes", "/view/cones", "/scan", "/diagnostics", "/tf"]
    schemas, found = ask(server, wanted, lambda: note_scene(feed))
    assert schemas["/view/camera"] == "foxglove.CompressedImage"
    assert schemas["/view/boxes"] == "foxglove.ImageAnnotations"
    assert schemas["/view/cones"] == "foxglove.SceneUpdate"
    assert schemas["/scan"] == "sensor_msgs/msg/LaserScan"
    assert schemas["/camera_node/processing_latency"] == "std_msgs/msg/Float64"
    assert {time_ns for time_ns, _ in found.values()} == {SECOND}  # the newest stamp
    assert found["/scan"][1] == feed.newest("scan").data
    assert b"\xff\xd8\xff" in found["/view/camera"][1]
    assert b"base_link" in found["/tf"][1]


def test_losses_and_figures_of_a_training_are_numbers_and_texts(server, feed):
    def step():
        feed.plot(4, {"position": 0.5})
        feed.show({"pattern": "integral"})

    _, found = ask(server, ["/view/curves", "/view/figures"], step)
    assert json.loads(found["/view/curves"][1]) == {"step": 4, "position": 0.5}
    assert json.loads(found["/view/figures"][1]) == {"pattern": "integral"}


def test_what_is_missing_is_logged(server, feed, monkeypatch):
    monkeypatch.setattr("conegrad_nodes.view_server.statuses.SILENT", 0.0)
    _, found = ask(server, ["/view/log"], lambda: note_image(feed))
    assert b"nothing from the camera" in found["/view/log"][1]


def test_nothing_is_made_while_nobody_is_subscribed(server, feed, monkeypatch):
    def refuse(msg):
        raise AssertionError

    monkeypatch.setattr("conegrad_nodes.view_server.foxglove_server.decoded", refuse)
    note_scene(feed)
    schemas, _ = ask(server, ["/scan"], lambda: note_scan(feed))
    assert "/view/cones" in schemas


def test_a_port_that_is_taken_is_named(server, feed):
    port = int(server.address.rpartition(":")[2])
    with pytest.raises(OSError, match=f"port {port} of 127.0.0.1 cannot be had for Foxglove"):
        FoxgloveServer(feed, port)


def test_a_cone_is_drawn_as_a_body_and_an_ellipse_on_the_ground(feed):
    note_scene(feed)
    text = str(scene_from_msg(decoded(feed.newest("cones"))))
    assert text.count("CylinderPrimitive {") == 4
    assert 'frame_id: "lidar"' in text
    # On the ground at -0.15 m: a body of 0.325 m has its middle at 0.0125 m.
    assert "z: 0.0125" in text
    assert "x: 1.2, y: 0.4" in text or "x: 1.2000" in text  # 2 x 2 deviations of 0.3 and 0.1 m


def test_a_raw_image_becomes_a_jpeg(feed):
    note_image(feed)
    picture = str(picture_from_msg(decoded(feed.newest("image"))))
    assert 'format="jpeg"' in picture
    assert r'data=b"\xff\xd8\xff' in picture
