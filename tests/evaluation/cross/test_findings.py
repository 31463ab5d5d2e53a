"""The best system, the budget, and parts that do not make it."""

import dataclasses

import numpy as np
import pytest

from conegrad_core.pipeline.build import layout_of
from conegrad_core.pipeline.file import load_specification
from conegrad_evaluation.cross.combinations import Combination
from conegrad_evaluation.cross.cross_evaluation import CrossEvaluation
from conegrad_evaluation.cross.findings import compare_systems, find, sentences
from conegrad_evaluation.cross.stage_versions import StageVersion
from conegrad_evaluation.metrics.counts import F1Counts
from conegrad_evaluation.port_metrics import PortResult
from conegrad_evaluation.samples.sample import SampleKey
from conegrad_evaluation.system.system_metrics import SystemMetrics

FRAMES = 200
HITS = {("a", "c"): 7, ("a", "d"): 6, ("b", "c"): 5, ("b", "d"): 9}  # of ten cones in a frame
BOXES, BEAMS = {"a": 0.8, "b": 0.7}, {"c": 0.5, "d": 0.9}


def evaluation(labelled: bool = True, frames: int = FRAMES) -> CrossEvaluation:
    """Two detectors and two segmenters; b and d fit each other."""
    noise = np.random.default_rng(0)
    combinations, metrics, counts = [], [], []
    for (detector, segmenter), hits in HITS.items():
        chosen = {
            "detector": StageVersion("detector", detector, detector),
            "segmenter": StageVersion("segmenter", segmenter, segmenter),
        }
        combinations.append(Combination(chosen, {}, {}))
        ports = {
            "detections": PortResult({"mAP50": BOXES[detector]}, {}),
            "segmentation": PortResult({"beam_f1": BEAMS[segmenter]}, {}),
        }
        score = PortResult({"f1_colour": hits / 10}, {})
        metrics.append(SystemMetrics(score, ports if labelled else dict.fromkeys(ports)))
        counts.append(F1Counts(hits + noise.integers(-1, 2, frames), np.full(frames, 20)))
    return CrossEvaluation(
        versions={
            stage: tuple(dict.fromkeys(c.chosen[stage] for c in combinations))
            for stage in ("detector", "segmenter")
        },
        combinations=tuple(combinations),
        metrics=tuple(metrics),
        qualities=tuple(
            {} if labelled else {"detections": BOXES[c.chosen["detector"].label]}
            for c in combinations
        ),
        counts=tuple(counts),
        latencies=(0.05, 0.04, 0.03, 0.06),
        seconds={},
        frames=tuple(SampleKey("drive", n, n * 100_000_000) for n in range(frames)),
        layout=layout_of(load_specification("camera_lidar")),
    )


def test_says_that_the_best_parts_do_not_make_the_best_system():
    found = find(evaluation())
    assert found.best == 3
    assert [part.version.label for part in found.parts] == ["a", "d"]
    assert found.of_parts.place == 1
    assert found.of_parts.difference == pytest.approx(-0.3, abs=0.02)
    assert found.of_parts.is_sure
    assert found.of_parts.interval.low < -0.3 < found.of_parts.interval.high
    text = sentences(evaluation(), found)
    assert text[0] == "Best system: detector b, segmenter d: f1_colour 0.900, 60.0 ms."
    assert "detector a (mAP50 0.800, next 0.700), segmenter d (beam_f1 0.900" in text[1]
    assert "do not make the best system: f1_colour 0.600" in text[1]
    assert text[2].endswith("make the best system.")  # b and d, on average


def test_few_frames_do_not_settle_it():
    few = evaluation(frames=2)
    assert "these frames do not settle it" in sentences(few, find(few))[1]


def test_the_best_system_within_a_latency():
    found = find(evaluation(), budget=0.055)
    assert found.within == 0
    assert (
        "Best system within 55.0 ms: detector a, segmenter c" in sentences(evaluation(), found)[1]
    )
    assert find(evaluation(), budget=0.01).within is None
    assert "the fastest is detector b, segmenter c" in " ".join(
        sentences(evaluation(), find(evaluation(), budget=0.01))
    )


def test_without_labels_a_part_has_its_quality_and_another_one_that_of_the_best_system():
    found = find(evaluation(labelled=False))
    assert [(part.version.label, part.figure) for part in found.parts] == [
        ("a", "detections quality")
    ]
    assert found.of_parts.place == 1  # a with the segmenter of the best system
    none = dataclasses.replace(evaluation(labelled=False), qualities=({},) * 4)
    assert "No part has a figure of its own" in " ".join(sentences(none, find(none)))


def test_the_best_system_equals_itself():
    assert compare_systems(evaluation(), 3, 3).difference == 0.0
