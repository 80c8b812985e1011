"""A second opinion: the same model and data through semopy, difference by difference."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, MissingToolError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both, label
from cxstats.core.progress import long_work, quiet_linear_algebra
from cxstats.core.result import Result
from cxstats.models.fitted_model import problem_lines
from cxstats.models.sem.standard_errors import covariance_of_estimates, delta_errors

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.sem.model import Model
    from cxstats.models.sem.result import SemFit

    Array = NDArray[np.float64]

# Where semopy's search stops, as a change of F: an estimate d standard errors off costs d^2 of
# chi-square = n F, so about sqrt(n ftol) standard errors are left. Measured on the four models of
# the tests: 5e-6, and a hundredth with its default of 1e-6.
FTOL = 1e-13
# Below this, a difference is where two searches stopped; its digits are those of the machine.
NOISE = 1e-5
# What still counts as the same: a thousandth of a standard error moves no printed digit that
# means anything; of chi-square, .001 is the third decimal.
SAME_ESTIMATE, SAME_ERROR, SAME_CHISQ = 1e-3, 1e-3, 1e-3
COLUMNS = (
    "lhs", "op", "rhs", "estimate", "semopy", "difference", "se", "semopy_se", "se_difference",
)  # fmt: skip
# A variance this small lies on semopy's bound at zero.
AT_BOUND = 1e-6


def _seen(value: float) -> str:
    return f"{value:.1e}" if value >= NOISE else f"{NOISE:.0e}"


@dataclass(frozen=True, eq=False, repr=False)
class SecondOpinion(Result):
    """What semopy makes of a model that cxstats has fitted; differences are semopy less cxstats.

    Attributes
    ----------
    table : pandas.DataFrame
        A row per parameter that semopy estimates: ``lhs, op, rhs, estimate, semopy, difference,
        se, semopy_se, se_difference``. Ours are NaN where cxstats finds no usable solution.
    indices : pandas.DataFrame
        ``index, cxstats, semopy, difference`` of chi-square and df; of CFI, TLI and RMSEA where
        both programs mean the same by them.
    converged : bool
        Whether semopy reports success. It does so on models without a solution too.
    syntax : str
        The model as it was given to semopy, every default written out.
    version : str
        Of semopy.
    fit : SemFit
        Ours.
    notes : tuple of Text
        What semopy does differently, in both languages.
    """

    table: pd.DataFrame
    indices: pd.DataFrame
    converged: bool
    syntax: str
    version: str
    fit: SemFit
    notes: tuple[Text, ...]

    reference: ClassVar[str] = (
        "Meshcheryakov, Igolkina & Samsonova (2021). semopy 2: a structural equation modeling "
        "package with random effects in Python. arXiv 2106.01140."
    )

    @property
    def synthetic(self) -> bool:
        """Whether the respondents are simulated."""
        return self.fit.synthetic

    @property
    def agrees(self) -> bool:
        """Whether both give the same numbers; False where cxstats has none to compare.

        Estimates within a thousandth of a standard error, standard errors within a thousandth,
        chi-square within .001.
        """
        rows = self.table
        unit = rows["se"].fillna(1.0)
        estimates = (rows["difference"].abs() <= SAME_ESTIMATE * unit).all()
        errors = (rows["se_difference"].abs() <= SAME_ERROR * rows["se"]) | (
            rows["se"].isna() & rows["semopy_se"].isna()
        )
        return bool(estimates and errors.all() and abs(self._index("difference")) <= SAME_CHISQ)

    def _index(self, column: str, index: str = "chisq") -> float:
        return float(self.indices.loc[self.indices["index"] == index, column].to_numpy(float)[0])

    def findings(self, lang: str) -> list[str]:
        """Return what was compared, and how far apart it is."""
        head = label(
            "sem.opinion.head",
            lang,
            version=self.version,
            n=format_number(self.fit.n),
            q=int(self.fit.fit_indices["n_parameters"]),
            reports=label(f"sem.opinion.{'success' if self.converged else 'failure'}", lang),
        )
        return [head, *(self._differences(lang) if self.fit.sound else self._claims(lang))]

    def _differences(self, lang: str) -> list[str]:
        rows, lines = self.table, []
        for statistic, column in (("estimates", "difference"), ("errors", "se_difference")):
            share = (rows[column] / rows["se"]).abs().fillna(-1.0).to_numpy(float)
            at = rows.iloc[int(share.argmax())]
            name = f"{at['lhs']} {at['op']} {at['rhs']}"
            value = f"{abs(at[column]):.1e}"
            far = share.max() >= NOISE
            where = label("sem.opinion.where", lang, name=name, value=value) if far else ""
            lines.append(
                label(f"sem.opinion.{statistic}", lang, share=_seen(share.max()), where=where)
            )
        lines.append(
            label(
                "sem.opinion.chisq",
                lang,
                df=format_number(self._index("cxstats", "df")),
                other_df=format_number(self._index("semopy", "df")),
                ours=f"{self._index('cxstats'):.3f}",
                theirs=f"{self._index('semopy'):.3f}",
                value=_seen(abs(self._index("difference"))),
            )
        )
        return [*lines, label(f"sem.opinion.{'agrees' if self.agrees else 'differs'}", lang)]

    def _claims(self, lang: str) -> list[str]:
        fatal = [problem for problem in self.fit.problems if problem.fatal]
        claims = label(
            "sem.opinion.claims",
            lang,
            chisq=f"{self._index('semopy'):.3f}",
            se=f"{self.table['semopy_se'].max():.3g}",
        )
        return [*problem_lines(fatal, lang), claims]


@long_work("second opinion")
def second_opinion(fit: SemFit) -> SecondOpinion:
    """Fit the same model to the same data with semopy, an independent program, and compare.

    The model is rebuilt from its parameters with every default written out, so that semopy adds
    none of its own; equal labels stay equal. semopy minimises the same function, with divisor n,
    from starting values of its own. What it prints and warns is silenced.

    Parameters
    ----------
    fit : SemFit
        Of one group, without means, equations or bounds. It may be without a solution: our
        numbers are NaN then, and semopy's are shown for what they are.

    Returns
    -------
    SecondOpinion
        With ``.table``, ``.indices``, ``.converged``, ``.agrees``, ``.notes``.

    Raises
    ------
    MissingToolError
        If semopy cannot be imported.
    CxError
        If semopy cannot express the model, or stops with an error.

    References
    ----------
    Meshcheryakov, Igolkina & Samsonova (2021). semopy 2: a structural equation modeling package
    with random effects in Python. arXiv 2106.01140.
    """
    _require_expressible(fit)
    syntax, starts = _syntax(fit), _starts(fit)
    with _quiet(), quiet_linear_algebra():
        semopy = _semopy()
        try:
            theirs = _refit(semopy, fit, syntax, starts)
        except Exception as error:
            why = str(error) or type(error).__name__
            raise CxError(f"semopy could not fit: {' '.join(why.split())}") from error
    return SecondOpinion(
        table=_table(fit, theirs),
        indices=_indices(fit, theirs),
        converged=theirs.converged,
        notes=tuple(_notes(fit, theirs, starts)),
        syntax=syntax,
        version=str(semopy.__version__),
        fit=fit,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Refit:
    """semopy's numbers.

    Attributes
    ----------
    values, errors : dict of name to float
        Of the parameters that it estimates.
    converged : bool
        Its own word.
    chisq, df, cfi, tli, rmsea, baseline_df : float
        Its indices; those of AIC, BIC, GFI and log-likelihood are wrong and not read.
    pseudo : bool
        Whether its information matrix had no inverse.
    """

    values: dict[str, float]
    errors: dict[str, float]
    converged: bool
    chisq: float
    df: float
    cfi: float
    tli: float
    rmsea: float
    baseline_df: float
    pseudo: bool


def _semopy() -> Any:
    try:
        return import_module("semopy")
    except Exception as error:
        raise MissingToolError(
            f"a second opinion needs semopy, which cannot be imported ({error}): pip install semopy"
        ) from error


def _require_expressible(fit: SemFit) -> None:
    """Raise if semopy cannot express the model."""
    model = fit.model
    arrows = {n for p in model.one_group if p.op in ("=~", "~") for n in (p.lhs, p.rhs)}
    alone = [n for n in model.observed if n not in arrows]
    reasons = {
        "ordered answers": fit.estimator == "wlsmv",
        "a sampling design (weights, clusters, strata)": fit.sample.cases is not None,
        "several groups at once": model.n_groups > 1,
        "intercepts and means next to latents": model.means,
        "equations (==), whose standard errors it would compute as if there were none": any(
            c.op == "==" for c in model.constraints
        ),
        "bounds (< >), whose standard errors it would compute as if there were none": any(
            c.op != "==" for c in model.constraints
        ),
        f"variables without any arrow ({', '.join(alone)})": bool(alone),
    }
    for reason, holds in reasons.items():
        if holds:
            raise CxError(f"no second opinion: semopy cannot express {reason}")


def _names(fit: SemFit) -> list[str]:
    """Return semopy's name of every parameter: one name for equal ones, none for fixed ones."""
    names = []
    for p, row in zip(fit.model.parameters, fit.likelihood.reduction.matrix, strict=True):
        place = np.flatnonzero(row)
        names.append(f"p{place[0]}" if len(place) and not p.exogenous else "")
    return names


