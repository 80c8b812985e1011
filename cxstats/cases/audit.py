"""Recompute every published figure: which agree, which do not, which cannot be checked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from cxstats.cases.arithmetic import agrees, percent_change, printed_decimals
from cxstats.cases.checks import Check, Contradiction, run_checks
from cxstats.cases.derive import Derived, derive
from cxstats.cases.facts import Fact, read_facts
from cxstats.cases.files import Formula, SourceError, read_formulas, read_source_errors
from cxstats.core.display import in_words
from cxstats.core.formats import format_change, format_number, format_percent, round_half_up
from cxstats.core.language import LANGUAGES, Text, both, label
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result

if TYPE_CHECKING:
    import pandas as pd

SIGNS = {">=": "≥ ", "<=": "≤ ", ">": "> ", "<": "< ", "~": "≈ "}
# What can be said of a fact; the first two are the ones that a check decides.
VERDICTS = (
    "agrees",
    "contradicted",
    "consistent",
    "recomputed",
    "derived",
    "as_reported",
    "stated",
    "lost",
)


@dataclass(frozen=True, slots=True)
class AuditedFact:
    """A published fact beside what comes out when it is recomputed.

    Attributes
    ----------
    fact : Fact
        The fact as published.
    before, after, value : Decimal or None
        The published numbers, or ours where the fact is derived.
    published : Decimal or None
        The figure under audit: the printed change, or the value where no change is printed.
    recomputed : Decimal or None
        What it should be, unrounded: a relative change in per cent, or a value.
    points : Decimal or None
        ``after - before`` of a rate or an index: to be read before the relative change.
    agrees : bool or None
        None where the published figure cannot be checked.
    verdict : str
        One of `VERDICTS`.
    reason : Text
        Why, in both languages.
    """

    fact: Fact
    before: Decimal | None
    after: Decimal | None
    value: Decimal | None
    published: Decimal | None
    recomputed: Decimal | None
    points: Decimal | None
    agrees: bool | None
    verdict: str
    reason: Text

    @property
    def recomputed_change(self) -> Decimal | None:
        """The relative change in per cent, where there is a before and an after."""
        has_change = self.before is not None and self.after is not None
        return self.recomputed if has_change else None

    def published_text(self, lang: str | None = None) -> str:
        """Return what was printed, for reading."""
        fact, sign, figures = self.fact, SIGNS.get(self.fact.qualifier, ""), []
        if fact.before is not None and fact.after is not None:
            figures.append(f"{format_number(fact.before)} → {fact.amount(fact.after, lang)}")
        if fact.printed_change is not None:
            figures.append(sign + _change(fact.printed_change, fact, sign=True).get(lang))
        if fact.value is not None:
            figures.append(sign + fact.amount(fact.value, lang))
        return label("audit.comma", lang).join(figures) or fact.as_printed

    def change_text(self, lang: str | None = None) -> str:
        """Return the recomputed change or value, points first where the unit is a rate or index.

        The relative change has the decimal places of the printed one, or one.
        """
        if self.recomputed is None and self.points is None:
            return ""
        if self.recomputed is not None and self.recomputed_change is None:
            return self.fact.amount(round_half_up(self.recomputed, 2), lang)
        printed = self.fact.printed_change
        in_percent = printed is not None and self.fact.change_unit == "%"
        decimals = printed_decimals(printed) if in_percent and printed is not None else 1
        return format_change(self.recomputed, self.points, self.fact.unit.measure, decimals, lang)


@dataclass(frozen=True, eq=False, repr=False)
class Audit(Result):
    """The audit of a set of published figures.

    Attributes
    ----------
    facts : tuple of AuditedFact
    checks : tuple of Check
    formulas : tuple of Formula
    source_errors : tuple of SourceError
    """

    facts: tuple[AuditedFact, ...]
    checks: tuple[Check, ...]
    formulas: tuple[Formula, ...]
    source_errors: tuple[SourceError, ...]

    kinds: ClassVar = ("verdicts",)
    codes: ClassVar = {
        "kind": "fact.kind.{}",
        "direction": "fact.better.{}",
        "verdict": "verdict.{}",
        "status": "status.{}",
    }

    @property
    def counts(self) -> dict[str, int]:
        """How many facts have each verdict."""
        counts = Counter(fact.verdict for fact in self.facts)
        return {verdict: counts[verdict] for verdict in VERDICTS}

    @property
    def agree(self) -> int:
        """How many published figures come out as printed."""
        return sum(fact.agrees is True for fact in self.facts)

    @property
    def disagree(self) -> int:
        """How many published figures do not add up."""
        return sum(fact.agrees is False for fact in self.facts)

    @property
    def unchecked(self) -> int:
        """How many published figures cannot be checked."""
        return sum(fact.agrees is None for fact in self.facts)

    @property
    def table(self) -> pd.DataFrame:
        """One row per fact, unrounded, with its verdict; texts in English, whatever is set."""
        return self.as_table("en")

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with its texts in `lang`; its codes stay."""
        return self._frames(lang)["table"]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the facts (``table``), and the checks, formulas and errors of the sources."""
        return self._frames("en")

    def translated(self, lang: str | None = None) -> dict[str, pd.DataFrame]:
        """Return `tables` as people read them: texts in `lang`, codes and units in words."""
        frames = self._frames(lang)
        units = [audited.fact.unit.text.get(lang) for audited in self.facts]
        frames["table"] = frames["table"].assign(unit=units)
        return {name: in_words(frame, self.codes, lang) for name, frame in frames.items()}

    def _frames(self, lang: str | None) -> dict[str, pd.DataFrame]:
        import pandas as pd

        facts, *others = self.to_dict(lang).items()
        frames = {"table": pd.DataFrame(facts[1])}
        frames |= {name: pd.DataFrame(rows) for name, rows in others if rows}
        if "formulas" in frames:
            frames["formulas"] = frames["formulas"].drop(columns="status_text")
        return frames

    def fact(self, name: str) -> AuditedFact:
        """Return the audited fact with identifier `name`.

        Raises
        ------
        KeyError
            If there is none.
        """
        for audited in self.facts:
            if audited.fact.id == name:
                return audited
        raise KeyError(
            f"no fact {name!r}; there are {self.facts[0].fact.id} to {self.facts[-1].fact.id}"
        )

    def changes(self, *names: str, lang: str | None = None) -> pd.DataFrame:
        """Return facts with a before and an after in the form that `charts.before_after` draws.

        Parameters
        ----------
        *names : str
            Identifiers of the facts, in the order wanted.
        lang : {"en", "zh"}, optional
            Language of the texts.

        Returns
        -------
        pandas.DataFrame
            ``indicator`` (with unit), ``before, after, change, better``, and of the NPS the ends
            of its scale, ``lowest, highest``.

        Raises
        ------
        KeyError
            If there is no such fact.

        Examples
        --------
        >>> audit().changes("F072")["change"].tolist()
        ['+36 points (+113 %)']
        """
        import pandas as pd

        rows = []
        for audited in map(self.fact, names):
            rows.append(
                {
                    "indicator": _with_unit(audited.fact, lang),
                    "before": _plain(audited.before),
                    "after": _plain(audited.after),
                    "change": audited.change_text(lang),
                    "better": audited.fact.better,
                    # The NPS has no origin at 0.
                    "lowest": -100.0 if audited.fact.unit.measure == "index" else nan,
                    "highest": 100.0 if audited.fact.unit.measure == "index" else nan,
                }
            )
        return pd.DataFrame(rows)

    def to_dict(self, lang: str | None = None) -> dict[str, list[dict[str, Any]]]:
        """Return the whole audit as plain lists and dictionaries, numbers as floats.

        Keys: ``facts``, ``checks``, ``formulas``, ``source_errors``.
        """
        return {
            "facts": [_fact_row(fact, lang) for fact in self.facts],
            "checks": [_check_row(check, lang) for check in self.checks],
            "formulas": [
                {
                    "id": formula.id,
                    "source": formula.source,
                    "section": formula.section.get(lang),
                    "name": formula.name.get(lang),
                    "as_printed": formula.as_printed,
                    "formula": formula.formula.get(lang),
                    "status": formula.status,
                    "status_text": label(f"status.{formula.status}", lang),
                    "note": formula.note.get(lang),
                }
                for formula in self.formulas
            ],
            "source_errors": [
                {
                    "id": error.id,
                    "source": error.source,
                    "section": error.section.get(lang),
                    "claim": error.claim.get(lang),
                    "correction": error.correction.get(lang),
                }
                for error in self.source_errors
            ],
        }

    def findings(self, lang: str) -> list[str]:
        """Return the counts, every figure that fails, and the outcome of the checks."""
        counts = self.counts
        lines = [_outcomes("audit.counts", [audited.agrees for audited in self.facts], lang)]
        lines += [
            f"  {counts[verdict]:3d}  {label(f'verdict.{verdict}.long', lang)}"
            for verdict in VERDICTS
            if counts[verdict]
        ]
        lines += [
            "  "
            + label(
                "audit.failing",
                lang,
                id=audited.fact.id,
                name=audited.fact.name(lang),
                published=audited.published_text(lang),
                reason=audited.reason.get(lang),
            )
            for audited in self.facts
            if audited.agrees is False
        ]
        if self.checks:
            lines.append(_outcomes("audit.checks", [check.agrees for check in self.checks], lang))
        if self.formulas:
            statuses = Counter(formula.status for formula in self.formulas)
            by_status = label("audit.comma", lang).join(
                label("audit.formulas.status", lang, n=n, status=label(f"status.{status}", lang))
                for status, n in statuses.items()
            )
            lines.append(label("audit.formulas", lang, n=len(self.formulas), counts=by_status))
        if self.source_errors:
            lines.append(label("audit.source_errors", lang, n=len(self.source_errors)))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the verdicts, one bar per case study."""
        return Chart("verdicts", (self,))


