"""Runs a system on bags under attacks, each beside a random change of the same budget."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch

from conegrad_core.camera.image import RgbImage
from conegrad_core.cones import Cones
from conegrad_core.fusion.selection import select_cones
from conegrad_core.losses import EndLoss, EndLossConfig
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.registry import port_type
from conegrad_core.settings import setting
from conegrad_evaluation.attacks.attacked import (
    TRIES,
    attacked,
    end_losses,
    randomly_changed,
)
from conegrad_evaluation.attacks.image_patch import Texture
from conegrad_evaluation.attacks.registry import attacks
from conegrad_evaluation.attacks.threat import AND, ChosenAttack, Threat, read_threat
from conegrad_evaluation.attacks.universal import learn_shared_parts
from conegrad_evaluation.metrics.bootstrap import median_period
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult, match_frame
from conegrad_evaluation.port_metrics import MIN_EXISTENCE
from conegrad_evaluation.replay_settings import ReplaySettings, Shown, check_names
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System

ALL = "all"  # in place of attacks: every one with its usual budgets
SENSORS = {"camera": ("visible_camera",), "lidar": ("visible_lidar",)}  # what ports measure
BOTH = "both"
TOGETHER = (("image_pgd", "scan_moved"), ("image_pgd", "scan_added"))  # tried on both sensors


@dataclass(frozen=True)
class AttackSettings(ReplaySettings):
    """How bags are replayed, and under which attacks."""

    attacks: tuple[str, ...] = setting(
        (ALL,),
        "Attacks: NAME, NAME:SIZE or NAME:PARAMETER=VALUE,..., several at once joined by +; all: "
        "every one that is installed, with its usual budgets",
        metavar="ATTACK",
    )
    sensors: str = setting(
        BOTH, "Sensors that are attacked, of the attacks all", choices=(*SENSORS, BOTH)
    )
    steps: int = setting(10, "Steps along the gradient", low=1, high=10000)
    tries: int = setting(
        TRIES, "Values that are tried where no gradient says what to choose", low=1, high=100000
    )
    passes: int = setting(10, "Passes over a drive that its patch is made in", low=1, high=10000)
    seed: int = setting(0, "Seed of the random draws of attacks", low=0)


class LossRow(NamedTuple):
    """End loss of one frame under one threat.

    Attributes:
        clean: of the intact frame.
        random: under a random change of the same budget.
        attacked: under the attack, as the sensors deliver it.
        curve: at each step of the search.
    """

    clean: float
    random: float
    attacked: float
    curve: list[float]


class AttackExample(NamedTuple):
    """The frame that an attack did most to.

    Attributes:
        sample: intact.
        changed: under the attack.
        cones: of the intact sample, those that exist.
        cones_changed: under the attack.
        detections: likewise of both; None without a detector.
        result: of the matching under the attack.
        gain: of the end loss.
    """

    sample: Sample
    changed: Sample
    cones: Cones
    cones_changed: Cones
    detections: tuple[Any, Any]
    result: FrameResult
    gain: float


@dataclass
class AttackRun:
    """What a system made of the frames of bags, intact and under attacks.

    Attributes:
        config: of the metrics.
        threats: in their order.
        clean: matched cones of each intact frame.
        attacked: of each threat, by its text, of each frame under it.
        random: likewise under a random change of the same budget.
        losses: of each threat, of each frame.
        drives: number of frames of each bag, by its name.
        periods: median time between two of them [s]; NaN for less than two.
        examples: of each threat.
        textures: printed pictures, by threat and bag.
    """

    config: EvaluationConfig
    threats: Sequence[Threat]
    clean: list[FrameResult] = field(default_factory=list)
    attacked: dict[str, list[FrameResult]] = field(default_factory=dict)
    random: dict[str, list[FrameResult]] = field(default_factory=dict)
    losses: dict[str, list[LossRow]] = field(default_factory=dict)
    drives: dict[str, int] = field(default_factory=dict)
    periods: dict[str, float] = field(default_factory=dict)
    examples: dict[str, AttackExample] = field(default_factory=dict)
    textures: dict[tuple[str, str], RgbImage] = field(default_factory=dict)


def chosen_threats(words: Sequence[str], sensors: str, kinds: Collection[str]) -> list[Threat]:
    """Threats of words, those that a pipeline is exposed to.

    Args:
        words: as of :class:`AttackSettings`.
        sensors: of :data:`ALL`: ``camera``, ``lidar`` or ``both``.
        kinds: of the inputs of the pipeline.

    Raises:
        PipelineError: if no package registers an attack.
        ValueError: for another form, a parameter that there is not, a value out of its limits, or
            an attack on a kind of port that the pipeline does not take.
    """
    taken = set(kinds)
    if tuple(words) != (ALL,):
        found = [read_threat(word) for word in words]
        for threat in found:
            if threat.kinds - taken:
                raise ValueError(
                    f"{threat} acts on {', '.join(sorted(threat.kinds))}, and the pipeline takes "
                    f"{', '.join(sorted(taken))}; expected an attack on one of them"
                )
        return found
    seen = [
        field for name, fields in SENSORS.items() if sensors in (name, BOTH) for field in fields
    ]
    known = {
        name: found
        for name, found in attacks().items()
        if found.acts_on in taken and port_type(found.acts_on).visibility in seen
    }
    single = [
        Threat((ChosenAttack(name, {found.size: budget[found.size]}),))
        for name, found in known.items()
        for budget in found.budgets
    ]
    together = [read_threat(AND.join(names)) for names in TOGETHER if {*names} <= known.keys()]
    return single + together


def measure_attacks(
    pipeline: Pipeline,
    bags: Sequence[Path],
    settings: AttackSettings | None = None,
    shown: Shown = lambda samples, total, title: samples,
) -> AttackRun:
    """Attack the frames of bags.

    Args:
        pipeline: of the system, trainable: attacks need gradients.
        bags: with truth.
        settings: of the replay and the attacks.
        shown: passes samples on and shows how far they are: samples, their number, a title.

    Raises:
        ReplayError: if a bag lacks images, scans, the calibration or truth.
        BagError: if a bag cannot be read.
        ValueError: if two bags have one name, or a setting is refused.
    """
    settings = settings or AttackSettings()
    check_names(bags)
    inputs = pipeline.specification.inputs.values()
    threats = chosen_threats(settings.attacks, settings.sensors, inputs)
    pipeline.requires_grad_(requires_grad=False)
    system = System(pipeline).eval()
    run = AttackRun(settings.evaluation, threats)
    for threat in threats:
        run.attacked[str(threat)], run.random[str(threat)] = [], []
        run.losses[str(threat)] = []
    criterion = EndLoss(EndLossConfig(max_range=settings.evaluation.max_range))
    for bag in bags:
        with settings.replayed(bag) as (samples, rows):
            run.drives[bag.name] = len(rows)
            stamps = []
            parts = {
                str(threat): _learned_parts(
                    run, system, samples, rows, threat, criterion, settings, shown
                )
                for threat in threats
                if threat.is_shared
            }
            for sample in shown((samples[row] for row in rows), len(rows), bag.name):
                stamps.append(sample.key.stamp_ns)
                _take(run, system, sample, criterion, parts, settings)
            run.periods[bag.name] = median_period(stamps)
    return run


def _learned_parts(
    run: AttackRun,
    system: System,
    samples: Any,
    rows: Sequence[int],
    threat: Threat,
    criterion: EndLoss,
    settings: AttackSettings,
    shown: Any,
) -> dict[str, Any]:
    """What the frames of a drive share under a threat; its pictures are noted."""
    found = learn_shared_parts(
        system,
        samples.__getitem__,
        rows,
        threat,
        criterion,
        passes=settings.passes,
        seed=settings.seed,
        shown=lambda turns, total: shown(turns, total, f"passes for {threat}"),
    )
    for part in found.values():
        if isinstance(part, Texture):
            run.textures[str(threat), samples.drive.path.name] = part.picture()
    return found


def _take(
    run: AttackRun,
    system: System,
    sample: Sample,
    criterion: EndLoss,
    parts: dict[str, dict[str, Any]],
    settings: AttackSettings,
) -> None:
    """One frame, intact and under each threat beside its baseline."""
    truth = system.truth(sample)
    cones = _cones(system, sample)
    run.clean.append(match_frame(cones, truth, run.config))
    (clean,) = end_losses(system, [sample], criterion).tolist()
    for threat in run.threats:
        name = str(threat)
        found = attacked(
            system,
            [sample],
            threat,
            criterion,
            steps=0 if threat.is_shared and len(threat.attacks) == 1 else settings.steps,
            tries=settings.tries,
            seed=settings.seed,
            shared=parts.get(name),
            learns_shared=False,
        )
        (changed,) = found.samples
        (random,) = randomly_changed([sample], threat, seed=settings.seed)
        of_random, of_attack = end_losses(system, [random, changed], criterion).tolist()
        curve = found.losses[:, 0].tolist()
        run.losses[name].append(LossRow(clean, of_random, of_attack, curve))
        run.random[name].append(match_frame(_cones(system, random), truth, run.config))
        cones_changed = _cones(system, changed)
        result = match_frame(cones_changed, truth, run.config)
        run.attacked[name].append(result)
        gain = of_attack - clean
        if name not in run.examples or gain > run.examples[name].gain:
            detections = (_detections(system, sample), _detections(system, changed))
            run.examples[name] = AttackExample(
                sample, changed, cones, cones_changed, detections, result, gain
            )


@torch.no_grad()
def _cones(system: System, sample: Sample) -> Cones:
    return select_cones(system([sample])[0], MIN_EXISTENCE)


@torch.no_grad()
def _detections(system: System, sample: Sample) -> Any:
    """Of the first port of detections; None without one."""
    kinds = system.pipeline.ports
    port = next((name for name, kind in kinds.items() if kind.name == "Detections"), None)
    return None if port is None else system.values([sample], [port])[port][0]
