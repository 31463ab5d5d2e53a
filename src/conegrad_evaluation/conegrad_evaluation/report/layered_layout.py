"""Layered drawing of a graph, left to right, after Sugiyama: layers, lanes, order, heights.

Source:
    Sugiyama, Tagawa & Toda, Methods for Visual Understanding of Hierarchical System Structures,
    IEEE Transactions on Systems, Man, and Cybernetics 11(2), 1981.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import combinations, pairwise

import numpy as np

TOLERANCE = 1e-9
SWEEPS = 41  # over the layers in both directions; the heights of ten nodes need some thirty


@dataclass(frozen=True)
class Lane:
    """Where an edge passes through a layer in which it has no end."""

    edge: str
    layer: int


Node = str | Lane


@dataclass(frozen=True)
class Edge:
    """From one node to several ones.

    Attributes:
        name: unique.
        source: node.
        targets: nodes; none: it ends free.
    """

    name: str
    source: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class LayeredLayout:
    """Places of nodes.

    Attributes:
        layers: nodes from left to right, those of a layer from bottom to top.
        heights: ``y`` of the centre of each node.
        segments: of each edge, by its name, from a node to one of the next layer.
    """

    layers: tuple[tuple[Node, ...], ...]
    heights: Mapping[Node, float]
    segments: Mapping[str, tuple[tuple[Node, Node], ...]]


def layered_layout(
    nodes: Sequence[str],
    edges: Sequence[Edge],
    sizes: Mapping[str, float],
    *,
    lane: float,
    gap: float,
) -> LayeredLayout:
    """Place the nodes of a graph without cycle so that few edges cross and most are straight.

    Args:
        nodes: the first ones stand above where nothing else decides.
        edges: between them.
        sizes: height of each node.
        lane: height of a place where an edge passes.
        gap: between neighbours of a layer.

    Raises:
        graphlib.CycleError: if there is a cycle.
    """
    layers, segments = _with_lanes(nodes, edges)
    links = {link for of_edge in segments.values() for link in of_edge}
    ordered = _ordered(layers, links)
    of_node = {n: lane if isinstance(n, Lane) else sizes[n] for layer in ordered for n in layer}
    heights = _heights(ordered, links, of_node, gap)
    for of_edge in segments.values():
        _straighten(of_edge, heights, ordered, of_node, gap)
    return LayeredLayout(tuple(map(tuple, ordered)), heights, segments)


def _with_lanes(
    nodes: Sequence[str], edges: Sequence[Edge]
) -> tuple[list[list[Node]], dict[str, tuple[tuple[Node, Node], ...]]]:
    """Layers with a lane of each edge that passes through them, and the segments of the edges."""
    graph = TopologicalSorter(
        {node: [edge.source for edge in edges if node in edge.targets] for node in nodes}
    )
    graph.prepare()
    layers: list[list[Node]] = []
    while graph.is_active():
        ready = graph.get_ready()
        layers.append(sorted(ready, key=nodes.index, reverse=True))
        graph.done(*ready)
    layer_of = {node: index for index, layer in enumerate(layers) for node in layer}
    segments = {}
    for edge in edges:
        first = layer_of[edge.source]
        last = max((layer_of[target] for target in edge.targets), default=first)
        chain: list[Node] = [edge.source, *(Lane(edge.name, i) for i in range(first + 1, last))]
        ends = [(chain[layer_of[target] - first - 1], target) for target in edge.targets]
        segments[edge.name] = (*pairwise(chain), *ends)
        for passed in chain[1:]:
            layers[passed.layer].append(passed)  # type: ignore[union-attr]
    return layers, segments


def _ordered(layers: list[list[Node]], links: Iterable[tuple[Node, Node]]) -> list[list[Node]]:
    """Each layer in the order of the mean places of its neighbours, with the fewest crossings."""
    best, fewest = layers, _crossings(layers, links)
    current = layers
    for sweep in range(SWEEPS):
        current = _swept(current, links, is_forward=sweep % 2 == 0)
        count = _crossings(current, links)
        if count < fewest:
            best, fewest = current, count
    return best


def _swept(
    layers: list[list[Node]], links: Iterable[tuple[Node, Node]], *, is_forward: bool
) -> list[list[Node]]:
    found = [list(layer) for layer in layers]
    for layer in found if is_forward else reversed(found):
        place = {node: i / len(nodes) for nodes in found for i, node in enumerate(nodes)}
        wanted = {node: place[node] for node in layer}
        for node in layer:
            near = [place[a] if is_forward else place[b]
                    for a, b in links if node == (b if is_forward else a)]  # fmt: skip
            wanted[node] = float(np.mean(near)) if near else place[node]
        layer.sort(key=wanted.__getitem__)
    return found


def _crossings(layers: list[list[Node]], links: Iterable[tuple[Node, Node]]) -> int:
    place = {node: (i, j) for i, layer in enumerate(layers) for j, node in enumerate(layer)}
    ends = [(*place[a], place[b][1]) for a, b in links]
    return sum(
        first[0] == second[0] and (first[1] - second[1]) * (first[2] - second[2]) < 0
        for first, second in combinations(ends, 2)
    )


def _heights(
    layers: list[list[Node]],
    links: Iterable[tuple[Node, Node]],
    sizes: Mapping[Node, float],
    gap: float,
) -> dict[Node, float]:
    """Heights at which the nodes are near to the mean of their neighbours without overlap."""
    offsets: dict[Node, float] = {}
    for layer in layers:
        steps = [(sizes[a] + sizes[b]) / 2 + gap for a, b in pairwise(layer)]
        offsets.update(zip(layer, np.cumsum([0.0, *steps]), strict=True))
    heights = {n: float(offsets[n] - offsets[layer[-1]] / 2) for layer in layers for n in layer}
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = []
            for node in layer:
                near = [heights[b if node == a else a] for a, b in links if node in (a, b)]
                wanted.append((np.mean(near) if near else heights[node]) - offsets[node])
            fitted = _increasing(wanted)
            heights.update({n: float(x + offsets[n]) for n, x in zip(layer, fitted, strict=True)})
    return heights


def _straighten(
    segments: Sequence[tuple[Node, Node]],
    heights: dict[Node, float],
    layers: list[list[Node]],
    sizes: Mapping[Node, float],
    gap: float,
) -> None:
    """Put all lanes of an edge at one height where there is room, best at that of an end."""
    lanes = {node for link in segments for node in link if isinstance(node, Lane)}
    if not lanes:
        return
    mean = float(np.mean([heights[lane] for lane in lanes]))
    ends = {heights[node] for link in segments for node in link if node not in lanes}
    for height in (*sorted(ends, key=lambda y: abs(y - mean)), mean):
        at_height: dict[Node, float] = dict.fromkeys(lanes, height)
        moved = heights | at_height
        if all(
            moved[b] - moved[a] >= (sizes[a] + sizes[b]) / 2 + gap - TOLERANCE
            for layer in layers
            for a, b in pairwise(layer)
        ):
            heights.update(moved)
            return


def _increasing(values: Sequence[float]) -> list[float]:
    """The nearest values that do not fall (isotonic regression by pooling of violators)."""
    pools: list[list[float]] = []
    for value in values:
        pools.append([value])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    return [float(np.mean(pool)) for pool in pools for _ in pool]
