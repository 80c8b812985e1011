"""What became of every formula of the sources: computed in a notebook, refused, or lost."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cxstats.cases.files import case_folder, read_formulas, read_rows
from cxstats.core.errors import DataError
from cxstats.core.language import LANGUAGES, Text, label

if TYPE_CHECKING:
    import pandas as pd

COMPUTED, REFUSED, LOST = USES = ("computed", "refused", "lost")


@dataclass(frozen=True, slots=True)
class FormulaUse:
    """What became of a formula.

    Attributes
    ----------
    id : str
        As in `cxstats.load_formulas`.
    use : {"computed", "refused", "lost"}
    function, notebook : str
        What computes it, below ``cx.``, and the notebook that does; empty unless computed.
    reason : Text
        Why nothing computes it; empty if something does.
    """

    id: str
    use: str
    function: str
    notebook: str
    reason: Text


@cache
def read_formula_uses() -> tuple[FormulaUse, ...]:
    """Return what became of each formula, in the order of `cxstats.load_formulas`.

    Raises
    ------
    DataError
        Naming the row of a formula that is unknown, stands twice, or lacks what its use needs; or
        the formulas that are missing.
    """
    path = case_folder() / "formula_uses.csv"
    columns = ("id", "use", "function", "notebook", *(f"reason_{lang}" for lang in LANGUAGES))
    rows = read_rows(path, columns)
    formulas = [formula.id for formula in read_formulas()]
    wrong, entered = [], []
    for line, row in rows:
        where = f"{path.name}, row {line}"
        if row["id"] not in formulas or row["id"] in entered:
            wrong.append(f"{where}, column 'id': {row['id']!r}; allowed: each formula once")
        if row["use"] not in USES:
            wrong.append(f"{where}, column 'use': {row['use']!r}; allowed: {', '.join(USES)}")
        computed = row["use"] == COMPUTED
        if computed != bool(row["function"] and row["notebook"]):
            wrong.append(
                f"{where}: function and notebook belong to what is computed, and only there"
            )
        if computed == bool(row["reason_en"] and row["reason_zh"]):
            wrong.append(f"{where}: a reason belongs to what is not computed, and only there")
        entered.append(row["id"])
    lacking = [name for name in formulas if name not in entered]
    if lacking:
        wrong.append(f"{path.name}: no row for {', '.join(lacking)}")
    if wrong:
        raise DataError(wrong)
    uses = {
        row["id"]: FormulaUse(row["id"], row["use"], row["function"], row["notebook"],
                              Text(row["reason_en"], row["reason_zh"]))
        for _, row in rows
    }  # fmt: skip
    return tuple(uses[name] for name in formulas)


def load_formula_uses() -> pd.DataFrame:
    """Load what became of every formula of the sources, one row each.

    Returns
    -------
    pandas.DataFrame
        ``id, use`` ("computed", "refused" or "lost"), ``function`` (below ``cx.``), ``notebook``,
        ``reason_en, reason_zh``.

    Examples
    --------
    >>> load_formula_uses()["use"].value_counts().to_dict()
    {'computed': 39, 'refused': 3, 'lost': 1}
    """
    import pandas as pd

    return pd.DataFrame(
        [{"id": use.id, "use": use.use, "function": use.function, "notebook": use.notebook,
          "reason_en": use.reason.en, "reason_zh": use.reason.zh} for use in read_formula_uses()]
    )  # fmt: skip


def formula_page(lang: str) -> str:
    """Return the page of all formulas in one language, as Markdown: status, function, where."""
    uses = read_formula_uses()
    collection = "../" if lang == "en" else "../../"  # from notebooks/pages, notebooks/zh/pages
    counts = {use: sum(row.use == use for row in uses) for use in USES}
    lines = [
        f"# {label('formulas.page.title', lang)}",
        "",
        label("formulas.page.head", lang, n=len(uses), **counts),
        "",
        "| " + label("formulas.page.columns", lang).replace(";", " | ") + " |",
        "|---|---|---|---|---|",
    ]
    for formula, use in zip(read_formulas(), uses, strict=True):
        status = label(f"status.{formula.status}", lang)
        where = (
            f"[`cx.{use.function}`]({collection}{use.notebook}.ipynb)"
            if use.use == COMPUTED
            else label(f"formulas.use.{use.use}", lang, reason=use.reason.get(lang))
        )
        texts = (formula.name.get(lang), formula.formula.get(lang) or "–", status)
        cells = [html.escape(text, quote=False).replace("|", "\\|") for text in texts]
        lines.append(f"| {formula.id} | {cells[0]} | {cells[1]} | {cells[2]} | {where} |")
    return "\n".join([*lines, ""])
