import numpy as np
from matplotlib.colors import to_hex

from conegrad_core.cones import ConeClass
from conegrad_evaluation.report.figure_style import colour_hex
from conegrad_evaluation.report.pictures import MAP_MARKERS, MapLayer, map_picture


def test_the_map_has_cones_of_a_colour_above_those_without_and_says_what_is_what():
    positions = np.array([[1.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    cones = MapLayer(positions, np.array([ConeClass.BLUE, ConeClass.UNKNOWN, ConeClass.YELLOW]))
    figure = map_picture(np.array([[0.0, 0.0], [3.0, 0.0]]), cones, truth=cones, drive="lap")
    filled = [
        to_hex(colour)
        for layer in figure.axes[0].collections
        for colour in layer.get_facecolor()
        if len(layer.get_offsets())
    ]
    assert filled[0] == colour_hex(ConeClass.UNKNOWN)
    assert set(filled[1:]) == {colour_hex(ConeClass.BLUE), colour_hex(ConeClass.YELLOW)}
    assert "lap" in figure.axes[0].get_title(loc="left") + figure.axes[0].get_title()
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"path", "truth", "perceived, each frame", "small orange", "unknown"} <= set(told)


def test_each_colour_has_a_mark_of_its_own_on_the_map():
    assert set(MAP_MARKERS) == set(ConeClass)
    assert len(set(MAP_MARKERS.values())) == len(MAP_MARKERS)
