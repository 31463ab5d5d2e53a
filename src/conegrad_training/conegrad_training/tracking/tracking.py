"""Tracks training runs in MLflow: a parent run per system, a child run per stage."""

import getpass
import json
import logging
import os
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from conegrad_core.settings import Config, setting
from conegrad_training.engine.loop import StepReport
from conegrad_training.tracking.model_card import UNKNOWN, git_revision
from conegrad_training.tracking.run_record import this_command

logger = logging.getLogger(__name__)

SQLITE = "sqlite:///"
RECORD = "tracking.json"  # in the output folder: which runs to go on with on resume
LOCAL_SERVER = "http://127.0.0.1:5000"  # where `mlflow ui` serves a local store
VIEW = "workflowType=machine_learning"  # else the pages around it are those of chats
NOTE = "mlflow.note.content"  # description that MLflow shows
EXPERIMENT_TAGS = {
    "mlflow.experimentKind": "custom_model_development",  # else MLflow opens on traces of chats
    NOTE: "Trainings of ConeGrad: a run per system, with a run per stage below it.",
}
FLUSH_EVERY = 5.0  # [s] between two messages to the store
BATCH = 900  # values of one message; MLflow takes 1000
PICTURES = ("*.png", "pictures/*.png")
DOCUMENTS = ("run.json", "metrics_*.json", "losses.csv", "checkpoint.pt")
# A server that is away must not hold up a training for minutes; no telemetry unless asked for.
CLIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


@dataclass(frozen=True)
class TrackingConfig(Config):
    """Where runs are tracked."""

    tracking: bool = setting(True, "Track the run in MLflow")
    tracking_uri: str = setting(
        "", "MLflow server or store; empty: MLFLOW_TRACKING_URI, else mlruns/mlflow.db here"
    )
    experiment: str = setting("conegrad", "Experiment of MLflow that the run belongs to")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.experiment.strip("/") or ".." in self.experiment.split("/"):
            expected = "expected a name that is not empty and has no '..'"
            raise self.refusal("experiment", f"is {self.experiment!r}, {expected}")

    @property
    def store(self) -> str:
        """The server or store: as set, as the environment says, or the one of this folder."""
        return self.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or local_store()


@dataclass
class _Pending:
    """Values that the store does not have yet: (run, name, value, step, time [ms])."""

    metrics: list[tuple[str, str, float, int, int]] = field(default_factory=list)


