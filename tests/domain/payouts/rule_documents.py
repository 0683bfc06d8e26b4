"""Rules as hypothesis invents them: everything that the schema allows."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

LARGE = 10**15
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12
).filter(lambda text: bool(text.strip()))
INTS = st.one_of(st.sampled_from([-1, 0, 1, 2, 9_500]), st.integers(-LARGE, LARGE))
SCALARS = st.one_of(TEXTS, INTS, st.booleans(), st.none())
OTHER_FIELDS = st.one_of(
    st.sampled_from(["kind", "industry", "客户 行业", 'a"b', "a'b", "$", "deal", "null"]), TEXTS
)
NUMERIC = st.sampled_from(["contract_fen", "paid_fen", "paid_ratio_bp"])
ORDERED = st.sampled_from([">=", ">", "<=", "<"])
EQUAL = st.sampled_from(["==", "!="])
BP = st.integers(0, 10_000)
FEN = st.integers(0, LARGE)


def _made(field: Any, op: Any, value: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"field": field, "op": op, "value": value})


CONDITIONS = st.one_of(
    _made(NUMERIC, st.one_of(ORDERED, EQUAL), INTS),
    _made(NUMERIC, st.just("in"), st.lists(INTS, min_size=1, max_size=3)),
    _made(OTHER_FIELDS, ORDERED, INTS),
    _made(OTHER_FIELDS, EQUAL, SCALARS),
    _made(OTHER_FIELDS, st.just("in"), st.lists(SCALARS, min_size=1, max_size=3)),
)


@st.composite
def tiers(draw: st.DrawFn) -> list[dict[str, int]]:
    starts = [0, *sorted(draw(st.sets(st.integers(1, LARGE), max_size=3)))]
    rows = [{"from_fen": start, "rate_bp": draw(BP)} for start in starts]
    for row, following in zip(rows, starts[1:], strict=False):
        if draw(st.booleans()):
            row["to_fen"] = following
    return rows


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    mode = draw(st.sampled_from(["flat", "marginal", "whole", "fixed", "cap"]))
    own: dict[str, Any] = {
        "flat": {"rate_bp": draw(BP)},
        "fixed": {"amount_fen": draw(FEN)},
        "cap": {"cap_fen": draw(FEN)},
    }.get(mode) or {"tiers": draw(tiers())}
    rule = {
        "id": draw(TEXTS),
        "version": draw(st.integers(0, 99)),
        "effective_from": draw(st.dates()).isoformat(),
        "mode": mode,
        "base": draw(st.sampled_from(["contract_fen", "paid_fen"])),
        **own,
    }
    extras: dict[str, Any] = {
        "when": draw(st.lists(CONDITIONS, max_size=4)),
        "effective_to": None,
        "fund_bp": draw(BP),
        "supersedes": draw(st.integers(0, 99)),
        "legal_approval": draw(TEXTS),
        "collab": {
            "when": "kind==upsell and closer!=original_seller",
            "share_bp": draw(BP),
            "to": "lead_provider",
        },
        "penalty": {"per_complaint_fen": draw(FEN), "floor_fen": draw(FEN)},
    }
    rule |= {key: value for key, value in extras.items() if draw(st.booleans())}
    if mode != "cap" and draw(st.booleans()):
        rule["scope"] = draw(st.sampled_from(["deal", "rep_month"]))
    if draw(st.booleans()):
        rule |= {"stack": "exclusive", "group": draw(TEXTS), "priority": draw(INTS)}
    return rule
