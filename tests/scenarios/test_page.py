"""The chat page in a real Chromium: what a visitor does, and what they then see."""

from __future__ import annotations

import re
import struct
import wave
import zlib
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from aiohttp import web
from playwright.async_api import Page, expect

from tests.browsers import need_axe, reaches_everything, serious_flaws, walk
from tests.scenarios.page_bed import CARD, FRIDAY, Bed, browsing, serving

pytestmark = pytest.mark.browser
SENTENCE = "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系"


@pytest.fixture
def bed() -> Bed:
    return Bed()


@pytest.fixture
async def page(bed: Bed) -> AsyncIterator[Page]:
    async with serving(bed) as url, browsing(url) as opened:
        yield opened


async def _choose(page: Page, person: str) -> None:
    await page.locator(f'[data-person="{person}"]').click()


async def _say(page: Page, text: str) -> None:
    await page.get_by_label("消息", exact=True).last.fill(text)
    await page.get_by_label("消息", exact=True).last.press("Enter")


async def test_a_sentence_becomes_a_card_whose_form_and_button_reach_the_stream(
    page: Page, bed: Bed
) -> None:
    await _choose(page, "wecom:zhangwei")
    await page.get_by_role("button", name=SENTENCE).click()
    await page.keyboard.press("Enter")
    card = page.get_by_role("article", name=CARD["title"])
    await expect(card).to_contain_text("25分钟")
    await card.get_by_label("下次联系").select_option("2026-03-11")
    await card.get_by_label("见面对象").fill("王总")
    await card.get_by_role("button", name="确认").click()
    await expect(card).to_contain_text("已记录 · 有效跟进")
    await expect(card.get_by_role("button")).to_have_count(0)
    assert bed.pressed == [
        ("zhangwei", "confirm", {"next_contact": "2026-03-11", "contact": "王总"})
    ]
    stream = page.get_by_role("complementary", name="客户动态")
    await expect(stream.locator("h2")).to_have_text("杭州恒锐机电有限公司")
    await expect(stream.get_by_role("listitem").last).to_contain_text("嫌价格高")


async def test_a_jump_in_time_shows_who_was_told(page: Page, bed: Bed) -> None:
    await page.locator("#clock").get_by_role("button", name="+6 个工作日").first.click()
    notice = page.locator(".toast")
    await expect(notice).to_contain_text("3月16日(周一) 15:00")
    await expect(notice).to_contain_text("李敏")
    await expect(page.locator("#clock time")).to_have_text("3月16日(周一) 15:00")
    await expect(page.locator('[data-person="wecom:limin"] .unread')).to_have_text("1")
    await notice.get_by_role("button", name="去看看").click()
    await expect(page.get_by_role("log")).to_contain_text("红灯 恒锐机电")
    await expect(page.locator('[data-person="wecom:limin"] .unread')).to_be_hidden()
    assert bed.now > FRIDAY


async def test_the_clock_goes_to_a_chosen_day_in_the_teams_zone(page: Page, bed: Bed) -> None:
    await page.locator("#clock time").click()
    goal = page.get_by_label("走到")
    shown = "one => getComputedStyle(one, '::before').content"
    assert await goal.evaluate(shown) == '"2026年3月9日 15:00"'
    await goal.fill("2026-03-10T09:15")
    await page.get_by_role("button", name="出发").click()
    await expect(page.locator("#clock time")).to_have_text("3月10日(周二) 09:15")
    assert bed.now.isoformat() == "2026-03-10T01:15:00+00:00"


async def test_nothing_said_can_become_markup(page: Page) -> None:
    await _say(
        page,
        "原样<img src=x onerror=alert(1)>\n[点我](javascript:alert(1))\n**粗** [网](https://a.example)",
    )
    bubble = page.locator(".message .bubble").last
    await expect(bubble).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(bubble.locator("strong")).to_have_text("粗")
    await expect(bubble.locator("img")).to_have_count(0)
    links = bubble.locator("a")
    await expect(links).to_have_count(1)
    assert await links.get_attribute("href") == "https://a.example/"


async def test_who_fills_in_a_form_can_type_on_when_another_message_comes(
    page: Page, bed: Bed
) -> None:
    await _say(page, SENTENCE)
    contact = page.get_by_label("见面对象")
    await contact.click()
    await page.keyboard.type("王")
    await bed.show("wecom", None, "zhangwei", "text", "顺便提醒一句")
    await expect(page.get_by_role("log")).to_contain_text("顺便提醒一句")
    await page.keyboard.type("总")
    await expect(contact).to_have_value("王总")


