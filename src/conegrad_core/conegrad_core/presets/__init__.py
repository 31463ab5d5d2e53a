"""Files that ship with the package: vehicles and pipelines, found by their name.

At the root of the repository they are ``config/vehicles`` and ``config/pipelines``.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

FOLDER = Path(__file__).parent
SUFFIXES = (".yaml", ".yml")


def preset_names(group: str) -> list[str]:
    """Names of the files of a group: ``"vehicles"`` or ``"pipelines"``."""
    return sorted(path.stem for path in (FOLDER / group).glob("*.yaml"))


def find_preset(group: str, name_or_path: str | Path) -> Path:
    """File of a preset by its name, or the file itself where a path of a YAML file is given.

    Raises:
        FileNotFoundError: if there is no such file, or no preset of this name; lists those that
            exist.
    """
    path = Path(name_or_path).expanduser()
    names = preset_names(group)
    if path.suffix in SUFFIXES:
        if not path.exists():
            beside = [str(path.with_name(f.name)) for f in path.parent.glob(f"*{path.suffix}")]
            advice = _advice(str(path), beside) or _advice(path.stem, names)
            raise FileNotFoundError(f"{path} does not exist{advice}")
        return path
    found = FOLDER / group / f"{path}.yaml"
    if not found.is_file():
        kind = group.removesuffix("s")
        raise FileNotFoundError(
            f"no {kind} preset {str(name_or_path)!r}: expected a YAML file or one of {names} in "
            f"{FOLDER / group}{_advice(str(path), names)}"
        )
    return found


def _advice(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
