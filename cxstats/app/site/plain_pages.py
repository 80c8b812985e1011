"""Write executed notebooks as a small site: a page each, and an index that shows the charts."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from copy import deepcopy
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from cxstats.app.reproduce import Run, write_notebook
from cxstats.core.files import write_text_whole

if TYPE_CHECKING:
    from nbformat import NotebookNode

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 68rem; margin: 3rem auto;
  padding: 0 1.5rem; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; }
.outcome { color: #555; margin-top: 0; }
ul { list-style: none; padding: 0; display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); }
li { border: 1px solid #dde1e6; border-radius: 8px; overflow: hidden; }
li a { color: inherit; text-decoration: none; display: block; height: 100%; }
li a:hover h2 { text-decoration: underline; }
img { width: 100%; height: 11rem; object-fit: contain; background: #fff; padding: .5rem;
  box-sizing: border-box; border-bottom: 1px solid #eef0f2; }
.text { padding: .8rem 1rem 1rem; }
h2 { font-size: 1.05rem; margin: 0 0 .3rem; }
p { margin: 0; }
.ok { color: #0072B2; } .broken { color: #B94700; font-weight: 600; }
"""


def write_site(runs: Sequence[Run], folder: Path) -> Path:
    """Write executed notebooks, their pages and an index page.

    Parameters
    ----------
    runs : sequence of Run
        Executed notebooks.
    folder : Path
        Where to write: ``notebooks/NAME.ipynb``, ``html/NAME.html`` and ``index.html``; notebooks
        of deeper folders keep their folder.

    Returns
    -------
    Path
        The index page.
    """
    names = relative_names([run.path for run in runs])
    for run, name in zip(runs, names, strict=True):
        write_notebook(run.notebook, folder / "notebooks" / name)
        page = folder / "html" / name.with_suffix(".html")
        page.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(page, page_of(run))
    return write_text_whole(folder / "index.html", index_of(runs))


def relative_names(paths: Sequence[Path]) -> list[Path]:
    """Return paths below the folder that they share, so that no two are alike.

    Examples
    --------
    >>> [name.as_posix() for name in relative_names([Path("n/a.ipynb"), Path("n/x/a.ipynb")])]
    ['a.ipynb', 'x/a.ipynb']
    """
    shared = Path(os.path.commonpath([path.resolve().parent for path in paths]))
    return [path.resolve().relative_to(shared) for path in paths]


def page_of(run: Run) -> str:
    """Return a notebook as one HTML page with its pictures inside, which asks for nothing else."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(embed_images=True, exclude_anchor_links=True)
    notebook = _with_formulas(run.notebook)
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": run.title}})
    # Its scripts only fetch MathJax, RequireJS and Mermaid from elsewhere.
    return re.sub(r"<script\b.*?</script>", "", str(page), flags=re.DOTALL)


def _with_formulas(notebook: NotebookNode) -> NotebookNode:
    """Return a copy whose formulas are MathML."""
    from cxstats.app.site.mathml import mathml

    copy = deepcopy(notebook)
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(
                r"\$\$(.+?)\$\$", lambda m: mathml(m[1], "block"), cell.source, flags=re.DOTALL
            )
    return copy


def index_of(runs: Sequence[Run]) -> str:
    """Return the index page: every notebook with its first chart and its outcome."""
    broken = sum(bool(run.error) for run in runs)
    outcome = f"{len(runs) - broken} of {len(runs)} notebooks reproduced"
    names = relative_names([run.path for run in runs])
    cards = "\n".join(_card(run, name) for run, name in zip(runs, names, strict=True))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>cxstats: {outcome}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<h1>cxstats: case studies re-derived</h1>\n<p class="outcome">{outcome}</p>\n'
        f"<ul>\n{cards}\n</ul>\n</body>\n</html>\n"
    )


def _card(run: Run, name: Path) -> str:
    picture = _first_picture(run.notebook)
    image = f'<img src="data:image/png;base64,{picture}" alt="">' if picture else ""
    page = quote(name.with_suffix(".html").as_posix())
    state, outcome = ("broken", escape(run.error)) if run.error else ("ok", "reproduced")
    return (
        f'<li><a href="html/{page}">{image}<div class="text">'
        f"<h2>{escape(run.title)}</h2><p>{escape(_first_sentence(run.notebook))}</p>"
        f'<p class="{state}">{outcome}</p></div></a></li>'
    )


def _first_picture(notebook: NotebookNode) -> str:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            picture = output.get("data", {}).get("image/png")
            if picture:
                return "".join(str(picture).split())
    return ""


def _first_sentence(notebook: NotebookNode) -> str:
    """Return the first sentence of prose under the title, without its marks."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            prose = [line for line in cell.source.split("\n") if line and line[0] not in "#|>-"]
            if prose:
                text = re.sub(r"[*_`]|\[([^]]*)\]\([^)]*\)", r"\1", " ".join(prose))
                return re.split(r"(?<=[.?!])\s", text)[0]
    return ""
