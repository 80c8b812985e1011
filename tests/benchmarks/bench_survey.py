"""Time reading, checking and cleaning of large files, and questionnaires of many items.

uv run python tests/benchmarks/bench_survey.py

Each case is a process of its own; imports are not counted. The peer of reading is
`pandas.read_csv`, that of checking and cleaning is `pandas.DataFrame.describe` of the same answers
as numbers, and that of a questionnaire is `yaml.safe_load` of the same file.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

ROWS, ITEMS, QUESTIONS = 1_000_000, 60, 10_000
LABELS = ["strongly disagree", "disagree", "rather disagree", "neither", "rather agree", "agree",
          "strongly agree"]  # fmt: skip
NAMES = [f"q{j}" for j in range(ITEMS)]
CASES = ("check", "clean")
KINDS = ("numbers", "strays", "labels", "categories")


def answers(kind: str):
    """Return answers from 1 to 7 with 1 % of gaps; also with 0.1 % of strays, or in words."""
    import pandas as pd

    generator = np.random.default_rng(1)
    columns = {}
    for name in NAMES:
        values = generator.integers(1, 8, ROWS).astype(float)
        if kind == "strays":
            values[generator.random(ROWS) < 0.001] = 9
        gaps = generator.random(ROWS) < 0.01
        if kind in ("numbers", "strays"):
            values[gaps] = np.nan
            columns[name] = pd.Series(values)
        else:
            codes = np.where(gaps, -1, values.astype(int) - 1)
            cells = pd.Series(pd.Categorical.from_codes(codes, LABELS))
            columns[name] = cells if kind == "categories" else cells.astype("str")
    return pd.DataFrame(columns, copy=False)


def codebook():
    from cxstats.survey.codebook import Codebook

    constructs = {f"C{c}": NAMES[10 * c : 10 * c + 10] for c in range(ITEMS // 10)}
    words = dict(zip(LABELS, range(1, 8), strict=True))
    return Codebook(scale=(1, 7), constructs=constructs, reverse=NAMES[::3], answers=words)


def timed(call) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - processor


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def told(name: str, ours: tuple[float, float], peer: tuple[float, float], at_most: float) -> None:
    print(
        f"{name:22s} {ours[0]:6.1f} s, {ours[1]:6.1f} s of the processor, "
        f"{ours[1] / max(peer[1], 1e-9):5.1f} times the peer, {at_most:.2f} GB at most",
        flush=True,
    )


def table(operation: str, kind: str) -> None:
    import cxstats as cx

    frame, book = answers(kind), codebook()
    call = {
        "check": lambda: len(cx.check(frame, book).problems),
        "clean": lambda: cx.clean(frame, book, on_error="missing"),
    }[operation]
    cx.clean(frame.iloc[:2], book, on_error="missing")  # imports are not what is measured
    ours = timed(call)
    at_most = peak()
    numbers = frame if kind in ("numbers", "strays") else answers("numbers")
    told(f"{operation} {kind}", ours, timed(numbers.describe), at_most)


def write(path: Path) -> None:
    """Write answers in words and numbers, comments and identifiers, about 200 MB."""
    import pandas as pd

    generator, n = np.random.default_rng(1), 850_000
    columns = {"id": [f"R{i:07d}" for i in range(n)]}
    for j in range(12):
        columns[f"words{j}"] = np.array([*LABELS, ""])[generator.integers(0, 8, n)]
        columns[f"number{j}"] = generator.integers(1, 8, n)
    words = np.array(["good", "bad", "service", "slow", "fast,", "the branch", "很好", "app"])
    columns["comment"] = [" ".join(row) for row in words[generator.integers(0, 8, (n, 6))]]
    pd.DataFrame(columns).to_csv(path, index=False)


def reading(path: str) -> None:
    import pandas as pd

    from cxstats.survey.read import read_survey

    warnings.simplefilter("ignore")
    ours = timed(lambda: read_survey(path))
    at_most = peak()
    size = Path(path).stat().st_size / 1e6
    told(f"read {size:.0f} MB", ours, timed(lambda: pd.read_csv(path)), at_most)


def questionnaire(folder: str) -> None:
    import pandas as pd
    import yaml

    import cxstats as cx
    from cxstats.survey.codebook import Codebook

    items = [f"item{j}" for j in range(QUESTIONS)]
    constructs = {f"C{c}": items[10 * c : 10 * c + 10] for c in range(QUESTIONS // 10)}
    book = Codebook(scale=(1, 7), constructs=constructs, reverse=items[::3])
    file = Path(folder, "book.yml")
    book.write(file)
    values = np.random.default_rng(1).integers(1, 8, (200, QUESTIONS))
    frame = pd.DataFrame(values, columns=items)
    cx.check(frame.iloc[:, :10], Codebook(scale=(1, 7), constructs={"C0": items[:10]}))
    peer = timed(lambda: yaml.safe_load(file.read_text(encoding="utf-8")))
    calls = {
        "construct": lambda: Codebook(scale=(1, 7), constructs=constructs, reverse=items[::3]),
        "read": lambda: Codebook.read(file),
        "columns": book.columns,
        "check": lambda: cx.check(frame, book),
        "clean": lambda: cx.clean(frame, book),
    }
    for name, call in calls.items():
        told(f"{QUESTIONS:,} items, {name}", timed(call), peer, peak())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "survey.csv")
        runs = [["table", case, kind] for kind in KINDS for case in CASES]
        runs += [["write", str(path)], ["reading", str(path)], ["questionnaire", folder]]
        for run in runs:
            subprocess.run([sys.executable, __file__, *run], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["table"]:
        table(*sys.argv[2:])
    elif sys.argv[1:2] == ["write"]:
        write(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["reading"]:
        reading(sys.argv[2])
    elif sys.argv[1:2] == ["questionnaire"]:
        questionnaire(sys.argv[2])
    else:
        main()
