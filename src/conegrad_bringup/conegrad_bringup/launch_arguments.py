"""Arguments of launch files, read strictly."""

from pathlib import Path

from launch import LaunchContext
from launch.substitutions import LaunchConfiguration
from launch_ros.parameter_descriptions import ParameterValue


def text(name: str) -> ParameterValue:
    """An argument as a parameter of text, even if it reads like a number."""
    return ParameterValue(LaunchConfiguration(name), value_type=str)


def chosen_file(context: LaunchContext, name: str) -> list[str]:
    """Path that an argument gives, or none where it is empty.

    Raises:
        FileNotFoundError: if there is no such file; launch would go on without it.
    """
    given = LaunchConfiguration(name).perform(context)
    if not given:
        return []
    path = Path(given).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{name}:={given} is no file")
    return [str(path)]
