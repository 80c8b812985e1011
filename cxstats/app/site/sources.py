"""What the site is made of: a folder of Markdown and executed notebooks in one language."""

from __future__ import annotations

import re
import shutil
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxstats.app.site.collection import DOORS, reading_order, solutions_of, without_solutions
from cxstats.app.site.glossary import glossary_page, linked
from cxstats.app.site.reference import reference_pages
from cxstats.app.translations import page_twin
from cxstats.core.language import label
from cxstats.core.paths import PACKAGE, SOLUTIONS, collection_folder

if TYPE_CHECKING:
    from nbformat import NotebookNode

# Pages that stand in the collection, in the order of the menu.
PAGES = (
    "tour", "report", "client_files", "larger_tables", "formulas", "accuracy_and_speed", "speed",
    "coverage",
)  # fmt: skip
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
OUTSIDE = re.compile(r"^(?:[a-z]+:|#|//)")


@dataclass(frozen=True, slots=True)
class Card:
    """A notebook in the gallery.

    Attributes
    ----------
    name : str
        Of the file, without its ending.
    title, question, finding : str
        Its heading, the first sentence under it, and the title of its first chart.
    picture : bytes
        That chart; empty where there is none.
    """

    name: str
    title: str
    question: str
    finding: str
    picture: bytes

    @classmethod
    def of(cls, name: str, notebook: NotebookNode) -> Card:
        """Return the card of an executed notebook."""
        prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
        title, _, rest = "\n\n".join(prose).partition("\n")
        lines = [line for line in rest.splitlines() if line and line[0] not in "#|>-<"]
        prose_text = re.sub(r"[*_`]|\[([^]]*)\]\([^)]*\)", r"\1", lines[0] if lines else "")
        question = re.split(r"(?<=[.?!])\s|(?<=[。？！])", prose_text)[0]
        picture, finding = _first_chart(notebook)
        return cls(name, title.lstrip("# ").strip(), question, finding, picture)


def _first_chart(notebook: NotebookNode) -> tuple[bytes, str]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
                return b64decode(output.data["image/png"]), alt
    return b"", ""


def write_sources(folder: Path, lang: str, notebooks: Mapping[str, NotebookNode]) -> None:
    """Write the sources of the site in one language.

    Parameters
    ----------
    folder : Path
        An empty folder.
    lang : {"en", "zh"}
    notebooks : mapping of str to NotebookNode
        Executed and in `lang`, by name without ending; "solutions/NAME" are those of NAME.
    """
    (folder / "notebooks" / SOLUTIONS).mkdir(parents=True)
    (folder / "pages").mkdir()
    cards = {name: Card.of(name, notebooks[name]) for name in without_solutions(notebooks)}
    for name, notebook in notebooks.items():
        below = [solutions_of(name)] if solutions_of(name) in notebooks else []
        _write_notebook(folder / "notebooks" / f"{name}.ipynb", notebook, lang, below)
    _write_pages(folder / "pages", lang)
    pages = {
        "index": _home(folder, cards, lang),
        **{door: _door(door, cards, lang) for door in DOORS},
        "audit": _audit_page(lang),
        "glossary": glossary_page(lang),
        "facts": _facts_page(lang),
        "cite": _cite_page(lang),
        "changes": _changes_page(lang),
    }
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    for name, text in reference_pages(lang).items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def _write_notebook(
    path: Path, notebook: NotebookNode, lang: str, below: Sequence[str] = ()
) -> None:
    """Write an executed notebook as the generator reads it: links, glossary, alternative texts.

    Pages `below` it in the menu, by their names without ending, are its solutions.
    """
    import nbformat

    up = "../../" if path.parent.name == SOLUTIONS else "../"
    seen: set[str] = set()
    section = label("site.chart", lang)
    for number, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"cell-{number}")
        if cell.cell_type == "markdown":
            section = next(iter(re.findall(r"^#+ +(.+)$", cell.source, re.M)[-1:]), section)
            cell.source = linked(_links(cell.source, up), lang, f"{up}glossary.md", seen)
            continue
        alts = [
            output.get("metadata", {}).get("image/png", {}).get("alt", "")
            for output in cell.get("outputs", [])
            if "image/png" in output.get("data", {})
        ]
        if alts:  # a chart without a title is named by the section that it stands in
            alt = " ".join(filter(None, alts)) or f"{label('site.chart', lang)}: {section}"
            cell.metadata["mystnb"] = {"image": {"alt": alt}}
        # A chart that a call returns is also shown; its address in memory is no output.
        cell.outputs = [o for o in cell.outputs if not _is_repr_of_axes(o)]
        for output in cell.outputs:
            data = output.get("data", {})
            if 'class="dataframe"' in data.get("text/html", ""):
                data["text/html"] = readable_table(data["text/html"])
    if below:
        menu = "\n".join(["```{toctree}", ":hidden:", "", *below, "```"])
        notebook.cells.append(nbformat.v4.new_markdown_cell(menu, id="menu"))
    nbformat.write(notebook, path)


