"""Cones: dimensions of the rules, mass, inertia and meshes."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest

from conegrad_core.cones import ConeClass
from conegrad_simulation.gazebo.cone_models import write_cone_models
from conegrad_simulation.gazebo.cone_shape import cone_shape
from conegrad_simulation.gazebo.solids import box, joined, shell, wheel
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
    path.write_text(rings_to_obj([((0.2, 0.0), (0.1, 0.3))], "a.mtl"))
    vertices, normals, faces = read_mesh(path)
    corners = vertices[faces[..., 0]]
    turned = np.cross(corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0])
    assert (np.einsum("fd,fd->f", turned[:, :2], corners[:, 0, :2]) > 0).all()
    # A slope of 0.1 m inwards over 0.3 m up: the normal rises as 1 to 3.
    np.testing.assert_allclose(normals[:, 2] / np.hypot(*normals[:, :2].T), 1 / 3, atol=1e-5)


def test_refuses_a_band_without_height():
    with pytest.raises(ValueError, match=r"band 0 goes from z 0\.1 to 0\.1, expected up"):
        rings_to_obj([((0.2, 0.1), (0.1, 0.1))], "a.mtl")


def test_a_shell_of_equal_radii_is_a_tube():
    solid = shell(2.0, 0.3, 0.3, 0.8)
    assert solid.centre == pytest.approx((0, 0, 0.4))
    # m r^2 about the axis, m (6 r^2 + h^2) / 12 across it
    assert solid.moments == pytest.approx((2 * (0.54 + 0.64) / 12,) * 2 + (0.18,))


def test_a_shell_to_a_point_is_a_cone():
    solid = shell(1.0, 0.5, 0.0, 1.2)
    assert solid.centre[2] == pytest.approx(0.4)  # a third of the height
    # m r^2 / 2 about the axis, m r^2 / 4 + m h^2 / 18 across it
    assert solid.moments == pytest.approx((0.0625 + 0.08,) * 2 + (0.125,))


@pytest.mark.parametrize("cone_class", [ConeClass.BLUE, ConeClass.BIG_ORANGE])
def test_the_centre_of_a_cone_is_that_of_a_thin_one_with_feet(cone_class):
    shape = cone_shape(cone_class)
    assert 0.3 * shape.height < shape.solid().centre[2] < 0.37 * shape.height


@pytest.mark.parametrize("cone_class", ConeClass, ids=lambda c: c.name)
def test_only_the_plate_touches_the_ground(tmp_path, cone_class):
    write_cone_models(tmp_path)
    shape = cone_shape(cone_class)
    path = tmp_path / f"cone_{shape.name}" / "model.sdf"
    link = ElementTree.parse(path).getroot().find("model/link")
    lowest, highest = {}, {}
    for collision in link.findall("collision"):
        middle = float(collision.findtext("pose").split()[2])
        length = collision.findtext("geometry/cylinder/length")
        length = length or collision.findtext("geometry/box/size").split()[2]
        name = collision.get("name")
        lowest[name] = pytest.approx(middle - float(length) / 2)
        highest[name] = middle + float(length) / 2
    assert lowest == {"plate": 0.0, "lower": shape.thickness, "upper": shape.height / 2}
    assert highest["upper"] == pytest.approx(shape.height)


def test_a_mesh_uses_the_material_of_a_file_beside_it(tmp_path):
    write_cone_models(tmp_path)
    for path in tmp_path.rglob("*.obj"):
        words = dict(
            line.split()
            for line in path.read_text().splitlines()
            if line.startswith(("mtllib", "usemtl"))
        )
        library = (path.parent / words["mtllib"]).read_text()
        assert f"newmtl {words['usemtl']}" in library
    blue = (tmp_path / "cone_blue" / "meshes" / "body.mtl").read_text().split()
    assert float(blue[-1]) > float(blue[-3])


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
