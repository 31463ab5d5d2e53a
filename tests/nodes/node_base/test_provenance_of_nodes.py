from conegrad_nodes.node_base.hosted_part import HostedPart


def test_a_node_states_the_weights_that_it_has_loaded():
    hosted = HostedPart("camera_lidar", ["segmenter"])
    assert hosted.provenance == {}
    hosted.load(hosted.default_configs())
    assert hosted.provenance["pipeline"] == "camera_lidar"
    assert hosted.provenance["weights.segmenter"].startswith("scan_cnn.safetensors ")
    hosted.release()
    assert hosted.provenance == {}
