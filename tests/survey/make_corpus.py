"""Write the corpus of survey files: `python -m tests.survey.make_corpus` (or run the file).

Every case is a small file in the exact form of a platform's export, or of a table as offices send
it; the respondents are invented. Beside NAME.csv (.xlsx, .tsv, .txt, .sav, .dta) stand the table
that it holds, NAME.expected.csv, and what there is to know of it, NAME.json; README.md explains
both. Nothing here reads a file, so the expected tables come from the same cells as the files, and
from no reader. The output is the same on every run.
"""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "corpus"
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
DAY = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")
Rows = list[list[Any]]


# ------------------------------------------------------------------ how files are written


def grid(text: str) -> Rows:
    r"""Return rows of cells: a line is a row, "|" parts cells, "\n" breaks a line in a cell."""
    lines = text.strip().split("\n")
    return [[cell.strip(" ").replace("\\n", "\n") for cell in line.split("|")] for line in lines]


def beside(*tables: Rows) -> Rows:
    """Return tables of the same length side by side."""
    return [[cell for row in rows for cell in row] for rows in zip(*tables, strict=True)]


def typed(cell: str) -> Any:
    """Return what Excel would hold: a number, a date, a text; "'5" is the text "5"."""
    if cell.startswith("'"):
        return cell[1:]
    if NUMBER.fullmatch(cell):
        return float(cell) if "." in cell else int(cell)
    return datetime.fromisoformat(cell) if DAY.fullmatch(cell) else cell or None


@dataclass
class Text:
    """A text file; rows are filled up to the same width, as Excel does, unless told not to."""

    delimiter: str = ","
    encoding: str = "utf-8"
    quoted: bool = False
    filled: bool = True
    suffix: str = ".csv"
    end: str = "\r\n"

    def write(self, file: Path, rows: Rows) -> None:
        width = max(map(len, rows))
        stream = io.StringIO()
        rule = csv.QUOTE_ALL if self.quoted else csv.QUOTE_MINIMAL
        out = csv.writer(stream, delimiter=self.delimiter, quoting=rule, lineterminator=self.end)
        for row in rows:
            blank = not any(row) and not self.filled
            out.writerow([] if blank else row + [""] * (width - len(row)) * self.filled)
        file.write_bytes(stream.getvalue().encode(self.encoding))


@dataclass
class Book:
    """A workbook: cells are typed, ranges merged, rows hidden, other sheets put around."""

    sheet: str = "Sheet1"
    merged: Sequence[str] = ()
    hidden: Sequence[int] = ()
    filtered: str = ""
    table: str = ""
    before: dict[str, Rows] = field(default_factory=dict)
    after: dict[str, Rows] = field(default_factory=dict)
    suffix: str = ".xlsx"

    def write(self, file: Path, rows: Rows) -> None:
        import openpyxl
        from openpyxl.worksheet.table import Table

        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, cells in {**self.before, self.sheet: rows, **self.after}.items():
            page = book.create_sheet(title)
            for number, row in enumerate(cells, 1):
                for position, cell in enumerate(row, 1):
                    page.cell(number, position, cell)
        page = book[self.sheet]
        for cells in self.merged:
            page.merge_cells(cells)
        for number in self.hidden:
            page.row_dimensions[number].hidden = True
        if self.filtered:
            page.auto_filter.ref = self.filtered
            page.auto_filter.add_filter_column(1, ["North"])
        if self.table:
            page.add_table(Table(displayName="OfficeForms.Table", ref=self.table))
        book.save(file)
        _without_clock(file)


