"""Which use case a message is for: the filters of ROUTES, and the typed commands."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from bot.domain.people import Role
from bot.messages import InboundMessage, Kind
from handlers import sayings
from handlers.binding import by_hand, group_making, opening, proposing
from handlers.coaching import coaching, coaching_facts, track_library
from handlers.conversation import answers, drafts, hearing, reading_back
from handlers.customers import assigning, creating, customers, filling_in, merging, pooling
from handlers.deals import funnels
from handlers.desk import Desk
from handlers.erp import erp_customer_cards, erp_order_matching, erp_reconciling
from handlers.growth_fund import catalogue as growth_catalogue
from handlers.growth_fund import redeeming as growth_redeeming
from handlers.growth_fund import statement as growth_statement
from handlers.leading import diagnosis, figures, queries, whose_customers
from handlers.levels.commands import COMMANDS as LEVEL_ORDERS
from handlers.libraries import library_import, library_switch
from handlers.machine_forecast import nightly
from handlers.mails import by_hand as mails_by_hand
from handlers.pages import signing_in
from handlers.payouts import (
    arbitrating,
    attributing,
    disputing,
    health,
    monthly,
    open_items,
    rule_changing,
    rule_import,
    statements,
    what_if,
)
from handlers.people import appointing, joining, leaving, oneself
from handlers.policy import policy_orders
from handlers.receivables import contracts, paper_contracts, paper_reading, receipt_matching
from handlers.refusals import lost_deals, reporting
from handlers.signals import links
from handlers.supply import acknowledging, groups
from handlers.texts import customers as customer_texts
from handlers.texts import dialog, privacy
from handlers.texts import supply as supply_texts
from handlers.upkeep import audit_heads

SURE = "确认新建客户"
MOST_ADMINS = 3  # named where somebody is told whom to ask
WORDS = (Kind.TEXT, Kind.VOICE, Kind.MIXED, Kind.MENU, Kind.LOCATION, Kind.LINK)


@dataclass(frozen=True, slots=True)
class Command:
    """A word people type, with what follows it. look_up: what takes too long to be read in the
    message's transaction; see `Incoming.looked_up`."""

    pattern: re.Pattern[str]
    run: Callable[[Desk, str], Awaitable[None]]
    look_up: Callable[[Desk], Awaitable[object]] | None = None


async def _help(desk: Desk, _: str) -> None:
    desk.say(dialog.help_for(desk.rep.roles))


async def _introduce(desk: Desk, _: str) -> None:
    desk.say(dialog.introduction(desk.rep.roles))


async def _when_wrong(desk: Desk, _: str) -> None:
    desk.say(dialog.WHEN_WRONG)


async def _help_about(desk: Desk, topic: str) -> None:
    desk.say(dialog.help_about(topic, desk.rep.roles))


async def _privacy(desk: Desk, _: str) -> None:
    admins = await desk.tx.people.list_by_role(Role.ADMIN)
    desk.say(privacy.notice([one.name for one in admins][:MOST_ADMINS]))


async def _todo(desk: Desk, _: str) -> None:
    await queries.todo(desk)


async def _lights(desk: Desk, _: str) -> None:
    await queries.lights(desk)


async def _customer(desk: Desk, words: str) -> None:
    if words:
        await customers.show_customer(desk, words)
    else:
        desk.say(customer_texts.WHICH_TO_SHOW)


async def _stream(desk: Desk, words: str) -> None:
    if words:
        await customers.show_stream(desk, words)
    else:
        desk.say(customer_texts.WHICH_TO_SHOW)


async def _create(desk: Desk, words: str) -> None:
    if words:
        sure = desk.message.text.strip().startswith(SURE)
        account = await creating.ask(desk, words, sure=sure)
        if account is not None:
            await drafts.adopt(desk, account)
    elif not await answers.take_new_customer(desk):
        desk.say(customer_texts.WHICH_TO_CREATE)


async def _cancel(desk: Desk, _: str) -> None:
    await hearing.cancel(desk)


async def _undo(desk: Desk, _: str) -> None:
    await hearing.undo(desk)


async def _tracks(desk: Desk, words: str) -> None:
    await coaching.show_for(desk, words)


async def _track_used(desk: Desk, place: str) -> None:
    await coaching.by_words(desk, "used", int(place))


async def _track_unfit(desk: Desk, place: str) -> None:
    await coaching.by_words(desk, "unfit", int(place))


