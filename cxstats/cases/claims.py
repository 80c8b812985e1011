"""Statements of the sources that real data can test: supported, contradicted, or neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from math import nan
from typing import TYPE_CHECKING, Any, ClassVar

from cxstats.cases.facts import read_facts
from cxstats.cases.files import case_folder, read_rows, source_titles
from cxstats.core.errors import DataError, MissingToolError
from cxstats.core.language import LANGUAGES, Text, both, label, note_if
from cxstats.core.result import Chart, Result
from cxstats.datasets import (
    load_cdnow,
    load_corporate_reputation,
    load_ecsi_mobile,
    load_flights,
    load_hotel_bookings,
    load_patient_experience,
)
from cxstats.datasets.loaders import load_chinese_reviews
from cxstats.metrics import rate
from cxstats.stats.concentration import Concentration, customers_for, top_share
from cxstats.stats.intervals import check_level
from cxstats.voice.aspects import aspects

if TYPE_CHECKING:
    import pandas as pd

LATE = 15  # minutes; the airlines' own limit of an arrival on time
RELATIONS = (">", "≥", "<", "=")
VERDICTS = ("supported", "contradicted", "undecided", "no_data")
BILINGUAL = ("section", "claim", "measure", "data", "note")


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of a source, and how data test it.

    Attributes
    ----------
    id, source : str
        Its name, and the number of the document.
    section, claim : Text
        Where it stands, and what it says.
    facts : tuple of str
        The published figures that belong to it.
    measure : Text
        What is estimated.
    relation : {">", "≥", "<", "="}
        What the statement says of the measure, beside ``claimed``.
    claimed : Decimal
    data : Text
        What is measured, and whose data they are.
    call : str
        The call that gives the estimate, for reading; it is never evaluated.
    note : Text
        What the data cannot say.
    """

    id: str
    source: str
    section: Text
    claim: Text
    facts: tuple[str, ...]
    measure: Text
    relation: str
    claimed: Decimal
    data: Text
    call: str
    note: Text


@dataclass(frozen=True, slots=True)
class Estimate:
    """What data say of a claim: a number with its interval, from ``n`` rows."""

    estimate: float
    ci_low: float
    ci_high: float
    n: int


NO_DATA = Estimate(nan, nan, nan, 0)


@dataclass(frozen=True, eq=False, repr=False)
class Claims(Result):
    """Claims of the sources beside what data say.

    Attributes
    ----------
    claims : tuple of Claim
    estimates : tuple of Estimate
        In the order of the claims.
    level : float
        Level of the intervals.
    """

    claims: tuple[Claim, ...]
    estimates: tuple[Estimate, ...]
    level: float

    codes: ClassVar = {"verdict": "claims.verdict.{}"}

    @property
    def verdicts(self) -> tuple[str, ...]:
        """One of `VERDICTS` for each claim."""
        pairs = zip(self.claims, self.estimates, strict=True)
        return tuple(judge(claim, estimate) for claim, estimate in pairs)

    @property
    def table(self) -> pd.DataFrame:
        """One row a claim: what it says, what comes out, and the verdict."""
        return self.as_table("en")

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with its texts in `lang`."""
        import pandas as pd

        rows = zip(self.claims, self.estimates, self.verdicts, strict=True)
        return pd.DataFrame(
            [
                {
                    "id": claim.id,
                    "source": claim.source,
                    "section": claim.section.get(lang),
                    "claim": claim.claim.get(lang),
                    "measure": claim.measure.get(lang),
                    "relation": claim.relation,
                    "claimed": float(claim.claimed),
                    "estimate": estimate.estimate,
                    "ci_low": estimate.ci_low,
                    "ci_high": estimate.ci_high,
                    "n": estimate.n,
                    "verdict": verdict,
                    "data": claim.data.get(lang),
                    "call": claim.call,
                    "note": claim.note.get(lang),
                }
                for claim, estimate, verdict in rows
            ]
        )

    @property
    def notes(self) -> tuple[Text, ...]:
        """What a reader must know."""
        missing = "no_data" in self.verdicts
        return (both("claims.note.elsewhere"), *note_if(missing, "claims.note.no_data"))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The distances of the estimates from what is claimed, where there are data."""
        return ("intervals",) if any(e.n for e in self.estimates) else ()

    def findings(self, lang: str) -> list[str]:
        """Return how many claims have each verdict, and each claim with its interval."""
        counts = Counter(self.verdicts)
        tally = label("audit.comma", lang).join(
            label("claims.count", lang, n=counts[verdict], verdict=_verdict_text(verdict, lang))
            for verdict in VERDICTS
            if counts[verdict]
        )
        rows = zip(self.claims, self.estimates, self.verdicts, strict=True)
        return [
            label("claims.head", lang, n=len(self.claims), counts=tally),
            *(
                "  "
                + label(
                    "claims.row" if estimate.n else "claims.row.no_data",
                    lang,
                    id=claim.id,
                    claim=claim.claim.get(lang),
                    measure=claim.measure.get(lang),
                    estimate=f"{estimate.estimate:.3f}",
                    low=f"{estimate.ci_low:.3f}",
                    high=f"{estimate.ci_high:.3f}",
                    claimed=f"{claim.relation} {claim.claimed}",
                    verdict=_verdict_text(verdict, lang),
                )
                for claim, estimate, verdict in rows
            ),
        ]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return how far each estimate lies on the side of its claim."""
        rows = [(c, e) for c, e in zip(self.claims, self.estimates, strict=True) if e.n]
        names = [f"{claim.id} {claim.measure.get(lang)}" for claim, _ in rows]
        distances = zip(*(_distances(claim, estimate) for claim, estimate in rows), strict=True)
        supported = self.verdicts.count("supported")
        settings = {
            "source": "; ".join(dict.fromkeys(claim.data.get(lang) for claim, _ in rows)),
            "level": self.level,
            "axis": label("claims.chart.axis", lang),
            "title": label("claims.chart.title", lang, k=supported, n=len(rows)),
        }
        return Chart("intervals", (names, *distances), settings)


def _distances(claim: Claim, estimate: Estimate) -> tuple[float, float, float]:
    """Return an estimate and its limits less the number claimed, positive on the claim's side."""
    claimed = float(claim.claimed)
    above = estimate.estimate > claimed
    is_turned = above if claim.relation == "=" else claim.relation == "<"
    sign = -1 if is_turned else 1
    low, high = sorted(sign * (end - claimed) for end in (estimate.ci_low, estimate.ci_high))
    return sign * (estimate.estimate - claimed), low, high


