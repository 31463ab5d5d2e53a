"""Runs lists of independent jobs."""

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise
from types import TracebackType
from typing import Any, TypeVar

import joblib

from conegrad_core.jobs.clusters import connected
from conegrad_core.jobs.job import Job, JobError, outcome
from conegrad_core.jobs.settings import JobsConfig

T = TypeVar("T")
Progress = Callable[[Iterable[Any], int], Iterable[Any]]  # wraps results, given their number


class JobRunner:
    """Runs jobs in this process, in processes of this machine, or on a cluster.

    A context manager: a cluster stays connected within it.

    Args:
        config: where jobs run.

    Attributes:
        workers: jobs that run at once.

    Raises:
        SettingError: on entry, if there is no such cluster.
    """

    def __init__(self, config: JobsConfig | None = None) -> None:
        self._config = config or JobsConfig()
        self._stack = ExitStack()
        self._gives_early = True
        self.workers = self._config.processes

    def __enter__(self) -> "JobRunner":
        if self._config.cluster:
            cluster = self._stack.enter_context(connected(self._config))
            self.workers, self._gives_early = cluster
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def is_parallel(self) -> bool:
        """Jobs run in other processes than this one."""
        return self.workers > 1 or bool(self._config.cluster)

    def run(self, jobs: Sequence[Job[T]], progress: Progress | None = None) -> list[T]:
        """Results of all jobs, in the order of the jobs.

        The first job that fails ends the list: those that were not begun are dropped, and processes
        of this machine are stopped, as they are on Ctrl-C.

        Args:
            jobs: independent of each other.
            progress: shows how many are done.

        Raises:
            JobError: naming the job that failed, with its error.
        """
        results: dict[int, T] = {}
        with _dropped_quietly(), closing(self._outcomes(jobs)) as outcomes:
            for place, result in progress(outcomes, len(jobs)) if progress else outcomes:
                if isinstance(result, JobError):
                    raise result from result.error
                results[place] = result
        return [results[place] for place in range(len(jobs))]

    def _outcomes(self, jobs: Sequence[Job[Any]]) -> Generator[tuple[int, Any], None, None]:
        """As the jobs end."""
        if not self.is_parallel:
            yield from (outcome(place, job) for place, job in enumerate(jobs))
            return
        parallel = joblib.Parallel(
            n_jobs=-1 if self._config.cluster else min(self.workers, max(1, len(jobs))),
            return_as="generator_unordered" if self._gives_early else "list",
            batch_size=1,
            pre_dispatch="all",
        )
        yield from parallel(joblib.delayed(outcome)(*entry) for entry in enumerate(jobs))


@contextmanager
def _dropped_quietly() -> Iterator[None]:
    """Jobs that are dropped after an error are no news: the error is."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "[0-9]+ tasks which were still being processed")
        yield


def split_evenly(items: Sequence[T], parts: int) -> list[Sequence[T]]:
    """Items in at most so many parts of nearly equal size, in their order; none is empty."""
    count = max(1, min(parts, len(items)))
    edges = [place * len(items) // count for place in range(count + 1)]
    return [items[low:high] for low, high in pairwise(edges) if low < high]