async def _other_tracks(desk: Desk, _: str) -> None:
    await coaching.by_words(desk, "more")


def _command(
    words: str,
    run: Callable[[Desk, str], Awaitable[None]],
    *,
    argument: bool = False,
    look_up: Callable[[Desk], Awaitable[object]] | None = None,
) -> Command:
    tail = r"[ :：]*(?P<rest>.{0,160})" if argument else r"(?P<rest>)[。！!？? ]*"
    return Command(re.compile(rf"(?:{words}){tail}", re.DOTALL), run, look_up)


async def _board(desk: Desk, _: str) -> None:
    """«备货看板»."""
    await signing_in.send_link(desk, "/supply", supply_texts.PAGE)


PAYOUT_COMMANDS = (
    _command("(?:奖金|提成)规则", rule_changing.list_all),
    Command(
        re.compile(rf"{rule_import.ORDER}[ :：]*(?P<rest>.{{0,20000}})", re.DOTALL),
        rule_import.by_words,
    ),
    _command("奖金帮助|奖金怎么[问查看算]", statements.explain_words),
    _command("奖金待办", open_items.list_open),
    _command("(?:奖金|提成)明细(?=[ :：]|$)", statements.show_deal, argument=True),
    _command("奖金归属(?=[ :：])", attributing.change_roles, argument=True),
    _command("奖金拆分(?=[ :：])", attributing.change_shares, argument=True),
    _command("投诉成立(?=[ :：])", attributing.uphold_complaint, argument=True),
    _command("奖金核算(?=[ :：]|$)", monthly.propose, argument=True),
    _command("奖金已发(?=[ :：]|$)", monthly.note_paid, argument=True),
    _command("(?:我的)?奖金(?=[ :：]|\\d|上月|上个月|本月|$)", statements.show, argument=True),
    _command("(?:奖金|激励)健康度?", health.show),
    _command("(?:我的|查看?)申诉", disputing.list_own),
    _command("接手申诉(?=[ :：#])", arbitrating.take_over, argument=True),
    Command(what_if.QUESTION, what_if.answer),
    _command("(?:我的)?成长基金(?=[ :：]|$)", growth_statement.show, argument=True),
    _command("兑换目录", growth_catalogue.show),
    _command("新增兑换(?=[ :：]|$)", growth_catalogue.add, argument=True),
    _command("下架兑换(?=[ :：]|$)", growth_catalogue.end, argument=True),
    _command("兑换(?=[ :：]|$)", growth_redeeming.wish, argument=True),
)