def _verdict_text(verdict: str, lang: str) -> str:
    return label(f"claims.verdict.{verdict}", lang)


def judge(claim: Claim, estimate: Estimate) -> str:
    """Return what an interval says of a claim, one of `VERDICTS`.

    A claim of more, or less, is supported if the whole interval is on its side, contradicted if it
    is on the other, and undecided otherwise. A claim of a number is contradicted if the interval
    leaves it out; that the interval holds it is not taken for support.

    Examples
    --------
    >>> claim = read_claims()[0]
    >>> claim.relation, str(claim.claimed)
    ('≥', '0.70')
    >>> [judge(claim, Estimate(0.7, low, low + 0.1, 50)) for low in (0.71, 0.65, 0.55)]
    ['supported', 'undecided', 'contradicted']
    """
    if not estimate.n:
        return "no_data"
    claimed, low, high = float(claim.claimed), estimate.ci_low, estimate.ci_high
    if claim.relation == "=":
        return "undecided" if low <= claimed <= high else "contradicted"
    if claim.relation == "<":
        claimed, low, high = -claimed, -high, -low
    above = low >= claimed if claim.relation == "≥" else low > claimed
    return "supported" if above else "contradicted" if high < claimed else "undecided"


@cache
def read_claims() -> tuple[Claim, ...]:
    """Return the claims of ``data/cases/claims.csv``.

    Raises
    ------
    DataError
        Naming row, column and value of what is not known.
    """
    path = case_folder() / "claims.csv"
    texts = tuple(f"{name}_{lang}" for name in BILINGUAL for lang in LANGUAGES)
    rows = read_rows(path, ("id", "source", "facts", "relation", "claimed", "call", *texts))
    published = {fact.id for fact in read_facts()}
    problems = [
        f"{path.name}, row {line}, column {column!r}: {value!r} is not known"
        for line, row in rows
        for column, values, allowed in (
            ("id", [row["id"]], ESTIMATES),
            ("source", [row["source"]], source_titles()),
            ("relation", [row["relation"]], RELATIONS),
            ("facts", row["facts"].split("; ") if row["facts"] else [], published),
        )
        for value in values
        if value not in allowed
    ]
    if problems:
        raise DataError(problems)
    return tuple(
        Claim(
            id=row["id"],
            source=row["source"],
            facts=tuple(row["facts"].split("; ")) if row["facts"] else (),
            relation=row["relation"],
            claimed=Decimal(row["claimed"]),
            call=row["call"],
            **{name: Text(row[f"{name}_en"], row[f"{name}_zh"]) for name in BILINGUAL},
        )
        for _, row in rows
    )


