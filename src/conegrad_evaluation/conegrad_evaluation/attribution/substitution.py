"""A system with some of its components replaced by what they would be without fault."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from conegrad_core.cones import Cones
from conegrad_core.pipeline.context import FrameContext
from conegrad_evaluation.attribution.refinement import RefinedFrame, Refinement, corrected
from conegrad_evaluation.attribution.shapley import Coalition
from conegrad_evaluation.port_truths.port_truth import PortCounts, PortTruth, port_truth
from conegrad_evaluation.port_truths.scene import TrueScene
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System

CALIBRATION, TIME = "calibration", "time"

PortValues = dict[str, list[Any]]


class Substitution:
    """The cones of some samples, for any set of perfect components.

    Every stage runs once for each set of perfect components *before* it, so that networks at the
    inputs of the pipeline run once in all.

    Attributes:
        players: components that can be perfect: networks and the stages behind them that have a
            port truth, calibration and time.
        stage_runs: forward passes of each stage over all samples.
    """

    def __init__(
        self,
        system: System,
        samples: Sequence[Sample],
        twists: Sequence[torch.Tensor | None],
        written: Mapping[str, list[Any]] | None = None,
    ) -> None:
        """Remember the samples; nothing runs yet.

        Args:
            system: in evaluation mode.
            samples: with truth and inputs.
            twists: ``(3,)`` velocity of the LiDAR in each sample; None where it is not known.
            written: what networks at the inputs write of the samples, by port, where it is known
                already; they need not run for it.
        """
        self._written = written or {}
        self._system, self._samples, self._twists = system, samples, twists
        self._pipeline = system.pipeline
        self._truths = self._stage_truths()
        self.players = (*self._truths, CALIBRATION, TIME)
        self._inputs = system.inputs(samples)
        self._known: dict[tuple[str, Coalition], PortValues] = {}
        self.stage_runs: dict[str, int] = {}
        self.refine(Refinement())

    def refine(self, refinement: Refinement) -> None:
        """Take note of the errors of mounting and stamps, before any component is perfect."""
        self.refinement = refinement
        calibrations = {id(s.context.calibration): s.context.calibration for s in self._samples}
        right = {key: corrected(given, refinement) for key, given in calibrations.items()}
        self._frames = [
            RefinedFrame(s.context, twist, refinement, right[id(s.context.calibration)])
            for s, twist in zip(self._samples, self._twists, strict=True)
        ]
        self._contexts_of: dict[Coalition, list[FrameContext]] = {}
        self._scenes_of: dict[Coalition, list[TrueScene]] = {}
        self.given_scenes = [
            TrueScene(self._system.truth(s), s.context.calibration, s.context.motion)
            for s in self._samples
        ]
        pairs_of_scenes = zip(self._frames, self.given_scenes, strict=True)
        self._scenes = [frame.scene(scene) for frame, scene in pairs_of_scenes]
        self._wrong = frozenset(
            name
            for name, found in ((CALIBRATION, refinement.mounting), (TIME, refinement.time))
            if found
        )
        self._relevant = self._relevant_players()
        self._known = {key: v for key, v in self._known.items() if not key[1]}

    @property
    def scenes(self) -> Sequence[TrueScene]:
        """The samples as they were, by the refined calibration and stamps."""
        return self._scenes

    def networks_outputs(self) -> dict[str, list[Any]]:
        """What comes in and what networks write now, by kind of port."""
        found: dict[str, list[Any]] = {}
        for port, values in {**self._inputs, **self.network_values()}.items():
            found.setdefault(self._pipeline.ports[port].name, values)
        return found

    def cones(self, perfect: Coalition) -> list[Cones]:
        """Candidates of every sample in the frame of its truth, with some perfect components."""
        name = self._system.writer_of(self._system.cones_port)
        made = self._values(name, perfect)[self._system.cones_port]
        flags = self._flags(perfect & self._wrong)
        return [f.placed(cones, **flags) for f, cones in zip(self._frames, made, strict=True)]

    def network_values(self) -> PortValues:
        """What networks before the cones write now, by port."""
        found: PortValues = {}
        for name in self._system.end_networks:
            found |= self._values(name, frozenset())
        return found

    def qualities(self) -> dict[str, list[PortCounts]]:
        """How much of what each network writes is right by itself, sample by sample."""
        found: dict[str, list[PortCounts]] = {}
        for name, truth in self._truths.items():
            values = next(iter(self._values(name, frozenset()).values()))
            pairs = zip(self._scenes, values, strict=True)
            counts = [truth.count(scene, value) for scene, value in pairs if value is not None]
            kept = [of_frame for of_frame in counts if of_frame is not None]
            if kept:
                found[name] = kept
        return found

    def distinct(self, perfect: Coalition) -> Coalition:
        """The players of a set on which the cones depend: others make no difference."""
        return perfect & self._relevant[self._system.writer_of(self._system.cones_port)]

    def _stage_truths(self) -> dict[str, PortTruth]:
        """Truth of each stage that can be replaced, in their order."""
        found: dict[str, PortTruth] = {}
        last = self._system.writer_of(self._system.cones_port)
        for name in self._pipeline.order:
            if name in self._system.end_networks or name == last:
                ports = self._pipeline.specification.stages[name].outputs.values()
                truths = [port_truth(self._pipeline.ports[port].name) for port in ports]
                if len(truths) == 1 and truths[0] is not None:
                    found[name] = truths[0]()
        return found

    def _relevant_players(self) -> dict[str, Coalition]:
        """Players that what a stage writes depends on."""
        writers = {
            port: name
            for name, stage in self._pipeline.specification.stages.items()
            for port in stage.outputs.values()
        }
        relevant: dict[str, Coalition] = {}
        for name in self._pipeline.order:
            ports = self._pipeline.specification.stages[name].inputs.values()
            before = [relevant[writers[port]] for port in ports if port in writers]
            own: Iterable[str] = {name} & self._truths.keys()
            if self._pipeline.stage(name).needs_calibration:
                own = {*own, *self._wrong}
            relevant[name] = frozenset(own).union(*before)
        return relevant

    def _flags(self, perfect: Coalition) -> dict[str, bool]:
        return {"mounting": CALIBRATION in perfect, "time": TIME in perfect}

    def _contexts(self, perfect: Coalition) -> list[FrameContext]:
        """Contexts without some errors; the same objects every time, so that stages know them."""
        if perfect not in self._contexts_of:
            flags = self._flags(perfect)
            self._contexts_of[perfect] = [frame.context(**flags) for frame in self._frames]
        return self._contexts_of[perfect]

    def _values(self, name: str, perfect: Coalition) -> PortValues:
        """What a stage writes, with some perfect components."""
        key = (name, perfect & self._relevant[name])
        if key not in self._known:
            if name in key[1]:
                self._known[key] = self._perfect(name, key[1])
            else:
                self._known[key] = self._run(name, key[1])
        return self._known[key]

    def _read(self, name: str, perfect: Coalition) -> PortValues:
        """Values of the ports that a stage reads."""
        values: PortValues = {}
        for port in self._pipeline.specification.stages[name].inputs.values():
            if port in self._inputs:
                values[port] = self._inputs[port]
            else:
                values[port] = self._values(self._system.writer_of(port), perfect)[port]
        return values

    def _run(self, name: str, perfect: Coalition) -> PortValues:
        ports = tuple(self._pipeline.specification.stages[name].outputs.values())
        if not perfect and all(port in self._written for port in ports):
            return {port: self._written[port] for port in ports}
        contexts = self._contexts(perfect & self._wrong)
        self.stage_runs[name] = self.stage_runs.get(name, 0) + 1
        with torch.no_grad():
            return self._pipeline.run_stage(name, self._read(name, perfect), contexts)

    def _perfect(self, name: str, perfect: Coalition) -> PortValues:
        read, (port,) = (
            self._read(name, perfect),
            self._pipeline.specification.stages[name].outputs.values(),
        )
        kinds = {given: self._pipeline.ports[given].name for given in read}
        made = self._values(name, perfect - {name})[port]
        contexts = self._contexts(perfect & self._wrong)
        scenes = self._scenes_for(name, perfect & self._wrong)
        values: list[Any] = []
        for row, (scene, context) in enumerate(zip(scenes, contexts, strict=True)):
            inputs = {kinds[given]: of_port[row] for given, of_port in read.items()}
            if any(value is None for value in inputs.values()) and made[row] is None:
                values.append(None)
                continue
            values.append(self._truths[name].perfect(scene, inputs, made[row], context))
        return {port: values}

    def _scenes_for(self, name: str, perfect: Coalition) -> Sequence[TrueScene]:
        """Scenes with the truth in the frame in which a stage writes."""
        if not self._pipeline.stage(name).needs_calibration:
            return self._scenes
        if perfect not in self._scenes_of:
            flags, scenes = self._flags(perfect), []
            for frame, scene in zip(self._frames, self._scenes, strict=True):
                pose = frame.lidar_from_scan(**flags)
                positions = scene._replace(lidar_from_scan=pose).in_scan()
                scenes.append(scene._replace(truth=scene.truth._replace(positions=positions)))
            self._scenes_of[perfect] = scenes
        return self._scenes_of[perfect]
