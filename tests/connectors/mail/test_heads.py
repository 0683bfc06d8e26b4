"""A mail's head becomes an envelope and is read again, whatever servers make of Chinese."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain.mails import IN, Mail, MailPlace, Ours
from bot.errors import InvalidInput
from bot.messages import Kind
from connectors.mail.heads import HeadReader, to_envelope

AT = datetime(2026, 1, 28, 7, tzinfo=UTC)
READER = HeadReader("sales", Ours(frozenset(), frozenset({"ours.cn"})))
PLAIN = {"From": "Li <li@hengrui.cn>", "To": "sales@ours.cn", "Subject": "x", "Message-ID": "<1@x>"}


def read(*, with_subject: bool = True, **headers: str) -> Mail:
    told = {**PLAIN, **{name.replace("_", "-"): value for name, value in headers.items()}}
    envelope = to_envelope(
        "sales", MailPlace(5, 7), 1000, list(told.items()), with_subject=with_subject, at=AT
    )
    mail = READER.parse(envelope).mail
    assert mail is not None
    return mail


def test_what_a_head_says() -> None:
    mail = read(
        From="=?gb2312?B?wO65pA==?= <Li@HengRui.cn>",
        Subject="=?utf-8?b?5oql5Lu3?=",
        Date="Wed, 28 Jan 2026 10:00:00 +0800",
        In_Reply_To="<9@x>",
        References="<7@x> <8@x>\r\n <9@x>",
    )
    assert (mail.sender_name, mail.sender, mail.direction) == ("李工", "li@hengrui.cn", IN)
    assert (mail.subject, mail.place, mail.size) == ("报价", MailPlace(5, 7), 1000)
    assert mail.sent_at == datetime(2026, 1, 28, 2, tzinfo=UTC)
    assert len(mail.answers) == 3
    assert mail.is_reply


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_chinese_that_nobody_encoded(charset: str) -> None:
    raw = "报价".encode(charset).decode("ascii", "surrogateescape")
    assert read(Subject=raw).subject == "报价"


def test_of_an_own_mailbox_the_subject_is_not_kept_but_what_it_says() -> None:
    mail = read(with_subject=False, Subject="回复: 体检")
    assert (mail.subject, mail.is_reply) == ("", True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"List_Unsubscribe": "<https://x>"},
        {"Return_Path": "<>"},
        {"Subject": "自动回复: 我在休假"},
        {"From": "MAILER-DAEMON@hengrui.cn"},
    ],
)
def test_machines_are_told_apart(headers: dict[str, str]) -> None:
    assert read(**headers).automatic
    assert not read(Auto_Submitted="no").automatic


def test_one_mail_has_one_key_wherever_it_lies() -> None:
    twice = [
        to_envelope("sales", place, 1, list(PLAIN.items()), with_subject=True, at=AT).delivery_id
        for place in (MailPlace(1, 1), MailPlace(2, 9))
    ]
    assert twice[0] == twice[1]
    forged = read(From="mallory@evil.cn")
    assert forged.key != read().key


def test_a_day_in_the_future_is_today() -> None:
    head = list({**PLAIN, "Date": "Wed, 28 Jan 2099 10:00:00 +0800"}.items())
    envelope = to_envelope("sales", MailPlace(1, 1), 1, head, with_subject=True, at=AT)
    assert envelope.sent_at == AT


@pytest.mark.parametrize(
    "sender", ["", "=?utf-8?b?!!!?=", "undisclosed", "a@b@c", "<>", "\x00", "李工"]
)
def test_without_a_sender_it_is_set_aside(sender: str) -> None:
    with pytest.raises(InvalidInput, match="no sender"):
        read(From=sender)


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 99 Foo 2026"])
def test_a_day_that_is_none(date: str) -> None:
    assert read(Date=date).sent_at is None


def test_among_ourselves_there_is_nothing_to_do() -> None:
    head = list({**PLAIN, "From": "a@ours.cn"}.items())
    envelope = to_envelope("sales", MailPlace(1, 1), 1, head, with_subject=True, at=AT)
    assert READER.concerns_nobody(envelope)
    assert READER.parse(envelope).kind is Kind.IGNORED
