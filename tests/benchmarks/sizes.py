"""Sizes at which work used to break: seconds of the processor and peak memory of each.

    OMP_NUM_THREADS=1 uv run python -m tests.benchmarks.sizes [row ...]

Each row runs in a process of its own, so that its peak of memory is its own. lavaan joins where
Rscript finds it.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(library, "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

LAVAAN = """
suppressMessages(library(lavaan)); a <- commandArgs(TRUE)
d <- read.csv(a[1]); m <- paste(readLines(a[2]), collapse = "\\n")
s <- system.time(sem(m, d, missing = "ml")); cat(s[1] + s[2], "\\n")
"""


def items(n_items: int, n: int, per: int = 4, groups: int = 0) -> tuple[str, pd.DataFrame]:
    """Return a factor model of so many items, `per` a factor, and answers to it."""
    generator = np.random.default_rng(1)
    k = n_items // per
    factors = generator.multivariate_normal(np.zeros(k), 0.4 + 0.6 * np.eye(k), n)
    x = np.repeat(factors, per, axis=1) * generator.uniform(0.5, 0.9, n_items)
    frame = pd.DataFrame(x + 0.6 * generator.normal(size=(n, n_items)))
    frame.columns = [f"x{i}" for i in range(n_items)]
    if groups:
        frame["g"] = np.arange(n) % groups
    lines = [f"f{j} =~ " + " + ".join(f"x{j * per + i}" for i in range(per)) for j in range(k)]
    return "\n".join(lines), frame


def measured(name: str, work: Callable[[], Any]) -> float:
    """Print what a piece of work took; return its seconds of the processor."""
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work()
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{name:58} {seconds:8.2f} s {peak:6.2f} GB", flush=True)
    return seconds


def indices_120() -> None:
    """Modification indices and residuals of 120 items."""
    import cxstats as cx

    fit = cx.sem(*items(120, 1_000, per=20))
    measured("modification indices, 120 items", fit.modification_indices)
    measured("residuals, 120 items", lambda: fit.residuals)


def _fiml(n_items: int) -> None:
    import cxstats as cx

    cx.sem(*items(8, 300), missing="fiml")  # imports
    model, frame = items(n_items, 1_000)
    frame = frame.mask(np.random.default_rng(3).random(frame.shape) < 0.1)
    name = f"FIML, 10 % missing, {n_items} items, n = 1,000"
    ours = measured(name, lambda: cx.sem(model, frame, missing="fiml").table)
    if shutil.which("Rscript") and n_items <= 40:  # 60 items take lavaan many minutes
        with tempfile.TemporaryDirectory() as folder:
            data, text, script = (Path(folder) / part for part in ("d.csv", "m.lav", "fiml.R"))
            frame.to_csv(data, index=False)
            text.write_text(model, encoding="utf-8")
            script.write_text(LAVAAN, encoding="utf-8")
            command = ["Rscript", str(script), str(data), str(text)]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if not ran.returncode:
            theirs = float(ran.stdout)
            print(f"{'':4}lavaan, sem() alone: {theirs:.1f} s, {theirs / ours:.0f} times ours")


def fiml_20() -> None:
    """FIML of 20 items."""
    _fiml(20)


def fiml_40() -> None:
    """FIML of 40 items."""
    _fiml(40)


def fiml_60() -> None:
    """FIML of 60 items."""
    _fiml(60)


def invariance_30() -> None:
    """Four steps of invariance, 30 groups of 200, 20 items."""
    import cxstats as cx

    model, frame = items(20, 6_000, groups=30)
    measured("invariance, 30 groups, 20 items", lambda: cx.invariance(model, frame, "g").table)


def _ratings(n: int, p: int) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    x = 4 + 0.8 * generator.normal(size=(n, 1)) + generator.normal(size=(n, p))
    frame = pd.DataFrame(np.clip(np.round(x), 1, 7), columns=[f"x{i}" for i in range(p)])
    return frame.assign(y=np.round(x[:, :5].mean(axis=1) + generator.normal(size=n)))


def drivers_by_number() -> None:
    """Shapley values with intervals: what further drivers cost, n = 1,000."""
    import cxstats as cx

    cx.drivers(_ratings(1_000, 3), "y", ["x0", "x1", "x2"])  # imports
    for p in (8, 10, 12, 13, 14, 16, 18, 20, 21, 25, 40):
        frame = _ratings(1_000, p)
        names = [f"x{i}" for i in range(p)]
        measured(f"drivers, {p} of them, n = 1,000", lambda f=frame, k=names: cx.drivers(f, "y", k))


def drivers_1e6() -> None:
    """Ten drivers of a million respondents."""
    import cxstats as cx

    frame = _ratings(1_000_000, 10)
    names = [f"x{i}" for i in range(10)]
    measured("drivers, 10 of them, n = 1,000,000", lambda: cx.drivers(frame, "y", names))


def moments_groups() -> None:
    """Moments of 22 columns of a million rows, by group; pandas beside it."""
    import cxstats as cx

    generator = np.random.default_rng(1)
    values = generator.integers(1, 8, (1_000_000, 22)).astype(np.int8)
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(22)])
    for groups in (10, 1_000, 20_000):
        frame["g"] = generator.integers(0, groups, len(frame))
        measured(f"moments, {groups:,} groups", lambda: cx.moments(frame, by="g"))
    few = frame[frame["g"] < 200]
    ours = measured("moments, 200 groups of 50", lambda: cx.moments(few, by="g"))
    theirs = measured("  pandas, groupby.cov", lambda: few.groupby("g").cov())
    print(f"{'':4}ratio {theirs / ours:.1f}")


def _reliability(n: int) -> None:
    import cxstats as cx

    generator = np.random.default_rng(1)
    factors = generator.multivariate_normal(np.zeros(10), 0.4 + 0.6 * np.eye(10), n)
    x = 4 + 0.9 * np.repeat(factors, 6, axis=1) + generator.normal(size=(n, 60))
    frame = pd.DataFrame(np.clip(np.round(x), 1, 7), columns=[f"x{i}" for i in range(60)])
    constructs = {f"C{j}": [f"x{6 * j + i}" for i in range(6)] for j in range(10)}
    book = cx.Codebook(scale=(1, 7), constructs=constructs)
    measured(f"reliability, 60 items, n = {n:,}", lambda: cx.reliability(frame, book))


def reliability_1e4() -> None:
    """Reliability of 60 items, ten thousand respondents, by resamples."""
    _reliability(10_000)


def reliability_1e5() -> None:
    """Reliability of 60 items, a hundred thousand respondents."""
    _reliability(100_000)


def reliability_1e6() -> None:
    """Reliability of 60 items, a million respondents."""
    _reliability(1_000_000)


def servqual_1e6() -> None:
    """SERVQUAL of 22 items, a million respondents; intervals of t and of the bootstrap."""
    import cxstats as cx

    frame, book = cx.simulate_servqual(1_000_000, seed=1)
    measured("servqual, n = 1,000,000", lambda: cx.servqual(frame, book))
    measured("  the same, bca", lambda: cx.servqual(frame, book, interval="bca"))


def kano_1e6() -> None:
    """Three features of Kano, a million respondents."""
    import cxstats as cx

    frame = cx.simulate_kano(1_000_000, seed=1)
    names = ["App", "Hotline", "Refund"]
    measured("kano, 3 features, n = 1,000,000", lambda: cx.kano(frame, names))


def survey_rows() -> None:
    """Check and clean of 22 items in two roles: seconds should grow as rows do."""
    import cxstats as cx

    for n in (10_000, 100_000, 400_000):
        frame, book = cx.simulate_servqual(n, seed=1)
        measured(f"check, n = {n:,}", lambda f=frame, b=book: cx.check(f, b))
        measured(f"clean, n = {n:,}", lambda f=frame, b=book: cx.clean(f, b))


def _answers_csv(file: str, encoding: str) -> None:
    """Write a million rows of 60 columns: numbers, answers in words, dates, ids, comments."""
    import polars as pl

    generator, n = np.random.default_rng(1), 1_000_000
    cities = ["北京", "上海", "广州", "Shenzhen, South", 'the "old" town']
    agreed = ["No", "hardly", "Neither", "yes", "agree", ""]
    said = ["服务很好", "等了很久，not good", 'The clerk said "wait", then left', "第一行\n第二行"]
    columns: dict[str, Any] = {
        "id": np.char.mod("%07d", np.arange(n)),
        "begun": np.datetime64("2025-01-01T08:00:00", "ms") + 1_000 * np.arange(n),
        "seconds": generator.gamma(2, 200, n).round(2),
        "city": np.array(cities)[generator.integers(0, 5, n)],
        "comment": np.char.add(
            np.array(said)[generator.integers(0, 4, n)],
            np.char.mod(" %d", generator.integers(0, 200_000, n)),
        ),
        "email": np.array(["yes", "no", None])[generator.integers(0, 3, n)],
    }
    for j in range(12):
        columns[f"agree{j}"] = np.array(agreed)[generator.integers(0, 6, n)]
    for j in range(42):
        columns[f"x{j}"] = generator.integers(0, 101 if j < 8 else 11, n)
    frame = pl.DataFrame(columns, strict=False)
    gaps = pl.int_range(pl.len()) % 10 == 0
    frame = frame.with_columns(pl.when(~gaps).then(pl.col("^x[0-9]$")))
    frame.write_csv(file, datetime_format="%Y-%m-%d %H:%M:%S")
    if encoding != "utf-8":
        path = Path(file)
        path.write_bytes(path.read_bytes().decode().encode(encoding))


def csv_240mb() -> None:
    """A csv file of a million respondents and 60 columns, in UTF-8 and GB18030."""
    import cxstats as cx

    with tempfile.TemporaryDirectory() as folder:
        for encoding in ("utf-8", "gb18030"):
            file = Path(folder, f"{encoding}.csv")
            # Made elsewhere, so that its memory is not counted.
            make = (
                "import sys; from tests.benchmarks import sizes; sizes._answers_csv(*sys.argv[1:])"
            )
            subprocess.run([sys.executable, "-c", make, str(file), encoding], check=True)
            name = f"read_survey, csv of {file.stat().st_size / 1e6:.0f} MB, {encoding}"
            measured(name, lambda f=file: cx.read_survey(f))


def _answers_workbook(file: str) -> None:
    """Write 100,000 rows of 60 columns: ids, times, regions, comments and answers from 1 to 7."""
    import xlsxwriter

    answers = np.random.default_rng(1).integers(1, 8, (100_000, 56))
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    page, moment = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    page.write_row(0, 0, ["id", "begun", "region", "comment", *(f"Q{j}" for j in range(56))])
    for i, row in enumerate(answers.tolist()):
        page.write_string(i + 1, 0, f"R{i:06}")
        page.write_number(i + 1, 1, 46_000 + i / 1_440, moment)
        page.write_row(i + 1, 2, ["东南西北"[i % 4], f"comment {i % 977}", *row])
    book.close()


def xlsx_100k() -> None:
    """A workbook of 100,000 respondents and 60 columns."""
    import cxstats as cx

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "answers.xlsx")
        make = (
            "import sys; from tests.benchmarks import sizes; sizes._answers_workbook(sys.argv[1])"
        )
        subprocess.run([sys.executable, "-c", make, str(file)], check=True)
        measured("read_survey, workbook of 100,000 x 60", lambda: cx.read_survey(file))


def moments_5m() -> None:
    """Moments of 5 million x 22 answers of one byte from Parquet, both cores; pandas in turn."""
    import polars as pl
    from threadpoolctl import threadpool_limits

    import cxstats as cx
    from tests.benchmarks.bench_moments import MISSING

    def ours(path: Path) -> Any:
        return cx.moments(pl.scan_parquet(path))

    def theirs(path: Path) -> Any:
        return pd.read_parquet(path).cov()

    def wall_time(work: Callable[[Path], Any], path: Path) -> float:
        began = time.perf_counter()
        work(path)
        return time.perf_counter() - began

    with tempfile.TemporaryDirectory() as folder, threadpool_limits(os.cpu_count()):
        paths = {share: Path(folder, f"{share}.parquet") for share in (0.0, MISSING)}
        for share, path in paths.items():
            make = (
                f"from tests.benchmarks import bench_moments as b; b.make({str(path)!r}, {share})"
            )
            subprocess.run([sys.executable, "-c", make], check=True)
            measured(f"moments, 5 million x 22, {share:.1%} missing", lambda p=path: ours(p))
        for share, path in paths.items():  # after ours: pandas takes ten times the memory
            pairs = [(wall_time(ours, path), wall_time(theirs, path)) for _ in range(5)]
            mine, pandas = (min(times) for times in zip(*pairs, strict=True))
            print(f"    {share:.1%} missing, wall time: pandas {pandas:.2f} s, ours {mine:.2f} s, "
                  f"{pandas / mine:.1f} times")  # fmt: skip


ROWS = (
    indices_120, fiml_20, fiml_40, fiml_60, invariance_30, drivers_by_number, drivers_1e6,
    moments_groups, reliability_1e4, reliability_1e5, reliability_1e6, servqual_1e6, kano_1e6,
    survey_rows, csv_240mb, xlsx_100k, moments_5m,
)  # fmt: skip


def main(names: list[str]) -> None:
    """Run the rows named, or all, each in a process of its own."""
    rows = {row.__name__: row for row in ROWS}
    if len(names) == 1:
        rows[names[0]]()
        return
    for name in names or rows:
        subprocess.run([sys.executable, "-m", "tests.benchmarks.sizes", name], check=False)


if __name__ == "__main__":
    main(sys.argv[1:])