COMMANDS = (
    _command("帮助|help|HELP|Help|[?？]+", _help),
    _command("怎么用|你能做什么", _introduce),
    _command("记错了怎么办", _when_wrong),
    _command("帮助(?=[ :：])", _help_about, argument=True),
    _command("隐私|隐私说明|个人信息", _privacy),
    _command("我是谁|我的(?:主管|上级|领导|角色|团队成员)", oneself.show),
    _command("待办|我的待办|今日待办|todo", _todo),
    _command("我的灯|亮灯|红灯|黄灯|预警|团队红灯|团队的灯", _lights),
    _command("我的客户(?=[ :：]|$)", whose_customers.show, argument=True),
    _command("过程数据|我的数据|过程数据怎么算", figures.show_own),
    _command("团队总览|团队情况", figures.show_overview),
    _command("诊断|流程诊断", diagnosis.show),
    _command("设置记录|修改记录", policy_orders.history),
    _command("设置(?=[ :：]|$)", policy_orders.run, argument=True),
    _command("看板|大屏|打开看板|打开大屏", signing_in.show_screen),
    _command("管理|管理页|后台|打开管理页", signing_in.show_admin),
    _command("(?:打开)?网页(?=[ :：]|$)", signing_in.show_page, argument=True),
    _command("取消", _cancel),
    _command("撤销|撤回", _undo),
    _command("确认新建客户|新建客户|新增客户", _create, argument=True),
    _command("客户资料(?=[ :：]|$)|补充资料(?=[ :：]|$)", filling_in.note, argument=True),
    _command("合并客户|客户合并", merging.ask, argument=True),
    _command("撤销合并客户|撤销合并|撤销客户合并", merging.undo, argument=True),
    _command("公海(?=[ :：]|$)|公海客户|查公海|看公海", pooling.show, argument=True),
    _command("领取(?=[ :：]|$)|认领(?=[ :：]|$)", pooling.claim, argument=True),
    _command("放回公海|退回公海", pooling.put_back, argument=True),
    _command("分配(?=[ :：]|$)|分配线索", assigning.assign, argument=True),
    _command("拒绝原因(?= |$)", reporting.show, argument=True),
    _command("丢单清单(?= |$)", lost_deals.show, argument=True),
    _command("话术库", track_library.show),
    Command(re.compile(r"新增话术[ :：]*(?P<rest>.{0,2000})", re.DOTALL), track_library.write),
    _command("停用话术", track_library.stop, argument=True),
    _command("启用话术", track_library.start, argument=True),
    Command(re.compile(r"话术材料[ :：]*(?P<rest>.{0,500})"), track_library.give_material),
    _command("话术(?=[ :：]|$)", _tracks, argument=True),
    Command(re.compile(r"材料[ :：]*(?P<rest>[A-Za-z]{1,2}\d{1,4})"), coaching.material),
    _command("客户画像(?=[ :：]|$)", coaching_facts.tell_profile, argument=True),
    Command(re.compile(r"用了 ?第?(?P<rest>[1-3])条?"), _track_used),
    Command(re.compile(r"不合适 ?第?(?P<rest>[1-3])条?"), _track_unfit),
    _command("换一批", _other_tracks),
    _command("账号(?=[ :：]|$)", joining.list_pairs, argument=True),
    _command("绑定建议|绑定联系人", proposing.show, look_up=proposing.read),
    _command("绑定客户(?=[ :：]|$)", by_hand.bind, argument=True),
    _command("解绑客户(?=[ :：]|$)", by_hand.unbind, argument=True),
    _command("撤销绑定|撤销绑定客户", by_hand.undo),
    _command("未绑定|未绑定的?联系人|未绑定的?群", by_hand.list_unbound),
    _command("未归属的?邮件|未归属", mails_by_hand.list_open),
    _command(mails_by_hand.ORDER, mails_by_hand.order, argument=True),
    _command("解绑邮箱(?=[ :：]|$)", mails_by_hand.unbind, argument=True),
    _command("(?:建群|建客户群)(?=[ :：]|$)", group_making.make, argument=True),
    _command("发到群(?=[ :：]|$)", group_making.send, argument=True),
    _command(reading_back.WHO, reading_back.who),
    _command(reading_back.BACK, reading_back.take_back),
    _command("打开聊天(?=[ :：]|$)", opening.command, argument=True),
    _command("设置主管(?=[ :：]|$)", appointing.set_supervisor, argument=True),
    _command("设置角色(?=[ :：]|$)", appointing.set_roles, argument=True),
    _command("交接(?=[ :：]|$)", leaving.by_words, argument=True),
    _command("合并账号|绑定账号|绑定(?=[ :：])", joining.ask, argument=True),
    _command("拆分账号|解绑账号", joining.part, argument=True),
    _command("(?:我的)?漏斗|阶段漏斗|销售漏斗", funnels.show_funnel, look_up=funnels.read_funnel),
    _command(
        "(?:我的)?转化率?|线索转化率?", funnels.show_conversion, look_up=funnels.read_conversion
    ),
    _command("导入动作库|上传动作库", library_import.explain),
    _command("动作库|动作库列表|查看动作库", library_import.list_all),
    _command("(?:切换|更换|换)动作库", library_switch.ask, argument=True),
    _command("待匹配订单", erp_order_matching.list_open),
    _command("匹配订单(?=[ :：])", erp_order_matching.match, argument=True),
    _command("(?:ERP|erp|Erp) ?客户", erp_customer_cards.show, argument=True),
    _command("(?:ERP|erp|Erp) ?预测", erp_reconciling.show, argument=True),
    _command("资料链接(?=[ :：]|$)", links.make, argument=True),
    _command("网站代码", links.show_snippet),
    _command("备货|备货通知", acknowledging.show),
    _command("备货看板", _board),
    _command("预测参考|机器预测", nightly.show),
    _command("收到(?= ?[Cc][Kk])", acknowledging.by_words, argument=True),
    Command(re.compile(r"(?P<rest>仓储|计划)推送到(?:本|这个)群"), groups.bind),
    Command(re.compile(r"(?P<rest>仓储|计划)不再推送到(?:本|这个)群"), groups.unbind),
    _command("审计推送到(?:本|这个)群", audit_heads.bind),
    _command("审计不再推送到(?:本|这个)群", audit_heads.unbind),
    Command(paper_reading.ORDER, paper_contracts.by_order),
    *PAYOUT_COMMANDS,
    *(_command(words, run, argument=True) for words, run in LEVEL_ORDERS),
    _command("待匹配回款|待匹配", receipt_matching.list_open),
    _command("匹配(?=[ :：])", receipt_matching.match, argument=True),
    _command("(?:查|看|查看|查询)?(?:一下)?回款(?=[ :：]|$)", contracts.show, argument=True),
    _command("(?:查|看|查看|查询)?(?:一下)?客户(?=[ :：]|$)", _customer, argument=True),
    _command("(?:查|看|查看|查询)?(?:一下)?动态(?=[ :：]|$)", _stream, argument=True),
)

