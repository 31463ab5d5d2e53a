from itertools import combinations

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon, Rectangle

from conegrad_core.pipeline.build import layout_of
from conegrad_core.pipeline.file import load_specification, read_specification
from conegrad_core.presets import preset_names
from conegrad_evaluation.report.pipeline_diagram import (
    draw_pipeline,
    save_diagram,
    text_width,
)

CAMERA = """\
inputs: {image: Image}
stages:
  detector: {module: yolov5_detector, inputs: {image: image}, outputs: {detections: boxes}}
  fuser: {module: cone_fusion, inputs: {detections: boxes}, outputs: {cones: found}}
outputs: {cones: found, candidates: boxes}
"""


def drawn(name):
    return draw_pipeline(layout_of(load_specification(name)), {"detector": "2.5 M weights"}, name)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def shapes(figure, kind):
    return [patch for patch in figure.axes[0].patches if type(patch) is kind]


@pytest.fixture(scope="module")
def car():
    return drawn("camera_lidar")


def test_stages_ports_and_notes_are_written(car):
    expected = {"detector", "segmenter", "fuser", "yolov5_detector", "2.5 M weights", "image",
                "Scan", "detections", "segmentation", "cones", "Cones", "camera_lidar"}  # fmt: skip
    assert expected <= set(texts(car))


def test_the_name_of_an_input_stands_once_and_not_at_its_edge(car):
    assert texts(car).count("image") == 1


def test_what_learns_differs_in_shape_and_colour(car):
    networks = shapes(car, FancyBboxPatch)
    joining = [shape for shape in shapes(car, Polygon) if len(shape.get_xy()) == 7]
    assert len(networks) == 2 + 1  # with that of the legend
    assert len(joining) == 1 + 1
    assert shapes(car, Rectangle) == []
    fixed = shapes(drawn_with_fixed(), Rectangle)
    assert {to_hex(shape.get_facecolor()) for shape in fixed} == {"#ffffff"}
    assert {to_hex(shape.get_facecolor()) for shape in (*networks, *joining)} == {"#d8e5fb"}


def drawn_with_fixed():
    """The car with a stage that has nothing to learn, whatever ships."""
    from conegrad_core.pipeline.layout import Layout
    from conegrad_core.pipeline.stage import Stage

    class Fixed(Stage):
        inputs = {"image": "Image"}  # noqa: RUF012
        outputs = {"detections": "Detections"}  # noqa: RUF012

        def forward(self, inputs, contexts):
            return {}

    specification = read_specification(CAMERA, "camera.yaml")
    classes = layout_of(specification).classes
    return draw_pipeline(Layout(specification, {**classes, "detector": Fixed}), {}, "fixed")


def test_a_port_that_is_read_twice_forks():
    figure = draw_pipeline(layout_of(read_specification(CAMERA, "camera.yaml")), {}, "")
    assert texts(figure).count("boxes") == 1
    # image, boxes to the fuser and to the output, found
    assert len(shapes(figure, PathPatch)) == 4
    assert len([shape for shape in shapes(figure, Polygon) if len(shape.get_xy()) == 4]) == 4


@pytest.mark.parametrize("name", preset_names("pipelines"))
def test_no_text_of_a_shipped_pipeline_covers_another_or_leaves_the_picture(name, tmp_path):
    figure = drawn(name)
    save_diagram(figure, tmp_path / "graph.png")
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    frame = figure.bbox
    assert all(frame.x0 <= b.x0 and b.x1 <= frame.x1 and frame.y0 <= b.y0 for b in boxes)


def test_equal_pictures_are_equal_files(tmp_path):
    for name in ("one.svg", "two.svg"):
        save_diagram(drawn("camera_lidar"), tmp_path / name)
    first, second = ((tmp_path / name).read_bytes() for name in ("one.svg", "two.svg"))
    assert first == second
    assert b"<dc:date>" not in first


def test_another_format_is_refused(car, tmp_path):
    with pytest.raises(ValueError, match=r"graph.pdf ends with '.pdf', expected .svg or .png"):
        save_diagram(car, tmp_path / "graph.pdf")


def test_bold_text_is_wider_than_other_text():
    assert text_width("detector", 10, is_bold=True) > text_width("detector", 10) > 0.4
