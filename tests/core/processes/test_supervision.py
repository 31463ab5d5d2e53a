"""Which node needs help: on a clock that the tests set."""

import pytest

from conegrad_core.processes.back_off import BackOff, BackOffConfig
from conegrad_core.processes.supervision import (
    ACTIVE,
    INACTIVE,
    UNCONFIGURED,
    Action,
    Heartbeat,
    Process,
    SupervisionConfig,
    Supervisor,
)

CONFIG = SupervisionConfig(
    first_wait=1.0, longest_wait=4.0, tries=3, settled=20.0, heartbeat_timeout=5.0,
    start_timeout=30.0,
)  # fmt: skip
CAMERA, LIDAR = "/camera_node", "/lidar_node"
ONE, OTHER = Process("car", 100, "7"), Process("car", 200, "8")


class Car:
    """A supervisor and its clock."""

    def __init__(self, *nodes):
        self.now = 1000.0
        self.supervisor = Supervisor(nodes or (CAMERA,), CONFIG, self.now)
        self.beating = {}
        self.orders = []

    def beat(self, state, node=CAMERA, process=ONE, **fields):
        """Let a node beat like this from now on; None: be silent."""
        self.beating[node] = state and Heartbeat(node, process, state, **fields)
        return self

    def run(self, seconds):
        """Let time pass in steps of a tenth of a second; the orders, with their times."""
        end, orders = self.now + seconds, []
        while self.now < end:
            for heartbeat in filter(None, self.beating.values()):
                self.supervisor.receive(heartbeat, self.now)
            for order in self.supervisor.due_orders(self.now):
                orders.append((order.action, order.process.pid, self.now))
            self.now += 0.1
        return orders

    def condition(self, node=CAMERA):
        return next(c for c in self.supervisor.conditions(self.now) if c.node == node)


def helps(orders):
    return [help for help, _, _ in orders]


def test_an_active_node_is_left_alone():
    car = Car().beat(ACTIVE)
    assert car.run(100) == []
    assert car.condition()[1:] == (True, ACTIVE, f"{CAMERA} is active")


def test_a_silent_node_is_ended_once_when_its_time_is_over():
    car = Car().beat(ACTIVE)
    car.run(10)
    [(help, pid, when)] = car.beat(None).run(60)
    assert (help, pid) == (Action.END, 100)
    assert when - 1010 == pytest.approx(5.0, abs=0.3)
    assert not car.condition().is_fine
    assert "its process 100 was ended" in car.condition().text


def test_a_node_that_loads_its_model_may_be_silent_for_longer():
    car = Car().beat(UNCONFIGURED)
    car.run(0.5)
    assert helps(car.beat(None).run(29)) == [Action.CONFIGURE]  # it is at it
    assert helps(car.run(2)) == [Action.END]


def test_one_process_is_ended_once_for_all_its_nodes():
    car = Car(CAMERA, LIDAR).beat(ACTIVE).beat(ACTIVE, LIDAR)
    car.run(2)
    assert helps(car.beat(None).beat(None, LIDAR).run(20)) == [Action.END]


def test_processes_apart_are_ended_each():
    car = Car(CAMERA, LIDAR).beat(ACTIVE).beat(ACTIVE, LIDAR, OTHER)
    car.run(2)
    assert helps(car.beat(None).beat(ACTIVE, LIDAR, OTHER).run(20)) == [Action.END]


def test_a_node_that_came_back_in_another_process_is_fine():
    car = Car().beat(ACTIVE)
    car.run(2)
    car.beat(None).run(10)
    assert car.beat(ACTIVE, process=OTHER).run(10) == []
    assert car.condition().is_fine


def test_a_node_that_could_not_be_configured_is_configured_again_and_then_activated():
    car = Car().beat(UNCONFIGURED, trouble="cannot configure: no weights")
    assert helps(car.run(1.5)) == [Action.CONFIGURE]
    assert "no weights (try 1 of 3)" in car.condition().text
    assert helps(car.beat(INACTIVE).run(2.5)) == [Action.ACTIVATE]
    assert car.beat(ACTIVE).run(10) == []
    assert car.condition().is_fine


def test_waits_grow_until_it_gives_up_and_says_so():
    car = Car().beat(UNCONFIGURED, trouble="cannot configure: no weights")
    times = [when - 1000 for _, _, when in car.run(100)]
    assert times == pytest.approx([1, 2, 4], abs=0.3)
    assert car.condition().cause == "given up"
    assert car.condition().text.startswith("given up after 3 tries")


def test_what_is_active_for_long_gets_all_its_tries_again():
    car = Car().beat(UNCONFIGURED)
    assert len(car.run(50)) == 3
    car.beat(ACTIVE).run(21)
    assert len(car.beat(UNCONFIGURED, process=OTHER).run(50)) == 3


@pytest.mark.parametrize("state", [INACTIVE, UNCONFIGURED, "finalized"])
def test_what_somebody_deactivates_on_purpose_is_left_alone_and_that_is_said(state):
    car = Car().beat(ACTIVE)
    car.run(5)
    assert car.beat(state).run(50) == []
    assert car.condition().text == f"{CAMERA} was made {state} by somebody: left alone"


def test_a_node_without_autostart_is_left_alone():
    car = Car().beat(UNCONFIGURED, is_managed=False)
    assert car.run(100) == []
    assert car.beat(None).run(100) == []
    assert car.condition().is_fine


def test_a_node_that_never_comes_is_told_after_the_time_for_a_start():
    car = Car()
    car.run(29)
    assert car.condition().is_fine
    car.run(2)
    assert not car.condition().is_fine
    assert "has sent no heartbeat yet" in car.condition().text


def test_heartbeats_of_others_are_ignored():
    car = Car().beat(ACTIVE).beat(UNCONFIGURED, "/stranger")
    assert car.run(10) == []


def test_waits_double_up_to_the_longest():
    back_off = BackOff(BackOffConfig(first_wait=1.0, longest_wait=3.0, tries=3))
    waits = []
    while not back_off.is_exhausted:
        waits.append(back_off.wait)
        back_off.note_try()
    assert waits == [1.0, 2.0, 3.0]