async def test_a_card_changed_by_the_bot_changes_on_the_page(page: Page, bed: Bed) -> None:
    await _say(page, SENTENCE)
    await expect(page.get_by_role("article")).to_contain_text("还缺")
    bed.world.said[-1].card = {**CARD, "buttons": [], "fields": [], "closed": "已过期，没有记录"}
    bed.world.said[-1].updated_at = bed.now = bed.now.replace(hour=8)
    await bed.world.changed()
    await expect(page.get_by_role("article")).to_contain_text("已过期，没有记录")


async def test_enter_sends_and_shift_enter_begins_a_line(page: Page, bed: Bed) -> None:
    await page.get_by_label("消息", exact=True).last.click()
    await page.keyboard.type("第一行")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("第二行")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("article")).to_have_count(1)
    assert bed.world.said[0].text == "第一行\n第二行"


async def test_pictures_files_and_voices_are_sent_and_shown(page: Page, bed: Bed) -> None:
    files = {
        "image": ("现场.png", "image/png", _png()),
        "file": ("方案.pdf", "application/pdf", b"%PDF-1.4 " + b"x" * 2048),
        "voice": ("录音.wav", "audio/wav", _wav()),
    }
    for number, (kind, (name, media_type, data)) in enumerate(files.items(), start=1):
        upload = {"name": name, "mimeType": media_type, "buffer": data}
        await page.locator(f'input[type=file][data-kind="{kind}"]').set_input_files(upload)
        await expect(page.locator(".message")).to_have_count(number)
    assert [said.kind for said in bed.world.said] == ["image", "file", "voice"]
    await page.get_by_role("button", name="放大图片：现场.png").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("link", name="方案.pdf")).to_contain_text("2 KB")
    await expect(page.get_by_role("button", name="播放语音")).to_be_visible()


async def test_a_recording_in_the_stream_can_be_played_though_no_browser_knows_its_format(
    page: Page, bed: Bed
) -> None:
    async def evidence(_: str) -> tuple[bytes, str, str]:
        return b"#!AMR\n" + b"\x7c" * 50, "voice.amr", "audio/amr"

    async def play(data: bytes, _: str) -> tuple[bytes, str]:
        assert data.startswith(b"#!AMR")
        return _wav(), "audio/wav"

    bed.world.hooks.evidence, bed.world.hooks.play = evidence, play
    file = {"name": "voice.amr", "sha256": "0" * 64, "media_type": "audio/amr"}
    bed.activities.append(
        {
            "id": 1, "at": bed.now.isoformat(), "title": "跟进电话", "text": "嫌价格高",
            "actor": "张伟", "valid": True, "reason": "", "late": False, "files": [file],
        }
    )  # fmt: skip
    await page.locator("#customer").select_option("2")
    stream = page.get_by_role("complementary", name="客户动态")
    await expect(stream.locator(".voice-time")).to_have_text(re.compile("[0-9]″"))
    await expect(stream.get_by_role("button", name="播放语音")).to_be_visible()
    await expect(stream.get_by_role("listitem").last).to_contain_text("嫌价格高")


async def test_a_refusal_is_told_in_the_platforms_words_and_the_text_stays(page: Page) -> None:
    await _say(page, "出错")
    await expect(page.locator(".toast.error")).to_contain_text("平台现在不收消息")
    await expect(page.get_by_label("消息", exact=True).last).to_have_value("出错")


async def test_what_was_begun_waits_while_another_person_is_played(page: Page) -> None:
    await page.get_by_label("消息", exact=True).last.fill("还没写完")
    await _choose(page, "wecom:limin")
    await expect(page.get_by_label("消息", exact=True).last).to_have_value("")
    await _choose(page, "wecom:zhangwei")
    await expect(page.get_by_label("消息", exact=True).last).to_have_value("还没写完")


async def test_messages_for_others_are_counted(page: Page, bed: Bed) -> None:
    badge = page.locator('[data-person="dingtalk:wulei01"] .unread')
    await expect(badge).to_be_hidden()
    await bed.show("dingtalk", None, "wulei01", "text", "提醒")
    await bed.show("dingtalk", "cidHuananSales001==", None, "text", "群里的提醒")
    await expect(badge).to_have_text("2")
    await _choose(page, "dingtalk:wulei01")
    await expect(badge).to_have_text("1")


