"""``conegrad view``: what it refuses, and a bag that is looked at while it is played."""

from conegrad_bringup.command_line import main


def test_what_a_running_graph_decides_itself_is_refused(capsys):
    for words, fault in (
        (["--loop"], "--loop is True, expected it with a BAG alone"),
        (["--pipeline", "camera_lidar"], "--pipeline is 'camera_lidar', expected it with a BAG"),
        (["--set", "detector.engine=onnx"], "parameters of nodes are given (detector.engine)"),
    ):
        assert main(["view", *words]) == 1
        assert fault in capsys.readouterr().err


def test_a_namespace_beside_a_bag_is_refused(capsys):
    assert main(["view", "bag", "--namespace", "car"]) == 1
    assert "--namespace is 'car' beside the bag bag" in capsys.readouterr().err


def test_a_bag_that_is_not_there_is_named_before_anything_is_served(capsys):
    assert main(["view", "nothing"]) == 1
    printed = capsys.readouterr()
    assert "nothing: no such bag" in printed.err
    assert printed.out == ""
