"""A fitted PLS path model: its tables, its quality, what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, both, label
from cxstats.core.result import Chart
from cxstats.models.fitted_model import FittedModel, listed
from cxstats.models.pls.algorithm import TOLERANCE_RESAMPLE
from cxstats.models.pls.design import Design
from cxstats.models.pls.estimates import (
    Estimates,
    estimate,
    flattened,
    htmt_pairs,
    quantities,
    slopes,
)
from cxstats.models.pls.problems import Problem
from cxstats.models.pls.quality import adjusted, effect_sizes, inflation
from cxstats.models.pls.sample import Sample
from cxstats.models.pls.stages import staged_items
from cxstats.stats.coefficients import average_variance_extracted, cronbach_alpha, omega
from cxstats.stats.discriminant_validity import htmt_failures

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.pls.bootstrap import PlsBootstrap
    from cxstats.models.pls.groups import PlsGroupComparison
    from cxstats.models.pls.ipma import Ipma, Scale
    from cxstats.models.pls.predict import PlsPrediction

    Array = NDArray[np.float64]

TABLES = (
    "table", "paths", "loadings", "weights", "quality", "r_squared", "effects",
    "specific_effects", "htmt", "fornell_larcker", "cross_loadings", "fit_indices",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class PlsFit(FittedModel):
    """A PLS path model fitted to one sample; see `cxstats.models.pls.fit.pls`.

    Attributes
    ----------
    design : Design
        The model: blocks and arrows.
    sample : Sample
        Moments and respondents.
    estimates : Estimates
        The arrays behind the tables, a batch of one.
    problems : tuple of Problem
        What makes the solution doubtful; ``problem.message`` says what to do, in both languages.
    scheme, consistent, scaled
        Inner weights; whether corrected for unreliability; whether items were standardised.
    n_resamples, seed, level
        The bootstrap behind `table`.
    """

    design: Design
    sample: Sample
    estimates: Estimates
    problems: tuple[Problem, ...]
    scheme: str
    consistent: bool
    scaled: bool
    n_resamples: int
    seed: int
    level: float

    reference: ClassVar[str] = (
        "Wold, H. (1982). Soft modeling: The basic design and some extensions. In K. G. Joreskog & "
        "H. Wold (Eds.), Systems under indirect observation (Part II, pp. 1-54). North-Holland.\n"
        "Dijkstra, T. K., & Henseler, J. (2015). Consistent partial least squares path modeling. "
        "MIS Quarterly, 39(2), 297-316."
    )

    codes: ClassVar = {
        "mode": "pls.mode.{}", "model": "pls.fit.model.{}", "index": "pls.fit.index.{}",
    }  # fmt: skip

    @property
    def notes(self) -> tuple[Text, ...]:
        """Missing codes, answers replaced, resamples lost, pairs not distinct, sampling, few."""
        boot = self.inference
        counts = {
            "pls.replaced": self.sample.replaced,
            "pls.bootstrap.failed": 0 if boot is None else boot.n_failed,
            "pls.bootstrap.improper": 0 if boot is None else boot.n_improper,
        }
        notes = [both(key, count=format_number(n)) for key, n in counts.items() if n]
        limits = self.sample.notes if boot is None else boot.limits
        return (
            *self.sample.missing_codes, *notes, *self._stage_notes(), *self._indistinct(), *limits
        )  # fmt: skip

    def _stage_notes(self) -> list[Text]:
        """Name the methods of interactions and of higher-order constructs."""
        design, notes = self.design, []
        if interactions := design.interactions:
            method = interactions[0].method.replace("-", "_")
            names = listed(interaction.name for interaction in interactions)
            notes.append(both(f"pls.note.interaction.{method}", names=names))
        if constructs := design.higher_order:
            method = constructs[0].method.replace("-", "_")
            names = listed(construct.name for construct in constructs)
            notes.append(both(f"pls.note.higher_order.{method}", names=names))
            if formed := [c.name for c in constructs if c.formative and method == "repeated"]:
                notes.append(both("pls.note.higher_order.formed", names=listed(formed)))
        return notes

    def _indistinct(self) -> list[Text]:
        """Name the pairs whose HTMT is low, but whose interval is too long to show it."""
        if self.inference is None:
            return []
        rows: Any = self.inference.table[self.inference.table["kind"] == "htmt"]
        pairs = [
            both("pls.note.htmt.pair", first=row.lhs, second=row.rhs,
                 value=format_number(row.estimate, 3), limits=interval(row.ci_low, row.ci_high, 3))
            for row in rows.itertuples()
            if not htmt_failures(row.estimate) and htmt_failures(row.estimate, row.ci_high)
        ]  # fmt: skip
        names = Text(", ".join(t.en for t in pairs), "、".join(t.zh for t in pairs))
        return [both("pls.note.htmt", names=names)] if pairs else []

    @property
    def n(self) -> int:
        """Respondents."""
        return self.sample.n

    @property
    def dropped(self) -> int:
        """Respondents left out because an answer was missing."""
        return self.sample.moments.dropped

    @property
    def converged(self) -> bool:
        """Whether the weights came to rest."""
        return bool(self.estimates.outer.converged[0])

    @property
    def iterations(self) -> int:
        """Rounds until the weights came to rest."""
        return self.estimates.outer.rounds

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Paths: ``lhs, rhs, label, estimate, f_squared, vif``."""
        import pandas as pd

        names, corr = self.design.constructs, self.estimates.construct_corr
        f_squared, vif = {}, {}
        for j, causes in self.design.causes.items():
            f_squared[j] = dict(zip(causes, effect_sizes(corr, j, causes)[0], strict=True))
            vif[j] = dict(zip(causes, inflation(corr[:, causes][:, :, causes])[0], strict=True))
        rows = [
            (
                names[i], names[j], text, self.estimates.paths[0, i, j],
                float(f_squared[i][j]), float(vif[i][j]),
            )
            for i, j, text in self.design.paths
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["lhs", "rhs", "label", "estimate", "f_squared", "vif"])

    @cached_property
    def loadings(self) -> pd.DataFrame:
        """Correlations of items with their construct: ``construct, item, loading, communality``."""
        loading = self.estimates.loadings[0]
        return self._of_items(loading=loading, communality=loading**2)

    @cached_property
    def weights(self) -> pd.DataFrame:
        """Weights of items: ``construct, item, mode, weight, vif`` (of the block).

        Of standardised items; with ``scaled=False``, of items in their own units, such that the
        score has standard deviation 1 (divisor n - 1, as everywhere here; R's plspm divides by n,
        so that its weights are larger by ``sqrt(n / (n - 1))``).
        """
        corr, vif = self.estimates.corr[0], []
        for block in self.design.blocks:
            vif += inflation(corr[None, block, block])[0].tolist()
        modes = [self.design.modes[j] for j in self.design.home]
        return self._of_items(mode=modes, weight=self.estimates.weights[0], vif=vif)

    def _of_items(self, **columns: Any) -> pd.DataFrame:
        import pandas as pd

        names = [self.design.constructs[j] for j in self.design.home]
        return pd.DataFrame({"construct": names, "item": self.design.items, **columns})

    @cached_property
    def cross_loadings(self) -> pd.DataFrame:
        """Correlations of every item (rows) with every composite, not corrected."""
        import pandas as pd

        items = pd.Index(self.design.items, name="item")
        cross_loadings = self.estimates.outer.cross_loadings[0]
        return pd.DataFrame(cross_loadings, items, list(self.design.constructs))

    @cached_property
    def r_squared(self) -> pd.DataFrame:
        """Share of variance explained: ``construct, r_squared, adjusted, n_predictors``."""
        import pandas as pd

        r2, names = self.estimates.r_squared[0], self.design.constructs
        rows = [
            (names[j], r2[j], float(adjusted(r2[j], self.n, len(causes))), len(causes))
            for j, causes in self.design.causes.items()
        ]
        return pd.DataFrame(rows, columns=["construct", "r_squared", "adjusted", "n_predictors"])

    @cached_property
    def effects(self) -> pd.DataFrame:
        """Effects of constructs on constructs: ``lhs, rhs, direct, indirect, total``."""
        import pandas as pd

        place = {name: j for j, name in enumerate(self.design.constructs)}
        rows = []
        for quantity in quantities(self.design):
            if quantity.kind == "total":
                i, j = place[quantity.lhs], place[quantity.rhs]
                # Where there is no path the direct effect is 0.
                direct, total = (
                    float(x[0, i, j]) for x in (self.estimates.paths, self.estimates.total)
                )
                rows.append((quantity.lhs, quantity.rhs, direct, total - direct, total))
        return pd.DataFrame(rows, columns=["lhs", "rhs", "direct", "indirect", "total"])

    @cached_property
    def specific_effects(self) -> pd.DataFrame:
        """Products of the paths along every chain: ``lhs, rhs, chain, estimate``."""
        import pandas as pd

        values = flattened(self.estimates, self.design)[0]
        rows = [
            (quantity.lhs, quantity.rhs, quantity.label, value)
            for quantity, value in zip(quantities(self.design), values, strict=True)
            if quantity.kind == "specific"
        ]
        return pd.DataFrame(rows, columns=["lhs", "rhs", "chain", "estimate"])

    @cached_property
    def quality(self) -> pd.DataFrame:
        """Reliability: ``construct, mode, n_items, alpha, rho_a, rho_c, ave``.

        Of reflective constructs with several items; NaN for others, of which it is not defined.
        Alpha is that of the standardised items. The items of a higher-order construct are its
        dimensions, also where it has their items repeated (no rho_A then).
        """
        import pandas as pd

        rows = []
        repeated = {name: parts for name, parts, _, method in self.design.higher_order
                    if method == "repeated"}  # fmt: skip
        for j, name in enumerate(self.design.constructs):
            block, mode = self.design.blocks[j], self.design.modes[j]
            corr, loadings = self.estimates.corr[0, block, block], self.estimates.loadings[0, block]
            rho = self.estimates.rho_a[0, j]
            if name in repeated:
                corr, loadings, rho = *self._of_dimensions(j, repeated[name]), np.nan
            coefficients = np.full(4, np.nan)
            if mode == "A":
                coefficients[:] = (
                    cronbach_alpha(corr), rho, omega(loadings),
                    average_variance_extracted(loadings),
                )  # fmt: skip
            rows.append((name, mode, len(loadings), *coefficients))
        heads = ["construct", "mode", "n_items", "alpha", "rho_a", "rho_c", "ave"]
        return pd.DataFrame(rows, columns=heads)

    def _of_dimensions(self, j: int, dimensions: tuple[str, ...]) -> tuple[Array, Array]:
        """Return the correlations of dimensions, and their loadings on their construct."""
        places = [self.design.constructs.index(name) for name in dimensions]
        corr = self.estimates.construct_corr[0]
        return corr[np.ix_(places, places)], corr[places, j]

    @cached_property
    def simple_slopes(self) -> pd.DataFrame:
        """Effects at values of the moderator, for every interaction ``x:z`` in two stages.

        Columns ``lhs, rhs, moderator, at, estimate, se, ci_low, ci_high, p_value, n``: the effect
        of `rhs` on `lhs` where the moderator is `at` standard deviations from its mean, and all
        other moderators at theirs, ``b_x + at b_xz``; for a square ``x:x``, ``b_x + 2 at b_xx``.
        Which construct moderates is a matter of words: ``z:x`` gives the slopes of z.

        References
        ----------
        Aiken & West (1991). Multiple regression: testing and interpreting interactions, ch. 2.

        Raises
        ------
        CxError
            If the model has no interaction, or one of products of items, whose composite is not
            the product of two scores.
        """
        if not self.design.interactions:
            raise CxError("the model has no interaction; one is written 'y ~ x + z + x:z'")
        if not slopes(self.design):
            raise CxError(
                "simple slopes are those of a product of scores: fit with interaction='two-stage'"
            )
        rows, places = self._quantities(), slopes(self.design)
        rows = rows[rows["kind"] == "slope"].reset_index(drop=True)
        rows = rows.assign(
            moderator=[slope.moderator for slope in places], at=[slope.at for slope in places],
            n=self.n,
        )  # fmt: skip
        return rows[
            ["lhs", "rhs", "moderator", "at", "estimate", "se", "ci_low", "ci_high", "p_value", "n"]
        ]

    @cached_property
    def htmt(self) -> pd.DataFrame:
        """Heterotrait-monotrait ratios: ``first, second, htmt``.

        Of constructs that are not formative, no products, and not one a dimension of the other.
        Intervals are in the bootstrap's table.
        """
        import pandas as pd

        names, ratios = self.design.constructs, self.estimates.htmt[0]
        rows = [(names[i], names[j], ratios[i, j]) for i, j in htmt_pairs(self.design)]
        return pd.DataFrame(rows, columns=["first", "second", "htmt"])

    @cached_property
    def fornell_larcker(self) -> pd.DataFrame:
        """Correlations of constructs, with the root of AVE on the diagonal.

        A formative construct has no AVE there (NaN). Discriminant validity holds where a
        diagonal value is above all others in its row and column (Fornell & Larcker 1981).
        """
        import pandas as pd

        matrix = self.estimates.construct_corr[0].copy()
        np.fill_diagonal(matrix, np.sqrt(self.quality["ave"].to_numpy(float)))
        names = list(self.design.constructs)
        return pd.DataFrame(matrix, pd.Index(names, name="construct"), names)

    @cached_property
    def fit_indices(self) -> pd.DataFrame:
        """SRMR, d_ULS and d_G of the saturated and the estimated model, a row each.

        Columns ``model, index, estimate, hi_95, hi_99, p_value, n``, from the fit's resamples; see
        `cxstats.models.pls.fit_indices.fit_indices`. Without ``consistent=True`` the model is one
        of composites throughout; with it, reflective blocks are common factors.

        Raises
        ------
        CxError
            If the model has an interaction or a higher-order construct: what it implies of scores
            that are items, and of products, is no model of the answers.
        """
        from cxstats.models.pls.fit_indices import fit_indices

        return fit_indices(self, self.n_resamples, self.seed)

    @cached_property
    def inference(self) -> PlsBootstrap | None:
        """The bootstrap behind `table`; None without respondents, resamples or solution."""
        if not self.sample.has_rows or not self.n_resamples or not self.sound:
            return None
        return self.bootstrap(self.n_resamples, self.seed, level=self.level)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Loadings, weights of formative items, paths and defined parameters, a row each.

        Columns ``lhs, op, rhs, label, group, estimate, se, z, p_value, ci_low, ci_high, std, n``;
        intervals are those of the bootstrap (`inference`), NaN where there is none. The estimate of
        an interaction is per unit of the product of standardised scores, `std` per standard
        deviation of that product.
        """
        rows = self._quantities()
        formative = rows["op"] == "<~"
        listed_rows = (
            ((rows["kind"] == "loading") & ~formative)
            | ((rows["kind"] == "weight") & formative)
            | rows["kind"].isin(["path", "defined"])
        )
        rows = rows[listed_rows & (rows["lhs"] != rows["rhs"])]  # an item of a path has no loading
        place = {item: i for i, item in enumerate(self.design.items)}
        last = {"path": len(place), "defined": len(place) + 1}
        order = [
            last.get(kind, place.get(rhs, 0))
            for kind, rhs in zip(rows["kind"], rows["rhs"], strict=True)
        ]
        rows = rows.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)
        rows = rows.assign(std=self._standardised(rows), n=self.n, group=1)
        return rows[
            ["lhs", "op", "rhs", "label", "group", "estimate", "se", "z", "p_value", "ci_low",
             "ci_high", "std", "n"]
        ]  # fmt: skip

    def _standardised(self, rows: pd.DataFrame) -> Array:
        """Return estimates of rows of the table, of standardised items and products."""
        std = rows["estimate"].to_numpy(float, copy=True)
        if not self.scaled:
            weights = dict(zip(self.design.items, self.estimates.outer.weights[0], strict=True))
            formed = (rows["op"] == "<~").to_numpy()
            std[formed] = [weights[item] for item in rows.loc[formed, "rhs"]]
        for interaction, sd in zip(
            self.design.interactions, self.estimates.interaction_sd[0], strict=True
        ):
            std[((rows["op"] == "~") & (rows["rhs"] == interaction.name)).to_numpy()] *= sd
        return std

    def _quantities(self) -> pd.DataFrame:
        """Return every quantity with its interval, or with none without a bootstrap."""
        import pandas as pd

        if self.inference is not None:
            return self.inference.table
        rows = pd.DataFrame(list(quantities(self.design)))
        columns = ("se", "z", "p_value", "ci_low", "ci_high")
        values = flattened(self.estimates, self.design)[0]
        return rows.assign(estimate=values, **dict.fromkeys(columns, np.nan))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table of the model by its name, ``table`` first."""
        names = [*TABLES, *["simple_slopes"] * bool(slopes(self.design))]
        if self.design.stages is not None:
            names.remove("fit_indices")
        return {name: getattr(self, name) for name in names}

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Standardised scores of the composites, one row per respondent used.

        The index is that of a pandas frame, or counts rows from 0.

        Raises
        ------
        CxError
            If the model was fitted to moments alone.
        """
        import pandas as pd

        self.sample.require_rows("scores")
        moments, rows = self.sample.moments, np.flatnonzero(self.sample.used)
        z = (self.sample.matrix - moments.mean) / moments.sd
        if self.design.stages is not None:
            z = staged_items(z, self.design, self.estimates.outer, self.sample.weights)
        weights = self.design.member * self.estimates.outer.weights[0][:, None]
        frame = self.sample.frame
        index = frame.index[rows] if isinstance(frame, pd.DataFrame) else rows
        return pd.DataFrame(z @ weights, index=index, columns=list(self.design.constructs))

    def reestimate(
        self,
        cov: Array,
        *,
        weights: NDArray[np.floating | np.integer] | None = None,
        align: bool = True,
        tolerance: float = TOLERANCE_RESAMPLE,
    ) -> Estimates:
        """Estimate the model from other covariances, beginning at the sample's weights.

        Parameters
        ----------
        cov : array (B, p, p)
        weights : array (B, n), optional
            How often each respondent is in each sample; a model with interactions needs it,
            since products have moments of their own.
        align : bool
            Whether composites take the direction of the sample's; otherwise each follows the
            convention of `cx.pls` anew, and one with items of either direction may turn round.
        tolerance : float
            Where the search ends.
        """
        return estimate(
            cov, self.design, self.scheme, self.consistent, scaled=self.scaled,
            reference=self.estimates.outer, align=align, tolerance=tolerance,
            respondents=self.sample.respondents(weights) if self.design.interactions else None,
        )  # fmt: skip

    def require_one_stage(self, what: str, instead: str = "fit the model without it") -> None:
        """Raise if the model has an interaction or a higher-order construct.

        Raises
        ------
        CxError
        """
        if self.design.stages is not None:
            raise CxError(
                f"{what} of a model with an interaction or a higher-order construct "
                f"({', '.join(self.design.derived)}) is not supported; {instead}"
            )

    def bootstrap(
        self,
        n_resamples: int = 5_000,
        seed: int = 1,
        *,
        level: float = 0.95,
        signs: str = "construct",
    ) -> PlsBootstrap:
        """Fit the model to resamples of the respondents, all at once.

        Standard errors, p values and intervals of paths, loadings, weights, total, indirect
        and specific indirect effects, R², HTMT and defined parameters; which interval each has
        is in `cxstats.models.pls.intervals.intervals`, percentiles and BCa limits stand beside
        it. Under a sampling design, whole clusters are drawn within strata. Of more than 100,000
        respondents the means and covariances of resamples are drawn, not respondents
        (`cxstats.core.moments.normal_moments`), and a note says so; not of a model with an
        interaction, nor under a design.

        Parameters
        ----------
        n_resamples, seed, level
            Replicates, their seed, and the confidence level.
        signs : {"construct", "none"}
            What is done about the sign of a construct, which data leave open: "construct" turns
            a construct round where it correlates negatively with the composite that has the
            sample's weights, so that intervals do not depend on which way round an item is
            stored; "none" applies the convention of `cx.pls` anew in every resample, which makes
            intervals long where items of a construct point either way.

        Raises
        ------
        CxError
            If there is no solution, or no respondents.
        """
        from cxstats.models.pls.bootstrap import bootstrap

        return bootstrap(self, n_resamples, seed, level, signs)

    def predict(
        self, k: int = 10, repetitions: int = 10, seed: int = 1, *, antecedents: str = "earliest"
    ) -> PlsPrediction:
        """Predict the items of endogenous constructs for respondents left out (PLSpredict).

        See `cxstats.models.pls.predict.predict`.
        """
        from cxstats.models.pls.predict import predict

        return predict(self, k, repetitions, seed, antecedents)

    def ipma(
        self,
        target: str,
        scale: Scale,
        *,
        n_resamples: int = 1_000,
        seed: int = 1,
        level: float = 0.95,
    ) -> Ipma:
        """Set the importance of constructs for a target against their performance.

        See `cxstats.models.pls.ipma.ipma`.
        """
        from cxstats.models.pls.ipma import ipma

        return ipma(self, target, scale, n_resamples, seed, level)

    def compare_groups(
        self, by: str, n_permutations: int = 1_000, seed: int = 1
    ) -> PlsGroupComparison:
        """Test by permutation whether paths differ between groups of respondents.

        See `cxstats.models.pls.groups.compare_groups`.
        """
        from cxstats.models.pls.groups import compare_groups

        return compare_groups(self, by, n_permutations, seed)

    def title(self, lang: str | None = None) -> str:
        """Return what was fitted: a PLS path model, or a consistent one."""
        kind = "consistent" if self.consistent else "plain"
        return label(f"pls.kind.{kind}", lang)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the path diagram.

        Formative items are drawn with their weights, as arrows like the others.
        """
        table = self.table.assign(op=self.table["op"].replace("<~", "=~"))
        r2 = dict(zip(self.r_squared["construct"], self.r_squared["r_squared"], strict=True))
        # Repeated items stand at their dimensions; what is formed of these has an R² of about 1.
        repeated = [c for c in self.design.higher_order if c.method == "repeated"]
        table = table[(table["op"] != "=~") | ~table["lhs"].isin([c.name for c in repeated])]
        for construct in repeated:
            if construct.formative:
                del r2[construct.name]
        hidden = {construct.name for construct in repeated}
        formative = (self.design.constructs[j] for j in self.design.of_mode("B"))
        names = [name for name in formative if name not in hidden]
        note = label("pls.note.formative", lang, names=listed(names).get(lang)) if names else None
        source = label("pls.source", lang, n=self.n)
        return self.path_diagram(table, r2, source, lang, note)

    def findings(self, lang: str) -> list[str]:
        """Return the sample, the problems, R² and the paths, a line each."""
        head = label(
            "pls.head", lang,
            kind=self.title(lang),
            scheme=label(f"pls.scheme.{self.scheme}", lang),
            n=format_number(self.n),
            dropped=format_number(self.dropped),
            rounds=self.iterations,
        )  # fmt: skip
        lines = [head, *self.problem_lines(lang)]
        if not self.sound:
            return [*lines, label("sem.none", lang)]
        rows: Any = self.r_squared
        explained = [
            label(
                "pls.r_squared.row", lang,
                name=row.construct,
                value=format_number(row.r_squared, 3),
                adjusted=format_number(row.adjusted, 3),
            )
            for row in rows.itertuples()
        ]  # fmt: skip
        lines.append(label("pls.r_squared", lang, names=listed(explained).get(lang)))
        if not self.scaled:
            lines.append(label("pls.unscaled", lang))
        return [*lines, self._path_head(lang), *self._path_lines(lang), *self._slope_lines(lang)]

    def _slope_lines(self, lang: str) -> list[str]:
        """Return the simple slopes, a line for each interaction and outcome."""
        if not slopes(self.design):
            return []
        rows: Any = self.simple_slopes
        lines = [label("pls.slopes", lang)]
        for names, three in rows.groupby(["lhs", "rhs", "moderator"], sort=False):
            values = [
                format_number(row.estimate, 3)
                + (f" {interval(row.ci_low, row.ci_high, 3)}" if self.inference else "")
                for row in three.itertuples()
            ]
            lhs, rhs, moderator = names
            numbers = label("pls.comma", lang).join(values)
            name = f"{lhs} ~ {rhs} | {moderator}"
            lines.append(label("pls.path.row", lang, name=name, numbers=numbers))
        return lines

    def _path_head(self, lang: str) -> str:
        """Say where intervals come from, or that there are none."""
        if self.inference is None:
            return label("pls.paths.alone", lang)
        return label(
            "pls.paths", lang,
            level=format_percent(100 * self.level, None, lang),
            b=format_number(self.n_resamples),
            seed=self.seed,
        )  # fmt: skip

    def _path_lines(self, lang: str) -> list[str]:
        """Return paths and defined parameters, with intervals where there are any."""
        rows: Any = self.table[self.table["op"].isin(["~", ":="])]
        f_squared = self.paths.set_index(["lhs", "rhs"])["f_squared"].to_dict()
        lines = []
        for row in rows.itertuples():
            numbers = [format_number(row.estimate, 3)]
            if self.inference is not None:
                numbers[0] += f" {interval(row.ci_low, row.ci_high, 3)}"
                numbers.append(p_text(row.p_value))
            if (row.lhs, row.rhs) in f_squared:
                numbers.append(f"f² = {format_number(f_squared[row.lhs, row.rhs], 3)}")
            name = row.lhs if row.op == ":=" else f"{row.lhs} ~ {row.rhs}"
            text = label("pls.comma", lang).join(numbers)
            lines.append(label("pls.path.row", lang, name=name, numbers=text))
        return lines
