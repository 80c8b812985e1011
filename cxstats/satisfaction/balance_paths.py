"""The balance of satisfaction and loyalty as a path model: formula A01 read with data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt, listing
from cxstats.core.result import Chart
from cxstats.models.pls.fit import pls
from cxstats.models.pls.result import PlsFit
from cxstats.satisfaction.result import FormulaResult, intervals_chart, survey_source
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.survey.codebook import Codebook

ROLES = ("expected", "perceived", "satisfaction", "commitment", "loyalty")


@dataclass(frozen=True, eq=False, repr=False)
class BalancePaths(FormulaResult):
    """How satisfaction carries expectation and perception on to loyalty.

    Attributes
    ----------
    table : pandas.DataFrame
        ``effect`` ("path", "indirect" through satisfaction, "direct" beside it, "total"), ``lhs,
        rhs``, standardised ``estimate, se, ci_low, ci_high``, ``n``.
    constructs : mapping of str to str
        Which construct was taken for TE (expected), PE (perceived), CSAT (satisfaction), CE
        (commitment) and CL (loyalty).
    mediated : mapping of str to str
        Of expected and perceived: "full" (an indirect effect, no direct one), "complementary",
        "competitive" (both, of opposite signs), "direct" or "none" (Zhao, Lynch & Chen 2010), each
        by intervals that leave out 0.
    fit : PlsFit
        The model behind it.
    n, level, n_resamples, seed, synthetic
    notes : tuple of Text
        What a reader must know.
    """

    table: pd.DataFrame
    constructs: Mapping[str, str]
    mediated: Mapping[str, str]
    fit: PlsFit
    n: int
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    formula: ClassVar = "A01"
    kinds: ClassVar = ("intervals",)
    codes: ClassVar = {"effect": "balance.effect.{}"}

    def findings(self, lang: str) -> list[str]:
        """Return the paths, what satisfaction carries on, and the kind of mediation."""
        lines = [
            label("balance.head", lang, n=format_number(self.n),
                  level=format_percent(100 * self.level, None, lang),
                  b=format_number(self.n_resamples), seed=self.seed,
                  **self.constructs),
            *self.formula_lines(lang),
        ]  # fmt: skip
        lines += [
            label("balance.row", lang, name=name, value=format_number(row["estimate"], 3),
                  interval=interval(row["ci_low"], row["ci_high"], 3))
            for name, row in zip(self._names(lang), self.table.to_dict("records"), strict=True)
        ]  # fmt: skip
        for role, kind in self.mediated.items():
            lines.append(label(f"balance.mediation.{kind}", lang, name=self.constructs[role],
                               satisfaction=self.constructs["satisfaction"],
                               loyalty=self.constructs["loyalty"]))  # fmt: skip
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return all effects with intervals."""
        perceived = self.mediated["perceived"]
        return intervals_chart(
            self._names(lang),
            self.table,
            self.level,
            source=survey_source(self.n, self.synthetic, lang),
            axis=label("balance.axis", lang),
            title=label(
                f"balance.title.{perceived}", lang, name=self.constructs["perceived"],
                satisfaction=self.constructs["satisfaction"], loyalty=self.constructs["loyalty"],
            ),
            synthetic=self.synthetic,
        )  # fmt: skip

    def _names(self, lang: str) -> list[str]:
        return [
            label("balance.name", lang, effect=label(f"balance.effect.{row['effect']}", lang),
                  lhs=row["lhs"], rhs=row["rhs"])
            for row in self.table.to_dict("records")
        ]  # fmt: skip


