"""Settings of the live view."""

from dataclasses import dataclass

from conegrad_core.settings import Config, setting

WEB_PORT, FOXGLOVE_PORT = 8766, 8765


@dataclass(frozen=True)
class ViewConfig(Config):
    """Whether a run can be looked at, and where."""

    view: bool = setting(False, "Serve pictures, cones and figures while it runs")
    view_port: int = setting(
        WEB_PORT, "Port of the web page; 0 takes a free one", low=0, high=65535
    )
    foxglove_port: int = setting(
        FOXGLOVE_PORT, "Port for Foxglove; 0 takes a free one", low=0, high=65535
    )
    view_network: bool = setting(
        False, "Serve other machines, too: whoever reaches this one sees everything"
    )
    view_rate: float = setting(10.0, "Most updates of the web page per second", low=0.1, high=60.0)
