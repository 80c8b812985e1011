"""Writing: what stands at a path is whole, before and after, whatever happens between."""

import resource
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, WriteError
from cxstats.core.files import write_text_whole, write_whole
from tests.core.test_export import Listing

ENDINGS = (".xlsx", ".csv", ".docx", ".html", ".tex")


@contextmanager
def no_room(size=1_000):
    """Files cannot grow beyond `size` bytes: the disk is full, for whoever writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_what_was_there(tmp_path):
    path = write_text_whole(tmp_path / "a.txt", "old")
    with no_room(), pytest.raises(WriteError, match=r"a\.txt: cannot be written: File too large"):
        write_text_whole(path, "new" * 1_000)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_export_that_has_no_room_leaves_the_old_one(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"old")
    # Text that cannot be packed small.
    words = [f"{i * 7919 % 100_003:x}{i * i:x}" for i in range(2_000)]
    result = Listing(pd.DataFrame({"text": words}))
    with no_room(), pytest.raises(WriteError, match=rf"a\{ending}: cannot be written"):
        result.export(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_codebook_that_has_no_room_leaves_the_old_one(tmp_path):
    book = cx.Codebook((1, 7), {"A": [f"item_{i}" for i in range(500)]})
    path = tmp_path / "book.yml"
    book.write(path)
    before = path.read_bytes()
    with no_room(), pytest.raises(CxError, match=r"book\.yml: cannot be written"):
        book.write(path)
    assert path.read_bytes() == before


def test_an_error_of_the_writer_leaves_what_was_there(tmp_path):
    path = write_text_whole(tmp_path / "a.txt", "old")

    def write(file):
        file.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("now", ["edited", None])
def test_what_was_changed_or_removed_meanwhile_is_left(tmp_path, now):
    path = tmp_path / "a.txt"
    if now:
        path.write_text(now)
    with pytest.raises(WriteError, match=r"a\.txt: changed meanwhile"):
        write_whole(path, lambda file: file.write_text("new"), replaces=b"as read")
    assert (path.read_text() if path.exists() else None) == now
    assert len(list(tmp_path.iterdir())) == bool(now)


def test_links_and_modes_stay(tmp_path):
    path, link = tmp_path / "a.txt", tmp_path / "link.txt"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_text_whole(link, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    assert link.is_symlink()


def test_a_new_file_has_the_usual_mode(tmp_path):
    (tmp_path / "usual.txt").touch()
    usual = (tmp_path / "usual.txt").stat().st_mode
    assert write_text_whole(tmp_path / "new.txt", "x").stat().st_mode == usual


def test_a_device_is_written_and_stays_one():
    write_text_whole("/dev/null", "x")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(WriteError, match="/dev/full: cannot be written: No space left on device"):
        write_text_whole("/dev/full", "x" * 100_000)


def test_a_folder_is_named(tmp_path):
    with pytest.raises(WriteError, match="cannot be written: Is a directory"):
        write_text_whole(tmp_path, "x")
    with pytest.raises(WriteError, match=r"nowhere/a\.txt: cannot be written: No such file"):
        write_text_whole(tmp_path / "nowhere" / "a.txt", "x")
