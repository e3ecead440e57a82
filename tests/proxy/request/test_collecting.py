"""Collecting content, without sockets: how much, how long, and at whose expense."""

from __future__ import annotations

import asyncio

import pytest

from corsproxy.proxy.request import collecting
from corsproxy.proxy.request.collecting import MOST, SMALL, Budget, Collection


class Pieces:
    """Content that comes in these pieces, then never again."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self._ends = bool(pieces) and pieces[-1] == b""

    def is_eof(self) -> bool:
        """Return whether all content has arrived."""
        return self._ends and self._pieces == [b""]

    async def read(self) -> bytes:
        """Return the next piece, or wait for ever."""
        if not self._pieces:
            await asyncio.get_running_loop().create_future()
        return self._pieces.pop(0)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "PATIENCE", 0.01)


@pytest.mark.parametrize(
    ("announced", "pieces", "size"),
    [
        pytest.param(10, (b"hello", b"world", b""), 10, id="small content, as a whole"),
        pytest.param(SMALL, (b"x" * 40_000, b"y" * (SMALL - 40_000), b""), SMALL, id="the most that is small"),
        pytest.param(SMALL + 1, (b"x" * SMALL, b"y"), SMALL, id="the beginning of longer content"),
        pytest.param(SMALL + 1, (b"x",), 1, id="what has come of longer content when patience ends"),
        pytest.param(SMALL + 1, (), 0, id="longer content of which nothing comes"),
    ],
)
async def test_how_much_is_collected(announced: int, pieces: tuple[bytes, ...], size: int) -> None:
    """Small content whole, the beginning of more; and all of it is accounted for."""
    budget = Budget()
    collection = Collection(budget)
    content = Pieces(*pieces)
    await collection.fill(content, announced, content.read, lambda: True)
    assert (collection.size, budget.collected) == (size, size)
    assert b"".join(collection.take()) == b"".join(pieces)[:size]
    assert (collection.size, budget.collected, collection.take()) == (0, 0, [])


async def test_more_than_the_budget_streams() -> None:
    """Nothing is waited for once a worker has collected enough."""
    budget = Budget()
    budget.collected = MOST
    collection = Collection(budget)
    await asyncio.wait_for(collection.fill(Pieces(), 10, Pieces(b"a").read, lambda: False), 1)
    assert collection.size == 0


async def test_patience_is_asked_for_again() -> None:
    """Where slow content may not begin yet, it goes on being collected."""
    answers = [False, False, True]
    collection = Collection(Budget())
    content = Pieces(b"x")
    await collection.fill(content, SMALL + 1, content.read, lambda: answers.pop(0))
    assert (collection.size, answers) == (1, [])
