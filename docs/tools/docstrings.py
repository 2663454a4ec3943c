"""For mkdocstrings: reads the docstrings and the data classes as this project writes them.

They are plain text first: "Returns: the bars." goes on in the next lines, examples stand at the end without a heading,
"::" introduces what is to be shown as it is. Made into the sections that griffe knows.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

RETURNS = re.compile(r"^Returns:? (?=\S)((?:.+\n?)+)", re.MULTILINE)
ATTRIBUTES = re.compile(r"^Attributes: (?=\S)((?:.+\n?)+)", re.MULTILINE)
RAISES = re.compile(r"^Raises ((?:.+\n?)+)", re.MULTILINE)
VERBATIM = re.compile(r"::$", re.MULTILINE)

RECORDS = {"record": "dataclasses.dataclass", "field": "dataclasses.field"}


class Docstrings(griffe.Extension):
    """Normalizes every docstring before it is parsed."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = sections(obj.docstring.value)

    def on_module_members(self, *, mod: griffe.Module, **kwargs: Any) -> None:
        """Have records taken for the data classes that they are to who uses them."""
        for name, meant in RECORDS.items():
            member = mod.members.get(name)
            if isinstance(member, griffe.Alias) and member.target_path == f"ibkit.model.records.{name}":
                member.target_path = meant


def sections(text: str) -> str:
    """Return ``text`` with headings for what is returned and for examples."""
    text = RETURNS.sub(lambda match: "Returns:\n" + _indented(" ".join(match[1].split())) + "\n", text)
    # Prose that looks like a section: kept together, whatever its indentation.
    text = ATTRIBUTES.sub(lambda match: "Attributes are " + " ".join(match[1].split()) + "\n", text)
    text = RAISES.sub(lambda match: "**Raises** " + " ".join(match[1].split()) + "\n", text)
    paragraphs = text.split("\n\n")
    for i, paragraph in enumerate(paragraphs):
        if paragraph.startswith(">>> "):
            before = "" if i and paragraphs[i - 1].startswith("Examples:") else "Examples:\n"
            paragraphs[i] = before + _indented(paragraph)
    return VERBATIM.sub(":", "\n\n".join(paragraphs))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
