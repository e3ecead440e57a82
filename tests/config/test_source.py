"""The configuration file as text: missing, unreadable, endless, a pipe, not text."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from corsproxy.config import MAX_BYTES, ConfigError, Problem, load_file
from tests.config.files import MINIMAL

NOBODY = 65534


def problem(path: object) -> Problem:
    """Return the one problem of a file."""
    with pytest.raises(ConfigError) as error:
        load_file(str(path), {})
    (found,) = error.value.problems
    return found


def test_a_file_that_is_not_there_is_a_problem_without_a_line(tmp_path: Path) -> None:
    """A missing file is a problem without a line."""
    found = problem(tmp_path / "none.yaml")
    assert (found.line, found.column, found.severity, found.reason) == (0, 0, "error", "missing")
    assert found.message == "missing file: 'corsproxy init' writes a starter file"


def test_a_directory_is_no_configuration(tmp_path: Path) -> None:
    """A directory is no configuration."""
    found = problem(tmp_path)
    assert (found.line, found.reason) == (0, "unreadable")
    assert found.message == "unreadable file: it is a directory; name a file in it"


def test_bytes_that_are_not_utf_8_are_reported_with_their_line(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are reported with their line."""
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"# first\n# caf\xe9\n" + MINIMAL.encode())
    found = problem(file)
    assert (found.line, found.column, found.severity, found.reason) == (2, 6, "error", "invalid")
    assert (found.file, found.path) == (str(file), "")
    assert found.message == "invalid byte 0xE9: the file is not UTF-8; save it as UTF-8"


@pytest.mark.parametrize(
    ("content", "line", "column"), [(b"\xff", 1, 1), (b"\n\xff", 2, 1), (b"a\xff\n\xfe", 1, 2), (b"\n\n ab\x80", 3, 4)]
)
def test_the_place_of_a_byte_counts_from_one(tmp_path: Path, content: bytes, line: int, column: int) -> None:
    """In the first line too."""
    file = tmp_path / "bytes.yaml"
    file.write_bytes(content)
    assert (problem(file).line, problem(file).column) == (line, column)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """A huge file is refused unread."""
    file = tmp_path / "huge.yaml"
    with file.open("wb") as opened:
        opened.truncate(1024**3)  # sparse: a gigabyte of nothing
    found = problem(file)
    assert (found.line, found.column, found.severity, found.reason) == (0, 0, "error", "invalid")
    assert found.message == "invalid size: more than 4194304 bytes are no configuration"


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """A byte order mark is no mistake."""
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load_file(str(file), {}).warnings == ()


@pytest.mark.parametrize("extra", [0, 1])
def test_the_largest_file_is_read_to_its_end(tmp_path: Path, extra: int) -> None:
    """One byte more is too much."""
    file = tmp_path / "large.yaml"
    file.write_bytes(MINIMAL.encode().ljust(MAX_BYTES + extra - 1, b"#") + b"\n")
    if extra:
        assert "are no configuration" in problem(file).message
    else:
        assert load_file(str(file), {}).warnings == ()


def test_a_file_that_does_not_end_is_refused() -> None:
    """A device instead of a file is reported, and not read for ever."""
    assert "are no configuration" in problem("/dev/zero").message


@pytest.mark.parametrize("name", ["none.yaml/x", "a" * 300, "no\0name"])
def test_any_error_of_the_system_about_a_name_is_a_problem(tmp_path: Path, name: str) -> None:
    """A file as a directory, a name that is too long, one that no file can have."""
    (tmp_path / "none.yaml").touch()
    found = problem(tmp_path / name)
    assert (found.line, found.reason) == (0, "unreadable")
    assert found.message.startswith("unreadable file: ")


def test_a_file_that_we_may_not_read_names_the_user_who_should(tmp_path: Path) -> None:
    """In a container it is rarely the one that the reader of the message is."""
    file = tmp_path / "secret.yaml"
    file.write_text(MINIMAL, encoding="utf-8")
    file.chmod(0o000)
    us = os.geteuid()
    if us == 0:  # whom nothing is forbidden
        os.seteuid(NOBODY)
    try:
        found = problem(file)
    finally:
        os.seteuid(us)
    assert f"permission denied for user {us or NOBODY}, the user of corsproxy" in found.message


def test_a_pipe_is_read_to_its_end_however_it_comes() -> None:
    """A pipe like that of a shell's `<(generate)`, written in pieces."""
    ours, theirs = os.pipe()

    def write() -> None:
        for byte in MINIMAL.encode():
            os.write(theirs, bytes([byte]))
        os.close(theirs)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert load_file(f"/dev/fd/{ours}", {}).text == MINIMAL
    finally:
        writer.join()
        os.close(ours)


def test_a_named_pipe_waits_for_its_writer(tmp_path: Path) -> None:
    """Its other end is opened when a reader arrives."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(MINIMAL,))
    writer.start()
    assert load_file(str(pipe), {}).text == MINIMAL
    writer.join()


def test_a_pipe_that_nobody_writes_to_is_a_problem(tmp_path: Path) -> None:
    """A named pipe without another end would be waited for without an end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert problem(pipe).message == "unreadable file: it is a pipe without a writer; name a file"


def test_a_pipe_that_was_closed_is_an_empty_file() -> None:
    """Its writer has closed it without writing."""
    ours, theirs = os.pipe()
    os.close(theirs)
    try:
        assert problem(f"/dev/fd/{ours}").message.startswith("missing configuration: the file is empty")
    finally:
        os.close(ours)


def test_a_name_is_shown_on_one_line() -> None:
    """Whatever is in it."""
    assert str(problem("no\nsuch\x1b[2J\udcff")) == (
        r"no\nsuch\x1b[2J\udcff: missing file: 'corsproxy init' writes a starter file"
    )
