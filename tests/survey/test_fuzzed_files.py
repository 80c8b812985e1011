"""160 files with flipped bits, and files made to stop the machine: a result or one line, at once.

uv run pytest -m slow tests/survey/test_fuzzed_files.py -s
"""

import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

ROOT = Path(__file__).parents[2]
EACH = 32  # files of each of five kinds
SECONDS, MEGABYTES, CHARACTERS = 5, 500, 2_000
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def answers():
    """Return a small survey with text in two languages, gaps and quotes."""
    generator = np.random.default_rng(1)
    n = 60
    q2 = generator.integers(1, 8, n).astype(float)
    q2[::7] = np.nan
    return pd.DataFrame(
        {
            "id": [f"r{i:03d}" for i in range(n)],
            "wave": np.tile(["2025-01", "2025-02"], 30),
            "q1": generator.integers(1, 8, n),
            "q2": q2,
            "comment": ['很好, "fine"' if i % 3 else "" for i in range(n)],
        }
    )


def flipped(content, generator, k):
    """Return bytes with some bits flipped; every other time such that text stays text."""
    data = np.frombuffer(content, np.uint8).copy()
    m = int(generator.choice([1, 3, 10, 40]))
    at = generator.integers(0, len(data), m)
    bits = generator.integers(0, 3 if k % 2 else 8, m)
    if k % 2:
        at = at[data[at] < 128]
        bits = bits[: len(at)]
    data[at] ^= (1 << bits).astype(np.uint8)
    end = int(generator.integers(1, len(data))) if k % 10 == 9 else len(data)
    return data[:end].tobytes()


def sources(folder):
    """Write one good file of each kind; return what each is called."""
    frame = answers()
    frame.to_csv(folder / "survey.csv", index=False)
    frame.to_excel(folder / "survey.xlsx", index=False)
    labels, ranges = {"q1": {1: "no", 7: "yes"}}, {"q2": [{"lo": 6, "hi": 7}]}
    pyreadstat.write_sav(
        frame, str(folder / "survey.sav"), variable_value_labels=labels, missing_ranges=ranges
    )
    pyreadstat.write_sav(frame, str(folder / "survey.zsav"), compress=True)
    for name, path in (
        ("book.yml", "data/codebooks/servqual.yml"),
        ("facts.csv", "data/cases/facts.csv"),
        ("note.ipynb", "notebooks/00_quickstart.ipynb"),
    ):
        (folder / name).write_bytes((ROOT / path).read_bytes())


