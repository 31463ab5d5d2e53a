"""Files and folders that a goal names: read without repeating them, written in one place only.

Goals come over the network, from anybody in the ROS domain.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from conegrad_core.settings.yaml_file import YamlDocument, read_document
from conegrad_training.tracking.tracking import TrackingConfig, store_file

MAX_BYTES = 2**20  # of a settings file


class GoalError(ValueError):
    """A goal is refused.

    Attributes:
        outline: the message without what stands in a file. The status has no more than this: a
            goal may name any file of the machine.
    """

    def __init__(self, message: str, outline: str = "") -> None:
        super().__init__(message)
        self.outline = outline or message


def read_sections(path: Path) -> YamlDocument:
    """A YAML file whose content has to be a mapping; an empty one for an empty file.

    Raises:
        FileNotFoundError: if there is no such file.
        GoalError: if it is not a plain file of at most 1 MiB, or holds something else.
    """
    check_plain("config", path)
    if path.stat().st_size > MAX_BYTES:
        size = path.stat().st_size
        raise GoalError(f"config {path} has {size} bytes, expected at most {MAX_BYTES}")
    try:
        document = read_document(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise GoalError(f"config {path} is not a text in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise GoalError(f"config {path} holds {error}", f"config {path} is not YAML") from error
    if document.content is None:
        return document._replace(content={})
    if not isinstance(document.content, dict):
        found = type(document.content).__name__
        raise GoalError(f"config {path} holds a {found}, expected sections")
    return document


def check_plain(field: str, path: Path) -> None:
    """Refuse what is no file, and what has no end or waits for a writer.

    Raises:
        FileNotFoundError: if there is nothing.
        GoalError: if it is not a plain file.
    """
    if not path.exists():
        raise FileNotFoundError(f"{field} is {str(path)!r}, which does not exist on this machine")
    if not path.is_file():
        raise GoalError(f"{field} is {str(path)!r}, expected a plain file")


def check_content(field: str, path: str, read: Callable[[], object]) -> None:
    """Read a file that a field names, so that a goal with a wrong one is refused.

    Raises:
        GoalError: if it cannot be read; the outline repeats nothing of it.
    """
    try:
        read()
    except (ValueError, TypeError, OSError, RecursionError) as error:
        outline = f"{field} is {path!r}, which cannot be used; the log of the node says why"
        raise GoalError(f"{field}: {error}", outline) from error


def folder_within(field: str, path: str, root: Path) -> Path:
    """A folder below the one that runs are written to, links followed.

    Raises:
        GoalError: if it lies elsewhere.
    """
    root = root.resolve()
    try:
        folder = Path(path).expanduser().resolve()
    except (RuntimeError, OSError) as error:  # no such home, a loop of links
        raise GoalError(f"{field} is {path!r}: {error}") from error
    if root not in folder.parents:
        raise GoalError(
            f"{field} is {path!r}, which is {folder}; expected a folder below {root}, which is the "
            "parameter output of the node"
        )
    return folder


def check_store(tracking: TrackingConfig, root: Path) -> None:
    """Refuse a store on this machine that is neither the node's own nor in its folder.

    Raises:
        GoalError: naming the store.
    """
    uri = tracking.tracking_uri
    if not uri or uri == TrackingConfig().store:
        return
    try:
        scheme = urlsplit(uri).scheme
    except ValueError as error:
        raise GoalError(f"tracking.tracking_uri is {uri!r}: {error}") from error
    if scheme.startswith("sqlite"):
        file = None if "?" in uri else store_file(uri)
        if file is None:
            raise GoalError(f"tracking.tracking_uri is {uri!r}, expected sqlite:///PATH")
        folder_within("tracking.tracking_uri", str(file), root)
    elif scheme in ("", "file"):
        folder_within("tracking.tracking_uri", urlsplit(uri).path, root)
