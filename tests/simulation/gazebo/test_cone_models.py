"""Cones: dimensions of the rules, mass, inertia and meshes."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest

from conegrad_core.cones import ConeClass
from conegrad_simulation.gazebo.cone_models import write_cone_models
from conegrad_simulation.gazebo.cone_shape import cone_shape
from conegrad_simulation.gazebo.solids import box, frustum, joined, wheel
from conegrad_simulation.gazebo.wavefront import SIDES, rings_to_obj


def read_mesh(path):
    """Vertices (V, 3), normals (N, 3), and faces as pairs of indices (F, 4, 2) of an OBJ."""
    rows = [line.split() for line in path.read_text().splitlines()]
    vertices = np.array([row[1:] for row in rows if row[0] == "v"], dtype=float)
    normals = np.array([row[1:] for row in rows if row[0] == "vn"], dtype=float)
    faces = [[word.split("//") for word in row[1:]] for row in rows if row[0] == "f"]
    return vertices, normals, np.array(faces, dtype=int) - 1


@pytest.mark.parametrize(
    ("cone_class", "height", "side"),
    [
        (ConeClass.BLUE, 0.325, 0.228),
        (ConeClass.YELLOW, 0.325, 0.228),
        (ConeClass.SMALL_ORANGE, 0.325, 0.228),
        (ConeClass.BIG_ORANGE, 0.505, 0.285),
    ],
)
def test_models_have_the_dimensions_of_the_rules(tmp_path, cone_class, height, side):
    write_cone_models(tmp_path)
    folder = tmp_path / f"cone_{cone_shape(cone_class).name}"
    link = ElementTree.parse(folder / "model.sdf").getroot().find("model/link")
    size = link.findtext("visual[@name='plate']/geometry/box/size").split()
    assert [float(v) for v in size[:2]] == [side, side]
    meshes = [read_mesh(folder / "meshes" / f"{part}.obj")[0] for part in ("body", "stripe")]
    assert max(vertices[:, 2].max() for vertices in meshes) == pytest.approx(height, abs=1e-6)
    assert min(vertices[:, 2].min() for vertices in meshes) == 0.0
    inside = math.hypot(*meshes[0][0, :2])
    assert inside < side / 2


def test_a_big_cone_has_two_stripes_and_a_small_one_has_one(tmp_path):
    write_cone_models(tmp_path)
    gaps = {}
    for name in ("blue", "big_orange"):
        vertices, _, _ = read_mesh(tmp_path / f"cone_{name}" / "meshes" / "stripe.obj")
        levels = np.unique(vertices[:, 2])
        bands = len(vertices) // (2 * SIDES)
        gaps[name] = bands - (2 * bands - len(levels))  # rings shared by two bands join them
    assert gaps == {"blue": 1, "big_orange": 2}


def test_yellow_cones_have_black_stripes_and_blue_ones_white():
    assert max(cone_shape(ConeClass.YELLOW).stripe_paint) < 0.2
    assert min(cone_shape(ConeClass.BLUE).stripe_paint) > 0.8
    red, green, blue = cone_shape(ConeClass.BLUE).paint
    assert blue > max(red, green)


def test_faces_of_a_mesh_look_outwards(tmp_path):
    path = tmp_path / "tube.obj"
    path.write_text(rings_to_obj([((0.2, 0.0), (0.1, 0.3))]))
    vertices, normals, faces = read_mesh(path)
    corners = vertices[faces[..., 0]]
    turned = np.cross(corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0])
    assert (np.einsum("fd,fd->f", turned[:, :2], corners[:, 0, :2]) > 0).all()
    # A slope of 0.1 m inwards over 0.3 m up: the normal rises as 1 to 3.
    np.testing.assert_allclose(normals[:, 2] / np.hypot(*normals[:, :2].T), 1 / 3, atol=1e-5)


def test_refuses_a_band_without_height():
    with pytest.raises(ValueError, match=r"band 0 goes from z 0\.1 to 0\.1, expected up"):
        rings_to_obj([((0.2, 0.1), (0.1, 0.1))])


def test_a_frustum_of_equal_radii_is_a_cylinder():
    solid = frustum(2.0, 0.3, 0.3, 0.8)
    assert solid.centre == pytest.approx((0, 0, 0.4))
    # m r^2 / 2 about the axis, m (3 r^2 + h^2) / 12 across it
    assert solid.moments == pytest.approx((2 * (0.27 + 0.64) / 12,) * 2 + (0.09,))


def test_a_frustum_to_a_point_is_a_cone():
    solid = frustum(1.0, 0.5, 0.0, 1.2)
    assert solid.centre[2] == pytest.approx(0.3)  # a quarter of the height
    # 3/10 m r^2 about the axis, 3/20 m r^2 + 3/80 m h^2 across it
    assert solid.moments == pytest.approx((0.0375 + 0.054,) * 2 + (0.075,))


def test_a_wheel_turns_about_y():
    assert wheel(8.0, 0.2, 0.0).moments == pytest.approx((0.08, 0.16, 0.08))


def test_two_half_blocks_make_a_whole_one():
    halves = [box(1.0, (1.0, 1.0, 0.5), (0.0, 0.0, z)) for z in (0.25, 0.75)]
    whole = box(2.0, (1.0, 1.0, 1.0), (0.0, 0.0, 0.5))
    assert joined(halves).centre == whole.centre
    assert joined(halves).moments == pytest.approx(whole.moments)


def test_refuses_to_join_blocks_that_would_tilt_the_axes():
    blocks = [box(1.0, (1.0, 1.0, 1.0), centre) for centre in ((0.0, 0.0, 0.0), (1.0, 1.0, 0.0))]
    with pytest.raises(ValueError, match="along one axis"):
        joined(blocks)


@pytest.mark.parametrize("cone_class", ConeClass, ids=lambda c: c.name)
def test_moments_of_cones_obey_the_triangle_inequality(cone_class):
    x, y, z = cone_shape(cone_class).solid().moments
    assert min(x, y, z) > 0
    assert x + y >= z
    assert y + z >= x
    assert z + x >= y
