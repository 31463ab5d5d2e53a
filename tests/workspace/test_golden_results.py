"""Golden results are told apart by name; the commands behind them have tests of their own."""

import numpy as np
import pytest
from golden_results import bag_digest, compare, weights_digests
from safetensors.numpy import save_file

from conegrad_data.bags.types import default_typestore
from conegrad_data.bags.writer import BagWriter


def test_equal_results_end_with_zero(capsys):
    assert compare({"live/cones": "a"}, {"live/cones": "a"}, ["live"]) == 0
    assert "1 of 1 results are equal" in capsys.readouterr().out


def test_a_difference_is_named_with_both_digests(capsys):
    golden = {"live/cones": "a", "direct/cones": "b"}
    assert compare(golden, {"live/cones": "a", "direct/cones": "c"}, ["live", "direct"]) == 1
    assert "differs: direct/cones: b before, c now" in capsys.readouterr().out


def test_a_result_that_is_gone_is_a_difference():
    assert compare({"live/cones": "a"}, {}, ["live"]) == 1


def test_groups_that_were_not_computed_are_left_out():
    assert compare({"live/cones": "a", "direct/cones": "b"}, {"live/cones": "a"}, ["live"]) == 0


def test_the_digest_of_weights_depends_on_their_tensors_alone(tmp_path):
    tensors = {"a": np.arange(3.0), "b": np.ones(2)}
    metadata = {str(number): "" for number in range(20)}
    save_file(tensors, tmp_path / "a.safetensors", metadata)
    save_file(tensors, tmp_path / "b.safetensors")
    save_file(tensors | {"b": np.zeros(2)}, tmp_path / "c.safetensors")
    first, second, third = weights_digests(tmp_path).values()
    assert first == second != third


def _bag(path, data):
    string = default_typestore().types["std_msgs/msg/String"]
    with BagWriter(path) as bag:
        for stamp, text in data:
            bag.write("/cones", "std_msgs/msg/String", stamp, string(data=text))
    return path


def test_the_digest_of_a_bag_depends_on_the_content_of_its_messages(tmp_path):
    first = bag_digest(_bag(tmp_path / "a", [(1, "x"), (2, "y")]), "/cones")
    assert bag_digest(_bag(tmp_path / "b", [(5, "x"), (9, "y")]), "/cones") == first
    assert bag_digest(_bag(tmp_path / "c", [(1, "x"), (2, "z")]), "/cones") != first


def test_a_bag_without_the_topic_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="no topic that ends with '/other'"):
        bag_digest(_bag(tmp_path / "bag", [(1, "x")]), "/other")
