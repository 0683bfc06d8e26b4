"""A supervisor's remark on a customer: it goes to the rep and into the stream."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bot.domain.activities import Activity
from bot.domain.opportunities import Account
from bot.errors import InvalidInput, NotAllowed
from bot.messages import OutboundMessage, Text
from handlers.customers import customers
from handlers.desk import Desk
from handlers.leading import teams
from handlers.texts import team_digest as texts

LONGEST = 500
AWAITED_FOR = timedelta(minutes=10)
AWAITED = "comment_on"
_PASS_ON = re.compile(
    r"^(?:请|麻烦|帮我)*(?:提醒|告诉|转告|通知|催|(?:给|跟)(?=[^,，]{2,4}说))(?:一下)?"
    r"(?P<who>[\w·]{2,4}?)"
    r"(?=让|说|一下|去|要|跟|把|尽快|赶紧|抓紧|马上|今天|明天|后天|下?周|[,，:： ]|别)"
    r".{2,300}$",
    re.DOTALL,
)
_COMMENT = re.compile(r"^批注[ :：,，]*(?P<rest>.{0,600})$", re.DOTALL)


async def ask(desk: Desk, account: Account) -> None:
    """The next words of the speaker are the remark, for some minutes."""
    seen = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    awaited = {AWAITED: account.id, "asked_at": desk.at.isoformat()}
    await desk.tx.dialogs.put(desk.conversation, desk.rep.id, {**seen, **awaited}, desk.at)
    desk.say(texts.write_comment(account.name))


async def take(desk: Desk, text: str) -> bool:
    """Whether the text was a remark: the one awaited, or «批注 恒锐机电 价格可以再让两个点»."""
    typed = _COMMENT.match(text.strip())
    if typed is not None:
        await _typed(desk, typed["rest"].strip())
        return True
    if await _passed_on(desk, text.strip()):
        return True
    seen = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    if AWAITED not in seen:
        return False
    rest = {key: value for key, value in seen.items() if key not in (AWAITED, "asked_at")}
    await desk.tx.dialogs.put(desk.conversation, desk.rep.id, rest, desk.at)
    if desk.at - datetime.fromisoformat(str(seen["asked_at"])) > AWAITED_FOR:
        return False
    await store(desk, await desk.tx.accounts.get(int(seen[AWAITED])), text.strip())
    return True


async def _passed_on(desk: Desk, text: str) -> bool:
    """«提醒陈静明天给海门水泵打电话»: a leader's word for the rep about one of the rep's own
    customers."""
    match = _PASS_ON.match(text) if desk.rep.roles & teams.LEADING else None
    if match is None:
        return False
    mentions = desk.office.customers.index.find(text)
    sure = mentions[0].sure if len(mentions) == 1 else None
    account = await desk.tx.accounts.find_by_name(sure.name) if sure else None
    if account is None:
        return False
    owner = await desk.tx.people.get(account.owner_id)
    meant = teams.is_called(owner, match["who"])
    if not meant or not await customers.leads(desk.tx, desk.rep, owner.id):
        return False
    await store(desk, account, text)
    return True


async def store(desk: Desk, account: Account, text: str) -> None:
    """Raises NotAllowed for who does not lead the owner, InvalidInput for a remark too long."""
    if account.owner_id == desk.rep.id or not await customers.leads(
        desk.tx, desk.rep, account.owner_id
    ):
        raise NotAllowed(texts.NOT_YOURS_TO_COMMENT)
    if len(text) > LONGEST:
        raise InvalidInput(texts.COMMENT_TOO_LONG)
    deals = await desk.tx.opportunities.open_of_account(account.id)
    await desk.tx.activities.add(
        Activity(
            id=0,
            account_id=account.id,
            opportunity_id=deals[0].id if deals else None,
            actor_id=desk.rep.id,
            unit="",
            title=texts.COMMENT_TITLE,
            text=text,
            occurred_at=desk.at,
            recorded_at=desk.at,
            source_id=f"comment:{desk.incoming.source_id}",
        )
    )
    owner = await desk.tx.people.get(account.owner_id)
    to = desk.office.address_of(owner)
    if to is not None:
        told = texts.comment_told(account.name, desk.rep.name, text)
        desk.add([OutboundMessage(f"comment:{desk.incoming.source_id}", to, Text(told))])
    desk.say(texts.comment_stored(account.name, owner.name))


async def _typed(desk: Desk, rest: str) -> None:
    mentions = desk.office.customers.index.find(rest)
    sure = mentions[0].sure if mentions else None
    account = await desk.tx.accounts.find_by_name(sure.name) if sure else None
    words = f"{rest[: mentions[0].start]} {rest[mentions[0].end :]}" if mentions else ""
    words = words.strip(" ,，。:：")
    if account is None:
        raise InvalidInput(texts.WHICH_TO_COMMENT)
    if words:
        await store(desk, account, words)
    else:
        await ask(desk, account)
