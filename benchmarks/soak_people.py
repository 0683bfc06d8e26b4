"""What the people of `benchmarks.soak` do on a day: report, confirm, correct, take back, ask,
press, send files, sign contracts, lose deals, dispute bonuses."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from benchmarks.bad_day import distinct_words
from benchmarks.soak_world import Month
from config.wiring.sandbox_hooks import page_opener
from connectors.sandbox.world import Said

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n"
AMR = b"#!AMR\n" + bytes(3200)
WHO = ("王总", "李经理", "陆工", "张厂长", "陈主任")
REPORTS = (
    "刚和{name}{who}通了{minutes}分钟电话，嫌价格高，下周三再联系",
    "刚和{name}{who}通了{minutes}分钟电话，预算没批，下周四下午3点再联系",
    "{name}通了{minutes}分钟电话，没异议，下周一联系",
    "今天上午去了{name}，见了{who}1小时，报价{amount}万，明天下午三点半再去",
    "跟进{name} 没接 下周一",
    "给{name}报价{amount}万，嫌交期太长，下周五再谈",
)
CORRECTIONS = ("不对，是下周四", "时长改成40分钟", "不是嫌贵，是交期太长", "改成下周五下午3点")
QUESTIONS = (
    "待办", "我的灯", "我的数据", "帮助", "漏斗", "转化", "奖金", "成长基金", "今天", "我的客户",
    "客户 {name}", "动态 {name}", "话术 {name}", "公海", "机器预测", "查回款", "我的申诉", "撤销",
    "嗯嗯", "好的", "这个客户怎么样了", "？？", "👍", "确认", "取消", "L1 {name}",
)  # fmt: skip
LEADERS_QUESTIONS = ("团队总览", "团队红灯", "过程数据", "诊断", "看板", "预测", "待办", "ERP预测")
PAGES = ("/", "/diagnosis", "/customers", "/forecast", "/payouts", "/supply", "/disputes", "/fund")


@dataclass(slots=True)
class Person:
    """customers: those with an open deal."""

    platform: str
    user_id: str
    customers: list[str] = field(default_factory=list)
    has_left: bool = False

    @property
    def whom(self) -> tuple[str, str]:
        return self.platform, self.user_id


@dataclass
class Actors:
    """All of them. contracts: number -> yuan, signed and not paid yet."""

    month: Month
    chance: random.Random
    reps: list[Person]
    leaders: list[Person]
    contracts: dict[str, int] = field(default_factory=dict)
    names: int = 0
    signed: int = 0
    did: dict[str, int] = field(default_factory=dict)

    async def day(self, morning: datetime, *, actions: int) -> None:
        """A working day from nine to half past six. actions: of a rep, on the average."""
        async with asyncio.TaskGroup() as everybody:
            for one in self.reps:
                everybody.create_task(self._rep(one, morning, actions))
            for one in self.leaders:
                everybody.create_task(self._leader(one, morning))
            everybody.create_task(self._accountant(morning))

    async def _rep(self, rep: Person, morning: datetime, actions: int) -> None:
        count = self.chance.randint(max(1, actions // 2), actions * 3 // 2)
        for at in self._times(morning, count):
            await self.month.clock.sleep_until(at)
            if rep.has_left:
                return
            await self._act(rep)

    async def _leader(self, leader: Person, morning: datetime) -> None:
        for at in self._times(morning, 3):
            await self.month.clock.sleep_until(at)
            await self.say(leader, self.chance.choice(LEADERS_QUESTIONS))
            await asyncio.sleep(30)
            await self.press_something(leader)
            if self.chance.random() < 0.2:
                await self._open_page(leader)

    def _times(self, morning: datetime, count: int) -> list[datetime]:
        return sorted(
            morning + timedelta(hours=9, seconds=self.chance.uniform(0, 9.5 * 3600))
            for _ in range(count)
        )

    async def _act(self, rep: Person) -> None:
        if len(rep.customers) < 3 or self.chance.random() < 0.03:
            await self._new_customer(rep)
            return
        acts: Sequence[tuple[int, Callable[[Person], Awaitable[None]]]] = (
            (50, self._report), (12, self.press_something), (14, self._ask), (6, self._send_file),
            (4, self._send_voice), (3, self._sign), (3, self._lose), (3, self._open_page),
            (5, self._report_with_proof),
        )  # fmt: skip
        (act,) = self.chance.choices([act for _, act in acts], [weight for weight, _ in acts])
        self.did[act.__name__] = self.did.get(act.__name__, 0) + 1
        await act(rep)

    async def say(self, one: Person, text: str) -> None:
        with contextlib.suppress(ValueError):  # who has left says nothing
            emulator = self.month.emulator(one.platform)
            self.month.words.note(await emulator.say(one.user_id, None, text))

    async def _new_customer(self, rep: Person) -> None:
        self.names += 1
        name = f"{distinct_words(self.names)}精密机械有限公司"
        await self.say(rep, f"确认新建客户 {name}")
        rep.customers.append(name)

    async def _report(self, rep: Person) -> None:
        words = self.chance.choice(REPORTS).format(
            name=self.chance.choice(rep.customers),
            who=self.chance.choice(WHO),
            minutes=self.chance.randint(5, 60),
            amount=self.chance.randint(5, 90),
        )
        await self.say(rep, words)
        await self._make_up_mind(rep)

    async def _make_up_mind(self, rep: Person) -> None:
        await asyncio.sleep(self.chance.uniform(20, 180))
        sure = self.chance.random()
        if sure < 0.15:
            await self.say(rep, self.chance.choice(CORRECTIONS))
            await asyncio.sleep(60)
        if sure < 0.65:
            await self.press(rep, "confirm")
        elif sure < 0.85:
            await self.say(rep, "确认")
        elif sure < 0.92:
            await self.say(rep, "取消")
        elif sure < 0.96:
            await self.press(rep, "confirm")
            await asyncio.sleep(60)
            await self.say(rep, "撤销")

    async def _report_with_proof(self, rep: Person) -> None:
        await self.say(rep, f"方案已发给{self.chance.choice(rep.customers)}，客户已查收")
        await asyncio.sleep(40)
        await self._send_file(rep)
        await self.press(rep, "confirm")

    async def _ask(self, rep: Person) -> None:
        question = self.chance.choice(QUESTIONS).format(name=self.chance.choice(rep.customers))
        await self.say(rep, question)

    async def _send_file(self, rep: Person) -> None:
        data = self.chance.choice((PDF, PNG)) + self.chance.randbytes(300)
        kind, name = ("file", "方案.pdf") if data.startswith(PDF) else ("image", "现场.png")
        await self._hand_in(rep, kind, name, data)

    async def _send_voice(self, rep: Person) -> None:
        name = self.chance.choice(rep.customers)
        words = f"刚和{name}通了{self.chance.randint(5, 60)}分钟电话，嫌价格高，下周三再联系.amr"
        await self._hand_in(rep, "voice", words, AMR + self.chance.randbytes(60))

    async def _hand_in(self, rep: Person, kind: str, name: str, data: bytes) -> None:
        with contextlib.suppress(ValueError):
            emulator = self.month.emulator(rep.platform)
            self.month.words.note(await emulator.say_file(rep.user_id, None, kind, name, data))
        await asyncio.sleep(60)
        await self.press_something(rep)

    async def _sign(self, rep: Person) -> None:
        self.signed += 1
        number, amount = f"HT-2026-{5000 + self.signed}", self.chance.randint(5, 90)
        name = self.chance.choice(rep.customers)
        await self.say(rep, f"{name}合同签了，{number}，{amount}万，预付30%")
        await asyncio.sleep(60)
        await self.press(rep, "confirm")
        self.contracts[number] = amount * 10_000

    async def _lose(self, rep: Person) -> None:
        name = self.chance.choice(rep.customers)
        await self.say(rep, f"{name}丢单了，嫌我们太贵")
        await asyncio.sleep(60)
        await self.press(rep, "confirm")
        rep.customers.remove(name)

    async def _accountant(self, morning: datetime) -> None:
        """Some pay at once, some late, some never."""
        await self.month.clock.sleep_until(morning + timedelta(hours=16))
        for number in [*self.contracts]:
            if self.chance.random() < 0.2:
                yuan = self.contracts.pop(number)
                self.month.erp.book(number, str(yuan * self.chance.choice((3, 10)) // 10))

    async def press(self, one: Person, action: str) -> None:
        """That button on the newest card that has it."""
        for card in self.month.world.cards.get(one.whom, []):
            if action in _actions(card):
                await self._press(one, card, action)
                return

    async def press_something(self, one: Person) -> None:
        """Any button of one of the newest cards; where one presses twice in a hurry, twice."""
        cards = [card for card in self.month.world.cards.get(one.whom, []) if _actions(card)]
        if not cards:
            return
        card = self.chance.choice(cards[:3])
        action = self.chance.choice(_actions(card))
        await self._press(one, card, action)
        if self.chance.random() < 0.1:
            await self._press(one, card, action)

    async def press_titled(self, one: Person, title: str, label: str) -> bool:
        """The button with that label on the newest card with that title."""
        for card in self.month.world.cards.get(one.whom, []):
            buttons = (card.card or {}).get("buttons", ())
            found = [button["action"] for button in buttons if label in button["label"]]
            if title in (card.card or {}).get("title", "") and found:
                await self._press(one, card, found[0])
                return True
        return False

    async def _press(self, one: Person, card: Said, action: str) -> None:
        values = {
            wanted["key"]: wanted["options"][-1]["id"]
            for wanted in (card.card or {}).get("fields", ())
            if wanted.get("options")
        }
        with contextlib.suppress(ValueError, ConnectionError, KeyError):
            await self.month.emulator(one.platform).press(card, one.user_id, action, values)

    async def _open_page(self, one: Person) -> None:
        """By a link, as the bot gives it out."""
        path = self.chance.choice(PAGES)
        try:
            link = await open_page(self.month, one, path)
        except LookupError:
            return
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(self.month.base, cookie_jar=jar) as browser:
            async with browser.get(link) as answer:
                await answer.read()
            async with browser.get("/metrics") as answer:
                await answer.read()

    async def month_ends(self) -> None:
        """Bonuses are worked out, approved, disputed and ruled on."""
        finance, hrbp = Person("wecom", "qianjin"), Person("wecom", "fengxiao")
        before = self.month.clock.now() - timedelta(days=20)
        await self.say(finance, f"奖金核算 {before:%Y-%m}")
        await asyncio.sleep(600)
        await self.press_titled(hrbp, "月度奖金核算", "批准并锁定")
        await asyncio.sleep(1800)
        disputing = self.chance.sample(self.reps, len(self.reps) // 5)
        await asyncio.gather(*(self._dispute(one) for one in disputing))
        for _ in range(len(disputing)):
            await self.press_titled(hrbp, "奖金申诉", self.chance.choice(("维持", "部分支持")))
            await asyncio.sleep(60)
            await self.say(hrbp, "100元，有一半是5%")
            await asyncio.sleep(60)
            await self.press_titled(hrbp, "裁定", "确认裁定")
            await asyncio.sleep(60)

    async def _dispute(self, rep: Person) -> None:
        await asyncio.sleep(self.chance.uniform(0, 3600))
        if not await self.press_titled(rep, "奖金", "有异议"):
            return
        await asyncio.sleep(60)
        await self.press_titled(rep, "有异议", "下一步")
        await asyncio.sleep(60)
        await self.say(rep, "应该按5%算")
        await asyncio.sleep(60)
        await self.press_titled(rep, "奖金申诉", "提交申诉")


def _actions(card: Said) -> list[str]:
    shown: dict[str, Any] = card.card or {}
    return [button["action"] for button in shown.get("buttons", ()) if button.get("action")]


async def open_page(month: Month, one: Person, path: str) -> str:
    """A link for once. Raises LookupError."""
    return await page_opener(month.bot)(one.platform, one.user_id, path)
