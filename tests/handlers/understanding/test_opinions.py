"""What the reader only supposes: a guess by likeness, never sure enough to be stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain.activities import Intent, Record
from bot.domain.policy import DraftPolicy

Read = Callable[[str], tuple[Record, ...]]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("爆单！栖霞阀业 52万", Intent.LOG_WIN),
        ("栖霞阀业的培训做完了，一下午，照片在附件", Intent.LOG_VISIT),
        ("栖霞阀业打包价21万给出去了", Intent.LOG_QUOTE),
        ("下星期三下午2点 栖霞阀业 带样衣机过去演示", Intent.BOOK_VISIT),
        ("栖霞阀业：节前不签了，春节后再议。通话7分半", Intent.LOG_CALL),
    ],
)
def test_what_only_reads_alike_is_guessed_and_asked_about(
    text: str, intent: Intent, read: Read
) -> None:
    (record,) = read(text)
    assert record.intent is intent
    assert record.confidence["intent"] < DraftPolicy().min_confidence


@pytest.mark.parametrize("text", ["月亮好圆", "这歌真好听", "zzz", "嗷嗷嗷", "打印机没墨了"])
def test_small_talk_is_not_guessed_into_a_record(text: str, read: Read) -> None:
    assert [record.intent for record in read(text)] == [Intent.CHITCHAT]


def test_a_figure_with_a_rival_is_less_sure_than_one_alone(read: Read) -> None:
    (alone,) = read("给栖霞阀业报了15万8")
    (several,) = read("给栖霞阀业设备报8万，安装报1万2")
    assert alone.confidence["amount_fen"] > several.confidence["amount_fen"]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("栖霞阀业赢单了", Intent.LOG_WIN),
        ("栖霞阀业丢单了", Intent.LOG_LOSS),
        ("栖霞阀业门口的桂花开了", Intent.CHITCHAT),
    ],
)
def test_won_and_lost_are_told_apart_by_their_words(text: str, intent: Intent, read: Read) -> None:
    """赢单 and 丢单 read alike: likeness once made a loss of a win."""
    (record,) = read(text)
    assert record.intent is intent


def test_likeness_never_confirms_nor_cancels(read: Read) -> None:
    """A draft is stored or dropped only by words that the rules know."""
    for text in ("没问题,照你列的登记上去", "那条就当我没报过"):
        assert {one.intent for one in read(text)} & {Intent.CONFIRM, Intent.CANCEL} == set()
