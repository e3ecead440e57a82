"""A number of places, each given back once."""

from __future__ import annotations

from corsproxy.proxy.upstream.places import Places


def test_there_are_as_many_places_as_there_are() -> None:
    """One more is not to be had until one is given back."""
    places = Places(2)
    first, second = places.take(), places.take()
    assert first is not None
    assert second is not None
    assert places.take() is None
    second.give_back()
    assert places.take() is not None
    assert places.take() is None


def test_a_place_given_back_twice_is_one_place() -> None:
    """A second call does nothing, even if another request has the place by then."""
    places = Places(1)
    place = places.take()
    assert place is not None
    place.give_back()
    assert places.take() is not None
    place.give_back()
    assert places.taken == 1
    assert places.take() is None


def test_a_place_is_held_as_long_as_its_block_lasts() -> None:
    """It is given back behind it."""
    places = Places(1)
    place = places.take()
    assert place is not None
    with place:
        assert places.taken == 1
    assert places.taken == 0