class RunTracker:
    """Writes one run to MLflow.

    Nothing that a store does ends a training: the first failure is logged as a warning, the values
    are kept, and :meth:`finish` tries once more.
    """

    def __init__(
        self,
        config: TrackingConfig,
        output: Path,
        settings: Mapping[str, Mapping[str, Any]],
        stages: Sequence[str] = (),
    ) -> None:
        """Begin a run, or go on with the one of the output folder.

        Args:
            config: where to.
            output: folder of the training run; names it.
            settings: settings by section, such as ``run`` and ``loss``; those of a stage are in
                the section ``stages.NAME``.
            stages: names of the stages that get a run of their own.
        """
        self.uri = config.store
        self._stages = tuple(stages)
        self._config, self._output, self._settings = config, output, settings
        self._client: Any = None
        self._experiment = ""
        self._runs: dict[str, str] = {}
        self._pending = _Pending()
        self._is_lost = self._is_told = False
        self._sent_at = time.monotonic()
        self._attempt(self._begin)

    @property
    def is_lost(self) -> bool:
        """Whether the store failed."""
        return self._is_lost

    @property
    def system_run(self) -> str:
        """Id of the run of the whole system; empty if the store failed."""
        return self._runs.get("system", "")

    def watch(self, steps: Iterator[StepReport]) -> Iterator[StepReport]:
        """The same steps; losses, gradient norms and seconds of each are tracked."""
        for report in steps:
            self._note(report)
            if not self._is_lost and time.monotonic() - self._sent_at > FLUSH_EVERY:
                self._attempt(self._send)
            yield report

    def finish(
        self,
        headlines: Mapping[str, Mapping[str, float]],
        weights: Mapping[str, Path] | None = None,
        stages_of_metrics: Mapping[str, str] | None = None,
    ) -> None:
        """Send metrics, pictures, checkpoint and weights, and close the runs.

        Args:
            headlines: metrics ``before`` and ``after``, empty where nothing was measured.
            weights: file of each stage, with its card beside it; None: those that ``run.json`` of
                the output folder names.
            stages_of_metrics: stage of each metric that is not of the whole system; None: those
                that ``run.json`` names.
        """
        if stages_of_metrics is None:
            stages_of_metrics = self._summary().get("stages_of_metrics", {})
        self._files = self._weights() if weights is None else dict(weights)
        steps = {"before": 0, "after": self._last_step()}
        for name, values in headlines.items():
            for metric, value in values.items():
                self._add(None, metric, value, steps[name])
                if stage := stages_of_metrics.get(metric):
                    self._add(stage, metric, value, steps[name])
        self._attempt(self._finish)

    def fail(self) -> None:
        """Close the runs as failed; what they have so far stays."""
        if not self._is_lost:
            self._attempt(self._fail)

    def how_to_look(self) -> str:
        """The address of the run, and the command that serves it where no server does."""
        command = f"mlflow ui --backend-store-uri {shlex.quote(self.uri)}"
        if not self._experiment:
            return f"runs: {self.uri if self.uri.startswith('http') else command}"
        address = f"#/experiments/{self._experiment}/runs/{self.system_run}?{VIEW}"
        if self.uri.startswith("http"):
            return f"run: {self.uri.rstrip('/')}/{address}"
        return f"run: {LOCAL_SERVER}/{address}, served by\n  {command}"

    def _begin(self) -> None:
        client = self._client = make_client(self.uri)
        if runs := self._known_runs():
            for run in runs.values():
                client.set_terminated(run, status="RUNNING")
            self._experiment = client.get_run(runs["system"]).info.experiment_id
            self._runs = runs
            return
        experiment = experiment_id(client, self._config.experiment, self.uri)
        name, source = self._output.resolve().name, source_tags()
        note = {NOTE: self._described(), "git_revision": git_revision()}
        tags = {"mlflow.runName": name, **source, **note}
        runs = {"system": client.create_run(experiment, tags=tags).info.run_id}
        for stage in self._stages:
            tags = {
                "mlflow.runName": f"{name} {stage}",
                "mlflow.parentRunId": runs["system"],
                NOTE: f"Stage {stage} of {name}",
                **source,
            }
            runs[stage] = client.create_run(experiment, tags=tags).info.run_id
        self._experiment = str(experiment)
        self._send_settings(runs)
        self._runs = runs
        self._output.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"uri": self.uri, "runs": runs}, indent=2) + "\n"
        (self._output / RECORD).write_text(text)

    def _described(self) -> str:
        """What the run does, in a line."""
        chosen = {name: dict(values) for name, values in self._settings.items()}
        words = (
            ("pattern", "pattern", "pattern {}"),
            ("system", "pipeline", "of {}"),
            ("run", "steps", "{} steps"),
            ("data", "names", "on {}"),
        )
        parts = [
            text.format(chosen[section][key])
            for section, key, text in words
            if chosen.get(section, {}).get(key) not in (None, "")
        ]
        return f"Training: {', '.join(parts)}. Output: {self._output.resolve()}"

    def _known_runs(self) -> dict[str, str]:
        """The runs that the output folder names, if the store still has all of them."""
        from mlflow.exceptions import MlflowException

        try:
            kept = json.loads((self._output / RECORD).read_text())
            if kept["uri"] != self.uri:
                return {}
            runs = {name: str(kept["runs"][name]) for name in ("system", *self._stages)}
        except (OSError, ValueError, KeyError, TypeError):
            return {}  # there is none, or a killed run left half of it
        try:
            for run in runs.values():
                self._client.get_run(run)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}
        return runs

    def _send_settings(self, runs: Mapping[str, str]) -> None:
        from mlflow.entities import Param

        rows = [
            (f"{section}.{name}", value)
            for section, values in self._settings.items()
            for name, value in values.items()
        ]
        params = [Param(name, str(value)) for name, value in rows]
        self._client.log_batch(runs["system"], params=params)
        for stage in self._stages:
            of_stage = self._settings.get(f"stages.{stage}", {})
            params = [Param(name, str(value)) for name, value in of_stage.items()]
            self._client.log_batch(runs[stage], params=params)

    def _note(self, report: StepReport) -> None:
        done = report.step + 1
        for name, value in report.losses.items():
            self._add(None, f"loss_{name}", value, done)
        self._add(None, "step_seconds", report.seconds, done)
        for stage, norm in report.norms.items():
            self._add(stage, "gradient_norm", norm, done)

    def _add(self, stage: str | None, name: str, value: float, step: int) -> None:
        row = (stage or "system", name, float(value), step, int(time.time() * 1000))
        self._pending.metrics.append(row)

    def _last_step(self) -> int:
        return max((row[3] for row in self._pending.metrics), default=0) or self._steps_done()

    def _steps_done(self) -> int:
        return int(self._summary().get("cost", {"steps": 0})["steps"])

    def _summary(self) -> dict[str, Any]:
        """``run.json`` of the output folder; empty where there is none."""
        path = self._output / "run.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _send(self) -> None:
        from mlflow.entities import Metric

        for run_name, run in self._runs.items():
            rows = [row for row in self._pending.metrics if row[0] == run_name]
            for first in range(0, len(rows), BATCH):
                batch = rows[first : first + BATCH]
                metrics = [Metric(name, value, at, step) for _, name, value, step, at in batch]
                self._client.log_batch(run, metrics=metrics)
        self._pending = _Pending()
        self._sent_at = time.monotonic()

    def _finish(self) -> None:
        if not self._runs:
            self._begin()
        self._send()
        for pattern in (*DOCUMENTS, *PICTURES):
            for path in sorted(self._output.glob(pattern)):
                folder = str(path.relative_to(self._output).parent)
                self._client.log_artifact(
                    self._runs["system"], str(path), None if folder == "." else folder
                )
        for stage, path in self._files.items():
            for file in (path, path.with_suffix(".json"), path.with_suffix(".md")):
                if stage in self._runs and file.exists():
                    self._client.log_artifact(self._runs[stage], str(file), "weights")
        self._close("FINISHED")

    def _weights(self) -> dict[str, Path]:
        """Weights files of stages that the run wrote."""
        names = self._summary().get("weights", {})
        return {stage: self._output / name for stage, name in names.items()}

    def _fail(self) -> None:
        self._send()
        self._close("FAILED")

    def _close(self, status: str) -> None:
        for run in self._runs.values():
            self._client.set_terminated(run, status=status)

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        # MLflow passes on what its database, its server's answers and its plugins raise; whatever
        # it is, only the tracking is lost.
        except Exception as error:
            self._is_lost = True
            level = logging.DEBUG if self._is_told else logging.WARNING
            self._is_told = True
            logger.log(
                level,
                "MLflow at %s cannot be used (%s); the training goes on, everything is in %s",
                self.uri,
                reason_of(error),
                self._output,
            )
            logger.debug("where it failed", exc_info=error)
        else:
            self._is_lost = False


