"""A job: one call of a list of independent calls, with a name for people."""

import pickle
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Job(Generic[T]):
    """A call that may run in another process, or on another machine.

    Attributes:
        name: in messages.
        function: of a module that can be imported there.
        arguments: of the function, by name; they can be pickled.
    """

    name: str
    function: Callable[..., T]
    arguments: Mapping[str, Any] = field(default_factory=dict)


class JobError(Exception):
    """A job failed.

    Attributes:
        job: name of the job.
        error: what it raised.
        trace: its traceback, as text: that of another process is lost otherwise.
    """

    def __init__(self, job: str, error: Exception, trace: str = "") -> None:
        super().__init__(job, error, trace)
        self.job, self.error, self.trace = job, error, trace

    def __str__(self) -> str:
        return f"{self.job}: {self.error}"


def outcome(place: int, job: Job[T]) -> tuple[int, T | JobError]:
    """Run a job where this is called.

    Returns:
        The place as given, and the result or the error: an error that is returned reaches the
        caller in the same way on every engine.
    """
    try:
        return place, job.function(**job.arguments)
    except Exception as error:  # is raised by who asked for the job
        return place, JobError(job.name, _for_other_process(error), traceback.format_exc())


def _for_other_process(error: Exception) -> Exception:
    """The error, or its text where it cannot be pickled."""
    try:
        copied = pickle.loads(pickle.dumps(error))
    except Exception:  # whatever an unknown class raises
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error if isinstance(copied, type(error)) else RuntimeError(str(error))
