"""Message types of bags: those of ROS 2 Jazzy and ``conegrad_msgs``, from their .msg files."""

import logging
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from rosbags.typesys import (
    Stores,
    TypesysError,
    get_types_from_idl,
    get_types_from_msg,
    get_typestore,
)
from rosbags.typesys.store import Typestore

logger = logging.getLogger(__name__)

INTERFACE_PACKAGE = "conegrad_msgs"
MAX_REASON = 200  # characters of what rosbags says of a definition
IDL_SEPARATOR = "=" * 80 + "\n"


class BagError(ValueError):
    """A bag, or a folder to import, cannot be used; says which, why and what helps."""


@cache
def default_typestore() -> Typestore:
    """Types of ROS 2 Jazzy and of ``conegrad_msgs``; shared, do not change it.

    Raises:
        BagError: if the definitions of ``conegrad_msgs`` are not found.
    """
    typestore = get_typestore(Stores.ROS2_JAZZY)
    definitions: dict[str, Any] = {}
    for path in interface_files():
        name = f"{INTERFACE_PACKAGE}/msg/{path.stem}"
        definitions.update(get_types_from_msg(path.read_text(encoding="utf-8"), name))
    typestore.register(definitions)
    return typestore


def interface_files() -> list[Path]:
    """The .msg files of ``conegrad_msgs``: of the source tree, the wheel or the ament prefix.

    Raises:
        BagError: if there are none.
    """
    for folder in _interface_folders():
        files = sorted((folder / "msg").glob("*.msg"))
        if files:
            return files
    raise BagError(
        f"the message definitions of {INTERFACE_PACKAGE} were not found: build the workspace "
        f"and source its setup file"
    )


def _interface_folders() -> Iterable[Path]:
    yield Path(__file__).resolve().parents[3] / INTERFACE_PACKAGE
    yield Path(__file__).resolve().parents[1] / "interfaces"  # made by scripts/dist.sh
    try:
        from ament_index_python.packages import PackageNotFoundError, get_package_share_path
    except ImportError:
        return
    try:
        yield get_package_share_path(INTERFACE_PACKAGE)
    except PackageNotFoundError:
        return


def typestore_with(definitions: Iterable[tuple[str, str]]) -> Typestore:
    """Default types, replaced and extended by the definitions that a bag carries.

    A definition that cannot be parsed is left out with a warning; its type is then unknown. Bags of
    the same definitions share the types; do not change them.

    Args:
        definitions: pairs of type name and definition text (.msg, or IDL after its separator).
    """
    return _typestore_of(frozenset(definitions))


@lru_cache(maxsize=8)
def _typestore_of(definitions: frozenset[tuple[str, str]]) -> Typestore:
    embedded: dict[str, Any] = {}
    for msgtype, text in sorted(definitions):
        try:
            embedded.update(_parse_definition(msgtype, text))
        except TypesysError as error:
            text = " ".join(str(error).split())[:MAX_REASON]
            logger.warning("the bag's definition of %s cannot be read: %s", msgtype, text)
    typestore = get_typestore(Stores.EMPTY)
    # Time and Duration are built in: another definition of them is a damaged one.
    own = {name: fields for name, fields in embedded.items() if name not in typestore.fielddefs}
    try:
        typestore.register({**default_typestore().fielddefs, **own})
    except TypesysError as error:
        text = " ".join(str(error).split())[:MAX_REASON]
        logger.warning("the bag's definitions cannot be used, those of ROS are: %s", text)
        typestore.register(default_typestore().fielddefs)
    return typestore


def is_known(typestore: Typestore, msgtype: str) -> bool:
    """Whether a type and all types inside it are defined."""
    try:
        typestore.generate_msgdef(msgtype)
    except TypesysError:
        return False
    return True


def _parse_definition(msgtype: str, text: str) -> dict[str, Any]:
    if not text.startswith(f"{IDL_SEPARATOR}IDL: "):
        return dict(get_types_from_msg(text, msgtype))
    types: dict[str, Any] = {}
    for part in text.split(IDL_SEPARATOR)[1:]:
        types.update(get_types_from_idl(part.split("\n", 1)[1]))
    return types
