"""The whole way: a client's file and its codebook in, a report in up to four forms out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from cxstats.app.report.client import ALPHA, MIN_CELL, NO_RESPONDENTS, Client, open_client
from cxstats.app.report.content import ReportTable, Section
from cxstats.app.report.forms import make_folder, write, write_all
from cxstats.app.report.sections.decisions import actions, decisions
from cxstats.app.report.sections.drivers import drivers
from cxstats.app.report.sections.gaps import gaps
from cxstats.app.report.sections.journeys import journeys
from cxstats.app.report.sections.method import method
from cxstats.app.report.sections.metrics import metrics
from cxstats.app.report.sections.provenance import provenance
from cxstats.app.report.sections.quality import quality
from cxstats.app.report.sections.scorecard import scorecard
from cxstats.app.report.sections.words import words
from cxstats.app.report.slide_templates import client_template
from cxstats.app.report.wording import reason
from cxstats.core.errors import CxError
from cxstats.core.language import Text, both, check_lang, label
from cxstats.core.messages import excerpt
from cxstats.core.progress import tracked
from cxstats.core.result import Result

# The chapters that analyse the file, in the order of the report.
ANALYSES: tuple[Callable[[Client], Section], ...] = (metrics, gaps, drivers, journeys, words)
# The chapters that say how it was done.
ACCOUNTS: tuple[Callable[[Client, Sequence[Section]], Section], ...] = (
    quality,
    method,
    provenance,
)
FORMS = (".html", ".xlsx", ".pptx", ".docx")


@dataclass(frozen=True, eq=False, repr=False)
class Report(Result):
    """What a client's file says, ready to be written.

    Attributes
    ----------
    name : Text
        Title of the questionnaire.
    sections : tuple of Section
        In the order of the report.
    client : Client
        The file behind it.
    files : tuple of Path
        What `report` wrote.
    notes : tuple of Text
        What may have been read otherwise than it was meant.
    """

    name: Text
    sections: tuple[Section, ...]
    client: Client
    files: tuple[Path, ...]
    notes: tuple[Text, ...]

    codes: ClassVar = {"section": "report.section.{}"}

    @property
    def synthetic(self) -> bool:
        """Whether the answers are simulated."""
        return self.client.synthetic

    @property
    def table(self) -> pd.DataFrame:
        """The findings: ``section, finding, size, certainty``."""
        rows = [
            {
                "section": section.key,
                "finding": finding.headline.text("en"),
                "size": finding.size,
                "certainty": finding.certainty,
            }
            for section in self.sections
            if section.key != "decide"
            for finding in section.findings
        ]
        return pd.DataFrame(rows, columns=["section", "finding", "size", "certainty"])

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return the findings in `lang`."""
        lang, table = check_lang(lang), self.table
        findings = [f for s in self.sections if s.key != "decide" for f in s.findings]
        table["finding"] = [finding.headline.text(lang) for finding in findings]
        return table

    def section(self, key: str) -> Section:
        """Return a chapter by its key."""
        return next(section for section in self.sections if section.key == key)

    def report_tables(self) -> dict[str, ReportTable]:
        """Return every table of the report by its key, in the order of the chapters."""
        tables = [table for section in self.sections for table in section.all_tables()]
        return {table.key: table for table in tables}

    def title(self, lang: str | None = None) -> str:
        """Return the title of the report."""
        return label("title.Report", lang, name=self.name.get(lang))

    def findings(self, lang: str) -> list[str]:
        """Return what there is to decide, and what was written."""
        decide = self.section("decide")
        n = f"{len(self.client.answers):,}"
        lines = [label("report.head", lang, name=self.name.get(lang), file=self.client.file, n=n)]
        lines += [f"  {finding.headline.text(lang)}" for finding in decide.findings]
        lines += [f"  {reason.get(lang)}" for reason in decide.absent]
        lines += [label("report.written", lang, file=str(path)) for path in self.files]
        return lines

    def export(
        self,
        path: str | os.PathLike[str],
        lang: str | None = None,
        *,
        template: str | os.PathLike[str] | None = None,
    ) -> Path:
        """Write the report: ``.html``, ``.xlsx``, ``.pptx`` or ``.docx``, by the ending.

        ``.csv`` and ``.tex`` hold the list of findings alone.

        Parameters
        ----------
        path : path
        lang : {"en", "zh"}, optional
        template : path, optional
            The client's own ``.pptx``, for slides in its look.

        Raises
        ------
        CxError
            If the ending is none of these, the folder does not exist, or the template cannot be
            used.
        """
        if Path(path).suffix.lower() in (".csv", ".tex"):
            return super().export(path, lang)
        return write(self, Path(path), check_lang(lang), template)


