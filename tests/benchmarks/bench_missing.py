"""FIML with 10 % of the answers missing against lavaan, and the four steps of invariance.

    uv run python tests/benchmarks/bench_missing.py

One thread. lavaan joins where Rscript finds it. Times are of the processor, the best of five.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

import cxstats as cx  # noqa: E402

MODEL = Path(__file__).parents[1] / "reference" / "sem_models" / "mobi_five.lav"
LAVAAN = """
suppressMessages(library(lavaan)); a <- commandArgs(TRUE)
d <- read.csv(a[1]); m <- paste(readLines(a[2]), collapse = "\\n")
t <- sapply(1:3, function(i) { s <- system.time(f <<- sem(m, d, missing = "ml")); s[1] + s[2] })
cat(min(t), fitMeasures(f, "chisq"), "\\n")
"""


def best(work, times=5):
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def whole(*given, **options):
    fit = cx.sem(*given, **options)
    return fit.table, fit.fit_indices


def main():
    frame, _ = cx.load_ecsi_mobile()
    text = MODEL.read_text(encoding="utf-8")
    generator = np.random.default_rng(1)
    gappy = frame.astype(float).mask(generator.random(frame.shape) < 0.1)
    ours = best(lambda: whole(text, gappy, missing="fiml"))
    chisq = whole(text, gappy, missing="fiml")[1]["chisq"]
    print(f"FIML, mobi five factors, 10 % missing: cxstats {ours:.2f} s, chi-square {chisq:.3f}")
    if shutil.which("Rscript"):
        with tempfile.TemporaryDirectory() as folder:
            data, script = Path(folder) / "gappy.csv", Path(folder) / "fiml.R"
            gappy.to_csv(data, index=False)
            script.write_text(LAVAAN, encoding="utf-8")
            command = ["Rscript", str(script), str(data), str(MODEL)]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            print("  lavaan:", ran.stderr.strip().splitlines()[-1:])
        else:
            theirs, other = map(float, ran.stdout.split())
            print(f"  lavaan {theirs:.2f} s, chi-square {other:.3f}; ratio {theirs / ours:.1f}")
    half = frame.assign(half=np.arange(len(frame)) % 2)
    plain = MODEL.with_name("mobi_five_plain.lav").read_text(encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        steps = best(lambda: cx.invariance(plain, half, "half").table)
    print(f"Invariance, four steps, two groups: {steps:.2f} s")


if __name__ == "__main__":
    main()