CELL = re.compile(r"<td>(.*?)</td>", re.S)
MISSING = {"NaN", "None", "NaT", "&lt;NA&gt;"}
NUMBER = re.compile(r"[-−+]?[\d,]*\.?\d+(e[-+]?\d+)? ?%?")


def readable_table(html: str) -> str:
    """Return a table of pandas with its columns of words at the left and a dash where nothing is.

    pandas puts all columns at the right, as numbers need it.

    Examples
    --------
    >>> rows = "<tr><td>a b</td><td>1.5</td></tr><tr><td>c</td><td>NaN</td></tr>"
    >>> table = f"<thead><tr><th>x</th><th>y</th></tr></thead><tbody>{rows}</tbody>"
    >>> readable_table(table).count('style="text-align: left"'), readable_table(table)[-23:]
    (3, '<td>–</td></tr></tbody>')
    """
    head, mark, body = html.partition("<tbody>")
    rows = [CELL.findall(row) for row in body.split("</tr>")]
    n = max(map(len, rows), default=0)
    if not mark or any(len(row) not in (0, n) for row in rows):
        return html
    left = [
        any(row and row[k] not in MISSING and not NUMBER.fullmatch(row[k]) for row in rows)
        for k in range(n)
    ]

    def cells(row: str) -> str:
        places = iter(left)
        return CELL.sub(lambda match: _cell("td", match[1], next(places)), row)

    def heads(row: str) -> str:
        names = re.findall(r"<th>(.*?)</th>", row, re.S)
        places = iter([False] * (len(names) - n) + left)
        return re.sub(r"<th>(.*?)</th>", lambda m: _cell("th", m[1], next(places)), row, flags=re.S)

    lines = [heads(row) if row.count("<th>") >= n else row for row in head.split("</tr>")]
    return "</tr>".join(lines) + mark + "</tr>".join(map(cells, body.split("</tr>")))


def _cell(tag: str, text: str, left: bool) -> str:
    style = ' style="text-align: left"' if left else ""
    return f"<{tag}{style}>{'–' if text in MISSING else text}</{tag}>"


def _is_repr_of_axes(output: Any) -> bool:
    data = output.get("data", {})
    return set(data) == {"text/plain"} and data["text/plain"].startswith(("<Axes", "<seaborn"))


def _links(text: str, up: str) -> str:
    """Return Markdown whose links lead to pages of the site; others become plain text."""

    def moved(match: re.Match[str]) -> str:
        picture, text_of_link, target = match.groups()
        if OUTSIDE.match(target):
            return match[0]
        path, mark, anchor = target.partition("#")
        name = Path(path).name
        others = {"CHANGELOG.md": "changes.md", "CITATION.cff": "cite.md", "facts.csv": "audit.md"}
        if name.endswith(".ipynb"):
            page = f"{SOLUTIONS}/{name}" if Path(path).parent.name == SOLUTIONS else name
            return f"[{text_of_link}]({up}notebooks/{page}{mark}{anchor})"
        if Path(path).stem in PAGES or picture:
            return f"{picture}[{text_of_link}]({up}pages/{name}{mark}{anchor})"
        return f"[{text_of_link}]({up}{others[name]})" if name in others else text_of_link

    return LINK.sub(moved, text)


def _write_pages(folder: Path, lang: str) -> None:
    source = collection_folder() / "pages"
    for picture in source.rglob("*.png"):
        shutil.copy(picture, folder / picture.name)
    for name in PAGES:
        page = source / f"{name}.md"
        twin = page_twin(page, lang)
        text = _links((twin if twin.is_file() else page).read_text(encoding="utf-8"), "../")
        text = linked(text, lang, "../glossary.md", set())
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def _home(folder: Path, cards: Mapping[str, Card], lang: str) -> str:
    """Return the front page: three doors, then every notebook with its question and finding."""
    order = reading_order(list(cards))
    doors = "".join(
        f'<a class="door" href="{door}.html"><strong>{label(f"site.door.{door}", lang)}</strong>'
        f"<span>{label(f'site.door.{door}.text', lang)}</span></a>"
        for door in DOORS
    )
    gallery = "".join(_card(folder, cards[name]) for names in order.values() for name in names)
    pages = [*DOORS, "audit", "facts", "glossary", "reference", *(f"pages/{p}" for p in PAGES),
             "changes", "cite"]  # fmt: skip
    menu = "\n".join(f"{label(f'site.menu.{Path(p).name}', lang)} <{p}>" for p in pages)
    return (
        f"# {label('site.title', lang)}\n\n{label('site.lead', lang)}\n\n"
        f'<nav class="doors" aria-label="{label("site.doors", lang)}">{doors}</nav>\n\n'
        f'## {label("site.gallery", lang)}\n\n<div class="gallery">{gallery}</div>\n\n'
        f"```{{toctree}}\n:hidden:\n:maxdepth: 2\n\n{menu}\n```\n"
    )


