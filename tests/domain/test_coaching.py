"""Which tracks are chosen, and why; how results move them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.coaching import (
    Past,
    Situation,
    Tally,
    Why,
    answering,
    buying_of,
    choose,
    phase_of,
    size_of,
    strength,
)
from bot.domain.tracks import Buying, Phase, Size, Track, industry_of, read, read_rows, to_row
from config.coaching import load_tracks

TRACKS = load_tracks()
EARLY = Situation("manufacturing", Phase.EARLY)
PRICE = Situation("manufacturing", Phase.MIDDLE, objections=("price_high",))

tallies = st.builds(Tally, *[st.integers(0, 20)] * 4)
situations = st.builds(
    Situation,
    industry=st.sampled_from(sorted({track.industry for track in TRACKS})),
    phase=st.sampled_from(Phase),
    buying=st.sampled_from(Buying),
    size=st.sampled_from([None, *Size]),
    objections=st.lists(
        st.sampled_from(["price_high", "budget", "timing"]), unique=True, max_size=2
    ).map(tuple),
)


def chance(seed: int = 1) -> random.Random:
    return random.Random(seed)


def plain(code: str, **more: object) -> Track:
    track = Track(code=code, title=code, opening="开", question="问", proof="证", next_step="步")
    return replace(track, **more)  # type: ignore[arg-type]


@given(situations, st.integers(), st.dictionaries(st.sampled_from(TRACKS), tallies, max_size=5))
def test_three_that_fit_are_chosen_with_reasons_and_the_same_seed_repeats_it(
    situation: Situation, seed: int, told: dict[Track, Tally]
) -> None:
    evidence = {(track.code, situation.segment): tally for track, tally in told.items()}
    chosen = choose(TRACKS, situation, evidence, Past(), chance(seed))
    assert chosen == choose(TRACKS[::-1], situation, evidence, Past(), chance(seed))
    assert len({choice.track.code for choice in chosen}) == 3
    for choice in chosen:
        assert choice.track.industry == situation.industry
        assert choice.why


@given(situations, st.integers(0, 1000))
def test_every_track_that_fits_has_its_turn(situation: Situation, seed: int) -> None:
    """Nobody sees the same three for ever, however they press."""
    times: dict[str, int] = {}
    last: frozenset[str] = frozenset()
    source = chance(seed)
    for _ in range(60):
        chosen = choose(TRACKS, situation, {}, Past(times, last=last), source)
        shown = frozenset(choice.track.code for choice in chosen)
        assert len(shown & last) <= max(0, 6 - _fitting(situation))
        last = shown
        times = {code: times.get(code, 0) + (code in shown) for code in {*times, *shown}}
    assert len(times) == _fitting(situation)


def _fitting(situation: Situation) -> int:
    return len(choose(TRACKS, situation, {}, Past(), chance(), count=len(TRACKS)))


def test_an_objection_in_play_goes_before_everything_else() -> None:
    for seed in range(50):
        chosen = choose(TRACKS, PRICE, {}, Past(), chance(seed))
        serving = [choice for choice in chosen if Why.OBJECTION in choice.why]
        assert serving
        assert "price_high" in serving[0].track.objections


@given(situations)
def test_those_that_answer_an_objection_in_play_share_one_with_it(situation: Situation) -> None:
    held = set(situation.objections)
    assert answering(TRACKS, situation) == [one for one in TRACKS if held & set(one.objections)]


def test_a_track_for_another_industry_size_or_buyer_is_not_offered() -> None:
    tracks = [
        plain("A1", industry="saas"),
        plain("A2", sizes=(Size.SMALL,)),
        plain("A3", buying=(Buying.KEY,)),
        plain("A4"),
    ]
    situation = replace(EARLY, size=Size.LARGE)
    assert [c.track.code for c in choose(tracks, situation, {}, Past(), chance())] == ["A4"]
    unknown = {c.track.code for c in choose(tracks, EARLY, {}, Past(), chance())}
    assert unknown == {"A2", "A4"}  # an unknown size speaks against nobody


@given(tallies, st.integers(1, 5))
def test_unfit_lowers_and_used_or_won_raises_what_is_expected_of_a_track(
    tally: Tally, more: int
) -> None:
    def expected(told: Tally) -> float:
        gain, loss = strength("M01", PRICE.segment, {("M01", PRICE.segment): told})
        return gain / (gain + loss)

    assert expected(replace(tally, unfit=tally.unfit + more)) < expected(tally)
    assert expected(replace(tally, used=tally.used + more)) > expected(tally)
    assert expected(tally.plus(Tally(won=more))) >= expected(tally.plus(Tally(used=more)))
    assert expected(tally.plus(Tally(lost=more))) <= expected(tally.plus(Tally(used=more)))


def test_a_track_found_unfit_again_and_again_sinks_in_its_segment_and_lives_in_another() -> None:
    tracks = [plain(code, industry="manufacturing") for code in ("A1", "A2", "A3", "A4")]
    sunk = {("A1", EARLY.segment): Tally(unfit=30)}
    elsewhere = Situation("saas", Phase.EARLY)
    general = [replace(track, industry="") for track in tracks]

    def shown(situation: Situation, library: list[Track]) -> int:
        chosen = [choose(library, situation, sunk, Past(), chance(seed)) for seed in range(200)]
        return sum("A1" in [choice.track.code for choice in choices] for choices in chosen)

    assert shown(EARLY, tracks) < 10
    assert shown(elsewhere, general) > 100


def test_results_of_other_segments_weigh_a_quarter_and_of_other_industries_nothing() -> None:
    small = replace(EARLY, size=Size.SMALL).segment
    assert strength("A1", EARLY.segment, {("A1", small): Tally(won=4)}) == (4.0, 1.0)
    assert strength("A1", EARLY.segment, {("A1", "saas/unknown/new"): Tally(won=4)}) == (1, 1)


def test_what_was_unfit_for_this_customer_comes_only_when_nothing_else_is_left() -> None:
    tracks = [plain(code) for code in ("A1", "A2", "A3")]
    past = Past(unfit=frozenset({"A1"}), last=frozenset({"A2"}))
    chosen = choose(tracks, EARLY, {("A1", EARLY.segment): Tally(won=50)}, past, chance())
    assert [choice.track.code for choice in chosen] == ["A3", "A2", "A1"]


@pytest.mark.parametrize(
    ("place", "stages", "phase"),
    [
        (-1, 6, Phase.EARLY),
        (0, 6, Phase.EARLY),
        (1, 6, Phase.EARLY),
        (2, 6, Phase.MIDDLE),
        (4, 6, Phase.LATE),
        (5, 6, Phase.LATE),
        (0, 1, Phase.EARLY),
        (0, 0, Phase.EARLY),
        (3, 4, Phase.LATE),
    ],
)
def test_phases_are_thirds_of_the_way(place: int, stages: int, phase: Phase) -> None:
    assert phase_of(place, stages) is phase


def test_size_and_purchases_are_banded() -> None:
    assert [size_of(n) for n in (None, 99, 100, 999, 1000)] == [
        None, Size.SMALL, Size.MIDDLE, Size.MIDDLE, Size.LARGE,
    ]  # fmt: skip
    assert buying_of(None, 0) is Buying.NEW
    assert buying_of(None, 1) is Buying.REGULAR
    assert buying_of(99_999_999, 0) is Buying.REGULAR
    assert buying_of(100_000_000, 0) is Buying.KEY


@pytest.mark.parametrize(
    ("words", "industry"),
    [
        ("机械制造", "manufacturing"),
        ("医疗器械", "medical"),
        ("食品饮料", "fmcg"),
        ("连锁零售", "retail"),
        ("SaaS", "saas"),
        ("", None),
        ("航天", None),
    ],
)
def test_a_customers_industry_is_recognised(words: str, industry: str | None) -> None:
    assert industry_of(words) == industry


def test_what_comes_with_gendan_is_enough_for_each_industry_and_reads_back() -> None:
    by_industry = {track.industry for track in TRACKS}
    assert len(by_industry) == 7
    assert sum(track.industry == "manufacturing" for track in TRACKS) >= 12
    for industry in by_industry:
        assert sum(track.industry == industry for track in TRACKS) >= 5
    assert [read(to_row(track)) for track in TRACKS] == list(TRACKS)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"code": "7"}, "编号「7」应为一两个字母加数字，例如 M01"),
        ({"title": "长" * 19}, "「标题」超过18个字"),
        ({"objections": "太贵"}, "「异议」里没有「太贵」"),
        ({"phases": ["收尾"]}, "「阶段」里没有「收尾」，应为：前期、中期、后期"),
        ({"link": "ftp://x"}, "「材料」应为 http 或 https 开头的链接"),
        ({"opening": " "}, "缺「开场」"),
        ({"color": "red"}, "没有「color」这一项"),
    ],
)
def test_a_wrong_track_is_refused_with_its_line_and_reason(
    change: dict[str, object], reason: str
) -> None:
    good = to_row(plain("A1"))
    tracks, mistakes = read_rows([good, {**good, "code": "A2", **change}], [1, 9])
    assert [track.code for track in tracks] == ["A1"]
    assert [(one.line, one.reason[: len(reason)]) for one in mistakes] == [(9, reason)]
