"""PLS path models, their bootstrap, groups, predictions and importance-performance maps."""

import warnings
from functools import cache

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case

MODEL = """
    Price <~ p1 + p2
    Quality =~ q1 + q2 + q3
    Loyalty =~ l1 + l2
    Quality ~ Price
    Loyalty ~ a*Quality + b*Price
    twice := a + b
"""
ITEMS = ("p1", "p2", "q1", "q2", "q3", "l1", "l2")
LABELS = (
    "Price", "Quality", "Loyalty", "Price:Quality", "Value", "wave", "SD", "twice",
    "North", "South", "West", "region", *ITEMS,
)  # fmt: skip
SAMPLED = (*LABELS, "weight", "branch", "layer")
B = 50


@cache
def _answers(faulty=False):
    """Return answers from 1 to 10; faulty ones are missing, in reverse, and few in a group."""
    rng = np.random.default_rng(7)
    price = rng.normal(size=(200, 1))
    quality = 0.5 * price + rng.normal(size=(200, 1))
    loyalty = 0.7 * quality + rng.normal(size=(200, 1))
    latent = np.hstack([price, price, quality, quality, quality, loyalty, loyalty])
    answers = 5.5 + 1.2 * (latent + 0.8 * rng.normal(size=latent.shape))
    frame = pd.DataFrame(np.clip(np.rint(answers), 1, 10), columns=list(ITEMS))
    frame["region"] = np.repeat(["North", "South"], 100)
    if faulty:
        frame = frame[::2].reset_index(drop=True)
        frame["q3"] = 11 - frame["q3"]
        frame["p2"] = frame["p1"] + (frame.index % 10 == 0)
        frame.loc[::7, "q1"] = np.nan
        frame.loc[:14, "region"] = "West"
        frame.loc[95:, "region"] = None
        frame.attrs["synthetic"] = True
    return frame


@cache
def _fit(faulty=False, model=MODEL, **options):
    options = {"n_resamples": B, **options}
    with warnings.catch_warnings():  # the summary repeats them
        warnings.simplefilter("ignore", cx.ModelWarning)
        return cx.pls(model, _answers(faulty), **options)


def _faulty(**options):
    return _fit(faulty=True, missing="mean", **options)


