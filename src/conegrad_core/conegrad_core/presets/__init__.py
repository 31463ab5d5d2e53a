"""Files that ship with the package: vehicles and pipelines, found by their name.

At the root of the repository they are ``config/vehicles`` and ``config/pipelines``.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
SUFFIXES = (".yaml", ".yml")


def preset_names(group: str) -> list[str]:
    """Names of the files of a group: ``"vehicles"`` or ``"pipelines"``."""
    return sorted(path.stem for path in (FOLDER / group).glob("*.yaml"))


def find_preset(group: str, name_or_path: str | Path) -> Path:
    """File of a preset by its name, or the file itself where a path of a YAML file is given.

    Raises:
        FileNotFoundError: if there is no preset of this name; lists those that exist.
    """
    path = Path(name_or_path).expanduser()
    if path.suffix in SUFFIXES:
        return path
    found = FOLDER / group / f"{path}.yaml"
    if not found.is_file():
        kind = group.removesuffix("s")
        raise FileNotFoundError(
            f"no {kind} preset {str(name_or_path)!r}: expected a YAML file or one of "
            f"{preset_names(group)} in {FOLDER / group}"
        )
    return found
