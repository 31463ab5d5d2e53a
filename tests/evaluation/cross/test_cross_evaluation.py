"""Every combination has the figures of its own evaluation, and every version runs once."""

import json
from pathlib import Path

import pytest
import torch

from conegrad_core.cones import TrueCones
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.jobs.job import outcome
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.scan_network import ScanNetwork
from conegrad_core.lidar.segmenter import save_segmenter
from conegrad_core.lidar.stage import SegmenterStage
from conegrad_core.pipeline.build import layout_of, load_pipeline
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.file import load_specification
from conegrad_core.system_record.description import Description
from conegrad_core.system_record.record import write_record
from conegrad_evaluation.cross import combinations as of_combinations
from conegrad_evaluation.cross.combinations import (
    Combination,
    all_combinations,
    chain_hashes,
    pipeline_of,
)
from conegrad_evaluation.cross.cross_evaluation import cross_evaluate, latency
from conegrad_evaluation.cross.cross_report import write_files
from conegrad_evaluation.cross.findings import find
from conegrad_evaluation.cross.port_cache import PortCache
from conegrad_evaluation.cross.stage_versions import read_versions
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.sample import Sample, SampleKey
from conegrad_evaluation.system.system import System
from conegrad_evaluation.system.system_metrics import measure

LIDAR_ALONE = """
inputs: {scan: Scan}
stages:
  segmenter:
    module: scan_cnn
    inputs: {scan: scan}
    outputs: {segmentation: segmentation}
    settings: {engine: torch}
  fuser: {module: cone_fusion, inputs: {segmentation: segmentation}, outputs: {cones: cones}}
outputs: {cones: cones}
"""
CONFIG = EvaluationConfig(max_range=12.0, bootstrap_samples=20)
FRAMES = 5


class JobsHere:
    """Two workers that are this process."""

    is_parallel, workers = True, 2

    def __init__(self):
        self.names = []

    def run(self, jobs, progress=None):
        self.names.append([job.name for job in jobs])
        return [outcome(place, job)[1] for place, job in enumerate(jobs)]


def sample(place: int) -> Sample:
    generator = torch.Generator().manual_seed(place)
    ranges = torch.full((181,), 11.0)
    ranges[60 + place : 63 + place] = 4.0
    ranges[120:123] = 6.0
    angles = torch.linspace(-1.5, 1.5, 181)
    ranges += 0.01 * torch.randn(181, generator=generator)
    at = torch.stack([angles[[61 + place, 121]].cos(), angles[[61 + place, 121]].sin()], 1)
    seen = torch.ones(2, dtype=torch.bool)
    truth = TrueCones(at * torch.tensor([[4.0], [6.0]]), torch.tensor([0, 1]), ~seen, seen)
    beams = (ranges < 10).clone()
    key = SampleKey("toy", place, place * 10**9)
    return Sample({"scan": Scan(ranges, angles)}, FrameContext(), truth, key, {"beams": beams})


@pytest.fixture
def pipeline(tmp_path):
    path = tmp_path / "lidar_alone.yaml"
    path.write_text(LIDAR_ALONE)
    return str(path)


@pytest.fixture
def versions(tmp_path):
    """Three segmenters, two fusers."""
    paths = {"segmenter": [], "fuser": []}
    for seed in range(2):
        torch.manual_seed(seed)
        paths["segmenter"].append(tmp_path / f"segmenter_{seed}.safetensors")
        save_segmenter(ScanNetwork(), paths["segmenter"][-1], {})
    fuser = Fuser()
    with torch.no_grad():
        for weight in fuser.scalars.parameters():
            weight.add_(0.3)
    paths["fuser"].append(tmp_path / "fuser_1.safetensors")
    fuser.save(paths["fuser"][0])
    words = [f"{name}=default,{','.join(map(str, files))}" for name, files in paths.items()]
    return read_versions(words, ("segmenter", "fuser"))


@pytest.fixture
def scans_seen(monkeypatch):
    """Number of scans that all segmenters got."""
    seen, forward = [], SegmenterStage.forward

    def counted(self, inputs, contexts):
        seen.append(len(contexts))
        return forward(self, inputs, contexts)

    monkeypatch.setattr(SegmenterStage, "forward", counted)
    return seen