def _no_solution():
    frame = _answers().assign(p2=_answers()["p1"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return cx.pls(MODEL, frame, n_resamples=0)


def _from_moments():
    return cx.pls(MODEL, cx.moments(_answers()[list(ITEMS)]))


@cache
def _unstable():
    """Return a corrected model of constructs that are not distinct, of which one hardly varies."""
    frame = _answers().head(60).copy()
    frame[["l1", "l2"]] = frame[["q1", "q2"]].to_numpy() + _answers()[["p1", "p2"]].head(60) // 4
    frame["p1"], frame["p2"] = 1.0, frame["q3"]
    frame.loc[:2, "p1"] = 2.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return cx.pls(MODEL, frame, consistent=True, n_resamples=B)


def _lost():
    """Return the bootstrap of few respondents, in whom an item hardly varies."""
    frame = _answers(faulty=True).head(30).fillna(5.0)
    frame["l2"] = 1.0 + (frame.index < 2)
    return cx.pls(MODEL, frame).bootstrap(B, signs="construct")


DESIGN = cx.Design(weights="weight", cluster="branch", strata="layer")


def _in_branches(frame):
    row = np.arange(len(frame))
    return frame.assign(weight=1 + row % 3, branch=row // 5, layer=(row // 5) % 2)


@cache
def _sampled():
    """Return an unscaled fit under weights, clusters and strata."""
    return cx.pls(MODEL, _in_branches(_answers()), n_resamples=B, design=DESIGN, scaled=False)


def _few():
    with warnings.catch_warnings():  # the summary repeats them
        warnings.simplefilter("ignore", cx.ModelWarning)
        return cx.pls(MODEL, _answers().head(15), n_resamples=B)


MODERATED = MODEL + "    Loyalty ~ Price:Quality\n"
HIGHER = """
    Price =~ p1 + p2
    Quality =~ q1 + q2 + q3
    Value {sign} Price + Quality
    Loyalty =~ l1 + l2
    Loyalty ~ Value + wave
"""


@cache
def _staged(model, faulty=False, **options):
    frame = _in_branches(_answers(faulty))
    frame["wave"] = np.arange(len(frame)) % 2
    options = {"n_resamples": B, "missing": "mean", **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return cx.pls(model, frame, **options)


def _higher(sign, faulty=False, **options):
    formed = "    Value ~ wave\n" * (sign == "<~")
    return _staged(HIGHER.format(sign=sign) + formed, faulty, **options)


CASES = {
    "PlsFit/interaction": Case(lambda: _staged(MODERATED), labels=LABELS),
    "PlsFit/faulty interaction of items": Case(
        lambda: _staged(MODERATED, faulty=True, interaction="product"), labels=LABELS
    ),
    "PlsFit/orthogonal products": Case(
        lambda: _staged(MODERATED, interaction="orthogonal"), labels=LABELS
    ),
    "PlsFit/higher order": Case(lambda: _higher("=~"), labels=LABELS),
    "PlsFit/faulty formative higher order": Case(lambda: _higher("<~", faulty=True), labels=LABELS),
    "PlsFit/repeated indicators": Case(
        lambda: _higher("=~", higher_order="repeated"), labels=LABELS
    ),
    "PlsFit/repeated formative indicators": Case(
        lambda: _higher("<~", higher_order="repeated"), labels=LABELS
    ),
    "PlsFit/sampled interaction": Case(
        lambda: _staged(MODERATED, design=DESIGN, interaction="orthogonal"), labels=SAMPLED
    ),
    "PlsBootstrap/interaction": Case(lambda: _staged(MODERATED).bootstrap(B), labels=LABELS),
    "PlsFit/one sample": Case(_fit, labels=LABELS),
    "PlsFit/faulty": Case(_faulty, labels=LABELS),
    "PlsFit/consistent": Case(lambda: _fit(consistent=True), labels=LABELS),
    "PlsFit/unstable": Case(_unstable, labels=LABELS),
    "PlsFit/no solution": Case(_no_solution, labels=LABELS),
    "PlsFit/moments alone": Case(_from_moments, labels=LABELS),
    "PlsFit/sampled and unscaled": Case(_sampled, labels=SAMPLED),
    "PlsFit/few respondents": Case(_few, labels=LABELS),
    "PlsBootstrap/sampled": Case(lambda: _sampled().bootstrap(B), labels=SAMPLED),
    "PlsGroupComparison/sampled": Case(
        lambda: _sampled().compare_groups("region", B), labels=SAMPLED
    ),
    "Ipma/sampled": Case(
        lambda: _sampled().ipma("Loyalty", (1, 10), n_resamples=B), labels=SAMPLED
    ),
    "PlsBootstrap/one sample": Case(lambda: _fit().bootstrap(B), labels=LABELS),
    "PlsBootstrap/resamples without a solution": Case(_lost, labels=LABELS),
    "PlsGroupComparison/two groups": Case(
        lambda: _fit().compare_groups("region", B), labels=LABELS
    ),
    "PlsGroupComparison/small and missing groups": Case(
        lambda: _faulty().compare_groups("region", B), labels=LABELS
    ),
    "PlsPrediction/one sample": Case(lambda: _fit().predict(5, 2), labels=LABELS),
    "PlsPrediction/faulty": Case(
        lambda: _faulty().predict(2, 1, antecedents="direct"), labels=LABELS
    ),
    "Ipma/one sample": Case(lambda: _fit().ipma("Loyalty", (1, 10), n_resamples=B), labels=LABELS),
    "Ipma/negative weights": Case(
        lambda: _faulty().ipma("Loyalty", "observed", n_resamples=B), labels=LABELS
    ),
}
