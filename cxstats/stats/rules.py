"""Cut-offs as named, cited data, with the side a value on the boundary falls to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.language import Text

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of thumb.

    Attributes
    ----------
    statistic : str
        What it judges; one of those in `DEFAULT`.
    cuts : tuple of float
        Boundaries in rising order.
    verdicts : tuple of Text
        One more than boundaries, from the lowest.
    source : str
        Where the rule stands.
    boundary : {"above", "below"}
        Whether a value on a boundary belongs to the verdict above it or to the one below it.
    """

    statistic: str
    cuts: tuple[float, ...]
    verdicts: tuple[Text, ...]
    source: str
    boundary: Literal["above", "below"] = "above"

    def band(self, value: ArrayLike) -> NDArray[np.intp]:
        """Return the place of the verdict on each value, 0 for the lowest; -1 of NaN.

        Examples
        --------
        >>> RULES["hair2019"].band([0.69, 0.7, 0.95, float("nan")]).tolist()
        [0, 1, 2, -1]
        """
        values = np.asarray(value, float)
        side: Literal["left", "right"] = "right" if self.boundary == "above" else "left"
        return np.where(np.isnan(values), -1, np.searchsorted(self.cuts, values, side))


LOW, FAIR = Text("too low", "偏低"), Text("acceptable", "可接受")
RULES = {
    "nunnally1994": Rule(
        "alpha", (0.7,), (LOW, FAIR), "Nunnally & Bernstein (1994). Psychometric theory, 3rd ed."
    ),
    "george_mallery2003": Rule(
        "alpha",
        (0.5, 0.6, 0.7, 0.8, 0.9),
        (
            Text("unacceptable", "不可接受"),
            Text("poor", "较差"),
            Text("questionable", "存疑"),
            FAIR,
            Text("good", "良好"),
            Text("excellent", "优秀"),
        ),
        "George & Mallery (2003). SPSS for Windows step by step, 4th ed.",
    ),
    "hair2019": Rule(
        "cr",
        (0.7, 0.95),
        (LOW, FAIR, Text("items may repeat each other", "题项可能重复")),
        "Hair, Risher, Sarstedt & Ringle (2019). European Business Review 31, 2-24",
    ),
    "fornell_larcker1981": Rule(
        "ave", (0.5,), (LOW, FAIR), "Fornell & Larcker (1981). JMR 18, 39-50"
    ),
    "henseler2015": Rule(
        "htmt",
        (0.85, 1.0),
        (Text("distinct", "可区分"), Text("close", "接近"), Text("not distinct", "不可区分")),
        "Henseler, Ringle & Sarstedt (2015). JAMS 43, 115-135",
    ),
    "kline2011": Rule(
        "htmt",
        (0.85,),
        (Text("distinct", "可区分"), Text("not distinct", "不可区分")),
        "Kline (2011). Principles and practice of structural equation modeling, 3rd ed.: below .85",
    ),
    "gold2001": Rule(
        "htmt",
        (0.9,),
        (Text("distinct", "可区分"), Text("not distinct", "不可区分")),
        "Gold, Malhotra & Segars (2001). Journal of Management Information Systems 18, 185-214: "
        "below .90",
    ),
    "henseler2015_interval": Rule(
        "htmt",
        (1.0,),
        (Text("distinct", "可区分"), Text("not distinct", "不可区分")),
        "Henseler, Ringle & Sarstedt (2015). JAMS 43, 115-135: upper limit of the interval below 1",
    ),
    "cheung_rensvold2002": Rule(
        "cfi_drop",
        (0.01,),
        (Text("holds", "成立"), Text("broken", "不成立")),
        "Cheung & Rensvold (2002). Structural Equation Modeling 9, 233-255: CFI falls by less "
        "than .01",
    ),
    "meade2008": Rule(
        "cfi_drop",
        (0.002,),
        (Text("holds", "成立"), Text("broken", "不成立")),
        "Meade, Johnson & Braddy (2008). Journal of Applied Psychology 93, 568-592: CFI falls by "
        "less than .002",
    ),
    "kutner2005": Rule(
        "vif",
        (10.0,),
        (Text("separate", "可分离"), Text("nearly determined by others", "几乎由其他变量决定")),
        "Kutner, Nachtsheim, Neter & Li (2005). Applied linear statistical models, 5th ed., 10.5; "
        "Marquardt (1970). Technometrics 12, 591-612",
    ),
    "hair2019_vif": Rule(
        "vif",
        (5.0,),
        (Text("not critical", "不严重"), Text("critical collinearity", "共线性严重")),
        "Hair, Risher, Sarstedt & Ringle (2019). European Business Review 31, 2-24, table 2",
    ),
    "browne_cudeck1992": Rule(
        "rmsea",
        (0.05,),
        (Text("close fit", "拟合良好"), Text("no close fit", "拟合欠佳")),
        "Browne & Cudeck (1992). Sociological Methods & Research 21, 230-258: RMSEA of .05 or less",
        "below",
    ),
    "cochran1954": Rule(
        "expected_count",
        (5.0,),
        (Text("too few for chi-square", "不足以进行卡方检验"), Text("enough", "足够")),
        "Cochran (1954). Some methods for strengthening the common chi-square tests. Biometrics 10",
    ),
    "cochran1954_share": Rule(
        "sparse_share",
        (0.2,),
        (Text("dense enough", "足够稠密"), Text("sparse", "稀疏")),
        "Cochran (1954). Biometrics 10, 417-451: up to a fifth of the expected counts below 5",
        "below",
    ),
    "saaty1980": Rule(
        "ahp_cr",
        (0.10,),
        (
            Text("consistent enough", "一致性可接受"),
            Text("judgements contradict each other", "判断相互矛盾"),
        ),
        "Saaty (1980). The analytic hierarchy process: a ratio of .10 or less",
        "below",
    ),
    # Checked for every experiment, so the cut is far below .05: false alarms would be the rule.
    "kohavi2020": Rule(
        "srm_p",
        (0.001,),
        (Text("mismatch", "不符"), Text("as planned", "符合计划")),
        "Kohavi, Tang & Xu (2020). Trustworthy online controlled experiments, ch. 21",
    ),
}
# The usual rule for each statistic.
DEFAULT = {
    "alpha": "nunnally1994",
    "cr": "hair2019",
    "ave": "fornell_larcker1981",
    "htmt": "henseler2015",
    "rmsea": "browne_cudeck1992",
    "cfi_drop": "cheung_rensvold2002",
    "vif": "kutner2005",
    "ahp_cr": "saaty1980",
    "srm_p": "kohavi2020",
    "expected_count": "cochran1954",
    "sparse_share": "cochran1954_share",
}


def verdict(value: float, statistic: str, rule: str | None = None) -> Text:
    """Return what a named rule says of a value.

    Parameters
    ----------
    value : float
        The statistic.
    statistic : str
        Which one; the choices are the keys of `DEFAULT`.
    rule : str, optional
        Name of a rule in `RULES`; without it, the usual one.

    Raises
    ------
    CxError
        If there is no such statistic or rule; the message lists the choices.

    Examples
    --------
    >>> verdict(0.7, "alpha").en, verdict(0.86, "htmt").en
    ('acceptable', 'close')
    """
    choices = [name for name, candidate in RULES.items() if candidate.statistic == statistic]
    if not choices:
        raise CxError(f"no rule for {statistic!r}; there are rules for: {', '.join(DEFAULT)}")
    name = rule or DEFAULT[statistic]
    if name not in choices:
        raise CxError(f"rule {name!r} is not one for {statistic}; allowed: {', '.join(choices)}")
    band = int(RULES[name].band(value))
    return RULES[name].verdicts[band] if band >= 0 else Text("–", "–")
