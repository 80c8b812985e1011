"""The result of an audit: every figure beside what comes out, with a verdict and a reason."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any

from cxstats.cases.arithmetic import printed_decimals
from cxstats.cases.checks import Check
from cxstats.cases.facts import Fact
from cxstats.cases.files import Formula, SourceError
from cxstats.core.formats import format_change, format_number, format_percent, round_half_up
from cxstats.core.language import Text, label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

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

    def published_text(self, lang: str = "en") -> str:
        """Return what was printed, for reading."""
        fact = self.fact
        parts = []
        if fact.before is not None and fact.after is not None:
            parts.append(f"{format_number(fact.before)} → {fact.amount(fact.after, lang)}")
        if fact.printed_change is not None:
            sign = SIGNS.get(fact.qualifier, "")
            parts.append(sign + format_percent(fact.printed_change, None, lang, sign=True))
        if fact.value is not None:
            parts.append(SIGNS.get(fact.qualifier, "") + fact.amount(fact.value, lang))
        return ", ".join(parts) or fact.as_printed

    def change_text(self, lang: str = "en") -> str:
        """Return the recomputed change or value, points first where the unit is a rate or index.

        The relative change has the decimal places of the printed one, or one.
        """
        if self.recomputed is None and self.points is None:
            return ""
        if self.recomputed is not None and self.recomputed_change is None:
            return self.fact.amount(round_half_up(self.recomputed, 2), lang)
        printed = self.fact.printed_change
        decimals = 1 if printed is None else printed_decimals(printed)
        return format_change(self.recomputed, self.points, self.fact.unit.measure, decimals, lang)


@dataclass(frozen=True, slots=True)
class Audit:
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

    @property
    def counts(self) -> dict[str, int]:
        """How many facts have each verdict."""
        found = Counter(fact.verdict for fact in self.facts)
        return {verdict: found[verdict] for verdict in VERDICTS}

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
        """One row per fact, unrounded, with its verdict."""
        return self.as_table("en")

    def as_table(self, lang: str = "en") -> pd.DataFrame:
        """Return `table` with its texts in `lang`."""
        import pandas as pd

        return pd.DataFrame(self.to_dict(lang)["facts"])

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

    def changes(self, *names: str, lang: str = "en") -> pd.DataFrame:
        """Return facts with a before and an after in the form that `charts.before_after` draws.

        Parameters
        ----------
        *names : str
            Identifiers of the facts, in the order wanted.
        lang : {"en", "zh"}
            Language of the texts.

        Returns
        -------
        pandas.DataFrame
            ``indicator`` (with unit), ``before, after, change, better``.

        Raises
        ------
        KeyError
            If there is no such fact.

        Examples
        --------
        >>> from cxstats.cases import audit
        >>> audit().changes("F072")["change"].tolist()
        ['+36 points (+113 %)']
        """
        import pandas as pd

        rows = []
        for audited in map(self.fact, names):
            unit = audited.fact.unit.text.get(lang)
            name = audited.fact.name(lang)
            rows.append(
                {
                    "indicator": _with_unit(name, unit),
                    "before": _plain(audited.before),
                    "after": _plain(audited.after),
                    "change": audited.change_text(lang),
                    "better": audited.fact.better,
                }
            )
        return pd.DataFrame(rows)

    def to_dict(self, lang: str = "en") -> dict[str, list[dict[str, Any]]]:
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

    def summary(self, lang: str = "en") -> str:
        """Return the outcome in a few lines: the counts, then every figure that fails."""
        lines = [
            label(
                "audit.counts",
                lang,
                n=len(self.facts),
                agree=self.agree,
                disagree=self.disagree,
                unchecked=self.unchecked,
            )
        ]
        lines += [
            f"  {self.counts[verdict]:3d}  {label(f'verdict.{verdict}.long', lang)}"
            for verdict in VERDICTS
            if self.counts[verdict]
        ]
        lines += [
            f"  {audited.fact.id}  {audited.fact.name(lang)}: "
            f"{audited.published_text(lang)} - {audited.reason.get(lang)}"
            for audited in self.facts
            if audited.agrees is False
        ]
        if self.checks:
            outcomes = Counter(check.agrees for check in self.checks)
            lines.append(
                label(
                    "audit.checks",
                    lang,
                    n=len(self.checks),
                    agree=outcomes[True],
                    disagree=outcomes[False],
                    unchecked=outcomes[None],
                )
            )
        if self.formulas:
            statuses = Counter(formula.status for formula in self.formulas)
            counts = ", ".join(f"{n} {label(f'status.{s}', lang)}" for s, n in statuses.items())
            lines.append(label("audit.formulas", lang, n=len(self.formulas), counts=counts))
        if self.source_errors:
            lines.append(label("audit.source_errors", lang, n=len(self.source_errors)))
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, lang: str = "en") -> Axes:
        """Draw the verdicts, one bar per case study."""
        from cxstats.charts.audit_verdicts import verdicts

        return verdicts(self, ax=ax, lang=lang)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.summary())}</pre>"


def _with_unit(name: str, unit: str) -> str:
    """Return an indicator with its unit, unless its words end in or hold the unit already."""
    held = re.search(rf"(?<![a-z]){re.escape(unit)}(?![a-z])", name) if unit else True
    return name if held else f"{name} ({unit})"


def _plain(value: Decimal | None) -> float | int | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _fact_row(audited: AuditedFact, lang: str) -> dict[str, Any]:
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
        "better": fact.better,
        **{name: _plain(getattr(audited, name)) for name in numbers},
        "change": audited.change_text(lang),
        "agrees": audited.agrees,
        "verdict": audited.verdict,
        "reason": audited.reason.get(lang),
        "note": fact.note.get(lang),
    }


def _check_row(check: Check, lang: str) -> dict[str, Any]:
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