MENU_WORDS = {"todo": "待办", "help": "帮助", "lights": "我的灯"}


def is_kind(*kinds: Kind) -> Callable[[Desk], bool]:
    return lambda desk: desk.message.kind in kinds


def is_nothing(desk: Desk) -> bool:
    return desk.message.kind in (Kind.IGNORED, Kind.UNSUBSCRIBE)


def is_stranger(desk: Desk) -> bool:
    return desk.person is None


def is_press(prefix: str) -> Callable[[Desk], bool]:
    return lambda desk: (
        desk.message.kind is Kind.CARD_ACTION
        and desk.message.action is not None
        and desk.message.action.card_id.startswith(prefix)
    )


def is_press_on(prefix: str, action: str) -> Callable[[Desk], bool]:
    """Whether a press is on this button of such a card."""
    pressed = is_press(prefix)
    return lambda desk: (
        pressed(desk) and desk.message.action is not None and desk.message.action.action == action
    )


def is_command(desk: Desk) -> bool:
    return _find(desk.message) is not None


def wants_look_up(message: InboundMessage) -> bool:
    """Whether it is a command that reads much."""
    found = _find(message)
    return found is not None and found[0].look_up is not None


async def look_up(desk: Desk) -> object | None:
    """What the command reads before its transaction, for somebody we know."""
    found = _find(desk.message)
    if found is None or found[0].look_up is None or desk.person is None:
        return None
    return await found[0].look_up(desk)


async def run(desk: Desk) -> None:
    """The typed command."""
    found = _find(desk.message)
    assert found is not None
    command, rest = found
    await command.run(desk, rest)


def has_files(desk: Desk) -> bool:
    return bool(desk.incoming.files)


def has_words(desk: Desk) -> bool:
    return desk.message.kind in WORDS and bool(hearing.spoken_text(desk))


def has_words_and_files(desk: Desk) -> bool:
    return has_words(desk) and has_files(desk)


def is_mute_voice(desk: Desk) -> bool:
    return desk.message.kind is Kind.VOICE and not hearing.spoken_text(desk)


def _find(message: InboundMessage) -> tuple[Command, str] | None:
    if message.kind not in (Kind.TEXT, Kind.MENU):
        return None
    text = message.text.strip()
    if message.kind is Kind.MENU:
        return _match(MENU_WORDS.get(text, text))
    return _match(text) or _match(sayings.command_for(text) or "")


def is_known(text: str) -> bool:
    """Whether a command begins with these words, rather than a report."""
    return _match(text) is not None


def _any_of(patterns: Iterable[re.Pattern[str]]) -> re.Pattern[str]:
    """One expression that matches whatever one of them does, without their groups."""
    return re.compile(
        "|".join(
            f"(?{'s' if one.flags & re.DOTALL else ''}:{_GROUP_NAME.sub('?:', one.pattern)})"
            for one in patterns
        )
    )


_GROUP_NAME = re.compile(r"\?P<\w+>")
_ANY_COMMAND = _any_of(command.pattern for command in COMMANDS)


@lru_cache(maxsize=32)  # each message is asked about several times, beside 31 others
def _match(text: str) -> tuple[Command, str] | None:
    if _ANY_COMMAND.fullmatch(text) is None:  # as nearly every message
        return None
    for command in COMMANDS:
        match = command.pattern.fullmatch(text)
        if match is not None:
            return command, match["rest"].strip(" 。！!？?")
    return None
