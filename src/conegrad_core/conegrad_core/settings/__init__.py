"""Settings: declared once as frozen dataclasses, read from YAML, options and ROS parameters."""

from conegrad_core.settings.declaration import Config, SettingError, required, setting

__all__ = ["Config", "SettingError", "required", "setting"]
