"""A service blueprint, read and computed: critical path, waiting, losses, standards, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan, nan
from typing import TYPE_CHECKING, Any, ClassVar

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.journeys.blueprint.checks import gaps
from cxstats.journeys.blueprint.elements import (
    ELEMENT_METRICS,
    LAYERS,
    Element,
    Measured,
    Specification,
)
from cxstats.journeys.blueprint.estimates import (
    Estimate,
    expected_loss,
    total_time,
    waiting_share,
)
from cxstats.journeys.blueprint.paths import CriticalPath, critical_path
from cxstats.journeys.blueprint.read import read_blueprint
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.journeys.blueprint.comparison import BlueprintComparison
    from cxstats.journeys.blueprint.contact_scores import ContactScores

LISTED = 8  # names in a line of the summary
NEARLY = 0.1  # share of the part that two ways do not have in common
# Measurements below which the t interval of a mean of exponential times was seen to hold the truth
# in less than 93.5 % of samples: tests/journeys/test_blueprint.py, run by -m slow.
ENOUGH, LEAST = 50, 87
NOTHING = Estimate(nan, nan, nan, "", "none")
ZERO = Measured(0.0)


@dataclass(frozen=True, eq=False, repr=False)
class Blueprint(Result):
    """A service blueprint and what follows from it.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per element, in the order of the file: ``element`` (its id), ``name, layer, stage,
        wait, time`` (means, with ``_ci_low, _ci_high`` where sd and n are known), ``start`` (its
        earliest, with waiting), ``slack``, ``critical``, ``failure_share`` with its interval,
        ``failure_n, cost, loss`` (cost times share) with its interval, ``sign, weak_link, owner,
        contact_mode, after_sale, description``.
    flows : pandas.DataFrame
        ``source, target, kind``.
    critical_path : pandas.DataFrame
        The elements of the longest way along flows of kind "flow": ``element, wait, time, finish``
        (all of it so far).
    totals : pandas.DataFrame
        ``measure`` (lead_time, waiting_share, expected_loss), ``estimate, ci_low, ci_high, unit,
        method``.
    standards : pandas.DataFrame
        ``element, metric, direction, limit, estimate, ci_low, ci_high, verdict`` ("met", "missed",
        "not_measured"), ``clear`` (whether the whole interval is on the side of the verdict).
    gaps : pandas.DataFrame
        ``problem, layer, element``, see `cxstats.journeys.blueprint.checks.gaps`.
    specification : Specification
        What the file says.
    level : float
        Of the intervals.
    synthetic : bool
        Whether the file marks its numbers as made up.
    notes : tuple of Text
    """

    table: pd.DataFrame
    flows: pd.DataFrame
    critical_path: pd.DataFrame
    totals: pd.DataFrame
    standards: pd.DataFrame
    gaps: pd.DataFrame
    specification: Specification
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {
        "layer": "blueprint.word.{}",
        "kind": "blueprint.word.{}",
        "measure": "blueprint.measure.{}",
        "metric": "blueprint.metric.{}",
        "direction": "blueprint.direction.{}",
        "verdict": "blueprint.verdict.{}",
        "problem": "blueprint.gap.{}",
        "unit": "process.unit.{}",
        "method": "blueprint.method.{}",
    }
    reference: ClassVar = (
        "Shostack (1984). Designing services that deliver. Harvard Business Review 62(1), 133-139."
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The drawing with five layers, with the source's four, and the contact chain."""
        drawn = ("blueprint", "four_layers")
        return drawn if self.why_not("chain") else (*drawn, "chain")

    def why_not(self, kind: str) -> str:
        """Return why there is no contact chain, where there is none."""
        has_contact = any(element.contact_place for element in self.specification.elements)
        return "" if kind != "chain" or has_contact else "no element is frontstage or backstage"

    @property
    def lead_time(self) -> Estimate:
        """The length of the critical path, waiting included."""
        return self._total("lead_time")

    @property
    def waiting_share(self) -> Estimate:
        """The share of waiting in the lead time."""
        return self._total("waiting_share")

    @property
    def expected_loss(self) -> Estimate:
        """The expected cost of failures in one run of the service."""
        return self._total("expected_loss")

    def _total(self, measure: str) -> Estimate:
        rows = self.totals[self.totals["measure"] == measure]
        if rows.empty:
            return NOTHING
        row = rows.iloc[0]
        value, low, high = (float(row[key]) for key in ("estimate", "ci_low", "ci_high"))
        return Estimate(value, low, high, str(row["unit"]), str(row["method"]))

    def compare(self, new: Blueprint) -> BlueprintComparison:
        """Return what `new` adds, removes, moves and changes, elements matched by their id.

        ``old.compare(new)`` and ``Blueprint.compare(old, new)`` are the same; see
        `cxstats.journeys.blueprint.comparison.compare`.
        """
        from cxstats.journeys.blueprint.comparison import compare

        return compare(self, new)

    def score(self, feedback: Any, scale: Sequence[float], **options: Any) -> ContactScores:
        """Return the contact points scored from feedback and internal data, and the bottleneck.

        See `cxstats.journeys.blueprint.contact_scores.score`, which says the options.
        """
        from cxstats.journeys.blueprint.contact_scores import score

        return score(self, feedback, scale, **options)

    def name_of(self, element: str, lang: str | None = None) -> str:
        """Return the words for an element."""
        return self.specification.element(element).name.get(lang)

    def has(self, element: str) -> bool:
        """Return whether there is an element of that id."""
        return any(e.id == element for e in self.specification.elements)

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with its texts in `lang`."""
        return _with_texts(self.table, self.specification, lang)

    def findings(self, lang: str) -> list[str]:
        """Return the critical path, the loss and the standards."""
        spec, level = self.specification, format_percent(100 * self.level, None, lang)
        n_layers = len({element.layer for element in spec.elements})
        head = label(
            "blueprint.head",
            lang,
            title=spec.title.get(lang) or label("title.Blueprint", lang),
            n=len(spec.elements),
            layers=n_layers,
            flows=len(spec.flows),
            level=level,
        )
        return [head, *self._path_lines(lang), *self._loss_lines(lang), *self._standard_lines(lang)]

    def _path_lines(self, lang: str) -> list[str]:
        if self.critical_path.empty or isnan(self.lead_time.estimate):
            return []
        lead, share = self.lead_time, self.waiting_share
        names = [self.name_of(name, lang) for name in self.critical_path["element"]]
        more = len(names) - LISTED
        way = label("blueprint.arrow", lang).join(names[:LISTED])
        way += label("blueprint.more", lang, n=more) if more > 0 else ""
        lines = [label(
            "blueprint.path", lang,
            total=estimate_text(lead, lang), unit=label(f"process.unit.{lead.unit}", lang), way=way,
        )]  # fmt: skip
        if not isnan(share.estimate):
            lines.append(label("blueprint.waiting", lang, share=estimate_text(share, lang)))
        return lines

    def _loss_lines(self, lang: str) -> list[str]:
        loss = self.expected_loss
        if isnan(loss.estimate):
            return []
        text = label("blueprint.loss", lang, loss=estimate_text(loss, lang), unit=loss.unit)
        return [text.rstrip()]

    def _standard_lines(self, lang: str) -> list[str]:
        if self.standards.empty:
            return []
        n = self.standards["verdict"].value_counts()
        counts = {key: int(n.get(key, 0)) for key in ("met", "missed", "not_measured")}
        missed = self.standards[self.standards["verdict"] == "missed"]
        lines = [label("blueprint.standards", lang, **counts)]
        lines += [self._missed_line(row, lang) for _, row in missed.iloc[:LISTED].iterrows()]
        return lines

    def _missed_line(self, row: pd.Series[Any], lang: str) -> str:
        scale = 100 if row["metric"] == "failure_share" else 1
        suffix = (
            "" if scale == 1 else "%" if lang == "zh" else " %"
        )  # fmt: skip
        return label(
            "blueprint.missed" if row["clear"] else "blueprint.missed.unclear",
            lang,
            element=self.name_of(row["element"], lang),
            metric=metric_name(row["metric"], [self.specification], lang),
            value=format_number(scale * row["estimate"]) + suffix,
            limit=label(f"blueprint.limit.{row['direction']}", lang,
                        limit=format_number(scale * row["limit"]) + suffix),
        )  # fmt: skip

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the drawing, or the chain of contacts."""
        if kind != "chain":
            return Chart("service_blueprint", (self,), {"four_layers": kind == "four_layers"})
        spec = self.specification
        chain = [spec.element(name) for name in self.order if spec.element(name).contact_place]
        return Chart(
            "contact_chain",
            ([element.name for element in chain],),
            {
                "places": [element.contact_place for element in chain],
                "modes": [element.mode for element in chain],
                "source": self.source(lang),
                "synthetic": self.synthetic,
            },
        )

    @property
    def order(self) -> tuple[str, ...]:
        """The elements in the order of the flows, otherwise in that of the file."""
        from cxstats.journeys.blueprint.paths import topological_order

        ids = [element.id for element in self.specification.elements]
        return tuple(topological_order(ids, self.specification.pairs("flow")))

    def source(self, lang: str | None = None) -> str:
        """Return where the blueprint comes from, for charts."""
        spec = self.specification
        return spec.source.get(lang) or spec.title.get(lang) or label("title.Blueprint", lang)


