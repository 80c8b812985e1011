"""Time the measured journey of five million clicks in Parquet, against pandas.

uv run python tests/benchmarks/bench_clicks.py

Each run is a process of its own; imports are not counted. The peer reads the file with pandas and
computes stages, drop-off and times per stage, with no interval and no check of the log, which the
package's times include.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from cxstats.datasets.simulate_clickstream import EVENTS

USERS = 205_000  # some five million events
ENGINES = ("pandas", "polars lazy", "duckdb")
COLUMNS = {"user": "user_id", "session": "session_id", "time": "timestamp", "event": "event"}


def by_pandas(path: str) -> np.ndarray:
    """Return drop-off and mean minutes of each stage."""
    import pandas as pd

    frame = pd.read_parquet(path)
    frame = frame.sort_values(["session_id", "timestamp"], kind="stable")
    following = frame.groupby("session_id")["timestamp"].shift(-1)
    frame["gap"] = (following - frame["timestamp"]).dt.total_seconds() / 60
    by = frame.groupby(["session_id", "event"])["gap"].agg(["sum", "size", "count"])
    first = by["size"].unstack()[list(EVENTS)].notna().to_numpy()
    minutes = by["sum"].unstack()[list(EVENTS)].to_numpy()
    stays = (by["size"] > by["count"]).unstack()[list(EVENTS)].fillna(False).to_numpy(bool)
    drop = 1 - (first[:, 1:] & first[:, :-1]).sum(axis=0) / first[:, :-1].sum(axis=0)
    goes_on = first[:, :-1] & ~stays[:, :-1]
    means = [minutes[rows, k].mean() for k, rows in enumerate(goes_on.T)]
    return np.r_[drop, means]


def measure(engine: str, path: str) -> dict[str, float]:
    """Return seconds, seconds of the processor and gigabytes at the peak."""
    import duckdb
    import narwhals  # noqa: F401  (imports are not what is measured)
    import pandas  # noqa: F401
    import polars as pl
    import pyarrow.parquet  # noqa: F401
    import scipy.special  # noqa: F401

    import cxstats as cx

    def ours(table: object) -> np.ndarray:
        rows = cx.measured_journey(table, list(EVENTS), **COLUMNS).table
        chosen = rows[rows["measure"].isin(["drop_off", "time"])]
        return chosen["estimate"].to_numpy(float)

    calls = {
        "pandas": lambda: by_pandas(path),
        "polars lazy": lambda: ours(pl.scan_parquet(path)),
        "duckdb": lambda: ours(duckdb.read_parquet(path)),
    }
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    estimates = calls[engine]()
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    np.save(f"{path}.{engine}.npy", estimates)
    return {"seconds": seconds, "cpu": cpu, "peak": after.ru_maxrss / 1e6}


def main() -> None:
    """Write the log, run every engine and print the table."""
    import polars as pl

    import cxstats as cx

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/clicks.parquet"
        clicks = cx.simulate_clickstream(USERS, seed=1)
        pl.from_pandas(clicks).write_parquet(path)
        print(f"{len(clicks):,} events, {clicks['session_id'].nunique():,} sessions")
        del clicks
        estimates = {}
        print(f"{'':12} {'s':>8} {'s of CPU':>10} {'GB':>6}")
        for engine in ENGINES:
            command = [sys.executable, __file__, engine, path]
            run = json.loads(subprocess.check_output(command))
            estimates[engine] = np.load(f"{path}.{engine}.npy")
            print(f"{engine:12} {run['seconds']:8.1f} {run['cpu']:10.1f} {run['peak']:6.2f}")
        for engine in ENGINES[1:]:
            np.testing.assert_allclose(estimates[engine], estimates["pandas"], rtol=1e-9)
        print("drop-off and times agree")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], str(Path(sys.argv[2])))))
    else:
        main()
