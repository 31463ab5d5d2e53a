"""A sweep: trials on a study of Optuna in a database, which several processes share."""

import functools
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from conegrad_core.jobs.job import Job
from conegrad_core.jobs.runner import JobRunner
from conegrad_data.errors import TrainingError
from conegrad_training.engine.output_folder import lock_folder
from conegrad_training.engine.training_run import Data, TrainingConfig, plain_settings
from conegrad_training.sweep.search_space import read_space
from conegrad_training.sweep.settings import StudyConfig
from conegrad_training.sweep.trial import BEGAN, OVER_BUDGET, SweepPlan, run_trial

logger = logging.getLogger(__name__)

DATABASE = "sweep.db"
SETTINGS = "settings"  # attribute of a study
DATABASE_TIMEOUT = 60.0  # [s] that a process waits for others
KILLED = "killed"  # attribute of a trial: number of the killed one that it takes the place of

TrialProgress = Callable[[Iterable[FrozenTrial], int], Iterable[FrozenTrial]]


def sweep(
    config: StudyConfig,
    training: TrainingConfig,
    data: Data,
    folder: Path,
    *,
    runner: JobRunner | None = None,
    progress: TrialProgress | None = None,
) -> optuna.Study:
    """Make the trials that are missing; those that were killed go on from their checkpoints.

    Args:
        config: settings of the sweep.
        training: settings that are not varied.
        data: samples; the figure is that of the evaluation.
        folder: of the sweep.
        runner: makes several trials at once; None: one after the other, in this process.
        progress: shows the trials that are done, where this process makes them.

    Returns:
        The study with all its trials.

    Raises:
        JobError: naming the worker, if a trial of several at once failed.
        ReplayError: if another process sweeps in the folder.
        ValueError: if the folder holds a sweep of other settings, or nothing is varied.
    """
    folder.mkdir(parents=True, exist_ok=True)
    storage = config.storage or f"sqlite:///{(folder / DATABASE).resolve()}"
    space = read_space(config.vary)
    plan = SweepPlan(config, training, space, data, folder, storage, folder.resolve().name)
    with lock_folder(folder):
        study = open_study(plan)
        _check_settings(plan, study)
        _restart_killed(study)
        if runner is None or not runner.is_parallel:
            left = max(0, config.trials - len(_begun(study)))
            for _ in progress(trials(plan), left) if progress else trials(plan):
                pass
        else:
            runner.run(
                [
                    Job(f"worker {number}", make_trials, {"plan": plan, "worker": number})
                    for number in range(runner.workers)
                ]
            )
    return open_study(plan)


def make_trials(plan: SweepPlan, worker: int) -> int:
    """Make trials beside other workers; their number."""
    return sum(1 for _ in trials(plan, worker))


def trials(plan: SweepPlan, worker: int = 0) -> Iterator[FrozenTrial]:
    """Make trials until there are as many as the sweep asks for."""
    study = open_study(plan, worker)
    objective = functools.partial(run_trial, plan)
    while _has_waiting(study) or len(_begun(study)) < plan.sweep.trials:
        study.optimize(objective, n_trials=1, catch=(TrainingError,))
        yield study.get_trials(deepcopy=False)[-1]


def open_study(plan: SweepPlan, worker: int = 0) -> optuna.Study:
    """The study in the database; made if it is missing."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    waits = {"timeout": DATABASE_TIMEOUT} if plan.storage.startswith("sqlite") else {}
    storage = RDBStorage(plan.storage, engine_kwargs={"connect_args": waits})
    study = optuna.create_study(
        storage=storage, study_name=plan.name, direction="maximize", load_if_exists=True
    )
    # A sampler that goes on must not draw the first values once more.
    seed = plan.sweep.sampler_seed + 1000 * worker + len(study.get_trials(deepcopy=False))
    study.sampler = optuna.samplers.TPESampler(seed=seed)
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=plan.sweep.full_trials)
    return study


def best_trial(study: optuna.Study) -> FrozenTrial | None:
    """The finished trial with the highest figure within the label budget; None: there is none."""
    done = [
        trial
        for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if not trial.user_attrs.get(OVER_BUDGET) and trial.value is not None
    ]
    return max(done, key=lambda trial: trial.value or 0.0, default=None)


def _check_settings(plan: SweepPlan, study: optuna.Study) -> None:
    """Write the settings of a study, or check them against those written before."""
    settings = {
        "vary": sorted(plan.sweep.vary),
        "figure": plan.sweep.figure,
        "label_budget": plan.sweep.label_budget,
        "training": plain_settings(plan.training),
        "data": list(plan.data.names),
    }
    found = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()
    if study.user_attrs.get(SETTINGS, found) != found:
        raise ValueError(
            f"{plan.folder} holds a sweep of other settings or bags, expected the same ones, or "
            "another output folder"
        )
    study.set_user_attr(SETTINGS, found)


def _restart_killed(study: optuna.Study) -> None:
    """Trials that run in no process any more, since this one has the folder, are made again."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        logger.warning("trial %d was killed: it goes on from its checkpoint", trial.number)
        began = trial.user_attrs.get(BEGAN, trial.number)
        study.enqueue_trial(trial.params, user_attrs={BEGAN: began, KILLED: trial.number})
        study.tell(trial.number, state=TrialState.FAIL)


def _begun(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that count: those that run or ended, without those that go on as another one."""
    trials = study.get_trials(deepcopy=False)
    killed = {trial.user_attrs.get(KILLED) for trial in trials}
    return [t for t in trials if t.state != TrialState.WAITING and t.number not in killed]


def _has_waiting(study: optuna.Study) -> bool:
    return bool(study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))
