"""Measurement invariance: whether the same answers mean the same in every group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, p_text
from cxstats.core.language import Text, both, label
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.models.fitted_model import listed
from cxstats.models.sem.fit import sem
from cxstats.models.sem.modification_indices import releases
from cxstats.models.sem.result import SemFit
from cxstats.stats.rules import RULES, verdict

if TYPE_CHECKING:
    import pandas as pd

STEPS = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}
# Of ordered answers: thresholds take the place of intercepts, and go with loadings in one step.
STEPS_ORDERED = {"configural": (), "thresholds": ("thresholds", "loadings")}


@dataclass(frozen=True, eq=False, repr=False)
class Invariance(Result):
    """A ladder of ever stricter equalities over groups.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per step: ``step, chisq, df, p_value, cfi, rmsea, rmsea_ci_low, rmsea_ci_high,
        srmr``, and against the step before ``d_chisq, d_df, d_p_value`` (scaled with a robust
        estimator), ``d_cfi, d_rmsea`` and ``verdict`` by `rule`.
    releases : pandas.DataFrame
        Per step and equal parameter: ``step, lhs, op, rhs, group, index``, how much chi-square
        would fall if that group were let go; the largest break invariance.
    means : pandas.DataFrame
        Latent means of the scalar model against the first group: ``variable, group, estimate, se,
        z, p_value, ci_low, ci_high, std``.
    fits : mapping of step to SemFit
    rule : str
        Name of the rule in `cxstats.stats.rules.RULES`.
    notes : tuple of Text
        What a reader must know of the rule or of the sample.
    """

    table: pd.DataFrame
    releases: pd.DataFrame
    means: pd.DataFrame
    fits: Mapping[str, SemFit]
    rule: str
    notes: tuple[Text, ...] = ()

    kinds: ClassVar[tuple[str, ...]] = ("rmsea",)
    reference: ClassVar[str] = (
        "Meredith (1993). Measurement invariance, factor analysis and factorial invariance. "
        "Psychometrika 58, 525-543. Cheung & Rensvold (2002). Evaluating goodness-of-fit indexes "
        "for testing measurement invariance. Structural Equation Modeling 9, 233-255."
    )

    @property
    def synthetic(self) -> bool:
        """Whether the respondents are simulated."""
        return next(iter(self.fits.values())).synthetic

    @property
    def reached(self) -> str:
        """The strictest step that holds, with all before it; "" if not even the first is sound."""
        reached = ""
        rows: Any = self.table.itertuples()
        for row in rows:
            good = row.verdict == verdict(0.0, "cfi_drop", self.rule).en
            if not (good or (row.step == "configural" and self.fits["configural"].sound)):
                break
            reached = str(row.step)
        return reached

    def findings(self, lang: str) -> list[str]:
        """Return the steps, what holds, and what breaks it."""
        rule = RULES[self.rule]
        cut = f"{rule.cuts[0]:g}".removeprefix("0")
        source = rule.source.partition(":")[0]  # what comes after is the cut, in English
        lines = [label("sem.invariance.head", lang, rule=source, cut=cut)]
        rows: Any = self.table.itertuples()
        lines += ["  " + self._step_line(row, lang) for row in rows]
        return [*lines, *self._breaks(lang)]

    def _step_line(self, row: Any, lang: str) -> str:
        line = label(
            "sem.invariance.step",
            lang,
            step=label(f"sem.invariance.{row.step}", lang),
            chisq=format_number(float(row.chisq), 2),
            df=int(row.df),
            cfi=f"{row.cfi:.3f}",
            rmsea=f"{row.rmsea:.3f}",
        )
        if np.isnan(row.d_chisq):
            return line
        return line + label(
            "sem.invariance.against",
            lang,
            chisq=format_number(float(row.d_chisq), 2),
            df=int(row.d_df),
            p=p_text(float(row.d_p_value)),
            cfi=format_number(float(row.d_cfi), 3, True),
            verdict=verdict(-float(row.d_cfi), "cfi_drop", self.rule).get(lang),
        )

    def _breaks(self, lang: str) -> list[str]:
        steps = list(self.table["step"])
        reached = self.reached
        if not reached or reached == steps[-1]:
            return []
        broken = steps[steps.index(reached) + 1]
        worst = self.releases[self.releases["step"] == broken].head(3)
        rows: Any = zip(*(worst[name] for name in ("lhs", "op", "rhs", "index")), strict=True)
        names = [f"{f'{lhs} {op} {rhs}'.strip()} ({index:.1f})" for lhs, op, rhs, index in rows]
        step = label(f"sem.invariance.{broken}", lang)
        joined = listed(names).get(lang)
        return [label("sem.invariance.breaks", lang, step=step, names=joined)] if names else []

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return RMSEA of the steps with its 90 % interval."""
        rows, configural = self.table, next(iter(self.fits.values()))
        names = [label(f"sem.invariance.{step}", lang) for step in rows["step"]]
        key = "sem.invariance.title" if self.reached else "sem.invariance.title.none"
        step = label(f"sem.invariance.{self.reached or 'configural'}", lang)
        limits = rows["rmsea_ci_low"], rows["rmsea_ci_high"]
        return Chart(
            "intervals",
            (names, rows["rmsea"], *limits),
            {
                "source": configural.source(lang),
                "axis": "RMSEA",
                "level": 0.90,
                "reference": RULES["browne_cudeck1992"].cuts[0],
                "decimals": 3,
                "synthetic": self.synthetic,
                "title": label(
                    key,
                    lang,
                    step=step,
                    low=f"{rows['rmsea'].min():.3f}",
                    high=f"{rows['rmsea'].max():.3f}",
                ),
            },
        )


