"""XML from clients, without what a document type could do to a reader."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from xml.etree.ElementTree import Element


def parse(body: bytes) -> Element:
    """The root element.

    Raises:
        ValueError: not XML in UTF-8, or with a document type (which could name files and multiply entities).
    """
    text = body.decode("utf-8-sig")
    if "<!DOCTYPE" in text:
        raise ValueError("a document type is not taken")
    try:
        return ET.fromstring(text)  # noqa: S314  entities need a document type, which was refused
    except ET.ParseError as error:
        raise ValueError(str(error)) from None


def name_of(element: Element) -> str:
    """The element's name, without its namespace."""
    return element.tag.rpartition("}")[2]
