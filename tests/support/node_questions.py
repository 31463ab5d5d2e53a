"""What can be asked of a running node from outside, through its services."""

import time
from typing import Any

from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters
from ros_graph import Graph

PATIENCE = 2.0  # [s] after which a question is asked again: requests and answers may get lost


def ask(graph: Graph, srv_type: Any, name: str, request: Any) -> Any:
    """The first answer of a service; only for questions that may be asked twice.

    A question without an answer is asked again by another client: the executor may miss that a
    client was added to a node (rclpy 7.1.6), and then never takes an answer from it.
    """
    clients = [graph.peer.create_client(srv_type, name)]
    futures: list[Any] = []
    asked = 0.0

    def ask_again() -> None:
        nonlocal asked
        if not clients[-1].service_is_ready() or time.monotonic() - asked < PATIENCE:
            return
        if futures:
            clients.append(graph.peer.create_client(srv_type, name))
        asked = time.monotonic()
        futures.append(clients[-1].call_async(request))

    def answer() -> Any:
        return next((future for future in futures if future.done()), None)

    graph.until(lambda: answer() is not None, f"answer of {name}", again=ask_again)
    result = answer().result()
    for client in clients:
        graph.peer.destroy_client(client)
    return result


def state_of(graph: Graph, node: str) -> str:
    """State of the life cycle of a node, by its full name."""
    label: str = ask(graph, GetState, f"{node}/get_state", GetState.Request()).current_state.label
    return label


def wait_until_active(graph: Graph, node: str) -> None:
    """Wait until the life cycle of a node has come that far."""
    graph.until(lambda: state_of(graph, node) == "active", f"an active {node}")


def parameters_of(graph: Graph, node: str, *names: str) -> list[Any]:
    """Values of parameters of a node."""
    from rclpy.parameter import parameter_value_to_python

    answer = ask(
        graph, GetParameters, f"{node}/get_parameters", GetParameters.Request(names=list(names))
    )
    return [parameter_value_to_python(value) for value in answer.values]
