"""Words that sound alike to many speakers have one sound."""

from __future__ import annotations

import pytest

from benchmarks.understanding.sounds import syllables
from handlers.understanding.sounds import FILE, sound_of


@pytest.mark.parametrize(
    ("one", "other"), [("恒锐", "横瑞"), ("栖霞", "七下"), ("岑溪", "陈西"), ("兰宁", "南林")]
)
def test_what_dictation_mixes_up_sounds_the_same(one: str, other: str) -> None:
    assert sound_of(one) == sound_of(other)


def test_what_has_no_reading_stands_for_itself() -> None:
    assert sound_of("a1,〓") == "a1,〓"


def test_the_file_says_what_the_library_says() -> None:
    lines = FILE.read_text("utf-8").splitlines()
    assert [tuple(line.split(" ")) for line in lines] == list(syllables().items())
