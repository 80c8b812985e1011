"""A report as a workbook: every number of every table, charts of the right cells, nothing runs."""

import re
import zipfile
from datetime import datetime
from math import isfinite

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.utils import range_boundaries

from cxstats.app.report.content import NativeChart
from cxstats.app.report.native_charts import axis_limits, drawn_rows, interval_arms
from cxstats.app.report.workbook import HEAD_ROW, sheet_name, write_workbook
from cxstats.core.language import Text, label
from tests.app.report_clients import FORMULAS, HOSTILE, hostile, numbers_of, simulated

TOLERANCE = 1e-12  # relative; a workbook holds 16 or 17 digits


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("client")


@pytest.fixture(scope="module", params=["en", "zh"])
def written(request, folder):
    """Return a report, the workbook of it, its path and its language."""
    report, path = simulated(folder), folder / f"report_{request.param}.xlsx"
    write_workbook(report, path, request.param)
    return report, openpyxl.load_workbook(path), path, request.param


def sheets_by_title(book, lang):
    """Return the name of each table's sheet by the table's title, as the contents list them."""
    contents = book[label("report.office.contents", lang)]
    rows = [
        (cell.hyperlink.location, row[1].value) for row in contents for cell in row[:1]
        if cell.hyperlink
    ]  # fmt: skip
    return {title: re.fullmatch("'(.*)'!A1", location)[1] for location, title in rows}


def test_first_sheet_says_what_to_decide(written):
    report, book, _, lang = written
    sheet = book.worksheets[0]
    texts = {cell.value for row in sheet for cell in row}
    assert sheet.title == label("report.section.decide", lang)
    for finding in report.section("decide").findings:
        assert {finding.headline.text(lang), finding.advice.text(lang)} <= texts
    assert book.active is sheet or book.active.title == sheet.title


def test_every_finding_stands_in_the_workbook_with_n_method_and_caveats(written):
    report, book, _, lang = written
    sheet = book[label("report.office.findings", lang)]
    rows = {row[1]: row for row in sheet.iter_rows(values_only=True)}
    findings = [f for s in report.sections if s.key != "decide" for f in s.findings]
    assert len(findings) >= 6
    for finding in findings:
        row = rows[finding.headline.text(lang)]
        assert row[5] == finding.method.get(lang)
        assert row[4] == (None if finding.n is None else finding.n.value)
        for caveat in finding.caveats:
            assert caveat.get(lang) in row[6]


def test_numbers_are_those_of_the_tables(written):
    report, book, _, lang = written
    sheets = sheets_by_title(book, lang)
    tables = report.report_tables()
    assert len(sheets) == len(tables) + 2  # and the two sheets of findings
    compared = 0
    for table in tables.values():
        sheet = book[sheets[table.title.get(lang)]]
        rows = list(sheet.iter_rows(min_row=HEAD_ROW + 1, values_only=True))
        frame = table.translated(lang)
        heads = [table.head(str(column), lang) for column in frame.columns]
        assert list(rows[0][: len(heads)]) == heads
        for j, column in enumerate(frame.columns):
            for i, value in enumerate(frame[column]):
                cell = rows[1 + i][j]
                if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
                    if isfinite(value):
                        assert cell == pytest.approx(float(value), rel=TOLERANCE, abs=1e-300)
                        compared += 1
                    else:
                        assert not isinstance(cell, (int, float))
                elif isinstance(value, str):
                    assert (cell or "") == value
    assert compared > 300


def test_shares_have_a_percent_format_and_other_numbers_do_not(written):
    report, book, _, lang = written
    sheets = sheets_by_title(book, lang)
    shown = set()
    for table in report.report_tables().values():
        sheet = book[sheets[table.title.get(lang)]]
        for j, column in enumerate(table.translated(lang).columns, start=1):
            cell = sheet.cell(HEAD_ROW + 2, j)
            if isinstance(cell.value, (int, float)):
                assert ("%" in cell.number_format) == (column in table.percent)
                shown.add(cell.number_format)
    assert {"0.0%", "#,##0", "#,##0.00"} <= shown


def test_sheets_are_ready_to_read_and_to_print(written):
    _, book, _, _ = written
    for sheet in book.worksheets:
        assert sheet.freeze_panes is not None
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.fitToWidth in (None, 1)  # 1 is the default
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.print_title_rows
        assert len(sheet.title) <= 31


def cells(book, reference):
    """Return the values of a range that a chart refers to."""
    name, place = reference.rsplit("!", 1)
    left, top, right, bottom = range_boundaries(place.replace("$", ""))
    rows = book[name.strip("'")].iter_rows(top, bottom, left, right, values_only=True)
    return [value for row in rows for value in row]


def check_chart(book, chart, native, lang):
    """Compare what a chart refers to with what it is to show."""
    data, frame = native.data(lang), drawn_rows(native)
    below, above = interval_arms(native) if native.low else ([], [])
    for j, series in enumerate(chart.series, start=1):
        assert cells(book, series.cat.numRef.f if series.cat.numRef else series.cat.strRef.f) == [
            pytest.approx(name) if isinstance(name, float) else name for name in data.iloc[:, 0]
        ]
        values = [np.nan if v is None else v for v in cells(book, series.val.numRef.f)]
        expected = data.iloc[:, j].astype(float).to_numpy()
        np.testing.assert_allclose(values, expected, rtol=TOLERANCE)
        assert cells(book, series.tx.strRef.f) == [data.columns[j]]
    if native.low:
        bars = chart.series[0].errBars
        assert bars.errValType == "cust"
        estimate = frame[native.values[0]].astype(float).to_numpy()
        low = estimate - np.array(cells(book, bars.minus.numRef.f))
        high = estimate + np.array(cells(book, bars.plus.numRef.f))
        np.testing.assert_allclose(low, frame[native.low].astype(float), rtol=1e-9)
        np.testing.assert_allclose(high, frame[native.high].astype(float), rtol=1e-9)
    assert len(below) == len(above)


