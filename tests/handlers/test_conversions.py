"""`gendan conversions`: the file, the answer, and what is said of a file that is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.errors import InvalidInput
from handlers.deals import conversions

MOVE = {
    "id": "e1",
    "at": "2026-03-02T09:00:00+08:00",
    "customer": "a",
    "from": "lead",
    "to": "opportunity",
    "by": "zhang3",
    "required_filled": 3,
}


def answer(file: Path, content: object) -> dict[str, object]:
    file.write_text(json.dumps(content), encoding="utf-8")
    said = json.loads(conversions.run(file))
    assert isinstance(said, dict)
    return said


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.json"


def test_a_file_gives_each_day_and_what_was_rejected(file: Path) -> None:
    events = [
        MOVE,
        {"id": "e2", "at": "2026-03-03T18:00:00Z", "merge": ["b", "a"], "by": "li4"},
        MOVE | {"id": "e3", "at": "2026-03-02T10:00:00+08:00"},
        MOVE | {"id": "e4", "customer": "新客户", "from": None, "to": "lead"},
        MOVE | {"id": "e5", "customer": "c", "required_filled": 2},
    ]
    initial = {"a": "lead", "b": "lead", "c": "lead", "d": "lost"}
    assert answer(file, {"initial": initial, "events": events}) == {
        "days": {
            "2026-03-02": {"numerator": 1, "denominator": 3, "rate": 0.333333},
            "2026-03-03": {"numerator": 0, "denominator": 2, "rate": 0.0},
            "2026-03-04": {"numerator": 0, "denominator": 2, "rate": 0.0},
        },
        "rejected": ["e5", "e3"],
    }


def test_no_lead_is_null(file: Path) -> None:
    won = MOVE | {"from": "opportunity", "to": "won"}
    said = answer(file, {"initial": {"a": "opportunity"}, "events": [won]})
    assert said["days"] == {"2026-03-02": {"numerator": 0, "denominator": 0, "rate": None}}


def test_a_byte_order_mark_is_no_mistake(file: Path) -> None:
    file.write_bytes(b'\xef\xbb\xbf{"initial": {}, "events": []}')
    assert json.loads(conversions.run(file)) == {"days": {}, "rejected": []}


@pytest.mark.parametrize("key", ["id", "at", "customer", "from", "to", "required_filled"])
def test_a_missing_key_is_named(file: Path, key: str) -> None:
    broken = {name: value for name, value in MOVE.items() if name != key}
    with pytest.raises(InvalidInput, match=rf"events\[1\]: {key}: .*missing"):
        answer(file, {"initial": {}, "events": [MOVE, broken]})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", None),
        ("id", True),
        ("id", 1.5),
        ("at", "2026-03-02T09:00:00"),
        ("at", "2026-03-02"),
        ("at", "2026-02-30T09:00:00+08:00"),
        ("at", "0001-01-01T00:00:00+14:00"),
        ("at", "9999-12-31T23:59:59-12:00"),
        ("at", "昨天"),
        ("at", 1772413200),
        ("customer", 7),
        ("from", "prospect"),
        ("from", ["lead"]),
        ("to", None),
        ("to", "LEAD"),
        ("required_filled", "3"),
        ("required_filled", 3.0),
        ("required_filled", True),
        ("required_filled", -1),
        ("merge", ["a"]),
        ("merge", "a"),
        ("merge", ["a", 1]),
    ],
)
def test_a_wrong_value_is_named_with_its_place(file: Path, key: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=rf"events\[0\]: {key}") as refused:
        answer(file, {"initial": {}, "events": [MOVE | {key: value}]})
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ([], "object"),
        ({"events": []}, "initial"),
        ({"initial": {}}, "events"),
        ({"initial": [], "events": []}, "initial"),
        ({"initial": {"恒锐机电": "prospect"}, "events": []}, "恒锐机电"),
        ({"initial": {}, "events": {}}, "events"),
        ({"initial": {}, "events": [7]}, r"events\[0\]"),
        ({"initial": {}, "events": ["x" * 5_000]}, r"events\[0\]"),
    ],
)
def test_a_wrong_shape_is_named(file: Path, content: object, place: str) -> None:
    with pytest.raises(InvalidInput, match=place) as refused:
        answer(file, content)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}'])
def test_what_is_no_json_is_said_so(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match="not JSON"):
        conversions.run(file)
