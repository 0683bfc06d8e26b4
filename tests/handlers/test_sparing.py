"""Where messages are short, digests are left out before anything else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from bot.messages import Address, OutboundMessage, Platform, Text
from bot.router import Job
from handlers import Handlers
from handlers.leading.sparing import DIGESTS, sparing
from tests.handlers.test_upkeep import office

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
RICH = Address(Platform.WECOM, "sales", user_id="zhangwei")
SHORT = Address(Platform.DINGTALK, "sales", user_id="wulei01")


async def sends(_: Any, at: datetime) -> list[OutboundMessage]:
    return [OutboundMessage(f"k:{to.key}", to, Text("三件")) for to in (RICH, SHORT)]


def is_short(to: Address) -> bool:
    return to.platform == Platform.DINGTALK


async def test_only_digests_and_only_where_it_is_short() -> None:
    digest, single = sparing(
        [Job("digest of lights", {}, sends), Job("push lights", {}, sends)], is_short
    )
    nothing = cast(Any, None)
    assert [message.to for message in await digest.run(nothing, AT)] == [RICH]
    assert [message.to for message in await single.run(nothing, AT)] == [RICH, SHORT]


def test_every_digest_is_a_job_that_exists() -> None:
    names = {job.name for job in Handlers(office()).jobs()}
    assert names >= DIGESTS
