"""Steps of the draft that take items: constructs, roles, scales, turned items, points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from cxstats.core.language import Text, both
from cxstats.core.messages import look
from cxstats.survey.draft import asked, constructs, ratings, roles
from cxstats.survey.draft.headings import last_part, stem_of
from cxstats.survey.draft.questions import ends_of, rating_evidence, scale_evidence
from cxstats.survey.draft.ratings import Rating, Scale
from cxstats.survey.draft.state import DraftState

AGAINST = -0.25  # correlation with recommendation below which the best answer is the lowest


def take_constructs(
    state: DraftState, items_of: dict[str, dict[str, Rating]], proposal: roles.RoleProposal
) -> list[str]:
    """Propose constructs, their scales and reverse items; return the items that stand alone."""
    if not items_of:
        return []
    proposed, alone = _by_scale(items_of)
    if not proposed:
        return list(items_of) if not proposal.items else _in_one(state, items_of, proposal)
    if alone and proposal.items:  # an item with two answers is no single question
        proposed.append(constructs.Construct("", tuple(alone), "all", doubt=True))
        alone = []
    _write_constructs(state, proposed, items_of, proposal)
    return alone


def _in_one(
    state: DraftState, items_of: dict[str, dict[str, Rating]], proposal: roles.RoleProposal
) -> list[str]:
    construct = constructs.Construct("", tuple(items_of), "all", doubt=True)
    _write_constructs(state, [construct], items_of, proposal)
    return []


def _by_scale(
    items_of: dict[str, dict[str, Rating]],
) -> tuple[list[constructs.Construct], list[str]]:
    """Return constructs of items that share a scale, and the items that stand alone."""
    texts = _texts(items_of)
    classes: dict[Any, list[str]] = {}
    for item, scale in _item_scales(items_of).items():
        classes.setdefault(scale, []).append(item)
    proposed, alone = [], []
    for items in classes.values():
        matrices = [
            np.column_stack([items_of[item][role].cells.numbers for item in items])
            for role in items_of[items[0]]
        ]
        some, single = constructs.propose_constructs(items, matrices, texts)
        proposed += some
        alone += single
    place = {item: i for i, item in enumerate(items_of)}
    proposed.sort(key=lambda c: place[c.items[0]])
    return proposed, alone


def _item_scales(items_of: dict[str, dict[str, Rating]]) -> dict[str, tuple[int, int]]:
    """Return the scale of every item: that of its stem, else its own or its neighbours'."""
    groups: dict[Any, list[str]] = {}
    for item, columns in items_of.items():
        first = next(iter(columns.values()))
        stem = stem_of(item) or next(iter(stem_of(r.name) for r in columns.values()), "")
        kind = first.by if first.stated else "range"
        key = stem if stem else (item if kind == "range" else (first.stated, kind))
        groups.setdefault(key, []).append(item)
    scales: dict[tuple[int, int, str], Scale] = {}
    by_item: dict[str, Scale] = {}
    for items in sorted(groups.values(), key=len, reverse=True):
        members = [r for i in items for r in items_of[i].values()]
        scale = ratings.scale_of(members, list(scales.values()))
        scales[scale.low, scale.high, scale.by] = scale
        by_item |= dict.fromkeys(items, scale)
    frequencies = Counter((s.low, s.high) for s in by_item.values())
    names = list(items_of)
    for j, item in enumerate(names):
        scale = by_item[item]
        near = [by_item[names[i]] for i in (j - 1, j + 1) if 0 <= i < len(names)]
        wider = [s for s in near if s.low <= scale.low and s.high > scale.high]
        rare = frequencies[scale.low, scale.high] < 3 or len(items_of) > 3 * frequencies[
            scale.low, scale.high]  # fmt: skip
        if scale.by == "range" and scale.n_columns <= 2 and wider and rare:
            by_item[item] = wider[0]
    return {item: (scale.low, scale.high) for item, scale in by_item.items()}


def _texts(items_of: dict[str, dict[str, Rating]]) -> dict[str, str]:
    """Return the text of every item: its question, without the role, else its name."""
    texts = {}
    for item, columns in items_of.items():
        rating = columns.get("perception") or next(iter(columns.values()))
        texts[item] = rating.cells.question or item
    return texts


def _write_constructs(
    state: DraftState,
    proposed: Sequence[constructs.Construct],
    items_of: dict[str, dict[str, Rating]],
    proposal: roles.RoleProposal,
) -> None:
    texts = _texts(items_of)
    books: dict[str, list[str]] = {}
    taken = {*state.taken, *items_of}
    for construct in proposed:
        name, hint = constructs.name_of(construct, texts, state.lang, taken)
        taken.add(name)
        state.taken.update((name, *construct.items))
        books[name] = list(construct.items)
        key = f"{construct.by}.named" if hint else construct.by
        r = "-" if np.isnan(construct.within) else f"{construct.within:.2f}"
        evidence = both(f"survey.draft.construct.{key}", n=len(construct.items), r=r)
        state.say(evidence, construct.doubt, "constructs", name)
    state.keys["constructs"] = books
    _write_roles(state, proposal, items_of, books)
    _write_scales(state, books, items_of)
    _write_reversed(state, books, items_of)
    _write_labels(state, books, items_of)


def _write_roles(
    state: DraftState,
    proposal: roles.RoleProposal,
    items_of: dict[str, dict[str, Rating]],
    books: dict[str, list[str]],
) -> None:
    for role in proposal.columns:
        state.keys[role] = proposal.pattern(role)
        evidence = both(f"survey.draft.roles.{proposal.by}", n=len(proposal.items))
        state.say(evidence, proposal.doubt, role)
    for construct, items in books.items():
        for item in items:
            for role, rating in items_of[item].items():
                evidence, doubt = rating_evidence(rating)
                state.claim(rating.name, role, evidence, doubt or proposal.doubt)
                if role in ("score", "perception"):
                    state.say(evidence, doubt, "constructs", construct, item)


