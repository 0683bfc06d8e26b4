"""Sums of money as people read them, and as evidence packs have them."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.payouts import readable
from handlers.texts.money import amount_words, signed, typeset, yuan


@pytest.mark.parametrize(
    ("fen", "exact", "with_sign", "short"),
    [
        (12_345_678, "123,456.78元", "+123,456.78元", "123,456.78元"),
        (38_800_000, "388,000.00元", "+388,000.00元", "38.8万元"),
        (0, "0.00元", "0.00元", "0元"),
        (-15_000, "−150.00元", "−150.00元", "−150元"),
        (-10_500_000, "−105,000.00元", "−105,000.00元", "−10.5万元"),
    ],
)
def test_a_sum_has_a_minus_and_no_hyphen(fen: int, exact: str, with_sign: str, short: str) -> None:
    assert (yuan(fen), signed(fen), amount_words(fen)) == (exact, with_sign, short)


@pytest.mark.parametrize(
    ("sealed", "shown"),
    [
        ("此前已计 200.00元，本次计 -150.00元", "此前已计 200.00元，本次计 −150.00元"),
        ("HT-2026-018 收 5元，2026-01-05元旦", "HT-2026-018 收 5元，2026-01-05元旦"),
        ("20-30万元", "20-30万元"),
    ],
)
def test_only_the_hyphen_of_a_sum_becomes_a_minus(sealed: str, shown: str) -> None:
    assert typeset(sealed) == shown


def test_the_page_of_an_evidence_pack_stays_as_it_was_sealed() -> None:
    """Whoever checks a pack has it written anew and compared letter by letter."""
    line = {"deal": "HT-2026-018", "kind": "commission", "fen": -15_000, "why": "本次计 -150.00元"}
    nothing: dict[str, Any] = dict.fromkeys(
        ("words.json", "collaboration.json", "papers.json", "steps.json", "attachments.json"), ()
    )
    result = {"total_fen": -15_000, "lines": [line], "needs_review": []}
    pack = {**nothing, "result.json": result, "facts.json": {"deals": [], "events": []}}
    told = [f"{one.text} {one.right}" for one in readable.blocks(pack, person="张伟", previous="")]
    assert any("-150.00元" in words for words in told)
    assert not any("−" in words for words in told)
