"""The programs of this package; imports nothing of them before they start."""

from conegrad_nodes.node_base.program import program

training_node = program("conegrad_training.action.training_node")
training_camera_node = program("conegrad_training.remote.training_camera_node")
training_lidar_node = program("conegrad_training.remote.training_lidar_node")
training_stage_node = program("conegrad_training.remote.training_stage_node")
topic_trainer = program("conegrad_training.remote.topic_trainer")