def reason_of(error: BaseException) -> str:
    """One line of what is at the bottom of an error; MLflow wraps that of a database twice."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).split("\n")
    return (lines[0].strip() or type(error).__name__)[:300]


def local_store() -> str:
    """Store in the folder ``mlruns`` of the working folder."""
    path = str(Path("mlruns/mlflow.db").resolve())
    # SQLAlchemy reads these two as parts of a URI, and no others.
    return SQLITE + path.replace("%", "%25").replace("?", "%3F")


def store_file(uri: str) -> Path | None:
    """File of a local store; None for a server."""
    if not uri.startswith(SQLITE):
        return None
    return Path(unquote(uri.removeprefix(SQLITE).partition("?")[0])).resolve()


def make_client(uri: str) -> Any:
    """Client of a server or store; the folder of a local store is made."""
    for name, value in CLIENT.items():
        os.environ.setdefault(name, value)
    from mlflow.tracking import MlflowClient

    if (file := store_file(uri)) is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        # It logs each error with a traceback, and raises it as well.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    return MlflowClient(tracking_uri=uri)


def source_tags() -> dict[str, str]:
    """What made a run, as MLflow shows it."""
    commit = git_revision()
    tags = {
        "mlflow.source.name": this_command(),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": "" if commit == UNKNOWN else commit,
        "mlflow.user": getpass.getuser(),
    }
    return {name: value for name, value in tags.items() if value}


def experiment_id(client: Any, name: str, uri: str) -> str:
    """The experiment of a name, made where there is none; files of a local store lie beside it."""
    experiment = client.get_experiment_by_name(name)
    if experiment is not None:
        for tag, value in EXPERIMENT_TAGS.items():
            if tag not in experiment.tags:
                client.set_experiment_tag(experiment.experiment_id, tag, value)
        return str(experiment.experiment_id)
    if (file := store_file(uri)) is None:
        return str(client.create_experiment(name, tags=EXPERIMENT_TAGS))
    artifacts = (file.parent / "artifacts" / name.strip("/")).as_uri()
    return str(client.create_experiment(name, artifact_location=artifacts, tags=EXPERIMENT_TAGS))
