"""XES: logs in the exact form of the standard, and what no log may be."""

import gzip

import pandas as pd
import pytest

import cxstats as cx
from cxstats.operations import xes
from cxstats.operations.case_times import case_times


def event(name, time, transition="complete", more=""):
    return (
        f'<event><string key="concept:name" value="{name}"/>'
        f'<string key="lifecycle:transition" value="{transition}"/>'
        f'<date key="time:timestamp" value="{time}"/>{more}</event>'
    )


def trace(name, *events, more=""):
    return f'<trace><string key="concept:name" value="{name}"/>{more}{"".join(events)}</trace>'


HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<!-- made by the project, in the form of IEEE Std 1849-2016 -->
<log xes.version="1849.2016" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<global scope="trace"><string key="concept:name" value="UNKNOWN"/></global>
<global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
<classifier name="Activity" keys="concept:name"/>
<string key="concept:name" value="a log"/>
"""


def standard():
    more = (
        '<string key="org:resource" value="Ann &amp; Bo"/><int key="amount" value="12"/>'
        '<float key="rate" value="0.5"/><boolean key="vip" value="true"/>'
        '<string key="place" value="Berlin"><string key="street" value="Am Ufer"/></string>'
        '<list key="tags"><values><string key="tag" value="a"/><string key="tag" value="b"/>'
        "</values></list>"
    )
    kind = '<string key="product" value="卡"/><date key="asked" value="2024-02-29T12:00:00Z"/>'
    first = trace(
        "1",
        event("check", "2024-03-01T09:00:00.000+01:00", "start", more),
        event("check", "2024-03-01T10:00:00.000+01:00"),
        event("decide", "2024-03-01T11:00:00.000+01:00", "start"),
        event("decide", "2024-03-01T12:00:00.000+01:00"),
        more=kind,
    )
    return f"{HEAD}{first}{trace('2')}</log>"


@pytest.fixture
def write(tmp_path):
    def write(text, name="client.xes", pack=False):
        path = tmp_path / name
        content = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(content) if pack else content)
        return path

    return write


@pytest.mark.parametrize(("name", "pack"), [("a.xes", False), ("a.xes.gz", True), ("a.xml", True)])
def test_every_kind_of_attribute_is_read(write, name, pack):
    table = cx.read_xes(write(standard(), name, pack))
    row = table.iloc[0].to_dict()
    assert table.columns[:3].tolist() == ["case:concept:name", "concept:name", "time:timestamp"]
    assert row["case:concept:name"] == "1"
    assert row["time:timestamp"] == pd.Timestamp("2024-03-01 08:00", tz="UTC")
    assert row["case:asked"] == pd.Timestamp("2024-02-29 12:00", tz="UTC")
    assert (row["org:resource"], row["amount"], row["rate"]) == ("Ann & Bo", 12, 0.5)
    assert (row["vip"], row["case:product"]) == (True, "卡")
    assert (row["place"], row["place/street"]) == ("Berlin", "Am Ufer")
    assert (row["tags/tag"], row["tags/tag (2)"]) == ("a", "b")
    assert len(table) == 4
    note = table.attrs["notes"][0]
    assert (
        "extensions 2, default values (global) 2, classifiers 1, attributes of the log 1" in note.en
    )
    assert "traces without events 1" in note.en
    assert "扩展 2" in note.zh


def test_a_file_is_an_event_log(write):
    path = write(standard())
    for file in (path, str(path)):
        log = cx.event_log(file)
        assert log.n_events == 2
        assert (case_times(log)["handling_time"] / 3600).tolist() == [2.0]
        assert log.table["resource"].iloc[0] == "Ann & Bo"
        assert any("XES" in note.en for note in log.notes)
    by_kind = cx.event_log(path, kind="case:product")
    assert by_kind.table["kind"].tolist() == ["卡", "卡"]


def test_several_zones_are_said(write):
    times = "2024-03-01T09:00:00+01:00", "2024-03-01T09:00:00+08:00"
    log = cx.event_log(write(f"<log>{trace('1', *(event('x', time) for time in times))}</log>"))
    assert any("several zones" in note.en for note in log.notes)
    assert log.table["start"].iloc[0] == pd.Timestamp("2024-03-01 01:00", tz="UTC")


def test_prefixes_and_other_encodings(write):
    space = "xmlns:x='http://www.xes-standard.org/'"
    text = f"<x:log {space}>{trace('1', event('é', '2024-01-01'))}</x:log>"
    text = text.replace("<trace", "<x:trace").replace("</trace", "</x:trace")
    latin = ('<?xml version="1.0" encoding="ISO-8859-1"?>' + text).encode("latin-1")
    assert cx.read_xes(write(latin))["concept:name"].tolist() == ["é"]


def one(time="2024-03-01T09:00:00Z", more=""):
    """A log of one event."""
    return f"<log>{trace('1', event('x', time, more=more))}</log>"


T = "2024-03-01T09:00:00Z"
BOMB = (
    '<!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><log>&b;</log>'
)
OUTSIDE = '<!DOCTYPE log SYSTEM "file:///etc/hostname"><log/>'
BAD = [
    ("", "line 1: no whole XML: no element found"),
    ("id,step\n1,x\n", "line 1: no whole XML: syntax error"),
    (standard()[:-40], "no whole XML"),
    (standard().replace("</event>", "", 1), "no whole XML: mismatched tag"),
    ("<html/>", "line 1: the file holds 'html', no XES log"),
    (BOMB, "line 1: a document type or entity"),
    (OUTSIDE, "line 1: a document type or entity"),
    ("<log>&b;</log>", "no whole XML: undefined entity"),
    ("<log></log>", "no events in any trace"),
    (f"<log>{event('x', T)}</log>", "no events in any trace"),
    (f"<log><trace>{event('x', T)}</trace></log>", "trace 1 has no concept:name"),
    ("<log>" + trace("1", "<event></event>") + "</log>", "an event without concept:name"),
    ("<log>" + "<list>" * 60 + "</list>" * 60 + "</log>", "elements more than 50 deep"),
    (one("soon"), "event 1, 'time:timestamp': 'soon' is no time"),
    (one(more='<int key="n" value="1.5"/>'), "'1.5' is no int"),
    (one(more='<boolean key="n" value="yes"/>'), "'yes' is no boolean"),
    (one(more='<int key="n"/>'), "without key or value"),
    (f"<log>{trace('1', event('x', T), event('y', T[:-1]))}</log>", "mixes time zones"),
    (gzip.compress(standard().encode())[:-30], "cannot be read"),
    (b"\x1f\x8b\x08rubbish", "cannot be read"),
    (standard().encode()[:300] + b"\xff" + standard().encode()[300:], "no whole XML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD, ids=[message for _, message in BAD])
def test_damaged_files_are_one_line(write, text, message):
    path = write(text)
    with pytest.raises(cx.DataError) as caught:
        cx.read_xes(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(("client.xes", "column 'time:timestamp'"))
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there_or_too_large(write, monkeypatch, tmp_path):
    with pytest.raises(cx.DataError, match=r"none\.xes: cannot be read: No such file"):
        cx.read_xes(tmp_path / "none.xes")
    with pytest.raises(cx.DataError, match="cannot be read"):
        cx.read_xes(tmp_path)
    with pytest.raises(cx.CxError, match=r"log\.csv: allowed: \.xes, \.xes\.gz; read other files"):
        cx.event_log("log.csv")
    bomb = write(b"<log>" + b" " * 20_000_000, "bomb.xes.gz", pack=True)
    with pytest.raises(cx.DataError, match=r"bomb\.xes\.gz: unpacks to more than 250 times"):
        cx.read_xes(bomb)
    monkeypatch.setattr(xes, "LARGEST", 1000)
    with pytest.raises(cx.DataError, match="more than 0 MB of XML"):
        cx.read_xes(write(standard()))
    monkeypatch.setattr(xes, "LARGEST", 10**9)
    monkeypatch.setattr(xes, "MOST_COLUMNS", 5)
    with pytest.raises(cx.DataError, match=r"line \d+: more than 5 different attributes"):
        cx.read_xes(write(standard()))
