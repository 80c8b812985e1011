"""The steps of the draft of a codebook, in the order in which they take columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from cxstats.core.engines import as_pandas
from cxstats.core.language import Text, both, check_lang
from cxstats.survey.draft import asked, describing, ratings, roles
from cxstats.survey.draft.answer_scales import is_no_answer
from cxstats.survey.draft.cells import Cells
from cxstats.survey.draft.headings import stem_of
from cxstats.survey.draft.items import take_constructs, take_points, write_directions
from cxstats.survey.draft.questions import take_rated_questions, write_answers
from cxstats.survey.draft.ratings import Rating
from cxstats.survey.draft.result import CodebookDraft
from cxstats.survey.draft.state import DraftState

SHARE_PAIRED = 0.4  # of the ratings that must have a role for there to be any


def draft(frame: Any, lang: str | None = None) -> CodebookDraft:
    """Propose a codebook for a table; see `cxstats.Codebook.draft`."""
    state = DraftState(as_pandas(frame), check_lang(lang))
    # The order of steps is that in which columns are taken.
    _empty_columns(state)
    _describing_columns(state)
    _choices_in_columns(state)
    _waves(state)
    _ratings(state)
    take_points(state)
    _others(state)
    order = {name: i for i, name in enumerate(state.names)}
    columns = sorted(state.roles.values(), key=lambda c: order[c.column])
    return CodebookDraft(
        state.codebook(), tuple(columns), state.comments, state.n_rows,
        getattr(state.report, "file", ""), tuple(state.notes), state.lang,
    )  # fmt: skip


def _empty_columns(state: DraftState) -> None:
    for name, cells in list(state.free.items()):
        if not cells.n_filled:
            state.claim_other(name, both("survey.draft.other.empty"))


def _describing_columns(state: DraftState) -> None:
    """Take the columns of personal data, identifier, duration, sampling and platform."""
    for proposal in describing.personal(state.frame, state.free_cells()):
        state.keys.setdefault("personal", []).append(proposal.column)
        state.claim(
            proposal.column, "personal", proposal.evidence, False, "personal", proposal.column
        )
    identifier = describing.respondent(state.free_cells(), state.n_rows)
    if identifier:
        state.claim_single(identifier)
    time_taken = describing.duration(state.free_cells())
    if time_taken:
        state.claim_single(time_taken)
    for proposal in describing.sampling(state.free_cells()):
        state.claim_single(proposal)
    platform = getattr(state.report, "platform", "")
    for proposal in describing.platform_columns(state.free_cells(), platform):
        state.claim_other(proposal.column, proposal.evidence)


def _waves(state: DraftState) -> None:
    for i, proposal in enumerate(describing.waves(state.free_cells())):
        if i == 0:
            column, order = proposal.column, proposal.value
            state.keys["wave"] = {"column": column, "order": order} if order else column
            state.claim(column, "wave", proposal.evidence, proposal.doubt, "wave")
        elif not proposal.doubt:
            state.claim_group(state.free[proposal.column])


def _choices_in_columns(state: DraftState) -> None:
    sets = tuple(getattr(state.report, "choice_sets", {}).items())
    for question in asked.choices_in_columns(state.free_cells(), sets):
        said: dict[str, Any] = {"kind": "choices", "columns": question.columns}
        if question.ticked:
            said["ticked"] = list(question.ticked)
        key = "exclusive" if question.is_exclusive else question.by
        evidence = both(f"survey.draft.choices.{key}", n=len(question.columns))
        state.add_question(question.name, said, evidence, question.is_exclusive)
        for column in question.columns.values():
            state.claim(column, "choices", evidence, question.is_exclusive)


def _ratings(state: DraftState) -> None:
    candidates = [
        cells for cells in state.free_cells()
        if not describing.is_named_group(cells) or asked.RECOMMEND.search(cells.heading)
    ]  # fmt: skip
    rated = ratings.ratings_of(candidates)
    rated = _without_kinds(rated)
    recommended = [r for r in rated.values() if asked.is_recommendation(r)]
    siblings = Counter(stem_of(name) for name in rated)
    recommended = [r for r in recommended if not _is_item(r, siblings)]
    for rating in recommended:
        del rated[rating.name]
    proposal = roles.propose_roles(
        [r.cells for r in rated.values()], getattr(state.report, "numbered", ())
    )
    paired = {c.name for items in proposal.columns.values() for c in items.values()}
    if len(paired) < SHARE_PAIRED * len(rated):
        proposal = roles.RoleProposal()
    if proposal.items:
        items_of = {
            item: {role: rated[proposal.columns[role][item].name] for role in proposal.columns}
            for item in proposal.items
        }
        single = [r for name, r in rated.items() if name not in paired]
    else:
        single = [r for r in rated.values() if _stands_alone(r, siblings)]
        names = {r.name for r in single}
        items_of = {n: {"score": r} for n, r in rated.items() if n not in names}
    alone = take_constructs(state, items_of, proposal)
    single += [rating for item in alone for rating in items_of[item].values()]
    take_rated_questions(state, recommended, single)
    write_answers(state, [*recommended, *rated.values()])
    write_directions(state, recommended, items_of)


def _others(state: DraftState) -> None:
    """Take what is left: options in one cell, groups, comments, and what fits nothing."""
    texts = [name for name, cells in state.free.items() if cells.texts]
    forms = describing.with_personal_forms(state.frame, texts) if texts else {}
    n_comments = 0
    for name, cells in list(state.free.items()):
        question = asked.choices_in_a_cell(cells)
        named = describing.is_named_group(cells)
        if asked.is_group_of_recommendation(cells):
            state.claim_other(name, both("survey.draft.other.nps_group"))
        elif question is not None and not (named and asked.is_comment(cells)):
            said = {"kind": "choices", "column": name}
            if question.separator != ";":
                said["separator"] = question.separator
            evidence = both("survey.draft.choices.cell", n=len(question.options),
                            separator=repr(question.separator))  # fmt: skip
            state.add_question(name, said, evidence, False)
            state.claim(name, "choices", evidence)
        elif describing.is_group(cells, state.n_rows) and not _says_comment(cells):
            state.claim_group(cells)
        elif asked.is_comment(cells) and not named:
            n_comments += 1
            _comment(state, cells, forms.get(name, 0))
        else:
            state.claim_other(name, *_why_other(cells))


def _comment(state: DraftState, cells: Cells, n_personal: int) -> None:
    answered = {t: n for t, n in cells.texts.items() if not is_no_answer(t)}
    key = "personal" if n_personal else "plain"
    n = sum(answered.values())
    evidence = both(f"survey.draft.text.{key}", n=n, distinct=len(answered), cells=n_personal)
    said: dict[str, Any] = {"kind": "text", "column": cells.name}
    state.add_question("comment", said, evidence, bool(n_personal))
    state.claim(cells.name, "text", evidence, bool(n_personal))


def _says_comment(cells: Cells) -> bool:
    lengths = [len(text) for text in cells.texts]
    return bool(lengths and asked.COMMENT.search(cells.heading)) and not cells.n_numbers


def _why_other(cells: Cells) -> tuple[Text, bool]:
    """Return why a column fits nothing, and whether a person should look."""
    if cells.n_distinct == 1:
        return both("survey.draft.other.constant"), False
    if cells.is_time:
        return both("survey.draft.other.time", n=cells.n_distinct), False
    if cells.is_numeric:
        low, high = (f"{v:g}" for v in (cells.values.min(), cells.values.max()))
        return both("survey.draft.other.number", low=low, high=high, n=cells.n_distinct), False
    return both("survey.draft.other.text", n=cells.n_distinct), True


def _without_kinds(rated: Mapping[str, Rating]) -> dict[str, Rating]:
    """Return ratings without numbers that are codes of a kind: up to 4, and alone of their form."""
    ends = {name: rating.ends for name, rating in rated.items()}
    stems = Counter((stem_of(name), ends[name]) for name in rated)
    widest: dict[str, int] = {}
    for (stem, (_, top)), _ in stems.items():
        widest[stem] = max(top, widest.get(stem, 0))
    degrees = {}
    for name, rating in rated.items():
        stem, heading = stem_of(name), rating.cells.heading
        small = ends[name][1] <= 4 and rating.cells.n_numbers >= ratings.ENOUGH
        speaks = asked.SATISFIED.search(heading) or asked.EFFORT.search(heading)
        alike = stems[stem, ends[name]] > 1 or (stem and widest[stem] > ends[name][1])
        if rating.stated or not small or speaks or alike or [*roles.by_words(name)]:
            degrees[name] = rating
    return degrees


def _is_item(rating: Rating, siblings: Mapping[str, int]) -> bool:
    """Return whether a question on recommendation is an item: of a stem, on a scale from 1."""
    stem = stem_of(rating.name)
    return bool(stem) and siblings[stem] > 1 and (rating.stated or rating.ends)[0] != 0


def _stands_alone(rating: Rating, siblings: Mapping[str, int]) -> bool:
    """Return whether a rating asks for the whole, or for effort, beside the items."""
    stem, heading = stem_of(rating.name), rating.cells.heading
    if stem and siblings[stem] > 1:
        return False
    is_overall = asked.is_overall(heading) and bool(asked.SATISFIED.search(heading))
    return is_overall or bool(asked.EFFORT.search(heading)) or bool(asked.RECOMMEND.search(heading))
