"""Numbers of persons are masked in all that people read, and nowhere else."""

from __future__ import annotations

import pytest

from bot.messages import Button, Card, CardUpdate, Content, Field, FileContent, Markdown, Text
from bot.messages.masked_content import masked_content

PHONE, SHOWN = "13812345678", "138****5678"
LINK = f"[王总](https://applink.dingtalk.com/page/profile?phone={PHONE})"
CARD = Card(
    "draft-1", f"王总 {PHONE}", lines=(f"电话{PHONE}",), facts=(("电话", PHONE),),
    fields=(Field("phone", "电话", "text", value=PHONE),), buttons=(Button("ok", "确认"),),
    closed=f"已记录 {PHONE}",
)  # fmt: skip
MASKED = Card(
    "draft-1", f"王总 {SHOWN}", lines=(f"电话{SHOWN}",), facts=(("电话", SHOWN),),
    fields=(Field("phone", "电话", "text", value=PHONE),), buttons=(Button("ok", "确认"),),
    closed=f"已记录 {SHOWN}",
)  # fmt: skip


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (Text(f"找{PHONE}"), Text(f"找{SHOWN}")),
        (
            Markdown(f"找{PHONE}", f"{LINK}，也就是{PHONE}", ours=(LINK,)),
            Markdown(f"找{SHOWN}", f"{LINK}，也就是{SHOWN}", ours=(LINK,)),
        ),
        (Markdown("", PHONE), Markdown("", SHOWN)),
        (CARD, MASKED),
        (CardUpdate(CARD, "code"), CardUpdate(MASKED, "code")),
        (
            FileContent("file", "ab" * 32, f"{PHONE}.pdf"),
            FileContent("file", "ab" * 32, f"{SHOWN}.pdf"),
        ),
    ],
)
def test_what_people_read_is_masked(content: Content, shown: Content) -> None:
    assert masked_content(content) == shown
