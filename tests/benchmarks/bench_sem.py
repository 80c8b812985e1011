"""Time one fit and the bootstrap of structural models against lavaan and semopy, in one run.

uv run python tests/benchmarks/bench_sem.py [--resamples 500] [--repeats 15] [--quick]

One thread everywhere. lavaan joins where Rscript finds it. All engines refit the same resamples,
so that convergence and estimates can be compared one by one.
"""

from __future__ import annotations

import os

if __name__ == "__main__":  # before numpy is loaded; R inherits them
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import logging
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cxstats as cx
from cxstats.core.moments import resampling_counts

HERE = Path(__file__).parent
MODELS = ("mobi_five", "mobi_ecsir")
SEED = 1
# Estimates further apart than this, in bootstrap standard errors, are another solution.
ELSEWHERE = 0.1
# Differences of F, and distances to its minimum in standard errors, that count as none.
SAME, ARRIVED = 1e-6, 0.01


@dataclass(frozen=True)
class Times:
    """Wall and processor seconds of every repeat; the machine may be busy with something else."""

    wall: Any
    cpu: Any

    def times(self, factor: float) -> Times:
        return Times(self.wall * factor, self.cpu * factor)

    def line(self, who: str, unit: float, ours: Times | None = None) -> str:
        own = [self.wall.min(), np.median(self.wall), self.cpu.min(), np.median(self.cpu)]
        line = f"    {who:52}" + "".join(f"{one * unit:9.4g}" for one in own)
        if ours is None:
            return line
        base = [ours.wall.min(), np.median(ours.wall), ours.cpu.min(), np.median(ours.cpu)]
        return line + "".join(f"{a / b:8.1f}" for a, b in zip(own, base, strict=True))


def timed(call: Callable[[], Any], repeats: int) -> tuple[Times, Any]:
    """Call once to warm up, then time."""
    out = call()
    wall, cpu = np.empty(repeats), np.empty(repeats)
    for i in range(repeats):
        begun, used = time.perf_counter(), time.process_time()
        out = call()
        wall[i], cpu[i] = time.perf_counter() - begun, time.process_time() - used
    return Times(wall, cpu), out


def header(what: str, unit: str) -> str:
    columns = ("min", "median", "cpu min", "median")
    ratios = ("min", "median", "cpu min", "median")
    head = f"  {what + ' [' + unit + ']':54}" + "".join(f"{name:>9}" for name in columns)
    return head + "".join(f"{name:>8}" for name in ratios) + "  (peer / cxstats)"


def drawn(n: int, resamples: int) -> np.ndarray:
    """Return the cases (resamples, n) of `SemFit.bootstrap`, counted from 0."""
    chunks = [counts for _, counts in resampling_counts(n, resamples, SEED)]
    return np.stack([np.repeat(np.arange(n), row.astype(int)) for row in np.concatenate(chunks)])


def ours_complete(text: str, frame: pd.DataFrame) -> cx.SemFit:
    fit = cx.sem(text, frame)
    assert len(fit.table)
    assert fit.fit_indices["df"] > 0
    return fit


def semopy_complete(text: str, frame: pd.DataFrame) -> Any:
    import semopy

    model = semopy.Model(text)
    model.fit(frame)
    return model, model.inspect(std_est=True), semopy.calc_stats(model)


def semopy_refits(model: Any, frame: pd.DataFrame, rows: np.ndarray) -> int:
    """Refit from the solution of the sample, the quickest way in semopy; return how many fail."""
    solution, failed = model.param_vals.copy(), 0
    for own in rows:
        model.param_vals = solution.copy()
        failed += not model.fit(frame.iloc[own]).success
    model.param_vals = solution
    return failed