def _card(folder: Path, card: Card) -> str:
    image = ""
    if card.picture:
        pictures = folder / "_static" / "gallery"
        pictures.mkdir(parents=True, exist_ok=True)
        (pictures / f"{card.name}.png").write_bytes(card.picture)
        source = f"_static/gallery/{card.name}.png"
        alt = escape(card.finding or card.title)
        image = f'<img src="{source}" alt="{alt}" loading="lazy">'
    finding = f'<p class="finding">{escape(card.finding)}</p>' if card.finding else ""
    return (
        f'<a class="card" href="notebooks/{card.name}.html">{image}'
        f"<h3>{escape(card.title)}</h3><p>{escape(card.question)}</p>{finding}</a>"
    )


def _door(door: str, cards: Mapping[str, Card], lang: str) -> str:
    names = reading_order(list(cards))[door]
    listed = "\n".join(f"notebooks/{name}" for name in names)
    rows = "\n".join(
        f"{number}. [{cards[name].title}](notebooks/{name}.ipynb): {cards[name].question}"
        for number, name in enumerate(names, 1)
    )
    head = label(f"site.door.{door}", lang)
    text = label(f"site.door.{door}.text", lang)
    return f"# {head}\n\n{text}\n\n{rows}\n\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"


def html_table(heads: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> str:
    """Return a table that a reader can sort and filter, as HTML; cells are text."""
    top = "".join(
        f'<th scope="col" aria-sort="none"><button type="button">{escape(head)}</button></th>'
        for head in heads
    )
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(name)}">\n'
        f'<table class="sortable"><thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>'
        "</table>\n"
        "</div>\n"
    )


def _audit_page(lang: str) -> str:
    """Return the audit: every published figure, what it recomputes to, and the verdict."""
    from cxstats.cases.audit import audit

    result = audit()
    columns = ("id", "quantity", "published", "recomputed", "verdict", "reason")
    heads = [label(f"audit.column.{column}", lang) for column in columns]
    rows = [
        (f.fact.id, f.fact.name(lang), f.published_text(lang), f.change_text(lang),
         label(f"verdict.{f.verdict}", lang), f.reason.get(lang))
        for f in result.facts
    ]  # fmt: skip
    summary = "\n".join(f"> {line.strip()}" for line in result.summary(lang).splitlines()[:1])
    title = label("site.audit", lang)
    return (
        f"# {title}\n\n{summary}\n\n{label('site.audit.text', lang)}\n\n"
        f"```{{raw}} html\n{html_table(heads, rows, title)}```\n"
    )


def _facts_page(lang: str) -> str:
    """Return the published formulas and errors of the sources."""
    from cxstats.cases.audit import audit

    result = audit()
    formulas = [
        (f.id, f.name.get(lang), f.formula.get(lang), label(f"status.{f.status}", lang))
        for f in result.formulas
    ]
    errors = [(e.id, e.claim.get(lang), e.correction.get(lang)) for e in result.source_errors]
    parts = [f"# {label('site.facts', lang)}\n"]
    for key, rows, columns in (
        ("formulas", formulas, ("id", "name", "formula", "status")),
        ("source_errors", errors, ("id", "claim", "correction")),
    ):
        heads = [label(f"audit.column.{column}", lang) for column in columns]
        title = label(f"audit.{key}.heading", lang)
        parts.append(f"## {title}\n\n```{{raw}} html\n{html_table(heads, rows, title)}```\n")
    return "\n".join(parts)


def _cite_page(lang: str) -> str:
    """Return how to cite, as text, BibTeX and the file that reference managers read."""
    import yaml

    from cxstats import __version__

    cff = _document("CITATION.cff")
    content = yaml.safe_load(cff)
    title, year = content["title"], str(content.get("date-released", ""))[:4]
    lines = [
        "@software{cxstats,",
        "  author = {{The cxstats developers}},",
        f"  title = {{{title}}},",
        f"  version = {{{__version__}}},",
        *([f"  year = {{{year}}},"] if year else []),
        "  license = {BSD-3-Clause}",
        "}",
    ]
    bibtex = "\n".join(lines)
    return (
        f"# {label('site.cite', lang)}\n\n{label('site.cite.text', lang)}\n\n"
        f"```bibtex\n{bibtex}\n```\n\n```yaml\n{cff}```\n"
    )


def _changes_page(lang: str) -> str:
    text = _document("CHANGELOG.md")
    return _links(text, "").replace("# Changelog", f"# {label('site.changes', lang)}", 1)


def _document(name: str) -> str:
    """Return a file of the top level, installed or in a checkout."""
    installed = PACKAGE / name
    path = installed if installed.is_file() else PACKAGE.parent / name
    return path.read_text(encoding="utf-8")