async def test_in_a_dingtalk_group_the_robot_is_mentioned(page: Page, bed: Bed) -> None:
    await _choose(page, "dingtalk:wulei01")
    await page.get_by_role("tab", name="华南销售群").click()
    await page.get_by_role("button", name="待办", exact=True).click()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("article")).to_have_count(1)
    assert bed.world.said[0].text == "@跟单 待办"
    assert bed.world.said[0].chat == "cidHuananSales001=="


async def test_examples_name_a_customer_of_the_person_played(page: Page) -> None:
    await _choose(page, "dingtalk:wulei01")
    await expect(page.get_by_role("button", name="客户 东莞松湖电子")).to_be_visible()
    await _choose(page, "wecom:zhaoqian")
    await expect(page.get_by_role("button", name="账号", exact=True)).to_be_visible()


async def test_who_chooses_a_person_can_type_at_once(page: Page, bed: Bed) -> None:
    await _choose(page, "dingtalk:wulei01")
    await page.keyboard.type("待办")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("article")).to_have_count(1)
    assert bed.world.said[0].text == "待办"


async def test_lights_are_drawn_without_a_font_for_them(page: Page, bed: Bed) -> None:
    await bed.show("wecom", None, "zhangwei", "text", "🔴 恒锐机电 🟢 甬江轴承")
    lamps = page.locator(".bubble .lamp")
    await expect(lamps).to_have_count(2)
    await expect(lamps.first).to_have_css("border-radius", "50%")
    await expect(page.locator(".bubble")).to_have_text("🔴 恒锐机电 🟢 甬江轴承")


async def test_marks_are_drawn_without_a_font_for_them(page: Page, bed: Bed) -> None:
    await bed.show("wecom", None, "zhangwei", "text", "⏸ 阶段停滞：嘉兴南湖铸造")
    await expect(page.locator(".bubble .emoji svg")).to_be_visible()
    await expect(page.locator(".bubble .emoji span")).to_have_css("width", "1px")


async def test_a_wecom_group_is_for_reading(page: Page) -> None:
    await page.get_by_role("tab", name="华东销售群").click()
    await expect(page.get_by_text("只收推送")).to_be_visible()
    await expect(page.get_by_label("发送", exact=True)).to_be_hidden()


async def test_opening_the_application_and_its_menu_reach_the_platform(
    page: Page, bed: Bed
) -> None:
    await _choose(page, "wecom:limin")
    await page.get_by_role("button", name="我的待办").click()
    await expect(page.get_by_role("log")).to_contain_text("菜单 todo")
    assert bed.entered == ["zhangwei", "limin"]


async def test_a_fault_is_played(page: Page, bed: Bed) -> None:
    await page.get_by_role("button", name="故障").click()
    await page.locator("#fault-platform").select_option("dingtalk")
    await page.locator("#fault-what").select_option("busy")
    await page.locator("#fault-times").fill("3")
    await page.get_by_role("button", name="开始", exact=True).click()
    await expect(page.locator(".toast")).to_contain_text("钉钉：发消息被限流，接下来 3 次")
    fault = bed.world.faults[0]
    assert (fault.platform, fault.errcode, fault.times) == ("dingtalk", "send.too.fast", 3)


@pytest.mark.parametrize("menu", ["fault-menu", "jump-menu"])
async def test_escape_closes_a_menu_and_goes_back_to_its_button(page: Page, menu: str) -> None:
    button = page.locator(f"button[popovertarget={menu}]")
    await button.focus()
    await page.keyboard.press("Enter")
    opened = page.locator(".menu:popover-open")
    await expect(opened).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Escape")
    await expect(opened).to_have_count(0)
    await expect(button).to_be_focused()


async def test_a_lost_connection_is_shown_and_mended(bed: Bed) -> None:
    gone = False

    async def losing(request: web.Request, handler: web.Handler) -> web.StreamResponse:
        if gone and request.path.startswith("/sandbox/api/"):
            raise web.HTTPServiceUnavailable
        return await handler(request)

    async with serving(bed, web.middleware(losing)) as url, browsing(url) as page:
        gone = True
        await bed.show("wecom", None, "zhangwei", "text", "断线前")
        state = page.locator("#link-state")
        await expect(state).to_have_text("连接断了，正在重连")
        await bed.show("wecom", None, "zhangwei", "text", "断线时")
        gone = False
        await expect(state).to_have_text("已连接")
        await expect(page.get_by_role("log")).to_contain_text("断线时")


