"""The programs of this package; imports nothing of them before they start."""

from conegrad_nodes.node_base.program import program

driver_node = program("conegrad_simulation.driver.driver_node")
simulator_node = program("conegrad_simulation.closed_loop.simulator_node")
truth_node = program("conegrad_simulation.gazebo.truth_node")
