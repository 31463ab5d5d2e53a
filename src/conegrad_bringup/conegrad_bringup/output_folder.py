"""The folder that a command creates, and the older one that it may replace."""

import shutil
from pathlib import Path


def fresh_folder(folder: Path, marker: str, *, force: bool) -> None:
    """Make a folder, empty but for the file ``marker``; an older one is cleared if it holds that.

    Args:
        folder: to make.
        marker: name of the file that says who may clear the folder.
        force: clear an older one that holds more than the marker.

    Raises:
        ValueError: if it holds something else, or more than the marker without ``force``.
    """
    found = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if found and marker not in found:
        raise ValueError(
            f"{folder} is not empty and was not made by this command, which leaves {marker} there: "
            "choose another one"
        )
    if found - {marker} and not force:
        raise ValueError(
            f"{folder} holds an earlier result: choose another folder, or --force to replace it"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / marker).touch()
