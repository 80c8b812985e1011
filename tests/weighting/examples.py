"""Published worked examples; what other programs make of them is in reference/weighting.csv."""

import numpy as np
import pandas as pd

# Saaty (1990). How to make a decision: the analytic hierarchy process. EJOR 48, 9-26.
HOUSE_NAMES = [
    "size",
    "transport",
    "neighbourhood",
    "age",
    "yard",
    "modern",
    "condition",
    "finance",
]
HOUSE = [
    ["1", "5", "3", "7", "6", "6", "1/3", "1/4"],
    ["1/5", "1", "1/3", "5", "3", "3", "1/5", "1/7"],
    ["1/3", "3", "1", "6", "3", "4", "6", "1/5"],
    ["1/7", "1/5", "1/6", "1", "1/3", "1/4", "1/7", "1/8"],
    ["1/6", "1/3", "1/3", "3", "1", "1/2", "1/5", "1/6"],
    ["1/6", "1/3", "1/4", "4", "2", "1", "1/5", "1/6"],
    ["3", "5", "1/6", "7", "5", "5", "1", "1/2"],
    ["4", "7", "5", "8", "6", "6", "2", "1"],
]
# Saaty (2008). Decision making with the analytic hierarchy process. Int. J. Services Sciences 1.
DRINKS = {
    ("coffee", "wine"): 9,
    ("coffee", "tea"): 5,
    ("coffee", "beer"): 2,
    ("coffee", "soda"): 1,
    ("coffee", "milk"): 1,
    ("water", "coffee"): 2,
    ("tea", "wine"): 3,
    ("beer", "wine"): 9,
    ("soda", "wine"): 9,
    ("milk", "wine"): 9,
    ("water", "wine"): 9,
    ("beer", "tea"): 3,
    ("soda", "tea"): 4,
    ("milk", "tea"): 3,
    ("water", "tea"): 9,
    ("soda", "beer"): 2,
    ("beer", "milk"): 1,
    ("water", "beer"): 3,
    ("soda", "milk"): 2,
    ("water", "soda"): 2,
    ("water", "milk"): 3,
}
DRINKS_ORDER = ["coffee", "wine", "tea", "beer", "soda", "milk", "water"]
# Zavadskas & Podvezko (2016). Int. J. Information Technology & Decision Making 15(2), 267-283.
ZAVADSKAS = pd.DataFrame(
    [[3.0, 100, 10, 7], [2.5, 80, 8, 5], [1.8, 50, 20, 11], [2.2, 70, 12, 9]],
    columns=["price", "area", "distance", "quality"],
)
# Xu (2004). A note on the subjective and objective integrated approach. EJOR 156(2), 530-532.
XU = pd.DataFrame(
    [[30, 30, 38, 29], [19, 54, 86, 29], [19, 15, 85, 28.9], [68, 70, 60, 29]],
    columns=list("abcd"),
)
# Tus & Aytac Adali (2019). The new combination with CRITIC and WASPAS. Opsearch 56(2), 528-538.
TUS = pd.DataFrame(
    [
        [5000, 3, 3, 4, 3, 2],
        [680, 5, 3, 2, 2, 1],
        [2000, 3, 2, 3, 4, 3],
        [600, 4, 3, 1, 2, 2],
        [800, 2, 4, 3, 3, 4],
    ],
    columns=list("abcdef"),
)
# Triantaphyllou & Sanchez (1997). Decision Sciences 28(1), 151-194; their last weight, .0790,
# is rounded down so that the weights sum to 1.
CRITERIA = ["C1", "C2", "C3", "C4"]
ALTERNATIVES = pd.DataFrame(
    [
        [0.3088, 0.2897, 0.3867, 0.1922],
        [0.2163, 0.3458, 0.1755, 0.6288],
        [0.4509, 0.2473, 0.1194, 0.0575],
        [0.0240, 0.1172, 0.3184, 0.1215],
    ],
    index=["A1", "A2", "A3", "A4"],
    columns=CRITERIA,
)
GIVEN = dict(zip(CRITERIA, [0.3277, 0.3058, 0.2876, 0.0789], strict=True))


def table(n=12, k=4, seed=0):
    generator = np.random.default_rng(seed)
    names = [f"c{i + 1}" for i in range(k)]
    rows = [f"u{i + 1}" for i in range(n)]
    return pd.DataFrame(generator.uniform(1, 10, (n, k)), index=rows, columns=names)


def drivers(n=200, seed=0, slopes=(0.5, 0.3, 0.2)):
    """Respondents whose outcome depends on the drivers by known slopes; sd of a driver is 1."""
    generator = np.random.default_rng(seed)
    x = 0.6 * generator.normal(size=(n, 1)) + 0.8 * generator.normal(size=(n, len(slopes)))
    names = [f"d{i + 1}" for i in range(len(slopes))]
    y = x @ np.array(slopes) + 0.8 * generator.normal(size=n)
    return pd.DataFrame(x, columns=names).assign(overall=y)
