"""What a browser carries to its platform and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.page_sessions import is_own_path
from bot.domain.sign_in import Errand, read_errand

NOON = datetime(2026, 1, 28, 4, 0, tzinfo=UTC)
PATHS = st.text(st.characters(exclude_characters="\\", exclude_categories=["Cs"]), max_size=200)


@given(PATHS.map(lambda words: f"/{words}").filter(is_own_path))
def test_an_errand_comes_back_as_it_set_out(path: str) -> None:
    errand = Errand("s3cret-_", path, NOON)
    assert read_errand(errand.carried) == errand
    assert errand.state.isalnum()
    assert len(errand.state) == 64


@given(PATHS, PATHS)
def test_whoever_wants_elsewhere_or_longer_has_another_state(one: str, other: str) -> None:
    first, second = Errand("s", f"/{one}", NOON), Errand("s", f"/{other}", NOON)
    assert (first.state == second.state) == (one == other)
    assert first.state != Errand("s", f"/{one}", NOON + timedelta(seconds=1)).state
    assert first.state != Errand("t", f"/{one}", NOON).state


@pytest.mark.parametrize(
    "path", ["//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", ""]
)
def test_nothing_leads_elsewhere(path: str) -> None:
    assert read_errand(Errand("s", path, NOON).carried) is None


@pytest.mark.parametrize(
    "carried", ["", ".", "..", "s.x.Lw", "s.1.%%", "s.99999999999999999999.Lw", ".1.Lw", "s.1.Lw=="]
)
def test_what_is_no_errand_is_none(carried: str) -> None:
    assert read_errand(carried) is None


@given(st.text(max_size=80))
def test_no_text_breaks_it_or_leads_elsewhere(carried: str) -> None:
    errand = read_errand(carried)
    assert errand is None or is_own_path(errand.path)


def test_it_is_open_until_its_end() -> None:
    errand = Errand("s", "/", NOON)
    assert errand.is_open(NOON - timedelta(seconds=1))
    assert not errand.is_open(NOON)