@long_work("invariance")
def invariance(
    model: str,
    data: Any,
    group: str | None = None,
    *,
    rule: str = "cheung_rensvold2002",
    codebook: Any = None,
    **options: Any,
) -> Invariance:
    """Fit a model to groups under ever more equalities, and compare the steps.

    Configural: the same model in every group. Metric: equal loadings, needed to compare
    relations. Scalar: equal intercepts too, needed to compare means. Strict: equal residual
    variances too. With ``ordered=True``: configural, and then equal thresholds and loadings at
    once, needed to compare relations and means (Muthen & Asparouhov 2002); one without the other
    changes what the scales of the items mean. Steps are compared by the scaled and shifted
    difference of Satorra (2000). Latents are then scaled by their first item as ever, and the
    spread of each item is free in all groups but the first.

    Parameters
    ----------
    model, data, group
        As for `cx.sem`; groups come as a column or as a mapping of group to Moments.
    rule : str
        What counts as invariant: a rule for "cfi_drop" in `cxstats.stats.rules.RULES`.
    codebook : Codebook, mapping, path or name, optional
        As for `cx.sem`.
    **options
        Passed to `cx.sem`: ``estimator="mlr"``, ``missing="fiml"``, ``cluster="branch"`` ...

    Raises
    ------
    CxError, DataError
        If there are fewer than two groups, or a group cannot carry the model.

    References
    ----------
    Meredith (1993). Measurement invariance, factor analysis and factorial invariance.
    Psychometrika 58, 525-543. Cheung & Rensvold (2002). Evaluating goodness-of-fit indexes for
    testing measurement invariance. Structural Equation Modeling 9, 233-255. Muthen & Asparouhov
    (2002). Latent variable analysis with categorical outcomes: multiple-group and growth modeling
    in Mplus. Mplus web notes 4. Sass, Schmitt & Marsh (2014). Evaluating model fit with ordered
    categorical data within a measurement invariance framework. Structural Equation Modeling 21,
    167-180.
    """
    import pandas as pd

    verdict(0.0, "cfi_drop", rule)  # an unknown rule is refused before anything is fitted
    if "equal" in options or "std_lv" in options:
        raise CxError("invariance sets equal= itself, and scales latents by their first item")
    ordinal = options.get("ordered", False) is not False
    steps = STEPS_ORDERED if ordinal else STEPS
    if ordinal and group is None:
        raise CxError("invariance of ordered answers needs group=, the column of groups")
    means = None if ordinal else True
    fits = {
        step: sem(model, data, group=group, means=means, equal=equal, codebook=codebook, **options)
        for step, equal in steps.items()
    }
    configural = fits["configural"]
    if len(configural.sample.groups) < 2:
        raise CxError("one group only: invariance compares at least two (group=...)")
    rows, previous = [], None
    for step, fit in fits.items():
        rows.append(_row(step, fit, previous, rule))
        previous = fit
    tests = [
        (step, p.lhs, p.op, p.rhs, fit.sample.groups[p.group], index)
        for step, fit in fits.items()
        if fit.sound and not ordinal
        for p, index in releases(fit.likelihood, fit.optimum, fit.n, fit.scored)
    ]
    released = pd.DataFrame(tests, columns=["step", "lhs", "op", "rhs", "group", "index"])
    released["step"] = pd.Categorical(released["step"], list(steps))
    released = released.sort_values(["step", "index"], ascending=[True, False], ignore_index=True)
    released["step"] = released["step"].astype(str)
    means_of = fits["thresholds" if ordinal else "scalar"]
    ordered = (both("sem.invariance.ordered"),) if ordinal else ()
    notes = (*ordered, *configural.notes, *_notes(fits))
    return Invariance(pd.DataFrame(rows), released, _means(means_of), fits, rule, notes)