def _write_scales(
    state: DraftState, books: dict[str, list[str]], items_of: dict[str, dict[str, Rating]]
) -> None:
    scales: dict[str, Scale] = {}
    by_size = sorted(books, key=lambda name: -len(books[name]))
    item_scales = _item_scales(items_of)
    for name in by_size:
        members = [r for item in books[name] for r in items_of[item].values()]
        distinct = {(s.low, s.high, s.by): s for s in scales.values()}
        scale = ratings.scale_of(members, list(distinct.values()))
        low, high = item_scales[books[name][0]]
        if scale.by == "range" and low <= scale.low and high >= scale.high:
            scale = Scale(
                low, high, "range", scale.ends, scale.n_columns, scale.ends != (low, high)
            )
        scales[name] = scale
    items = Counter({s: sum(len(books[n]) for n in books if ends_of(scales[n]) == s)
                     for s in {ends_of(s) for s in scales.values()}})  # fmt: skip
    default = items.most_common(1)[0][0]
    usual = [s for s in scales.values() if ends_of(s) == default]
    others = {n: s for n, s in scales.items() if ends_of(s) != default}
    path: tuple[Any, ...] = ("scale", "default") if others else ("scale",)
    state.say(*scale_evidence(usual), *path)
    state.keys["scale"] = list(default)
    if others:
        state.keys["scale"] = {"default": list(default)}
        for name in books:
            if name in others:
                state.keys["scale"][name] = list(ends_of(others[name]))
                state.say(*scale_evidence([others[name]]), "scale", name)


def _write_reversed(
    state: DraftState, books: dict[str, list[str]], items_of: dict[str, dict[str, Rating]]
) -> None:
    reverse: list[str] = []
    for name, items in books.items():
        role = "perception" if "perception" in items_of[items[0]] else "score"
        matrix = np.column_stack([items_of[item][role].cells.numbers for item in items])
        proposal = constructs.reversals(items, matrix)
        for item, r in proposal.reverse.items():
            reverse.append(item)
            evidence = both("survey.draft.reverse", r=f"{r:.2f}", construct=name)
            state.say(evidence, True, "reverse", item)
        for item, r in proposal.doubtful.items():
            evidence = both("survey.draft.against", r=f"{r:.2f}")
            state.say(evidence, True, "constructs", name, item)
    if reverse:
        state.keys["reverse"] = reverse


def _write_labels(
    state: DraftState, books: dict[str, list[str]], items_of: dict[str, dict[str, Rating]]
) -> None:
    """Give items the texts of their questions, where the file has these beside codes."""
    texts = _texts(items_of)
    labels = {}
    for item in (item for items in books.values() for item in items):
        text = " ".join(texts[item].split())
        if text and look(text) != look(item) and items_of[item]:
            labels[item] = text
    if labels:
        state.keys["labels"] = labels


def write_directions(
    state: DraftState, recommended: list[Rating], items_of: dict[str, dict[str, Rating]]
) -> None:
    """Propose which constructs have their best answer at the low end."""
    best: dict[str, tuple[Text, bool]] = {}
    books = state.keys.get("constructs", {})
    for name, items in books.items():
        members = [r for item in items for r in items_of[item].values()]
        stated = Counter(r.best for r in members if r.best)
        if stated:
            if stated.most_common(1)[0][0] == "low":
                best[name] = both("survey.draft.best.words"), False
            continue
        r = _with_recommendation(members, recommended)
        if r is not None and r < AGAINST:
            best[name] = both("survey.draft.best.correlation", r=f"{r:.2f}"), True
    if not best:
        return
    if len(best) == len(books):
        evidence = Counter(best.values()).most_common(1)[0][0]
        state.keys["best"] = "low"
        state.say(*evidence, "best")
        return
    state.keys["best"] = dict.fromkeys(best, "low")
    for name, evidence in best.items():
        state.say(*evidence, "best", name)


def take_points(state: DraftState) -> None:
    """Take columns of points that sum to 100, one a construct."""
    books = state.keys.get("constructs", {})
    for members in asked.with_points(state.free, {}):
        if len(members) != len(books):
            continue
        by_name = {look(last_part(c.name.replace("_", " - ")) or c.name): c for c in members}
        matched = {name: by_name[look(name)] for name in books if look(name) in by_name}
        doubt = len(matched) < len(books)
        if doubt:
            matched = dict(zip(books, members, strict=True))
        state.keys["importance"] = {name: c.name for name, c in matched.items()}
        evidence = both(f"survey.draft.points.{'order' if doubt else 'name'}", n=len(members))
        state.say(evidence, doubt, "importance")
        for cells in members:
            state.claim(cells.name, "importance", evidence, doubt)
        return


def _with_recommendation(members: Sequence[Rating], recommended: Sequence[Rating]) -> float | None:
    """Return the correlation of a construct's mean with recommendation; None if too few answers."""
    if not recommended:
        return None
    matrix = np.column_stack([r.cells.numbers for r in members])
    has = np.isfinite(matrix)
    means = np.divide(np.where(has, matrix, 0).sum(1), has.sum(1), out=np.full(len(matrix), np.nan),
                      where=has.sum(1) > 0)  # fmt: skip
    pair = np.column_stack([means, recommended[0].cells.numbers])
    if np.isfinite(pair).all(axis=1).sum() < constructs.ENOUGH:
        return None
    return float(constructs.correlations(pair)[0, 1])
