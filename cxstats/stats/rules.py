"""Cut-offs as named, cited data, with the side a value on the boundary falls to."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nextafter

from cxstats.core.errors import CxError
from cxstats.core.language import Text


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of thumb.

    Attributes
    ----------
    statistic : str
        What it judges: "alpha", "cr", "ave", "htmt", "cfi_drop", "vif", "ahp_cr", "srm_p".
    cuts : tuple of float
        Boundaries in rising order; a value on one belongs to the words above it.
    words : tuple of Text
        One more than boundaries, from the lowest.
    source : str
        Where the rule stands.
    """

    statistic: str
    cuts: tuple[float, ...]
    words: tuple[Text, ...]
    source: str


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
        "Kutner, Nachtsheim, Neter & Li (2005). Applied linear statistical models, 5th ed., 10.5",
    ),
    # A ratio of exactly .10 is still accepted, so the boundary lies just above it.
    "saaty1980": Rule(
        "ahp_cr",
        (nextafter(0.10, 1),),
        (
            Text("consistent enough", "一致性可接受"),
            Text("judgements contradict each other", "判断相互矛盾"),
        ),
        "Saaty (1980). The analytic hierarchy process: a ratio of .10 or less",
    ),
    # Checked for every experiment, so the cut is far below .05: false alarms would be the rule.
    "kohavi2020": Rule(
        "srm_p",
        (0.001,),
        (Text("mismatch", "不符"), Text("as planned", "符合计划")),
        "Kohavi, Tang & Xu (2020). Trustworthy online controlled experiments, ch. 21",
    ),
}
DEFAULT = {
    "alpha": "nunnally1994",
    "cr": "hair2019",
    "ave": "fornell_larcker1981",
    "htmt": "henseler2015",
    "cfi_drop": "cheung_rensvold2002",
    "vif": "kutner2005",
    "ahp_cr": "saaty1980",
    "srm_p": "kohavi2020",
}


def verdict(value: float, statistic: str, rule: str | None = None) -> Text:
    """Return what a named rule says of a value.

    Parameters
    ----------
    value : float
        The statistic.
    statistic : {"alpha", "cr", "ave", "htmt", "cfi_drop", "vif", "ahp_cr", "srm_p"}
        Which one.
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
    choices = [name for name, one in RULES.items() if one.statistic == statistic]
    if not choices:
        raise CxError(f"no rule for {statistic!r}; there are rules for: {', '.join(DEFAULT)}")
    name = rule or DEFAULT[statistic]
    if name not in choices:
        raise CxError(f"rule {name!r} is not one for {statistic}; allowed: {', '.join(choices)}")
    found = RULES[name]
    if isnan(value):
        return Text("–", "–")
    return found.words[sum(value >= cut for cut in found.cuts)]