@long_work("blueprint")
def blueprint(
    elements: Any,
    flows: Any = None,
    *,
    unit: str | None = None,
    currency: str | None = None,
    title: Any = None,
    source: Any = None,
    synthetic: bool | None = None,
    level: float = 0.95,
) -> Blueprint:
    """Read a service blueprint, check it and compute its critical path, losses and standards.

    An element has a layer (evidence, customer, frontstage, backstage, support), a wait before it
    and a time, a standard (metric and limit), a failure share with what a failure costs, a sign
    that the customer receives, a weak link and an owner; only ``id`` and ``layer`` are needed.
    Flows of kind "flow" say what comes after what; those of kind "information" and "failure" may
    go back.

    Times are means. A number is a planned time and has no interval; ``{mean: 5, sd: 2, n: 40}`` or
    a list of measurements has one. Ranges are not taken, since a range does not say what of. A
    failure is ``{failed: 3, n: 150, cost: 120}`` with n runs of the whole service, or ``{share:
    0.02}``, which has no interval.

    Parameters
    ----------
    elements : path, str, mapping or table
        A YAML file, or one that ships ("bank_branch" as printed, "synthetic_account_opening" made
        up to show everything); a mapping of the same keys; a table of elements, or a ``.csv``
        or ``.xlsx`` file of one (its sheets "elements" and "flows").
    flows : table or path, optional
        Columns ``from, to, kind``, beside a table of elements.
    unit, currency, title, source, synthetic : optional
        Of a table of elements; a YAML file says them itself. `unit` is that of all times: "second",
        "minute", "hour" or "day".
    level : float
        Of the intervals.

    Returns
    -------
    Blueprint

    Raises
    ------
    DataError
        With every problem of the input, each with its line or row: an unknown key, layer or unit, a
        doubled id, an element in two layers, a flow to an element that does not exist, a circle of
        flows, a negative time.

    Notes
    -----
    The lead time is that of the longest way where every element of the blueprint takes place;
    of alternatives (decisions) it is the slowest. Intervals of sums take elements as independent of
    each other; where single runs were timed as wholes, `cxstats.event_log` needs no such
    assumption. Where several ways are about as long, the mean of
    the longest is above the longest mean; a note says so.

    References
    ----------
    Shostack (1984). Designing services that deliver. Harvard Business Review 62(1), 133-139.

    Examples
    --------
    >>> bank = blueprint("bank_branch")
    >>> bank.table["layer"].value_counts(sort=False).to_dict()
    {'customer': 2, 'frontstage': 2, 'backstage': 2, 'support': 2}
    >>> service = blueprint({
    ...     "unit": "minute",
    ...     "elements": [
    ...         {"id": "ask", "layer": "customer", "time": 2},
    ...         {"id": "answer", "layer": "frontstage", "wait": 6, "time": 4},
    ...         {"id": "look up", "layer": "backstage", "time": 1},
    ...     ],
    ...     "flows": [{"from": "ask", "to": "answer"}, {"from": "ask", "to": "look up"}],
    ... })
    >>> service.critical_path["element"].tolist(), service.lead_time.estimate
    (['ask', 'answer'], 12.0)
    >>> service.waiting_share.estimate
    0.5
    """
    check_level(level)
    spec = read_blueprint(
        elements, flows, unit=unit, currency=currency, title=title, source=source,
        synthetic=synthetic,
    )  # fmt: skip
    return of_specification(spec, level)