def has_lavaan() -> bool:
    if shutil.which("Rscript") is None:
        return False
    command = ["Rscript", "-e", "quit(status = !requireNamespace('lavaan', quietly = TRUE))"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def run_lavaan(
    folder: Path, texts: dict[str, str], frame: pd.DataFrame, rows: np.ndarray, repeats: list[int]
) -> None:
    for name, text in texts.items():
        (folder / f"{name}.lav").write_text(text, encoding="utf-8")
    frame.to_csv(folder / "data.csv", index=False)
    np.savetxt(folder / "indices.csv", rows + 1, fmt="%d", delimiter=",")
    counts = [str(number) for number in (*repeats, len(rows))]
    subprocess.run(["Rscript", str(HERE / "bench_sem.R"), str(folder), *counts], check=True)


def lavaan_times(folder: Path, name: str, what: str) -> Times:
    table = pd.read_csv(folder / "times.csv")
    own = table[(table["model"] == name) & (table["what"] == what)]
    return Times(own["wall"].to_numpy(), own["cpu"].to_numpy())


def discrepancies(fit: cx.SemFit, frame: pd.DataFrame, rows: np.ndarray, x: np.ndarray) -> Any:
    """Return F of each resample at parameters x (B, T), and the distance to the optimum there.

    The distance is that of a Newton step, in standard errors of the direction it takes; infinite
    where the second derivatives are not positive definite.
    """
    data = frame[list(fit.model.observed)].to_numpy(float)
    cov = np.stack([np.cov(data[own].T, bias=True) for own in rows])[:, None]
    phi = (x - fit.likelihood.reduction.offset) @ np.linalg.pinv(fit.likelihood.reduction.matrix).T
    likelihood = replace(fit.likelihood, cov=cov)
    value, slope = likelihood.evaluate(phi)
    bent = likelihood.hessian(phi)
    far = np.full(len(phi), np.inf)
    for i, (one, hessian) in enumerate(zip(slope, bent, strict=True)):
        if np.isfinite(hessian).all() and np.linalg.eigvalsh(hessian)[0] > 0:
            far[i] = np.sqrt(fit.n / 2 * one @ np.linalg.solve(hessian, one))
    return value - likelihood.saturated(), far


def beside(
    folder: Path, name: str, way: str, fit: cx.SemFit, boot: Any, frame: Any, rows: np.ndarray
) -> None:
    """Print how our refits compare with lavaan's of the same resamples."""
    found = pd.read_csv(folder / f"{name}_{way}.csv", header=None).to_numpy(float)
    keys = ["lhs", "op", "rhs"]
    free = pd.read_csv(folder / f"{name}_free.csv")[keys].apply(tuple, axis=1)
    count = len(fit.model.parameters)
    place = {key: i for i, key in enumerate(fit.rows[keys].iloc[:count].apply(tuple, axis=1))}
    at = [place[key] for key in free]
    ours = boot.replicates[:, :count]
    theirs = np.tile(fit.table["estimate"].to_numpy()[:count], (len(rows), 1))
    theirs[:, at] = found[:, 2:]
    ok, good = ~np.isnan(ours[:, 0]), found[:, 0] == 1
    both = ok & good
    how = {
        "start": "from the sample's solution, one attempt, as bootstrapLavaan",
        "fresh": "sem() afresh, its four attempts",
    }[way]
    print(f"    lavaan {how}:")
    print(
        f"      converged: both {both.sum()}, only cxstats {(ok & ~good).sum()}, "
        f"only lavaan {(good & ~ok).sum()}, neither {(~ok & ~good).sum()}"
    )
    errors = boot.table["se"].to_numpy()[:count][at]
    gap = np.abs(ours - theirs)[:, at] / errors
    largest = gap[both].max(axis=1)
    value, far = discrepancies(fit, frame, rows[both], ours[both])
    other, their_far = discrepancies(fit, frame, rows[both], theirs[both])
    away = largest > ELSEWHERE
    print(
        f"      estimates apart by [bootstrap SE]: median {np.median(gap[both]):.1e}, "
        f"max {gap[both].max():.1e}"
    )
    if away.any():
        lower, higher = value < other - SAME, value > other + SAME
        near = gap[both][~away]
        print(
            f"      {away.sum()} resamples have one above {ELSEWHERE}; F lower in cxstats "
            f"{(away & lower).sum()}, in lavaan {(away & higher).sum()}, same "
            f"{(away & ~lower & ~higher).sum()}; the others: median {np.median(near):.1e}, "
            f"max {near.max():.1e}"
        )
    print(
        f"      from the minimum by a Newton step of [SE]: cxstats median {np.median(far):.1e}, "
        f"max {far.max():.1e}; lavaan median {np.median(their_far):.1e}, max {their_far.max():.1e}"
    )
    for who, only, x in (("cxstats", ok & ~good, ours), ("lavaan", good & ~ok, theirs)):
        if only.any():
            far = discrepancies(fit, frame, rows[only], x[only])[1]
            which = ", ".join(str(i) for i in np.flatnonzero(only))
            print(
                f"      converged only in {who}: resamples {which}; "
                f"{(far < ARRIVED).sum()} of {only.sum()} within {ARRIVED} SE of a minimum"
            )


def main() -> None:
    import semopy

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=15, help="of one fit")
    parser.add_argument("--bootstraps", type=int, default=3, help="repeats of the bootstrap")
    parser.add_argument("--semopy", type=int, default=60, help="resamples refitted by semopy")
    parser.add_argument("--quick", action="store_true", help="a look: few repeats and resamples")
    options = parser.parse_args()
    if options.quick:
        options.resamples, options.repeats, options.bootstraps, options.semopy = 50, 3, 1, 5
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    frame = cx.load_ecsi_mobile()[0]
    rows = drawn(len(frame), options.resamples)
    part = rows[: options.semopy]
    folder_of_models = HERE.parent / "reference" / "sem_models"
    texts = {name: (folder_of_models / f"{name}.lav").read_text("utf-8") for name in MODELS}
    lavaan = has_lavaan()
    versions = f"cxstats {cx.__version__}, numpy {np.__version__}, semopy {semopy.__version__}"
    print(f"one thread; load {os.getloadavg()[0]:.2f} of {os.cpu_count()} processors at the start")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if lavaan:
            run_lavaan(folder, texts, frame, rows, [options.repeats, options.bootstraps])
            versions += ", " + (folder / "versions.txt").read_text("utf-8").strip()
        print(versions if lavaan else f"{versions}; no Rscript with lavaan, so without it")
        for name, text in texts.items():
            compare(name, text, frame, rows, part, folder if lavaan else None, options)
    print(f"load {os.getloadavg()[0]:.2f} at the end")