@pytest.mark.parametrize("width", [360, 900, 1440, 3840])
async def test_the_page_fits_the_window(bed: Bed, width: int) -> None:
    await bed.show("wecom", None, "zhangwei", "card", CARD["title"], card=dict(CARD))
    await bed.show("wecom", None, "zhangwei", "text", "很长的词" * 40 + "x" * 300)
    for _ in range(20):
        await bed.show("wecom", None, "zhangwei", "text", "📞 已记录\n" * 5)
    async with serving(bed) as url, browsing(url, width=width, height=740) as page:
        await expect(page.locator(".message")).to_have_count(22)
        for view in ("people", "stream", "chat"):
            if width == 360:
                await page.locator(f'#tabs [data-view="{view}"]').click()
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            assert await page.evaluate("document.documentElement.scrollHeight") <= 740
        await expect(page.get_by_label("发送", exact=True)).to_be_in_viewport()


async def test_on_a_wall_question_and_answer_stay_within_one_look(bed: Bed) -> None:
    """They stood at the two ends of 3840 px, in letters of 14."""
    await bed.show("wecom", None, "zhangwei", "text", SENTENCE, sender="zhangwei")
    await bed.show("wecom", None, "zhangwei", "text", "已记录")
    async with serving(bed) as url, browsing(url, width=3840, height=2160) as page:
        mine = await page.locator("[data-mine] .bubble").bounding_box()
        answer = await page.locator(".message:not([data-mine]) .bubble").bounding_box()
        assert mine is not None
        assert answer is not None
        assert mine["x"] + mine["width"] - answer["x"] <= 1920
        letters = await page.locator(".bubble").evaluate_all(
            "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))"
        )
        assert min(letters) >= 24


async def test_a_narrow_window_shows_one_column_at_a_time(bed: Bed) -> None:
    async with serving(bed) as url, browsing(url, width=360, height=740) as page:
        await expect(page.locator("#people")).to_be_hidden()
        await expect(page.locator(".send")).to_be_in_viewport(ratio=1)
        await page.locator("#tabs").get_by_role("button", name="人员").click()
        await _choose(page, "wecom:limin")
        await expect(page.locator("#people")).to_be_hidden()
        await expect(page.locator(".who")).to_contain_text("李敏")
        await page.locator("#tabs").get_by_role("button", name="客户动态").click()
        await expect(page.locator("#stream h2")).to_have_text("宁波甬江轴承有限公司")


async def test_every_control_has_a_name(page: Page, bed: Bed) -> None:
    await _say(page, SENTENCE)
    await expect(page.get_by_role("article")).to_have_count(1)
    tree = await page.locator("body").aria_snapshot()
    nameless = re.findall(r"^\s*- (?:button|link|textbox|combobox|checkbox)(?::|$)", tree, re.M)
    assert nameless == []


async def test_whatever_can_be_pressed_is_reached_by_the_keyboard(page: Page, bed: Bed) -> None:
    await bed.show("wecom", None, "zhangwei", "card", CARD["title"], card=dict(CARD))
    await expect(page.get_by_role("article")).to_have_count(1)
    await walk(page)  # from the message, where one begins to write, to the end
    await reaches_everything(page)
    await page.locator("#clock .now").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("走到")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_label("走到")).to_be_hidden()
    await expect(page.locator("#clock .now")).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_the_page_pleases_axe(bed: Bed, width: int, theme: str) -> None:
    need_axe()
    closed = {**CARD, "fields": [], "buttons": [], "closed": "已记录 · 有效跟进"}
    for card in (CARD, closed):
        await bed.show("wecom", None, "zhangwei", "card", CARD["title"], card=dict(card))
    await bed.show("wecom", None, "zhangwei", "markdown", "🔴 **红灯** `代码`\n> 引用")
    async with (
        serving(bed) as url,
        browsing(url, width=width, height=780, color_scheme=theme) as page,
    ):
        for view in ("people", "stream", "chat"):
            if width == 360:
                await page.locator(f'#tabs [data-view="{view}"]').click()
            assert await serious_flaws(page) == [], view
        for menu in ("jump-menu", "fault-menu"):
            await page.locator(f"button[popovertarget={menu}]").click()
            assert await serious_flaws(page) == [], menu


def _png() -> bytes:
    """A red picture of 8 × 8 points."""
    rows = b"".join(b"\x00" + b"\xff\x00\x00" * 8 for _ in range(8))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _wav() -> bytes:
    """One second of silence."""
    buffer = BytesIO()
    with wave.open(buffer, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(8000)
        recording.writeframes(b"\x00\x00" * 8000)
    return buffer.getvalue()