def of_specification(spec: Specification, level: float) -> Blueprint:
    """Return the result of a blueprint that was read."""
    import pandas as pd

    sequence = spec.pairs("flow")
    inside = dict.fromkeys(name for pair in sequence for name in pair)
    durations = {e.id: e.duration for e in spec.elements if e.id in inside}
    longest = critical_path(durations, sequence) if spec.unit else critical_path({}, [])
    on_path = [spec.element(name) for name in longest.path]
    waits, times = ([getattr(e, key) or ZERO for e in on_path] for key in ("wait", "time"))
    estimates = (
        total_time([*waits, *times], spec.unit, level) if on_path else NOTHING,
        waiting_share(waits, times, level) if on_path else NOTHING,
        expected_loss(spec.elements, spec.currency, level),
    )
    measures = ("lead_time", "waiting_share", "expected_loss")
    totals = [
        (measure, *estimate)
        for measure, estimate in zip(measures, estimates, strict=True)
        if not isnan(estimate.estimate)
    ]
    standards = _standards(spec, level)
    return Blueprint(
        table=_table(spec, longest, level),
        flows=pd.DataFrame(
            [(f.source, f.target, f.kind) for f in spec.flows], columns=["source", "target", "kind"]
        ),
        critical_path=_path_table(on_path),
        totals=pd.DataFrame(totals, columns=["measure", *Estimate._fields]),
        standards=standards,
        gaps=pd.DataFrame(gaps(spec), columns=["problem", "layer", "element"]),
        specification=spec,
        level=level,
        synthetic=spec.synthetic,
        notes=tuple(_notes(spec, longest, estimates, standards)),
    )


