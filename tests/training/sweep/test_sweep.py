"""A sweep prunes, keeps to the label budget, and goes on after a kill."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from optuna.trial import TrialState

from conegrad_core.jobs.runner import JobRunner
from conegrad_core.jobs.settings import JobsConfig
from conegrad_data.errors import TrainingError
from conegrad_training.engine.training_run import Data, TrainingConfig
from conegrad_training.sweep import trial as of_trial
from conegrad_training.sweep.search_space import read_space
from conegrad_training.sweep.settings import StudyConfig
from conegrad_training.sweep.sweep import best_trial, open_study, sweep
from conegrad_training.sweep.sweep_files import write_files
from conegrad_training.sweep.trial import SweepPlan

WORD = "loss.recall_weight=0.1..2"
STEPS = 4
DATA = Data([], [], ("toy",))


class ToyRun:
    """A run whose figure is the varied setting, times the share of the steps taken."""

    killed_at = 0  # step at which the process dies, once

    def __init__(self, config, data, folder):
        self.figure, self.folder = config.loss.recall_weight, folder
        self.cost = SimpleNamespace(steps=0, label_values=0)

    def start(self, *, resume):
        assert resume
        self.folder.mkdir(parents=True, exist_ok=True)
        checkpoint = self.folder / "checkpoint.pt"
        self.cost.steps = int(checkpoint.read_text()) if checkpoint.exists() else 0

    def steps(self) -> Iterator[int]:
        while self.cost.steps < STEPS:
            if ToyRun.killed_at and self.cost.steps == ToyRun.killed_at:
                ToyRun.killed_at = 0
                raise KeyboardInterrupt
            self.cost.steps += 1
            self.cost.label_values = round(100 * self.figure * self.cost.steps)
            (self.folder / "checkpoint.pt").write_text(str(self.cost.steps))
            (self.folder / "taken").open("a").write(f"{self.cost.steps}\n")
            yield self.cost.steps

    def take_steps(self, progress):
        for _ in progress(self.steps(), self.cost.steps, STEPS):
            pass

    def measure(self, name):
        return {"f1_colour": self.figure * self.cost.steps / STEPS}

    def publish(self, headlines):
        (self.folder / "run.json").write_text("{}")


@pytest.fixture(autouse=True)
def toy_run(monkeypatch):
    monkeypatch.setattr(of_trial, "Run", ToyRun)


def config(**settings) -> StudyConfig:
    return StudyConfig(vary=(WORD,), measure_every=1, **{"trials": 5, "full_trials": 2, **settings})


def plan_of(folder) -> SweepPlan:
    """Enough of a plan to open the study."""
    storage = f"sqlite:///{folder / 'sweep.db'}"
    space = read_space([WORD])
    return SweepPlan(config(), TrainingConfig(), space, DATA, folder, storage, folder.name)


def test_worse_trials_are_pruned_and_a_sweep_that_is_done_makes_no_more(tmp_path):
    study = sweep(config(), TrainingConfig(), DATA, tmp_path)
    states = [trial.state for trial in study.trials]
    assert len(states) == 5
    assert TrialState.PRUNED in states
    best = best_trial(study)
    assert best.value == max(trial.value for trial in study.trials if trial.value is not None)
    write_files(study, read_space([WORD]), TrainingConfig(), tmp_path)
    value = best.params["loss.recall_weight"]
    assert f"loss:\n  recall_weight: {value!r}" in (tmp_path / "best.yaml").read_text()
    assert (tmp_path / "trials.csv").read_text().count("\n") == 6
    assert (tmp_path / "sweep.png").stat().st_size > 5_000
    assert not list(tmp_path.glob("trials/*/checkpoint.pt"))

    assert len(sweep(config(), TrainingConfig(), DATA, tmp_path).trials) == 5
    with pytest.raises(ValueError, match="holds a sweep of other settings"):
        sweep(config(figure="f1"), TrainingConfig(), DATA, tmp_path)


def test_workers_share_the_trials_and_those_beyond_the_label_budget_are_not_the_best(tmp_path):
    class JobsHere(JobRunner):
        def run(self, jobs, progress=None):
            return [job.function(**job.arguments) for job in jobs]

    asked, runner = config(label_budget=300, full_trials=100), JobsHere(JobsConfig(workers=2))
    study = sweep(asked, TrainingConfig(), DATA, tmp_path, runner=runner)
    assert len(study.trials) == 5
    over = [trial for trial in study.trials if trial.user_attrs.get("over_budget")]
    assert over
    assert all(trial.params["loss.recall_weight"] > 0.75 for trial in over)
    assert all(trial.state == TrialState.PRUNED for trial in over)
    best = best_trial(study)
    assert best is None or best.params["loss.recall_weight"] <= 0.75


def test_a_trial_that_was_killed_goes_on_with_its_values_and_steps(tmp_path, monkeypatch):
    monkeypatch.setattr(ToyRun, "killed_at", 3)
    plan = plan_of(tmp_path)
    killed = open_study(plan).ask()  # as a process that dies leaves it: begun, not ended
    with pytest.raises(KeyboardInterrupt):
        of_trial.run_trial(plan, killed)
    study = sweep(config(trials=1), TrainingConfig(), DATA, tmp_path)
    assert [trial.state for trial in study.trials] == [TrialState.FAIL, TrialState.COMPLETE]
    assert study.trials[1].params == killed.params
    assert (tmp_path / "trials" / "0000" / "taken").read_text().split() == ["1", "2", "3", "4"]
    assert not (tmp_path / "trials" / "0001").exists()


def test_a_refused_step_fails_its_trial_alone(tmp_path, monkeypatch):
    def refuse(self, name):
        raise TrainingError("a loss is not finite")

    monkeypatch.setattr(ToyRun, "measure", refuse)
    study = sweep(config(trials=1), TrainingConfig(), DATA, tmp_path)
    assert {trial.state for trial in study.trials} == {TrialState.FAIL}
