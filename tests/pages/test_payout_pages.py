"""Bonuses, disputes and the growth fund on pages: traced, decided, and shown to nobody else."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bot.domain.people import Role
from handlers.payouts.verifying import verify
from storage.database import Database
from storage.tables import outbox, payout_lines
from tests.pages.payouts_website import (
    REASON,
    Paid,
    paid_and_disputed,
    with_a_fund,
    with_bonuses,
)
from tests.pages.website import Browser, Website, serving

OVERSEERS = {Role.FINANCE, Role.HRBP, Role.ADMIN, Role.SALES_DIRECTOR}


@pytest.fixture
async def website(database: Database, tmp_path: Path) -> AsyncIterator[Website]:
    async with serving(database, tmp_path / "files", change=with_a_fund) as running:
        yield running


async def _pack(browser: Browser, person: str = "", month: str = "2026-03") -> tuple[int, bytes]:
    fields = {"form_key": await browser.form_key(), "person": person, "month": month}
    path = browser.url + "/payouts/pack"
    async with browser.http.post(path, data=fields, headers={"Origin": browser.url}) as answer:
        return answer.status, await answer.read()


async def test_a_line_is_traced_to_rule_contract_and_receipt(website: Website) -> None:
    await paid_and_disputed(website)
    page = (await (await website.sign_in("zhang", "网页 奖金")).get("/payouts?month=2026-03"))[1]
    for told in ("1,200.00元", "HT-2026-018", "按回款的 3% 提成", "40,000.00元", "SK1", "已锁定",
                 "其中转入成长基金", "240.00元"):  # fmt: skip
        assert told in page, told


async def test_words_lead_to_the_pages(website: Website) -> None:
    await with_bonuses(website)
    for words, heading in (("奖金", "我的奖金"), ("申诉", "我的申诉"), ("成长基金", "成长基金")):
        ticket = (await website.link("zhang", f"网页 {words}")).removeprefix("/in/")
        status, page = await website.browser().post("/in", ticket=ticket)
        assert status == 200
        assert heading in page


async def test_without_rules_or_lines_the_page_says_what_to_do(website: Website) -> None:
    browser = await website.sign_in("zhang")
    assert "还没有发布奖金规则" in (await browser.get("/payouts"))[1]
    await with_bonuses(website)
    assert "还没有奖金" in (await browser.get("/payouts"))[1]
    assert "没有在办的申诉" in (await browser.get("/disputes"))[1]


async def test_a_pack_from_the_page_holds_and_stands_in_the_chain(website: Website) -> None:
    await paid_and_disputed(website)
    browser = await website.sign_in("zhang")
    status, first = await _pack(browser)
    _, second = await _pack(browser)
    assert status == 200
    assert not verify(first).findings
    assert not verify(second).findings
    who = f"person:{website.chat.people['zhang'].id}"
    assert [actor for actor, _ in await website.audited("export_payout_pack")] == [who, who]


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_sees_anothers_pay_only_where_the_chat_shows_it(
    website: Website, role: Role
) -> None:
    """陈静 has nothing to do with 张伟 but the role."""
    told = await paid_and_disputed(website)
    async with website.chat.database.begin() as tx:
        await tx.people.set_roles(website.chat.people["chen"].id, [role])
    in_chat = "只有本人" not in await website.chat.say("chen", "奖金 张伟 2026-03")
    assert in_chat == (role in OVERSEERS)
    browser, zhang = await website.sign_in("chen"), website.chat.people["zhang"].id
    for path in (f"/payouts?month=2026-03&person={zhang}", f"/fund?person={zhang}"):
        status, page = await browser.get(path)
        assert status == (200 if in_chat else 403), path
        assert ("240.00元" in page) == in_chat
    status, page = await browser.get(f"/disputes/{told.dispute}")
    assert status == (200 if in_chat else 404)
    assert (REASON in page) == in_chat
    assert (f"/disputes/{told.dispute}" in (await browser.get("/disputes"))[1]) == in_chat
    assert (await _pack(browser, str(zhang)))[0] == (200 if in_chat else 403)
    denied = [subject for _, subject in await website.audited("page_denied")]
    assert len(denied) == (0 if in_chat else 4)


async def test_who_is_not_theirs_looks_like_who_is_not_there(website: Website) -> None:
    told = await paid_and_disputed(website)
    chen, zhang = await website.sign_in("chen"), website.chat.people["zhang"].id
    for path, other in (
        (f"/payouts?person={zhang}", "/payouts?person=987654"),
        (f"/disputes/{told.dispute}", "/disputes/987654"),
    ):
        assert (await chen.get(path)) == (await chen.get(other))
    for path in ("/payouts?person=x", "/payouts?month=2026-13", "/payouts?start=-1",
                 "/disputes?before=x", "/disputes?kind=x", "/fund?person=%00"):  # fmt: skip
        assert await chen.status(path) == 400, path


async def test_a_leader_sees_the_people_below_and_nobody_else(website: Website) -> None:
    await paid_and_disputed(website)
    li = await website.sign_in("li")
    page = (await li.get("/payouts?month=2026-03"))[1]
    assert "张伟" in page
    assert "1,200.00元" in page
    async with website.chat.database.begin() as tx:
        await tx.people.set_supervisor_override(
            website.chat.people["zhang"].id, website.chat.people["wang"].id
        )
    assert "1,200.00元" not in (await li.get("/payouts?month=2026-03"))[1]


async def test_the_big_screen_names_nobodys_pay(website: Website) -> None:
    await paid_and_disputed(website)
    page = (await (await website.sign_in("wang")).get("/"))[1]
    assert "1,200.00" not in page


async def test_the_arbiter_decides_on_the_page_as_in_the_chat(website: Website) -> None:
    told = await paid_and_disputed(website)
    he = await _arbiter(website, told)
    path = f"/disputes/{told.dispute}"
    page = (await he.get(path))[1]
    for words in ("支持申诉的", "不支持申诉的", "一、怎么算的", REASON, "你的裁定"):
        assert words in page, words
    key = await he.form_key()
    form = {"form_key": key, "outcome": "partly_upheld", "yuan": "400", "words": "有一半是5%"}
    status, page = await he.post(f"{path}/ruling", **form)
    assert status == 200
    assert "部分支持，补发 400.00元" in page
    assert await _awarded(website) == 0, "nothing counts before it was confirmed"
    status, page = await he.post(f"{path}/ruling", **form, sure="1")
    assert status == 200
    assert "裁定：部分支持" in page
    assert await _awarded(website) == 40_000
    async with website.chat.database.read() as tx:
        queued = (await tx.delivery._conn.execute(select(outbox))).all()
    assert any("有结果了：部分支持" in str(one) for one in queued), "he hears of it in the chat"
    status, page = await he.post(f"{path}/ruling", **form, sure="1")
    assert status == 400
    assert "已经处理过" in page
    assert await _awarded(website) == 40_000


async def test_a_form_that_is_not_complete_says_why_and_keeps_what_was_written(
    website: Website,
) -> None:
    told = await paid_and_disputed(website)
    he = await _arbiter(website, told)
    key, path = await he.form_key(), f"/disputes/{told.dispute}/ruling"
    status, page = await he.post(path, form_key=key, outcome="upheld", yuan="很多", words="按5%算")
    assert status == 400
    assert "请填补发多少元" in page
    assert "按5%算" in page
    assert (await he.post(path, form_key="", outcome="rejected", words="不"))[0] == 403
    elsewhere = await he.post(
        path, origin="https://elsewhere.example", form_key=key, outcome="rejected", words="不",
    )  # fmt: skip
    assert elsewhere[0] == 403


async def test_nobody_decides_but_the_arbiter(website: Website) -> None:
    told = await paid_and_disputed(website)
    form = {"outcome": "upheld", "yuan": "400", "words": "给自己", "sure": "1"}
    for who, status in (("zhang", 403), ("he", 403), ("li", 403), ("chen", 404)):
        browser = await website.sign_in(who)
        key = await browser.form_key()
        path = f"/disputes/{told.dispute}/ruling"
        assert (await browser.post(path, form_key=key, **form))[0] == status, who
    assert await _awarded(website) == 0
    assert "你的裁定" not in (await browser.get(f"/disputes/{told.dispute}"))[1]


async def test_the_arbiter_asks_on_the_page(website: Website) -> None:
    told = await paid_and_disputed(website)
    he = await _arbiter(website, told)
    status, page = await he.post(
        f"/disputes/{told.dispute}/question",
        form_key=await he.form_key(),
        question="哪份补充协议？",
    )
    assert status == 200
    assert "等补充" in page
    assert "哪份补充协议？" in page
    assert "你的裁定" not in page


async def test_the_fund_shows_how_it_came_about(website: Website) -> None:
    told = await paid_and_disputed(website)
    await told.company.chat.say("he", "新增兑换 课程 谈判技巧课 150元 两天")
    await told.company.chat.say("zhang", "兑换 谈判技巧课")
    await told.company.press("zhang", "提交兑换", "redeem-wish-")
    page = (await (await website.sign_in("zhang")).get("/fund"))[1]
    for words in ("90.00元", "冻结 150.00元", "2026年第1季度 本人奖金", "待批准", "我自愿"):
        assert words in page, words
    assert "等你批准" not in page
    he = (await (await website.sign_in("he")).get("/fund"))[1]
    assert "张伟 · 谈判技巧课" in he


async def test_consent_is_given_and_ended_on_the_page(website: Website) -> None:
    await with_bonuses(website)
    zhang = await website.sign_in("zhang")
    page = (await zhang.get("/fund"))[1]
    assert "我自愿把以后每个季度奖金的 20% 转入成长基金" in page
    assert 'name="share_bp" value="2000"' in page
    key = await zhang.form_key()
    status, page = await zhang.post("/fund/consent", form_key=key, share_bp="1000")
    assert status == 400, "these are not the words that were shown"
    assert "转入的比例刚刚改了" in page
    assert (await zhang.post("/fund/consent", share_bp="2000"))[0] == 403
    status, page = await zhang.post("/fund/consent", form_key=key, share_bp="2000")
    assert status == 200
    assert "已同意每季度转入奖金的 20%" in page
    await zhang.post("/fund/consent", form_key=key, share_bp="2000")
    assert len(await website.audited("give_growth_consent")) == 1, "once is enough"
    assert "已记下你的同意" in await _queued(website)
    he = await website.sign_in("he")
    page = (await he.get(f"/fund?person={website.chat.people['zhang'].id}"))[1]
    assert "/fund/consent" not in page, "nobody ends it for somebody else"
    status, page = await zhang.post("/fund/consent", form_key=key, stop="1")
    assert "没有同意转入，奖金全部发现金" in page
    assert len(await website.audited("end_growth_consent")) == 1


async def test_a_course_is_asked_for_once_and_approved_by_somebody_else(website: Website) -> None:
    told = await paid_and_disputed(website)
    await told.company.chat.say("he", "新增兑换 课程 谈判技巧课 100元 两天")
    await told.company.chat.say("he", "新增兑换 培训 大客户经营 2400元")
    zhang, he = await website.sign_in("zhang"), await website.sign_in("he")
    key = await zhang.form_key()
    page = (await zhang.get("/fund"))[1]
    assert "还差 2,160.00元" in page
    assert "兑换：大客户经营" not in page
    status, page = await zhang.post("/fund/redeem", form_key=key, name="谈判技巧课")
    assert status == 200
    assert "余额 240.00元，兑换后剩 140.00元" in page
    assert "冻结" not in (await zhang.get("/fund"))[1], "nothing is held before it is confirmed"
    form = {"form_key": key, "sure": "1", "name": "谈判技巧课", "price_fen": "10000",
            "once": _once(page)}  # fmt: skip
    for changed, why in (({"price_fen": "9900"}, "价格改成了"), ({"once": "x"}, "刷新页面"),
                         ({"name": "没有"}, "兑换目录里没有")):  # fmt: skip
        status, page = await zhang.post("/fund/redeem", **{**form, **changed})
        assert (status, why in page) == (400, True), why
    _, page = await zhang.post("/fund/redeem", **form)
    assert "冻结 100.00元" in page
    status, page = await zhang.post("/fund/redeem", **form)
    assert (status, "已经处理过" in page, "冻结 100.00元" in page) == (400, True, True)
    number = _number(page)
    chen, path = await website.sign_in("chen"), f"/fund/redemptions/{number}"
    for browser, act, refused in ((zhang, "approve", 403), (chen, "approve", 404),
                                  (he, "withdraw", 403), (he, "give", 400)):  # fmt: skip
        fields = {"form_key": await browser.form_key(), "act": act}
        assert (await browser.post(path, **fields))[0] == refused, act
    approve = {"form_key": await he.form_key(), "act": "approve"}
    assert (await he.post(path, **approve))[0] == 200
    assert (await he.post(path, **approve))[0] == 400
    page = (await zhang.get("/fund"))[1]
    for words in ("140.00元", "已批准"):
        assert words in page
    assert "冻结" not in page.split("明细")[0]
    assert "何姐批准了你兑换的「谈判技巧课」" in await _queued(website)


async def test_what_was_asked_for_is_taken_back_on_the_page(
    website: Website,
) -> None:
    told = await paid_and_disputed(website)
    await told.company.chat.say("he", "新增兑换 课程 谈判技巧课 100元 两天")
    zhang = await website.sign_in("zhang")
    key = await zhang.form_key()
    _, page = await zhang.post("/fund/redeem", form_key=key, name="谈判技巧课")
    _, page = await zhang.post(
        "/fund/redeem", form_key=key, sure="1", name="谈判技巧课", price_fen="10000",
        once=_once(page),
    )  # fmt: skip
    _, page = await zhang.post(f"/fund/redemptions/{_number(page)}", form_key=key, act="withdraw")
    assert "已撤回" in page
    assert "240.00元" in page


async def test_a_long_month_comes_in_parts(website: Website) -> None:
    await with_bonuses(website)
    await _many(website, 120)
    browser = await website.sign_in("zhang")
    page = (await browser.get("/payouts?month=2026-01"))[1]
    assert "第1到50笔，共120笔" in page
    assert len(re.findall("不属于合同", page)) == 50
    for shown in ("第51到100笔", "第101到120笔"):
        (onward,) = re.findall(r'href="(/payouts\?month=2026-01&[^"]*start=\d+)"', page)
        page = (await browser.get(html.unescape(onward)))[1]
        assert shown in page
    assert "start=" not in page


async def test_nobody_who_is_not_signed_in_sees_anything(website: Website) -> None:
    told = await paid_and_disputed(website)
    for path in ("/payouts", "/disputes", f"/disputes/{told.dispute}", "/fund"):
        status, page = await website.browser().get(path)
        assert status == 401
        assert "1,200.00" not in page


def _once(page: str) -> str:
    found = re.search('name="once" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def _number(page: str) -> int:
    found = re.search(r"/fund/redemptions/(\d+)", page)
    assert found is not None
    return int(found[1])


async def _queued(website: Website) -> str:
    async with website.chat.database.read() as tx:
        return str((await tx.delivery._conn.execute(select(outbox.c.content))).all())


async def _arbiter(website: Website, told: Paid) -> Browser:
    """Whoever the dispute was given to."""
    async with website.chat.database.begin() as tx:
        dispute = await tx.payout_disputes.get(told.dispute)
        assert dispute.arbiter_id is not None
        people = {person.id: key for key, person in website.chat.people.items()}
    return await website.sign_in(people[dispute.arbiter_id])


async def _awarded(website: Website) -> int:
    async with website.chat.database.read() as tx:
        lines = await tx.payout_ledger.of_person(website.chat.people["zhang"].id, "2026-04")
    return sum(one.fen for one in lines)


async def _many(website: Website, count: int) -> None:
    row = {
        "person_id": website.chat.people["zhang"].id, "month": "2026-01", "kind": "adjustment",
        "fen": 100, "why": "补", "origin": "decision", "made_at": website.chat.now,
    }  # fmt: skip
    async with website.chat.database.begin() as tx:
        await tx.delivery._conn.execute(insert(payout_lines), [row] * count)
