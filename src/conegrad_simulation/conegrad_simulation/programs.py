"""Entry points of this package; the module of a program is imported when it starts."""

from conegrad_nodes.node_base.program import program

driver_node = program("conegrad_simulation.driver.driver_node")
simulator_node = program("conegrad_simulation.closed_loop.simulator_node")
truth_node = program("conegrad_simulation.gazebo.truth_node")