def _outcomes(key: str, agreements: list[bool | None], lang: str) -> str:
    n = Counter(agreements)
    counts = {"agree": n[True], "disagree": n[False], "unchecked": n[None]}
    return label(key, lang, n=len(agreements), **counts)


def _with_unit(fact: Fact, lang: str | None) -> str:
    """Return an indicator with its unit, unless its words end in or hold the unit already."""
    name, unit = fact.name(lang), fact.unit.text.get(lang)
    holds_it = re.search(rf"(?<![a-z]){re.escape(unit)}(?![a-z])", name) if unit else True
    return name if holds_it else label("fact.with_unit", lang, name=name, unit=unit)


def _plain(value: Decimal | None) -> float | int | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _fact_row(audited: AuditedFact, lang: str | None) -> dict[str, Any]:
    fact = audited.fact
    numbers = ("before", "after", "value", "published", "recomputed", "points")
    return {
        "id": fact.id,
        "case": fact.case.get(lang),
        "source": fact.source,
        "section": fact.section.get(lang),
        "kind": fact.kind,
        "quantity": fact.name(lang),
        "unit": fact.unit.name,
        "qualifier": fact.qualifier,
        "period": fact.period,
        "direction": fact.better,
        **{name: _plain(getattr(audited, name)) for name in numbers},
        "change": audited.change_text(lang),
        "agrees": audited.agrees,
        "verdict": audited.verdict,
        "reason": audited.reason.get(lang),
        "note": fact.note.get(lang),
    }