def report(  # noqa: PLR0913  (what a person says of a file)
    file: str | Path,
    codebook: Any = None,
    *,
    lang: str | Sequence[str] | None = None,
    out: str | Path | None = None,
    forms: str | Sequence[str] = FORMS,
    template: str | Path | None = None,
    sheet: str | None = None,
    groups: Sequence[str] | None = None,
    wave: str | None = None,
    weights: str | None = None,
    targets: Mapping[str, float] | None = None,
    min_cell: int = MIN_CELL,
    leave_out: Sequence[str] = NO_RESPONDENTS,
    keep: Sequence[str] = (),
    seed: int = 1,
) -> Report:
    """Analyse a client's file as far as its columns allow, and write the report.

    Parameters
    ----------
    file : path
        A survey file that `cxstats.read_survey` reads.
    codebook : Codebook, mapping of its keys, path, or name of one that ships
        Without it a draft is written beside the report, for a person to correct, and an error says
        where it is.
    lang : {"en", "zh"} or both, optional
        Language of what is written; of ``("en", "zh")`` each form is written in both.
    out : path, optional
        Folder of the report, made if it is not there; without it nothing is written.
    forms : sequence of str
        Some of ``".html", ".xlsx", ".pptx", ".docx"``.
    template : path, optional
        The client's own ``.pptx``.
    sheet, groups, wave, weights, targets, min_cell, leave_out, keep, seed
        As in `cxstats.app.report.client.open_client`.

    Returns
    -------
    Report

    Raises
    ------
    DataError, CxError
        Where the file, the codebook or an option cannot be used; and where there is no codebook.
    """
    languages, forms = _languages(lang), _forms(forms)
    if codebook is None:
        raise CxError(_draft(Path(file), sheet, Path(out) if out else None, languages[0]))
    if out is not None:  # before the work, not after it
        make_folder(Path(out))
        if template is not None and ".pptx" in forms:
            client_template(Path(template))
    client = open_client(
        file, codebook, sheet=sheet, groups=groups, wave=wave, weights=weights, targets=targets,
        min_cell=min_cell, leave_out=leave_out, keep=keep, seed=seed,
    )  # fmt: skip
    sections = analyse(client)
    name = client.codebook.name if client.codebook.title else Text(client.file, client.file)
    made = Report(name, sections, client, (), client.doubts)
    if out is None:
        return made
    files = write_all(made, Path(out), languages, forms, template)
    return Report(name, sections, client, files, client.doubts)


def _forms(forms: str | Sequence[str]) -> list[str]:
    """Return the forms that were asked for, each once; "html" is ".html"."""
    asked = [forms] if isinstance(forms, str) else forms
    wanted = list(dict.fromkeys(f".{form.lower().removeprefix('.')}" for form in asked))
    unknown = [form for form in wanted if form not in FORMS]
    if unknown or not wanted:
        raise CxError(f"forms={excerpt(forms)}; allowed: some of {', '.join(FORMS)}")
    return wanted


def _languages(lang: str | Sequence[str] | None) -> list[str]:
    """Return the languages that were asked for, each once."""
    asked = [lang] if lang is None or isinstance(lang, str) else lang
    languages = list(dict.fromkeys(map(check_lang, asked)))
    if not languages:
        raise CxError("lang=[]; allowed: 'en', 'zh', or both")
    return languages


def analyse(client: Client) -> tuple[Section, ...]:
    """Return the chapters of the report, what to decide first; a bar shows how far it is.

    A chapter that the data do not allow says why, and the others go on.
    """
    analyses: list[Section] = []
    for place, _ in tracked(len(ANALYSES), 1, "report"):
        analyses.append(_chapter(ANALYSES[place], client))
    client = replace(client, alpha=threshold(analyses))
    analyses = [_chapter(analysis, client) for analysis in ANALYSES]  # results are there already
    accounts = [_chapter(account, client, analyses) for account in ACCOUNTS]
    return (
        decisions(analyses),
        scorecard(client, analyses),
        *analyses,
        actions(analyses),
        *accounts,
    )


def threshold(sections: Sequence[Section]) -> float:
    """Return the adjusted p value up to which an order is stated, so that few orders are false.

    Every table of comparisons is a family, with p values adjusted within it. A report has many
    families, so they are selected by Benjamini and Hochberg's method by their smallest p value, and
    an order is stated at ``alpha R / m``, R of m families being selected (of none, ``alpha / m``).
    The error rate, on average over the selected families, is then at most alpha.

    References
    ----------
    Benjamini & Bogomolov (2014). Selective inference on multiple families of hypotheses. Journal
    of the Royal Statistical Society B 76(1), 297-318.
    """
    tables = {
        table.key: table.frame["p_adjusted"].to_numpy(float)
        for section in sections
        for table in section.all_tables()
        if "p_adjusted" in table.frame
        # A column of groups may have that name.
        and "p_adjusted" not in getattr(table.result, "by", ())
    }
    smallest = np.sort([np.nanmin(p) for p in tables.values() if np.isfinite(p).any()])
    m = len(smallest)
    if m == 0:
        return ALPHA
    selected = np.flatnonzero(smallest <= ALPHA * np.arange(1, m + 1) / m)
    return float(ALPHA * (selected[-1] + 1 if len(selected) else 1) / m)


def _chapter(build: Callable[..., Section], *of: Any) -> Section:
    """Return a chapter, or why the data do not allow it; a bug still raises."""
    try:
        return build(*of)
    except CxError as error:
        name = both(f"report.section.{build.__name__}")
        return Section(
            build.__name__, absent=(both("report.absent.failed", name=name, why=reason(error)),)
        )


def _draft(file: Path, sheet: str | None, out: Path | None, lang: str) -> str:
    """Draft a codebook, write it, and return what to do now."""
    import warnings

    from cxstats.survey.codebook import Codebook
    from cxstats.survey.read import read_survey

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the draft's own comments say what is doubtful
        draft = Codebook.draft(read_survey(file, sheet=sheet), lang)
    folder = out or file.parent
    make_folder(folder)
    path = folder / f"{file.stem}_codebook.yml"
    if path.exists():
        return label("report.draft.there", lang, path=str(path))
    draft.write(path, lang)
    return label("report.draft.written", lang, path=str(path))
