"""How often a bag is read for its evaluation."""

from collections import Counter

from conegrad_data.bags.reader import BagReader
from conegrad_evaluation.bag_evaluation import evaluate_bag
from conegrad_evaluation.drives.recorded_drive import read_drive

LOOK_UPS = 3  # of a topic: its first messages, for frames, sizes and views
EXAMPLES = 3  # frames that the report shows


def test_an_evaluation_reads_a_bag_in_one_pass(make_drive, plan, tmp_path, monkeypatch):
    read, whole = Counter(), []
    raw_messages = BagReader.raw_messages

    def counted(self, topics=None, start_ns=None, stop_ns=None):
        for raw in raw_messages(self, topics, start_ns, stop_ns):
            read[raw.topic] += 1
            yield raw
        if start_ns is None and stop_ns is None:
            whole.append(topics)

    monkeypatch.setattr(BagReader, "raw_messages", counted)
    frames = 30
    evaluate_bag(make_drive(plan(frames=frames)), tmp_path / "out")
    assert whole == [["/tf_static"], None]  # the fixed frames come first
    for topic in ("/cones", "/odom", "/truth", "/fusion_node/pipeline_latency"):
        assert read[topic] == frames, topic
    for topic in ("/image_raw", "/camera_info", "/scan", "/detections", "/segmentation"):
        assert frames <= read[topic] <= frames + LOOK_UPS + EXAMPLES, topic


def test_cones_truth_and_poses_of_a_drive_are_in_one_frame(make_drive, plan):
    drive = read_drive(make_drive(plan(frames=3)))
    assert len(drive.frames) == len(drive.truth_stamps) == len(drive.odometry.stamps_ns) == 3
    first = drive.frames[0].stamp_ns
    assert drive.load_truth(first).visible_camera.any()
    forward = drive.lidar_motion(first + 100_000_000, first)
    # The car drives 0.54 m per frame: what stands still comes nearer by as much.
    assert -0.56 < float(forward[0, 3]) < -0.5