def _without_clock(file: Path) -> None:
    """Write a workbook again with one time for all that carries the time of writing."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            still = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2024-04-01T08:00:00Z", data)
            info = zipfile.ZipInfo(name, (2024, 4, 1, 8, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, still if name == "docProps/core.xml" else data)


def statistical(name: str, frame: dict[str, list[Any]], **of: Any) -> None:
    """Write a case in the format of SPSS or of Stata; its expected values are codes."""
    import pandas as pd
    import pyreadstat

    file, stata = FOLDER / name, name.endswith(".dta")
    write = pyreadstat.write_dta if stata else pyreadstat.write_sav
    labels, declared = of["questions"], of["declared"]
    missing = {"missing_user_values" if stata else "missing_ranges": declared}
    codes = {"variable_value_labels": of["labels"]} | ({"version": 14} if stata else {})
    table = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in frame.items()})
    for column, cells in frame.items():
        if column not in declared and not any(isinstance(cell, str) for cell in cells):
            table[column] = table[column].astype(float)
    write(table if stata else table.infer_objects(), file, column_labels=labels, **codes, **missing)
    data = file.read_bytes()
    if stata:
        still = re.sub(
            rb"(<timestamp>.)\d\d \w{3} \d{4} \d\d:\d\d", rb"\g<1>01 Apr 2024 08:00", data
        )
    else:
        product = b"@(#) SPSS DATA FILE MS Windows 25.0.0".ljust(60)
        still = data[:4] + product + data[64:92] + b"01 Apr 2408:00:00" + data[109:]
    file.write_bytes(still)

    def gone(column: str, cell: Any) -> bool:
        return cell in (None, "") or any(
            cell == rule if stata else rule["lo"] <= cell <= rule["hi"]
            for rule in declared.get(column, [])
        )

    n = len(next(iter(frame.values())))
    body = [
        [i + 1, *("" if gone(column, cells[i]) else cells[i] for column, cells in frame.items())]
        for i in range(n)
    ]
    facts = {"platform": "stata" if stata else "spss", "header": [], "questions": labels}
    _save(file.stem, ["row", *frame], body, facts)


# ------------------------------------------------------------------ a case


def as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


def _save(name: str, heads: list[str], body: Rows, facts: dict[str, Any]) -> None:
    with (FOLDER / f"{name}.expected.csv").open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(heads)
        out.writerows([as_text(cell) for cell in row] for row in body)
    default = {"platform": "", "header": [1], "title": [], "point_out": {}, "layout": "wide"}
    default |= {"questions": {}, "numbered": [], "options": {}, "doubt": False}
    assert facts.keys() <= default.keys(), facts.keys() - default.keys()
    words = json.dumps(default | facts, ensure_ascii=False, indent=2)
    short = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", words)
    (FOLDER / f"{name}.json").write_text(short + "\n", encoding="utf-8", newline="\n")


def case(
    name: str,
    write: Text | Book,
    rows: Rows,
    names: Sequence[str | None] | None = None,
    decimal_comma: Sequence[str] = (),
    **facts: Any,
) -> None:
    """Write a file, the table that it holds, and the facts of it.

    ``names`` are those that the reader must give, None for a column that it drops; without them,
    the cells of the first row of the header.
    """
    rows = [list(row) for row in rows]
    if isinstance(write, Book):
        rows = [[typed(cell) for cell in row] for row in rows]
        if write.hidden:
            facts["point_out"] = facts.get("point_out", {}) | {"hidden": list(write.hidden)}
    write.write(FOLDER / f"{name}{write.suffix}", rows)
    header, aside = facts.get("header", [1]), facts.get("point_out", {})
    no_rows = {*header, *facts.get("title", [])}
    no_rows |= {*aside.get("footnote", []), *aside.get("repeated_header", [])}
    names = names or [as_text(cell) for cell in rows[header[0] - 1]]
    kept = [(i, column) for i, column in enumerate(names) if column is not None]
    columns = [column for _, column in kept]
    assert len({*columns}) == len(columns), columns
    assert all(columns), columns
    assert {*facts.get("questions", {}), *facts.get("numbered", ())} <= {*columns}, name
    body = []
    for number, row in enumerate(rows, 1):
        if number in no_rows or not any(cell not in (None, "") for cell in row):
            continue
        cells = [row[i] if i < len(row) else "" for i, _ in kept]
        for i, column in enumerate(columns):
            if column in decimal_comma:
                cells[i] = repr(float(cells[i].replace(",", "."))).removesuffix(".0")
        body.append([number, *cells])
    for column, *cells in zip(columns, *(line[1:] for line in body), strict=True):
        if all(NUMBER.fullmatch(as_text(cell)) for cell in cells):  # as Python would write it
            assert all(as_text(float(as_text(c))) == as_text(c) for c in cells), (name, column)
    _save(name, ["row", *columns], body, facts)


# ------------------------------------------------------------------ Qualtrics

QUALTRICS = {
    "StartDate": ("Start Date", '{"ImportId":"startDate","timeZone":"America/Denver"}'),
    "EndDate": ("End Date", '{"ImportId":"endDate","timeZone":"America/Denver"}'),
    "Status": ("Response Type", '{"ImportId":"status"}'),
    "IPAddress": ("IP Address", '{"ImportId":"ipAddress"}'),
    "Progress": ("Progress", '{"ImportId":"progress"}'),
    "Duration (in seconds)": ("Duration (in seconds)", '{"ImportId":"duration"}'),
    "Finished": ("Finished", '{"ImportId":"finished"}'),
    "RecordedDate": ("Recorded Date", '{"ImportId":"recordedDate","timeZone":"America/Denver"}'),
    "ResponseId": ("Response ID", '{"ImportId":"_recordId"}'),
    "RecipientLastName": ("Recipient Last Name", '{"ImportId":"recipientLastName"}'),
    "RecipientFirstName": ("Recipient First Name", '{"ImportId":"recipientFirstName"}'),
    "RecipientEmail": ("Recipient Email", '{"ImportId":"recipientEmail"}'),
    "ExternalReference": ("External Data Reference", '{"ImportId":"externalDataReference"}'),
    "LocationLatitude": ("Location Latitude", '{"ImportId":"locationLatitude"}'),
    "LocationLongitude": ("Location Longitude", '{"ImportId":"locationLongitude"}'),
    "DistributionChannel": ("Distribution Channel", '{"ImportId":"distributionChannel"}'),
    "UserLanguage": ("User Language", '{"ImportId":"userLanguage"}'),
}
SOME = ["StartDate", "EndDate", "Status", "Progress", "Finished", "ResponseId"]
CODES = {"": "0", "partial": "0", "preview": "1", "test": "2"}
LABELS = {"preview": "Survey Preview", "test": "Survey Test"}


def qualtrics_values(i: int, mark: str, labels: bool) -> dict[str, str]:
    """Return what Qualtrics itself writes of respondent i, who may be a preview, test, partial."""
    done = mark != "partial"
    return {
        "StartDate": f"2024-03-{i:02d} 09:1{i}:05",
        "EndDate": f"2024-03-{i:02d} 09:1{i + 4}:31" if i < 6 else f"2024-03-{i:02d} 09:21:31",
        "Status": LABELS.get(mark, "IP Address") if labels else CODES[mark],
        "IPAddress": f"192.0.2.{i}",
        "Progress": "100" if done else "43",
        "Duration (in seconds)": str(233 + 13 * i),
        "Finished": ("True" if done else "False") if labels else str(int(done)),
        "RecordedDate": f"2024-03-{i:02d} 09:22:0{i}",
        "ResponseId": f"R_{i}kQmZt7LxWv{i}YaB",
        "LocationLatitude": f"48.2{i}37",
        "LocationLongitude": f"16.3{i}91",
        "DistributionChannel": mark if mark in ("preview", "test") else "anonymous",
        "UserLanguage": "EN",
    }


def qualtrics(
    questions: Rows,
    answers: Rows,
    marks: dict[int, str] | None = None,
    labels: bool = False,
    system: Sequence[str] = SOME,
) -> tuple[Rows, dict[str, list[int]]]:
    """Return the three header rows and the respondents, and the rows to point out."""
    marks, first = marks or {}, 4
    heads = [
        [*system, *(name for name, _, _ in questions)],
        [*(QUALTRICS[name][0] for name in system), *(text for _, text, _ in questions)],
        [
            *(QUALTRICS[name][1] for name in system),
            *(f'{{"ImportId":"{i}"}}' for *_, i in questions),
        ],
    ]
    body = []
    for i, row in enumerate(answers, 1):
        values = qualtrics_values(i, marks.get(i, ""), labels)
        body.append([*(values.get(name, "") for name in system), *row])
    aside: dict[str, list[int]] = {}
    for i, mark in sorted(marks.items()):
        aside.setdefault(mark, []).append(first + i - 1)
    return heads + body, aside


MATRIX = grid("""
Q1   | How satisfied are you overall?                              | QID1
Q2_1 | How much do you agree? - The staff are polite               | QID2_1
Q2_2 | How much do you agree? - The branch is easy to reach        | QID2_2
Q3   | What could we do better?                                    | QID3_TEXT
""")
ANSWERS = grid("""
4|5|3|Shorter queues
5|5|4|
3|2|2|"Open on Saturday", please
2|4|1|Nothing, thanks
5|4|5|
4||3|More staff at noon
""")
ASKED = {row[0]: row[1] for row in MATRIX}


LIKERT = {
    1: "Strongly disagree",
    2: "Somewhat disagree",
    3: "Neither agree nor disagree",
    4: "Somewhat agree",
    5: "Strongly agree",
}
THREE = {"platform": "qualtrics", "header": [1, 2, 3], "questions": ASKED}


def cases_qualtrics() -> None:
    lines = Text(end="\n")
    marks = {2: "preview", 4: "partial", 5: "test"}
    rows, aside = qualtrics(MATRIX, ANSWERS, marks, system=list(QUALTRICS))
    case("qualtrics_numeric", lines, rows, **THREE, point_out=aside)

    worded = [[*(f"{LIKERT[int(c)]}" if c else "" for c in row[:3]), row[3]] for row in ANSWERS]
    rows, aside = qualtrics(MATRIX, worded, {1: "preview", 6: "partial"}, labels=True)
    case("qualtrics_labels", lines, rows, **THREE, point_out=aside)

    tabs = Text("\t", "utf-16", suffix=".tsv", end="\n")
    rows, aside = qualtrics(MATRIX, ANSWERS, {3: "partial"})
    case("qualtrics_tsv", tabs, rows, **THREE, point_out=aside)
    case("qualtrics_saved_as_xlsx", Book("Customer survey_March"), rows, **THREE, point_out=aside)
    two = {**THREE, "header": [1, 2], "point_out": {"partial": [5]}}
    case("qualtrics_xlsx", Book("Sheet0"), rows[:2] + rows[3:], **two)
    case("qualtrics_import_ids_deleted", lines, rows[:2] + rows[3:], **two)
    one = {"platform": "qualtrics", "header": [1], "point_out": {"partial": [4]}}
    case("qualtrics_names_alone", lines, rows[:1] + rows[3:], **one)

    rows, _ = qualtrics(MATRIX, ANSWERS)
    own = grid("Branch||\n\n\nNorth\nSouth\nSouth\nNorth\nEast\nNorth")
    rows = [row + extra[:1] for row, extra in zip(rows, own, strict=True)]
    case("qualtrics_column_added", lines, rows, **THREE)
    rows = [[row[-1], *row[:-1]] for row in rows]
    case("qualtrics_column_added_first", lines, rows, **THREE)

    rows, _ = qualtrics(MATRIX, ANSWERS, system=[])
    case("qualtrics_system_deleted", lines, rows, **THREE)


def cases_qualtrics_questions() -> None:
    lines = Text(end="\n")
    loop = grid("""
    1_Q4   | North branch - How long did you wait?                    | 1_QID4
    1_Q5_1 | North branch - How was it? - Counter                     | 1_QID5_1
    1_Q5_2 | North branch - How was it? - Waiting area                | 1_QID5_2
    2_Q4   | South branch - How long did you wait?                    | 2_QID4
    2_Q5_1 | South branch - How was it? - Counter                     | 2_QID5_1
    2_Q5_2 | South branch - How was it? - Waiting area                | 2_QID5_2
    Q5_DO_1| How was it? - Display Order - Counter                    | QID5_DO_1
    """)
    answers = grid("3|4|2||||1\n|||5|1|2|2\n12|2|2|8|3|4|1\n1|5|5||||\n6|3|4|2|5|4|2")
    rows, _ = qualtrics(loop, answers)
    case("qualtrics_loop_and_merge", lines, rows, **THREE | {"questions": {"1_Q4": loop[0][1]}})

    nps = grid("""
    Q9_NPS_GROUP | How likely are you to recommend us? - Group            | QID9_NPS_GROUP
    Q9           | How likely are you to recommend us?                    | QID9
    Q10_1        | What do you use? - Selected Choice - App               | QID10_1
    Q10_2        | What do you use? - Selected Choice - Branch            | QID10_2
    Q10_4        | What do you use? - Selected Choice - Other             | QID10_4
    Q10_4_TEXT   | What do you use? - Other - Text                        | QID10_4_TEXT
    """)
    answers = grid("""
    Promoter  | 10 | App | Branch |       |
    Detractor | 4  |     | Branch |       |
    Passive   | 8  | App |        | Other | Phone
    Promoter  | 9  | App |        |       |
    Detractor | 0  |     |        | Other | Letter
    """)
    rows, aside = qualtrics(nps, answers, {4: "preview"}, labels=True)
    asked = {"Q9": nps[1][1], "Q9_NPS_GROUP": nps[0][1]}
    case("qualtrics_nps", lines, rows, **THREE | {"questions": asked, "point_out": aside})

    twice = grid("""
    Q3_1 | Speed of service | QID3_1
    Q3_2 | Polite staff     | QID3_2
    Q7_1 | Speed of service | QID7_1
    Q7_2 | Polite staff     | QID7_2
    """)
    answers = grid("7|6|5|5\n6|7|4|6\n7|7|6|6\n5|6|5|3\n6|6|7|4")
    rows, _ = qualtrics(twice, answers)
    asked = {row[0]: row[1] for row in twice}
    case("qualtrics_same_text_twice", lines, rows, **THREE | {"questions": asked})

    texts = ["Anfangsdatum", "Enddatum", "Antworttyp", "Aktueller Stand", "Beendet", "Antwort-ID"]
    german = dict(zip(SOME, texts, strict=True))
    frage = grid("""
    Q1 | Wie zufrieden sind Sie insgesamt?   | QID1
    Q2 | Was können wir besser machen?       | QID2_TEXT
    Q2 - Topics | Q2 - Topics                | QID2_TEXT_5f0c2a17e3Topics
    """)
    answers = grid(
        "4|Kürzere Wartezeiten|Wartezeit\n5||\n2|Öffnungszeiten|Zeiten\n3|Größere Halle|\n4||"
    )
    rows, aside = qualtrics(frage, answers, {5: "partial"})
    rows[1] = [german.get(name, text) for name, text in zip(rows[0], rows[1], strict=True)]
    facts = THREE | {"questions": {"Q1": frage[0][1], "Finished": "Beendet"}, "point_out": aside}
    case("qualtrics_german", lines, rows, **facts)


def _insights_id(name: str) -> str:
    panel = name.startswith("Recipient") or name == "ExternalDataReference"
    start = name[:2].lower() if name == "IPAddress" else name[0].lower()
    short = start + name[len(start) :]
    return f"panel-{name}" if panel else short.replace("ID", "Id").replace("Set", "SetId")


def cases_qualtrics_older() -> None:
    lines = Text(end="\n")
    system = grid("""
    ResponseID            | R_a1                 | R_a2                | R_a3                | R_a4                | R_a5
    ResponseSet           | Default Response Set | Default Response Set | Default Response Set | Default Response Set | Default Response Set
    IPAddress             | 192.0.2.11           | 192.0.2.12          | 192.0.2.13          | 192.0.2.14          | 192.0.2.15
    StartDate             | 2016-04-04 10:20:41  | 2016-04-04 11:02:07 | 2016-04-05 08:41:12 | 2016-04-05 09:13:33 | 2016-04-06 19:27:45
    EndDate               | 2016-04-04 10:22:13  | 2016-04-04 11:05:50 | 2016-04-05 08:41:59 | 2016-04-05 09:17:02 | 2016-04-06 19:31:20
    RecipientLastName     |||||
    RecipientEmail        |||||
    ExternalDataReference |||||
    Finished              | 1                    | 1                   | 0                   | 1                   | 1
    Status                | 0                    | 0                   | 0                   | 1                   | 2
    """)
    place = grid("""
    LocationLatitude      | 48.21                | 48.22               | 48.19               | 48.23               | 48.17
    LocationLongitude     | 16.37                | 16.31               | 16.35               | 16.38               | 16.33
    LocationAccuracy      | -1                   | -1                  | -1                  | -1                  | -1
    """)
    facts = THREE | {"point_out": {"partial": [6], "preview": [7], "test": [8]}}

    def insights(questions: Rows) -> Rows:
        own = [[row[0], row[0], _insights_id(row[0]), *row[1:]] for row in system]
        last = [[row[0], row[0], f"Location-{row[0]}", *row[1:]] for row in place]
        columns = [*own, *questions, *last]
        columns = [[c[0], c[1], f"{{'ImportId': '{c[2]}'}}", *c[3:]] for c in columns]
        return [list(row) for row in zip(*columns, strict=True)]

    questions = grid("""
    Q1   | How satisfied are you overall? | QID1      | 4       | 5 | 2 | 5    | 3
    Q2_1 | Which do you use?-App          | QID2-1    | 1       |   |   | 1    | 1
    Q2_2 | Which do you use?-Branch       | QID2-2    | 1       | 1 |   |      |
    Q3   | What could be better?          | QID3-TEXT | The app |   |   | Test | Opening hours
    """)
    asked = {"Q1": questions[0][1], "Q2_1": questions[1][1]}
    case("qualtrics_insights", lines, insights(questions), **facts | {"questions": asked})
    side = grid("""
    Q6#1_Q6_1        | Service-Expected-Speed           | QID6#1-1        | 7    | 6 | 7 | 5 | 6
    Q6#1_Q6_2        | Service-Expected-Staff           | QID6#1-2        | 7    | 7 | 6 | 5 | 7
    Q6#2_Q6_1        | Service-Perceived-Speed          | QID6#2-1        | 5    | 4 |   | 5 | 6
    Q6#2_Q6_2        | Service-Perceived-Staff          | QID6#2-2        | 6    | 5 |   | 6 | 6
    Q6#3_Q6_1_2_TEXT | Service-Comment-Speed-Good       | QID6#3-1-1-TEXT | fast |   |   |   | yes
    Q6#3_Q6_1_2_TEXT | Service-Comment-Speed-Bad        | QID6#3-1-2-TEXT |      | slow |  |  |
    """)
    rows = insights(side)
    names = [*rows[0][:15], "Q6#3_Q6_1_2_TEXT.1", *rows[0][16:]]
    asked = {"Q6#3_Q6_1_2_TEXT": side[4][1], "Q6#3_Q6_1_2_TEXT.1": side[5][1]}
    more = {"questions": asked, "numbered": ["Q6#3_Q6_1_2_TEXT.1"]}
    case("qualtrics_insights_same_name_twice", lines, rows, names, **facts | more)

    legacy = grid("""
    V1|V2|V3|V4|V5|V6|V7|V8|V9|V10|Q1|Q2_1|Q2_2|LocationLatitude|LocationLongitude|LocationAccuracy|
    ResponseID|ResponseSet|Name|ExternalDataReference|EmailAddress|IPAddress|Status|StartDate|EndDate|Finished|How satisfied are you overall?|How much do you agree?-The staff are polite|How much do you agree?-Easy to reach|LocationLatitude|LocationLongitude|LocationAccuracy|
    R_b1|Default Response Set|Anonymous|||192.0.2.21|0|2015-07-18 08:28:09|2015-07-18 08:30:48|1|4|5|3|47.11|7.23|-1|
    R_b2|Default Response Set|Anonymous|||192.0.2.22|0|2015-07-18 09:11:30|2015-07-18 09:14:02|1|2|4|4|47.15|7.29|-1|
    R_b3|Default Response Set|Anonymous|||192.0.2.23|1|2015-07-19 14:05:55|2015-07-19 14:09:13|1|5|5|5|47.12|7.21|-1|
    R_b4|Default Response Set|Anonymous|||192.0.2.24|0|2015-07-19 16:40:21|2015-07-19 16:41:00|0|3|||47.18|7.26|-1|
    R_b5|Default Response Set|Anonymous|||192.0.2.25|0|2015-07-20 07:59:02|2015-07-20 08:03:37|1|4|2|1|47.13|7.24|-1|
    """)
    facts = {"platform": "qualtrics_legacy", "header": [1, 2]}
    facts |= {"questions": {"V1": "ResponseID", "V10": "Finished", "Q1": legacy[1][10]}}
    facts |= {"point_out": {"preview": [5], "partial": [6]}}
    case("qualtrics_legacy", lines, legacy, [*legacy[0][:-1], None], **facts)
    case("qualtrics_legacy_xlsx", Book("Sheet1"), [row[:-1] for row in legacy], **facts)
    side = grid("""
    Q1#1_1                           | Q1#1_2                           | Q1#2_1                            | Q1#2_2
    Service : Expected-Speed         | Service : Expected-Staff         | Service : Perceived-Speed         | Service : Perceived-Staff
    7 | 6 | 5 | 5
    6 | 7 | 4 | 6
    7 | 7 | 6 | 6
    5 | 6 |   |
    6 | 6 | 7 | 4
    """)
    rows = beside([row[:10] for row in legacy], side, [row[13:] for row in legacy])
    facts |= {"questions": dict(zip(*side[:2], strict=True))}
    case("qualtrics_legacy_side_by_side", lines, rows, [*rows[0][:-1], None], **facts)


# ------------------------------------------------------------------ SurveyMonkey

MONKEY = {  # the columns of its own, and the words below a question that has one column
    "en": ("Respondent ID|Collector ID|Start Date|End Date|IP Address|Email Address|First Name|Last Name|Custom Data 1", "Response", "Open-Ended Response"),
    "de": ("Befragten-ID|Collector-ID|Startdatum|Enddatum|IP-Adresse|E-Mail-Adresse|Vorname|Nachname|Benutzerdefinierte Daten 1", "Antwort", "Offene Antwort"),
    "fr": ("ID du répondant|ID du collecteur|Date de début|Date de fin|Adresse IP|Adresse email|Prénom|Nom|Données personnalisées 1", "Réponse", "Réponse ouverte"),
    "es": ("ID del encuestado|ID del recopilador|Fecha de inicio|Fecha de finalización|Dirección IP|Dirección de correo electrónico|Nombre|Apellido|Datos personalizados 1", "Respuesta", "Respuesta abierta"),
    "pt": ("ID do respondente|ID do coletor|Data de início|Data de término|Endereço IP|Endereço de email|Nome|Sobrenome|Dados personalizados 1", "Resposta", "Resposta aberta"),
    "ja": ("回答者ID|コレクターID|開始日|終了日|IPアドレス|メールアドレス|名|姓|カスタムデータ1", "回答", "自由回答"),
}  # fmt: skip


def monkey(
    write: Text | Book, lang: str, name: str, questions: Rows, answers: Rows, day: str = "%m/%d/%Y"
) -> None:
    """Write a case of two header rows: questions, and what stands below each.

    A question heads its first column only; "1" and "text" below it stand for the word of the
    language for a single answer and for a free text.
    """
    heads, single, free = MONKEY[lang]
    system = heads.split("|")
    below = [{"1": single, "text": free}.get(label, label) for _, label in questions]
    body = []
    for i, row in enumerate(answers, 1):
        start, end = datetime(2024, 3, i, 10, 10 + i, 33), datetime(2024, 3, i, 10, 15 + i, 2)
        form = "%Y-%m-%d %H:%M:%S" if isinstance(write, Book) else f"{day} %H:%M:%S"
        times = [start.strftime(form), end.strftime(form)]
        ids = [f"11456789012{i}", "431177065"]
        body.append([*ids, *times, f"192.0.2.{30 + i}", "", "", "", "", *row])
    rows = [
        [*system, *(question for question, _ in questions)],
        [*[""] * len(system), *below],
        *body,
    ]
    names, texts, asked = list(system), {}, ""
    for (question, _), label in zip(questions, below, strict=True):
        asked = question or asked
        alone = label in (single, free) and asked not in names
        names.append(asked if alone else f"{asked} - {label}")
        texts[names[-1]] = asked
    encoding = {"encoding": "cp1252"} if getattr(write, "encoding", "") == "cp1252" else {}
    facts = {"platform": "surveymonkey", "header": [1, 2], "questions": texts, "options": encoding}
    case(name, write, rows, names, **facts)


def cases_surveymonkey() -> None:
    condensed = grid("""
    How satisfied are you overall?                       | 1
    How much do you agree?                               | The staff are polite
                                                         | The branch is easy to reach
    How likely are you to recommend us?                  | 1
    What could we do better?                             | text
    """)
    answers = grid("""
    Satisfied        | Agree          | Disagree | 9  | More staff at noon
    Very satisfied   | Strongly agree | Agree    | 10 |
    Dissatisfied     | Disagree       |          | 3  | Shorter queues, please
    Satisfied        | Agree          | Agree    | 8  |
    Very dissatisfied| Disagree       | Disagree | 0  | Answer the phone
    Satisfied        |                | Agree    | 7  | Nothing
    """)
    monkey(Text(), "en", "surveymonkey_condensed", condensed, answers)
    monkey(Book("Sheet"), "en", "surveymonkey_xlsx", condensed, answers)
    names = [
        "How satisfied are you overall?",
        *(f"How much do you agree? - {row[1]}" for row in condensed[1:3]),
        condensed[3][0],
        "Branch",
    ]
    own = grid("Branch\n\nNorth\nSouth\nNorth\nEast\nEast\nNorth")
    below = ["Response", *(row[1] for row in condensed[1:3]), "Response"]
    heads = [[row[0] for row in condensed[:4]], below]
    rows = beside([*heads, *(row[:4] for row in answers)], own)
    facts = {"platform": "surveymonkey", "header": [1, 2], "questions": {names[1]: condensed[1][0]}}
    case("surveymonkey_system_deleted", Text(), rows, names, **facts)
    expanded = grid("""
    Which do you use?                     | App
                                          | Branch
                                          | Phone
                                          | Other (please specify)
    How satisfied are you overall?        | Very satisfied
                                          | Satisfied
                                          | Dissatisfied
    Anything else?                        | text
    """)
    answers = grid("""
    App |        |       |        |                | Satisfied |              | Fine
    App | Branch |       |        | Very satisfied |           |              |
        | Branch | Phone | Letter |                |           | Dissatisfied | Slow
        |        | Phone |        |                | Satisfied |              |
    App |        |       |        | Very satisfied |           |              | Thanks
    """)
    monkey(Text(), "en", "surveymonkey_expanded", expanded, answers)
    frage = grid("""
    Wie zufrieden sind Sie insgesamt? | 1
    Wie sehr stimmen Sie zu?          | Das Personal ist höflich
                                      | Die Filiale ist gut erreichbar
    Was können wir besser machen?     | text
    """)
    answers = grid("""
    Zufrieden       | Stimme zu       | Stimme nicht zu | Kürzere Wartezeit
    Sehr zufrieden  | Stimme voll zu  | Stimme zu       |
    Unzufrieden     | Stimme nicht zu |                 | Öffnungszeiten; auch samstags
    Zufrieden       | Stimme zu       | Stimme zu       | Größere Räume
    Sehr zufrieden  | Stimme voll zu  | Stimme voll zu  |
    """)
    monkey(Text(";", "utf-8-sig"), "de", "surveymonkey_german", frage, answers, "%d.%m.%Y")
    question = grid("""
    Quel est votre niveau de satisfaction ?         | 1
    Recommanderiez-vous notre agence ?              | 1
    Quels services utilisez-vous ?                  | Application
                                                    | Agence
                                                    | Téléphone
    Que pourrions-nous améliorer ?                  | text
    """)
    answers = grid("""
    Satisfait      | 9  | Application |        |           | L’accueil à l’entrée
    Très satisfait | 10 | Application | Agence |           |
    Insatisfait    | 2  |             | Agence | Téléphone | Délais trop élevés
    Satisfait      | 7  |             |        | Téléphone | Des horaires élargis
    Très satisfait | 9  | Application |        |           |
    """)
    excel = Text(";", "cp1252")
    monkey(excel, "fr", "surveymonkey_french_cp1252", question, answers, "%d/%m/%Y")
    pregunta = grid("""
    ¿Qué tan satisfecho está?                       | 1
    ¿Qué tan probable es que nos recomiende?        | 1
    ¿Qué podríamos mejorar?                         | text
    """)
    answers = grid("""
    Satisfecho     | 9  | Más personal
    Muy satisfecho | 10 |
    Insatisfecho   | 1  | La atención telefónica
    Satisfecho     | 8  | El tiempo de espera
    Muy satisfecho | 10 |
    """)
    monkey(Text(), "es", "surveymonkey_spanish", pregunta, answers, "%d/%m/%Y")
    pergunta = grid("""
    Qual é o seu nível de satisfação?               | 1
    Quanto você concorda?                           | A equipe é educada
                                                    | A agência é fácil de encontrar
    O que podemos melhorar?                         | text
    """)
    answers = grid("""
    Satisfeito       | Concordo          | Discordo | Atenção no balcão
    Muito satisfeito | Concordo          | Concordo |
    Insatisfeito     | Discordo          | Discordo | Filas
    Satisfeito       | Concordo          |          | Horários
    Satisfeito       | Concordo          | Concordo |
    """)
    monkey(Book("Planilha"), "pt", "surveymonkey_portuguese", pergunta, answers)
    shitsumon = grid("""
    全体的にどの程度満足していますか？        | 1
    当店を友人に勧める可能性はどのくらいですか？| 1
    改善してほしい点をお書きください。         | text
    """)
    answers = grid("""
    満足     | 9  | 待ち時間を短くしてほしい
    とても満足 | 10 |
    不満     | 2  | 電話がつながらない
    満足     | 8  | 特にありません
    とても満足 | 9  |
    """)
    monkey(
        Text(encoding="utf-8-sig"), "ja", "surveymonkey_japanese", shitsumon, answers, "%Y/%m/%d"
    )


# ------------------------------------------------------------------ 问卷星, 腾讯问卷


def wjx(n: int) -> Rows:
    """Return the columns that 问卷星 writes of itself, with their heading."""
    places = ["浙江-杭州", "上海-上海", "江苏-南京", "未知", "四川-成都", "广东-深圳"]
    took, source = [153, 98, 21, 204, 76, 311], ["微信", "链接", "手机提交"]
    heads = ["序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP"]
    rows = [
        [str(i + 1), f"2024/3/{i + 5} 10:0{i}:33", f"{took[i]}秒", source[i % 3], "N/A" if i % 2 else "直接访问", f"198.51.100.{i + 1}({places[i]})"]
        for i in range(n)
    ]  # fmt: skip
    return [heads, *rows]


def cases_chinese_platforms() -> None:
    star = {"platform": "wjx"}
    texts = beside(
        wjx(6),
        grid("""
    1、您的性别： | 2、您的年龄段： | 3、您办理过哪些业务？ | 4、您对本网点的总体满意度 | 5、其他意见 | 6、您的联系方式
    女 | 26~30 | 存取款┋理财     | 非常满意 | 排队时间太长，希望多开窗口 | 13800000001
    男 | 31~40 | 存取款          | 满意     | (空)   | (空)
    女 | 18~25 | 贷款┋理财┋其他 | 一般     | 没有   | 13800000003
    男 | 41~50 | (跳过)          | 满意     | (空)   | (空)
    女 | 31~40 | 理财            | 非常不满意 | 态度差 | 13800000005
    男 | 26~30 | 存取款┋信用卡   | 非常满意 | (空)   | 13800000006
    """),
    )
    case("wjx_option_text", Text(encoding="gb18030"), texts, **star)
    codes = beside(
        wjx(6),
        grid("""
    1、您的性别： | 2、您的年龄段： | 3、(存取款) | 3、(理财) | 3、(贷款) | 4、您对本网点的总体满意度 | 5、其他意见
    2 | 3 | 1  | 1  | 0  | 5  | 排队时间太长
    1 | 4 | 1  | 0  | 0  | 4  |
    2 | 2 | 0  | 1  | 1  | 3  | 没有
    1 | 5 | -3 | -3 | -3 | 4  |
    2 | 4 | 0  | 1  | 0  | 1  | 态度差
    1 | 3 | 1  | 0  | 0  | 5  |
    """),
    )
    codes = [
        [f"'{cell}" if i == 0 and n else cell for i, cell in enumerate(row)]
        for n, row in enumerate(codes)
    ]
    case("wjx_option_numbers", Book("Sheet1"), codes, **star)
    matrix = beside(
        wjx(5),
        grid("""
    1、您的性别： | 2、请评价以下各项服务：—服务态度 | 2、办理速度 | 2、网点环境 | 3、您向朋友推荐我们的可能性 | 4、您的姓名：—姓名： | 4、部门：
    女 | 5 | 4 | 5 | 9  | 王某 | 一部
    男 | 4 | 3 | 4 | 8  | 李某 | 二部
    女 | 2 | 1 | 3 | 3  | 赵某 | (空)
    男 | 5 | 5 | 5 | 10 | 钱某 | 一部
    女 | 3 | 4 | 4 | 7  | 孙某 | 三部
    """),
    )
    case("wjx_matrix_dash", Book("Sheet1"), matrix, **star)
    titled = [["网点服务调查"], *matrix, ["平均值", *[""] * 6, "3.8", "3.4", "4.2", "7.4"]]
    facts = {"header": [2], "title": [1], "point_out": {"total": [8]}}
    case("wjx_title_and_mean", Book("Sheet1", merged=["A1:M1"]), titled, matrix[0], **star, **facts)
    likert = beside(
        wjx(6),
        grid("""
    总分 | 1、您的性别： | 2、您期望的服务(服务态度) | 2、您期望的服务(办理速度) | 3、您感受到的服务(服务态度) | 3、您感受到的服务(办理速度) | 4、您使用的渠道(手机银行) | 4、您使用的渠道(网点)
    17 | 2 | 5 | 5 | 4 | 3 | 1 | 0
    16 | 1 | 4 | 5 | 4 | 3 | 1 | 1
    11 | 2 | 5 | 4 | 1 | 1 | 0 | 1
    19 | 1 | 5 | 5 | 5 | 4 | 1 | 1
    13 | 2 | 4 | 4 | 3 | 2 | 0 | 1
    18 | 2 | 5 | 5 | 4 | 4 | 1 | 0
    """),
    )
    case("wjx_matrix_brackets_total", Text(encoding="utf-8-sig"), likert, **star)

    start = grid("""
    编号 | 开始答题时间 | 结束答题时间 | 答题时长
    1 | 2024-03-05 10:01:12 | 2024-03-05 10:03:25 | 133
    2 | 2024-03-05 11:20:41 | 2024-03-05 11:22:02 | 81
    3 | 2024-03-06 08:15:00 | 2024-03-06 08:15:19 | 19
    4 | 2024-03-06 19:44:37 | 2024-03-06 19:48:10 | 213
    5 | 2024-03-07 21:09:55 | 2024-03-07 21:11:47 | 112
    """)
    end = grid("""
    语言 | 清洗数据结果 | 地理位置国家和地区 | 地理位置省 | 地理位置市 | 用户类型 | 用户标识 | 昵称 | 自定义字段 | IP |
    简体中文 | 有效 | 中国 | 广东省 | 深圳市 | 匿名用户 |       |      | | 192.0.2.61 |
    简体中文 | 有效 | 中国 | 北京市 | 北京市 | 微信用户 | wx_02 | 小林 | | 192.0.2.62 |
    简体中文 | 无效 | 中国 | 浙江省 | 杭州市 | 匿名用户 |       |      | | 192.0.2.63 |
    简体中文 | 有效 | 中国 | 湖北省 | 武汉市 | QQ用户   | qq_04 | 阿明 | | 192.0.2.64 |
    简体中文 | 有效 | 中国 | 广东省 | 广州市 | 匿名用户 |       |      | | 192.0.2.65 |
    """)
    text = grid("""
    1.您的性别 | 2.您使用过的渠道（可多选）:网点 | 2.您使用过的渠道（可多选）:手机银行 | 3.请评价以下服务:服务态度 | 3.请评价以下服务:办理速度 | 4.您来自于：_填空1
    A.男 | A.网点 |            | 5 | 4 | 城南
    B.女 | A.网点 | B.手机银行 | 4 | 4 |
    B.女 |        | B.手机银行 | 1 | 1 | 无
    A.男 | A.网点 |            | 3 | 2 | 城北，开发区
    A.男 |        | B.手机银行 | 5 | 5 |
    """)
    rows = beside(start, text, end)
    names = [*rows[0][:-1], None]
    case("tencent_text", Text(encoding="utf-8-sig"), rows, names, platform="tencent")
    codes = grid("""
    1.您的性别 | 2.您使用过的渠道 | 3.总体满意度 | 4.您向朋友推荐我们的可能性
    A.男 | A.网点┋B.手机银行 | 4分 | 9
    B.女 | A.网点 | 5分 | 10
    B.女 | B.手机银行 | 1分 | 2
    A.男 | A.网点┋C.电话 | 3分 | 7
    A.男 | B.手机银行 | 5分 | 9
    """)
    rows = beside(start, codes, [row[2:5] for row in end])
    case("tencent_xlsx", Book("数据"), rows, platform="tencent")


# ------------------------------------------------------------------ LimeSurvey, Typeform, forms


def cases_forms() -> None:
    lime = grid("""
    1 | 2024-03-04 10:11:12 | 3 | en | 1830274415 | 2024-03-04 10:05:01 | 2024-03-04 10:11:12 | A4 | A5 | A3 | Y |   | Slow lift | 9
    2 | 2024-03-04 12:40:00 | 3 | en | 920174411  | 2024-03-04 12:31:44 | 2024-03-04 12:40:00 | A5 | A5 | A4 | Y | Y |           | 10
    3 |                     | 1 | en | 1192837465 | 2024-03-05 08:02:13 | 2024-03-05 08:03:55 | A2 |    |    |   |   |           |
    4 | 2024-03-05 15:22:09 | 3 | de | 203948576  | 2024-03-05 15:15:30 | 2024-03-05 15:22:09 | A1 | A2 | A1 |   | Y | Parking, please | 3
    5 |                     | 2 | en | 1675849302 | 2024-03-06 09:47:21 | 2024-03-06 09:50:02 | A4 | A3 |    | Y |   |           |
    6 | 2024-03-06 20:18:45 | 3 | en | 748596021  | 2024-03-06 20:10:10 | 2024-03-06 20:18:45 | A3 | A4 | A4 | Y | Y | Fine      | 8
    """)
    codes = "id|submitdate|lastpage|startlanguage|seed|startdate|datestamp|G1Q1|AGREE[SQ001]|AGREE[SQ002]|USE[SQ001]|USE[SQ002]|G2Q4|NPS"
    words = "Response ID|Date submitted|Last page|Start language|Seed|Date started|Date last action|How satisfied are you overall?|How much do you agree? [The staff are polite]|How much do you agree? [Easy to reach]|Which do you use? [App]|Which do you use? [Branch]|What could be better?|How likely are you to recommend us?"
    facts = {"platform": "limesurvey", "point_out": {"partial": [4, 6]}}
    quoted = Text(encoding="utf-8-sig", quoted=True)
    case("limesurvey_codes", quoted, [codes.split("|"), *lime], **facts)
    answers = {
        "A1": "Very dissatisfied",
        "A2": "Dissatisfied",
        "A3": "Neutral",
        "A4": "Satisfied",
        "A5": "Very satisfied",
        "Y": "Yes",
    }
    full = [
        [*row[:7], *(answers.get(cell, cell) for cell in row[7:10]), *(answers.get(cell, "No") if row[1] else "N/A" for cell in row[10:12]), *row[12:]]
        for row in lime
    ]  # fmt: skip
    case("limesurvey_full_text", quoted, [words.split("|"), *full], **facts)
    both = [
        f"{code}. {word}" for code, word in zip(codes.split("|"), words.split("|"), strict=True)
    ]
    case("limesurvey_code_and_text", quoted, [both, *full], **facts)
    chinese = grid("""
    答复ID | 提交日期 | 末页 | 初始语言 | 种子 | 您对本馆的总体满意度 | 您同意以下说法吗？ [馆员有礼貌] | 您同意以下说法吗？ [环境安静] | 建议
    1 | 2024-03-04 10:11:12 | 2 | zh-Hans | 18302744 | 满意 | 同意 | 不同意 | 开放时间再长一些
    2 | 2024-03-04 11:40:05 | 2 | zh-Hans | 92017441 | 非常满意 | 同意 | 同意 | N/A
    3 |                     | 1 | zh-Hans | 11928374 | 一般 | N/A | N/A | N/A
    4 | 2024-03-05 09:02:51 | 2 | zh-Hans | 20394857 | 满意 | 不同意 | 同意 | 座位太少
    5 | 2024-03-05 16:30:00 | 2 | zh-Hans | 67584930 | 不满意 | 不同意 | 不同意 | N/A
    """)
    case(
        "limesurvey_chinese_xlsx",
        Book("问卷结果"),
        chinese,
        platform="limesurvey",
        point_out={"partial": [4]},
    )

    typeform = grid("""
    # | How satisfied are you overall? | App | Branch | Other | What do you read? | Other | How likely are you to recommend us? | May we call you? | Response Type | Start Date (UTC) | Stage Date (UTC) | Submit Date (UTC) | Network ID | Tags
    7x0c1v9b2n4m6k8j7h5g3f1d | 4 | App |        |        | News |         | 9  | 1 | completed | 2024-03-04 10:02:11 |  | 2024-03-04 10:04:02 | a1b2c3d4e5 |
    8z2x4c6v8b0n1m3k5j7h9g2f | 5 | App | Branch |        | Blog |         | 10 | 0 | completed | 2024-03-04 12:15:40 |  | 2024-03-04 12:17:33 | b2c3d4e5f6 |
    9q1w3e5r7t9y2u4i6o8p0a2s | 2 |     |        | Letter |      | Letters | 3  |   | completed | 2024-03-05 08:41:05 |  | 2024-03-05 08:44:51 | c3d4e5f6a7 |
    1l3k5j7h9g2f4d6s8a0p1o3i | 3 |     | Branch |        |      |         |    |   | partial   | 2024-03-05 19:22:18 | 2024-03-05 19:23:00 |  | d4e5f6a7b8 |
    2m4n6b8v0c1x3z5l7k9j2h4g | 5 | App |        |        | News |         | 9  | 1 | completed | 2024-03-06 07:30:59 |  | 2024-03-06 07:33:12 | e5f6a7b8c9 |
    3b5v7c9x1z2k4j6h8g0f1d3s | 4 |     | Branch |        | Other topics |  | 7  | 0 | completed | 2024-03-06 18:02:44 |  | 2024-03-06 18:05:01 | f6a7b8c9d0 |
    """)
    names = [*typeform[0][:6], "Other.1", *typeform[0][7:]]
    facts = {"platform": "typeform", "numbered": ["Other.1"], "point_out": {"partial": [5]}}
    case("typeform", Text(end="\n"), typeform, names, **facts)
    older = [
        [*row[:4], row[7], *row[10:11], *row[12:14]] for row in typeform if row[9] != "partial"
    ]
    case("typeform_older", Text(end="\n"), older, platform="typeform")

    office = grid("""
    ID | Start time | Completion time | Email | Name | Which do you use? | Speed | Staff | Speed2 | Staff2 | How likely are you to recommend us? | What could be better?
    1 | 2024-03-04 10:02:11 | 2024-03-04 10:05:40 | anonymous |  | App;Branch; | 7 | 6 | 5 | 5 | 9  | Shorter queues
    2 | 2024-03-04 11:13:02 | 2024-03-04 11:15:55 | anonymous |  | App;        | 6 | 7 | 4 | 6 | 10 |
    3 | 2024-03-05 09:47:31 | 2024-03-05 09:49:10 | anonymous |  | Phone;Other; letters; | 7 | 7 | 6 | 6 | 7 | Nothing
    4 | 2024-03-05 17:30:00 | 2024-03-05 17:36:21 | anonymous |  | Branch;     | 5 | 6 | 5 | 3 | 2  | More staff
    5 | 2024-03-06 08:08:08 | 2024-03-06 08:11:44 | anonymous |  |             | 6 | 6 | 7 | 4 | 8  |
    """)
    case("microsoft_forms", Book("Sheet1", table="A1:L6"), office, platform="microsoft_forms")
    heads = [head.removesuffix("2") for head in office[0]]
    names = [*heads[:8], "Speed.1", "Staff.1", *heads[10:]]
    facts = {"platform": "microsoft_forms", "numbered": ["Speed.1", "Staff.1"]}
    short = [[re.sub(r"2024-03-0(\d) ", r"3/\1/24 ", cell) for cell in row] for row in office[1:]]
    case("microsoft_forms_same_heading", Text(), [heads, *short], names, **facts)
    wanjuan = grid("""
    ID | 开始时间 | 完成时间 | 电子邮件 | 名称 | 您使用过哪些渠道？ | 服务态度 | 办理速度 | 您向朋友推荐我们的可能性有多大？ | 您的建议
    1 | 2024-03-04 10:02:11 | 2024-03-04 10:05:40 | anonymous |  | 网点;手机银行; | 满意 | 一般 | 9 | 多开窗口
    2 | 2024-03-04 11:13:02 | 2024-03-04 11:15:55 | anonymous |  | 手机银行; | 非常满意 | 满意 | 10 |
    3 | 2024-03-05 09:47:31 | 2024-03-05 09:49:10 | anonymous |  | 电话; | 不满意 | 不满意 | 2 | 电话打不通
    4 | 2024-03-05 17:30:00 | 2024-03-05 17:36:21 | anonymous |  | 网点; | 满意 | 满意 | 8 | 无
    5 | 2024-03-06 08:08:08 | 2024-03-06 08:11:44 | anonymous |  | 网点;电话; | 一般 | 满意 | 7 |
    """)
    case("microsoft_forms_chinese", Book("Sheet1"), wanjuan, platform="microsoft_forms")

    google = grid("""
    Timestamp | How is the service [Speed] | How is the service [Staff] | Which do you use? | How likely are you to recommend us? | What could be better?
    2024/03/04 10:02:11 AM GMT+1 | Good      | Very good | App;Branch | 9  | Shorter queues
    2024/03/04 12:40:05 PM GMT+1 | Very good | Very good | App        | 10 |
    2024/03/05 9:12:44 AM GMT+1  | Poor      | Good      | Phone      | 4  | Answer the phone,\\nplease
    2024/03/05 6:55:30 PM GMT+1  | Good      | Good      | Branch     | 8  |
    2024/03/06 8:01:19 AM GMT+1  | Fair      | Poor      |            | 6  | More staff
    """)
    facts = {"platform": "google_forms"}
    case("google_forms", Text(quoted=True, end="\n"), google, **facts)
    twice = grid("""
    Timestamp | Email Address | How is [Speed] | How is [Staff] | How is [Speed] | How is [Staff]
    3/4/2024 10:02:11 | a@example.org | 6 | 7 | 4 | 5
    3/4/2024 12:40:05 | b@example.org | 7 | 7 | 6 | 6
    3/5/2024 9:12:44  | c@example.org | 7 | 6 | 2 | 5
    3/5/2024 18:55:30 | d@example.org | 6 | 6 | 5 | 6
    3/6/2024 8:01:19  | e@example.org | 7 | 5 | 3 | 3
    """)
    names = [*twice[0][:4], "How is [Speed].1", "How is [Staff].1"]
    facts |= {"numbered": names[4:]}
    case("google_forms_grid_twice", Text(end="\n"), twice, names, **facts)
    china = grid("""
    时间戳记 | 您的年龄 | 您使用过哪些渠道？ | 请评价以下服务 [服务态度] | 请评价以下服务 [办理速度] | 您的建议
    2024-03-04 10:02:11 | 26-35岁 | 网点, 手机银行 | 满意 | 一般 | 多开窗口
    2024-03-04 12:40:05 | 18-25岁 | 手机银行 | 非常满意 | 满意 |
    2024-03-05 09:12:44 | 36-45岁 | 电话, 其他（信件） | 不满意 | 不满意 | 电话打不通
    2024-03-05 18:55:30 | 26-35岁 | 网点 | 满意 | 满意 | 无
    2024-03-06 08:01:19 | 46岁以上 | 网点, 电话 | 一般 | 满意 |
    """)
    case("google_forms_chinese", Book("表单回复 1"), china, platform="google_forms")

    jotform = grid("""
    Submission Date | First Name | Last Name | How satisfied are you with >> Speed | How satisfied are you with >> Staff | Which do you use? | Rate us
    2024-03-04 10:02:11 | Ann | A. | Satisfied | Very Satisfied | App\\nBranch | 4
    2024-03-04 12:40:05 | Bob | B. | Satisfied | Satisfied | App | 5
    2024-03-05 09:12:44 | Cem | C. | Not Satisfied | Satisfied | Phone\\nBranch | 2
    2024-03-05 18:55:30 | Dia | D. | Somewhat Satisfied | Satisfied | | 3
    2024-03-06 08:01:19 | Eve | E. | Very Satisfied | Very Satisfied | App | 5
    """)
    case("jotform", Text(quoted=True, end="\n"), jotform)
    alchemer = grid("""
    Response ID | Time Started | Date Submitted | Status | Contact ID | Language | Referer | IP Address | How satisfied are you overall? | App:Which do you use? | Branch:Which do you use? | What could be better?
    11 | 2024-03-04 10:02:11 | 2024-03-04 10:05:40 | Complete |  | English |  | 192.0.2.51 | 4 | App |        | Queues
    12 | 2024-03-04 11:13:02 | 2024-03-04 11:13:40 | Partial  |  | English |  | 192.0.2.52 | 5 |     |        |
    13 | 2024-03-05 09:47:31 | 2024-03-05 09:49:10 | Complete |  | English |  | 192.0.2.53 | 2 |     | Branch | Staff
    14 | 2024-03-05 17:30:00 | 2024-03-05 17:36:21 | Complete |  | German  |  | 192.0.2.54 | 3 | App | Branch |
    15 | 2024-03-06 08:08:08 | 2024-03-06 08:08:59 | Partial  |  | English |  | 192.0.2.55 |   |     |        |
    """)
    case("alchemer_status", Text(end="\n"), alchemer, point_out={"partial": [3, 6]})


# ------------------------------------------------------------------ tables as offices send them


def cases_titles() -> None:
    rows = grid("""
    2024年客户满意度调查表
    编号 | 网点 | 有形性 | 可靠性 | 响应性 | NPS
    1 | 高新支行 | 4 | 5 | 3 | 9
    2 | 城南支行 | 5 | 5 | 4 | 10
    3 | 高新支行 | 2 | 3 | 2 | 4
    4 | 城北支行 | 4 | 4 | 5 | 8
    5 | 城南支行 | 3 | 4 | 4 | 7
    """)
    case("title_one_row", Book("调查", merged=["A1:F1"]), rows, header=[2], title=[1])
    two = [rows[0], ["导出日期：2024年3月8日"], [""], *rows[1:]]
    case("title_two_rows_blank_gb18030", Text(encoding="gb18030"), two, header=[4], title=[1, 2])
    plain = grid("""
    Customer survey 2024
    Branch: all
    Period: Q1, exported 2024-04-02
    id | wait | staff | clean | comment
    A1 | 4 | 5 | 5 | fine
    A2 | 3 | 4 | 4 |
    A3 | 5 | 5 | 5 | thank you
    A4 | 1 | 2 | 3 | too slow
    A5 | 4 | 4 |   |
    """)
    case("title_three_rows", Text(filled=False), plain, header=[4], title=[1, 2, 3])

    cells = [
        ["Branch report", "", "Date:", "2024-03-08"],
        ["1 = poor", "5 = good", "", ""],
        *plain[3:],
    ]
    case("title_with_cells", Text(), cells, header=[3], title=[1, 2])

    sheet = grid("""
    分行服务质量调查（2024年第一季度）
    填报单位：零售部
    编号 | 网点 | 月份 | 期望 |      |      | 感受 |      |      | 推荐意愿 | 手机号 | 意见
         |      |      | 设施 | 员工 | 速度 | 设施 | 员工 | 速度 |          |        |
    '001 | 高新支行 | 1月 | 7 | 7 | 6 | 5 | 6 | 4 | 9  | '13800000001 | 排队久
    '002 | 城南支行 | 1月 | 6 | 7 | 7 | 6 | 6 | 5 | 8  | '13800000002 |
    '003 | 高新支行 | 2月 | 7 | 6 | 7 | 4 | 5 | 3 | 3  |              | 人手不够
    '004 | 城北支行 | 2月 | 5 | 6 | 6 | 5 | 6 | 6 | 10 | '13800000004 | 很好
    '005 | 城南支行 | 3月 | 7 | 7 | 7 | 6 | 7 | 5 | 9  | '13800000005 |
    合计 |          |     | 32 | 33 | 33 | 26 | 30 | 23 | 39 |             |
    注：1—7分，7分为最好。
    """)
    names = ["编号", "网点", "月份", "期望 - 设施", "期望 - 员工", "期望 - 速度", "感受 - 设施", "感受 - 员工", "感受 - 速度", "推荐意愿", "手机号", "意见"]  # fmt: skip
    merged = ["A1:L1", "D3:F3", "G3:I3", *(f"{c}3:{c}4" for c in "ABCJKL")]
    facts = {"header": [3, 4], "title": [1, 2], "point_out": {"total": [10], "footnote": [11]}}
    case("branch_office", Book("一季度", merged=merged), sheet, names, **facts)


def cases_headers() -> None:
    roles = grid("""
    编号 | 期望 |      | 感受 |      | NPS |
         | 设施 | 员工 | 设施 | 员工 |     | 备注
    1 | 7 | 6 | 5 | 4 | 8  | 停车难
    2 | 6 | 7 | 6 | 5 | 9  |
    3 | 7 | 7 | 3 | 4 | 2  | 态度差
    4 | 5 | 6 | 5 | 6 | 10 |
    5 | 6 | 6 | 5 | 5 | 7  | 无
    """)
    names = ["编号", "期望 - 设施", "期望 - 员工", "感受 - 设施", "感受 - 员工", "NPS", "备注"]
    book = Book("数据", merged=["A1:A2", "B1:C1", "D1:E1", "F1:F2"])
    case("header_merged", book, roles, names, header=[1, 2])
    case("header_merged_csv", Text(), [row[:5] for row in roles], names[:5], header=[1, 2])
    turned = grid("""
    编号 | 设施 |      | 员工 |      | 速度 |
         | 期望 | 感受 | 期望 | 感受 | 期望 | 感受
    1 | 7 | 5 | 6 | 4 | 7 | 3
    2 | 6 | 6 | 7 | 5 | 6 | 5
    3 | 7 | 3 | 7 | 4 | 6 | 6
    4 | 5 | 5 | 6 | 6 | 7 | 7
    5 | 6 | 5 | 6 | 5 | 7 | 2
    """)
    names = [
        "编号",
        *(f"{item} - {role}" for item in ("设施", "员工", "速度") for role in ("期望", "感受")),
    ]
    merged = ["A1:A2", "B1:C1", "D1:E1", "F1:G1"]
    case("header_merged_items_above", Book("数据", merged=merged), turned, names, header=[1, 2])
    repeated = grid("""
    id | Expectation | Expectation |  | Perception | Perception
       | Speed       | Staff       |  | Speed      | Staff
    1 | 7 | 6 | | 5 | 4
    2 | 6 | 7 | | 6 | 5
    3 | 7 | 7 | | 3 | 4
    4 | 5 | 6 | | 5 | 6
    5 | 6 | 6 | | 5 | 5
    """)
    names = [
        "id",
        "Expectation - Speed",
        "Expectation - Staff",
        None,
        "Perception - Speed",
        "Perception - Staff",
    ]
    case("header_group_repeated", Text(), repeated, names, header=[1, 2])
    three = grid("""
    id | Expectation |       |         |          | Perception |       |         |
       | Tangibles   |       | Service |          | Tangibles  |       | Service |
       | building    | staff | speed   | accuracy | building   | staff | speed   | accuracy
    1 | 7 | 6 | 7 | 7 | 5 | 6 | 4 | 6
    2 | 6 | 6 | 7 | 7 | 6 | 6 | 5 | 5
    3 | 7 | 7 | 6 | 7 | 5 | 4 | 3 | 6
    4 | 5 | 6 | 7 | 6 | 5 | 6 | 6 | 6
    5 | 7 | 7 | 7 | 7 | 6 | 7 | 5 | 7
    """)
    names = ["id"] + [
        f"{role} - {part}"
        for role in ("Expectation", "Perception")
        for part in (
            "Tangibles - building",
            "Tangibles - staff",
            "Service - speed",
            "Service - accuracy",
        )
    ]
    merged = ["A1:A3", "B1:E1", "F1:I1", "B2:C2", "D2:E2", "F2:G2", "H2:I2"]
    case("header_three_rows", Book("Data", merged=merged), three, names, header=[1, 2, 3])

    coded = grid("""
    id | e1 | e2 | p1 | p2 | nps
    Respondent number | How well should the staff be trained? | How fast should the service be? | How well is the staff trained? | How fast is the service? | How likely are you to recommend us?
    1 | 7 | 6 | 5 | 4 | 9
    2 | 7 | 7 | 6 | 6 | 10
    3 | 6 | 7 | 4 | 3 | 3
    4 | 5 | 6 | 5 | 5 | 8
    5 | 7 | 7 | 6 | 5 | 8
    """)
    asked = dict(zip(*coded[:2], strict=True))
    case("header_codes_and_questions", Book("Data"), coded, header=[1, 2], questions=asked)
    case("header_codes_and_questions_csv", Text(), coded, header=[1, 2], questions=asked)
    units = grid("""
    id | wait | visit | satisfaction | spent
       | min  | s     | 1-7          | EUR
    1 | 4  | 133 | 6 | 12.5
    2 | 12 | 98  | 3 | 8.75
    3 | 2  | 204 | 7 | 31
    4 | 7  | 76  | 5 | 0
    5 | 25 | 311 | 2 | 4.2
    """)
    case("header_units", Text(), units, header=[1, 2])
    pages = grid("""
    id | q1 | q2 | q3
    1 | 4 | 5 | 3
    2 | 5 | 5 | 4
    3 | 2 | 3 | 2
    id | q1 | q2 | q3
    4 | 4 | 4 | 5
    5 | 3 | 4 | 4
    6 | 5 | 1 | 4
    id | q1 | q2 | q3
    7 | 3 | 3 | 3
    """)
    case("header_repeated", Text(), pages, point_out={"repeated_header": [5, 9]})

    spaced = [
        ["编号", "服务\u00a0态度", "办理\n速度", "Staff\u00a0are polite", "NPS ", "意见\n（选填）"]
    ]
    spaced += grid("1|5|4|5|9|好\n2|4|4|4|8|\n3|2|1|3|2|慢\n4|5|5|5|10|\n5|4|3|4|7|无")
    case("headings_odd_spaces", Text(encoding="utf-8-sig"), spaced)
    case("headings_odd_spaces_xlsx", Book("Sheet1"), spaced)
    twice = grid("""
    id | Speed | Staff | Speed | Staff | Comment | Comment
    1 | 7 | 6 | 5 | 6 | slow | fine
    2 | 6 | 7 | 6 | 6 |      |
    3 | 7 | 7 | 3 | 4 | long queue |
    4 | 5 | 6 | 5 | 6 |      | good
    5 | 7 | 5 | 6 | 5 |      |
    """)
    names = ["id", "Speed", "Staff", "Speed.1", "Staff.1", "Comment", "Comment.1"]
    case("same_heading_twice", Text(), twice, names, numbered=["Speed.1", "Staff.1", "Comment.1"])
    case(
        "same_heading_twice_xlsx",
        Book(),
        twice,
        names,
        numbered=["Speed.1", "Staff.1", "Comment.1"],
    )
    unnamed = grid("""
    | id | q1 | q2 |       | q3 |
    | 1 | 4 | 5 | North | 3 |
    | 2 | 5 | 5 | South | 4 |
    | 3 | 2 | 3 |       | 2 |
    | 4 | 4 | 4 | North | 5 |
    | 5 | 3 | 1 | South | 4 |
    """)
    names = [None, "id", "q1", "q2", "column_5", "q3", None]
    case("column_without_heading", Text(), unnamed, names)
    shifted = [["", "Survey of visitors, spring"], [""], *(row[:4] + row[5:6] for row in unnamed)]
    names = [None, "id", "q1", "q2", "q3"]
    case("empty_first_column", Book("Data"), shifted, names, header=[3], title=[1])
    years = grid("""
    branch | 2021 | 2022 | 2023 | 2024
    North  | 4.1  | 4.3  | 4.2  | 4.5
    South  | 3.8  | 3.9  | 4.1  | 4.4
    East   | 4.6  | 4.4  | 4.3  | 4.1
    West   | 3.2  | 3.6  | 3.5  | 3.9
    Centre | 4.7  | 4.8  | 4.6  | 4.9
    """)
    case("years_as_headings", Text(), years)
    only = [row[1:] for row in years]
    case("years_as_headings_alone", Book(), only, doubt=True)


def cases_rows() -> None:
    body = grid("""
    id | branch | q1 | q2 | q3
    1 | North | 4 | 5 | 3
    2 | South | 5 | 5 | 4
    3 | North | 2 | 3 | 2
    4 | South | 4 | 4 | 5
    5 | South | 3 | 4 | 4
    6 | North | 5 | 2 | 3
    """)
    total = [["Total", "", "23", "23", "21"]]
    case("total_row", Text(), body + total, point_out={"total": [8]})
    mean = [
        ["Average", "", "3.83", "3.83", "3.5"],
        ["Std. dev.", "", "1.17", "1.17", "1.05"],
        ["n", "", "6", "6", "6"],
    ]
    case("mean_rows", Text(), body + mean, point_out={"total": [8, 9, 10]})
    chinese = [["编号", "网点", "设施", "员工", "速度"], *body[1:]]
    sums = [["合计", "", "23", "23", "21"], ["平均", "", "3.83", "3.83", "3.5"]]
    case("total_and_mean_chinese", Book("汇总"), chinese + sums, point_out={"total": [8, 9]})
    top = [chinese[0], ["均值", "", "3.83", "3.83", "3.5"], *chinese[1:]]
    case("mean_row_on_top", Book("汇总"), top, point_out={"total": [2]})
    branches = grid("""
    branch | id | q1 | q2 | q3
    North | 1 | 4 | 5 | 3
    North | 3 | 2 | 3 | 2
    Subtotal |  | 6 | 8 | 5
    South | 2 | 5 | 5 | 4
    South | 4 | 4 | 4 | 5
    South | 5 | 3 | 4 | 4
    Subtotal |  | 12 | 13 | 13
    Grand total |  | 18 | 21 | 18
    """)
    case("subtotals", Text(), branches, point_out={"total": [4, 8, 9]})
    chinese_sums = grid("""
    编号 | 网点 | 设施 | 员工
    1 | 高新支行 | 4 | 5
    2 | 高新支行 | 2 | 3
      | 小计     | 6 | 8
    3 | 城南支行 | 5 | 5
    4 | 城南支行 | 4 | 4
    5 | 城南支行 | 3 | 4
      | 小计     | 12 | 13
      | 总计     | 18 | 21
    """)
    case("subtotals_chinese", Book("汇总"), chinese_sums, point_out={"total": [4, 8, 9]})
    brands = grid("""
    id | brand | q1 | q2 | comment
    1 | Total | 4 | 5 | Source: my own memory
    2 | Shell | 5 | 5 | * the pump was broken
    3 | Total | 2 | 3 | Average, at best
    4 | Esso  | 4 | 4 |
    5 | Mean Machine | 3 | 4 | Note: rather cold
    6 | Total |   |   | Total mess
    """)
    case("answers_that_look_like_totals", Text(), brands)
    notes = [[""], ["Source: own survey, March 2024"], ["* Scale from 1 (poor) to 5 (good)"]]
    case("footnotes", Text(filled=False), body + notes, point_out={"footnote": [9, 10]})
    notes = [["注：1为非常不满意，5为非常满意。"], ["数据来源：客户体验部"]]
    facts = {"total": [8], "footnote": [9, 10]}
    book = Book("汇总", merged=["A9:E9", "A10:E10"])
    case("total_and_footnotes_chinese", book, chinese + sums[:1] + notes, point_out=facts)
    case("hidden_rows", Book("Data", hidden=[4, 6]), body)
    case("filtered_rows", Book("Data", hidden=[3, 5, 6], filtered="A1:E7"), body)
    gaps = [body[0], [""], *body[1:3], [""], [""], *body[3:], [""]]
    case("blank_rows", Text(), gaps)
    case("blank_rows_xlsx", Book("Data"), gaps)
    status = [["id", "response status", "q1", "q2"], *grid("""
    1 | complete   | 4 | 5
    2 | incomplete | 5 |
    3 | complete   | 2 | 3
    4 | complete   | 4 | 4
    5 | incomplete |   |
    """)]  # fmt: skip
    case("status_column", Text(), status, point_out={"partial": [3, 6]})

    tests = grid("""
    id | name | date | q1 | q2 | comment
    1 | test      | 2024-03-01 | 5 | 5 | test
    2 | TEST 2    | 2024-03-01 | 1 | 1 | please ignore, testing
    3 | A. Miller | 2024-03-04 | 4 | 3 |
    4 | B. Testa  | 2024-03-04 | 2 | 3 | took my driving test here
    5 | C. Novak  | 2024-03-05 | 5 | 4 |
    6 | D. Weber  | 2024-03-05 | 3 | 4 | fine
    """)
    case("test_answers", Text(), tests, point_out={"test": [2, 3]})
    waves = grid("""
    编号 | 月份 | 设施 | 员工 | NPS
    A1 | 1月 | 4 | 5 | 9
    A1 | 2月 | 3 | 5 | 7
    A2 | 1月 | 5 | 5 | 10
    A2 | 2月 | 5 | 4 | 9
    A3 | 1月 | 2 | 3 | 4
    A3 | 2月 | 3 | 3 | 6
    """)
    case("two_waves_are_wide", Book("数据"), waves)

    long = [["respondent", "item", "role", "value"]]
    for i, answers in enumerate(["7654", "6755", "7733", "5656"], 1):
        keys = [
            (item, role) for role in ("expectation", "perception") for item in ("speed", "staff")
        ]
        long += [[f"r{i}", *key, answer] for key, answer in zip(keys, answers, strict=True)]
    case("long_form", Text(), long, layout="long")
    chinese = [["受访者", "题目", "类型", "得分"]]
    words = {"speed": "办理速度", "staff": "服务态度", "expectation": "期望", "perception": "感受"}
    chinese += [[row[0].upper(), words[row[1]], words[row[2]], row[3]] for row in long[1:]]
    case("long_form_chinese", Book("数据"), chinese, layout="long")
    pairs = grid("""
    编号 | 类型 | 设施 | 员工 | 速度
    1 | 期望 | 7 | 6 | 7
    1 | 感受 | 5 | 6 | 4
    2 | 期望 | 6 | 7 | 6
    2 | 感受 | 6 | 5 | 5
    3 | 期望 | 7 | 7 | 7
    3 | 感受 | 3 | 4 | 5
    4 | 期望 | 5 | 6 | 6
    4 | 感受 | 5 | 6 | 6
    """)
    case("rows_per_role", Book("数据"), pairs, layout="rows_per_role")
    words = {
        "编号": "id",
        "类型": "part",
        "设施": "t1",
        "员工": "t2",
        "速度": "t3",
        "期望": "Expectations",
        "感受": "Perceptions",
    }
    english = [[words.get(cell, cell) for cell in row] for row in pairs]
    case("rows_per_role_csv", Text(), english, layout="rows_per_role")


def cases_values() -> None:
    decimal = grid(
        """
    Nr;Filiale;Note;Wartezeit;Anmerkung
    1;Nord;2,5;12,25;schnell
    2;Süd;1,0;3,5;
    3;Nord;4,5;25,75;zu langsam
    4;Ost;2,0;8,5;Note 1,5 für das Personal
    5;Süd;3,5;10,0;
    """.replace(";", "|")
    )
    case("decimal_comma", Text(";", "utf-8-sig"), decimal, decimal_comma=["Note", "Wartezeit"])
    points = grid("""
    编号 | 服务态度 | 办理速度 | 总体满意度 | recommend | trust
    1 | 4分 | ５ | 非常满意   | 10 - Extremely likely   | 5 - Strongly agree
    2 | 5分 | ４ | 满意       | 8                       | 4 - Agree
    3 | 2分 | １ | 非常不满意 | 0 - Not at all likely   | 1 - Strongly disagree
    4 | 3分 | ３ | 一般       | 5                       | 3 - Neutral
    5 | 4分 | ４ | 满意       | 10 - Extremely likely   | 4 - Agree
    """)
    case("answers_with_points", Text(encoding="utf-8-sig"), points)
    marks = grid("""
    id | q1 | q2 | q3 | q4 | nps
    1 | 4     | 5      | 3      | #NULL! | 9
    2 | (空)  | 5      | N/A    | 4      | 10
    3 | 2     | (跳过) | 2      | 1      | (空)
    4 | 5     | 3      | #NULL! | 2      | 7
    5 | 3     | 4      | 4      | 5      | -99
    """)
    case("no_answer_marks", Text(encoding="utf-8-sig"), marks)
    zeros = grid("""
    member | phone | q1 | q2
    007 | +4366412345 | 4 | 5
    008 | 0664123456  | 5 | 5
    010 | 0043123456  | 2 | 3
    123 | 0664999999  | 4 | 4
    0042|             | 3 | 1
    """)
    case("leading_zeros", Text(), zeros)
    words = grid("""
    Branch | Overall, how satisfied are you? | Would you come back? | Which channel do you use most?
    North | Satisfied      | Yes   | App
    South | Very satisfied | Yes   | Branch
    North | Dissatisfied   | No    | Phone
    East  | Satisfied      | Maybe | App
    South | Satisfied      | Yes   | App
    East  | Very satisfied | Yes   | Branch
    """)
    case("text_only", Text(), words)
    chinese = grid("""
    网点 | 服务态度 | 办理速度 | 是否愿意推荐
    高新支行 | 满意 | 一般 | 愿意
    城南支行 | 非常满意 | 满意 | 愿意
    高新支行 | 不满意 | 不满意 | 不愿意
    城北支行 | 满意 | 满意 | 愿意
    城南支行 | 一般 | 一般 | 不确定
    """)
    case("text_only_chinese", Book("Sheet1"), chinese)
    case("one_column", Text(), grid("score\n9\n10\n3\n8\n7\n10"))
    case(
        "one_column_text",
        Text(encoding="utf-8-sig"),
        grid("您的意见\n很好\n排队太久\n无\n希望多开窗口\n很好"),
    )
    refused = grid("""
    id | branch | q1 | q2 | q3 | comment
    A1 | North | refused | refused | refused | did not want to answer
    A2 | South | 5 | 5 | 4 |
    A3 | North | 2 | 3 | 2 | slow
    A4 | South | 4 | 4 | 5 |
    A5 | East  | 3 | 4 | 4 | fine
    """)
    case("first_respondent_text", Text(), refused)
    chinese = grid("""
    编号 | 服务态度 | 办理速度 | 网点环境
    张某 | (跳过) | (跳过) | (跳过)
    李某 | 5 | 4 | 5
    王某 | 3 | 2 | 4
    赵某 | 4 | 4 | 4
    孙某 | 5 | 5 | 3
    """)
    case("first_respondent_text_chinese", Book("Sheet1"), chinese)

    taiwan = grid("""
    編號 | 分行 | 服務態度 | 辦理速度 | 意見
    1 | 台北 | 5 | 4 | 櫃檯人員親切
    2 | 高雄 | 4 | 4 |
    3 | 台中 | 2 | 1 | 等候時間過長，請增加窗口
    4 | 台北 | 5 | 5 | 謝謝
    5 | 臺南 | 3 | 4 |
    """)
    case("encoding_big5", Text(encoding="big5"), taiwan, options={"encoding": "big5"})
    japan = grid("""
    番号 | 店舗 | 接客 | 速さ | ご意見
    1 | 東京 | 5 | 4 | とても親切でした
    2 | 大阪 | 4 | 4 |
    3 | 名古屋 | 2 | 1 | 待ち時間が長い
    4 | 東京 | 5 | 5 | ありがとうございます
    5 | 福岡 | 3 | 4 |
    """)
    case("encoding_shift_jis", Text(encoding="shift_jis"), japan, options={"encoding": "shift_jis"})
    windows = grid("""
    id | city | satisfaction | comment
    1 | Köln       | 4 | “Sehr gut” – danke
    2 | München    | 5 |
    3 | Düsseldorf | 2 | Zu teuer: 20 €
    4 | Zürich     | 4 |
    5 | Besançon   | 3 | l’accueil
    """)
    case("encoding_cp1252", Text(encoding="cp1252"), windows, options={"encoding": "cp1252"})
    case("encoding_utf16_excel", Text("\t", "utf-16", suffix=".txt"), windows)
    readme = {"说明": grid("本表由问卷系统导出\n答卷见第二张表\n联系人：客户体验部")}
    other = {"统计": grid("题目|平均\n服务态度|3.8\n办理速度|3.6")}
    cells = [row[:4] for row in taiwan]
    book = Book("答卷", before=readme, after=other)
    case("sheet_asked_for", book, cells, options={"sheet": "答卷"})


# ------------------------------------------------------------------ SPSS and Stata


def cases_statistical() -> None:
    agree = {
        1.0: "Strongly disagree",
        2.0: "Disagree",
        3.0: "Neutral",
        4.0: "Agree",
        5.0: "Strongly agree",
    }
    frame = {
        "id": ["r01", "r02", "r03", "r04", "r05", "r06"],
        "branch": [1, 2, 1, 3, 2, 1],
        "e_speed": [5, 4, 5, 3, 5, 9],
        "p_speed": [3, 4, 1, 98, 4, 2],
        "nps": [9, 10, 3, 7, -99, 8],
        "weight": [1.2, 0.8, 1, 0.95, 1.05, 1],
        "comment": ["slow", "", "queue", "", "fine", ""],
    }
    asked = {
        "id": "Respondent",
        "branch": "Branch visited",
        "e_speed": "The service should be fast",
        "p_speed": "The service is fast",
        "nps": "How likely are you to recommend us?",
        "weight": "Weight",
        "comment": "What could be better?",
    }
    labels = {"branch": {1.0: "North", 2.0: "South", 3.0: "East"}}
    labels |= {"e_speed": agree | {9.0: "No answer"}, "p_speed": agree | {98.0: "Does not apply"}}
    declared: dict[str, list[Any]] = {
        "e_speed": [{"lo": 9, "hi": 9}],
        "p_speed": [{"lo": 97, "hi": 99}],
        "nps": [{"lo": -99, "hi": -99}],
    }
    statistical("spss_labels.sav", frame, questions=asked, labels=labels, declared=declared)
    best = {
        1.0: "非常满意",
        2.0: "满意",
        3.0: "一般",
        4.0: "不满意",
        5.0: "非常不满意",
        8.0: "不清楚",
    }
    frame = {
        "编号": [101, 102, 103, 104, 105],
        "满意度": [1, 2, 1, 8, 5],
        "推荐": [10, 8, 9, 7, 0],
        "网点": ["高新支行", "城南支行", "高新支行", "", "城北支行"],
        "意见": ["", "排队久", "", "无", "态度差"],
    }
    asked = {
        "编号": "受访者编号",
        "满意度": "您的总体满意度",
        "推荐": "您向朋友推荐的可能性",
        "网点": "所在网点",
        "意见": "意见",
    }
    declared = {"满意度": [{"lo": 8, "hi": 8}]}
    statistical(
        "spss_chinese.sav", frame, questions=asked, labels={"满意度": best}, declared=declared
    )
    frame = {
        "id": [1, 2, 3, 4, 5],
        "q1": [4, 5, "a", 2, None],
        "q2": [3, "b", 4, 1, 5],
        "nps": [9, 10, 3, 7, 8],
        "branch": ["North", "South", "", "North", "East"],
    }
    asked = {
        "id": "Respondent",
        "q1": "The staff are polite",
        "q2": "The service is fast",
        "nps": "How likely are you to recommend us?",
        "branch": "Branch",
    }
    labels = {"nps": {0.0: "Not at all likely", 10.0: "Extremely likely"}}
    declared = {"q1": ["a"], "q2": ["a", "b"]}
    statistical("stata_labels.dta", frame, questions=asked, labels=labels, declared=declared)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.iterdir():
        if file.name != "README.md":
            file.unlink()
    cases_qualtrics()
    cases_qualtrics_questions()
    cases_qualtrics_older()
    cases_surveymonkey()
    cases_chinese_platforms()
    cases_forms()
    cases_titles()
    cases_headers()
    cases_rows()
    cases_values()
    cases_statistical()


if __name__ == "__main__":
    main()
