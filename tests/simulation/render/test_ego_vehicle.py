"""Parts of the ego vehicle in the image."""

import numpy as np
import pytest

from conegrad_simulation.render.ego_vehicle import ego_vehicle_picture
from conegrad_simulation.scene.world import EGO_VEHICLES

SIZE = (320, 240)


def test_without_a_visible_car_there_is_no_picture():
    assert ego_vehicle_picture("none", 0, *SIZE) is None


@pytest.mark.parametrize("kind", [kind for kind in EGO_VEHICLES if kind != "none"])
@pytest.mark.parametrize("style", [0, 5])
def test_the_picture_reaches_to_the_last_row_and_leaves_the_horizon_free(kind, style):
    picture, top = ego_vehicle_picture(kind, style, *SIZE)
    assert picture.shape == (240 - top, 320, 4)
    assert top >= 0.3 * 240
    assert picture[-1, 160, 3] > 0  # the car is in the middle of the last row
    assert (picture[..., :3].max(axis=2) <= picture[..., 3]).all()  # premultiplied


def test_a_style_is_always_the_same_and_styles_differ():
    first = ego_vehicle_picture("nose", 1, *SIZE)[0].copy()
    ego_vehicle_picture.cache_clear()
    np.testing.assert_array_equal(ego_vehicle_picture("nose", 1, *SIZE)[0], first)
    other = ego_vehicle_picture("nose", 2, *SIZE)[0]
    assert other.shape != first.shape or (other != first).any()


def test_refuses_a_kind_that_does_not_exist():
    with pytest.raises(KeyError, match="spoiler"):
        ego_vehicle_picture("spoiler", 0, *SIZE)
