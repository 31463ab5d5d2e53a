"""Which node runs which stage of a pipeline, and which ports travel between the nodes.

It follows from the graph. Of the stages that the cones come from, the camera node runs those that
only need the image, the LiDAR node those that only need the scan, and the fusion node all others:
those that join, that need the calibration, or that read from one of these. Every further stage has
a node of its own. With the stages apart, those of camera and LiDAR have nodes of their own, too;
the fusion node remains, since only a pair of messages shows in which frames the cones are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conegrad_core.pipeline.build import DEFAULT, layout_of
from conegrad_core.pipeline.file import load_specification
from conegrad_core.pipeline.layout import Layout
from conegrad_core.pipeline.specification import PipelineSpecification
from conegrad_core.pipeline.stage import Stage
from conegrad_core.timing.pairing import CAMERA, LIDAR

IMAGE, SCAN = "image", "scan"  # inputs of a pipeline that runs live
SENSORS = {IMAGE: "Image", SCAN: "Scan"}  # kind of each
CAMERA_NODE, LIDAR_NODE, FUSION_NODE = "camera_node", "lidar_node", "fusion_node"
COMPOSED, APART = "composed", "apart"
WAYS = (COMPOSED, APART)


@dataclass(frozen=True)
class PipelineHosts:
    """Hosts of the stages of a pipeline.

    Attributes:
        specification: of the pipeline.
        classes: of the stages.
        kinds: of the ports.
        cones: port of the cones.
        camera: stages that the camera node runs, in their order.
        lidar: stages that the LiDAR node runs.
        fusion: stages that the fusion node runs.
        further: stages that the cones do not come from.
    """

    specification: PipelineSpecification
    classes: Mapping[str, type[Stage]]
    kinds: Mapping[str, str]
    cones: str
    camera: tuple[str, ...]
    lidar: tuple[str, ...]
    fusion: tuple[str, ...]
    further: tuple[str, ...]

    @property
    def camera_ports(self) -> tuple[str, ...]:
        """Ports of the camera that the fusion node reads."""
        return self._fusion_reads(self.camera, IMAGE)

    @property
    def lidar_ports(self) -> tuple[str, ...]:
        """Ports of the LiDAR that the fusion node reads."""
        return self._fusion_reads(self.lidar, SCAN)

    @property
    def sensors(self) -> tuple[str, ...]:
        """Sensors that the fusion node reads of: camera and LiDAR, or one of them."""
        ports = {CAMERA: self.camera_ports, LIDAR: self.lidar_ports}
        return tuple(sensor for sensor in ports if ports[sensor])

    @property
    def by_node(self) -> dict[str, tuple[str, ...]]:
        """Stages of each node of the car that has some."""
        nodes = {CAMERA_NODE: self.camera, LIDAR_NODE: self.lidar, FUSION_NODE: self.fusion}
        return {node: stages for node, stages in nodes.items() if stages}

    def stage_nodes(self, way: str = COMPOSED) -> tuple[str, ...]:
        """Stages with a node of their own."""
        return self.further if way == COMPOSED else (*self.camera, *self.lidar, *self.further)

    def car_nodes(self, way: str = COMPOSED) -> tuple[str, ...]:
        """Nodes of the car that run; ``perception`` runs all of them in one process."""
        return tuple(self.by_node) if way == COMPOSED else (FUSION_NODE,)

    def node_names(self, way: str = COMPOSED) -> tuple[str, ...]:
        """Names of all nodes."""
        return (*self.car_nodes(way), *map(stage_node_name, self.stage_nodes(way)))

    def crossing(self, stages: tuple[str, ...]) -> tuple[str, ...]:
        """Ports written by some stages that others read, or that are results of the pipeline."""
        parts = self.specification.stages
        written = [port for name in stages for port in parts[name].outputs.values()]
        read = {p for name in parts.keys() - set(stages) for p in parts[name].inputs.values()}
        wanted = read | set(self.specification.outputs.values())
        return tuple(port for port in written if port in wanted)

    def _fusion_reads(self, stages: tuple[str, ...], sensor: str) -> tuple[str, ...]:
        parts = self.specification.stages
        read = {port for name in self.fusion for port in parts[name].inputs.values()}
        own = [sensor, *(port for name in stages for port in parts[name].outputs.values())]
        return tuple(port for port in own if port in read)


def pipeline_hosts(pipeline: str | Path = DEFAULT) -> PipelineHosts:
    """Hosts of the stages of a pipeline, by its name or the path of its YAML file.

    Raises:
        FileNotFoundError: if there is no such pipeline.
        PipelineError: naming file, line, stage and port of a fault; if it takes something else
            than an image and a scan at most, or gives not one port of cones.
    """
    specification = load_specification(pipeline)
    layout = layout_of(specification)
    order, cones = layout.order, _cones(specification, layout.kinds)
    for port, kind in specification.inputs.items():
        if SENSORS.get(port) != kind:
            raise specification.error(
                f"the input {port}: {kind} has no topic of a sensor, expected image: Image or "
                "scan: Scan",
                *("inputs", port),
            )
    sources = _sources(layout)
    last = layout.writers.get(cones)
    needed = {last, *layout.upstream(last)} if last else set()
    camera = tuple(name for name in order if name in needed and sources[name] == {IMAGE})
    lidar = tuple(name for name in order if name in needed and sources[name] == {SCAN})
    fusion = tuple(n for n in order if n in needed and n not in (*camera, *lidar))
    further = tuple(name for name in order if name not in needed)
    if not fusion:
        raise specification.error(
            f"output {cones}: no stage that it comes from joins or needs the calibration, expected "
            "one, which the fusion node runs",
            "outputs",
        )
    return PipelineHosts(
        specification, layout.classes, layout.kinds, cones, camera, lidar, fusion, further
    )


def stage_node_name(stage: str) -> str:
    """Name of the node of a stage of its own."""
    return f"{stage}_node"


def _cones(specification: PipelineSpecification, kinds: Mapping[str, str]) -> str:
    found = [port for port in specification.outputs.values() if kinds[port] == "Cones"]
    if len(found) != 1:
        text = f"{len(found)} outputs of kind Cones, expected one: what the fusion node publishes"
        raise specification.error(text, "outputs")
    return found[0]


def _sources(layout: Layout) -> dict[str, set[str]]:
    """Inputs of the pipeline that each stage comes from; ``fusion`` where more is needed."""
    of_port = {port: {port} for port in layout.specification.inputs}
    found: dict[str, set[str]] = {}
    for name in layout.order:
        stage, stage_class = layout.specification.stages[name], layout.classes[name]
        sources = set().union(*(of_port[port] for port in stage.inputs.values()))
        if stage_class.joins or stage_class.needs_calibration:
            sources.add("fusion")
        found[name] = sources
        of_port |= dict.fromkeys(stage.outputs.values(), sources)
    return found
