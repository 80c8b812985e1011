"""Every method gives the same numbers whatever engine holds the table."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.value_counts import value_counts
from tests.core.engine_tables import ENGINES, as_engine

# Sums of 600 numbers in any order, then matrix algebra and searches that stop within 1e-10.
EQUAL = 1e-10
N = 600
ITEMS = ["x1", "x2", "x3", "y1", "y2", "y3"]
MODEL = "X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nY ~ X"
BOOK = cx.Codebook(
    scale=(1, 7),
    constructs={"X": ["x1", "x2", "x3"], "Y": ["y1", "y2", "y3"]},
    expectation="E_{item}",
    perception="{item}",
)
QUICK = {"n_resamples": 100, "seed": 3}


def answers():
    rng = np.random.default_rng(11)
    factors = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], N)
    loaded = np.repeat(factors, 3, axis=1)
    frame = pd.DataFrame(
        np.clip(np.rint(4.5 + loaded + rng.normal(size=(N, 6))), 1, 7).astype("int8"),
        columns=ITEMS,
    )
    for item in ITEMS:
        frame[f"E_{item}"] = np.clip(frame[item] + rng.integers(-1, 3, N), 1, 7).astype("int8")
    frame["holed"] = frame["x1"].astype(float).where(rng.random(N) > 0.1)
    frame["holed2"] = frame["y1"].astype("Int64").where(rng.random(N) > 0.1)
    frame["score"] = np.clip(frame["y1"] + rng.integers(1, 5, N), 0, 10).astype("int16")
    frame["bought"] = rng.random(N) < 0.3
    frame["minutes"] = rng.gamma(2.0, 3.0, N)
    frame["group"] = np.where(np.arange(N) % 3 == 0, "A", "B")
    frame["wave"] = np.repeat(["2024-01", "2024-02", "2024-03", "2024-04"], N // 4)
    frame["w"] = rng.uniform(0.3, 2.5, N)
    frame["branch"] = rng.integers(0, 25, N)
    return frame


def purchases():
    rng = np.random.default_rng(5)
    n = 1_500
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    return pd.DataFrame(
        {
            "customer": rng.integers(0, 200, n),
            "time": days.astype("datetime64[us]"),
            "amount": np.where(rng.random(n) < 0.05, -10.0, rng.gamma(2, 20, n).round(2)),
        }
    )


WIDE = [f"q{i}" for i in range(60)]
WIDE_BOOK = {
    "scale": (1, 7),
    "constructs": {f"D{d}": WIDE[20 * d : 20 * d + 10] for d in range(3)},
    "perception": "{item}",
    "expectation": {f"q{i}": f"q{i + 10}" for i in range(60) if i % 20 < 10},
}


def wide_answers():
    """Return more columns than an engine adds up at ease: 1,830 products, codes in every column."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.integers(1, 8, (300, 60)).astype("int16"), columns=WIDE)
    frame["q7"] = frame["q7"].astype("Int16").where(rng.random(300) > 0.1)
    return frame.assign(group=np.where(np.arange(300) % 2 == 0, "A", "B"))


def codes(frame):
    """Return how often some values occur in each of 60 columns, as a table."""
    counted = value_counts(frame, WIDE, [7, 1, 3, -9])
    return {
        "codes": pd.DataFrame({name: [*x.counts, x.low, x.high] for name, x in counted.items()})
    }


def checked(frame):
    return cx.transactions(frame, today="2025-01-01", refunds="net")


