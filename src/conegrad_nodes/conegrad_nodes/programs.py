"""The programs of this package; imports nothing of them before they start."""

from conegrad_nodes.node_base.program import program

camera_node = program("conegrad_nodes.camera_node")
lidar_node = program("conegrad_nodes.lidar_node")
fusion_node = program("conegrad_nodes.fusion_node")
stage_node = program("conegrad_nodes.stage_node")
perception = program("conegrad_nodes.perception")
cone_converter = program("conegrad_nodes.cone_converter")
lifecycle_manager = program("conegrad_nodes.lifecycle_manager")
wait_until_active = program("conegrad_nodes.wait_until_active")
