import numpy as np
from matplotlib.colors import to_hex

from conegrad_core.cones import ConeClass
from conegrad_evaluation.report.figure_style import colour_hex
from conegrad_evaluation.report.pictures import MapLayer, map_picture


def test_the_map_has_cones_of_a_colour_above_those_without_and_says_what_is_what():
    positions = np.array([[1.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    cones = MapLayer(positions, np.array([ConeClass.BLUE, ConeClass.UNKNOWN, ConeClass.YELLOW]))
    figure = map_picture(np.array([[0.0, 0.0], [3.0, 0.0]]), cones, truth=cones)
    below, above, _ = (
        [to_hex(colour) for colour in layer.get_facecolor()] for layer in figure.axes[0].collections
    )
    assert below == [colour_hex(ConeClass.UNKNOWN)]
    assert above == [colour_hex(ConeClass.BLUE), colour_hex(ConeClass.YELLOW)]
    assert figure.axes[0].get_title(loc="left") or figure.axes[0].get_title()
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"path", "truth", "perceived, each frame", "small orange", "unknown"} <= set(told)
