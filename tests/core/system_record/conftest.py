"""A record of a small system, and an empty store."""

from pathlib import Path

import pytest
from lidar_system import lidar_alone, recorded

from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.system_record.store import SystemStore


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    return lidar_alone()


@pytest.fixture
def record(tmp_path: Path, pipeline: Pipeline) -> SystemRecord:
    return recorded(tmp_path / "run" / "system", pipeline)


@pytest.fixture
def store(systems_store: Path) -> SystemStore:
    return SystemStore(systems_store)
