from conegrad_training.engine.training_cost import TrainingCost


def test_labels_of_a_sample_are_counted_once_for_each_loss():
    cost = TrainingCost()
    for _ in range(2):
        cost.add_labels("end", "frame 1", 21)
        cost.add_labels("end", "frame 2", 9)
        cost.add_labels("detector", "frame 1", 5)
    assert cost.label_values == 35
    assert cost.knows("end", "frame 1")
    assert not cost.knows("detector", "frame 2")
    assert cost.to_dict()["label_values_by_need"] == {"detector": 5, "end": 30}


def test_passes_are_counted_by_stage_and_survive_a_checkpoint():
    cost = TrainingCost()
    cost.add_step(8, ("detector", "segmenter", "fuser"), {"detector"}, 0.5)
    cost.add_step(8, ("detector", "segmenter", "fuser"), {"segmenter"}, 0.25)
    cost.add_labels("end", "a", 3)
    restored = TrainingCost()
    restored.load_state_dict(cost.state_dict())
    restored.add_labels("end", "a", 3)
    assert restored.to_dict() == {
        "steps": 2,
        "forward": {"detector": 16, "segmenter": 16, "fuser": 16},
        "backward": {"detector": 8, "segmenter": 8},
        "seconds": 0.75,
        "label_values": 3,
        "label_values_by_need": {"end": 3},
    }
