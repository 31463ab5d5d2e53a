"""Scans wait for an image of the same process."""

import threading
import time

from conegrad_nodes.node_base.image_in_flight import in_flight, wait_for_image


class Context:
    """Anything that may be referred to weakly."""


def test_a_scan_waits_until_the_image_is_done():
    context, order = Context(), []

    def scan():
        wait_for_image(context, 10.0)
        order.append("scan")

    with in_flight(context):
        thread = threading.Thread(target=scan)
        thread.start()
        thread.join(0.05)
        order.append("image")
    thread.join(10.0)
    assert order == ["image", "scan"]


def test_a_scan_waits_no_longer_than_it_may_and_not_at_all_without_an_image():
    context, start = Context(), time.perf_counter()
    wait_for_image(context, 60.0)
    with in_flight(context):
        wait_for_image(context, 0.01)
        wait_for_image(context, 0.0)
        wait_for_image(Context(), 60.0)
    assert time.perf_counter() - start < 30.0
