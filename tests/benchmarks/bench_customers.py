"""Time the methods of customers on ten million transactions, and lifetime value against lifetimes.

uv run python tests/benchmarks/bench_customers.py             # all
uv run python tests/benchmarks/bench_customers.py 1000000     # as many transactions

Each run is a process of its own; imports are not counted. Segments, concentration and cohorts are
those of one million customers (a tenth of the transactions), from a Parquet file; all engines have
to give the same numbers. Lifetime value (BG/NBD and Gamma-Gamma, with intervals for every customer)
is set against the package lifetimes, which gives the estimates alone.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 10_000_000
ENGINES = ("polars lazy", "duckdb", "pandas")
MODELS = ("cxstats", "lifetimes")
FIRST = pd.Timestamp("2023-01-01")


def purchases(n_rows: int, seed: int = 1) -> pd.DataFrame:
    """Return transactions of n / 10 customers over two years."""
    rng = np.random.default_rng(seed)
    n = n_rows // 10
    customer = np.minimum((n * rng.beta(0.8, 1.2, n_rows)).astype(np.int64), n - 1)
    day = rng.integers(0, 730, n_rows)
    amount = rng.lognormal(3, 1, n_rows).round(2)
    time_ = FIRST + pd.to_timedelta(day, "D")
    return pd.DataFrame({"customer": customer, "time": time_, "amount": amount})


def customers(n: int, seed: int = 2) -> pd.DataFrame:
    """Return a summary of n customers who follow the models, in days."""
    from cxstats.customers import bg_nbd

    rng = np.random.default_rng(seed)
    drawn = bg_nbd.simulate((0.7, 42.0, 0.8, 2.5), rng.integers(462, 547, n).astype(float), rng)
    x = drawn.frequency
    money = rng.gamma(6 * np.maximum(x, 1)) / rng.gamma(4, 1 / 15, n) / np.maximum(x, 1)
    columns = {"frequency": x, "recency": np.ceil(drawn.recency), "age": drawn.age}
    return pd.DataFrame(columns | {"money": np.where(x > 0, money, 0)})


def tables(path: str, engine: str) -> np.ndarray:
    """Return the numbers of segments, concentration and cohorts."""
    import duckdb
    import polars as pl

    import cxstats as cx

    read = {"pandas": pd.read_parquet, "polars lazy": pl.scan_parquet,
            "duckdb": duckdb.read_parquet}[engine]  # fmt: skip
    checked = cx.transactions(read(path), today="2026-01-01")
    rows = [cx.rfm(checked).table, cx.concentration(checked).table, cx.cohorts(checked).table]
    return np.concatenate([frame.select_dtypes("number").to_numpy(float).ravel() for frame in rows])


def lifetime(path: str, model: str) -> np.ndarray:
    """Return r, alpha, a and b."""
    frame = pd.read_parquet(path)
    if model == "cxstats":
        import cxstats as cx

        return cx.lifetime_value(frame, 273, unit="day").parameters["estimate"].to_numpy()[:4]
    warnings.simplefilter("ignore")
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    fitter = BetaGeoFitter()
    fitter.fit(frame["frequency"], frame["recency"], frame["age"])
    again = frame[(frame["frequency"] > 0) & (frame["money"] > 0)]
    spend = GammaGammaFitter()
    spend.fit(again["frequency"], again["money"])
    spend.customer_lifetime_value(
        fitter, frame["frequency"], frame["recency"], frame["age"], frame["money"], time=9, freq="D"
    )  # fmt: skip
    return fitter.params_[["r", "alpha", "a", "b"]].to_numpy()


def measure(name: str, path: str) -> dict[str, float]:
    """Return seconds, seconds of the processor and gigabytes at the peak."""
    import duckdb  # noqa: F401  (imports are not what is measured)
    import narwhals  # noqa: F401
    import polars  # noqa: F401
    import scipy.optimize
    import scipy.stats  # noqa: F401

    import cxstats as cx

    cx.transactions(pd.DataFrame({"customer": [1], "time": [FIRST], "amount": [1.0]}))
    call = lifetime if name in MODELS else tables
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    numbers = call(path, name)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    np.save(f"{path}.{name}.npy", numbers)
    return {"seconds": seconds, "cpu": cpu, "peak": after.ru_maxrss / 1e6}


def compare(names: tuple[str, ...], path: str, tolerance: float) -> None:
    """Run each in a process of its own, print the table, and see that the numbers agree."""
    for name in names:
        run = json.loads(subprocess.check_output([sys.executable, __file__, name, path]))
        print(f"{name:12} {run['seconds']:8.1f} {run['cpu']:10.1f} {run['peak']:6.2f}", flush=True)
    numbers = [np.load(f"{path}.{name}.npy") for name in names]
    for other in numbers[1:]:
        np.testing.assert_allclose(other, numbers[0], rtol=tolerance)
    print("numbers agree")


def main(n_rows: int) -> None:
    """Write both files, run everything and print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/transactions.parquet"
        purchases(n_rows).to_parquet(path, index=False)
        print(f"{n_rows:,} transactions{'':3} {'s':>8} {'s of CPU':>10} {'GB':>6}", flush=True)
        compare(ENGINES, path, 1e-9)
        path = f"{folder}/customers.parquet"
        customers(n_rows // 10).to_parquet(path, index=False)
        print(f"{n_rows // 10:,} customers, lifetime value", flush=True)
        compare(MODELS, path, 0.02)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], str(Path(sys.argv[2])))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
