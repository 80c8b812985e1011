"""Measure the coverage of every interval and write the table."""

from __future__ import annotations

import argparse
import csv
import time
import warnings
import zlib
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import cxstats as cx
from tests.coverage import SIZES, Interval, says
from tests.coverage.intervals import INTERVALS
from tests.page_in_chinese import write_both

TABLE = Path(__file__).with_name("coverage.csv")
TEXTS = Path(__file__).with_name("page_texts.csv")
PAGE = Path(__file__).parents[2] / "notebooks" / "pages" / "coverage.md"
ALLOWED = (93.5, 96.5)  # per cent within which a 95 % interval keeps what it says
OFTEN = 90  # per cent of samples in which a result says something, to say that it does
HEAD = """# Do 95 % intervals cover?

Share of 95 % intervals that hold the truth, in per cent, with its Monte-Carlo error: {samples}
samples from populations whose truth is known, every kind of interval that the package prints, n
respondents or customers (of each group, where there are two). Bold: outside 93.5 to 96.5 %. †: the
result itself says, at this n, that the interval is not known to cover, or is rough. "Refused": too
few answers, and the message says so. Measured {dates}; `uv run python -m tests.coverage` makes the
table again and writes this page.

| interval | {sizes} |
|{rule}
{lines}
"""
HEADS = ("interval", "n", "coverage", "error", "low", "high", "said", "refused", "samples", "date")


def measure(interval: Interval, n: int, samples: int) -> dict[str, Any]:
    """Return a row of the table.

    ``coverage`` is in per cent, with its Monte-Carlo error; ``low`` and ``high`` are the per cent
    of intervals that lie wholly above, or below, the truth; ``said`` and ``refused`` the per cent
    of samples in which the result itself says that it is not to be trusted, or there is none.
    An interval that is not given (NaN) counts as refused.
    """
    warnings.simplefilter("ignore")
    truth = np.atleast_1d(np.asarray(interval.truth, float))
    covered, above, below, given, said, refused = 0, 0, 0, 0, 0, 0
    seed = zlib.crc32(interval.name.encode())
    for i in range(samples):
        try:
            result, low, high = interval.limits(np.random.default_rng([seed, n, i]), n)
        except cx.CxError:
            refused += 1
            continue
        low, high = (np.asarray(x, float).reshape(truth.shape) for x in (low, high))
        there = np.isfinite(low) & np.isfinite(high)
        given += int(there.sum())
        covered += int((there & (low <= truth) & (truth <= high)).sum())
        above += int((there & (low > truth)).sum())
        below += int((there & (high < truth)).sum())
        said += says(result)
        refused += not there.any()
    share = covered / given if given else float("nan")
    # Intervals of one sample go together: the error is that of as many samples, which is cautious.
    answered = max(samples - refused, 1)
    error = np.sqrt(share * (1 - share) / answered)
    percent = [share, error, above / max(given, 1), below / max(given, 1)]
    return {
        "interval": interval.name,
        "n": n,
        **dict(zip(HEADS[2:6], (f"{100 * x:.1f}" for x in percent), strict=True)),
        "said": f"{min(100 * said / answered, 100):.0f}",
        "refused": f"{100 * refused / samples:.0f}",
        "samples": samples,
        "date": date.today().isoformat(),
    }


def _cell(at: tuple[int, int, int]) -> tuple[dict[str, Any], float]:
    index, n, samples = at
    start = time.perf_counter()
    return measure(INTERVALS[index], n, samples), time.perf_counter() - start


def main() -> None:
    """Measure, print, and write the table where everything was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="intervals whose name contains this")
    parser.add_argument("--samples", type=int, help="of every cell, instead of the table's own")
    parser.add_argument("--write", action="store_true", help="put what was measured into the table")
    parser.add_argument("--missing", action="store_true", help="what is not in the table yet")
    options = parser.parse_args()
    chosen = [i for i, x in enumerate(INTERVALS) if options.only.lower() in x.name.lower()]
    cells = [
        (i, n, options.samples or INTERVALS[i].samples) for i in chosen for n in INTERVALS[i].sizes
    ]
    if options.missing:
        done = {(row["interval"], int(row["n"])) for row in _table()}
        cells = [cell for cell in cells if (INTERVALS[cell[0]].name, cell[1]) not in done]
    writes = options.write or not (options.only or options.samples)
    with ProcessPoolExecutor() as pool:
        for task in as_completed([pool.submit(_cell, cell) for cell in cells]):
            row, seconds = task.result()
            print(*row.values(), f"{seconds:.0f}s", sep="\t", flush=True)
            if writes:  # at once: a run that is ended loses nothing
                _write([row])


def _table() -> list[dict[str, Any]]:
    text = TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""
    return list(csv.DictReader(text.splitlines()))


def _write(rows: list[dict[str, Any]]) -> None:
    """Write rows in the place of those with the same names, in the order of `INTERVALS`."""
    table = {(row["interval"], int(row["n"])): row for row in [*_table(), *rows]}
    kept = [table[interval.name, n] for interval in INTERVALS for n in interval.sizes
            if (interval.name, n) in table]  # fmt: skip
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
    write_both(PAGE, page(kept), TEXTS)


def page(rows: list[dict[str, Any]]) -> str:
    """Return the table as a page: an interval a line, a size a column."""
    cells = {(row["interval"], int(row["n"])): _cell_text(row) for row in rows}
    names = dict.fromkeys(name for name, _ in cells)
    sizes = sorted({*SIZES, *(n for _, n in cells)})
    lines = [
        f"| {name} | " + " | ".join(cells.get((name, n), "") for n in sizes) + " |"
        for name in names
    ]
    dates = sorted({row["date"] for row in rows})
    samples = sorted({int(row["samples"]) for row in rows})
    return HEAD.format(
        dates=" to ".join(dict.fromkeys((dates[0], dates[-1]))),
        samples=" to ".join(f"{n:,}" for n in dict.fromkeys((samples[0], samples[-1]))),
        sizes=" | ".join(f"n = {n}" for n in sizes),
        rule="---|" * (len(sizes) + 1),
        lines="\n".join(lines),
    )


def _cell_text(row: dict[str, Any]) -> str:
    """Return a cell: in bold outside 93.5 to 96.5 %, with a dagger where the result says so."""
    if float(row["refused"]) >= OFTEN:
        return "refused"
    share, error = float(row["coverage"]), float(row["error"])
    off = not ALLOWED[0] <= share <= ALLOWED[1]
    text = f"**{share:.1f}**" if off else f"{share:.1f}"
    dagger = "†" if float(row["said"]) >= OFTEN else ""
    return f"{text}{dagger} ± {error:.1f}"


if __name__ == "__main__":
    main()
