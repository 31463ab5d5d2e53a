"""What can be asked of a running node from outside, through its services."""

from typing import Any

from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters
from ros_graph import Graph


def ask(graph: Graph, srv_type: Any, name: str, request: Any) -> Any:
    """The answer of a service."""
    client = graph.peer.create_client(srv_type, name)
    graph.until(client.service_is_ready, f"service {name}")
    future = client.call_async(request)
    graph.until(future.done, f"answer of {name}")
    graph.peer.destroy_client(client)
    return future.result()


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
