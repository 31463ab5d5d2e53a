"""Forks of pipelines of toy stages, whose shapes are told from the graph."""

import pytest
from toy_pipelines import pipeline

from conegrad_core.pipeline.pattern import forks_of


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["one: network a -> b", "two: network b -> c"], {}, id="sequential"),
        pytest.param(
            ["one: network a -> b", "two: network x -> c", "all: join b c -> d"], {}, id="joining"
        ),
        pytest.param(
            ["trunk: network a -> b", "left: network b -> c", "right: network b -> d"],
            {"trunk": {"left": {"left"}, "right": {"right"}}},
            id="without a join",
        ),
        pytest.param(
            [
                "trunk: network a -> b",
                "cut: fixed b -> e",
                "left: network e -> c",
                "solve: join c b -> f",
                "right: network e -> d",
                "all: join f d -> g",
            ],
            {"trunk": {"left": {"left", "solve"}, "right": {"right"}}},
            id="what joins both branches belongs to none",
        ),
        pytest.param(
            [
                "trunk: network a -> b",
                "left: network b -> c",
                "right: network b -> d",
                "far: network d -> e",
                "farther: network d -> f",
            ],
            {
                "trunk": {"left": {"left"}, "right": {"right", "far", "farther"}},
                "right": {"far": {"far"}, "farther": {"farther"}},
            },
            id="a fork in a branch",
        ),
    ],
)
def test_branches_follow_from_the_graph(lines: list[str], expected: dict):
    inputs = "a x" if any(" x " in line for line in lines) else "a"
    found = {
        fork.shared: {name: set(stages) for name, stages in fork.branches.items()}
        for fork in forks_of(pipeline(*lines, inputs=inputs))
    }
    assert found == expected
