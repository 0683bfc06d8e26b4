"""The administrator's pages: what they show, and what their forms do."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.domain.external import ChatGroup, ContactNews, ExternalContact, Follow
from bot.domain.people import Directory, DirectoryUser, Role
from bot.messages import Envelope
from connectors.web import admin as web_admin
from handlers.customers import duplicates
from handlers.pages.admin import exporting
from handlers.pages.admin.site import DEEDS, VIEWS
from storage.database import Database
from storage.tables import audit
from tests.handlers.light_company import at
from tests.pages import troubled
from tests.pages.website import Browser, Website, serving

HENGRUI = "杭州恒锐机电有限公司"
EVERY_PAGE = [
    "/admin", "/admin/people", "/admin/people/1", "/admin/bindings", "/admin/bindings/unbound",
    "/admin/bindings/unbound?kind=group", "/admin/bindings/bound", "/admin/libraries",
    "/admin/libraries/manufacturing", "/admin/policies", "/admin/policies/lights.yellow_days",
    "/admin/calendar", "/admin/calendar?year=2031", "/admin/operations", "/admin/dead-letters",
    "/admin/dead-letters?box=inbox", "/admin/audit", "/admin/exports",
]  # fmt: skip
TOLD = re.compile(
    r'<p class="told" data-tone="(?P<tone>\w+)" role="status">(?P<words>.*?)</p>', re.S
)


async def submit(browser: Browser, path: str, fields: Mapping[str, str]) -> tuple[int, str]:
    """The form sent, and the page to which it leads."""
    given = {"form_key": await browser.form_key(), **fields}
    headers = {"Accept": "text/html", "Origin": browser.url}
    async with browser.http.post(browser.url + path, data=given, headers=headers) as answer:
        return answer.status, await answer.text()


async def told(browser: Browser, path: str, **fields: str) -> str:
    """What the page says after the form was sent."""
    status, page = await submit(browser, path, fields)
    found = TOLD.search(page)
    assert found is not None, (status, page[:2000])
    return unescape(found["words"])


async def person_id(website: Website, who: str) -> int:
    async with website.chat.database.read() as tx:
        found = await tx.people.find_by_identity("wecom", who)
    assert found is not None
    return found.id


@pytest.mark.parametrize("path", EVERY_PAGE)
async def test_every_page_opens_for_an_administrator(website: Website, path: str) -> None:
    admin = await website.sign_in("zhao", "管理")
    status, page = await admin.get(path)
    assert status == 200, page[:1500]
    assert page.count("<h1") == 1
    assert 'aria-current="page">管理</a>' in page


def test_each_address_has_its_use_case() -> None:
    assert {one.view for one in web_admin.VIEWS} == {*VIEWS, "exports"}
    assert {one.deed for one in web_admin.FORMS} == set(DEEDS)


async def test_words_lead_there_and_others_are_told_who_may(website: Website) -> None:
    for words in ("管理", "网页 管理"):
        browser = await website.sign_in("zhao", words)
        assert await browser.status("/admin") == 200
    assert "管理页给管理员和销售总监看" in await website.chat.say("zhang", "管理")
    page = (await (await website.sign_in("zhang")).get("/customers"))[1]
    assert "/admin" not in page


async def test_people_are_found_by_name_mobile_and_account(website: Website) -> None:
    users = tuple(
        DirectoryUser(f"user{number}", f"同事{number:04}", mobile=f"138{number:08}")
        for number in range(130)
    )
    async with website.chat.database.begin() as tx:
        await tx.people.save_directory(
            Directory("wecom", users=users, whole=False),
            roles_by_title=website.chat.policy.roles.roles_of,
            at=website.chat.now,
        )
    admin = await website.sign_in("zhao", "管理")
    for words, name in (
        ("同事0077", "同事0077"),
        ("13800000078", "同事0078"),
        ("USER79", "同事0079"),
    ):
        page = (await admin.get(f"/admin/people?q={words}"))[1]
        assert re.findall(r'<a href="/admin/people/\d+">(.*?)</a>', page) == [name]
    seen: list[str] = []
    path: str | None = "/admin/people"
    while path is not None:
        page = (await admin.get(path))[1]
        seen += re.findall(r'<a href="/admin/people/\d+">(.*?)</a>', page)
        onward = re.search(r'href="(?P<path>[^"]+)" rel="next"', page)
        path = unescape(onward["path"]) if onward else None
    assert len(seen) == len(set(seen)) == 135
    assert "没有找到人" in (await admin.get("/admin/people?q=%25"))[1]
    assert (await admin.get("/admin/people?status=nonsense"))[0] == 400
    assert (await admin.get("/admin/people?after=nonsense"))[0] == 400


async def test_roles_supervisor_and_leave_of_somebody(website: Website) -> None:
    admin = await website.sign_in("zhao", "管理")
    zhang = await person_id(website, "zhang")
    here = f"/admin/people/{zhang}"
    said = await told(admin, f"{here}/roles", **{"role.rep": "on", "role.csm": "on"})
    assert said == "张伟的角色已设为：销售、客户成功。以后不再随职务变化。"
    said = await told(admin, f"{here}/supervisor", who="王建国")
    assert "张伟的主管已设为王建国" in said
    assert "不能做自己的主管" in await told(admin, f"{here}/supervisor", who="张伟")
    assert "没有在岗的「无此人」" in await told(admin, f"{here}/supervisor", who="无此人")
    said = await told(admin, f"{here}/leave", until="2026-01-30", deputy="陈静")
    assert "张伟" in said
    page = (await admin.get(here))[1]
    assert "陈静 代班" in page
    assert "到1月30日" in page
    assert "日期请写成" in await told(admin, f"{here}/leave", until="下周")
    assert "张伟" in await told(admin, f"{here}/leave", end="1")
    async with website.chat.database.begin() as tx:
        person = await tx.people.get(zhang)
        queued = await tx.delivery.take_due(at=website.chat.now, limit=50)
    assert person.roles == {Role.REP, Role.CSM}
    assert not person.on_leave(website.chat.now)
    assert "你的角色现在是：销售、客户成功" in str(
        [one.content for one in queued]
    )  # the first to him


async def test_the_last_administrator_stays_one(website: Website) -> None:
    admin = await website.sign_in("zhao", "管理")
    zhao = await person_id(website, "zhao")
    said = await told(admin, f"/admin/people/{zhao}/roles", **{"role.rep": "on"})
    assert "最后一位管理员" in said
    assert "至少要选一个角色" in await told(admin, f"/admin/people/{zhao}/roles")


async def test_two_accounts_become_one_person_and_two_again(website: Website) -> None:
    async with website.chat.database.begin() as tx:
        await tx.people.save_directory(
            Directory("dingtalk", users=(DirectoryUser("0123", "张伟"),), whole=False),
            roles_by_title=website.chat.policy.roles.roles_of,
            at=website.chat.now,
        )
    admin = await website.sign_in("zhao", "管理")
    here = f"/admin/people/{await person_id(website, 'zhang')}"
    page = (await admin.get(here))[1]
    other = re.search(r'name="other" value="(?P<other>#\d+)"', page)
    assert other is not None
    assert "同名：钉钉 0123" in page
    assert "张伟" in await told(admin, f"{here}/join", other=other["other"])
    assert "拆成两个人" in (await admin.get(here))[1]
    assert "张伟" in await told(admin, f"{here}/part")
    async with website.chat.database.read() as tx:
        assert len((await tx.people.get(int(here.rsplit("/", 1)[1]))).identities) == 1
    assert await website.audited("join_people")
    assert await website.audited("split_people")


async def test_a_leavers_work_is_shown_and_handed_over(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    async with website.chat.database.begin() as tx:
        gone = Directory("wecom", left_user_ids=("zhang",), whole=False)
        await tx.people.save_directory(
            gone, roles_by_title=website.chat.policy.roles.roles_of, at=website.chat.now
        )
    admin = await website.sign_in("zhao", "管理")
    assert "1位离开的同事还有客户没交接" in (await admin.get("/admin"))[1]
    listed = (await admin.get("/admin/people?status=handover"))[1]
    here = re.search(r'href="(?P<path>/admin/people/\d+)">张伟', listed)
    assert here is not None
    page = (await admin.get(here["path"]))[1]
    assert "还没交接的工作" in page
    assert HENGRUI in page
    said = await told(admin, f"{here['path']}/hand-over", who="陈静")
    assert "陈静" in said
    async with website.chat.database.read() as tx:
        owner = await tx.people.get((await tx.accounts.get(account.id)).owner_id)
    assert owner.name == "陈静"
    assert "还没交接的工作" not in (await admin.get(here["path"]))[1]


async def test_whoever_lost_a_phone_is_signed_out_everywhere(website: Website) -> None:
    zhang, admin = await website.sign_in("zhang"), await website.sign_in("zhao", "管理")
    assert await zhang.status("/customers") == 200
    here = f"/admin/people/{await person_id(website, 'zhang')}"
    assert "退出登录" in await told(admin, f"{here}/sign-out")
    assert await zhang.status("/customers") == 401


async def _contacts(website: Website) -> None:
    """王总 has the customer's mobile, 刘工 nothing in common, and there is a group."""
    contacts = (
        ExternalContact("wecom", "wm1", "王总", mobile="13800001111"),
        ExternalContact("wecom", "wm2", "刘工<b>"),
    )
    follows = tuple(Follow("wecom", "zhang", one.external_id) for one in contacts)
    async with website.chat.database.begin() as tx:
        account = await tx.accounts.find_by_name(HENGRUI)
        assert account is not None
        await tx.accounts.add_contact(account.id, "王总", mobile="13800001111")
        await tx.external_contacts.save(
            ContactNews("wecom", contacts, follows), places=frozenset(), at=website.chat.now
        )
        group = ChatGroup("wecom", "wrGROUP", "恒锐项目群", "zhang")
        await tx.chat_groups.save(group, at=website.chat.now)
    await duplicates.file_all(website.chat.database.begin, website.chat.now)


