"""What holds for every result of every room, on clean and on faulty input."""

import importlib
import inspect
import pkgutil
import re
import shutil
import subprocess
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import openpyxl
import pandas as pd
import pytest

import cxstats
from cxstats.core.display import display_table, with_index
from cxstats.core.errors import CxError
from cxstats.core.language import catalogue
from cxstats.core.result import Result
from tests.gallery import build, cases

NAMES = sorted(cases())
CHINESE = re.compile(r"[\u3400-\u9fff\uff01-\uff5e\u3001\u3002]")
# Three words of small letters in a row are a sentence, not a name.
LATIN_SENTENCE = re.compile(r"[A-Za-z][a-z]+(?: [a-z]+){2,}")
# A letter or a word beside a Chinese character without a space between them.
CROWDED = re.compile(r"[\u4e00-\u9fff][A-Za-z]|[A-Za-z][\u4e00-\u9fff]")
XLSX_TOLERANCE = 1e-12  # relative; what the issue of the export asks for


def result_classes():
    """Return every class of results that the package has."""
    for module in pkgutil.walk_packages(cxstats.__path__, "cxstats."):
        importlib.import_module(module.name)
    classes, queue = set(), [Result]
    while queue:
        subclasses = queue.pop().__subclasses__()
        classes.update(subclasses)
        queue += subclasses
    classes = {c for c in classes if c.__module__.startswith("cxstats.")}
    return {
        c for c in classes if "findings" in vars(c) or "table" in getattr(c, "__annotations__", {})
    }


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def result(name):
    return build(name)


def without_labels(text, name):
    """Return a text without the words that are the user's own."""
    for words in sorted(cases()[name].labels, key=len, reverse=True):
        text = text.replace(words, "")
    return text


def test_the_gallery_has_every_class():
    shown = {name.split("/")[0] for name in NAMES}
    assert {c.__name__ for c in result_classes()} <= shown


def test_every_class_with_a_summary_stands_on_the_base():
    for module in pkgutil.walk_packages(cxstats.__path__, "cxstats."):
        for _, c in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if c.__module__.startswith("cxstats") and hasattr(c, "summary"):
                assert issubclass(c, Result), c


def test_names_its_class(result, name):
    assert type(result).__name__ == name.split("/")[0]


def test_repr_is_short_and_str_is_the_summary(result):
    assert len(repr(result)) < 4_000
    assert str(result) == result.summary()


def test_the_summary_speaks_one_language(result, name):
    english, chinese = (without_labels(result.summary(lang), name) for lang in ("en", "zh"))
    assert not CHINESE.search(english)
    assert CHINESE.search(chinese)
    assert not LATIN_SENTENCE.search(chinese), chinese
    assert not CROWDED.search(chinese), chinese


def test_notes_are_in_both_languages(result, name):
    for note in result.notes:
        assert not CHINESE.search(without_labels(note.en, name))
        assert CHINESE.search(note.zh)


def test_the_default_language_can_be_set(result):
    cxstats.set_language("zh")
    try:
        assert result.summary() == result.summary("zh")
    finally:
        cxstats.set_language("en")


def test_every_column_has_a_head(result, name):
    texts = catalogue()
    for table in result.tables().values():
        for column in set(map(str, table.columns)) - set(cases()[name].labels):
            stem = column.removesuffix("_low").removesuffix("_high")
            heads = {f"column.{column}", f"column.{stem}"}
            assert heads & texts.keys(), column


def test_estimates_are_in_the_column_estimate(result):
    if {"ci_low", "ci_high"} <= set(result.table.columns):
        assert "estimate" in result.table.columns


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_plots_every_kind_on_given_axes(result, name, lang):
    if not result.kinds:
        with pytest.raises(CxError, match="has no chart"):
            result.plot()
        return
    for kind in result.kinds:
        _, ax = plt.subplots()
        assert result.plot(kind, ax=ax, lang=lang) is ax
        title = without_labels(ax.get_title(loc="left"), name)
        assert not (CHINESE if lang == "en" else CROWDED).search(title), title
        plt.close("all")
    with pytest.raises(CxError, match="allowed: "):
        result.plot("no such kind")


