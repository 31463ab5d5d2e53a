from graphlib import CycleError

import pytest

from conegrad_evaluation.report.layered_layout import Edge, Lane, layered_layout


def laid_out(nodes, *edges, size=1.0):
    given = [Edge(name, source, tuple(targets.split())) for name, source, targets in edges]
    sizes = dict.fromkeys(nodes.split(), size)
    return layered_layout(nodes.split(), given, sizes, lane=0.2, gap=0.3)


def test_a_chain_is_a_straight_line_with_a_layer_for_each_node():
    found = laid_out("a b c", ("x", "a", "b"), ("y", "b", "c"))
    assert found.layers == (("a",), ("b",), ("c",))
    assert set(found.heights.values()) == {0.0}
    assert found.segments == {"x": (("a", "b"),), "y": (("b", "c"),)}


def test_a_node_stands_right_of_all_that_it_reads_from():
    found = laid_out("end a b", ("x", "a", "b end"), ("y", "b", "end"))
    assert [("end" in layer) for layer in found.layers] == [False, False, True]


def test_an_edge_passes_a_layer_in_a_lane_beside_its_nodes():
    found = laid_out("a b c", ("x", "a", "b c"), ("y", "b", "c"))
    lane = Lane("x", 1)
    assert found.segments["x"] == (("a", lane), ("a", "b"), (lane, "c"))
    assert abs(found.heights[lane] - found.heights["b"]) >= (0.2 + 1.0) / 2 + 0.3 - 1e-9


def test_neighbours_of_a_layer_do_not_overlap_and_the_first_is_above():
    found = laid_out("a b c end", ("x", "a", "end"), ("y", "b", "end"), ("z", "c", "end"))
    heights = [found.heights[node] for node in "abc"]
    assert heights[0] - heights[1] >= 1.3 - 1e-9
    assert heights[1] - heights[2] >= 1.3 - 1e-9
    assert found.heights["end"] == pytest.approx(heights[1])


def test_edges_that_cross_in_the_order_of_the_file_are_untangled():
    found = laid_out("a b c d", ("x", "a", "d"), ("y", "b", "c"))
    side = found.heights["a"] - found.heights["b"]
    assert side * (found.heights["d"] - found.heights["c"]) > 0


def test_a_long_edge_is_straight_where_there_is_room():
    chain = [(f"p{i}", f"n{i}", f"n{i + 1}") for i in range(4)]
    found = laid_out("n0 n1 n2 n3 n4 other", *chain, ("long", "other", "n4"))
    lanes = [found.heights[Lane("long", i)] for i in (1, 2, 3)]
    assert lanes == [found.heights["other"]] * 3


def test_an_edge_without_targets_ends_free():
    found = laid_out("a b", ("x", "a", "b"), ("y", "b", ""))
    assert found.segments["y"] == ()


def test_a_cycle_is_refused():
    with pytest.raises(CycleError):
        laid_out("a b", ("x", "a", "b"), ("y", "b", "a"))
