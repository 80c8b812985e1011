"""A tree of indicators against its targets, with verdicts that allow for noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import floor, isfinite, isnan, log10, nan
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_change, format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label, listed
from cxstats.core.messages import excerpt
from cxstats.core.result import Chart, Result
from cxstats.scorecards.indicators import Branch, Indicator, Tree, as_date, read_tree
from cxstats.scorecards.verdicts import (
    MET,
    MET_REPORTED,
    MISSED,
    MISSED_REPORTED,
    UNCLEAR,
    p_value,
    verdict,
)
from cxstats.stats.hypothesis_tests import adjust as adjusted_p
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

SHOWN = 20  # indicators in a summary; the table has them all
FEW = 30  # answers below which a normal interval is said to be rough
WEIGHED = (MET, UNCLEAR, MISSED)
NO_NAME = both("scorecard.no_branch")


@dataclass(frozen=True, eq=False, repr=False)
class Scorecard(Result):
    """Indicators against their targets.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per indicator: ``branch`` (the way to it), ``indicator, unit, direction, goal`` (the
        target), ``estimate, ci_low, ci_high, n`` (the value now), ``p_value`` ("the truth is the
        target"), ``p_adjusted`` (Holm's, if asked for), ``verdict``; ``base, difference,
        relative`` (change since a base); ``trend, trend_low, trend_high`` (change per wave);
        ``weight`` (within its branch, as written), ``owner, next_review, gaps``. Shares are from
        0 to 1. Verdicts: ``met, missed, unclear`` (cannot be told); ``met_as_reported,
        missed_as_reported`` (no noise is known: by the number alone); ``no_target, no_actual``.
    branches : pandas.DataFrame
        One row per branch, with the branches below it: ``branch, n`` and the number of each verdict
        ``n_met, n_unclear, n_missed, n_reported, n_unjudged``; ``met_share, unclear_share,
        missed_share``, by the weights, NaN without them. A last row for the whole.
    gaps : pandas.DataFrame
        One row per thing that is missing: ``branch, indicator, lack``.
    tree : Tree
        What was read.
    level, adjusted : float, str or None
        Level of intervals and verdicts; "holm" or None.
    as_of : date or None
        The day against which reviews are overdue.
    synthetic, notes
        As everywhere.
    """

    table: pd.DataFrame
    branches: pd.DataFrame
    gaps: pd.DataFrame
    tree: Tree
    level: float
    adjusted: str | None
    as_of: date | None
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {
        "verdict": "scorecard.verdict.{}",
        "gaps": "scorecard.gap.{}",
        "lack": "scorecard.gap.{}",
        "direction": "scorecard.direction.{}",
    }
    reference: ClassVar = (
        "Clopper & Pearson (1934). The use of confidence or fiducial limits illustrated in the "
        "case of the binomial. Biometrika 26, 404-413."
    )

    def title(self, lang: str | None = None) -> str:
        """Return the name of the scorecard."""
        return self.tree.title.get(lang) or label("title.Scorecard", lang)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Values against targets, and changes since a base, where there are such."""
        judged = self.table["estimate"].notna() & self.table["goal"].notna()
        kinds = ("targets",) if judged.any() else ()
        return kinds + (("changes",) if self._changed().any() else ())

    def why_not(self, kind: str) -> str:
        """Return what a chart lacks."""
        return label(f"scorecard.lacks.{kind}", "en") if kind in ("targets", "changes") else ""

    def _changed(self) -> pd.Series[bool]:
        """Return which rows can be drawn as a change: both values, not negative."""
        base, now = self.table["base"], self.table["estimate"]
        return base.notna() & now.notna() & (base >= 0) & (now >= 0)

    def indicators(self) -> list[tuple[tuple[Text, ...], Indicator]]:
        """Return the indicators in the order of the table, each with the names of its branches."""
        return list(_leaves(self.tree))

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with names in `lang`."""
        leaves = self.indicators()
        return self.table.assign(
            branch=[_path(path, lang) for path, _ in leaves],
            indicator=[leaf.name.get(lang) for _, leaf in leaves],
            unit=[leaf.unit.get(lang) for _, leaf in leaves],
            owner=[leaf.owner.get(lang) for _, leaf in leaves],
        )

    def translated(self, lang: str | None = None) -> dict[str, pd.DataFrame]:
        """Return the tables as people read them."""
        tables = super().translated(lang)
        leaves, paths = self.indicators(), [path for path, _ in self.tree.walk()]
        names = [*(_path(path, lang) for path in paths), label("scorecard.total", lang)]
        tables["branches"] = tables["branches"].assign(branch=names)
        places = self.gaps.index.to_numpy()
        tables["gaps"] = tables["gaps"].assign(
            branch=[_path(leaves[i][0], lang) for i in places],
            indicator=[leaves[i][1].name.get(lang) for i in places],
        )
        return tables

    def findings(self, lang: str) -> list[str]:
        """Return the verdicts, the value of each indicator, the weighted shares and the gaps."""
        times = Counter(self.table["verdict"])
        lines = [
            label(
                "scorecard.head", lang, title=self.title(lang), n=len(self.table),
                b=len(self.branches) - 1, met=times[MET], missed=times[MISSED],
                unclear=times[UNCLEAR], reported=times[MET_REPORTED] + times[MISSED_REPORTED],
                none=times["no_target"] + times["no_actual"],
            )
        ]  # fmt: skip
        for i in range(min(len(self.table), SHOWN)):
            lines.append("  " + self._line(i, lang))
        if len(self.table) > SHOWN:
            lines.append("  " + label("scorecard.more", lang, n=len(self.table) - SHOWN))
        total = self.branches.iloc[-1]
        if isfinite(total["met_share"]):
            shares = {
                name: format_percent(100 * total[f"{name}_share"], 0, lang) for name in WEIGHED
            }
            lines.append(label("scorecard.weighted", lang, **shares))
        missing = Counter(self.gaps["lack"])
        if missing:
            names = listed(both(f"scorecard.gap.count.{gap}", n=n) for gap, n in missing.items())
            lines.append(label("scorecard.gaps", lang, names=names.get(lang)))
        return lines

    def _line(self, i: int, lang: str) -> str:
        path, leaf = self.indicators()[i]
        row = self.table.iloc[i]
        name = label("scorecard.name", lang, branch=_path(path, lang), name=leaf.name.get(lang))
        outcome = label(f"scorecard.verdict.{row['verdict']}", lang)
        values = {"name": name, "verdict": outcome, "value": value_text(leaf, lang)}
        if isfinite(leaf.target) and row["verdict"] != "no_actual":
            sign = "≥" if leaf.direction == "higher" else "≤"
            values["target"] = f"{sign} {number_text(leaf.target, leaf, lang)}"
            line = label("scorecard.row", lang, **values)
        else:
            key = "none" if row["verdict"] == "no_actual" else "value"
            line = label(f"scorecard.row.{key}", lang, **values)
        if isfinite(row["base"]) and isfinite(row["estimate"]):
            base = number_text(leaf.base, leaf, lang)
            line += label("scorecard.since", lang, base=base, change=change_text(leaf, lang))
        return line

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return values against targets, or changes since the base."""
        leaves = self.indicators()
        source = self.tree.source.get(lang) or label("scorecard.source", lang)
        common = {"source": source, "synthetic": self.synthetic}
        if kind == "changes":
            import pandas as pd

            rows = [leaves[i][1] for i in np.flatnonzero(self._changed())]
            frame = pd.DataFrame({
                "indicator": [_with_unit(leaf, lang) for leaf in rows],
                "before": [_shown(leaf.base, leaf) for leaf in rows],
                "after": [_shown(leaf.measured.estimate, leaf) for leaf in rows],
                "change": [change_text(leaf, lang) for leaf in rows],
                "better": ["up" if leaf.direction == "higher" else "down" for leaf in rows],
                # An NPS has no origin at 0.
                "lowest": [-100.0 if leaf.kind == "index" else np.nan for leaf in rows],
                "highest": [100.0 if leaf.kind == "index" else np.nan for leaf in rows],
            })  # fmt: skip
            return Chart("before_after", (frame,), common)
        return Chart("target_bars", (self,), {})


def scorecard(
    tree: Any,
    *,
    level: float = 0.95,
    adjust: str | None = None,
    as_of: date | str | None = None,
) -> Scorecard:
    """Compare indicators with their targets, and say which verdicts noise allows.

    An indicator is met or missed when its value differs from the target by more than noise
    explains: two-sided ``p < 1 - level`` for "the truth is the target", which is the same as the
    target being outside the interval. In between it cannot be told. So with the truth at the target
    at most ``1 - level`` of all verdicts are met or missed. A value without known noise is judged
    by the number alone, "as reported", and is never counted with the others.

    Parameters
    ----------
    tree : str, path, mapping or table
        The name of a scorecard that ships (``"bank_results"``, ``"innovation_kpis"``,
        ``"synthetic_service_team"``), a YAML, CSV or Excel file, the same as a mapping, or a table
        with a row per indicator. A tree has ``branches``, each with a ``name``, a ``weight``,
        ``indicators`` and ``branches`` below it. An indicator has ``name, unit, direction``
        ("higher" or "lower" is better), ``target, base, weight, owner, next_review``, and its value
        in one of these ways:

        - ``events`` and ``trials``: a share, Clopper and Pearson's interval; its target is from 0
          to 1;
        - ``promoters, passives, detractors``: the NPS, the interval of `cxstats.nps_from_counts`
          with half a step of the score added at either end;
        - ``actual`` with ``low`` and ``high`` (at `level`), with ``se`` (Student's t with ``n``,
          else normal), with ``sd`` and ``n``, or alone (as reported);
        - ``result``: a result of cxstats with one row, or a `Track`, of which the last wave counts;
        - ``fact``: a published quantity, its value before being the base.

        In a table the branch stands in ``branch`` (and ``branch_weight``), the name in
        ``indicator``.
    level : float
        Of intervals and verdicts.
    adjust : {"holm"}, optional
        Holm's p values over all indicators with a known noise, so that the chance of any wrong
        verdict is at most ``1 - level``; without it, the notes say how many wrong ones to expect.
    as_of : date, optional
        The day against which reviews are overdue; without it, the ``date`` of the tree.

    Returns
    -------
    Scorecard

    Raises
    ------
    DataError
        With every problem of the tree: place, key, value and what is allowed.
    CxError
        If an option is wrong.

    Notes
    -----
    With the truth at the target, met or missed in (shares exactly, the others of 10,000 simulated
    indicators, the worst of three mixes of answers for the NPS):

    ======  ==========  ==============  ====
    n       share .85   mean (normal)   NPS
    ======  ==========  ==============  ====
    30      .017        .051            .033
    100     .034        .047            .045
    400     .042        .049            .053
    ======  ==========  ==============  ====

    A result that is a share or an NPS of unweighted answers is judged by its counts, as counts are
    here; every other interval is taken at its word.
    Means of very skewed values need more answers.

    Examples
    --------
    >>> result = scorecard({"branches": [{"name": "service", "indicators": [
    ...     {"name": "solved", "target": 0.7, "events": 45, "trials": 50},
    ...     {"name": "waiting", "unit": "min", "direction": "lower", "target": 5, "actual": 5.2,
    ...      "se": 0.3},
    ... ]}]})
    >>> result.table["verdict"].tolist()
    ['met', 'unclear']
    >>> scorecard("bank_results").table["verdict"].unique().tolist()
    ['no_target']
    """
    import pandas as pd

    check_level(level)
    if adjust not in (None, "holm"):
        raise CxError(f"adjust={adjust!r}; allowed: None, 'holm'")
    day = as_date(as_of)
    if as_of is not None and day is None:
        raise CxError(f"as_of={excerpt(as_of)}; allowed: a day, such as '2026-12-31'")
    content = read_tree(tree, level)
    day = day or content.date
    leaves = list(_leaves(content))
    p = np.array([p_value(leaf.measured, leaf.target, level) if isfinite(leaf.target) else nan
                  for _, leaf in leaves])  # fmt: skip
    judged = adjusted_p(p) if adjust else p
    verdicts = [
        verdict(leaf.measured, leaf.target, leaf.direction, value, level)
        for (_, leaf), value in zip(leaves, judged, strict=True)
    ]
    gaps = [_gaps(leaf, day, _weighs(path, content)) for path, leaf in leaves]
    table = pd.DataFrame({
        "branch": [_path(path, "en") for path, _ in leaves],
        "indicator": [leaf.name.en for _, leaf in leaves],
        "unit": [leaf.unit.en for _, leaf in leaves],
        "direction": [leaf.direction for _, leaf in leaves],
        "goal": [leaf.target for _, leaf in leaves],
        "estimate": [leaf.measured.estimate for _, leaf in leaves],
        "ci_low": [leaf.measured.low for _, leaf in leaves],
        "ci_high": [leaf.measured.high for _, leaf in leaves],
        "n": [leaf.measured.n for _, leaf in leaves],
        "p_value": p,
        **({"p_adjusted": judged} if adjust else {}),
        "verdict": verdicts,
        "base": [leaf.base for _, leaf in leaves],
        "difference": [leaf.measured.estimate - leaf.base for _, leaf in leaves],
        "relative": [_relative(leaf) for _, leaf in leaves],
        "trend": [leaf.trend[0] for _, leaf in leaves],
        "trend_low": [leaf.trend[1] for _, leaf in leaves],
        "trend_high": [leaf.trend[2] for _, leaf in leaves],
        "weight": [leaf.weight for _, leaf in leaves],
        "owner": [leaf.owner.en for _, leaf in leaves],
        "next_review": [leaf.next_review.isoformat() if leaf.next_review else ""
                        for _, leaf in leaves],
        "gaps": ["; ".join(codes) for codes in gaps],
    })  # fmt: skip
    missing = [(i, gap) for i, codes in enumerate(gaps) for gap in codes]
    places = [i for i, _ in missing]
    return Scorecard(
        table=table,
        branches=_branch_table(content, iter(verdicts)),
        gaps=table.iloc[places][["branch", "indicator"]].assign(lack=[gap for _, gap in missing]),
        tree=content,
        level=level,
        adjusted=adjust,
        as_of=day,
        synthetic=content.synthetic or _any_synthetic(tree),
        notes=_notes([leaf for _, leaf in leaves], p, verdicts, adjust, level, day),
    )


def _leaves(tree: Tree) -> list[tuple[tuple[Text, ...], Indicator]]:
    return [(path, leaf) for path, branch in tree.walk() for leaf in branch.indicators]


def _any_synthetic(tree: Any) -> bool:
    """Return whether a result or a table in it says that its data are simulated."""
    if isinstance(tree, Mapping):
        return any(map(_any_synthetic, tree.values()))
    if isinstance(tree, list | tuple):
        return any(map(_any_synthetic, tree))
    attrs = getattr(tree, "attrs", None)
    marked = isinstance(attrs, Mapping) and bool(attrs.get("synthetic"))
    return marked or getattr(tree, "synthetic", False) is True


def _path(path: tuple[Text, ...], lang: str | None) -> str:
    return " > ".join((name if name.en else NO_NAME).get(lang) for name in path)


def _weighs(path: tuple[Text, ...], tree: Tree) -> bool:
    """Return whether another indicator of the branch has a weight."""
    branch = next(branch for other, branch in tree.walk() if other == path)
    return any(isfinite(leaf.weight) for leaf in branch.indicators)


def _gaps(leaf: Indicator, day: date | None, weighs: bool) -> list[str]:
    """Return the codes of what an indicator lacks."""
    lacks = {
        "no_target": isnan(leaf.target),
        "no_actual": isnan(leaf.measured.estimate),
        "no_noise": isfinite(leaf.measured.estimate) and not leaf.measured.has_interval,
        "no_owner": not leaf.owner.en.strip(),
        "no_review": leaf.next_review is None,
        "overdue": day is not None and leaf.next_review is not None and leaf.next_review < day,
        "no_weight": weighs and isnan(leaf.weight),
    }
    return [code for code, holds in lacks.items() if holds]


def _relative(leaf: Indicator) -> float:
    """Return the change as a share of the base; NaN of an index, and of a base of 0 or below."""
    base = leaf.base
    if isnan(base) or base <= 0:
        return nan
    return (leaf.measured.estimate - base) / base


def _branch_table(tree: Tree, verdicts: Any) -> pd.DataFrame:
    """Return verdicts by branch, with those of the branches below it."""
    import pandas as pd

    rows: list[dict[str, Any]] = []

    def add(branch: Branch, path: tuple[Text, ...]) -> tuple[Counter[str], NDArray[np.float64]]:
        path = (*path, branch.name)
        row: dict[str, Any] = {}
        rows.append(row)
        counts: Counter[str] = Counter()
        parts: list[tuple[float, NDArray[np.float64]]] = []
        for leaf in branch.indicators:
            outcome = next(verdicts)
            counts[outcome] += 1
            parts.append((leaf.weight, _shares_of(outcome)))
        for below in branch.branches:
            lower, shares = add(below, path)
            counts += lower
            parts.append((below.weight, shares))
        shares = _weighted(parts)
        row.update(branch=_path(path, "en"), **_counted(counts), **_named(shares))
        return counts, shares

    outcomes = [(branch.weight, *add(branch, ())) for branch in tree.branches]
    total: Counter[str] = sum((counts for _, counts, _ in outcomes), Counter())
    shares = _weighted([(weight, part) for weight, _, part in outcomes])
    rows.append({"branch": label("scorecard.total", "en"), **_counted(total), **_named(shares)})
    return pd.DataFrame(rows)


def _shares_of(outcome: str) -> NDArray[np.float64]:
    """Return 1 at the verdict; NaN of a verdict without known noise, which is not mixed in."""
    if outcome not in WEIGHED:
        return np.full(len(WEIGHED), nan)
    return np.array([float(outcome == name) for name in WEIGHED])


def _weighted(parts: list[tuple[float, NDArray[np.float64]]]) -> NDArray[np.float64]:
    """Return shares of weights by verdict; NaN where a weight is missing.

    Parts without a verdict that allows for noise are left out, and the weights of the others
    scaled to sum to 1.
    """
    weights = np.array([weight for weight, _ in parts])
    if not len(parts) or np.isnan(weights).any():
        return np.full(len(WEIGHED), nan)
    shares = np.array([share for _, share in parts])
    judged = np.isfinite(shares[:, 0])
    total = weights[judged].sum()
    if not total > 0:
        return np.full(len(WEIGHED), nan)
    return np.asarray(weights[judged] @ shares[judged] / total)


def _counted(counts: Counter[str]) -> dict[str, int]:
    return {
        "n": counts.total(),
        **{f"n_{name}": counts[name] for name in WEIGHED},
        "n_reported": counts[MET_REPORTED] + counts[MISSED_REPORTED],
        "n_unjudged": counts["no_target"] + counts["no_actual"],
    }


def _named(shares: NDArray[np.float64]) -> dict[str, float]:
    return {f"{name}_share": float(share) for name, share in zip(WEIGHED, shares, strict=True)}


def _notes(
    leaves: list[Indicator], p: NDArray[np.float64], verdicts: list[str], adjust: str | None,
    level: float, day: date | None,
) -> tuple[Text, ...]:  # fmt: skip
    notes = []
    k = int(np.isfinite(p).sum())
    alpha = 1 - level
    if k and adjust:
        share = _per_cent(alpha)
        notes.append(both("scorecard.note.holm", k=k, share=share))
    elif k > 1:
        notes.append(
            both("scorecard.note.several", k=k, wrong=f"{k * alpha:.2f}", share=_per_cent(alpha))
        )
    if MET_REPORTED in verdicts or MISSED_REPORTED in verdicts:
        notes.append(both("scorecard.note.reported"))
    rough = [
        leaf.name for leaf in leaves
        if leaf.measured.method == "t" and leaf.measured.n < FEW
    ]  # fmt: skip
    if rough:
        notes.append(both("scorecard.note.few", names=listed(rough[:5]), n=FEW))
    without_n = [leaf.name for leaf in leaves if leaf.measured.method == "normal"]
    if without_n:
        notes.append(both("scorecard.note.normal", names=listed(without_n[:5])))
    has_weights = any(isfinite(leaf.weight) for leaf in leaves)
    if has_weights and any(v not in WEIGHED for v in verdicts):
        notes.append(both("scorecard.note.left_out"))
    if day is None and any(leaf.next_review for leaf in leaves):
        notes.append(both("scorecard.note.no_date"))
    return tuple(notes)


def _per_cent(share: float) -> Text:
    return Text(format_percent(100 * share, None, "en"), format_percent(100 * share, None, "zh"))


def _shown(value: float, leaf: Indicator) -> float:
    return 100 * value if leaf.is_share else value


def _decimals(value: float) -> int:
    """Return decimals that show three digits, at most three."""
    return 0 if value == 0 else int(np.clip(2 - floor(log10(abs(value))), 0, 3))


def number_text(value: float, leaf: Indicator, lang: str) -> str:
    """Return a number of an indicator with its unit; shares in per cent.

    Examples
    --------
    >>> from cxstats.scorecards.indicators import read_tree
    >>> tree = {"branches": [{"name": "a", "indicators": [{"name": "x", "unit": "min"}]}]}
    >>> number_text(5.25, read_tree(tree, 0.95).branches[0].indicators[0], "en")
    '5.25 min'
    """
    if leaf.is_share:
        return format_percent(100 * value, max(0, min(_decimals(100 * value), 2)) or 1, lang)
    unit, rounded = leaf.unit.get(lang), round(value, _decimals(value))
    if unit == "%":
        return format_percent(rounded, None, lang)
    return f"{format_number(rounded)} {unit}".strip()


def value_text(leaf: Indicator, lang: str) -> str:
    """Return the value of an indicator, with its interval where there is one."""
    measured = leaf.measured
    text = number_text(measured.estimate, leaf, lang) if isfinite(measured.estimate) else "–"
    if not measured.has_interval:
        return text
    low, high = _shown(measured.low, leaf), _shown(measured.high, leaf)
    decimals = max(_decimals(_shown(measured.estimate, leaf)), _decimals(high - low) - 1)
    return f"{text} {interval_text(low, high, decimals)}"


def change_text(leaf: Indicator, lang: str) -> str:
    """Return the change since the base; points first for rates and indices."""
    base, now = (Decimal(f"{_shown(x, leaf):.12g}") for x in (leaf.base, leaf.measured.estimate))
    relative = 100 * (now - base) / base if base > 0 else None
    return format_change(relative, now - base, leaf.kind, 1, lang)


def _with_unit(leaf: Indicator, lang: str) -> str:
    unit = "%" if leaf.is_share else leaf.unit.get(lang)
    return f"{leaf.name.get(lang)} ({unit})" if unit else leaf.name.get(lang)