def _syntax(fit: SemFit) -> str:
    """Return the model in semopy's syntax, with nothing left for semopy to add.

    ``START`` fixes moments of observed predictors at the sample's. semopy leaves the residual of
    a variable that explains nothing out of its path matrix, and can then not covary it with one
    inside: a path of zero brings it in.
    """
    model, names = fit.model, _names(fit)
    offset = fit.likelihood.reduction.offset
    lines = []
    for i, p in enumerate(model.parameters):
        value = "START" if p.exogenous else names[i] or repr(float(offset[i]))
        lines.append(f"{p.lhs} {p.op} {value}*{p.rhs}")
    written = {frozenset((p.lhs, p.rhs)) for p in model.parameters if p.op == "~~"}
    outside = [n for n in model.observed if n not in model.endogenous]
    lines += [f"{a} ~~ 0.0*{b}" for a, b in combinations(outside, 2) if {a, b} not in written]
    return "\n".join([*lines, *_brought_in(model)])


def _brought_in(model: Model) -> Iterator[str]:
    senders = {p.lhs if p.op == "=~" else p.rhs for p in model.parameters if p.op in ("=~", "~")}
    ends = {n for n in model.endogenous if n not in senders}
    for p in model.parameters:
        if p.op == "~~" and (p.lhs in ends) != (p.rhs in ends):
            inner, end = (p.rhs, p.lhs) if p.lhs in ends else (p.lhs, p.rhs)
            yield f"{inner} ~ 0.0*{end}"


