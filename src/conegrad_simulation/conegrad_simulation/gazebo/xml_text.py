"""XML documents, with numbers that read back exactly."""

from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

SDF_VERSION = "1.11"  # of libsdformat 14, which Harmonic uses


def child(parent: Element, tag: str, text: Any = None, **attributes: Any) -> Element:
    """Append an element; text may be a number, a truth value or a sequence of numbers."""
    made = ElementTree.SubElement(parent, tag, {key: written(v) for key, v in attributes.items()})
    if text is not None:
        made.text = written(text)
    return made


def written(value: Any) -> str:
    """Value as in SDF and URDF: ``true``, numbers as short as they read back exactly."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # Zero without a sign, and whole numbers without a point.
        return "0" if value == 0 else repr(value).removesuffix(".0")
    return " ".join(written(entry) for entry in value)


def sdf_document() -> Element:
    """Root of an SDF document."""
    return Element("sdf", version=SDF_VERSION)


def document_text(root: Element) -> str:
    """The document as an indented text."""
    ElementTree.indent(root)
    return f'<?xml version="1.0"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'
