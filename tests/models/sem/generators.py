"""Generated models: some that are unsound in a known way, some that are sound, and broken texts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd


@dataclass
class Generated:
    """A model and its data.

    Attributes
    ----------
    kind : str
        What is wrong with it; "sound" for nothing.
    model : str
    frame : pandas.DataFrame
    options : dict
        Keywords of `cx.sem`.
    """

    kind: str
    model: str
    frame: pd.DataFrame
    options: dict[str, Any] = field(default_factory=dict)


def answers(rng, factors, each, n, loading=(0.6, 0.85), relation=0.4):
    """Return items of correlated factors, named f0i0 and so on, and the scores of the factors."""
    shared = rng.normal(size=(n, 1))
    scores = np.sqrt(relation) * shared + np.sqrt(1 - relation) * rng.normal(size=(n, factors))
    columns = {}
    for f in range(factors):
        for j in range(each):
            weight = rng.uniform(*loading)
            columns[f"f{f}i{j}"] = weight * scores[:, f] + np.sqrt(1 - weight**2) * rng.normal(
                size=n
            )
    return pd.DataFrame(columns), scores


def measured(factors, each):
    """Return the lines that measure the factors."""
    return [f"F{f} =~ " + " + ".join(f"f{f}i{j}" for j in range(each)) for f in range(factors)]


def points(frame, k=7):
    """Return answers on k points."""
    cuts = np.linspace(-1.8, 1.8, k - 1)
    return pd.DataFrame(np.digitize(frame, cuts) + 1.0, columns=frame.columns)


# ---- unsound


def two_items(rng, n):
    frame, _ = answers(rng, 1, 2, n)
    return "F0 =~ f0i0 + f0i1", frame


def no_scale(rng, n):
    frame, _ = answers(rng, 2, 3, n)
    return "F0 =~ NA*f0i0 + f0i1 + f0i2\nF1 =~ f1i0 + f1i1 + f1i2", frame


def same_items(rng, n):
    frame, _ = answers(rng, 1, 6, n)
    items = " + ".join(frame)
    return f"A =~ {items}\nB =~ {items}", frame


def loop(rng, n):
    frame, _ = answers(rng, 1, 2, n)
    return "f0i0 ~ f0i1\nf0i1 ~ f0i0", frame


def heywood(rng, n):
    """Return items whose first correlates with the others more than these do with each other."""
    r = np.array([[1, 0.8, 0.8], [0.8, 1, 0.4], [0.8, 0.4, 1]])
    values = rng.normal(size=(max(n, 100), 3)) @ np.linalg.cholesky(r).T
    return "F =~ a + b + c", pd.DataFrame(values, columns=list("abc"))


def collinear(rng, n):
    """Return two constructs that are one, as predictors of a third."""
    n = 1_000  # of fewer one in ten looks like two constructs
    frame, scores = answers(rng, 3, 3, n)
    for j in range(3):
        frame[f"f1i{j}"] = 0.8 * scores[:, 0] + 0.6 * rng.normal(size=n)
        frame[f"f2i{j}"] = 0.6 * scores[:, 0] + 0.8 * rng.normal(size=n)
    return "\n".join([*measured(3, 3), "F2 ~ F0 + F1"]), frame


def noise(rng, n):
    frame = pd.DataFrame(rng.normal(size=(n, 6)), columns=list("abcdef"))
    return "U =~ a + b + c\nV =~ d + e + f", frame


def nearly_constant(rng, n):
    frame, _ = answers(rng, 1, 4, n)
    frame["f0i0"] = 5 + 10.0 ** rng.uniform(-14, -9) * rng.normal(size=n)
    return measured(1, 4)[0], frame


def constant(rng, n):
    frame, _ = answers(rng, 1, 4, n)
    frame["f0i2"] = 3.0
    return measured(1, 4)[0], frame


def negative_start(rng, n):
    """Return a model whose fixed variance is negative."""
    frame, _ = answers(rng, 1, 4, n)
    return measured(1, 4)[0] + f"\nf0i0 ~~ {-rng.uniform(0.5, 5):.2f}*f0i0", frame


def duplicated(rng, n):
    frame, _ = answers(rng, 1, 4, n)
    frame["f0i3"] = frame["f0i1"]
    return measured(1, 4)[0], frame


def scaled_copy(rng, n):
    frame, _ = answers(rng, 2, 3, n)
    frame["f1i2"] = 2 * frame["f0i0"] - 3
    return "\n".join(measured(2, 3)), frame


def too_few(rng, n):
    frame, _ = answers(rng, 3, 4, int(rng.integers(3, 13)))
    return "\n".join(measured(3, 4)), frame


def undefined(rng, n):
    frame, _ = answers(rng, 2, 3, n)
    text = ["log(-abs(b) - 1)", "1/(b - b)", "sqrt(-1 - b^2)", "b/0"][int(rng.integers(4))]
    return "\n".join([*measured(2, 3), f"F1 ~ b*F0\nz := {text}"]), frame


def two_of_one(rng, n):
    """Return two latents of which one would do: their correlation is 1 or more, or nearly."""
    n = 1_000  # of fewer one in ten looks like two constructs
    frame, scores = answers(rng, 2, 3, n, (0.75, 0.9))
    for f in range(2):
        for j in range(3):
            # One sample in two has a correlation above 1 only if the items overlap beyond that.
            shift = 0.25 * frame["f0i0"] if f == 1 else 0.0
            frame[f"f{f}i{j}"] = 0.8 * scores[:, 0] + 0.6 * rng.normal(size=n) + shift
    return "\n".join([*measured(2, 3), "F1 ~ F0\ny ~ F0 + F1"]), frame.assign(
        y=scores[:, 0] + rng.normal(size=n)
    )


def marker(rng, n):
    frame, _ = answers(rng, 1, 5, max(n, 100))
    frame["f0i0"] = rng.normal(size=len(frame))
    # What is unrelated by a hair more than chance allows is none: 5 % would look related.
    others = frame.drop(columns="f0i0").sum(axis=1)
    slope = np.polyfit(others, frame["f0i0"], 1)
    frame["f0i0"] -= np.polyval(slope, others)
    return measured(1, 5)[0], frame


def error_of_a_cause(rng, n):
    frame, scores = answers(rng, 1, 3, n)
    frame["y"] = scores[:, 0] + rng.normal(size=n)
    return measured(1, 3)[0] + "\ny ~ F0\nF0 ~~ y", frame


def contradiction(rng, n):
    frame, _ = answers(rng, 1, 4, n)
    return "F0 =~ f0i0 + a*f0i1 + f0i2 + f0i3\na > 2\na < 1", frame


def circle(rng, n):
    frame, _ = answers(rng, 2, 3, n)
    return "F0 =~ F1\nF1 =~ F0", frame


def label_of_a_variable(rng, n):
    frame, _ = answers(rng, 1, 3, n)
    return "f0i0 ~ f0i1 + f0i1*f0i2", frame


UNSOUND = (
    two_items, no_scale, same_items, loop, heywood, collinear, noise, nearly_constant, constant,
    negative_start, duplicated, scaled_copy, too_few, undefined, two_of_one, marker,
    error_of_a_cause, contradiction, circle, label_of_a_variable,
)  # fmt: skip
ESTIMATION = ({}, {}, {"estimator": "mlr"}, {"estimator": "mlm"}, {"missing": "fiml"})


def unsound(i):
    """Return the i-th unsound model; every kind in turn."""
    rng = np.random.default_rng([1, i])
    make = UNSOUND[i % len(UNSOUND)]
    model, frame = make(rng, int(rng.choice([60, 120, 250, 500])))
    options = dict(ESTIMATION[int(rng.integers(len(ESTIMATION)))])
    if options.get("missing") == "fiml" and make is not too_few:
        frame = frame.mask(rng.uniform(size=frame.shape) < 0.05)
    return Generated(make.__name__, model, frame, options)


def sound(i):
    """Return the i-th sound model: sizes, paths, estimators, groups and gaps vary."""
    rng = np.random.default_rng([2, i])
    factors, each = int(rng.integers(1, 5)), int(rng.integers(3, 6))
    n = int(rng.choice([200, 300, 500, 1_000]))
    frame, scores = answers(rng, factors, each + (factors == 1), n)
    lines = measured(factors, each + (factors == 1))
    if factors > 2 and rng.uniform() < 0.5:
        lines.append("F2 ~ F0 + F1")
    if rng.uniform() < 0.3:
        frame["y"] = scores @ rng.uniform(0.2, 0.6, factors) + rng.normal(size=n)
        lines.append("y ~ " + " + ".join(f"F{f}" for f in range(factors)))
    if rng.uniform() < 0.4:
        frame = points(frame)
    options = dict(ESTIMATION[int(rng.integers(len(ESTIMATION)))])
    if options.get("missing") == "fiml":
        frame = frame.mask(rng.uniform(size=frame.shape) < 0.1)
    if n >= 500 and rng.uniform() < 0.4:
        frame["g"] = rng.choice(["north", "south"], n)
        options["group"] = "g"
        if rng.uniform() < 0.5:
            options["equal"] = ("loadings",)
    if rng.uniform() < 0.3:
        options["std_lv"] = True
    if "group" not in options and lines[-1] == "F2 ~ F0 + F1":
        lines[-1] = "F2 ~ a*F0 + b*F1\nsum := a + b"
    return Generated("sound", "\n".join(lines), frame, options)


# ---- broken texts

SEEDS = (
    "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ b*f\ntwice := 2*b",
    "f =~ NA*x1 + a*x2 + a*x3\nf ~~ 1*f\nx1 ~~ x2",
    "x1 ~ c(a1, a2)*x4 + start(0.3)*x5\nx4 ~ x6\nind := a1*2",
    "f =~ x1 + 0.8*x2 + x3 + x4\na > 0.2\nx1 ~ 1\nf ~ 0*1",
    "h =~ f + g + k\nf =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nk =~ x7 + x8 + x9",
)
PIECES = (
    "=~", "~~", "~", "~1", ":=", "==", "<", ">", "<~", "*", "+", "-", "(", ")", "c(", "start(",
    "equal(", "NA", "1", "0", "-1", "1e308", "1e-308", "x1", "x2", "f", "g", "a", "b", "\n", ";",
    "#", "!", '"', "'", ",", " ", "\t", "0x1", "inf", "nan", "é", "顾客", "\u200b", "exp(", "log(",
    "sqrt(", "^", "/", "9" * 400, "x" * 300, "|", "%", "@", "..", "\\", "\x00", "x1 ~ x1", "f ~ f",
)  # fmt: skip


NAMES = ("x1", "x2", "x3", "x4", "x5", "x6", "x9", "f", "g", "h", "a", "b", "1", "0*x1", "sex")
OPERATORS = ("=~", "~", "~~", ":=", "==", "<", ">", "<~")
_TOKEN = re.compile(r"[a-z]+[0-9]*")
_OPERATOR = re.compile(r"=~|~~|:=|==|~|<|>")


def mutated(i):
    """Return the i-th broken text: names and operators exchanged, characters changed or moved."""
    rng = np.random.default_rng([3, i])
    text = SEEDS[i % len(SEEDS)]
    for _ in range(int(rng.integers(1, 4))):
        text = _exchanged(rng, text)
    for _ in range(int(rng.integers(0, 3)) if i % 2 else 0):
        text = _damaged(rng, text)
    return text


def _exchanged(rng, text):
    """Return a text with another name or operator, or with a line from elsewhere."""
    action = int(rng.integers(4))
    if action == 3:
        lines = text.split("\n")
        other = SEEDS[int(rng.integers(len(SEEDS)))].split("\n")
        return "\n".join([*lines, str(rng.choice(np.array(other, object)))])
    pattern, pool = (_OPERATOR, OPERATORS) if action == 2 else (_TOKEN, NAMES)
    places = list(pattern.finditer(text))
    if not places:
        return text
    place = places[int(rng.integers(len(places)))]
    new = str(rng.choice(np.array(pool, object)))
    return text[: place.start()] + new + text[place.end() :]


def _damaged(rng, text):
    """Return a text with a piece put in, cut out, replaced or repeated, or its lines shuffled."""
    at, piece = int(rng.integers(len(text) + 1)), str(rng.choice(np.array(PIECES, object)))
    action = int(rng.integers(5))
    end = min(len(text), at + int(rng.integers(1, 8)))
    if action == 0:
        return text[:at] + piece + text[at:]
    if action == 1:
        return text[:at] + text[end:]
    if action == 2:
        return text[:at] + piece + text[end:]
    if action == 3:
        return text[:at] + text[at:end] * int(rng.integers(2, 40)) + text[end:]
    lines = text.split("\n")
    rng.shuffle(lines)
    return "\n".join([*lines, lines[0]])