def repacked(source, target, change, added=()):
    """Write a workbook with the bytes of some members changed: a good zip of wrong text."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, content in added:
            new.writestr(name, content)


def fuzzed(folder):
    """Write 160 files: csv, xlsx, sav, yml, ipynb."""
    good = folder / "good"
    good.mkdir()
    sources(good)
    files = []
    kinds = (("survey.csv", "facts.csv"), ("survey.xlsx",), ("survey.sav", "survey.zsav"),
             ("book.yml",), ("note.ipynb",))  # fmt: skip
    for kind, names in enumerate(kinds):
        generator = np.random.default_rng([2026, kind])
        for k in range(EACH):
            source = good / names[k % len(names)]
            file = folder / f"{source.stem}-{k}{source.suffix}"
            if source.suffix == ".xlsx" and k % 4:

                def change(name, content, generator=generator, k=k):
                    wanted = name.endswith((SHEET, "workbook.xml", "sharedStrings.xml"))
                    return flipped(content, generator, k) if wanted else content

                repacked(source, file, change)
            else:
                content = source.read_bytes()
                head = 900 if source.suffix in {".sav", ".zsav"} and k % 4 > 1 else len(content)
                file.write_bytes(flipped(content[:head], generator, k) + content[head:])
            files.append(file)
    return files


def used(files):
    """Return what came of each file, in one process that forks for each."""
    command = [sys.executable, "-m", "tests.hostile", *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(files), done.stderr[-2000:]
    return found


def wrong(found):
    """Return what no user should see."""
    problems = []
    for each in found:
        lines = each["message"].splitlines()
        fine = (
            each["kind"] in {"result", "error"}
            and each["seconds"] < SECONDS
            and each["megabytes"] < MEGABYTES
            and len(each["message"]) < CHARACTERS
            and all(line.isprintable() for line in lines)
            and (len(lines) <= 1 or "rows" not in each["message"])
        )
        if not fine:
            problems.append({**each, "message": each["message"][:200]})
    return problems


@pytest.mark.slow
def test_flipped_files_are_read_or_refused(tmp_path):
    found = used(fuzzed(tmp_path))
    assert len(found) == 5 * EACH
    results = sum(each["kind"] == "result" for each in found)
    print(
        f"\n{results} read, {len(found) - results} refused; at most "
        f"{max(each['seconds'] for each in found):.1f} s, "
        f"{max(each['megabytes'] for each in found):.0f} MB"
    )
    assert not wrong(found)
    assert max(each["megabytes"] for each in found) > 20  # memory is measured
    assert 10 < results < len(found) - 10  # so the test can fail: neither all nor none are damaged


SHARED = (
    '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
)


def workbook(file, **members):
    """Write a small workbook with some members in place of its own, or beside them."""
    plain = file.with_name("plain.xlsx")
    if not plain.exists():
        book = openpyxl.Workbook()
        for row in (["q1", "q2"], ["a", 4], ["b", 2]):
            book.active.append(row)
        book.save(plain)
    names = {"styles": "xl/styles.xml", "book": "xl/workbook.xml"}
    replaced = {names[key]: members[key] for key in names if key in members}
    added = []
    if "shared" in members:
        with zipfile.ZipFile(plain) as archive:
            types = archive.read("[Content_Types].xml").decode()
        replaced["[Content_Types].xml"] = types.replace("</Types>", SHARED)
        added = [("xl/sharedStrings.xml", members["shared"])]
    repacked(plain, file, replaced.get, added)
    return file


def spss(file, rows, elements):
    """Write an SPSS file that says it has some rows, of 8 bytes packed into nearly nothing."""
    import zlib

    frame = pd.DataFrame({"q1": [1.0, 2.0]})
    pyreadstat.write_sav(frame, str(file), compress=True)
    data = bytearray(file.read_bytes())
    data[80:84] = struct.pack("<i", rows)
    # The data follow the end of the dictionary (record 999): where they and their list stand.
    at = data.find(struct.pack("<ii", 999, 0)) + 8
    size = 0x3FF000
    n_blocks = elements // size + 1
    block = zlib.compress(b"\xff" * size, 9)  # each byte is a missing number of 8 bytes
    trailer_at = at + 24 + n_blocks * len(block)
    trailer = struct.pack("<qqii", -100, 0, size, n_blocks)
    for i in range(n_blocks):
        offset = at + 24 + i * len(block)
        trailer += struct.pack("<qqii", at + i * size, offset, size, len(block))
    head = struct.pack("<qqq", at, trailer_at, len(trailer))
    file.write_bytes(bytes(data[:at]) + head + block * n_blocks + trailer)
    return file


def hostile(folder):
    """Write files of a few kilobytes that unpack, nest or repeat without end."""
    cell = {"cell_type": "code", "metadata": {}, "source": "", "outputs": [], "id": "a"}
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    texts = {
        "deep.ipynb": "[" * 200_000,
        "deeper.ipynb": json.dumps(notebook).replace("{}", '{"a":' * 50_000 + "1" + "}" * 50_000),
        "cells.ipynb": json.dumps(
            {**notebook, "cells": [{**cell, "execution_count": "x"}] * 20_000}
        ),
        "number.ipynb": json.dumps(notebook).replace("4,", "9" * 6_000 + ","),
        "lines.csv": "\n" * 20_000_000,
        "wide.csv": ",".join(["a"] * 200_000) + "\n",
        "quotes.csv": 'a,b\n1,"' + "x" * 20_000_000,
        "deep.yml": "a: " + "[" * 20_000,
        "labels.yml": "labels: {a: " + "{b: " * 5_000,
        "facts-quotes.csv": 'id,"' + "x" * 5_000_000,
    }
    files = []
    for name, text in texts.items():
        (folder / name).write_text(text)
        files.append(folder / name)
    string = "<si><t>ab</t></si>"
    formats = "<cellXfs>{}</cellXfs>"
    sheets = "".join(f'<sheet name="s{i}" sheetId="{i}" r:id="rId1"/>' for i in range(1, 20_000))
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    files += [
        workbook(folder / "strings.xlsx", shared=f'<sst xmlns="{MAIN}">{string * 8_000_000}</sst>'),
        workbook(
            folder / "strings_that_fit.xlsx",
            shared=f'<sst xmlns="{MAIN}">{string * 50_000}</sst>',
        ),
        *(
            workbook(
                folder / f"styles{n}.xlsx",
                styles=f'<styleSheet xmlns="{MAIN}">{formats.format("<xf/>" * n)}</styleSheet>',
            )
            for n in (1_900_000, 99_000)
        ),
        workbook(
            folder / "sheets.xlsx",
            book=f'<workbook xmlns="{MAIN}" xmlns:r="{relation}"><sheets>{sheets}</sheets>'
            "</workbook>",
        ),
        spss(folder / "rows.zsav", 2_000_000_000, 1_000),
        spss(folder / "bomb.zsav", 1_000_000_000, 1_000_000_000),
        spss(folder / "bomb_of_unknown_size.zsav", -1, 1_000_000_000),
        spss(folder / "bomb_that_lies.zsav", 2, 1_000_000_000),
    ]
    return files


@pytest.mark.slow
def test_small_files_do_not_stop_the_machine(tmp_path):
    found = used(hostile(tmp_path))
    for each in found:
        print(
            f"\n{each['file']}: {each['kind']}, {each['seconds']:.1f} s, "
            f"{each['megabytes']:.0f} MB: {each['message'][:100]}", end=""
        )  # fmt: skip
    assert not wrong(found)
