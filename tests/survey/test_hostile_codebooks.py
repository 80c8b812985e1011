"""Codebooks that would stop the machine or end in a traceback: one line each, at once."""

import time

import pytest
import yaml

from cxstats.core.errors import DataError
from cxstats.survey.codebook import Codebook

HEAD = "scale: [1, 7]\nconstructs: {A: [a1, a2]}\n"


def bomb(levels, key):
    """Return aliases of aliases: ten times as much with every level."""
    lines = [f"zz0: &a0 [{', '.join('x' * 10)}]"]
    lines += [f"zz{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels + 1)]
    return HEAD + key.format(", ".join(lines))


DEEP = 20_000
HOSTILE = {
    "bomb in labels": (bomb(7, "labels: {{a1: {{{}}}}}\n"), "more than 500,000 values"),
    "bomb in other": (bomb(7, "other: [{{{}}}]\n"), "more than 500,000 values"),
    "bomb in title": (bomb(7, "title: {{{}}}\n"), "more than 500,000 values"),
    "small bomb in labels": (bomb(3, "labels: {{a1: {{{}}}}}\n"), "the languages 'en' and 'zh'"),
    "small bomb in title": (bomb(3, "title: {{{}}}\n"), "text for 'en' and 'zh'"),
    "lists in lists": (HEAD + "other: " + "[" * DEEP + "]" * DEEP, "nested deeper than 20"),
    "mappings in mappings": (HEAD + "title: " + "{a: " * DEEP + "}" * DEEP, "nested deeper"),
    "lists by indent": (HEAD + "other:\n" + "- " * DEEP + "x", "nested deeper than 20"),
    "open lists": ("[" * DEEP, "nested deeper than 20"),
    "title in itself": (HEAD + "title: &t {en: *t}", "'t' contains itself"),
    "list in itself": (HEAD + "other: &t [*t]", "'t' contains itself"),
    "digits": ("scale: [1, " + "9" * 5_000 + "]\nconstructs: {A: [a1]}", "a value cannot be read"),
    "large": ("scale: [1, 1" + "0" * 400 + "]\nconstructs: {A: [a1]}", "about 401 digits"),
    "missing": (HEAD + "missing: [1" + "0" * 400 + "]", "'missing': a number of about"),
    "month 13": (HEAD + "title: 2024-13-45", "a value cannot be read"),
    "no number": (HEAD + "missing: [!!int x]", "a value cannot be read"),
    "no truth": (HEAD + "missing: [!!bool x]", "a value cannot be read"),
    "no time": (HEAD + "title: !!timestamp x", "a value cannot be read"),
    "a list as key": (HEAD + "? [a]\n: b", "line 3: a list or mapping cannot be a key"),
    "mapping as column": (HEAD + "other: [{a: b}]", "key 'other'"),
    "respondent": (HEAD + "respondent: {a: b}", "key 'respondent'"),
    "importance": (HEAD + "importance: {A: [x]}", "key 'importance.A'"),
    "form": (HEAD + "perception: '{item:d}'", r"'{item:d}' is not allowed; allowed: {item} alone"),
    "form of a form": (HEAD + "perception: '{item:{item}}'", "{item} alone"),
    "conversion": (HEAD + "perception: '{item!r}'", "{item} alone"),
    "width": (HEAD + "perception: '{item:999999999}'", "{item} alone"),
    "importance form": (HEAD + "importance: '{construct:d}'", "{construct} alone"),
    "escape": (HEAD + 'other: ["\\e[2J", "\\e[2J"]', r"'\x1b[2J' is not allowed; allowed: each"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_is_refused_in_one_short_line_at_once(tmp_path, name):
    content, message = HOSTILE[name]
    path = tmp_path / "book.yml"
    path.write_text(content, encoding="utf-8")
    start = time.perf_counter()
    with pytest.raises(DataError) as caught:
        Codebook.read(path)
    assert time.perf_counter() - start < 5
    assert message in str(caught.value)
    assert str(caught.value).startswith("book.yml")
    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable()


def test_what_python_hands_over_is_checked_as_a_file_is():
    title = {}
    title["en"] = title
    deep = []
    for _ in range(DEEP):
        deep = [deep]
    for key, value in {"title": title, "other": deep, "scale": [1, 10**5_000]}.items():
        arguments = {"scale": [1, 7], "constructs": {"A": ["a1"]}, key: value}
        with pytest.raises(DataError) as caught:
            Codebook(**arguments)
        assert len(str(caught.value)) < 600


def test_aliases_of_a_usual_size_are_read(tmp_path):
    path = tmp_path / "book.yml"
    path.write_text("scale: {default: &s [1, 7], B: *s}\nconstructs: {A: [a1], B: [b1]}\n")
    assert Codebook.read(path).bounds("b1") == (1, 7)


@pytest.mark.parametrize("path", ["a\0b.yml", "x" * 5_000 + ".yml"])
def test_paths_that_cannot_be(path):
    with pytest.raises(DataError, match="cannot be read") as caught:
        Codebook.read(path)
    assert len(str(caught.value)) < 2_000
    assert str(caught.value).isprintable()


def test_a_large_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("cxstats.survey.codebook.LARGEST", 1_000)
    (tmp_path / "book.yml").write_text(HEAD + "#" * 1_000)
    with pytest.raises(DataError, match=r"book\.yml: larger than 0 MB"):
        Codebook.read(tmp_path / "book.yml")


def test_ten_thousand_items_are_checked_in_no_time():
    """Was 2.9 s, by n squared; reading YAML of this size comes on top."""
    items = [f"i{k}" for k in range(10_000)]
    book = {"scale": [1, 7], "constructs": {"A": items}, "reverse": items, "perception": "P_{item}"}
    start = time.process_time()
    codebook = Codebook(**book)
    columns = [codebook.item_of(column) for column in codebook.columns()]
    bounds = {codebook.bounds(item) for item in columns}
    assert time.process_time() - start < 0.5
    assert (columns, bounds) == (items, {(1, 7)})
    assert Codebook(**yaml.safe_load(yaml.safe_dump(codebook.to_dict()))) == codebook
