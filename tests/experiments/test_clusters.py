"""Experiments with several rows per unit: against statsmodels' clustered errors, and refusals."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from cxstats import Design, experiments
from cxstats.core.errors import CxError
from cxstats.experiments import ab_test


def visits_of_users():
    """Return ten visits each of 200 users, whose rates differ."""
    generator = np.random.default_rng(5)
    user = np.repeat(np.arange(200), 10)
    rate = generator.beta(1, 1.5, 200)[user]
    return pd.DataFrame(
        {
            "user": user,
            "arm": np.where(user % 2 == 0, "old", "new"),
            "bought": (generator.random(2000) < rate) * 1,
            "score": generator.integers(0, 11, 2000),
            "before": rate + 0.1 * generator.normal(size=2000),
        }
    )


class TestClusters:
    @pytest.mark.parametrize("metric", ["proportion", "mean", "nps"])
    def test_error_is_that_of_statsmodels_but_for_its_factor(self, metric):
        frame = visits_of_users()
        column = "score" if metric == "nps" else "bought"
        y = frame[column].astype(float)
        if metric == "nps":
            y = 100.0 * (y >= 9) - 100.0 * (y <= 6)
        test = ab_test(
            frame, outcome=column, group="arm", control="old", metric=metric, cluster="user"
        )
        X = sm.add_constant((frame["arm"] == "new") * 1.0)
        fit = sm.OLS(y, X).fit(cov_type="cluster", cov_kwds={"groups": frame["user"]})
        row = test.table.iloc[0]
        n = len(frame)
        assert row["estimate"] == pytest.approx(fit.params["arm"], rel=1e-9)
        assert row["se"] == pytest.approx(fit.bse["arm"] * np.sqrt((n - 2) / (n - 1)), rel=1e-9)
        assert 190 < row["df"] <= 198
        if metric != "nps":
            alone = ab_test(frame, outcome=column, group="arm", control="old", metric=metric)
            assert row["se"] > 1.5 * alone.table["se"].iloc[0]

    def test_sizes_are_users(self):
        frame = visits_of_users()
        # One user comes 400 times more: that is no failed assignment.
        often = pd.concat([frame, pd.concat([frame[frame["user"] == 3]] * 40)], ignore_index=True)
        options = {"outcome": "bought", "group": "arm", "control": "old"}
        assert not ab_test(often, **options).trusted
        test = ab_test(often, **options, cluster="user")
        assert test.sample_ratio.table["n"].tolist() == [100, 100]
        assert test.trusted
        assert any("counts clusters" in note.en for note in test.notes)

    def test_missing_answers_are_judged_by_users(self):
        frame = visits_of_users().astype({"bought": float})
        options = {"outcome": "bought", "group": "arm", "control": "old", "shares": None}
        # Four users of one arm who never answer are many rows, and few users.
        few = frame.assign(bought=frame["bought"].where(~frame["user"].isin([1, 3, 5, 7])))
        assert ab_test(few, **options).uneven
        assert not ab_test(few, **options, cluster="user").uneven
        many = frame.assign(bought=frame["bought"].where(frame["user"] % 4 != 1))
        assert ab_test(many, **options, cluster="user").uneven

    def test_users_of_both_arms_are_said(self):
        frame = visits_of_users()
        frame.loc[0, "arm"] = "new"
        test = ab_test(frame, outcome="bought", group="arm", control="old", cluster="user")
        assert any("1 clusters are in more than one group" in note.en for note in test.notes)

    def test_what_knows_no_clusters_says_so(self):
        frame = visits_of_users()
        options = {"outcome": "bought", "group": "arm", "control": "old"}
        test = ab_test(frame, **options, cluster="user")
        with pytest.raises(CxError, match="counts of independent units"):
            test.posterior()
        for refused in (
            lambda: experiments.always_valid([test], tuned_at=100),
            lambda: experiments.always_valid(frame, tuned_at=100, **options, cluster="user"),
            lambda: experiments.sequential_plan(2).monitor([test]),
            lambda: experiments.sequential_plan(2).monitor(frame, **options, cluster="user"),
        ):
            with pytest.raises(CxError, match="units that come once"):
                refused()

    def test_adjusted_error_is_that_of_the_regression(self):
        frame = visits_of_users()
        found = experiments.cuped(
            frame, outcome="bought", group="arm", control="old", covariates="before",
            cluster="user",
        )  # fmt: skip
        X = sm.add_constant(np.column_stack([(frame["arm"] == "new") * 1.0, frame["before"]]))
        fit = sm.OLS(frame["bought"], X).fit(cov_type="cluster", cov_kwds={"groups": frame["user"]})
        n, row = len(frame), found.table.iloc[0]
        assert row["estimate"] == pytest.approx(fit.params["x1"], rel=1e-8)
        assert row["se"] == pytest.approx(fit.bse["x1"] * np.sqrt((n - 3) / (n - 1)), rel=1e-8)
        assert found.sample_ratio.table["n"].tolist() == [100, 100]
        with pytest.raises(CxError, match="weights do not go with"):
            experiments.cuped(
                frame, outcome="bought", group="arm", control="old", covariates="before",
                design=Design(weights="before"),
            )  # fmt: skip