def test_shows_p_values_and_degrees_of_freedom_as_people_write_them(result):
    text = display_table(result.table.iloc[:60])
    for head in {"p", "df"} & set(text.columns):
        for cell in text.loc[:, text.columns == head].to_numpy().ravel():
            assert not re.fullmatch(r"0\.000|\d+\.0+", cell), cell
    assert "nan" not in result._repr_html_().lower().replace("finan", "")


def exported_numbers(frame):
    """Return the numbers of a table, column by column, in order."""
    columns = [pd.to_numeric(frame.iloc[:, j], errors="coerce") for j in range(frame.shape[1])]
    return [column.to_numpy(float) for column in columns if column.notna().any()]


def same_numbers(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        finite = np.isfinite(a)
        np.testing.assert_allclose(b[finite], a[finite], rtol=XLSX_TOLERANCE, atol=0)


def numbers_of(table):
    frame = with_index(table).astype(object)
    plain = frame.map(lambda v: float(v) if isinstance(v, (int, float, np.number))
                      and not isinstance(v, (bool, np.bool_)) else None)  # fmt: skip
    return exported_numbers(plain)


class Cells(HTMLParser):
    """Counts the rows and cells of a page."""

    def __init__(self):
        super().__init__()
        self.rows = 0

    def handle_starttag(self, tag, attrs):
        self.rows += tag == "tr"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_exports_to_every_form(result, tmp_path, lang):
    from docx import Document

    if isinstance(result, cx.Report):
        pytest.skip("its workbook and document are a report's: tests/app/test_report_*.py")

    paths = {end: result.export(tmp_path / f"r.{end}", lang) for end in FORMS}
    table = result.table
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []

    book = openpyxl.load_workbook(paths["xlsx"])
    assert len(book.sheetnames) == 1 + len(result.tables())
    rows = list(book.worksheets[1].values)
    assert len(rows) == 1 + len(table)
    frame = pd.DataFrame(rows[1:], columns=range(len(rows[0])), dtype=object)
    same_numbers(numbers_of(table), numbers_of(frame))
    formulas = [c for sheet in book for row in sheet for c in row if c.data_type == "f"]
    assert formulas == []

    read = pd.read_csv(paths["csv"], dtype=object, keep_default_na=False, encoding="utf-8-sig")
    assert len(read) == len(table)
    assert list(read.columns) == [str(name) for name in with_index(table).columns]
    places = [j for j in range(read.shape[1])
              if with_index(table).iloc[:, j].map(lambda v: isinstance(v, (int, float, np.number))
              and not isinstance(v, (bool, np.bool_)) and np.isfinite(v)).any()]  # fmt: skip
    for j in places:
        a = pd.to_numeric(with_index(table).iloc[:, j], errors="coerce").to_numpy(float)
        b = pd.to_numeric(read.iloc[:, j], errors="coerce").to_numpy(float)
        finite = np.isfinite(a)
        np.testing.assert_allclose(b[finite], a[finite], rtol=XLSX_TOLERANCE, atol=0)

    document = Document(str(paths["docx"]))
    assert len(document.tables) == len(result.tables())
    assert len(document.tables[0].rows) == 1 + len(table)
    counted = Cells()
    counted.feed(paths["html"].read_text(encoding="utf-8"))
    assert counted.rows == sum(1 + len(t) for t in result.tables().values())
    source = paths["tex"].read_text(encoding="utf-8")
    assert source.count(r"\begin{tabular}") == source.count(r"\end{tabular}") >= 1


FORMS = ("xlsx", "csv", "docx", "html", "tex")


def test_an_exported_table_compiles(tmp_path):
    compiler = shutil.which("xelatex") or shutil.which("pdflatex")
    if not compiler:
        pytest.skip("no TeX here")
    build("Metric/faulty").export(tmp_path / "table.tex")
    (tmp_path / "page.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\input{table}"
        "\\end{document}"
    )
    subprocess.run(
        [compiler, "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip


def test_cites_the_package(result):
    assert cxstats.__version__ in result.cite()
    assert cxstats.__version__ in result.cite("zh")
