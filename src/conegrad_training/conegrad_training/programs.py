"""The programs of this package; imports nothing of them before they start."""

from conegrad_nodes.program import program

training_node = program("conegrad_training.training_node")
training_camera_node = program("conegrad_training.training_camera_node")
training_lidar_node = program("conegrad_training.training_lidar_node")
topic_trainer = program("conegrad_training.topic_trainer")
