"""Forks of a pipeline: networks whose results several others read, and what follows them."""

from collections.abc import Mapping
from typing import NamedTuple

from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.pattern import followers_of


class Fork(NamedTuple):
    """A shared network and the branches behind it.

    Attributes:
        shared: the network that all branches read from.
        branches: learned stages of each branch, by the name of its first network; a stage behind
            several branches belongs to none.
    """

    shared: str
    branches: Mapping[str, frozenset[str]]


def forks_of(pipeline: Pipeline) -> tuple[Fork, ...]:
    """Every fork of a pipeline, in the order of the shared networks."""
    followers = followers_of(pipeline)
    return tuple(
        Fork(name, _branches(pipeline, [n for n in pipeline.networks if n in followers[name]]))
        for name in pipeline.networks
        if len(followers[name]) > 1
    )


def _branches(pipeline: Pipeline, heads: list[str]) -> dict[str, frozenset[str]]:
    behind = {
        stage: {head for head in heads if head in {stage, *pipeline.upstream(stage)}}
        for stage in pipeline.learned_stages
    }
    return {
        head: frozenset(stage for stage, found in behind.items() if found == {head})
        for head in heads
    }
