"""The door: who gets in, what is stored, what the platform is told."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from bot.clock import FixedClock
from connectors.doors import MAX_BODY_BYTES
from tests.connectors.wecom.wecom_door import (
    NOW,
    STAMP,
    Door,
    open_door,
    recorded,
    sealed,
    signed,
)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as door:
        yield door


def text_message(content: str = "你好", *, sender: str = "li4", number: int = 1) -> str:
    return (
        f"<xml><FromUserName><![CDATA[{sender}]]></FromUserName><CreateTime>{STAMP}</CreateTime>"
        f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{content}]]></Content>"
        f"<MsgId>{number}</MsgId></xml>"
    )


def approval_event(number: str) -> str:
    return (
        f"<xml><FromUserName>sys</FromUserName><CreateTime>{STAMP}</CreateTime>"
        "<MsgType>event</MsgType><Event>sys_approval_change</Event>"
        f"<ApprovalInfo><SpNo>{number}</SpNo></ApprovalInfo></xml>"
    )


def refused(reason: str) -> float:
    name = "gendan_wecom_callbacks_refused_total"
    return REGISTRY.get_sample_value(name, {"app": "sales", "reason": reason}) or 0.0


async def check_address(door: Door, echo: str, **changed: str) -> tuple[int, bytes]:
    query, _ = sealed(echo)
    query["echostr"] = changed.pop("echostr", None) or _encrypted_of(echo, query)
    async with door.http.get(door.url, params={**query, **changed}) as answer:
        return answer.status, await answer.read()


def _encrypted_of(echo: str, query: dict[str, str]) -> str:
    again, body = sealed(echo)
    query.update(again)
    return body.partition(b"<Encrypt><![CDATA[")[2].partition(b"]]>")[0].decode()


async def test_address_check_is_answered_with_the_bare_echo(door: Door) -> None:
    assert await check_address(door, "1616140317555161061") == (200, b"1616140317555161061")
    assert door.accepted == []


async def test_address_check_survives_a_plus_that_became_a_space(door: Door) -> None:
    query: dict[str, str] = {}
    encrypted = ""
    while "+" not in encrypted:
        encrypted = _encrypted_of("echo", query)
    query["echostr"] = encrypted.replace("+", " ")
    async with door.http.get(door.url, params=query) as answer:
        assert (answer.status, await answer.read()) == (200, b"echo")


async def test_wrongly_signed_address_check_is_refused(door: Door) -> None:
    assert (await check_address(door, "echo", nonce="other"))[0] == 403


async def test_address_check_with_another_aes_key_is_refused_as_such(door: Door) -> None:
    before = refused("key")
    query, _ = signed("AAAA")
    async with door.http.get(door.url, params={**query, "echostr": "AAAA"}) as answer:
        assert answer.status == 403
    assert refused("key") == before + 1


async def test_captured_message_cannot_be_read_back_as_an_echo(door: Door) -> None:
    assert (await check_address(door, text_message("报价 32 万")))[0] == 403


async def test_browser_at_the_address_is_told_that_it_works(door: Door) -> None:
    async with door.http.get(door.url) as answer:
        assert answer.status == 403
        assert "服务正常" in await answer.text()


async def test_message_is_stored_byte_for_byte_and_released_after_the_answer(door: Door) -> None:
    envelope = await door.only(recorded("text"))
    assert envelope.body == recorded("text")
    assert envelope.channel == "wecom:sales:app"
    assert envelope.conversation == "wecom:sales:u:lisi04"
    assert envelope.sent_at == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    assert envelope.received_at == NOW
    assert envelope.unreadable is None
    assert door.released == 1


async def test_json_envelope_is_taken_too(door: Door) -> None:
    query, body = sealed(recorded("text"))
    encrypted = body.partition(b"<Encrypt><![CDATA[")[2].partition(b"]]>")[0].decode()
    as_json = json.dumps({"tousername": "ww", "encrypt": encrypted, "agentid": "1000002"})
    assert await door.post((query, as_json.encode())) == 200
    assert door.accepted[0].body == recorded("text")


async def test_event_of_the_platform_itself_is_ordered_by_channel(door: Door) -> None:
    assert (await door.only(recorded("user_created"))).conversation == "wecom:sales:app"


async def test_message_that_could_not_be_stored_is_asked_for_again(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    door.failure = OSError("disk full")
    assert await door.post(sealed(text_message())) == 500
    assert door.released == 0
    assert "send it again" in caplog.text


async def test_retry_with_new_nonce_has_the_same_delivery_id(door: Door) -> None:
    for message in (recorded("text"), recorded("card_press"), approval_event("1")):
        await door.post(sealed(message, nonce="first"))
        later = str(int(STAMP) + 5)
        await door.post(sealed(message, nonce="again", stamp=later))
        assert door.accepted[-1].delivery_id == door.accepted[-2].delivery_id


async def test_retry_of_an_event_may_be_written_differently(door: Door) -> None:
    """Byte identity of retries is nowhere promised."""
    first = await door.only(approval_event("1"))
    pretty = approval_event("1").replace("<SpNo>1</SpNo>", "\n  <SpNo><![CDATA[1]]></SpNo>\n")
    assert (await door.only(pretty)).delivery_id == first.delivery_id


async def test_different_events_of_one_second_stay_apart(door: Door) -> None:
    ids = {(await door.only(approval_event(str(number)))).delivery_id for number in range(50)}
    assert len(ids) == 50


async def test_equal_texts_of_one_second_stay_apart(door: Door) -> None:
    ids = {(await door.only(text_message(number=number))).delivery_id for number in range(10)}
    assert len(ids) == 10


@pytest.mark.parametrize("created", ["", "soon", "0", "1400000000", "9" * 30, "-5", "１７７２４"])
async def test_unbelievable_sending_time_gives_way_to_the_receiving_time(
    door: Door, created: str
) -> None:
    message = text_message().replace(f">{STAMP}<", f">{created}<")
    assert (await door.only(message)).sent_at == NOW


async def test_the_body_of_a_stranger_is_not_even_read(door: Door) -> None:
    """Or the size of it would be what is complained of."""
    before = refused("unsigned")
    assert await door.post(({}, b"a" * (MAX_BODY_BYTES + 1))) == 403
    assert refused("unsigned") == before + 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"msg_signature": "0" * 40}, "signature"),
        ({"nonce": "other"}, "signature"),
        ({"timestamp": str(int(STAMP) + 1)}, "signature"),
        ({"timestamp": "1"}, "timestamp"),
        ({"msg_signature": ""}, "signature"),
    ],
)
async def test_wrong_signature_is_refused_counted_and_not_stored(
    door: Door, changed: dict[str, str], reason: str
) -> None:
    before = refused(reason)
    query, body = sealed(text_message())
    assert await door.post(({**query, **changed}, body)) == 403
    assert refused(reason) == before + 1
    assert door.accepted == []


@pytest.mark.parametrize("body", [b"", b"<xml/>", b"{}", b"[]", b"{", b"\xff\xfe", b"<Encrypt>"])
async def test_body_without_a_signed_part_is_refused(door: Door, body: bytes) -> None:
    query, _ = sealed(text_message())
    assert await door.post((query, body)) == 403
    assert door.accepted == []


async def test_unsigned_bomb_meets_no_parser(door: Door) -> None:
    query, body = sealed(text_message())
    bomb = b'<!DOCTYPE x [<!ENTITY a "a">]>' + body.replace(b"<xml>", b"<xml>&a;" + b"<a>" * 200)
    assert await door.post((query, bomb)) == 200  # only the signed part was looked at
    assert door.accepted[0].unreadable is None


async def test_message_for_another_corporation_is_refused(door: Door) -> None:
    before = refused("receiver")
    assert await door.post(sealed(text_message(), corp="wwsomebodyelse")) == 403
    assert refused("receiver") == before + 1
    assert door.accepted == []


@pytest.mark.parametrize("hours", [-25, 25])
async def test_timestamp_a_day_off_is_refused(door: Door, hours: int) -> None:
    stamp = str(int((NOW + timedelta(hours=hours)).timestamp()))
    assert await door.post(sealed(text_message(), stamp=stamp)) == 403
    assert await door.post(sealed(text_message(), stamp="yesterday")) == 403
    assert door.accepted == []


@pytest.mark.parametrize("hours", [-23, 23])
async def test_clock_that_is_hours_off_loses_no_message(door: Door, hours: int) -> None:
    stamp = str(int((NOW + timedelta(hours=hours)).timestamp()))
    assert await door.post(sealed(text_message(), stamp=stamp)) == 200


async def test_timestamp_fresh_by_a_second_clock_is_taken() -> None:
    """The sandbox's clock may have jumped a month ahead of a client that signs by its own."""
    month_ago = FixedClock(NOW - timedelta(days=30))
    async with open_door(month_ago) as door:
        stamp = str(int(month_ago.now().timestamp()))
        assert await door.post(sealed(text_message(), stamp=stamp)) == 200
        assert await door.post(sealed(text_message())) == 200


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>'
    "<xml><MsgType>text</MsgType><Content>&d;</Content></xml>"
)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "not XML"),
        ("hello", "not XML"),
        ("<xml><MsgType>text</MsgType>", "not XML"),
        ("<xml>" + text_message(), "not XML"),
        ('{"msgtype":"text"}', "not XML"),
        ("<xml></xml>", "no MsgType"),
        ("<xml><MsgType/></xml>", "no MsgType"),
        ("<xml><MsgType>text</MsgType></xml>", "no usable FromUserName"),
        (text_message(sender="x" * 65), "no usable FromUserName"),
        (BOMB, "document type"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd">' + text_message(), "document type"),
        ("<a>" * 200_000, "nested"),
        ("<xml>" + "<a/>" * 200_000 + "</xml>", "too many"),
        ("<?xml version='1.0' encoding='utf-7'?>" + "<xml>&nbsp;</xml>", "not XML"),
    ],
    ids=range(14),
)
async def test_signed_nonsense_becomes_a_dead_letter(door: Door, message: str, reason: str) -> None:
    if len(message) > 700_000:
        message = message[: 700_000 - 700_000 % 4] + ("</xml>" if "/>" in message else "")
    envelope = await door.only(message)
    assert envelope.unreadable is not None
    assert reason in envelope.unreadable
    assert envelope.body == message.encode()
    assert (envelope.conversation, door.released) == ("wecom:sales:app", 1)


