"""Integration pattern of a pipeline, its forks, and the networks behind a term of the end loss.

All follow from the graph between its networks: learned stages that do not only join. A network
*follows* another one if results reach it without another network in between that they would pass
anyway (transitive reduction of the reachability).

- ``sequential``: a network has one follower, which follows it alone.
- ``forking parallel``: a network has several followers.
- ``joining parallel``: results of two networks meet in a stage, neither network is upstream of
  the other and nothing learned is upstream of both. Where the branches of a fork meet again there
  is no further pattern.

Several of them are a combination: their names in this order, joined by ``+`` between spaces.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.layout import Layout

SINGLE, INDEPENDENT, NONE = "single", "independent", "none"
SEQUENTIAL, FORKING, JOINING = "sequential", "forking parallel", "joining parallel"


class Fork(NamedTuple):
    """A shared network and the branches behind it.

    Attributes:
        shared: the network that all branches read from.
        branches: learned stages of each branch, by the name of its first network; a stage behind
            several branches belongs to none.
    """

    shared: str
    branches: Mapping[str, frozenset[str]]


def integration_pattern(pipeline: Pipeline | Layout) -> str:
    """How the networks of a pipeline are connected.

    Returns:
        ``sequential``, ``forking parallel``, ``joining parallel`` or a combination such as
        ``sequential + joining parallel``; ``single`` for one network, ``none`` without any,
        ``independent`` for networks whose results never meet.
    """
    networks = pipeline.networks
    if len(networks) < 2:
        return SINGLE if networks else NONE
    followers = _followers(pipeline)
    leaders = {name: [n for n in networks if name in followers[n]] for name in networks}
    found = {
        SEQUENTIAL: any(
            len(after) == 1 and len(leaders[next(iter(after))]) == 1 for after in followers.values()
        ),
        FORKING: any(len(after) > 1 for after in followers.values()),
        JOINING: any(_join(pipeline, *pair) for pair in combinations(networks, 2)),
    }
    return " + ".join(name for name, is_there in found.items() if is_there) or INDEPENDENT


def forks_of(pipeline: Pipeline | Layout) -> tuple[Fork, ...]:
    """Every fork of a pipeline, in the order of the shared networks."""
    followers = _followers(pipeline)
    return tuple(
        Fork(name, _branches(pipeline, [n for n in pipeline.networks if n in followers[name]]))
        for name in pipeline.networks
        if len(followers[name]) > 1
    )


def responsible_networks(pipeline: Pipeline | Layout, term: str) -> tuple[str, ...]:
    """Networks whose outputs a term of the end loss depends on, in their order."""
    layout = pipeline.layout if isinstance(pipeline, Pipeline) else pipeline
    return tuple(n for n in layout.networks if term in layout.classes[n].end_loss_terms)


def _followers(pipeline: Pipeline | Layout) -> dict[str, set[str]]:
    """The next networks after each network."""
    networks = pipeline.networks
    before = {name: pipeline.upstream(name) & set(networks) for name in networks}
    return {
        name: {
            other
            for other in networks
            if name in before[other] and not any(name in before[n] for n in before[other])
        }
        for name in networks
    }


def _join(pipeline: Pipeline | Layout, first: str, second: str) -> bool:
    """Results of two networks meet that share no network upstream."""
    networks = set(pipeline.networks)
    above = [(pipeline.upstream(name) & networks) | {name} for name in (first, second)]
    meet = any({first, second} <= pipeline.upstream(name) for name in pipeline.order)
    return meet and not above[0] & above[1]


def _branches(pipeline: Pipeline | Layout, heads: list[str]) -> dict[str, frozenset[str]]:
    behind = {
        stage: {head for head in heads if head in {stage, *pipeline.upstream(stage)}}
        for stage in pipeline.learned_stages
    }
    return {
        head: frozenset(stage for stage, found in behind.items() if found == {head})
        for head in heads
    }