def _row(step: str, fit: SemFit, previous: SemFit | None, rule: str) -> dict[str, Any]:
    index = fit.fit_indices
    robust = fit.estimator != "ml"
    scaled = "_scaled" if robust else ""
    # The robust indices of ordered answers are not those of continuous ones.
    better = "_scaled" if fit.estimator == "wlsmv" else "_robust" if robust else ""
    row: dict[str, Any] = {
        "step": step,
        "chisq": index[f"chisq{scaled}"],
        "df": index["df"],
        "p_value": index[f"p_value{scaled}"],
        "cfi": index[f"cfi{better}"],
        "rmsea": index[f"rmsea{better}"],
        "rmsea_ci_low": index[f"rmsea{better}_ci_low"],
        "rmsea_ci_high": index[f"rmsea{better}_ci_high"],
        "srmr": index["srmr"],
    }
    comparable = previous is not None and previous.sound and fit.sound
    if previous is None or not comparable:
        missing = dict.fromkeys(("d_chisq", "d_df", "d_p_value", "d_cfi", "d_rmsea"), np.nan)
        return row | missing | {"verdict": ""}
    test = fit.compare(previous)
    drop = previous.fit_indices[f"cfi{better}"] - row["cfi"]
    return row | {
        "d_chisq": test.chisq,
        "d_df": test.df,
        "d_p_value": test.p_value,
        "d_cfi": -drop,
        "d_rmsea": row["rmsea"] - previous.fit_indices[f"rmsea{better}"],
        "verdict": verdict(drop, "cfi_drop", rule).en,
    }


def _notes(fits: Mapping[str, SemFit]) -> list[Text]:
    """Return whether the tests are scaled, and which steps have no sound solution."""
    notes = []
    estimator = next(iter(fits.values())).estimator
    if estimator != "ml":
        notes.append(both("sem.invariance.scaled", estimator=estimator.upper()))
    unsound = [both(f"sem.invariance.{step}") for step, fit in fits.items() if not fit.sound]
    if unsound:
        separator = both("sem.and")
        names = Text(
            separator.en.join(name.en for name in unsound),
            separator.zh.join(name.zh for name in unsound),
        )
        notes.append(both("sem.invariance.unsound", names=names))
    return notes


def _means(scalar: SemFit) -> pd.DataFrame:
    """Return the latent means of the later groups."""
    rows = scalar.table
    means = rows[(rows["op"] == "~1") & rows["lhs"].isin(scalar.model.latents) & rows["se"].notna()]
    columns = ["lhs", "group", "estimate", "se", "z", "p_value", "ci_low", "ci_high", "std"]
    return means[columns].rename(columns={"lhs": "variable"}).reset_index(drop=True)
