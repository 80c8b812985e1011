"""Sizes that outgrow memory: moments, a factor model and metrics of 100 million rows by engine.

A row prints the engine, seconds of wall and of processor time in this process, and the peak of its
memory; of Spark also the processor time of the cluster (two workers of one core and 2 GB on this
machine) and the peak of the driver's Java. `uv run python -m tests.benchmarks.engines polars`
(also duckdb, spark; with a second argument, other millions of rows).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ITEMS, FACTORS, DISTINCT = 20, 4, 5_000_000
MODEL = "\n".join(
    f"F{j} =~ " + " + ".join(f"x{i}" for i in range(5 * j, 5 * j + 5)) for j in range(FACTORS)
)


BOOK = {
    "scale": (1, 7),
    "constructs": {f"F{j}": [f"x{i}" for i in range(5 * j, 5 * j + 5)] for j in range(2)},
    "perception": "{item}",
    "expectation": {f"x{i}": f"x{i + 10}" for i in range(10)},
}


def make(folder: Path, millions: int) -> None:
    """Write 22 columns of whole numbers, up to 5 million distinct rows over and over."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    n = min(DISTINCT, millions * 1_000_000)
    factors = rng.normal(size=(n, FACTORS)).astype(np.float32)
    columns = {}
    for i in range(ITEMS):
        noise = rng.normal(size=n).astype(np.float32)
        columns[f"x{i}"] = np.clip(np.rint(4 + factors[:, i // 5] + noise), 1, 7).astype(np.int8)
    columns["score"] = rng.integers(0, 11, n).astype(np.int8)
    columns["region"] = rng.integers(0, 4, n).astype(np.int8)
    table = pa.table(columns)
    for part in range(max(1, millions * 1_000_000 // n)):
        pq.write_table(table, folder / f"part{part:02}.parquet", row_group_size=500_000)


def calls(table):
    """Return what is timed, by name."""
    import cxstats as cx

    ab = {"group": "region", "control": 0}
    return {
        "moments of 22 columns": lambda: cx.moments(table),
        "factor model of 20 items": lambda: cx.sem(MODEL, table).table,
        "NPS by region": lambda: cx.nps(table, "region", column="score"),
        "CSAT": lambda: cx.csat(table, column="x0", scale=(1, 7)),
        "A/B test of NPS": lambda: cx.ab_test(table, outcome="score", metric="nps", **ab),
        "SERVQUAL of 10 items": lambda: cx.servqual(table, BOOK).table,
        "A/B test of a mean": lambda: cx.ab_test(table, outcome="x1", metric="mean", **ab),
    }


def measure(engine: str, table) -> None:
    for name, call in calls(table).items():
        wall, processor = time.perf_counter(), time.process_time()
        call()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        times = f"{wall:7.1f} s wall, {processor:6.1f} s of the processor here"
        print(f"  {engine:8} {name:26} {times}, load {os.getloadavg()[0]:.1f}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  {engine:8} peak memory of this process {peak:.2f} GB", flush=True)


def on_spark(folder: Path) -> None:
    from tests.core.spark_cluster import Cluster, children

    before = os.times()
    cluster = Cluster(workers=2, memory="2g")
    session = cluster.session("benchmark", **{"spark.executor.memory": "1500m"})
    try:
        measure("spark", session.read.parquet(str(folder)))
        for pid in children(os.getpid()):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
                command = Path(f"/proc/{pid}/cmdline").read_text()
            except FileNotFoundError:  # it has ended since
                continue
            if "SparkSubmit" in command:
                peak = int(status.split("VmHWM:")[1].split()[0]) / 1e6
                print(f"  spark    peak memory of the driver's Java {peak:.2f} GB")
    finally:
        session.stop()
        cluster.stop()
    after = os.times()
    used = sum(after[i] - before[i] for i in (2, 3))
    print(f"  spark    processor time of master, workers and executors {used:.0f} s in all")


def main() -> None:
    engine = sys.argv[1] if len(sys.argv) > 1 else "duckdb"
    millions = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_in_child(folder, millions)  # so that its memory is not counted
        print(f"{millions} million rows of 22 columns, Parquet")
        if engine == "spark":
            on_spark(folder)
        elif engine == "polars":
            import polars as pl

            measure(engine, pl.scan_parquet(folder / "*.parquet"))
        else:
            import cxstats as cx

            measure(engine, cx.open_table(folder))


def make_in_child(folder: Path, millions: int) -> None:
    code = f"from tests.benchmarks.engines import *; make(Path({str(folder)!r}), {millions})"
    subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    main()
