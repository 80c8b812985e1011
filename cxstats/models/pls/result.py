"""A fitted PLS path model: its tables, its quality, what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.formats import as_html
from cxstats.core.language import label
from cxstats.models.fitted_model import Sound
from cxstats.models.pls.design import Design
from cxstats.models.pls.estimates import Estimates, flattened, htmt_pairs, quantities
from cxstats.models.pls.problems import Problem
from cxstats.models.pls.quality import adjusted, effect_sizes, inflation
from cxstats.models.pls.sample import Sample
from cxstats.stats.coefficients import average_variance_extracted, cronbach_alpha, omega

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cxstats.models.pls.bootstrap import PlsBootstrap
    from cxstats.models.pls.groups import GroupComparison
    from cxstats.models.pls.ipma import Ipma
    from cxstats.models.pls.predict import Prediction

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlsFit(Sound):
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
        What makes the solution doubtful; ``str(problem)`` says what to do.
    scheme, consistent
        Inner weights; whether corrected for unreliability.
    n_resamples, seed, level
        The bootstrap behind `table`.
    """

    design: Design
    sample: Sample
    estimates: Estimates
    problems: tuple[Problem, ...]
    scheme: str
    consistent: bool
    n_resamples: int
    seed: int
    level: float

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
        return bool(self.estimates.found.converged[0])

    @property
    def iterations(self) -> int:
        """Rounds that took."""
        return self.estimates.found.rounds

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Paths: ``lhs, rhs, label, estimate, f_squared, vif``."""
        import pandas as pd

        names, found = self.design.constructs, self.estimates
        size, factor = {}, {}
        for j, causes in self.design.causes.items():
            among = found.joint[:, causes][:, :, causes]
            effects = effect_sizes(found.joint, j, causes)[0]
            for k, f2, vif in zip(causes, effects, inflation(among)[0], strict=True):
                size[j, k], factor[j, k] = float(f2), float(vif)
        rows = [
            (names[i], names[j], text, found.paths[0, i, j], size[i, j], factor[i, j])
            for i, j, text in self.design.paths
        ]
        return pd.DataFrame(rows, columns=["lhs", "rhs", "label", "estimate", "f_squared", "vif"])

    @cached_property
    def loadings(self) -> pd.DataFrame:
        """Correlations of items with their construct: ``construct, item, loading, communality``."""
        loading = self.estimates.loadings[0]
        return self._of_items(loading=loading, communality=loading**2)

    @cached_property
    def weights(self) -> pd.DataFrame:
        """Weights of standardised items: ``construct, item, mode, weight, vif`` (of the block)."""
        corr, vif = self.sample.moments.corr, []
        for block in self.design.blocks:
            vif += inflation(corr[None, block, block])[0].tolist()
        modes = [self.design.modes[j] for j in self.design.home]
        return self._of_items(mode=modes, weight=self.estimates.found.weights[0], vif=vif)

    def _of_items(self, **columns: Any) -> pd.DataFrame:
        import pandas as pd

        names = [self.design.constructs[j] for j in self.design.home]
        return pd.DataFrame({"construct": names, "item": self.design.items, **columns})

    @cached_property
    def cross_loadings(self) -> pd.DataFrame:
        """Correlations of every item (rows) with every composite, not corrected."""
        import pandas as pd

        return pd.DataFrame(
            self.estimates.found.cross[0], self.design.items, self.design.constructs
        )

    @cached_property
    def r_squared(self) -> pd.DataFrame:
        """Share of variance explained: ``construct, r_squared, adjusted, n_predictors``."""
        import pandas as pd

        found = self.estimates.r_squared[0]
        rows = [
            (self.design.constructs[j], found[j], float(adjusted(found[j], self.n, len(causes))),
             len(causes))
            for j, causes in self.design.causes.items()
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["construct", "r_squared", "adjusted", "n_predictors"])

    @cached_property
    def effects(self) -> pd.DataFrame:
        """Effects of constructs on constructs: ``lhs, rhs, direct, indirect, total``."""
        import pandas as pd

        names, found = self.design.constructs, self.estimates
        direct = {(path.end, path.start) for path in self.design.paths}
        place = {name: j for j, name in enumerate(names)}
        rows = []
        for one in quantities(self.design):
            if one.kind == "total":
                i, j = place[one.lhs], place[one.rhs]
                own, total = float(found.paths[0, i, j]), float(found.total[0, i, j])
                shown = own if (i, j) in direct or np.isnan(own) else 0.0
                rows.append((one.lhs, one.rhs, shown, total - own, total))
        return pd.DataFrame(rows, columns=["lhs", "rhs", "direct", "indirect", "total"])

    @cached_property
    def specific_effects(self) -> pd.DataFrame:
        """Products of the paths along every chain: ``lhs, rhs, chain, estimate``."""
        import pandas as pd

        values = flattened(self.estimates, self.design)[0]
        rows = [
            (one.lhs, one.rhs, one.label, value)
            for one, value in zip(quantities(self.design), values, strict=True)
            if one.kind == "specific"
        ]
        return pd.DataFrame(rows, columns=["lhs", "rhs", "chain", "estimate"])

    @cached_property
    def quality(self) -> pd.DataFrame:
        """Reliability: ``construct, mode, n_items, alpha, rho_a, rho_c, ave``.

        Of reflective constructs with several items; NaN for others, of which it is not defined.
        Alpha is that of the standardised items.
        """
        import pandas as pd

        rows = []
        corr, loadings = self.sample.moments.corr, self.estimates.loadings[0]
        for j, name in enumerate(self.design.constructs):
            block, mode = self.design.blocks[j], self.design.modes[j]
            numbers = [float("nan")] * 4
            if mode == "A":
                numbers = [
                    float(cronbach_alpha(corr[block, block])), float(self.estimates.rho_a[0, j]),
                    float(omega(loadings[block])),
                    float(average_variance_extracted(loadings[block])),
                ]  # fmt: skip
            rows.append((name, mode, block.stop - block.start, *numbers))
        heads = ["construct", "mode", "n_items", "alpha", "rho_a", "rho_c", "ave"]
        return pd.DataFrame(rows, columns=heads)

    @cached_property
    def htmt(self) -> pd.DataFrame:
        """Heterotrait-monotrait ratios: ``first, second, htmt``.

        Of constructs that are not formative. Intervals are in the bootstrap's table.
        """
        import pandas as pd

        names, found = self.design.constructs, self.estimates.htmt[0]
        rows = [(names[i], names[j], found[i, j]) for i, j in htmt_pairs(self.design)]
        return pd.DataFrame(rows, columns=["first", "second", "htmt"])

    @cached_property
    def fornell_larcker(self) -> pd.DataFrame:
        """Correlations of constructs, with the root of AVE on the diagonal.

        A formative construct has no AVE there (NaN). Discriminant validity holds where a
        diagonal value is above all others in its row and column (Fornell & Larcker 1981).
        """
        import pandas as pd

        table = self.estimates.joint[0].copy()
        np.fill_diagonal(table, np.sqrt(self.quality["ave"].to_numpy(float)))
        return pd.DataFrame(table, self.design.constructs, self.design.constructs)

    @cached_property
    def inference(self) -> PlsBootstrap | None:
        """The bootstrap behind `table`; None without respondents, resamples or solution."""
        if self.sample.frame is None or not self.n_resamples or not self.sound:
            return None
        return self.bootstrap(self.n_resamples, self.seed, level=self.level)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Loadings, weights of formative items, paths and defined parameters, a row each.

        Columns ``lhs, op, rhs, label, group, estimate, se, z, p_value, ci_low, ci_high, std, n``;
        intervals are percentiles of the bootstrap (`inference`), NaN where there is none.
        """
        from cxstats.models.pls.bootstrap import numbers

        rows = numbers(self, self.inference)
        formative = rows["op"] == "<~"
        shown = (
            ((rows["kind"] == "loading") & ~formative)
            | ((rows["kind"] == "weight") & formative)
            | rows["kind"].isin(["path", "defined"])
        )
        rows = rows[shown & (rows["lhs"] != rows["rhs"])]  # an item of a path has no loading
        place = {item: i for i, item in enumerate(self.design.items)}
        last = {"path": len(place), "defined": len(place) + 1}
        order = [
            last.get(kind, place.get(rhs, 0))
            for kind, rhs in zip(rows["kind"], rows["rhs"], strict=True)
        ]
        rows = rows.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)
        rows = rows.assign(std=rows["estimate"], n=self.n, group=1)
        return rows[
            ["lhs", "op", "rhs", "label", "group", "estimate", "se", "z", "p_value", "ci_low",
             "ci_high", "std", "n"]
        ]  # fmt: skip

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
        own, kept = self.sample.moments, np.flatnonzero(self.sample.kept)
        values = (self.sample.matrix - own.mean) / own.sd
        weights = self.design.member * self.estimates.found.weights[0][:, None]
        index = getattr(self.sample.frame, "index", None) if hasattr(
            self.sample.frame, "iloc") else None  # fmt: skip
        rows = kept if index is None else index[kept]
        return pd.DataFrame(values @ weights, index=rows, columns=list(self.design.constructs))

    def bootstrap(
        self, n_resamples: int = 5_000, seed: int = 1, *, level: float = 0.95, signs: str = "none"
    ) -> PlsBootstrap:
        """Fit the model to resamples of the respondents, all at once.

        Standard errors, percentile and BCa intervals of paths, loadings, weights, total, indirect
        and specific indirect effects, R², HTMT and defined parameters.

        Parameters
        ----------
        n_resamples, seed, level
            Replicates, their seed, and the confidence level.
        signs : {"none", "construct"}
            What is done about the sign of a construct, which data leave open: "none" follows the
            convention of `cx.pls` in every resample; "construct" turns a construct round where
            it correlates negatively with the composite that has the sample's weights.

        Raises
        ------
        CxError
            If there is no solution, or no respondents.
        """
        from cxstats.models.pls.bootstrap import bootstrap

        return bootstrap(self, n_resamples, seed, level, signs)

    def predict(
        self, k: int = 10, repetitions: int = 10, seed: int = 1, *, antecedents: str = "earliest"
    ) -> Prediction:
        """Predict the items of endogenous constructs for respondents left out (PLSpredict).

        See `cxstats.models.pls.predict.predict`.
        """
        from cxstats.models.pls.predict import predict

        return predict(self, k, repetitions, seed, antecedents)

    def ipma(
        self,
        target: str,
        scale: tuple[float, float] | Mapping[str, tuple[float, float]] | str,
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
    ) -> GroupComparison:
        """Test by permutation whether paths differ between groups of respondents.

        See `cxstats.models.pls.groups.compare_groups`.
        """
        from cxstats.models.pls.groups import compare_groups

        return compare_groups(self, by, n_permutations, seed)

    def plot(self, **options: Any) -> Axes:
        """Draw the path diagram; options are those of `cxstats.charts.path_diagram`.

        Formative items are drawn with their weights, as arrows like the others.
        """
        from cxstats.charts import path_diagram

        lang = options.get("lang", "en")
        table = self.table.assign(op=self.table["op"].replace("<~", "=~"))
        r2 = dict(zip(self.r_squared["construct"], self.r_squared["r_squared"], strict=True))
        options.setdefault("source", label("pls.source", lang, n=self.n))
        options.setdefault("synthetic", self.synthetic)
        options.setdefault("r_squared", r2 if self.sound else None)
        if not self.sound:
            options.setdefault("note", label("sem.none", lang))
        elif self.design.of_mode("B"):
            names = [self.design.constructs[j] for j in self.design.of_mode("B")]
            joined = label("sem.and", lang).join(names)
            options.setdefault("note", label("pls.note.formative", lang, names=joined))
        return path_diagram(table, **options)

    def summary(self, lang: str = "en") -> str:
        """Return the sample, the problems, R² and the paths in words."""
        from cxstats.models.pls.summary import summary

        return summary(self, lang)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)
