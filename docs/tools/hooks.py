"""For mkdocs: makes pages of what lies outside of docs/ or is no Markdown, and leads links there.

Pages link to examples and to the change log where they lie in the repository, so that the links work on GitHub and in
an editor, too.
"""

from __future__ import annotations

import ast
import json
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ELSEWHERE = {"CHANGELOG.md": "changelog.md", "README.md": "index.md"}
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each example, each notebook and the change log."""
    root = Path(config.config_file_path).parent
    examples = [path for path in sorted((root / "examples").rglob("*")) if path.suffix in (".py", ".ipynb")]
    for path in examples:
        _add(files, config, path.relative_to(root).as_posix(), _page(path))
    for folder in {path.parent for path in examples}:
        names = [path.name for path in examples if path.parent == folder]
        listing = "\n".join(f"- [{name}]({_name(name)})" for name in names)
        _add(files, config, f"{folder.relative_to(root).as_posix()}/index.md", f"# {folder.name}\n\n{listing}\n")
    for path in sorted((root / "docs").rglob("*.ipynb")):
        _add(files, config, path.relative_to(root / "docs").as_posix(), _page(path))
    _add(files, config, "changelog.md", (root / "CHANGELOG.md").read_text(encoding="utf-8"))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to files outside of docs/, and to notebooks, to their pages."""
    here = posixpath.dirname(page.file.src_uri)

    def lead(match: re.Match[str]) -> str:
        target, anchor = match[1], match[2] or ""
        if "://" in target:
            return match[0]
        path = posixpath.normpath(posixpath.join(here, target))
        path = posixpath.normpath(posixpath.join("docs", path)).removeprefix("docs/")
        name = ELSEWHERE.get(path) or _name(path)
        if files.get_file_from_path(f"{path}/index.md") is not None:
            name = f"{path}/index.md"
        if name == path or files.get_file_from_path(name) is None:
            return match[0]
        return f"]({posixpath.relpath(name, here or '.')}{anchor})"

    return LINK.sub(lead, markdown)


def _name(path: str) -> str:
    """Return what the page of a file is called."""
    stem, suffix = posixpath.splitext(path)
    return f"{stem}.md" if suffix in (".py", ".ipynb") else path


def _add(files: Files, config: MkDocsConfig, path: str, markdown: str) -> None:
    page = File.generated(config, _name(path), content=markdown)
    if path.startswith("examples/"):
        page.inclusion = page.inclusion.NOT_IN_NAV  # the pages that explain them link to them
    files.append(page)


def _page(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        said = ast.get_docstring(ast.parse(text)) or f"{path.name}\n"
        title, _, more = said.partition("\n")
        name = path.as_posix().partition("/examples/")[2]
        run = "" if "ibkit run" in more else f"\n\n```sh\nibkit run --paper examples/{name}\n```"
        code = text.split('"""\n', 1)[-1].lstrip("\n")
        return f"# {title.rstrip('.')}\n{more}{run}\n\n```python\n{code}```\n"
    cells: list[dict[str, Any]] = json.loads(text)["cells"]
    parts = []
    for cell in cells:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
    return "\n\n".join(parts) + "\n"
