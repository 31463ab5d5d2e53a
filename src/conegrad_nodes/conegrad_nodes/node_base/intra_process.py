"""Intra-process communication: results within a process, ahead of the way over the middleware.

rclpy has none of its own. A result is given to the subscribers of the same process as it is, at
once and in the thread that made it; the message is published as well, for all other processes.
"""

import weakref
from collections.abc import Callable
from typing import Any

Subscriber = Callable[[Any, Any], None]

# By context, since a process may have several; those of one that is gone are gone with it.
_subscribers: weakref.WeakKeyDictionary[Any, dict[str, list[Subscriber]]] = (
    weakref.WeakKeyDictionary()
)


def subscribe(context: Any, topic: str, subscriber: Subscriber) -> None:
    """Give each message of a resolved topic and its decoded result to ``subscriber``."""
    _subscribers.setdefault(context, {}).setdefault(topic, []).append(subscriber)


def unsubscribe(context: Any, topic: str, subscriber: Subscriber) -> None:
    """Give a subscriber nothing more; one that is not subscribed is left as it is."""
    of_context = _subscribers.get(context, {})
    of_context[topic] = [known for known in of_context.get(topic, []) if known != subscriber]


def publish(context: Any, topic: str, msg: Any, result: Any) -> None:
    """Give a message and its decoded result to the subscribers of a topic in this process."""
    for subscriber in _subscribers.get(context, {}).get(topic, ()):
        subscriber(msg, result)
