"""Boxes become lines in the order in which people read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from speech.ocr.rows import Box, lines_of


def box(left: float, top: float, text: str, confidence: float = 1.0) -> Box:
    return Box(left, top, top + 30, text, confidence)


def test_a_label_and_its_value_beside_it_are_one_line() -> None:
    found = lines_of([box(300, 102, "388,000.00", 0.8), box(100, 100, "合同总金额："),
                      box(100, 60, "买卖合同")], page=2)  # fmt: skip
    assert [line.text for line in found] == ["买卖合同", "合同总金额： 388,000.00"]
    assert [(line.confidence, line.page) for line in found] == [(1.0, 2), (0.8, 2)]


def test_nothing_found_is_no_line() -> None:
    assert lines_of([], page=1) == []


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 2000), st.integers(4, 90)), max_size=30)
)
def test_every_box_is_read_once(places: list[tuple[int, int, int]]) -> None:
    boxes = [
        Box(left, top, top + height, f"<{number}>", 0.9)
        for number, (left, top, height) in enumerate(places)
    ]
    read = "".join(line.text for line in lines_of(boxes, page=1))
    assert sorted(read.replace(" ", "").replace("><", "> <").split()) == sorted(
        one.text for one in boxes
    )