def claims(level: float = 0.95) -> Claims:
    """Test the statements of the sources that real data can test.

    The data are of other firms than those of the sources, mostly of another trade, and none is of
    a bank: a claim that holds there is plausible, and not proven.

    Parameters
    ----------
    level : float
        Level of the intervals.

    Returns
    -------
    Claims
        A claim whose data set is not installed has no estimate, and says so.

    Examples
    --------
    >>> result = claims()
    >>> result.table.set_index("id").loc["K2", ["estimate", "ci_low", "ci_high"]].round(3).tolist()
    [0.617, 0.459, 0.738]
    >>> result.verdicts.count("supported")
    7
    """
    check_level(level)
    statements = read_claims()
    return Claims(statements, tuple(_estimate(claim.id, level) for claim in statements), level)


def _estimate(name: str, level: float) -> Estimate:
    try:
        return ESTIMATES[name](level)
    except MissingToolError:
        return NO_DATA


def correlation(frame: pd.DataFrame, first: str, second: str, level: float = 0.95) -> Estimate:
    """Return Pearson's correlation of two columns, rows with both, with Fisher's interval."""
    from scipy.stats import pearsonr

    rows = frame[[first, second]].dropna().astype(float)
    result = pearsonr(rows[first], rows[second])
    low, high = result.confidence_interval(level)
    return Estimate(float(result.statistic), float(low), float(high), len(rows))


def timed_flights() -> pd.DataFrame:
    """Return the flights that arrived: ``on_time``, at most 15 minutes late, and their ``date``."""
    flights = load_flights().dropna(subset=["arr_delay"])
    dates = flights["month"] * 100 + flights["day"]
    return flights.assign(on_time=(flights["arr_delay"] <= LATE).astype(int), date=dates)


def checked_bookings() -> pd.DataFrame:
    """Return the bookings: ``as_reserved`` where the room given is of the type reserved."""
    bookings = load_hotel_bookings()
    reserved, assigned = bookings["reserved_room_type"], bookings["assigned_room_type"]
    return bookings.assign(as_reserved=(reserved.astype(str) == assigned.astype(str)).astype(int))


def reputation() -> pd.DataFrame:
    """Return the corporate-reputation survey with ``liking``, the mean of its three items."""
    answers, codebook = load_corporate_reputation()
    items = list(codebook.columns(construct="LIKE"))
    return answers.assign(liking=answers[items].mean(axis=1, skipna=False))


def ecsi() -> pd.DataFrame:
    """Return the ECSI survey with the means of the items of satisfaction and loyalty."""
    answers, codebook = load_ecsi_mobile()
    means = {
        name: answers[list(codebook.columns(construct=name))].mean(axis=1)
        for name in ("Satisfaction", "Loyalty")
    }
    return answers.assign(**means)


def named_difference(aspect: str, level: float = 0.95) -> Estimate:
    """Return how much more often reviews of computers that name an aspect are positive."""
    reviews = load_chinese_reviews(distinct=True)
    computers = reviews[reviews["domain"] == "computer"]
    table = aspects(computers, "label", column="text", lexicon="shop", level=level).table
    row: Any = table.set_index("aspect").loc[aspect]
    low, high = float(row["difference_ci_low"]), float(row["difference_ci_high"])
    return Estimate(float(row["difference"]), low, high, int(row["n"]))


def _spending() -> pd.Series[float]:
    return load_cdnow().groupby("customer")["spent"].sum()


def _concentration(measure: Concentration, level: float) -> Estimate:
    return Estimate(measure.estimate, *measure.interval(level), measure.n)


def _share(frame: pd.DataFrame, column: str, cluster: str, level: float) -> Estimate:
    row = rate(frame, column=column, cluster=cluster, level=level).table.iloc[0]
    share, low, high = (float(row[name]) for name in ("estimate", "ci_low", "ci_high"))
    return Estimate(share, low, high, int(row["n"]))


# By claim: what its call in claims.csv says, at a level.
ESTIMATES: dict[str, Callable[[float], Estimate]] = {
    "K1a": lambda level: _concentration(top_share(_spending(), 0.3), level),
    "K1b": lambda level: _concentration(customers_for(_spending(), 0.7), level),
    "K2": lambda level: correlation(load_patient_experience(), "timely_care", "rating", level),
    "K3a": lambda level: named_difference("quality", level),
    "K3b": lambda level: named_difference("delivery", level),
    "K4a": lambda level: _share(timed_flights(), "on_time", "date", level),
    "K4b": lambda level: _share(checked_bookings(), "as_reserved", "arrival_date", level),
    "K5": lambda level: correlation(reputation(), "liking", "cusl_2", level),
    "K6a": lambda level: correlation(ecsi(), "CUSCO", "Satisfaction", level),
    "K6b": lambda level: correlation(ecsi(), "CUSCO", "Loyalty", level),
}