def test_charts_refer_to_the_cells_that_they_show(written):
    report, book, _, lang = written
    sheets = sheets_by_title(book, lang)
    natives = [
        f.chart.native for s in report.sections if s.key != "decide" for f in s.findings
        if f.chart is not None and f.chart.native is not None
    ]  # fmt: skip
    assert {native.kind for native in natives} == {"bar", "line", "stacked"}
    drawn = 0
    for native in natives:
        charts = book[sheets[native.table.title.get(lang)]]._charts
        assert len(charts) == 1
        check_chart(book, charts[0], native, lang)
        drawn += len(charts)
    assert drawn == len(natives) == sum(len(sheet._charts) for sheet in book.worksheets)
    # The tiny branch is hidden, so the rows of a chart are no run of rows of the table.
    assert any(native.rows and len(native.rows) < len(native.table.frame) for native in natives)


def test_data_bars_stand_in_the_columns_that_ask_for_them(written):
    report, book, _, lang = written
    sheets = sheets_by_title(book, lang)
    for key, kind in (("sat_by_branch", "dataBar"), ("nps_by_branch", "colorScale")):
        table = report.report_tables()[key]  # the NPS of a branch is negative
        (formatting,) = book[sheets[table.title.get(lang)]].conditional_formatting
        j = chr(65 + list(table.frame.columns).index("estimate"))
        assert str(formatting.sqref) == f"{j}{HEAD_ROW + 2}:{j}{HEAD_ROW + 1 + len(table.frame)}"
        assert [rule.type for rule in formatting.rules] == [kind]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_synthetic_data_say_so_on_every_sheet(folder, lang):
    for synthetic in (True, False):
        path = folder / f"{lang}_{synthetic}.xlsx"
        write_workbook(simulated(folder, synthetic), path, lang)
        marked = [
            any(cell.value == label("result.synthetic", lang) for row in sheet for cell in row)
            for sheet in openpyxl.load_workbook(path).worksheets
        ]
        assert all(marked) if synthetic else not any(marked)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_texts_stay_texts(tmp_path, lang):
    report, path = hostile(), tmp_path / "hostile.xlsx"
    write_workbook(report, path, lang)
    book = openpyxl.load_workbook(path)
    names = [sheet.title for sheet in book.worksheets]
    assert len({name.lower() for name in names}) == len(names)
    assert all(len(name.encode("utf-16-le")) <= 62 for name in names)
    assert len(names) == len(report.report_tables()) + 3
    values = [cell for sheet in book.worksheets for row in sheet for cell in row if cell.value]
    assert not [cell for cell in values if cell.data_type == "f"]
    assert {*FORMULAS, HOSTILE[5]} <= {cell.value for cell in values}
    with zipfile.ZipFile(path) as archive:
        for part in archive.namelist():
            text = archive.read(part).decode("utf-8")  # no half of a character
            assert "<f>" not in text or part.startswith("xl/charts/")
            assert "TargetMode" not in text  # no link leaves the file
        charts = [archive.read(n).decode() for n in archive.namelist() if "charts/chart" in n]
    assert len(charts) == len(HOSTILE) + 1
    for chart in charts:  # a chart shows cells of this workbook alone
        assert all(re.match(r"'?[^\[\]]*'?!\$", f) for f in re.findall("<c:f>(.*?)</c:f>", chart))


def test_numbers_that_a_spreadsheet_would_change_are_texts(tmp_path):
    path = tmp_path / "hostile.xlsx"
    write_workbook(hostile(), path, "en")
    book = openpyxl.load_workbook(path)
    rows = list(book["odd"].iter_rows(HEAD_ROW + 1, HEAD_ROW + 3, values_only=True))
    assert rows[1][:3] == (str(10**20), "∞", label("table.yes", "en"))
    assert rows[1][4] == datetime(2026, 3, 1)
    assert rows[1][5:] == ("one", 1)
    assert rows[2][:3] == ("5", "−∞", label("table.no", "en")) or rows[2][0] == 5
    assert book["wide"].max_column == 1_000
    assert book["many"].max_row >= 300 + HEAD_ROW + 1


@pytest.mark.parametrize("title", [*HOSTILE, "History", "a" * 31, "A:b[c]*?/\\", "'quoted'"])
def test_names_of_sheets_are_legal_and_unlike_each_other(title):
    taken = set()
    names = [sheet_name(title, taken) for _ in range(12)]
    assert len({name.lower() for name in names}) == 12
    for name in names:
        assert 0 < len(name.encode("utf-16-le")) <= 62
        assert not set(name) & set("[]:*?/\\")
        assert name.lower() != "history"
        assert name.strip("'") == name


@pytest.mark.parametrize(("values", "low", "high"), [((0.2, 0.9), 0, 1), ((-12, 40), -20, 40)])
def test_axes_reach_beyond_the_intervals(values, low, high):
    frame = pd.DataFrame({"name": ["a", "b"], "value": values, "low": values, "high": values})
    table = numbers_of("t", ["a", "b"])
    object.__setattr__(table, "frame", frame)
    native = NativeChart("bar", table, "name", ("value",), "low", "high", percent=high == 1)
    assert axis_limits(native) == (low, high)


def test_text_of_both_languages_is_written_in_the_one_asked_for(tmp_path):
    for lang, word in (("en", "one"), ("zh", "一")):
        write_workbook(hostile(), tmp_path / "a.xlsx", lang)
        sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["odd"]
        assert sheet.cell(HEAD_ROW + 2, 6).value == word == Text("one", "一").get(lang)
