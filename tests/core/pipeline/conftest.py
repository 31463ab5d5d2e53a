"""A distribution of toy stages, as another package would register its own."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from installed_package import write_distribution

Distribution = Callable[[str, dict[str, list[str]]], None]
TOYS = {
    "conegrad.stages": [
        "network = toys:Network",
        "pair = toys:PairNetwork",
        "join = toys:Join",
        "fixed = toys:Fixed",
        "broken = toys:Broken",
        "wrong = toys:Wrong",
    ],
    "conegrad.ports": ["Number = toys:NUMBER"],
}


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    """Installs a package with entry points for the time of a test."""

    def install(name: str, entry_points: dict[str, list[str]]) -> None:
        write_distribution(tmp_path / name, name, entry_points)
        monkeypatch.syspath_prepend(tmp_path / name)

    return install


@pytest.fixture(scope="package", autouse=True)
def toys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The toy stages are installed."""
    folder = tmp_path_factory.mktemp("toys")
    write_distribution(folder, "toy_stages", TOYS)
    added = [str(folder), str(Path(__file__).parent)]
    sys.path[:0] = added
    yield
    for path in added:
        sys.path.remove(path)
    sys.modules.pop("toys", None)
