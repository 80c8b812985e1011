"""Time the moments of 5 million respondents against pandas, in one run, with peak memory.

uv run python tests/benchmarks/bench_moments.py
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

ITEMS, RESPONDENTS, TIMES, MISSING = 22, 5_000_000, 3, 0.002


def make(path: Path, missing: float) -> None:
    import polars as pl

    generator = np.random.default_rng(1)
    columns = []
    for i in range(ITEMS):
        answers = pl.Series(f"x{i}", generator.integers(1, 8, RESPONDENTS).astype(np.int8))
        if missing:
            lost = pl.Series(generator.random(RESPONDENTS) < missing)
            answers = answers.to_frame().select(pl.when(~lost).then(pl.col(f"x{i}"))).to_series()
        columns.append(answers.alias(f"x{i}"))
    pl.DataFrame(columns).write_parquet(path)


def measure(engine: str, path: str) -> dict[str, float]:
    """Time one engine in this process: the first call, as a user meets it, and the best of five."""
    import duckdb
    import narwhals  # noqa: F401  (imports are not what is measured)
    import pandas as pd
    import polars as pl
    import pyarrow.parquet  # noqa: F401

    import cxstats as cx

    calls = {
        "pandas": lambda: pd.read_parquet(path).cov().to_numpy(),
        "polars lazy": lambda: cx.moments(pl.scan_parquet(path)).cov,
        "duckdb": lambda: cx.moments(duckdb.sql(f"select * from '{path}'")).cov,
    }
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        cov = calls[engine]()
        times.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    total = float(np.abs(cov).sum())
    return {"first": times[0], "best": min(times), "peak": peak, "total": total}


def main() -> None:
    if len(sys.argv) == 3:
        print(json.dumps(measure(*sys.argv[1:])))
        return
    for missing in (0.0, MISSING):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answers.parquet"
            make(path, missing)
            gaps = f"{missing:.1%} of the answers missing" if missing else "complete"
            print(f"covariances of {RESPONDENTS:,} x {ITEMS} answers from Parquet, {gaps}")
            compare(path, complete=not missing)


def compare(path: Path, complete: bool) -> None:
    found: dict[str, dict[str, float]] = {}
    for engine in ("pandas", "polars lazy", "duckdb"):
        command = [sys.executable, __file__, engine, str(path)]
        runs = [json.loads(subprocess.check_output(command)) for _ in range(TIMES)]
        found[engine] = {key: median(run[key] for run in runs) for key in runs[0]}
        first, best = (found["pandas"][key] / found[engine][key] for key in ("first", "best"))
        print(
            f"  {engine:12} first call {found[engine]['first']:.2f} s ({first:.1f} times as fast "
            f"as pandas), best {found[engine]['best']:.2f} s ({best:.1f} times), "
            f"peak memory {found[engine]['peak']:.2f} GB"
        )
    # With gaps pandas takes pairs of answers, we take complete respondents: close, not equal.
    totals = [entry["total"] for entry in found.values()]
    assert np.allclose(totals, totals[0], rtol=1e-10 if complete else 1e-2), totals


if __name__ == "__main__":
    main()
