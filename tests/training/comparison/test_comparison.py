import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from conegrad_core.jobs.runner import JobRunner
from conegrad_core.jobs.settings import JobsConfig
from conegrad_core.vehicle import Vehicle
from conegrad_training.comparison.comparison import compare, folder_of
from conegrad_training.comparison.plan import planned_runs
from conegrad_training.comparison.report import write_report
from conegrad_training.comparison.results import RESULT, read_results, write_table
from conegrad_training.comparison.settings import RUN, SYSTEM, ComparisonConfig, DesignConfig
from conegrad_training.systems.system_config import SystemConfig
from conegrad_training.tracking.tracking import TrackingConfig, make_client


class JobsHere(JobRunner):
    """Two workers that are this process, and the names of their jobs."""

    def __init__(self):
        super().__init__(JobsConfig(workers=2))
        self.names: list[str] = []

    def run(self, jobs, progress=None):
        self.names += [job.name for job in jobs]
        return [job.function(**job.arguments) for job in jobs]


WIDTH, HEIGHT = 160, 96  # [px]
STEPS = 4


@pytest.fixture(scope="module")
def config(system_config: SystemConfig) -> ComparisonConfig:
    start = replace(system_config, input_width=WIDTH, input_height=32)
    return ComparisonConfig(
        design=DesignConfig(
            frames=3, test_frames=2, frames_per_drive=2, first_share=0.5,
            image_width=WIDTH, image_height=HEIGHT,
        ),
        run=replace(RUN, steps=STEPS, batch=1, checkpoint_every=2),
        system=replace(start, crop_top=SYSTEM.crop_top, crop_bottom=SYSTEM.crop_bottom),
    )  # fmt: skip


