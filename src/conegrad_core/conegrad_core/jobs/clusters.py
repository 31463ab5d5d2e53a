"""Connections to clusters, as backends of joblib."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import joblib

from conegrad_core.jobs.settings import DASK, JobsConfig

CONNECTION_TIMEOUT = 20.0  # [s]


class Cluster(NamedTuple):
    """A cluster that joblib may use.

    Attributes:
        workers: jobs that it runs at once.
        gives_early: each result reaches us when it is there, not all at the end.
    """

    workers: int
    gives_early: bool


@contextmanager
def connected(config: JobsConfig) -> Iterator[Cluster]:
    """Within it joblib runs on the cluster of the settings.

    Raises:
        SettingError: if the package of the engine is missing, or nothing answers at the address.
    """
    connection = _on_dask(config) if config.scheme == DASK else _on_ray(config)
    with connection as cluster:
        if not cluster.workers:
            raise config.refusal("cluster", f"is {config.cluster}, which has no workers")
        yield cluster


@contextmanager
def _on_dask(config: JobsConfig) -> Iterator[Cluster]:
    try:
        import distributed
    except ImportError as error:
        raise _missing(config, "distributed") from error
    try:
        client = distributed.Client(
            f"tcp://{config.place}", timeout=CONNECTION_TIMEOUT, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise _no_answer(config, error) from error
    with client, joblib.parallel_config("dask", client=client):
        yield Cluster(sum(client.ncores().values()), gives_early=True)


@contextmanager
def _on_ray(config: JobsConfig) -> Iterator[Cluster]:
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise _missing(config, "ray") from error
    try:
        ray.init(address=_ray_address(config), log_to_driver=False, logging_level="ERROR")
    except (OSError, ValueError, RuntimeError) as error:
        raise _no_answer(config, error) from error
    try:
        register_ray()
        workers = int(ray.cluster_resources().get("CPU", 0))
        with joblib.parallel_config("ray"):
            yield Cluster(workers, gives_early=False)
    finally:
        ray.shutdown()


def _ray_address(config: JobsConfig) -> str:
    """``ray://auto`` is the cluster that runs on this machine."""
    return "auto" if config.place == "auto" else config.cluster


def _missing(config: JobsConfig, package: str) -> Exception:
    return config.refusal(
        "cluster", f"is {config.cluster}, which needs the package {package}: pip install {package}"
    )


def _no_answer(config: JobsConfig, error: Any) -> Exception:
    reason = " ".join(str(error).split())[:200]
    return config.refusal("cluster", f"is {config.cluster}, where nothing answers ({reason})")