async def test_proposed_bindings_are_accepted_at_once(website: Website) -> None:
    await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await _contacts(website)
    director = await website.sign_in("wang", "管理")
    page = (await director.get("/admin/bindings"))[1]
    pairs = re.findall(r'name="(pair\.[^"]+)"', page)
    assert len(pairs) == 1
    assert "手机号相同" in page
    said = await told(director, "/admin/bindings/accept", **{pairs[0]: "on"})
    assert said == "已绑定1个会话，留存的消息已进客户动态。"
    assert "没有可以自动对上的" in (await director.get("/admin/bindings"))[1]
    bound = (await director.get("/admin/bindings/bound?q=恒锐"))[1]
    assert "王总" in bound
    assert "王建国" in bound
    assert "一个都没有选" in await told(director, "/admin/bindings/accept")
    said = await told(director, "/admin/bindings/unbind", platform="wecom", key="wm1")
    assert "解绑" in said
    said = await told(director, "/admin/bindings/accept", **{"pair.wecom~9999~wm1": "on"})
    assert said == "已绑定0个会话，留存的消息已进客户动态；1个已不再对得上，没有绑定。"


async def test_an_unbound_group_is_bound_with_what_was_kept_of_it(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    await _contacts(website)
    await website.chat.say("zhang", "方案发给王总了", group="wrGROUP")
    admin = await website.sign_in("zhao", "管理")
    page = (await admin.get("/admin/bindings/unbound?kind=group"))[1]
    assert "恒锐项目群" in page
    assert "留存1条消息" in page
    contacts = (await admin.get("/admin/bindings/unbound"))[1]
    assert "刘工&lt;b&gt;" in contacts
    fields = {"platform": "wecom", "key": "wrGROUP", "kind": "group"}
    said = await told(admin, "/admin/bindings/bind", **fields, customer="没有这家公司")
    assert "没有这家公司" in said
    said = await told(admin, "/admin/bindings/bind", **fields, customer="恒锐机电")
    assert said.startswith(f"恒锐项目群已绑定到{HENGRUI}")
    async with website.chat.database.read() as tx:
        stream, _ = await tx.activities.page(account.id, limit=10, before=None)
    assert any("方案发给王总了" in one.text for one in stream)
    assert "已经绑定在" in await told(admin, "/admin/bindings/bind", **fields, customer="恒锐机电")


async def test_a_number_is_changed_after_a_look_at_what_it_comes_to(website: Website) -> None:
    admin = await website.sign_in("zhao", "管理")
    here = "/admin/policies/lights.yellow_days"
    page = (await admin.get(f"{here}?value=2"))[1]
    assert "3个工作日 → 2个工作日" in page
    was = re.search(r'name="was" value="(?P<was>[^"]*)"', page)
    assert was is not None
    assert "改为 2个工作日" in await told(admin, here, value="2", was=was["was"])
    page = (await admin.get(here))[1]
    assert "赵倩" in page
    assert "<dd>2个工作日</dd>" in page
    assert "已经被别人改过" in await told(admin, here, value="4", was=was["was"])
    for value, why in (("9", "不能改成"), ("很多", "不是黄灯天数的写法"), ("2", "不用改")):
        assert why in (await admin.get(f"{here}?value={value}"))[1]
    assert await website.audited("change_policy")
    assert (await admin.get("/admin/policies/no.such"))[0] == 404


async def test_a_team_gets_another_library_after_a_preview(website: Website) -> None:
    await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    director = await website.sign_in("wang", "管理")
    page = (await director.get("/admin/libraries/medical?team=李敏"))[1]
    assert "范围：李敏的团队" in page
    assert "确认切换" in page
    assert "管理员" in (await director.get("/admin/libraries/medical?team="))[1]
    said = await told(director, "/admin/libraries/medical/switch", version="0", team="李敏")
    assert "李敏的团队已切换到动作库" in said
    assert "李敏的团队" in (await director.get("/admin/libraries"))[1]
    assert (await submit(director, "/admin/libraries/medical/switch", {"version": "0"}))[0] == 403
    assert (await director.get("/admin/libraries/nothing"))[0] == 404
    assert (await director.get("/admin/libraries/medical?version=7"))[0] == 404


async def _dead(website: Website, count: int) -> None:
    chat = website.chat
    for number in range(count):
        await chat.database.append(
            Envelope(
                channel="wecom:sales:app",
                delivery_id=f"dead{number}",
                conversation="wecom:sales:u:zhang",
                sent_at=chat.now,
                received_at=chat.now,
                body=b"<xml/>",
                unreadable="签名对，内容读不懂",
            )
        )


async def test_dead_letters_are_replayed_one_by_one_and_by_their_reason(website: Website) -> None:
    await _dead(website, 120)
    admin = await website.sign_in("zhao", "管理")
    page = (await admin.get("/admin/dead-letters?box=inbox"))[1]
    assert "收到的 120" in page
    assert "重放这120条" in page
    number = re.search(r'name="id" value="(?P<id>\d+)"', page)
    assert number is not None
    said = await told(admin, "/admin/dead-letters/replay", box="inbox", id=number["id"])
    assert said == "1条已放回，几秒内重新处理或发送。"
    said = await told(admin, "/admin/dead-letters/replay", box="inbox", id=number["id"])
    assert "已经不在了" in said
    kind = {"place": "wecom:sales:app", "reason": "签名对，内容读不懂"}
    said = await told(admin, "/admin/dead-letters/replay", box="inbox", **kind)
    assert said.startswith("119条已放回")
    async with website.chat.database.read() as tx:
        counts = await tx.delivery.counts()
    assert (counts["inbox_dead"], counts["inbox"]) == (0, 120)
    assert len(await website.audited("replay")) == 2
    assert "没有失败的消息" in (await admin.get("/admin/dead-letters?box=inbox"))[1]


async def test_an_emptied_dead_letter_says_why_it_is_not_replayed(website: Website) -> None:
    await _dead(website, 1)
    admin = await website.sign_in("zhao", "管理")
    page = (await admin.get("/admin/dead-letters?box=inbox"))[1]
    number = re.search(r'name="id" value="(?P<id>\d+)"', page)
    assert number is not None
    much_later = website.chat.now + timedelta(days=181)
    async with website.chat.database.begin() as tx:
        await tx.raw_words.go_on("inbox", before=much_later, at=much_later)
    page = (await admin.get("/admin/dead-letters?box=inbox"))[1]
    assert "原文满180天已删去，或按客户删除了" in page
    assert 'name="id"' not in page
    said = await told(admin, "/admin/dead-letters/replay", box="inbox", id=number["id"])
    assert "原文已经删除，不能再重放" in said


async def test_how_long_what_is_kept_is_told_with_the_number_that_applies(
    website: Website,
) -> None:
    admin = await website.sign_in("zhao", "管理")
    page = (await admin.get("/admin/operations"))[1]
    assert "180天，之后每晚删去" in page
    assert "3年，有在谈商机的除外" in page
    here = "/admin/policies/privacy.raw_chat_days"
    assert "改为 90天" in await told(admin, here, value="90", was="180")
    assert "90天，之后每晚删去" in (await admin.get("/admin/operations"))[1]


async def test_the_audit_is_searched_and_a_changed_entry_shows(website: Website) -> None:
    admin = await website.sign_in("zhao", "管理")
    zhang = await person_id(website, "zhang")
    await told(admin, f"/admin/people/{zhang}/roles", **{"role.csm": "on"})
    website.chat.now += timedelta(days=2)
    await website.sign_in("zhang")
    page = (await admin.get("/admin/audit?action=set_roles"))[1]
    assert "角色：客户成功" in page
    assert 'href="/admin/people/' in page
    found = (await admin.get("/admin/audit?who=张伟"))[1]
    assert "登录网页" in found
    assert "roles = " not in found
    early = (await admin.get("/admin/audit?until=2026-01-28&action=sign_in"))[1]
    late = (await admin.get("/admin/audit?since=2026-01-30&action=sign_in"))[1]
    assert ("赵倩" in early.split("trail")[1], "张伟" in early.split("trail")[1]) == (True, False)
    assert "张伟" in late.split("trail")[1]
    assert "没有在岗的「无此人」" in (await admin.get("/admin/audit?who=无此人"))[1]
    assert "日期请写成" in (await admin.get("/admin/audit?since=昨天"))[1]
    assert "审计链完整" in await told(admin, "/admin/audit/verify")
    async with website.chat.database.begin() as tx:
        await tx._conn.execute(update(audit).where(audit.c.seq == 2).values(after='{"x":1}'))
    assert "审计链在第2条断开" in await told(admin, "/admin/audit/verify")
    assert "被改动过" in (await admin.get("/admin/audit"))[1]


async def _exported(browser: Browser, what: str) -> list[list[str]]:
    given = {"form_key": await browser.form_key()}
    headers = {"Origin": browser.url}
    where = f"{browser.url}/admin/exports/{what}"
    async with browser.http.post(where, data=given, headers=headers) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/csv"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        data = await answer.read()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


async def test_exports_hold_everything_and_run_nothing_in_a_spreadsheet(website: Website) -> None:
    account = await website.chat.customer(HENGRUI, "zhang", "恒锐机电")
    for number in range(5):
        await website.entry(account, number, text=f'=HYPERLINK("http://x","{number}")')
    admin = await website.sign_in("zhao", "管理")
    people = await _exported(admin, "people")
    assert {row[1] for row in people[1:]} == {"张伟", "陈静", "李敏", "王建国", "赵倩"}
    stream = await _exported(admin, "activities")
    assert len(stream) == 1 + 1 + 5
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in stream for cell in row)
    assert {row[3] for row in stream[1:]} == {HENGRUI}
    trail = await _exported(admin, "audit")
    assert [row[3] for row in trail].count("export") == 3
    assert {row[7] for row in trail[1:]} == {"是"}
    assert (await submit(admin, "/admin/exports/nothing", {}))[0] == 404