def compare(
    name: str,
    text: str,
    frame: pd.DataFrame,
    rows: np.ndarray,
    part: np.ndarray,
    folder: Path | None,
    options: argparse.Namespace,
) -> None:
    # semopy has no defined parameters.
    plain = "\n".join(line for line in text.splitlines() if ":=" not in line)
    fit = cx.sem(text, frame)
    indices = fit.fit_indices
    print(
        f"\n{name}: {len(fit.model.observed)} items, {len(fit.model.latents)} latents, "
        f"{indices['n_parameters']} free parameters, n = {fit.n}"
    )
    bare, _ = timed(lambda: cx.sem(text, frame), options.repeats)
    ours, _ = timed(lambda: ours_complete(text, frame), options.repeats)
    other, (model, _, stats) = timed(lambda: semopy_complete(plain, frame), options.repeats)
    counts = None
    if folder is not None:
        counts = pd.read_csv(folder / "counts.csv").set_index("model").loc[name]
    chisq = f"chi-square: cxstats {indices['chisq']:.4f}, semopy {stats['chi2'].iloc[0]:.4f}"
    print(f"  {chisq}" + ("" if counts is None else f", lavaan {counts['chisq']:.4f}"))

    print(header(f"one fit, {options.repeats} repeats", "ms"))
    print(ours.line("cxstats sem + table (SE, standardised) + fit_indices", 1e3))
    print(bare.line("cxstats sem alone", 1e3, ours))
    if folder is not None:
        for what, called in (
            ("sem", "lavaan sem()"),
            ("complete", "lavaan sem + parameterEst. + fitMeas. + standardized"),
        ):
            print(lavaan_times(folder, name, what).line(called, 1e3, ours))
    print(other.line("semopy Model + fit + inspect(std_est) + calc_stats *", 1e3, ours))

    many, boot = timed(lambda: fit.bootstrap(len(rows), seed=SEED), options.bootstraps)
    failed = 0

    def refits() -> None:
        nonlocal failed
        failed = semopy_refits(model, frame, part)

    scaled, _ = timed(refits, 1)
    scaled = scaled.times(len(rows) / len(part))
    print(header(f"bootstrap, {len(rows)} resamples, {options.bootstraps} repeats", "s"))
    print(many.line("cxstats fit.bootstrap (table with BCa)", 1))
    if folder is not None:
        print(lavaan_times(folder, name, "bootstrap").line("lavaan bootstrapLavaan", 1, many))
    print(scaled.line(f"semopy refits, {len(part)} resamples, scaled *", 1, many))
    print("    * without the := lines, which semopy refuses; its variances are bounded at 0")

    print(f"  converged of {len(rows)} resamples")
    print(
        f"    cxstats {boot.n_resamples - boot.n_failed} ({boot.n_improper} improper); semopy "
        f"{len(part) - failed} of {len(part)} of the same, never improper",
        end="",
    )
    if folder is None or counts is None:
        print()
        return
    done = len(rows) - int(counts["failed"])
    print(f"; lavaan, own resamples, {done} ({int(counts['improper'])} improper)")
    for way in ("start", "fresh"):
        beside(folder, name, way, fit, boot, frame, rows)


if __name__ == "__main__":
    main()