def _starts(fit: SemFit) -> dict[str, float]:
    """Return the starting values that are not semopy's own.

    The user's; and, where a latent has no fixed loading, those of cxstats for every loading and
    path: semopy 2.3.11 looks for the marker of such a latent without end (``start_lambda``).
    """
    model, starts = fit.model, {}
    marked = {p.lhs for p in model.parameters if p.op == "=~" and p.fixed is not None}
    endless = not marked.issuperset(model.latents)
    for p, name in zip(model.parameters, _names(fit), strict=True):
        if name and p.start is not None:
            starts[name] = float(p.start)
        elif name and endless and p.op in ("=~", "~"):
            starts.setdefault(name, float(fit.start[int(name[1:])]))
    return starts


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what semopy prints, warns and logs, and leave no trace of that."""
    root, handler = logging.getLogger(), logging.NullHandler()

    def from_elsewhere(record: logging.LogRecord) -> bool:
        return "semopy" not in record.pathname

    # Without a handler, the first message to the root logger would install one for good.
    root.addHandler(handler)
    root.addFilter(from_elsewhere)
    try:
        with (
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
            redirect_stdout(io.StringIO()),
            redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeFilter(from_elsewhere)
        root.removeHandler(handler)


def _refit(semopy: Any, fit: SemFit, syntax: str, starts: dict[str, float]) -> Refit:
    import pandas as pd

    names = list(fit.sample.observed)
    model = semopy.Model(syntax, cov_diag=True)
    for name, start in starts.items():
        model.parameters[name].start = start
    if fit.sample.frame is None:
        cov = pd.DataFrame(fit.sample.cov[0], index=names, columns=names)
        data = {"cov": cov, "n_samples": fit.n}
    else:
        data = {"data": pd.DataFrame(fit.sample.matrices()[0], columns=names)}
    result = model.fit(**data, obj="MLW", solver="SLSQP", options={"ftol": FTOL})
    baseline = semopy.stats.get_baseline_model(model)
    baseline.fit(obj="MLW", solver="SLSQP", options={"ftol": FTOL})
    df, chisq = semopy.stats.calc_dof(model), semopy.stats.calc_chi2(model)[0]
    base = (semopy.stats.calc_dof(baseline), semopy.stats.calc_chi2(baseline)[0])
    free = [name for name, parameter in model.parameters.items() if parameter.active]
    try:
        errors = np.array(semopy.stats.calc_se(model, information=fit.information), float)
    except np.linalg.LinAlgError:
        errors = np.full(len(free), np.nan)
    return Refit(
        values=dict(zip(free, map(float, model.param_vals), strict=True)),
        errors=dict(zip(free, errors, strict=True)),
        converged=bool(result.success),
        chisq=float(chisq),
        df=float(df),
        cfi=float(semopy.stats.calc_cfi(model, df, chisq, *base)),
        tli=float(semopy.stats.calc_tli(model, df, chisq, *base)),
        rmsea=float(semopy.stats.calc_rmsea(model, chisq, df)) if df else 0.0,
        baseline_df=float(base[0]),
        pseudo=bool(getattr(model, "_fim_warn", False)) or bool(np.isnan(errors).any()),
    )


def _table(fit: SemFit, theirs: Refit) -> pd.DataFrame:
    names = _names(fit)
    rows = [i for i, name in enumerate(names) if name]
    table = fit.table.iloc[rows][["lhs", "op", "rhs", "estimate", "se"]].reset_index(drop=True)
    if fit.sample.correlations:  # semopy takes them for covariances
        observed = fit.information == "observed"
        covariance = covariance_of_estimates(fit.likelihood, fit.optimum, fit.n, observed)
        table["se"] = delta_errors(fit.optimum.point, covariance)[rows]
    values = np.array([theirs.values[names[i]] for i in rows], float)
    errors = np.array([theirs.errors[names[i]] for i in rows], float)
    table = table.assign(
        semopy=values,
        difference=values - table["estimate"],
        semopy_se=errors,
        se_difference=errors - table["se"],
    )
    return table[[*COLUMNS]]


def _indices(fit: SemFit, theirs: Refit) -> pd.DataFrame:
    """Return the indices that mean the same: CFI and TLI need the same baseline."""
    import pandas as pd

    ours = fit.fit_indices
    names = ["chisq", "df"]
    if theirs.df == ours["df"]:
        names += ["cfi", "tli"] * (theirs.baseline_df == ours["baseline_df"]) + ["rmsea"]
    frame = pd.DataFrame(
        [(name, float(ours[name]), getattr(theirs, name)) for name in names],
        columns=["index", "cxstats", "semopy"],
    )
    return frame.assign(difference=frame["semopy"] - frame["cxstats"])


def _notes(fit: SemFit, theirs: Refit, starts: dict[str, float]) -> Iterator[Text]:
    """Yield what semopy does differently, as far as it bears on this model."""
    pairs = zip(fit.model.parameters, _names(fit), strict=True)
    variances = {name for p, name in pairs if p.lhs == p.rhs and name}
    ours = fit.fit_indices
    fixed_x = any(p.exogenous for p in fit.model.parameters)
    rmsea = theirs.df == ours["df"] > 0
    notes = {
        "loglik": True,
        "search": True,
        "rmsea": rmsea,
        "given": fixed_x and theirs.df != ours["df"],
        "baseline": not fixed_x and theirs.baseline_df != ours["baseline_df"],
        "start": bool(starts),
        "bound": any(theirs.values[name] < AT_BOUND for name in variances),
        "pseudo": theirs.pseudo,
    }
    for key, holds in notes.items():
        if holds:
            yield both(f"sem.opinion.note.{key}", ftol=f"{FTOL:.0e}")
