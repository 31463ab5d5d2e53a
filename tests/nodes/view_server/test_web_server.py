"""The page over HTTP, as a browser asks for it."""

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest
from check_pages import SCHEMES, tools, violations
from view_messages import IMAGE, SECOND, note_cones, note_detections, note_image, note_scene

from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.web_server import PAGE, WebServer

LONG = 150  # [s], of a busy machine
BLUE = (31, 100, 222)


@pytest.fixture
def feed():
    return ViewFeed("a drive", expected=("image", "scan", "cones"))


@pytest.fixture
def server(feed):
    with WebServer(feed, 0, rate=50.0) as server:
        yield server


def get(server, path, **headers):
    request = urllib.request.Request(server.address + path, headers=headers)
    with urllib.request.urlopen(request, timeout=LONG) as answer:
        return answer.status, answer.headers, answer.read()


def refusal(server, path, **headers):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(server, path, **headers)
    return caught.value.code, caught.value.read().decode()


def test_the_page_comes_with_all_it_needs_and_asks_nobody_else(server):
    _, headers, page = get(server, "/")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert b"http" not in page.replace(b"http-equiv", b"")
    for name in ("view.css", "view.js"):
        assert name.encode() in page
        status, headers, content = get(server, f"/{name}")
        assert status == 200
        assert content
    assert refusal(server, "/../web_server.py")[0] == 404


def test_the_state_is_that_of_the_newest_messages(server, feed):
    assert json.loads(get(server, "/state.json")[2])["cones"] is None
    note_cones(feed)
    state = json.loads(get(server, "/state.json")[2])
    assert [cone["colour"] for cone in state["cones"]["rows"]] == ["blue", "yellow"]


def test_whoever_has_the_newest_state_gets_the_next_one(server, feed):
    note_cones(feed)
    _, headers, _ = get(server, "/state.json")
    number = int(headers["X-Number"])
    note_cones(feed)
    assert int(get(server, f"/state.json?after={number}")[1]["X-Number"]) > number
    # The number of an earlier run on this port waits for nothing.
    assert int(get(server, "/state.json?after=999999")[1]["X-Number"]) > number
    assert feed.is_watched


def test_the_picture_has_the_boxes_of_its_own_stamp(server, feed):
    assert get(server, "/camera.jpg")[0] == 204
    note_image(feed, SECOND, value=40)
    note_image(feed, 2 * SECOND, value=200)
    note_detections(feed, SECOND)
    status, headers, data = get(server, "/camera.jpg")
    assert (status, headers["X-Boxes"]) == (200, "1")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    assert picture.shape == (180, 320, 3)
    assert abs(int(picture[20, 20, 0]) - 40) < 10  # the older image, which the boxes are of
    assert np.abs(picture[110, 99:102].astype(int) - BLUE).sum(axis=1).min() < 150


def test_a_picture_that_cannot_be_decoded_is_explained(server, feed):
    feed.note("/image_raw", IMAGE, bytes(12))
    code, text = refusal(server, "/camera.jpg")
    assert code == 415
    assert text.startswith("/image_raw cannot be shown: ")


def test_a_request_that_means_nothing_is_refused(server):
    code, text = refusal(server, "/state.json?after=-1")
    assert (code, text) == (400, "after is '-1', expected the number of a change")


def test_another_site_that_points_its_name_here_gets_nothing(server):
    assert refusal(server, "/state.json", Host="evil.example")[0] == 400
    port = server.address.rpartition(":")[2]
    assert get(server, "/state.json", Host=f"localhost:{port}")[0] == 200


def test_a_port_that_is_taken_is_named(feed):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        fault = f"port {port} of 127.0.0.1 cannot be had .*choose another one with --view-port"
        with pytest.raises(OSError, match=fault):
            WebServer(feed, port)


def test_the_port_is_free_again_at_the_end(feed):
    with WebServer(feed, 0) as server:
        port = int(server.address.rpartition(":")[2])
        get(server, "/state.json")
    with WebServer(feed, port) as server:
        assert get(server, "/state.json")[0] == 200


@pytest.fixture
def rendered(server, feed, monkeypatch, tmp_path):
    """The page of a small scene as a browser shows it, with its style in it."""
    if shutil.which("chromium") is None:
        pytest.skip("there is no chromium")
    # A browser takes long to start.
    for name in ("page_state.OUTDATED", "camera_picture.LATE", "statuses.OUTDATED"):
        monkeypatch.setattr(f"conegrad_nodes.view_server.{name}", LONG)
    note_scene(feed)
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path}", "--virtual-time-budget=60000"]
    command += [f"{server.address}/?still"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG, check=True)
    link = '<link rel="stylesheet" href="view.css">'
    assert link in done.stdout
    return done.stdout.replace(link, f"<style>{(PAGE / 'view.css').read_text()}</style>")


def test_a_browser_shows_cones_picture_and_diagnostics(rendered):
    assert "2 cones in lidar: 1 blue, 1 yellow; the nearest 3.4 m away" in rendered
    assert 'alt="Camera picture, 1 boxes"' in rendered
    assert "lidar says so" in rendered
    assert "! WARN" in rendered


@pytest.mark.skipif(tools() is None, reason="needs Chromium and axe: AXE=.../axe.min.js")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_has_no_serious_finding_of_axe(rendered, scheme, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(rendered)
    assert list(violations(page, scheme, *tools())) == []