@pytest.fixture(scope="module")
def output(
    config: ComparisonConfig, small_vehicle: Vehicle, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Three runs, done."""
    output = tmp_path_factory.mktemp("comparison")
    patterns = ["simultaneous", "individual_then_simultaneous", "statistics_only"]
    runs = planned_runs(["domain_shift"], patterns, [1], config.design.frames)
    tracking = TrackingConfig(tracking_uri=f"sqlite:///{output}/mlflow.db", experiment="compared")
    compare(config, runs, small_vehicle, output, tracking=tracking)
    return output


def test_every_run_is_tracked_with_its_stages(output: Path):
    client = make_client(f"sqlite:///{output}/mlflow.db")
    experiment = client.get_experiment_by_name("compared")
    runs = {r.info.run_name: r for r in client.search_runs([experiment.experiment_id])}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    parents = {name: run for name, run in runs.items() if " " not in name}
    assert len(parents) == 3
    assert len(runs) == 4 * len(parents)  # each with detector, segmenter and fuser
    for name, run in parents.items():
        assert run.data.metrics["f1_colour"] >= 0
        of_stage = runs[f"{name} segmenter"].data
        assert of_stage.tags["mlflow.parentRunId"] == run.info.run_id
        assert of_stage.metrics["beam_f1"] >= 0


def test_every_run_has_the_same_budget_and_its_own_costs(output: Path):
    results = {result.pattern: result for result in read_results(output)}
    assert len(results) == 3
    assert {result.steps for result in results.values()} == {STEPS}
    assert results["statistics_only"].frame_values == 0
    assert results["statistics_only"].backward == {}
    end, both = results["simultaneous"], results["individual_then_simultaneous"]
    assert end.backward == {"detector": STEPS, "segmenter": STEPS, "fuser": STEPS}
    # Half of the steps of the sequence did not touch the fusion.
    assert both.backward == {"detector": STEPS, "segmenter": STEPS, "fuser": STEPS // 2}
    # Cones that are seen in two frames are measured once, and never more than counted.
    assert 0 < end.map_values < end.frame_values
    assert end.map_values % 3 == 0
    assert both.frame_values > end.frame_values
    assert set(end.after) >= {"f1_colour", "mAP50", "beam_f1"}
    assert len({tuple(result.baseline.items()) for result in results.values()}) == 1


def test_runs_in_several_jobs_have_the_results_of_runs_one_after_the_other(
    config: ComparisonConfig, small_vehicle: Vehicle, output: Path, tmp_path: Path
):
    jobs = JobsHere()
    runs = planned_runs(["domain_shift"], ["simultaneous"], [1], config.design.frames)
    compare(config, runs, small_vehicle, tmp_path, jobs=jobs)
    assert jobs.names == ["baseline of domain_shift", f"domain_shift, {runs[0].name}"]
    expected = {result.pattern: result for result in read_results(output)}["simultaneous"]
    (result,) = read_results(tmp_path)
    assert result.after == expected.after
    assert result.baseline == expected.baseline


def test_done_runs_are_not_done_again(
    config: ComparisonConfig, small_vehicle: Vehicle, output: Path
):
    runs = planned_runs(
        ["domain_shift"], ["simultaneous", "statistics_only"], [1], config.design.frames
    )
    lost, kept = (folder_of(run, output) for run in runs)
    before = (lost / RESULT).read_text()
    stamp = (kept / RESULT).stat().st_mtime_ns
    (lost / RESULT).unlink()
    (lost / "losses.csv").unlink()
    compare(config, runs, small_vehicle, output)
    assert (kept / RESULT).stat().st_mtime_ns == stamp
    again, first = json.loads((lost / RESULT).read_text()), json.loads(before)
    del again["seconds"], first["seconds"]
    assert again == first


def test_the_report_is_self_contained(config: ComparisonConfig, output: Path):
    results = read_results(output)
    write_table(results, output / "results.csv")
    with (output / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["pattern"] for row in rows} == {result.pattern for result in results}
    assert float(rows[0]["after_f1_colour"]) == pytest.approx(
        results[0].after["f1_colour"], abs=1e-5
    )
    text = write_report(results, config, output).read_text()
    assert "individual then simultaneous" in text
    assert 'src="http' not in text
    assert {path.name for path in (output / "plots").iterdir()} == {
        "domain_shift_scores.png", "domain_shift_labels.png", "domain_shift_parts.png",
    }  # fmt: skip


def test_other_settings_need_another_folder(
    config: ComparisonConfig, small_vehicle: Vehicle, output: Path
):
    with pytest.raises(ValueError, match=r"settings\.json has run\.steps = 4 \(now 5\)"):
        compare(replace(config, run=replace(config.run, steps=5)), [], small_vehicle, output)


def test_other_weights_need_another_folder(small_vehicle: Vehicle, tmp_path: Path):
    config = ComparisonConfig(run=replace(RUN, steps=4))
    compare(config, [], small_vehicle, tmp_path)
    path = tmp_path / "settings.json"
    # As of a version that shipped other weights.
    path.write_text(json.dumps({**json.loads(path.read_text()), "fingerprint": "0123"}))
    with pytest.raises(ValueError, match="did not start from the weights"):
        compare(config, [], small_vehicle, tmp_path)


def test_a_setting_younger_than_the_folder_had_its_default(small_vehicle: Vehicle, tmp_path: Path):
    config = ComparisonConfig(run=replace(RUN, steps=4))
    compare(config, [], small_vehicle, tmp_path)
    path = tmp_path / "settings.json"
    settings = json.loads(path.read_text())
    del settings["pattern.learn_calibration"]
    path.write_text(json.dumps(settings))
    compare(config, [], small_vehicle, tmp_path)
    pattern = replace(config.pattern, learn_calibration=True)
    with pytest.raises(ValueError, match=r"has pattern\.learn_calibration = False \(now True\)"):
        compare(replace(config, pattern=pattern), [], small_vehicle, tmp_path)


def test_settings_of_version_0_1_are_those_of_the_same_name(small_vehicle: Vehicle, tmp_path: Path):
    config = ComparisonConfig(run=replace(RUN, steps=4))
    compare(config, [], small_vehicle, tmp_path)
    path = tmp_path / "settings.json"
    old = {
        "stages.detector.rate": "camera_rate", "stages.detector.supervised_rate": "own_camera_rate",
        "stages.segmenter.rate": "lidar_rate", "stages.fuser.rate": "fusion_rate",
        "stages.detector.weights": "camera", "stages.segmenter.weights": "lidar",
        "stages.fuser.weights": "fusion", "fingerprint": "weights",
    }  # fmt: skip
    written = json.loads(path.read_text()).items()
    settings = {
        old.get(key, key.rpartition(".")[2]): value
        for key, value in written
        if key in old or not key.startswith(("stages.", "system.pipeline"))
    }
    path.write_text(json.dumps(settings))
    compare(config, [], small_vehicle, tmp_path)
    with pytest.raises(ValueError, match=r"has run\.steps = 4 \(now 5\)"):
        compare(ComparisonConfig(run=replace(RUN, steps=5)), [], small_vehicle, tmp_path)


def test_no_two_groups_have_a_setting_of_one_name():
    names = [name.partition(".")[2] for name in ComparisonConfig().by_name()]
    assert len(names) == len(set(names))
