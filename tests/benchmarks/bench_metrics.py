"""Time NPS of 10 million answers in Parquet, by 50 segments and 52 weeks, against pandas.

uv run python tests/benchmarks/bench_metrics.py

Each run is a process of its own; imports are not counted. The peer reads the file with pandas and
groups by, with no interval and no check of the answers, which the package's times include.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import numpy as np

ANSWERS, SEGMENTS, WEEKS, TIMES = 10_000_000, 50, 52, 3
SHARES = [0.04, 0.01, 0.02, 0.03, 0.04, 0.08, 0.08, 0.12, 0.18, 0.16, 0.24]
ENGINES = ("pandas", "polars lazy", "duckdb")


def make(path: Path, codes: bool) -> None:
    """Write answers with names of segments and dates of weeks, or with small whole numbers."""
    import polars as pl

    generator = np.random.default_rng(1)
    segment = pl.Series(generator.integers(0, SEGMENTS, ANSWERS).astype(np.int16))
    week = pl.Series(generator.integers(0, WEEKS, ANSWERS).astype(np.int16))
    if not codes:
        segment = pl.Series([f"Segment {i:02d}" for i in range(SEGMENTS)]).gather(segment)
        days = [date(2026, 1, 5) + timedelta(days=7 * i) for i in range(WEEKS)]
        week = pl.Series(days).gather(week)
    score = generator.choice(11, ANSWERS, p=SHARES).astype(np.int8)
    frame = pl.DataFrame({"segment": segment, "week": week, "score": score})
    frame.write_parquet(path)


def by_pandas(path: str) -> np.ndarray:
    import pandas as pd

    frame = pd.read_parquet(path)
    value = (frame["score"] >= 9).astype("int8") - (frame["score"] <= 6).astype("int8")
    table = value.groupby([frame["segment"], frame["week"]]).agg(["mean", "var", "size"])
    # The variance has divisor n - 1; the package's n.
    se = np.sqrt(table["var"] * (table["size"] - 1) / table["size"] / table["size"])
    return np.column_stack([100 * table["mean"], 100 * se, table["size"]])


def measure(engine: str, path: str) -> dict[str, float]:
    import duckdb
    import narwhals  # noqa: F401  (imports are not what is measured)
    import pandas  # noqa: F401
    import polars as pl
    import pyarrow.parquet  # noqa: F401
    import scipy.special  # noqa: F401

    from cxstats import metrics

    def ours(table: object) -> np.ndarray:
        found = metrics.nps(table, ["segment", "week"], column="score").table
        return found[["estimate", "se", "n"]].to_numpy(float)

    calls = {
        "pandas": lambda: by_pandas(path),
        "polars lazy": lambda: ours(pl.scan_parquet(path)),
        "duckdb": lambda: ours(duckdb.read_parquet(path)),
    }
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    table = calls[engine]()
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss / 1e6
    np.save(f"{path}.{engine}.npy", table)
    return {"seconds": seconds, "cpu": cpu, "peak": peak}


def main() -> None:
    if len(sys.argv) == 3:
        print(json.dumps(measure(*sys.argv[1:])))
        return
    for codes in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answers.parquet"
            make(path, codes)
            kind = "whole numbers" if codes else "names and dates"
            print(f"NPS of {ANSWERS:,} answers, {SEGMENTS} x {WEEKS} groups of {kind}")
            compare(path)


def compare(path: Path) -> None:
    found: dict[str, list[dict[str, float]]] = {engine: [] for engine in ENGINES}
    for _ in range(TIMES):  # in turn, so that a busy machine slows all of them
        for engine in ENGINES:
            command = [sys.executable, __file__, engine, str(path)]
            found[engine].append(json.loads(subprocess.check_output(command)))
    base = median(run["seconds"] for run in found["pandas"])
    for engine, runs in found.items():
        seconds, cpu, peak = (median(run[key] for run in runs) for key in runs[0])
        print(
            f"  {engine:12} {seconds:.2f} s ({base / seconds:.1f} times as fast as pandas), "
            f"{cpu:.2f} s of processor, peak memory {peak:.2f} GB"
        )
    tables = {engine: np.load(f"{path}.{engine}.npy") for engine in ENGINES}
    for engine in ENGINES[1:]:
        assert np.allclose(tables[engine], tables["pandas"], rtol=1e-12, atol=1e-12), engine


if __name__ == "__main__":
    main()
