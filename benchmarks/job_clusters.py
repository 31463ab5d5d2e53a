"""The same cross evaluation in this process, on two processes, on Dask and on Ray.

    scripts/run.sh python benchmarks/job_clusters.py drive --frames 20

Starts a local cluster of two workers of each engine that is installed, and compares the figures
with those of one process. Times hold the start of the workers, which import torch.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from cross_evaluation import PARTS, PIPELINE, write_version
from torch.utils.data import Subset

from conegrad_core.jobs.runner import JobRunner
from conegrad_core.jobs.settings import JobsConfig
from conegrad_evaluation.cross.cross_evaluation import cross_evaluate
from conegrad_evaluation.cross.stage_versions import read_versions
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.bag_replay import BagReplay

WORKERS = 2


@contextmanager
def dask_cluster() -> Iterator[str]:
    """Address of a scheduler with two worker processes."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, protocol="tcp"
    ) as cluster:
        yield f"dask://{cluster.scheduler_address.removeprefix('tcp://')}"


@contextmanager
def ray_cluster() -> Iterator[str]:
    """Address of a cluster of this machine with two processors."""
    ray = [sys.executable, "-m", "ray.scripts.scripts"]
    start = [*ray, "start", "--head", f"--num-cpus={WORKERS}", "--include-dashboard=false"]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL)
    try:
        yield "ray://auto"
    finally:
        subprocess.run([*ray, "stop", "--force"], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Run on every engine, print time and agreement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bag", type=Path)
    parser.add_argument("--frames", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = [Subset(BagReplay(options.bag), range(options.frames))]
    engines = {
        "one process": nullcontext(""),
        "joblib, 2 processes": nullcontext(""),
        "Dask, 2 workers": dask_cluster(),
        "Ray, 2 workers": ray_cluster(),
    }
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        words = [
            f"{stage}=default,{write_version(part, 3, Path(folder))}"
            for stage, part in PARTS.items()
        ]
        versions = read_versions(words, tuple(PARTS))
        for place, (name, engine) in enumerate(engines.items()):
            if name.startswith("Ray") and importlib.util.find_spec("ray") is None:
                print(f"{name}: skipped, the package ray is not installed")
                continue
            with engine as address:
                start = time.perf_counter()
                workers = 1 if place == 0 else WORKERS
                with JobRunner(JobsConfig(workers=workers, cluster=address)) as runner:
                    evaluation = cross_evaluate(
                        PIPELINE,
                        versions,
                        data,
                        EvaluationConfig(max_range=12.0),
                        runner=runner,
                        cache=Path(folder) / f"cache_{place}",
                    )
                seconds = time.perf_counter() - start
            figures[name] = [metrics.headline() for metrics in evaluation.metrics]
            is_equal = figures[name] == figures["one process"]
            print(f"{name}: {seconds:.1f} s, figures {'equal' if is_equal else 'DIFFER'}")


if __name__ == "__main__":
    main()
