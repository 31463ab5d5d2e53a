"""Jobs give their results in order, name their errors and leave no process behind."""

import os
import time

import pytest

from conegrad_core.jobs.job import Job, JobError
from conegrad_core.jobs.runner import JobRunner, split_evenly
from conegrad_core.jobs.settings import JobsConfig
from conegrad_core.settings.declaration import SettingError


class OddError(Exception):
    """Cannot be made again from its arguments."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def after(seconds, value):
    time.sleep(seconds)
    return value, os.getpid()


def refuse(value):
    raise ValueError(f"value is {value}, expected another one")


def refuse_oddly():
    raise OddError(1, 2)


def slow_and_fast():
    return [
        Job("slow", after, {"seconds": 0.2, "value": "first"}),
        *(Job(f"fast {n}", after, {"seconds": 0.0, "value": n}) for n in range(3)),
    ]


def test_one_worker_runs_the_jobs_in_this_process():
    with JobRunner() as runner:
        results = runner.run(slow_and_fast())
    assert results == [(value, os.getpid()) for value in ("first", 0, 1, 2)]


def test_two_workers_give_the_results_in_the_order_of_the_jobs_and_count_them():
    seen = []

    def count(results, total):
        for result in results:
            seen.append(total)
            yield result

    with JobRunner(JobsConfig(workers=2)) as runner:
        results = runner.run(slow_and_fast(), count)
        assert [value for value, _ in results] == ["first", 0, 1, 2]
        assert os.getpid() not in {process for _, process in results}
        with pytest.raises(JobError, match="drive 7: value is 3, expected another one") as caught:
            runner.run([*slow_and_fast(), Job("drive 7", refuse, {"value": 3})])
        assert runner.run(slow_and_fast()[1:2])[0][0] == 0
    assert seen == [4, 4, 4, 4]
    assert isinstance(caught.value.error, ValueError)
    assert "refuse" in caught.value.trace


def test_an_error_that_cannot_be_pickled_keeps_its_text():
    with pytest.raises(JobError, match="odd: OddError: 1 and 2"), JobRunner() as runner:
        runner.run([Job("odd", refuse_oddly)])


@pytest.mark.parametrize("address", ["tcp://a:1", "dask:a", "dask://"])
def test_refuses_an_address_of_no_cluster(address):
    with pytest.raises(SettingError, match=r"expected dask://HOST:PORT or ray://HOST:PORT"):
        JobsConfig(cluster=address)


def test_a_missing_engine_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(SettingError, match="needs the package ray: pip install ray"):
        JobRunner(JobsConfig(cluster="ray://somewhere:10001")).__enter__()


def test_the_same_call_runs_on_two_workers_of_a_dask_cluster():
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        dashboard_address=None,
        protocol="tcp",
    )
    with cluster:
        address = cluster.scheduler_address.removeprefix("tcp://")
        with JobRunner(JobsConfig(cluster=f"dask://{address}")) as runner:
            assert runner.workers == 2
            results = runner.run(slow_and_fast())
            with pytest.raises(JobError, match="drive 7: value is 3"):
                runner.run([Job("drive 7", refuse, {"value": 3})])
    assert [value for value, _ in results] == ["first", 0, 1, 2]


def test_splits_evenly_in_order():
    assert split_evenly("abcde", 2) == ["ab", "cde"]
    assert split_evenly("ab", 5) == ["a", "b"]
    assert split_evenly([], 3) == []