def _check_row(check: Check, lang: str | None) -> dict[str, Any]:
    return {
        "id": check.id,
        "source": check.source,
        "section": check.section.get(lang),
        "facts": list(check.facts),
        "check": check.title.get(lang),
        "given": check.given,
        "recomputed": check.recomputed,
        "expected": check.expected or None,
        "agrees": check.agrees,
        "reason": check.reason.get(lang),
    }


@long_work("audit")
def audit(path: str | Path | None = None) -> Audit:
    """Recompute every published figure.

    A change is ``(after - before) / before * 100`` in decimal arithmetic, rounded half up at
    the precision printed; one printed in points is ``after - before``, one in times ("×3")
    ``after / before``. Consistency checks compare the figures with each other. An effect
    that was published without its base is listed as reported and never recomputed.

    Parameters
    ----------
    path : str or Path, optional
        A CSV file of figures of your own; its printed changes are recomputed. Five columns
        suffice: id, quantity, before, after, printed change (编号、指标、之前、之后、印出变化);
        `cxstats audit --template` prints them, and unit, note and the others of
        ``data/cases/facts.csv`` may stand beside them. A printed change is written "+113 %",
        "-45.6" (per cent), "36 points", "44 pp", "×3", ">= 30 %", "下降 45.6%"; values in "32 %"
        are rates. The consistency checks, formulas and errors of sources belong to the case studies
        of this project and are left out then.

    Returns
    -------
    Audit

    Raises
    ------
    DataError
        If the file cannot be read as such, with file, row and column named.

    Examples
    --------
    >>> result = audit()
    >>> result.agree, result.disagree, result.unchecked
    (10, 3, 98)
    >>> nps = result.fact("F072")
    >>> nps.recomputed, nps.points, nps.agrees
    (Decimal('112.5'), Decimal('36'), True)
    >>> print(nps.change_text())
    +36 points (+113 %)
    """
    if path is not None:
        return Audit(tuple(_audited(fact) for fact in read_facts(Path(path))), (), (), ())
    facts = read_facts()
    by_name = {fact.id: fact for fact in facts}
    checks = run_checks(by_name)
    derived = derive(by_name)
    contradictions = {c.fact: c for check in checks for c in check.contradictions}
    supports = {name: check.id for check in checks for name in check.supports}
    return Audit(
        facts=tuple(
            _audited(f, derived.get(f.id), contradictions.get(f.id), supports.get(f.id))
            for f in facts
        ),
        checks=checks,
        formulas=read_formulas(),
        source_errors=read_source_errors(),
    )


