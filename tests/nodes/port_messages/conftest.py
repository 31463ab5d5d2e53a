"""The package of a user with a port type of its own."""

import pytest
from installed_package import brightness_package


@pytest.fixture
def brightness(tmp_path):
    with brightness_package(tmp_path / "site") as paths:
        yield paths