def direct(pipeline, combination, data):
    """Metrics of a system that is loaded and evaluated by itself."""
    files = {v.stage: v.source for v in combination.chosen.values() if v.source != "default"}
    settings = {stage: {"weights": path} for stage, path in files.items()}
    return measure(System(load_pipeline(pipeline, settings)), data, CONFIG)


def test_figures_are_those_of_each_system_and_each_segmenter_runs_once(
    pipeline, versions, scans_seen, tmp_path
):
    data = [sample(place) for place in range(FRAMES)]
    cache = tmp_path / "cache"
    evaluation = cross_evaluate(pipeline, versions, [data], CONFIG, cache=cache)
    assert sum(scans_seen) == 3 * FRAMES
    assert len(evaluation.metrics) == 6
    for combination, metrics in zip(evaluation.combinations, evaluation.metrics, strict=True):
        alone = direct(pipeline, combination, data).to_dict()
        del alone["frames"]  # counts of each frame, which a cross evaluation does not keep
        assert metrics.to_dict() == alone
    assert len({str(metrics.to_dict()) for metrics in evaluation.metrics}) == 6

    scans_seen.clear()
    runner = JobsHere()
    again = cross_evaluate(pipeline, versions, [data], CONFIG, cache=cache, runner=runner)
    assert not scans_seen
    assert [m.to_dict() for m in again.metrics] == [m.to_dict() for m in evaluation.metrics]
    assert [len(names) for names in runner.names] == [2, 2]
    assert runner.names[1][0].startswith("combinations segmenter default, fuser default to")

    with PortCache(cache) as entries:
        assert len(entries) == 3 * FRAMES

    report = write_files(evaluation, find(evaluation, budget=1e-9), tmp_path / "out")
    content = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert len(content["systems"]) == 6
    assert content["within_budget"] is None
    assert "Best system: segmenter" in report.read_text()
    assert (tmp_path / "out" / "heat_map.png").stat().st_size > 5_000


def test_only_what_depends_on_a_version_gets_another_hash(pipeline, versions):
    combinations = all_combinations(pipeline, versions)
    assert len({c.chains["segmenter"] for c in combinations}) == 3
    assert len({c.chains["fuser"] for c in combinations}) == 6


def test_a_version_may_be_the_stage_of_another_system(pipeline, versions, tmp_path):
    record = tmp_path / "record"
    write_record(record, load_pipeline(pipeline, trainable=True), Description("other"))
    same = read_versions([f"segmenter=default,{pipeline},{record}"], ("segmenter", "fuser"))
    combinations = all_combinations(pipeline, same)
    assert len({combination.chains["segmenter"] for combination in combinations}) == 1


def test_a_file_that_changed_after_the_start_is_refused_in_other_processes(
    pipeline, versions, monkeypatch
):
    last = all_combinations(pipeline, versions)[-1]
    pipeline_of(pipeline, last)
    save_segmenter(ScanNetwork(), Path(last.chosen["segmenter"].source), {})
    monkeypatch.setattr(of_combinations, "_LOADED", {})  # as in another process
    with pytest.raises(PipelineError, match="segmenter segmenter_1: weights, settings or code are"):
        pipeline_of(pipeline, last)


def test_jobs_in_several_processes_need_a_cache(pipeline, versions):
    with pytest.raises(ValueError, match="expected a folder that all processes share"):
        cross_evaluate(pipeline, versions, [[sample(0)]], CONFIG, runner=JobsHere())


def test_a_branch_does_not_depend_on_the_other_one_and_the_longest_way_counts():
    layout = layout_of(load_specification("camera_lidar_keypoints"))
    first = chain_hashes(layout, dict.fromkeys(layout.order, "a"))
    second = chain_hashes(layout, {**dict.fromkeys(layout.order, "a"), "detector": "b"})
    changed = {name for name in layout.order if first[name] != second[name]}
    assert changed == set(layout.order) - {"segmenter"}

    combination = Combination({}, first, {})
    times = dict(zip(first.values(), [1.0] * len(first), strict=True))
    assert latency(layout, combination, times, "segmenter") == 1.0
    camera = latency(layout, combination, times, "fuser")
    assert latency(layout, combination, {**times, first["segmenter"]: 1.5}, "fuser") == camera
    assert latency(layout, combination, {**times, first["segmenter"]: 99.0}, "fuser") == 100.0