def _audited(
    fact: Fact,
    derived: Derived | None = None,
    contradiction: Contradiction | None = None,
    support: str | None = None,
) -> AuditedFact:
    numbers = derived or fact
    before, after, value = numbers.before, numbers.after, numbers.value
    recomputed, points = derived.value if derived else None, None
    if before is not None and after is not None:
        # From a base of 0, or below, no relative change exists (an NPS can have one).
        recomputed = percent_change(before, after) if before > 0 else None
        points = _points(before, after, fact.unit.measure)
    agreed, verdict, reason = _verdict(fact, derived, recomputed)
    if verdict == "stated" and support:
        verdict, reason = "consistent", both("reason.consistent", check=support)
    if contradiction:
        agreed, verdict, reason = False, "contradicted", contradiction.reason
        recomputed = contradiction.recomputed
    return AuditedFact(
        fact=fact,
        before=before,
        after=after,
        value=value,
        published=fact.value if fact.printed_change is None else fact.printed_change,
        recomputed=recomputed,
        points=points,
        agrees=agreed,
        verdict=verdict,
        reason=reason,
    )


def _in_unit_of_print(fact: Fact, relative: Decimal | None) -> Decimal | None:
    """Return the change in the unit in which it was printed: per cent, points or times."""
    if fact.change_unit == "%" or fact.before is None or fact.after is None:
        return relative
    if fact.change_unit == "points":
        points = _points(fact.before, fact.after, fact.unit.measure)
        return fact.after - fact.before if points is None else points
    return None if relative is None else 1 + relative / 100


def _slip(fact: Fact, found: Decimal) -> str:
    """Return the end of the key of the reason, where a usual slip explains a contradiction."""
    printed = fact.printed_change
    if printed is None or fact.before is None or fact.after is None:
        return ""
    points = _points(fact.before, fact.after, fact.unit.measure)
    if fact.change_unit == "%" and points is not None and agrees(printed, points, fact.qualifier):
        return ".points"
    return ".sign" if fact.change_unit != "×" and agrees(-printed, found, fact.qualifier) else ""


def _change(value: Decimal, fact: Fact, sign: bool = False) -> Text:
    """Return a change in the unit in which it was printed, as people read it."""
    if fact.change_unit == "×":
        return Text(f"×{format_number(value)}", f"×{format_number(value)}")
    if fact.change_unit == "points":
        kind = "points" if fact.unit.measure in ("rate", "fraction") else "index"
        return both(f"change.{kind}.alone", points=format_number(value, sign=sign))
    return Text(*(format_percent(value, None, lang, sign=sign) for lang in LANGUAGES))


def _points(before: Decimal, after: Decimal, measure: str) -> Decimal | None:
    scale = {"rate": 1, "index": 1, "fraction": 100}.get(measure)
    return None if scale is None else (after - before) * scale


def _verdict(
    fact: Fact, derived: Derived | None, recomputed: Decimal | None
) -> tuple[bool | None, str, Text]:
    printed = fact.printed_change
    if derived:
        inputs = ", ".join(derived.inputs)
        return (
            None,
            "derived",
            both("reason.derived_from" if inputs else "reason.read", facts=inputs),
        )
    found = _in_unit_of_print(fact, recomputed)
    if printed is not None and found is not None:
        agreed = agrees(printed, found, fact.qualifier)
        verdict = {True: "agrees", False: "contradicted", None: "recomputed"}[agreed]
        key = "reason.about" if agreed is None else f"reason.{verdict}"
        if agreed is False:
            key += _slip(fact, found)
        figures = _change(round_half_up(found, 4), fact), _change(printed, fact)
        sign = SIGNS.get(fact.qualifier, "")
        words = Text(sign + figures[1].en, sign + figures[1].zh)
        return agreed, verdict, both(key, change=figures[0], printed=words)
    if fact.kind == "lost":
        return None, "lost", both("reason.lost")
    if printed is not None:
        based = fact.before is not None and fact.after is not None
        return None, "as_reported", both("reason.no_relative" if based else "reason.as_reported")
    if recomputed is not None:
        return None, "recomputed", both("reason.recomputed")
    return None, "stated", both("reason.stated")
