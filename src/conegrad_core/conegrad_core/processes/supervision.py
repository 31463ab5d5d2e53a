"""Which node needs which action, from heartbeats alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from conegrad_core.processes.back_off import BackOff, BackOffConfig
from conegrad_core.settings import setting

ACTIVE, INACTIVE, UNCONFIGURED = "active", "inactive", "unconfigured"


@dataclass(frozen=True)
class SupervisionConfig(BackOffConfig):
    """Settings of the supervision."""

    heartbeat_timeout: float = setting(
        5.0, "An active node without heartbeat for this long is silent [s]", low=1.5
    )
    start_timeout: float = setting(
        60.0,
        "As long as a node that is not active may be silent, as one that loads [s]",
        low=1.5,
    )


class Process(NamedTuple):
    """A process; the time of its start distinguishes it from a later one with its number."""

    host: str
    pid: int
    started: str


class Heartbeat(NamedTuple):
    """What a node reports about itself.

    Attributes:
        node: its full name.
        process: it runs in.
        state: of its life cycle.
        is_managed: it is to be active (parameter ``autostart``).
        trouble: why it could not be configured, or empty.
    """

    node: str
    process: Process
    state: str
    is_managed: bool = True
    trouble: str = ""


class Action(Enum):
    """Action that a node may need."""

    CONFIGURE = "configure"
    ACTIVATE = "activate"
    END = "end"  # its process: it hangs, and whoever started it starts it again


class Order(NamedTuple):
    """Action for a node, and its process as of its last heartbeat."""

    action: Action
    node: str
    process: Process


class Condition(NamedTuple):
    """How a node is: ``is_fine``, a cause that is constant while it stays the same, and a text."""

    node: str
    is_fine: bool
    cause: str
    text: str


class Supervisor:
    """Brings nodes that crashed, hang or failed to start back to the state ``active``.

    Nodes start by themselves; actions are for those that could not. A node that somebody
    deactivates, cleans up or shuts down after it was active is left alone until its process is
    another one. A node whose ``autostart`` is false is left alone.

    Args:
        nodes: full names.
        config: settings.
        now: steady clock [s].
    """

    def __init__(self, nodes: Sequence[str], config: SupervisionConfig, now: float) -> None:
        self._watched = {node: _Watched(node, config, now) for node in nodes}

    def receive(self, heartbeat: Heartbeat, now: float) -> None:
        """Note a heartbeat; those of other nodes are ignored."""
        if watched := self._watched.get(heartbeat.node):
            watched.receive(heartbeat, now)

    def due_orders(self, now: float) -> list[Order]:
        """Orders that are due. A process is ended once, however many of its nodes are silent."""
        orders = [order for watched in self._watched.values() if (order := watched.due_order(now))]
        ended = {order.process: order for order in orders if order.action is Action.END}
        return [*ended.values(), *(order for order in orders if order.process not in ended)]

    def conditions(self, now: float) -> list[Condition]:
        """How each node is."""
        return [watched.condition(now) for watched in self._watched.values()]


class _Watched:
    """One node."""

    def __init__(self, node: str, config: SupervisionConfig, now: float) -> None:
        self._node, self._config = node, config
        self._back_off = BackOff(config)
        self._received = self._due = now
        self._ordered = -math.inf
        self._active_since = 0.0
        self._was_active = False  # in this process
        self._is_ended = False  # this process, by an order
        self._last: Heartbeat | None = None

    def receive(self, heartbeat: Heartbeat, now: float) -> None:
        last, self._last = self._last, heartbeat
        if last is None or last.process != heartbeat.process:
            self._was_active = self._is_ended = False
            self._due = now + self._config.first_wait
        if heartbeat.state == ACTIVE and (
            last is None or last.state != ACTIVE or not self._was_active
        ):
            self._active_since = now
        self._was_active |= heartbeat.state == ACTIVE
        self._received = now
        if heartbeat.state == ACTIVE:
            self._back_off.note_well(now - self._active_since)

    def due_order(self, now: float) -> Order | None:
        if self._last is None or not self._last.is_managed or self._back_off.is_exhausted:
            return None
        needed = self._needed(now)
        if needed is None or now < self._due:
            return None
        self._ordered, self._due = now, now + self._back_off.wait
        self._back_off.note_try()
        self._is_ended |= needed is Action.END
        return Order(needed, self._node, self._last.process)

    def _needed(self, now: float) -> Action | None:
        if self._last is None or self._is_ended:
            return None
        if self._is_silent(now):
            return Action.END
        # Without a heartbeat since the last order, the node still carries it out.
        if self._was_active or self._received <= self._ordered:
            return None
        return {UNCONFIGURED: Action.CONFIGURE, INACTIVE: Action.ACTIVATE}.get(self._last.state)

    def _is_silent(self, now: float) -> bool:
        is_active = self._last is not None and self._last.state == ACTIVE
        limit = self._config.heartbeat_timeout if is_active else self._config.start_timeout
        return now - self._received > limit

    def condition(self, now: float) -> Condition:
        is_fine, cause, text = self._condition(now)
        if not is_fine and self._back_off.is_exhausted:
            cause, text = "given up", f"given up after {self._back_off.count} tries: {text}"
        elif not is_fine and self._back_off.count:
            text = f"{text} (try {self._back_off.count} of {self._config.tries})"
        return Condition(self._node, is_fine, cause, text)

    def _condition(self, now: float) -> tuple[bool, str, str]:
        age = now - self._received
        if self._last is None:
            is_fine = age < self._config.start_timeout
            return (
                is_fine,
                "no heartbeat",
                f"{self._node} has sent no heartbeat yet, for {age:.0f} s",
            )
        if not self._last.is_managed:
            return True, "not managed", f"{self._node} is {self._last.state}; autostart is false"
        if self._is_ended:
            ended = f"{self._node} was silent: its process {self._last.process.pid} was ended"
            return False, "ended", f"{ended}, {age:.0f} s after its last heartbeat"
        if self._is_silent(now):
            return False, "silent", f"{self._node} is silent for {age:.0f} s"
        if self._last.state == ACTIVE:
            return True, ACTIVE, f"{self._node} is active"
        if self._was_active:
            left = f"{self._node} was made {self._last.state} by somebody: left alone"
            return False, "left alone", left
        reason = f": {self._last.trouble}" if self._last.trouble else ""
        return False, self._last.state, f"{self._node} is {self._last.state}{reason}"