@pytest.mark.parametrize(
    "encrypted", ["garbage!", base64.b64encode(b"\x00" * 64).decode(), "AAAA", "中文"]
)
async def test_signed_garbage_is_kept_as_it_came(door: Door, encrypted: str) -> None:
    query, body = signed(encrypted)
    assert await door.post((query, body)) == 200
    assert door.accepted[0].unreadable == "signed, but not encrypted with our key"
    assert door.accepted[0].body == body


async def test_text_that_quotes_a_document_type_is_an_ordinary_text(door: Door) -> None:
    assert (await door.only(recorded("text_with_markup"))).unreadable is None


async def test_body_over_a_megabyte_is_too_large(door: Door) -> None:
    query, _ = sealed(text_message())
    assert await door.post((query, b"x" * (1024 * 1024 + 1))) == 413


async def test_body_of_untold_length_is_too_large_when_it_has_become_so(door: Door) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 65536

    query, _ = sealed(text_message())
    async with door.http.post(door.url, params=query, data=chunks()) as answer:
        assert answer.status == 413
    assert door.accepted == []


async def test_body_of_just_a_megabyte_is_read(door: Door) -> None:
    query, body = sealed(text_message("x" * 700_000))
    assert len(body) < 1024 * 1024
    assert await door.post((query, body)) == 200
