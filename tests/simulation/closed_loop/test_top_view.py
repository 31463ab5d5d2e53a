"""Top views: which pixel shows which point of the map."""

import math

import numpy as np
import pytest

from conegrad_core.cones import ConeClass
from conegrad_core.drawing import COLOURS_RGB, INK
from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.closed_loop import top_view
from conegrad_simulation.closed_loop.lap_picture import speed_colours
from conegrad_simulation.planar import Pose

CHASSIS = load_vehicle("formula_student").chassis


def pixel(view, x, y):
    column, row = view.pixels(np.array([[x, y]]))[0] / (1 << top_view.SHIFT)
    return round(column), round(row)


def colour(view, x, y):
    column, row = pixel(view, x, y)
    return tuple(view.image[row, column].tolist())


def test_a_view_of_points_has_x_to_the_right_and_y_up():
    view = top_view.top_view_of(np.array([[0.0, 0.0], [10.0, 5.0]]), 240, 1.0)
    assert view.scale == pytest.approx(20.0)  # 240 px for 12 m
    assert view.image.shape == (140, 240, 3)
    assert pixel(view, -1.0, 6.0) == (0, 0)
    assert pixel(view, 0.0, 0.0) == (20, 120)


@pytest.mark.parametrize("yaw", [0.0, 1.0, -2.5])
def test_a_view_around_a_car_has_its_heading_up_and_two_thirds_ahead(yaw):
    view = top_view.top_view_around(Pose(4.0, 7.0, yaw), 300, 20.0)
    assert pixel(view, 4.0, 7.0) == (150, 200)
    ahead = (4.0 + 10 * math.cos(yaw), 7.0 + 10 * math.sin(yaw))
    assert pixel(view, *ahead) == (150, 100)
    left = (4.0 - 5 * math.sin(yaw), 7.0 + 5 * math.cos(yaw))
    assert pixel(view, *left) == (100, 200)


@pytest.fixture
def view():
    return top_view.top_view_of(np.array([[0.0, 0.0], [10.0, 10.0]]), 240, 1.0)


def test_cones_are_dots_or_rings_of_their_colour(view):
    classes = np.array([ConeClass.BLUE, ConeClass.YELLOW])
    top_view.draw_cones(view, np.array([[2.0, 2.0], [8.0, 2.0]]), classes, 0.5)
    assert colour(view, 2.0, 2.0) == COLOURS_RGB[ConeClass.BLUE]
    assert colour(view, 8.0, 2.0) == COLOURS_RGB[ConeClass.YELLOW]
    top_view.draw_cones(view, np.array([[5.0, 8.0]]), classes[:1], 0.5, is_hollow=True)
    assert colour(view, 5.0, 8.0) == top_view.GROUND


def test_the_width_of_a_line_is_in_metres(view):
    top_view.draw_line(view, np.array([[1.0, 5.0], [9.0, 5.0]]), top_view.LINE, 1.0)
    assert colour(view, 5.0, 5.4) == top_view.LINE
    assert colour(view, 5.0, 5.8) == top_view.GROUND


def test_the_car_is_drawn_from_its_tail_to_its_nose(view):
    top_view.draw_car(view, Pose(5.0, 5.0, math.pi / 2), CHASSIS)
    assert colour(view, 5.0, 5.0 + CHASSIS.body_front - 0.2) == INK
    assert colour(view, 5.0, 5.0 + CHASSIS.body_front + 0.3) == top_view.GROUND
    assert colour(view, 5.0, 5.0 - CHASSIS.body_rear - 0.3) == top_view.GROUND


def test_speeds_have_colours_from_slow_to_fast_even_where_the_car_stands():
    colours = speed_colours(np.array([0.0, 5.0, 10.0]), 10.0)
    assert colours.shape == (3, 3)
    assert len({tuple(c) for c in colours.tolist()}) == 3
    assert speed_colours(np.zeros(2), 0.0).shape == (2, 3)
