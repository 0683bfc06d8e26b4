"""`make shots`: every page of the demo company as a picture in web/shots, to be looked at.

Names on the command line choose pages; `--url` takes a sandbox that is already running.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from playwright.async_api import Browser, BrowserContext

from tests.browsers import launched
from tests.scenarios.driver import ROOT, Sandbox, Speaker, last_card
from tests.scenarios.shot_chats import CHATS, open_chat, tell_in_chats
from tests.scenarios.shot_forecasts import put_forecasts
from tests.scenarios.shot_states import STATES, open_state, troubled_website
from tests.scenarios.test_receivables import tell

SHOTS = ROOT / "web" / "shots"
THEMES = ["light", "dark"]
SIZES = {360: 780, 1280: 860, 3840: 2160}
BOSS, LEADER, REP = ("wecom", "wangjianguo"), ("wecom", "limin"), ("wecom", "zhangwei")
SELLER, FINANCE, HRBP = ("dingtalk", "wulei01"), ("wecom", "qianjin"), ("wecom", "fengxiao")
ADMIN, NEW_LEADER = ("wecom", "zhaoqian"), ("wecom", "xunuo")

LOST = (
    (("wecom", "chenjing"), "昆山正仪连接器丢单了，嫌价格高，选了更便宜的一家"),
    (("wecom", "chenjing"), "无锡恒锐自动化丢了，交期太长，等不了"),
    (("wecom", "liuyang"), "马鞍山采石冶金丢单了，价格高"),
)

NEXT_RULE = (
    '[{"id":"回款阶梯提成","version":2,"effective_from":"2027-01-01","base":"paid_fen","mode":"whole",'
    '"tiers":[{"from_fen":0,"rate_bp":200},{"from_fen":20000000,"rate_bp":400}]}]'
)

PAGES: dict[str, tuple[tuple[str, str] | None, str]] = {
    "screen": (BOSS, "/"),
    "screen-team": (LEADER, "/"),
    "screen-process": (BOSS, "/#2"),
    "screen-funnel": (BOSS, "/#3"),
    "screen-outlook": (BOSS, "/#4"),
    "screen-vitals": (BOSS, "/#5"),
    "screen-process-team": (LEADER, "/#2"),
    "screen-outlook-team": (LEADER, "/#4"),
    "screen-nobody": (NEW_LEADER, "/"),
    "screen-nobody-process": (NEW_LEADER, "/#2"),
    "screen-nobody-funnel": (NEW_LEADER, "/#3"),
    "screen-nobody-outlook": (NEW_LEADER, "/#4"),
    "customers": (LEADER, "/customers"),
    "customers-rep": (REP, "/customers"),
    "customer": (REP, "/customers/1"),
    "customer-new": (LEADER, "/customers/11"),
    "opportunity": (REP, "/opportunities/1"),
    "refusals": (BOSS, "/refusals"),
    "diagnosis": (LEADER, "/diagnosis"),
    "forecast": (BOSS, "/forecast"),
    "forecast-team": (LEADER, "/forecast"),
    "forecast-rep": (REP, "/forecast"),
    "forecast-empty": (("wecom", "sunli"), "/forecast"),
    "supply": (BOSS, "/supply"),
    "rules": (HRBP, "/rules"),
    "rules-reader": (REP, "/rules"),
    "rule-versions": (REP, "/rules/versions?rule=回款阶梯提成"),
    "rule-change": (HRBP, "/rules/2"),
    "rule-canvas": (HRBP, "/rules/2/edit"),
    "side": (REP, "/side/contact/wmWangZong"),
    "side-nobody": (REP, "/side"),
    "forbidden": (REP, "/diagnosis"),
    "missing": (REP, "/customers/999"),
    "door": (None, "/customers"),
    "admin": (ADMIN, "/admin"),
    "admin-people": (ADMIN, "/admin/people"),
    "admin-person": (ADMIN, "/admin/people/1"),
    "admin-bindings": (ADMIN, "/admin/bindings"),
    "admin-unbound": (ADMIN, "/admin/bindings/unbound"),
    "admin-bound": (ADMIN, "/admin/bindings/bound"),
    "admin-libraries": (ADMIN, "/admin/libraries"),
    "admin-library": (ADMIN, "/admin/libraries/medical?team="),
    "admin-policies": (ADMIN, "/admin/policies"),
    "admin-policy": (ADMIN, "/admin/policies/lights.yellow_days?value=2"),
    "admin-calendar": (ADMIN, "/admin/calendar"),
    "admin-operations": (ADMIN, "/admin/operations"),
    "admin-dead": (ADMIN, "/admin/dead-letters"),
    "admin-audit": (ADMIN, "/admin/audit"),
    "admin-exports": (ADMIN, "/admin/exports"),
    "admin-nothing": (ADMIN, "/admin/people?q=zzz"),
    "admin-forbidden": (REP, "/admin"),
}
"""Name -> who, and where. Behind # stands a turn of the big screen, «open» for everything unfolded,
or «paper» for what is printed."""

PAYOUT_PAGES: dict[str, tuple[tuple[str, str] | None, str]] = {
    "payouts": (SELLER, "/payouts?month=2026-12"),
    "payouts-trace": (SELLER, "/payouts?month=2026-12#open"),
    "payouts-paper": (SELLER, "/payouts?month=2026-12#paper"),
    "payouts-people": (FINANCE, "/payouts?month=2026-12"),
    "payouts-empty": (REP, "/payouts?month=2026-07"),
    "payouts-forbidden": (REP, "/payouts?person=1"),
    "disputes": (FINANCE, "/disputes"),
    "disputes-empty": (REP, "/disputes"),
    "dispute": (HRBP, "/disputes/1"),
    "dispute-rep": (SELLER, "/disputes/1"),
    "dispute-paper": (HRBP, "/disputes/1#paper"),
    "fund": (SELLER, "/fund"),
    "fund-hrbp": (HRBP, "/fund"),
}
"""Shot last: they want the quarter to be over."""

FUNDED = {
    "id": "回款提成",
    "version": 1,
    "effective_from": "2026-01-01",
    "mode": "flat",
    "base": "paid_fen",
    "rate_bp": 300,
    "fund_bp": 2000,
}
CATALOGUE = (
    "类别,名称,价格,说明\n课程,谈判技巧课,150,两天，线下\n"
    "门票,工博会,80,\n培训,大客户经营,2400,三天\n"
)


def chinese_font(folder: Path) -> dict[str, str]:
    """Environment for Chromium. A machine without a Chinese font borrows ours."""
    listed = subprocess.run(
        ["fc-list", ":lang=zh-cn"],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    if listed.strip():
        return {}
    import pylopdf_fonts_zh_cn

    fonts = Path(pylopdf_fonts_zh_cn.__file__).parent
    config = folder / "fonts.conf"
    config.write_text(
        '<?xml version="1.0"?><fontconfig>'
        f"<dir>{fonts}</dir><dir>/usr/share/fonts</dir><cachedir>{folder}</cachedir>"
        '<match target="pattern"><edit name="family" mode="prepend" binding="strong">'
        "<string>Noto Sans SC</string></edit></match></fontconfig>",
        encoding="utf-8",
    )
    return {"FONTCONFIG_FILE": str(config)}


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    with tempfile.TemporaryDirectory() as folder:
        async with launched(env=chinese_font(Path(folder))) as opened:
            yield opened


async def visit(context: BrowserContext, url: str, who: tuple[str, str] | None, path: str) -> None:
    """Open a page as somebody, in the first tab of the context."""
    page = context.pages[0] if context.pages else await context.new_page()
    if who is None:
        await page.goto(f"{url}{path}")
    else:
        await page.goto(f"{url}/sandbox/open?platform={who[0]}&user={who[1]}&path={quote(path)}")
        await page.wait_for_url(lambda now: unquote(now) == f"{url}{path}")
    await page.wait_for_load_state("load")


Show = Callable[[BrowserContext, str, int], Awaitable[None]]
"""Open what the name stands for, in a context of that width."""


async def shoot(show: Show, names: list[str], widths: list[int], themes: list[str]) -> None:
    async with browser() as opened:
        for width in widths:
            for theme in themes:
                for name in names:
                    await _one(opened, show, name, width=width, theme=theme)


async def _one(opened: Browser, show: Show, name: str, *, width: int, theme: str) -> None:
    context = await opened.new_context(
        viewport={"width": width, "height": SIZES[width]},
        color_scheme="dark" if theme == "dark" else "light",
        locale="zh-CN",
    )
    await show(context, name, width)
    await context.pages[0].wait_for_timeout(700)  # a chart grows
    file = SHOTS / f"{name}-{width}-{theme}.png"
    await context.pages[0].screenshot(path=file, full_page=width < 3840 and name not in CHATS)
    await context.close()
    print(file.relative_to(ROOT), flush=True)  # noqa: T201


def of_sandbox(url: str) -> Show:
    async def show(context: BrowserContext, name: str, width: int) -> None:
        if name in CHATS:
            await open_chat(context, url, name, width=width)
        else:
            await _open_page(context, url, name, width=width)

    return show


async def shoot_states(names: list[str], widths: list[int], themes: list[str]) -> None:
    async with troubled_website() as website:

        async def show(context: BrowserContext, name: str, _: int) -> None:
            await open_state(website, await context.new_page(), name)

        await shoot(show, names, widths, themes)


async def _open_page(context: BrowserContext, url: str, name: str, *, width: int) -> None:
    who, path = {**PAGES, **PAYOUT_PAGES}[name]
    path, _, how = path.partition("#")
    await visit(context, url, who, path)
    page = context.pages[0]
    if how == "open":
        await page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    elif how == "paper":
        await page.emulate_media(media="print")
    elif how and width == max(SIZES):
        await page.get_by_role("button", name=how, exact=True).click()


async def tell_stories(sandbox: Sandbox) -> None:
    """What the demo company has not done yet: files, a contract, deals that were lost."""
    rep = Speaker(sandbox, "wecom", "zhangwei")
    await rep.say("刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系")
    await rep.say("确认")
    await rep.send_file("恒锐机电伺服产线方案.pdf", b"%PDF-1.4\n" + b"x" * 180_000)
    await rep.say("这是给恒锐机电的方案")
    await rep.say("确认")
    await rep.say("登记合同 恒锐机电 HT-2026-088，86万，预付30%，下周五前付")
    await rep.press(last_card(await rep.all()), "确认登记")
    hrbp = Speaker(sandbox, *HRBP)
    await hrbp.say(f"导入奖金规则 {NEXT_RULE}")
    await hrbp.press(last_card(await hrbp.all()), "试算三个月")
    await Speaker(sandbox, *ADMIN).say("设置角色 许诺 产品、主管")  # who leads nobody yet
    for who, words in LOST:
        speaker = Speaker(sandbox, *who)
        await speaker.say(words)
        await speaker.say("确认")


def with_a_fund(folder: Path) -> tuple[str, str]:
    """Options of a sandbox in which the company has a growth fund."""
    policy = folder / "policy.toml"
    policy.write_text('[growth_fund]\nmode = "opt_in_transfer"\n', encoding="utf-8")
    return "--policy", str(policy)


async def tell_of_bonuses(sandbox: Sandbox) -> None:
    """A rule by two people, a receipt, a quarter that is locked, a dispute, the growth fund."""
    finance, hrbp, seller = (Speaker(sandbox, *who) for who in (FINANCE, HRBP, SELLER))
    rules = json.dumps([FUNDED], ensure_ascii=False).encode()
    await finance.send_file("rules.json", rules)
    for speaker, label in (
        (finance, "试算三个月"),
        (finance, "送审"),
        (hrbp, "批准"),
        (finance, "发布"),
    ):
        await speaker.press(await _card(speaker, "奖金规则变更"), label)
    await seller.say("成长基金")
    await seller.press(await _card(seller, "成长基金"), "我同意转入")
    for number, amount in (("SK-31", "40000.00"), ("SK-32", "126500.00")):
        line = {"number": number, "line": "1", "contract": "HT-2026-022", "amount": amount,
                "currency": "CNY", "received_on": "2026-11-03"}  # fmt: skip
        assert await tell(sandbox, {"receipts": [line]}) == 200
    await hrbp.send_file("目录.csv", CATALOGUE.encode())
    await sandbox.post("clock", now="2027-01-04T10:00:00+08:00")
    await sandbox.quiesce()
    await finance.say("奖金核算 2026-12")
    await hrbp.press(await _card(hrbp, "月度奖金核算"), "批准并锁定")
    await seller.say("兑换 谈判技巧课")
    await seller.press(await _card(seller, "成长基金"), "提交兑换")
    await seller.press(await _card(seller, "我的奖金"), "有异议")
    pick = await _card(seller, "哪一笔有异议")
    options = pick["card"]["fields"][0]["options"]
    await seller.press(pick, "下一步", line=options[-1]["id"])
    await seller.say("应该按5%算：客户是我带来的，合同是增购，方案和报价都是我做的")
    await seller.press(await _card(seller, "奖金申诉"), "提交申诉")


async def _card(speaker: Speaker, title: str) -> dict[str, Any]:
    """The newest card of that kind, as it stands now."""
    found = [m for m in await speaker.all() if m["kind"] == "card" and title in m["card"]["title"]]
    return found[-1]


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url")
    parser.add_argument("--width", type=int, action="append", choices=list(SIZES))
    parser.add_argument("--theme", action="append", choices=THEMES)
    known = [*PAGES, *PAYOUT_PAGES, *CHATS, *STATES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in known]:
        parser.error(f"no such page: {', '.join(unknown)}")
    SHOTS.mkdir(exist_ok=True)
    names = given.names or known
    chosen = (given.width or list(SIZES), given.theme or THEMES)
    if given.url:
        await shoot(of_sandbox(given.url), names, *chosen)
        return
    if states := [name for name in names if name in STATES]:
        await shoot_states(states, *chosen)
    if demo := [name for name in names if name not in STATES]:
        await shoot_demo(demo, *chosen)


async def shoot_demo(names: list[str], *chosen: Any) -> None:
    """The demo company; names: of pages and chats."""
    folder = Path(tempfile.mkdtemp(prefix="gendan-shots-"))
    sandbox = Sandbox(folder / "data", *with_a_fund(folder))
    await sandbox.start()
    try:
        await tell_stories(sandbox)
        await sandbox.stop()
        await put_forecasts(folder / "data")
        await sandbox.start()
        show = of_sandbox(sandbox.url)
        await shoot(show, [name for name in names if name in PAGES], *chosen)
        later = [name for name in names if name not in PAGES]
        if later:
            await tell_of_bonuses(sandbox)
            await tell_in_chats(sandbox)
            await shoot(show, later, *chosen)
    finally:
        await sandbox.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