@by_codebook(lambda book, _: book.answer_columns, sampling=("weights", "cluster"))
def balance_paths(  # noqa: PLR0913  (the five roles of the formula)
    data: Any,
    codebook: Any,
    *,
    expected: str,
    perceived: str,
    satisfaction: str,
    commitment: str,
    loyalty: str,
    weights: str | None = None,
    cluster: str | None = None,
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
) -> BalancePaths:
    """Estimate the balance of satisfaction and loyalty, and what goes through satisfaction.

    ``CSAT = a1 TE + a2 PE``; ``CL = b CSAT + d CE + c1 TE + c2 PE``: reading 1 of formula A01
    (document 000, 2.1 (1); status: reconstructed, low confidence), linear, with direct paths
    besides, so that the data can contradict the reading. The indirect effect of PE on CL is ``a2
    b``. Constructs are composites of their items by `cxstats.pls`; all coefficients are
    standardised.

    Parameters
    ----------
    data : pandas, Polars, PyArrow table or DuckDB relation
        Respondents in rows.
    codebook : Codebook, mapping, path or name
        It says which items a construct has.
    expected, perceived, satisfaction, commitment, loyalty : str
        Constructs of the codebook taken for TE, PE, CSAT, CE and CL. In print only their initials
        stand, so that the choice is the caller's and belongs in the report.
    weights, cluster : str, optional
        Columns of sampling weights and of clusters.
    level, n_resamples, seed
        Confidence level, bootstrap resamples of respondents, their seed.

    Returns
    -------
    BalancePaths

    Raises
    ------
    CxError
        If a construct is unknown or has two roles, or the model has no solution.

    References
    ----------
    Zhao, Lynch & Chen (2010). Reconsidering Baron and Kenny: myths and truths about mediation
    analysis. Journal of Consumer Research 37, 197-206.

    Examples
    --------
    >>> import cxstats as cx
    >>> result = balance_paths(
    ...     *cx.load_ecsi_mobile(), expected="Expectation", perceived="Quality",
    ...     satisfaction="Satisfaction", commitment="Image", loyalty="Loyalty", n_resamples=500)
    >>> result.mediated["perceived"]
    'full'
    """
    import pandas as pd

    if codebook is None:
        raise CxError("codebook is None; allowed: a Codebook, a mapping, a path or a name")
    book: Codebook = codebook
    values = (expected, perceived, satisfaction, commitment, loyalty)
    roles = dict(zip(ROLES, values, strict=True))
    lines = [_measured(book, role, name) for role, name in roles.items()]
    if len(set(values)) < len(values):
        twice = next(name for name in values if values.count(name) > 1)
        raise CxError(f"{twice!r} has two roles; allowed: five different constructs")
    lines += [
        f"{satisfaction} ~ {expected} + {perceived}",
        f"{loyalty} ~ {satisfaction} + {commitment} + {expected} + {perceived}",
    ]
    fit = pls("\n".join(lines), data, weights=weights, cluster=cluster, seed=seed, level=level)
    fit.require_sound("balance")
    drawn = fit.bootstrap(n_resamples, seed, level=level).table
    wanted = [
        ("path", "path", satisfaction, expected), ("path", "path", satisfaction, perceived),
        ("path", "path", loyalty, satisfaction), ("path", "path", loyalty, commitment),
        ("indirect", "indirect", loyalty, expected), ("indirect", "indirect", loyalty, perceived),
        ("direct", "path", loyalty, expected), ("direct", "path", loyalty, perceived),
        ("total", "total", loyalty, expected), ("total", "total", loyalty, perceived),
    ]  # fmt: skip
    rows = []
    for effect, kind, lhs, rhs in wanted:
        row = drawn[(drawn["kind"] == kind) & (drawn["lhs"] == lhs) & (drawn["rhs"] == rhs)].iloc[0]
        rows.append({"effect": effect, "lhs": lhs, "rhs": rhs,
                     **{name: float(row[name]) for name in ("estimate", "se", "ci_low", "ci_high")},
                     "n": fit.n})  # fmt: skip
    table = pd.DataFrame(rows)
    return BalancePaths(
        table=table,
        constructs=roles,
        mediated={role: _mediation(table, loyalty, roles[role]) for role in ROLES[:2]},
        fit=fit,
        n=fit.n,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=fit.synthetic,
        notes=(
            both("balance.note.reading"),
            both("balance.note.cause"),
            *note_if(fit.dropped > 0, "balance.note.left_out", k=fit.dropped),
        ),
    )


def _measured(book: Codebook, role: str, name: Any) -> str:
    """Return the line of the model that measures a construct."""
    constructs: Sequence[str] = list(book.constructs)
    if not isinstance(name, str) or name not in constructs:
        raise CxError(f"{role} is {excerpt(name)}, no construct of the codebook; allowed: "
                      f"{listing(constructs)}")  # fmt: skip
    return f"{name} =~ {' + '.join(book.columns(construct=name))}"


def _mediation(table: pd.DataFrame, loyalty: str, name: str) -> str:
    """Return the kind of mediation by which effects have intervals without 0.

    An indirect effect counts if the interval of either of its paths leaves out 0, too: a product
    cannot be clearer than its factors.
    """
    clear = {
        (effect, lhs, rhs): int(np.sign(estimate)) if low > 0 or high < 0 else 0
        for effect, lhs, rhs, estimate, low, high in table[
            ["effect", "lhs", "rhs", "estimate", "ci_low", "ci_high"]
        ].itertuples(index=False)
    }
    satisfaction = table["lhs"].iloc[0]
    factors = clear["path", satisfaction, name] and clear["path", loyalty, satisfaction]
    indirect = clear["indirect", loyalty, name] if factors else 0
    direct = clear["direct", loyalty, name]
    if indirect and direct:
        return "complementary" if indirect == direct else "competitive"
    if indirect:
        return "full"
    return "direct" if direct else "none"