METHODS = {
    "moments": lambda f: cx.moments(f, [*ITEMS, "holed", "bought", "minutes"]),
    "moments by": lambda f: cx.moments(f, [*ITEMS, "holed2"], by="group"),
    "moments weights": lambda f: cx.moments(f, ITEMS, by="group", weights="w"),
    "sem": lambda f: cx.sem(MODEL, f),
    "sem group": lambda f: cx.sem(MODEL, f, group="group"),
    "sem mlr": lambda f: cx.sem(MODEL, f, estimator="mlr"),
    "sem fiml": lambda f: cx.sem("X =~ holed + x2 + x3 + holed2", f, missing="fiml"),
    "sem fiml group": lambda f: cx.sem(
        "X =~ holed + x2 + x3 + holed2", f, missing="fiml", group="group"
    ),
    "sem weights": lambda f: cx.sem(MODEL, f, weights="w", cluster="branch"),
    "sem ordered": lambda f: cx.cfa("X =~ x1 + x2 + x3", f, ordered=True),
    "sem bootstrap": lambda f: cx.sem(MODEL, f).bootstrap(50, seed=2),
    "invariance": lambda f: cx.invariance("X =~ x1 + x2 + x3 + y1", f, "group"),
    "pls": lambda f: cx.pls(MODEL, f, **QUICK),
    "pls mean": lambda f: cx.pls("X =~ holed + x2 + x3\nY =~ y1 + y2\nY ~ X", f, missing="mean",
                                 **QUICK),
    "reliability": lambda f: cx.reliability(f, BOOK, **QUICK),
    "reliability weights": lambda f: cx.reliability(f, BOOK, weights="w", **QUICK),
    "drivers": lambda f: cx.drivers(f, "score", ["x1", "x2", "x3", "holed"], **QUICK),
    "drivers by": lambda f: cx.drivers(f, "score", ["x1", "x2", "group"], by="wave", **QUICK),
    "penalty_reward": lambda f: cx.penalty_reward(f, "score", ["x1", "x2"], low=2, high=6, **QUICK),
    "ordered_logit": lambda f: cx.ordered_logit(f, "y1", ["x1", "x2"]),
    "importance": lambda f: cx.importance_performance(f, ["x1", "x2"], outcome="y1", scale=(1, 7),
                                                      **QUICK),
    "servqual": lambda f: cx.servqual(f, BOOK),
    "servqual by": lambda f: cx.servqual(f, BOOK, {"X": 60, "Y": 40}, by="wave", interval="hall"),
    "servqual clusters": lambda f: cx.servqual(f, BOOK, by="group", cluster="branch"),
    "servqual bca": lambda f: cx.servqual(f, BOOK, interval="bca", **QUICK),
    "servperf": lambda f: cx.servperf(f, BOOK, by="wave"),
    "satisfaction_index": lambda f: cx.satisfaction_index(f, ["x1", "x2"], scale=(1, 7),
                                                          by="group"),
    "nps": lambda f: cx.nps(f, by="group", column="score"),
    "nps weights": lambda f: cx.nps(f, by="wave", column="score", weights="w"),
    "nps clusters": lambda f: cx.nps(f, by="group", column="score", cluster="branch"),
    "csat": lambda f: cx.csat(f, column="holed2", scale=(1, 7)),
    "csat mean": lambda f: cx.csat(f, column="x1", scale=(1, 7), kind="mean", by=["group", "wave"]),
    "ces": lambda f: cx.ces(f, "ease", column="holed", scale=(1, 7)),
    "rate": lambda f: cx.rate(f, column="bought", by="group"),
    "rate blank": lambda f: cx.rate(f, column="bought", by="group", weights="w"),
    "handling time": lambda f: cx.metrics.handling_time(f, "group", column="minutes"),
    "track": lambda f: cx.track(cx.nps(f, by="wave", column="score")),
    "ab_test": lambda f: cx.ab_test(f, outcome="bought", group="group", control="A"),
    "ab_test mean": lambda f: cx.ab_test(
        f, outcome="minutes", group="group", control="A", metric="mean"
    ),
    "ab_test nps": lambda f: cx.ab_test(
        f, outcome="score", group="group", control="A", metric="nps"
    ),
    "nps codebook": lambda f: cx.nps(f, codebook=QUESTIONS),
}  # fmt: skip
QUESTIONS = {
    "scale": (1, 7), "constructs": {"X": ["x1", "x2"]}, "missing": [-9],
    "questions": {"nps": {"kind": "nps", "column": "score"}},
    "groups": {"group": {"same": {"A": "Alpha"}}}, "weights": "w",
}  # fmt: skip
OF_PURCHASES = {
    "transactions": checked,
    "rfm": lambda f: cx.rfm(checked(f)),
    "cohorts": lambda f: cx.cohorts(checked(f)),
    "cohorts week": lambda f: cx.cohorts(checked(f), "week"),
    "concentration": lambda f: cx.concentration(checked(f)),
}
OF_WIDE = {
    "moments": lambda f: cx.moments(f, WIDE),
    "satisfaction_index": lambda f: cx.satisfaction_index(f, WIDE, scale=(1, 7), by="group"),
    "servqual": lambda f: cx.servqual(f, WIDE_BOOK),
    "codes": codes,
}


def numbers(result):
    """Return the tables of a result as frames."""
    if isinstance(result, dict) and all(isinstance(x, pd.DataFrame) for x in result.values()):
        return result
    if isinstance(result, cx.Moments):
        return {"moments": result.table.assign(mean=result.mean, dropped=result.dropped)}
    if isinstance(result, dict):
        return {f"{key}": next(iter(numbers(part).values())) for key, part in result.items()}
    return {name: table.reset_index() for name, table in result.tables().items()}


@pytest.fixture(scope="module")
def expected():
    cache = {}

    def of(name, methods, frame):
        if name not in cache:
            cache[name] = numbers(methods[name](frame))
        return cache[name]

    return of


@pytest.fixture(scope="module")
def tables(request):
    frames, cache = (
        {"answers": answers(), "purchases": purchases(), "wide": wide_answers()},
        {},
    )

    def of(what, engine):
        if (what, engine) not in cache:
            spark = request.getfixturevalue("spark") if engine == "spark" else None
            cache[what, engine] = as_engine(frames[what], engine, spark)
        return cache[what, engine]

    return of


def assert_equal(result, wanted):
    assert list(result) == list(wanted)
    for name, table in result.items():
        left, right = (_plain(x) for x in (table, wanted[name]))
        pd.testing.assert_frame_equal(
            left, right, rtol=EQUAL, atol=EQUAL, check_dtype=False, obj=name
        )


def _plain(frame):
    """Return a frame of plain numbers and texts: what the types of an engine hold."""
    columns = {}
    for i, name in enumerate(frame.columns):
        column = frame.iloc[:, i]
        if pd.api.types.is_numeric_dtype(column.dtype):
            columns[str(name)] = column.to_numpy(float, na_value=np.nan)
        else:
            columns[str(name)] = [None if pd.isna(x) else str(x) for x in column]
    return pd.DataFrame(columns)


@pytest.mark.filterwarnings("ignore::cxstats.ModelWarning")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("method", METHODS)
def test_methods_of_answers(method, engine, tables, expected):
    wanted = expected(method, METHODS, tables("answers", "pandas"))
    assert_equal(numbers(METHODS[method](tables("answers", engine))), wanted)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("method", OF_PURCHASES)
def test_methods_of_purchases(method, engine, tables, expected):
    wanted = expected(method, OF_PURCHASES, tables("purchases", "pandas"))
    assert_equal(numbers(OF_PURCHASES[method](tables("purchases", engine))), wanted)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("method", OF_WIDE)
def test_methods_of_many_columns(method, engine, tables):
    if (method, engine) == ("moments", "sqlframe"):
        pytest.skip("its planner takes twenty seconds for an aggregate of 1,830 products")
    wanted = numbers(OF_WIDE[method](tables("wide", "pandas")))
    assert_equal(numbers(OF_WIDE[method](tables("wide", engine))), wanted)