def _table(spec: Specification, longest: CriticalPath, level: float) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for e in spec.elements:
        row: dict[str, Any] = {"element": e.id, "layer": e.layer}
        for key in ("wait", "time"):
            row |= _limits(key, getattr(e, key), level)
        row["start"] = longest.start.get(e.id, nan)
        row["slack"] = longest.slack.get(e.id, nan)
        row["critical"] = e.id in longest.path
        row |= _limits("failure_share", e.failure, level)
        row["failure_n"] = nan if e.failure is None else e.failure.n
        row["cost"] = e.cost
        shares = ("failure_share", "failure_share_ci_low", "failure_share_ci_high")
        for key, share in zip(("loss", "loss_ci_low", "loss_ci_high"), shares, strict=True):
            row[key] = e.cost * row[share]
        row["after_sale"] = e.after_sale
        rows.append(row)
    return _with_texts(pd.DataFrame(rows), spec, "en")


def _limits(key: str, measured: Measured | None, level: float) -> dict[str, float]:
    low, high = (nan, nan) if measured is None else measured.limits(level)
    mean = nan if measured is None else measured.mean
    return {key: mean, f"{key}_ci_low": low, f"{key}_ci_high": high}


def _with_texts(table: pd.DataFrame, spec: Specification, lang: str | None) -> pd.DataFrame:
    """Return the table of elements with the texts of the file in `lang`, in their places."""
    texts: dict[str, list[str]] = {
        key: [getattr(e, key).get(lang) for e in spec.elements]
        for key in ("name", "sign", "weak_link", "owner", "mode", "description")
    }
    texts["contact_mode"] = texts.pop("mode")
    stages = [spec.stages[e.stage].get(lang) if e.stage else "" for e in spec.elements]
    table = table.drop(columns=[*texts, "stage"], errors="ignore")
    table.insert(1, "name", texts.pop("name"))
    table.insert(3, "stage", stages)
    return table.assign(**texts)


