"""What visitors of a website do reaches the customer's stream, the heat and the rep."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.opportunities import Account
from bot.domain.signals import Arrived
from bot.domain.websites import Website, read_ticket
from bot.messages import Card
from handlers import Handlers
from handlers.signals import gathering
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.light_company import at

SITE = Website(
    "main",
    "a secret of at least 24 letters",
    ("https://www.example.com",),
    titles={"R10 减速机参数": ("/p/a", "/p/b*")},
    materials={"白皮书": "https://www.example.com/files/wp.pdf"},
)
HENGRUI = "杭州恒锐机电有限公司"


class Shop:
    """A company with a website."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.events = 0

    @classmethod
    async def open(cls, database: Database) -> Shop:
        chat = await Chat(database, now=at("2026-03-09 10:00")).open()  # a Monday
        chat.office = replace(chat.office, sites=(SITE,), pages_url="https://bot.example.com")
        chat.handlers = Handlers(chat.office, read=database.read)
        return cls(chat)

    async def link(self, words: str = "资料链接 白皮书 恒锐") -> int:
        """Its number, as a browser would bring it back."""
        told = await self.chat.say("zhang", words)
        found = re.search(r"/track/to/main/(\S+)", told)
        assert found is not None, told
        ticket = read_ticket(SITE, found[1])
        assert ticket is not None
        return ticket.link_id

    async def see(
        self, kind: str, page: str = "/p", *, visitor: str = "browser-1", link: int | None = None
    ) -> None:
        self.events += 1
        now = self.chat.now
        event = Arrived(
            "main", f"event-{self.events}", visitor, kind, now, now, page,
            link_id=link, consent=link is not None,
        )  # fmt: skip
        async with self.chat.database.begin() as tx:
            await tx.signals.arrive([event])

    async def gather(self, **later: float) -> str:
        """The job after some time; what it sends."""
        self.chat.now += timedelta(**later)
        async with self.chat.database.begin() as tx:
            sent = await gathering.run(tx, self.chat.office, self.chat.now)
            await tx.delivery.queue(sent, at=self.chat.now)
        self.chat.said += sent
        contents = [one.content for one in sent]
        return "\n".join(
            "\n".join([one.title, *one.lines]) for one in contents if isinstance(one, Card)
        )

    async def visits(self, account: Account) -> list[str]:
        return [one.text for one in await self.chat.stream(account) if one.title == "浏览网站"]


async def test_a_visitor_who_came_by_a_link_and_agreed_is_the_customer(database: Database) -> None:
    shop = await Shop.open(database)
    account = await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    await shop.see("page", "/home")  # before anybody knew
    link = await shop.link()
    await shop.see("parameters", "/p/a", link=link)
    await shop.see("white_paper", "/files/wp.pdf")
    await shop.gather()
    assert await shop.visits(account) == []  # they may still go on
    await shop.gather(minutes=31)
    assert await shop.visits(account) == [
        "普通页 1次（/home），参数页 1次（R10 减速机参数），白皮书 1次；共约1分钟"
    ]
    await shop.gather(minutes=31)
    assert len(await shop.visits(account)) == 1


async def test_without_consent_nobody_is_named(database: Database) -> None:
    shop = await Shop.open(database)
    account = await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    await shop.link()
    await shop.see("parameters", "/p/a")
    await shop.gather()
    await shop.gather(hours=1)
    assert await shop.visits(account) == []


async def test_the_fourth_look_at_parameters_asks_the_rep_to_call(database: Database) -> None:
    shop = await Shop.open(database)
    await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    link = await shop.link()
    for page in ("/p/a", "/p/b", "/p/c"):
        await shop.see("parameters", page, link=link)
    assert await shop.gather() == ""
    await shop.see("parameters", "/p/a", link=link)
    told = await shop.gather()
    assert "反复看参数页" in told
    assert "4次（R10 减速机参数、/p/c）" in told
    assert "7天内超过3次；热度1，每7天减半" in told
    assert await shop.gather() == ""  # once
    assert "🔥 热度 1.0：反复看参数页 1.0" in await shop.chat.say("zhang", "客户 恒锐")
    assert "客户有动静" in await shop.chat.say("zhang", "待办")


async def test_a_call_after_it_settles_the_task_and_so_does_a_press(database: Database) -> None:
    shop = await Shop.open(database)
    await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    link = await shop.link()
    for _ in range(4):
        await shop.see("parameters", link=link)
    await shop.gather()
    card = shop.chat.card()
    assert "张伟" in await shop.chat.press("chen", card, "知道了")
    assert "客户有动静" in await shop.chat.say("zhang", "待办")  # another's press does nothing
    await shop.chat.press("zhang", card, "知道了")
    assert "客户有动静" not in await shop.chat.say("zhang", "待办")
    for _ in range(4):
        await shop.see("parameters", link=link)
    await shop.gather(minutes=1)
    assert "客户有动静" in await shop.chat.say("zhang", "待办")
    await shop.chat.say("zhang", "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系")
    await shop.chat.say("zhang", "确认")
    assert "客户有动静" not in await shop.chat.say("zhang", "待办")


