import base64

from matplotlib.figure import Figure

from conegrad_evaluation.report.figure_style import DARK, INK, svg_uri


def test_a_figure_has_colours_for_light_and_dark_pages():
    figure = Figure(figsize=(1, 1))
    figure.text(0.5, 0.5, "x", color=INK)
    svg = base64.b64decode(svg_uri(figure).partition(",")[2]).decode()
    assert f": {INK}" not in svg  # only by its variable
    variable = f"--c{INK[1:]}"
    assert f": var({variable})" in svg
    light, dark = svg.split("@media (prefers-color-scheme:dark)", 1)
    assert f"{variable}:{INK}" in light
    assert f"{variable}:{DARK[INK]}" in dark
