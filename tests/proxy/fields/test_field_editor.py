"""What a configuration sets and removes, on finished heads and trailer fields."""

from __future__ import annotations

import pytest

from corsproxy.proxy.fields.connection_options import named_fields, names_fields
from corsproxy.proxy.fields.edits import FieldEditor
from corsproxy.settings import FieldEdits

EDITS = FieldEdits((("X-Api-Key", "sécret"), ("X_Old", "a")), ("X-Debug", "y-z"))


def editor(*, folds: bool) -> FieldEditor:
    """Return the editor of the edits above."""
    made = FieldEditor.compile(EDITS, folds=folds)
    assert made is not None
    return made


def test_nothing_to_edit() -> None:
    """Then there is no editor, whose work would be done for every message."""
    assert FieldEditor.compile(FieldEdits(), folds=True) is None
    assert FieldEditor.compile(FieldEdits((), ("X-A",)), folds=True) is not None
    assert FieldEditor.compile(FieldEdits((("X-A", ""),)), folds=True) is not None


@pytest.mark.parametrize(
    ("name", "plain", "folded"),
    [
        (b"X-Api-Key", True, True),
        (b"x-API-key", True, True),
        (b"X_Api_Key", False, True),
        (b"x_api-key", False, True),
        (b"X_Old", True, True),
        (b"X-Old", False, True),
        (b"X-Debug", True, True),
        (b"X_DEBUG", False, True),
        (b"Y-Z", True, True),
        (b"Y_Z", False, True),
        (b"X-Api-Key2", False, False),
        (b"X-Api", False, False),
        (b"Forwarded", False, False),
        (b"XApiKey", False, False),
        (b"", False, False),
    ],
)
def test_which_fields_are_edited(name: bytes, plain: bool, folded: bool) -> None:
    """In any letter case; where a server reads them, with underscores too."""
    assert editor(folds=False).edits(name) is plain
    assert editor(folds=True).edits(name) is folded


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x_forwarded_host", "X-Forwarded-Port", "X-FORWARDED-PROTO"])
@pytest.mark.parametrize("is_set", [True, False])
def test_forwarded_goes_with_what_it_repeats(name: str, is_set: bool) -> None:
    """A server that believes Forwarded first would not see the edit; a response's Forwarded is nobody's business."""
    edits = FieldEdits(((name, "a"),) if is_set else (), () if is_set else (name,))
    for folds in (True, False):
        made = FieldEditor.compile(edits, folds=folds)
        assert made is not None
        assert made.edits(b"Forwarded") is folds
        assert not made.edits(b"X-Forwarded-By")


def test_what_is_written_and_what_stays() -> None:
    """Set fields in order, as spelt; of the others the lines and pairs that are not edited."""
    made = editor(folds=False)
    assert made.block == "X-Api-Key: sécret\r\nX_Old: a\r\n".encode()
    assert made.set_names == (b"X-Api-Key", b"X_Old")
    assert made.kept(b"Via: a\r\nx-debug: X-A\r\nX-A: X-Debug\r\n") == b"Via: a\r\nX-A: X-Debug\r\n"
    assert made.kept(b"") == b""
    assert made.kept_pairs([(b"X-A", b"X-Debug"), (b"x-debug", b"b")]) == [(b"X-A", b"X-Debug")]


def test_a_set_value_is_shown_nowhere() -> None:
    """It may be a credential."""
    assert "cret" not in repr(editor(folds=True))


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        *((value, False) for value in (b"", b"close", b"Close", b"Keep-Alive", b"TE", b"upgrade")),
        *((value, True) for value in (b"X-A", b"close, X-A", b"keep-alive, upgrade", b"closed")),
    ],
)
def test_connection_may_name_fields(value: bytes, answer: bool) -> None:
    """A list may, whatever it holds; the usual single words do not."""
    assert names_fields(value) is answer


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((b"X-A",), {b"x-a"}),
        ((b" X-A ,\tx-b,", b"X-C"), {b"x-a", b"x-b", b"x-c"}),
        ((b"close, Keep-Alive, te, Upgrade, ",), set()),
        ((b"Host, X-A",), {b"x-a"}),
        ((), set()),
    ],
)
def test_which_fields_connection_names(values: tuple[bytes, ...], named: set[bytes]) -> None:
    """All lines count, in lower case; less what is dealt with by name, and what is protected."""
    assert named_fields(values, frozenset({b"host"})) == named