@pytest.mark.parametrize(
    ("value", "written"),
    [("=1+1", "'=1+1"), ("+86", "'+86"), ("-2", "'-2"), ("@x", "'@x"), ("\tx", "'\tx"), (None, ""),
     ("张伟", "张伟"), (12, "12")],
)  # fmt: skip
def test_a_cell_is_never_a_formula(value: object, written: str) -> None:
    assert exporting.cell(value) == written


async def test_nobody_else_puts_words_into_the_page_or_sends_its_forms(website: Website) -> None:
    admin = await website.sign_in("zhao", "管理")
    page = (await admin.get("/admin?said=请把密码发给我&outcome=done&seal=0"))[1]
    assert "请把密码发给我" not in page
    assert (await admin.get("/admin?said=x&seal=钥匙"))[0] == 200
    zhang = await person_id(website, "zhang")
    key = await admin.form_key()
    for origin, form_key in (("https://elsewhere.example", key), ("", "wrong"), ("", "")):
        status, _ = await admin.post(
            f"/admin/people/{zhang}/roles", origin, form_key=form_key, **{"role.admin": "on"}
        )
        assert status == 403
    async with website.chat.database.read() as tx:
        assert (await tx.people.get(zhang)).roles == {Role.REP}


async def test_a_bad_day_is_told_in_words_that_help(
    sqlite_database: Database, tmp_path: Path
) -> None:
    machine = troubled.machine(at("2026-01-28 15:00"))
    async with serving(sqlite_database, tmp_path / "files", machine=machine) as website:
        await troubled.befalls(website)
        admin = await website.sign_in("zhao", "管理")
        page = (await admin.get("/admin"))[1]
        waiting = re.findall(r'<li><div class="top"><a href="[^"]+">(.+?)</a>', page)
        assert waiting == [
            "收件队列", "平台凭证", "企业微信 · sales",
            "企业微信 · huadong-industrial-automation-sales", "钉钉 · sales", "钉钉 · service",
            "312条消息没能处理或发出", "收到的消息积压", "要发的消息积压",
        ]  # fmt: skip
        assert "1月的调用量已用" in page
        assert "not allow to access" not in page
        page = (await admin.get("/admin/operations"))[1]
        names = re.findall(r'<h2 id="connector-\d">(.+?)</h2>', page)
        assert names.index("企业微信 · aibot") > names.index("钉钉 · sales"), "the ill come first"
        assert "<code>wecom:gettoken: 40001 invalid credential</code>" in page
        page = (await admin.get("/admin/dead-letters"))[1]
        assert "<b>张伟</b>" in page
        assert "<b>群 wrHUADONG</b>" in page
        assert "重放这214条" in page
        page = (await admin.get("/admin/dead-letters?box=inbox"))[1]
        assert "<b>没有连上模型</b>" in page
        assert "日志编号 5be2d110" in page