async def test_a_white_paper_without_contact_asks_after_a_working_day(database: Database) -> None:
    shop = await Shop.open(database)
    await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    link = await shop.link()
    await shop.see("white_paper", "/files/wp.pdf", link=link)
    assert await shop.gather() == ""
    assert await shop.gather(hours=23) == ""
    assert "24小时（休息日不算）没人联系" in await shop.gather(hours=2)


async def test_a_white_paper_that_was_followed_up_asks_for_nothing(database: Database) -> None:
    shop = await Shop.open(database)
    await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    link = await shop.link()
    await shop.see("white_paper", "/files/wp.pdf", link=link)
    await shop.gather(minutes=5)
    await shop.chat.say("zhang", "刚和恒锐机电王总通了3分钟电话，没异议，下周三再联系")
    await shop.chat.say("zhang", "确认")
    assert await shop.gather(hours=25) == ""


async def test_an_event_told_twice_is_one(database: Database) -> None:
    shop = await Shop.open(database)
    account = await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    link = await shop.link()
    await shop.see("page", "/a", link=link)
    await shop.gather()
    shop.events -= 1
    await shop.see("page", "/a", link=link)
    await shop.gather()
    await shop.gather(hours=1)
    assert await shop.visits(account) == ["普通页 1次（/a）；共约1分钟"]


async def test_links_are_for_ones_own_customers_and_websites(database: Database) -> None:
    shop = await Shop.open(database)
    await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    assert "白皮书" in await shop.chat.say("zhang", "资料链接")
    assert "没有「报价」" in await shop.chat.say("zhang", "资料链接 报价 恒锐")
    for bad in (
        "https://evil.example/x", "https://www.example.com.evil.example/",
        "https://www.example.com@evil.example/", "https://user@www.example.com/",
    ):  # fmt: skip
        assert "只能指向自己的网站" in await shop.chat.say("zhang", f"资料链接 {bad} 恒锐")
    assert "/track/to/" not in await shop.chat.say("chen", "资料链接 白皮书 恒锐")
    assert "没有这个联系人" in await shop.chat.say("zhang", "资料链接 白皮书 恒锐 李总")


async def test_the_snippet_is_for_administrators(database: Database) -> None:
    shop = await Shop.open(database)
    assert "只给管理员" in await shop.chat.say("zhang", "网站代码")
    told = await shop.chat.say("zhao", "网站代码")
    assert f'src="https://bot.example.com/track.js" data-key="{SITE.browser_key}"' in told
    assert SITE.secret not in told


async def test_an_erased_customer_takes_links_visitors_and_signals_along(
    database: Database,
) -> None:
    shop = await Shop.open(database)
    account = await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    link = await shop.link()
    for _ in range(4):
        await shop.see("parameters", link=link)
    await shop.gather()
    async with database.begin() as tx:
        counts = await tx.personal_data.erase(
            await tx.personal_data.trace(account.id), shop.chat.now
        )
        assert await tx.signals.link(link) is None
        assert await tx.signals.visitor("main", "browser-1") is None
    gone = {name: counts[name] for name in ("signal_events", "signal_visitors", "customer_signals")}
    assert gone == {"signal_events": 4, "signal_visitors": 1, "customer_signals": 1}


async def test_what_is_too_old_is_forgotten(database: Database) -> None:
    shop = await Shop.open(database)
    await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    await shop.see("page", "/stranger")
    await shop.see("page", "/known", visitor="browser-2", link=await shop.link())
    await shop.gather()
    await shop.gather(days=91, hours=17)  # at three in the morning
    async with database.begin() as tx:
        assert await tx.signals.visitor("main", "browser-1") is None
        assert await tx.signals.visitor("main", "browser-2") is not None


async def test_hot_customers_stand_before_others_that_are_as_late(database: Database) -> None:
    shop = await Shop.open(database)
    await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    await shop.chat.customer("苏州东风机械有限公司", "zhang", "东风")
    link = await shop.link("资料链接 白皮书 东风")
    async with database.begin() as tx:
        day: datetime = shop.chat.now
        for number in range(2):
            meeting = Arrived(
                "main", f"reply-{number}-xx", "browser-9", "reply", day, day,
                link_id=link, consent=True,
            )  # fmt: skip
            await tx.signals.arrive([meeting])
    await shop.gather()
    await shop.chat.later(days=3)
    told = await shop.chat.say("zhang", "待办")
    lines = [line for line in told.splitlines() if "没有" in line or "机" in line]
    assert "东风" in lines[0], told
    assert any("恒锐" in line for line in lines[1:]), told


async def test_a_tick_that_runs_late_loses_no_signal(database: Database) -> None:
    """After a start the minutes that were missed run, one by one, as of their own time."""
    shop = await Shop.open(database)
    await shop.chat.customer(HENGRUI, "zhang", "恒锐")
    link = await shop.link()
    for _ in range(4):
        await shop.see("parameters", "/p/a", link=link)
    assert await shop.gather(minutes=-50) == ""
    assert "参数页" in await shop.gather(minutes=50)
