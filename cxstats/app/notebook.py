"""What the notebooks do with a client's file: read it, and say in a sentence what it cannot carry.

A notebook that is handed a file must run to its end whatever the file lacks, so `show` turns an
error of the package into a sentence. Scripts and other code call the methods themselves.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import CxError
from cxstats.core.language import check_lang, label, listed
from cxstats.core.messages import listing
from cxstats.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.app.report.reporting import Report
    from cxstats.customers.transactions import Transactions
    from cxstats.survey.codebook import Codebook

ROWS = 12  # of a table that a chapter shows
OUTCOMES = ("csat", "nps")  # kinds of question that drivers are held against, the first first


def read_client(file: str | Path, codebook: Any) -> tuple[pd.DataFrame, Codebook]:
    """Read and clean a client's survey; print what was read and what was changed.

    Rows of totals are left out, and of respondents who stand twice the later one; values that
    cannot be used become missing.

    Parameters
    ----------
    file : path
    codebook : Codebook, mapping, path, or name of one that ships

    Returns
    -------
    answers : pandas.DataFrame
    codebook : Codebook

    Raises
    ------
    CxError
        If the file or the codebook cannot be read, or an answer column is missing.
    """
    from cxstats.survey.clean import clean
    from cxstats.survey.codebook import as_codebook
    from cxstats.survey.read import read_survey

    book = as_codebook(codebook)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the report says the same
        responses = read_survey(file, leave_out=["total"])
    answers, changes = clean(responses, book, drop_duplicates=True, on_error="missing")
    print(responses.attrs["read_report"].summary())
    print(changes.summary())
    return answers, book


def read_purchases(
    file: str | Path,
    customer: str,
    time: str,
    amount: str,
    codebook: Any = None,
) -> Transactions | None:
    """Read a client's purchases and print what was checked; None where a column is missing.

    Parameters
    ----------
    file : path
    customer, time, amount : str
        The columns of the file.
    codebook : Codebook, mapping, path or name, optional
        Its respondent is the customer, in place of `customer`.

    Raises
    ------
    CxError
        If the file cannot be read.
    """
    from cxstats.customers.transactions import transactions
    from cxstats.survey.codebook import as_codebook
    from cxstats.survey.read import read_survey

    if codebook is not None:
        customer = as_codebook(codebook).respondent or customer
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        frame = read_survey(file, leave_out=["total"], dates="ymd")
    lacking = [repr(name) for name in (customer, time, amount) if name not in frame.columns]
    if lacking:
        names = listing(map(repr, frame.columns))
        print(label("notebook.no_column", columns=listed(lacking).get(), names=names))
        return None
    try:
        checked = transactions(frame, customer=customer, time=time, amount=amount)
    except CxError as error:
        print(label("notebook.failed", reason=str(error)))
        return None
    print(checked.summary())
    return checked


def lacking(codebook: Codebook, need: str) -> str:
    """Return a sentence on what a codebook lacks; "" where it has it.

    Parameters
    ----------
    codebook : Codebook
    need : {"nps", "csat", "ces", "outcome", "constructs", "groups", "wave"}
        A kind of question; a question of kind "csat" or "nps"; two constructs; a column of groups;
        the column of time.

    Examples
    --------
    >>> from cxstats.survey.codebook import Codebook
    >>> lacking(Codebook.read("servqual"), "nps")
    'Left out: the codebook names no question on recommendation (kind nps).'
    """
    kinds = {question.kind for question in codebook.questions.values()}
    has = {
        "outcome": bool(kinds & set(OUTCOMES)),
        "constructs": len(codebook.constructs) > 1,
        "groups": bool(codebook.group_columns),
        "wave": codebook.wave_column is not None,
    }.get(need, need in kinds)
    return "" if has else label("notebook.lacks", need=label(f"notebook.need.{need}"))


def show(
    method: Callable[..., Any],
    *arguments: Any,
    needs: str = "",
    kind: str | None = None,
    **options: Any,
) -> Any:
    """Call a method; show its chart and, below it, its summary. Return its result.

    Parameters
    ----------
    method : callable
        Such as `cxstats.nps`; it returns a result.
    *arguments, **options
        Its arguments. Where the first is None, as `read_purchases` returns it, nothing is done.
    needs : str
        What the codebook among the options must have; see `lacking`. Several have spaces between.
    kind : str, optional
        Of the chart.

    Returns
    -------
    Result or None
        None where the file cannot carry the method; a sentence says why.
    """
    if arguments and arguments[0] is None:
        return None
    if needs:
        sentences = [lacking(options["codebook"], need) for need in needs.split()]
        if any(sentences):
            print("\n".join(filter(None, sentences)))
            return None
    with _warnings_as_sentences():
        try:
            result = method(*arguments, **options)
        except CxError as error:
            print(label("notebook.failed", reason=str(error)))
            return None
        if isinstance(result, Result):
            _draw(result, kind)
            print(result.summary())
    return result


def show_chapter(report: Report, key: str) -> None:
    """Show a chapter of a report: every sentence, and the table and chart of its first finding.

    All tables and charts are in the files that the report writes.

    Parameters
    ----------
    report : Report
    key : str
        "decide", "scorecard", "metrics", "gaps", "drivers", "journeys", "words", "actions",
        "quality", "method" or "provenance".
    """
    lang = check_lang()
    section = report.section(key)
    for reason in section.absent:
        print(reason.get(lang))
    for sentence in section.sentences:
        print(sentence.text(lang))
    for finding in section.findings:
        print("\n".join(sentence.text(lang) for sentence in finding.sentences()))
    first = section.findings[0] if section.findings else None
    table = first.table if first else next(iter(section.tables), None)
    if table is not None:
        _display(table.written(lang).head(ROWS).style.hide(axis="index"))
    if first is not None and first.chart is not None:
        import matplotlib.pyplot as plt

        figure = first.chart.draw(lang)
        _display(figure)
        plt.close(figure)


def _display(thing: Any) -> None:
    """Display something in a notebook; elsewhere do nothing."""
    try:
        from IPython.display import display
    except ImportError:  # outside a notebook
        return
    display(thing)


def _draw(result: Result, kind: str | None) -> None:
    """Show a chart where there is one; charts of a loop would else all come after its texts."""
    import matplotlib.pyplot as plt

    if not result.kinds:
        return
    try:
        figure: Any = result.plot(kind).figure
    except CxError as error:
        print(label("notebook.failed", reason=str(error)))
        return
    _display(figure)
    plt.close(figure)


@contextmanager
def _warnings_as_sentences() -> Iterator[None]:
    """Print what is warned of in a line each: a notebook would show the code of the package."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", UserWarning)
        yield
    for text in dict.fromkeys(str(warning.message) for warning in warned):
        print(label("notebook.warned", text=" ".join(text.split())))


