"""Settings of a list of jobs."""

import os
from dataclasses import dataclass

from conegrad_core.settings import Config, setting

DASK, RAY = "dask", "ray"
SCHEMES = (DASK, RAY)


@dataclass(frozen=True)
class JobsConfig(Config):
    """Where independent jobs run."""

    workers: int = setting(
        1, "Processes that run independent jobs; 0: one per core", low=0, high=1024
    )
    cluster: str = setting(
        "",
        "Cluster that runs them instead, dask://HOST:PORT or ray://HOST:PORT",
        metavar="ADDRESS",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        scheme, separator, place = self.cluster.partition("://")
        if self.cluster and (scheme not in SCHEMES or not separator or not place):
            expected = "expected dask://HOST:PORT or ray://HOST:PORT"
            raise self.refusal("cluster", f"is {self.cluster!r}, {expected}")

    @property
    def scheme(self) -> str:
        """Engine of the cluster; empty: there is none, joblib runs the jobs on this machine."""
        return self.cluster.partition("://")[0]

    @property
    def place(self) -> str:
        """Host and port of the cluster."""
        return self.cluster.partition("://")[2]

    @property
    def processes(self) -> int:
        """Processes on this machine."""
        return self.workers or len(os.sched_getaffinity(0))