def _path_table(elements: Sequence[Element]) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(
        [(e.id, (e.wait or ZERO).mean, (e.time or ZERO).mean) for e in elements],
        columns=["element", "wait", "time"],
    )
    return table.assign(finish=(table["wait"] + table["time"]).cumsum())


def _standards(spec: Specification, level: float) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for e in spec.elements:
        for standard in e.standards:
            value = standard.value
            low, high = (nan, nan) if value is None else value.limits(level)
            verdict, clear = "not_measured", False
            if value is not None:
                met = standard.is_met(value.mean)
                verdict = "met" if met else "missed"
                clear = isfinite(low + high) and {*map(standard.is_met, (low, high))} == {met}
            mean = nan if value is None else value.mean
            rows.append((e.id, standard.metric, standard.direction, standard.limit, mean, low, high,
                         verdict, clear))  # fmt: skip
    columns = ["element", "metric", "direction", "limit", "estimate", "ci_low", "ci_high",
               "verdict", "clear"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _notes(
    spec: Specification,
    longest: CriticalPath,
    totals: Sequence[Estimate],
    standards: pd.DataFrame,
) -> list[Text]:
    """Return what a reader must know; the expected loss is the last of the totals."""
    loss = totals[-1]
    notes = note_if(not spec.flows, "blueprint.note.no_flows")
    places: dict[str, list[str]] = {}
    for gap, layer, element in gaps(spec):
        places.setdefault(gap, []).append(element or layer)
    for gap, names in places.items():
        what = _layer_names(names) if gap == "empty_layer" else _names(spec, names)
        notes.append(both("blueprint.note.gap", gap=both(f"blueprint.gap.{gap}"), names=what))
    sequence = {name for pair in spec.pairs("flow") for name in pair}
    untimed = [
        e.id for e in spec.elements if e.id in sequence and e.time is None and e.wait is None
    ]
    if spec.unit and longest.path:
        notes += note_if(bool(untimed), "blueprint.note.untimed", names=_names(spec, untimed))
        notes += _time_notes(spec, longest)
    few = [e.id for e in spec.elements if any(map(_is_short, (e.time, e.wait)))]
    values = {"enough": ENOUGH, "least": LEAST, "names": _names(spec, few)}
    notes += note_if(bool(few), "blueprint.note.few", **values)
    losing = [e for e in spec.elements if e.failure is not None]
    notes += note_if(any(not isnan(total.ci_low) for total in totals), "blueprint.note.independent")
    notes += note_if(any(isnan(e.cost) for e in losing), "blueprint.note.no_cost",
                     names=_names(spec, [e.id for e in losing if isnan(e.cost)]))  # fmt: skip
    no_n = [e.id for e in losing if e.failure is not None and isnan(e.failure.n)]
    notes += note_if(bool(no_n), "blueprint.note.no_n", names=_names(spec, no_n))
    silent = len(spec.elements) - len(losing)
    has_loss = not isnan(loss.estimate)
    notes += note_if(has_loss and silent > 0, "blueprint.note.loss_of_some",
                     n=len(spec.elements) - silent, all=len(spec.elements))  # fmt: skip
    notes += note_if(has_loss and not spec.currency, "blueprint.note.currency")
    unclear = standards[(standards["verdict"] != "not_measured") & ~standards["clear"].astype(bool)]
    notes += note_if(len(unclear) > 0, "blueprint.note.unclear", n=len(unclear))
    return notes


def _is_short(value: Measured | None) -> bool:
    """Return whether a mean has an interval of few measurements."""
    return value is not None and not isnan(value.variance) and value.n < ENOUGH


def _time_notes(spec: Specification, longest: CriticalPath) -> list[Text]:
    on_path = [spec.element(name) for name in longest.path]
    planned = [
        e.id
        for e in on_path
        if any(m is not None and m.mean > 0 and isnan(m.variance) for m in (e.wait, e.time))
    ]
    near = _nearly_critical(spec, longest)
    return [
        *note_if(bool(planned), "blueprint.note.planned", names=_names(spec, planned)),
        *note_if(bool(near), "blueprint.note.near", names=_names(spec, near)),
    ]


def _nearly_critical(spec: Specification, longest: CriticalPath) -> list[str]:
    """Return the elements on ways beside the critical path that are nearly as long as it is there.

    Such a way is shorter by its slack than the part of the critical path that it runs beside.
    """
    beside = {
        name: spec.element(name).duration for name in longest.slack if name not in longest.path
    }
    pairs = [pair for pair in spec.pairs("flow") if set(pair) <= beside.keys()]
    ways = critical_path(beside, pairs)
    near = []
    for name in beside:
        way, slack = ways.length - ways.slack[name], longest.slack[name]
        if way > 0 and slack <= NEARLY * (slack + way):
            near.append(name)
    return near


def _names(spec: Specification, ids: Sequence[str]) -> Text:
    """Return the names of elements, the first few of many."""
    names = [spec.element(name).name for name in ids[:LISTED]]
    more = len(ids) - LISTED
    counted = both("blueprint.more", n=more) if more > 0 else Text("", "")
    return Text(
        listed(name.en for name in names).en + counted.en,
        listed(name.zh for name in names).zh + counted.zh,
    )


def _layer_names(layers: Sequence[str]) -> Text:
    names = [both(f"blueprint.word.{layer}") for layer in layers if layer in LAYERS]
    return Text(listed(n.en for n in names).en, listed(n.zh for n in names).zh)


def metric_name(metric: str, specs: Iterable[Specification], lang: str) -> str:
    """Return the words for a metric: the project's, or those of the blueprints that have it."""
    if metric in ELEMENT_METRICS:
        return label(f"blueprint.metric.{metric}", lang)
    standards = (s for spec in specs for e in spec.elements for s in e.standards)
    return next((s.name.get(lang) for s in standards if s.metric == metric), metric)


def estimate_text(value: Estimate, lang: str) -> str:
    """Write an estimate and its interval; a share in per cent.

    Examples
    --------
    >>> estimate_text(Estimate(0.25, 0.2, 0.31, "share", "Fieller"), "en")
    '25.0 % [20.0, 31.0]'
    >>> estimate_text(Estimate(42.0, nan, nan, "minute", "none"), "en")
    '42'
    """
    is_share = value.unit == "share"
    scale = 100 if is_share else 1
    decimals = 1 if is_share else 2 if abs(value.estimate) < 10 else 1
    text = format_number(scale * value.estimate, decimals).removesuffix(".0" * (not is_share))
    text += ("%" if lang == "zh" else " %") if is_share else ""
    if isnan(value.ci_low):
        return text
    return f"{text} {interval(scale * value.ci_low, scale * value.ci_high, decimals)}"


def check_blueprint(value: object, name: str) -> None:
    """Raise if an argument is no blueprint."""
    if not isinstance(value, Blueprint):
        raise CxError(f"{name} is a {type(value).__name__!r}; allowed: what cx.blueprint returns")