def dimension_table(
    answers: pd.DataFrame, codebook: Codebook
) -> tuple[pd.DataFrame, dict[str, tuple[float, float]]]:
    """Return a table of dimension means under their labels, and the scale of each.

    The mean is that of the answered items of a construct, in its main role (perceptions before
    expectations). Where constructs have different scales, all run from 0 to 100. Beside the means
    stand the columns that are no items, as they are.

    Parameters
    ----------
    answers : pandas.DataFrame
        As `cxstats.clean` returned it.
    codebook : Codebook
    """
    items = set(codebook.answer_columns)
    table = answers.loc[:, [name for name in answers.columns if name not in items]].copy()
    ends = {name: codebook.bounds(members[0]) for name, members in codebook.constructs.items()}
    one_scale, scales = len(set(ends.values())) == 1, {}
    for construct, (low, high) in ends.items():
        name = codebook.label(construct)
        while name in table.columns:
            name += "*"
        mean = answers[list(codebook.columns(construct=construct))].mean(axis=1)
        table[name] = mean if one_scale else 100 * (mean - low) / (high - low)
        scales[name] = (low, high) if one_scale else (0.0, 100.0)
    return table, scales


def outcome_of(codebook: Codebook) -> str:
    """Return the column that drivers are held against; "" where there is none."""
    for kind in OUTCOMES:
        for question in codebook.questions.values():
            if question.kind == kind:
                return str(question.column)
    return ""
