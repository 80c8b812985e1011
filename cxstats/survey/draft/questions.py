"""Steps of the draft that take single questions, and what answers and missing codes stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from cxstats.core.language import Text, both, listed
from cxstats.core.messages import cut, look
from cxstats.survey.draft import asked, ratings
from cxstats.survey.draft.ratings import Rating, Scale
from cxstats.survey.draft.result import ColumnRole
from cxstats.survey.draft.state import DraftState


def rating_evidence(rating: Rating) -> tuple[Text, bool]:
    """Return what the cells of a rating are, and whether some are neither answer nor code."""
    low, high = rating.ends
    n = int(np.isfinite(rating.cells.numbers).sum())
    if rating.strays:
        values = listed(f"{cut(v, 20)!r}" for v in [*rating.strays][:3])
        return both("survey.draft.rating.strays", low=low, high=high, values=values,
                    n=sum(rating.strays.values())), True  # fmt: skip
    key = "labels" if rating.labels else "numbers"
    return both(f"survey.draft.rating.{key}", low=low, high=high, n=n), False


def ends_of(scale: Scale) -> tuple[int, int]:
    """Return the ends of a scale."""
    return scale.low, scale.high


def scale_evidence(scales: Sequence[Scale]) -> tuple[Text, bool]:
    """Return where the scale of some columns is from, and whether it is doubtful."""
    by = Counter(s.by for s in scales).most_common(1)[0][0]
    ends = min(s.ends[0] for s in scales), max(s.ends[1] for s in scales)
    n = sum(s.n_columns for s in scales)
    low, high = ends_of(scales[0])
    doubt = any(s.doubt for s in scales) if by != "range" else ends != (low, high)
    doubt |= by == "range" and (high not in ratings.TOPS or (low == 0 and high < 10))
    key = "next" if by == "range" and ends != (low, high) else by
    return both(
        f"survey.draft.scale.{key}", low=low, high=high, first=ends[0], last=ends[1], n=n
    ), doubt


def take_rated_questions(
    state: DraftState, recommended: list[Rating], single: list[Rating]
) -> None:
    """Take questions on recommendation, then single ratings in the order of their columns."""
    for i, rating in enumerate(recommended):
        low, high = rating.stated or rating.ends
        usual = low == 0 or rating.by == "range"
        said: dict[str, Any] = {"kind": "nps", "column": rating.name}
        if not usual or high > 10:
            said["scale"] = [low, high]
        sure = rating.ends[0] == 0 or rating.stated is not None
        evidence = both(f"survey.draft.nps.{'zero' if sure else 'no_zero'}",
                        low=rating.ends[0], high=rating.ends[1])  # fmt: skip
        _take_rated(state, rating, "nps" if i == 0 else rating.name, said, evidence, not sure)
    scales = [Scale(*pair, "cell_labels", pair, 1) for pair in state.scale_pairs()]
    for rating in sorted(single, key=lambda r: r.cells.place):
        kind = asked.kind_of_rating(rating.cells.heading)
        scale = ratings.scale_of([rating], scales)
        said = {"kind": kind, "column": rating.name, "scale": [scale.low, scale.high]}
        if rating.best == "low":
            said["best"] = "low"
        if rating.by == "range" and (scale.low, scale.high) in state.scale_pairs():
            scale = Scale(scale.low, scale.high, "file", scale.ends, 1, scale.doubt)
        evidence, doubt = scale_evidence([scale])
        name = kind if kind != "rating" else rating.name
        _take_rated(state, rating, name, said, evidence, doubt)


def _take_rated(
    state: DraftState, rating: Rating, name: str, said: dict[str, Any], evidence: Text, doubt: bool
) -> None:
    if rating.strays:
        evidence, doubt = rating_evidence(rating)[0], True
    label_text = " ".join(rating.cells.question.split())
    if label_text and look(label_text) != look(rating.name):
        said["label"] = label_text
    state.add_question(name, said, evidence, doubt)
    state.claim(rating.name, said["kind"], evidence, doubt)


def write_answers(state: DraftState, rated: Iterable[Rating]) -> None:
    """Write answer labels, once for all where they agree, else under construct or question."""
    owner = state.owners()
    labels: dict[str, dict[str, int]] = {}
    counts: Counter[str] = Counter()
    used = [r for r in rated if r.name in owner]
    for rating in used:
        labels.setdefault(owner[rating.name], {}).update(rating.labels)
        for text in rating.labels:
            counts[text] += rating.cells.texts.get(text, 0)
    numbers: dict[str, Counter[int]] = {}
    for name, mapping in labels.items():
        size = len(state.keys.get("constructs", {}).get(name, ())) or 1
        for text, number in mapping.items():
            numbers.setdefault(text, Counter())[number] += size
    common = {text: tally.most_common(1)[0][0] for text, tally in numbers.items()}
    incomplete = {text for r in used if not r.is_complete for text in r.labels}
    answers: dict[str, Any] = dict(sorted(common.items(), key=lambda pair: -pair[1]))
    for text in answers:
        evidence = both("survey.draft.answer", n=counts[text])
        state.say(evidence, text in incomplete, "answers", text)
    for name, mapping in labels.items():
        differ = {text: n for text, n in mapping.items() if common[text] != n}
        if differ and name in state.keys.get("constructs", {}):
            answers[name] = differ
        elif differ:
            state.keys["questions"][name]["answers"] = differ
    if answers:
        state.keys["answers"] = answers
    _write_missing(state, used)


def _write_missing(state: DraftState, used: Sequence[Rating]) -> None:
    answered = {float(v) for r in used for v in np.unique(r.cells.numbers) if np.isfinite(v)}
    codes: Counter[Any] = Counter()
    columns: Counter[Any] = Counter()
    sure = {code for r in used for code in r.sure_codes}
    for rating in used:
        for code, n in (*rating.codes.items(), *rating.texts.items()):
            codes[code] += n
            columns[code] += 1
            if not isinstance(code, str) and code in answered:
                evidence = both("survey.draft.missing.clash", code=f"{code:g}")
                place = state.roles[rating.name]
                state.roles[rating.name] = ColumnRole(place.column, place.role, evidence, True)
                state.say(evidence, True, *state.place_of(rating.name))
    missing = [c for c in codes if isinstance(c, str) or c not in answered]
    plain = [int(c) if not isinstance(c, str) and c == int(c) else c for c in missing]
    for code, written in zip(missing, plain, strict=True):
        evidence = both("survey.draft.missing", n=codes[code], columns=columns[code])
        state.say(evidence, not isinstance(code, str) and code not in sure, "missing", written)
    if plain:
        state.keys["missing"] = plain
