"""Files as tables: what they hold, and what is said of files that do not fit."""

import pandas as pd
import pytest

import cxstats as cx
from cxstats.core import engines


@pytest.fixture
def folder(tmp_path):
    for i in range(3):
        frame = pd.DataFrame({"score": [9, 10, 3 + i], "branch": ["A", "B", "A"], "=x": 1.5})
        frame.to_parquet(tmp_path / f"part{i}.parquet")
        frame.to_csv(tmp_path / f"part{i}.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_files_of_a_pattern_are_one_table(folder, ending):
    table = cx.open_table(folder / f"*.{ending}")
    whole = pd.concat([pd.read_parquet(folder / f"part{i}.parquet") for i in range(3)])
    assert type(table).__name__ == "DuckDBPyRelation"
    wanted = cx.nps(whole, "branch", column="score").table
    pd.testing.assert_frame_equal(cx.nps(table, "branch", column="score").table, wanted)
    assert cx.moments(table, ["score"]).mean[0] == pytest.approx(whole["score"].mean(), rel=1e-14)
    assert cx.open_table(table, ["score"], collect=True)["score"].tolist() == list(whole["score"])


def test_paths_lists_and_folders(folder, tmp_path):
    one = folder / "part0.parquet"
    assert len(cx.open_table(str(one), collect=True)) == 3
    assert len(cx.open_table([one, folder / "part1.parquet"], collect=True)) == 6
    quoted = tmp_path / "it's a folder" / "deep"
    quoted.mkdir(parents=True)
    pd.DataFrame({"a": [1]}).to_parquet(quoted / "a.parquet")
    assert cx.open_table(quoted, collect=True)["a"].tolist() == [1]
    assert cx.open_table(tmp_path / "**" / "a.parquet", collect=True)["a"].tolist() == [1]


def test_names_no_spreadsheet_runs_and_names_that_need_quotes(tmp_path):
    frame = pd.DataFrame({"=1+1": [1, 2], 'a"b': [3, 4], "select": [5, 6], "x.y": [7, 9]})
    frame.to_parquet(tmp_path / "a.parquet")
    table = cx.open_table(tmp_path / "a.parquet")
    assert table.columns == ["'=1+1", 'a"b', "select", "x.y"]
    assert cx.moments(table).mean.tolist() == [1.5, 3.5, 5.5, 8.0]
    assert cx.open_table(table, ["x.y", 'a"b']).columns == ["x.y", 'a"b']


def test_types_of_csv_fit_every_file(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,\n2,\n")
    (tmp_path / "2.csv").write_text("a,b\n1.5,x\n,y\n")
    frame = cx.open_table(tmp_path / "*.csv", collect=True)
    assert frame["a"].sum() == 4.5
    assert frame["b"].dropna().tolist() == ["x", "y"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("other.parquet", {"score": [1]}, "other.parquet' has no column 'branch'"),
        ("other.parquet", {"score": ["x"], "branch": ["A"], "=x": [1.0]},
         "other.parquet': column 'score' holds VARCHAR, and BIGINT in .*; allowed: the same type"),
        ("other.parquet", {"score": [1], "branch": ["A"], "=x": [1.0], "more": [1]},
         "has no column 'more', which"),
    ],
)  # fmt: skip
def test_files_that_differ(folder, name, content, message):
    pd.DataFrame(content).to_parquet(folder / name)
    with pytest.raises(cx.DataError, match=message):
        cx.open_table([folder / "part0.parquet", folder / name])


def test_what_cannot_be_opened(folder, tmp_path):
    with pytest.raises(cx.DataError, match=r"none.*is no file, and no pattern of files; allowed:"):
        cx.open_table(tmp_path / "none*.parquet")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(cx.DataError, match=r"empty.*holds no such file"):
        cx.open_table(empty)
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(cx.DataError, match=r"a\.txt.*is of another kind; allowed: files that end"):
        cx.open_table(tmp_path / "a.txt")
    with pytest.raises(cx.DataError, match="6 files are of several kinds"):
        cx.open_table(folder)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(cx.DataError, match=r"broken\.parquet.*cannot be read"):
        cx.open_table(tmp_path / "broken.parquet")
    with pytest.raises(cx.DataError, match=r"column 'scor' is not in the table.*score"):
        cx.open_table(folder / "part0.parquet", ["scor"])
    with pytest.raises(cx.DataError, match="type 'int' cannot be read"):
        cx.open_table(3)
    with pytest.raises(cx.CxError, match="collect='yes'; allowed: True, False"):
        cx.open_table(folder / "part0.parquet", collect="yes")


def test_rows_leave_an_engine_only_when_asked_for(folder, monkeypatch):
    monkeypatch.setattr(engines, "MOST_ROWS", 8)
    table = cx.open_table(folder / "*.parquet")
    message = r"duckdb has 9; without being asked, at most 8 rows .*open_table\(table, columns=.*"
    with pytest.raises(cx.DataError, match=message):
        cx.check(table, {"scale": (1, 10), "constructs": {"A": ["score"]}})
    fetched = cx.open_table(table, ["score", "branch"], collect=True)
    assert isinstance(fetched, pd.DataFrame)
    assert fetched.shape == (9, 2)
    assert cx.nps(table, column="score").table["n"].tolist() == [9]  # sums leave, rows do not
    monkeypatch.setattr(engines, "MOST_ROWS", 9)
    cx.check(table, {"scale": (1, 10), "constructs": {"A": ["score"]}})
