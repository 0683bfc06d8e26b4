"""What goes wrong around the people of `benchmarks.soak`, and who comes, changes and goes."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from benchmarks.soak_people import Actors, Person
from benchmarks.soak_world import Month, newcomer
from connectors.sandbox.site import browser_key
from connectors.sandbox.wecom_contactbook import Outsider
from connectors.sandbox.world import Fault

DOORS = ("wecom/sales", "dingtalk/sales/events", "track", "erp/kingdee", "wecom/helper/aibot")
BROWSER = {"User-Agent": "Mozilla/5.0 Chrome/140.0", "Content-Type": "text/plain"}


@dataclass
class Noise:
    """played: what went wrong, and how often. acted_anyway: faults after which a platform shows
    a message that we must take for lost."""

    month: Month
    actors: Actors
    chance: random.Random
    played: Counter[str] = field(default_factory=Counter)
    acted_anyway: int = 0
    gone: int = 0

    async def run(self) -> None:
        """For ever, something every ten minutes or so."""
        kinds: dict[str, Callable[[], None]] = {
            "callback lost": lambda: self._callback(drop=True),
            "callback's answer lost": lambda: self._callback(after=True),
            "5xx": lambda: self._sending(status=self.chance.choice((500, 502, 503))),
            "sent, answer lost": self._after,
            "connection cut": lambda: self._sending(drop=True),
            "45009": lambda: self._fault("wecom", "message/send", errcode=45009),
            "81013": lambda: self._fault("wecom", "message/send", times=1, errcode=81013),
            "too fast": lambda: self._fault(
                "dingtalk", "v1.0/robot/oToMessages/batchSend", errcode="send.too.fast"
            ),
            "tokens taken back": self._revoke,
            "DingTalk's connections cut": self._cut,
            "ERP away": lambda: self._fault("erp", "ExecuteBillQuery", status=500),
            "directory refused": lambda: self._fault("dingtalk", "topapi/v2/user/get", status=503),
        }
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 600))
            what = self.chance.choice(sorted(kinds))
            self.played[what] += 1
            kinds[what]()
            self.month.world.faults = [one for one in self.month.world.faults if one.times > 0]

    def clear(self) -> None:
        self.month.world.faults.clear()

    def _fault(self, platform: str, api: str, *, times: int = 0, **what: Any) -> None:
        times = times or self.chance.randint(1, 4)
        self.month.world.faults.append(Fault(platform, api, times=times, **what))

    def _callback(self, **what: Any) -> None:
        self._fault(self.chance.choice(("wecom", "dingtalk")), "callback", **what)

    def _sending(self, **what: Any) -> None:
        self._fault(*self.chance.choice(SENDING), **what)

    def _after(self) -> None:
        platform, api = self.chance.choice(SENDING)
        self.acted_anyway += platform == "dingtalk"
        self._fault(platform, api, times=1, drop=True, after=True)

    def _revoke(self) -> None:
        self.month.wecom.state.revoke_tokens()
        self.month.dingtalk.gate.revoke_tokens()

    def _cut(self) -> None:
        for connection in list(self.month.dingtalk.stream.connections):
            self.month.dingtalk.stream.cut(connection)

    async def knock(self, morning: datetime) -> None:
        """Strangers at the doors, and visitors of the website, all day long."""
        await self.month.clock.sleep_until(morning + timedelta(hours=8))
        for _ in range(60):
            await asyncio.sleep(self.chance.uniform(60, 900))
            door = self.chance.choice(DOORS)
            body = self.chance.randbytes(self.chance.randint(0, 3000))
            query = {"msg_signature": "x", "timestamp": "1", "nonce": "n"}
            await self._post(door, body, query if self.chance.random() < 0.5 else {})
            for _ in range(5):
                await self._visit()

    async def _visit(self) -> None:
        event = {"id": f"e{self.chance.randrange(10**9)}", "page": "/sandbox/site/r10/parameters"}
        visitor = f"visitor-{self.chance.randrange(500):04}"
        told = {"key": browser_key(), "visitor": visitor, "events": [{**event, "ago": 10}]}
        for _ in range(self.chance.choice((1, 1, 2))):
            await self._post("track", json.dumps(told).encode(), {})

    async def _post(self, door: str, body: bytes, query: dict[str, str]) -> None:
        headers = {**BROWSER, "Origin": self.month.base}
        url = f"{self.month.base}/{door}"
        async with self.month.session.post(url, params=query, data=body, headers=headers) as answer:
            await answer.read()
            assert answer.status < 500, (door, answer.status)

    async def staff_changes(self, day: int, morning: datetime) -> None:
        """Somebody goes, somebody comes, some move; contacts are made and lost."""
        await self.month.clock.sleep_until(morning + timedelta(hours=10))
        await self._leave()
        await self._join(day)
        for one in self.chance.sample(self.actors.reps, max(1, len(self.actors.reps) // 100)):
            if not one.has_left:
                self._change(one.platform, one.user_id, name=f"李{day}{one.user_id[-3:]}")
            await asyncio.sleep(5)
        await self._contacts(day)

    async def _leave(self) -> None:
        here = [one for one in self.actors.reps if not one.has_left]
        if len(here) > 8:
            leaver = self.chance.choice(here)
            leaver.has_left = True
            self.gone += 1
            self._change(leaver.platform, leaver.user_id, status=5)
            await asyncio.sleep(60)

    async def _join(self, day: int) -> None:
        platform = ("wecom", "dingtalk")[day % 2]
        user_id = f"new{platform[0]}{day:03}"
        head = next(one for one in self.actors.leaders if one.platform == platform)
        folder = self.month.world.member(platform, head.user_id)
        assert folder is not None
        above = {"folder": folder.department, "leader": head.user_id}
        member = newcomer(platform, user_id, 3000 + day, **above, role="rep")
        self.month.emulator(platform).add_member(member)
        self.actors.reps.append(Person(platform, user_id))
        await asyncio.sleep(60)

    def _change(self, platform: str, user_id: str, **changes: Any) -> None:
        self.month.emulator(platform).change_member(user_id, **changes)

    async def _contacts(self, day: int) -> None:
        events = self.month.wecom.customers
        ours = [one for one in self.actors.reps if one.platform == "wecom" and not one.has_left]
        for number in range(10):
            rep = self.chance.choice(ours)
            company = self.chance.choice(rep.customers or ["散客"])
            key = f"wm{day:03}{number:02}"
            outsider = Outsider(key, f"王{number}", kind=2, corp_name=company)
            events.add(rep.user_id, outsider)
            await asyncio.sleep(20)
            events.edit(rep.user_id, key, remark=f"{company}-王{number}")
            await asyncio.sleep(20)
            if number % 3 == 0:
                events.part(rep.user_id, key, by_customer=number % 2 == 0)
            elif number % 3 == 1:
                events.open_group(f"wr{day:03}{number:02}", f"{company}交流群", rep.user_id, key)
            await asyncio.sleep(20)


SENDING = (
    ("wecom", "message/send"),
    ("wecom", "message/update_template_card"),
    ("dingtalk", "v1.0/card/instances/createAndDeliver"),
    ("dingtalk", "v1.0/card/instances"),
    ("dingtalk", "v1.0/robot/oToMessages/batchSend"),
    ("dingtalk", "robot/sendBySession"),
)
