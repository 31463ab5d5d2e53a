"""Questions of the tests to a node are asked again where an answer gets lost."""

import node_questions
import pytest

pytest.importorskip("rclpy")

from lifecycle_msgs.srv import GetState


class Forgetful:
    """A service that loses the first request."""

    def __init__(self):
        self.requests = 0

    def create_client(self, srv_type, name):
        return self

    def destroy_client(self, client):
        pass

    def service_is_ready(self):
        return True

    def call_async(self, request):
        self.requests += 1
        return Answer(self.requests > 1)


class Answer:
    def __init__(self, is_there):
        self.done = lambda: is_there

    def result(self):
        return "active"


class Patient:
    """A graph whose time passes by asking."""

    def __init__(self, peer):
        self.peer = peer

    def until(self, condition, what, again):
        for _ in range(100):
            again()
            if condition():
                return
        raise AssertionError(what)


def test_a_lost_request_is_asked_again(monkeypatch):
    service = Forgetful()
    monkeypatch.setattr(node_questions, "PATIENCE", 0.0)
    answer = node_questions.ask(Patient(service), GetState, "/camera_node/get_state", None)
    assert answer == "active"
    assert service.requests == 2
