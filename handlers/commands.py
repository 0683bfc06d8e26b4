"""Which use case a message is for: the filters of ROUTES, and the typed commands."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.messages import Kind
from handlers import (
    answers,
    assigning,
    coaching,
    coaching_facts,
    contracts,
    creating,
    customers,
    diagnosis,
    drafts,
    figures,
    filling_in,
    hearing,
    joining,
    library_import,
    library_switch,
    merging,
    pooling,
    queries,
    receipt_matching,
    stage_orders,
    track_library,
)
from handlers.desk import Desk
from handlers.refusals import reporting
from handlers.texts import customers as customer_texts
from handlers.texts import dialog

SURE = "确认新建客户"
WORDS = (Kind.TEXT, Kind.VOICE, Kind.MIXED, Kind.MENU, Kind.LOCATION, Kind.LINK)


@dataclass(frozen=True, slots=True)
class Command:
    """A word people type, with what follows it."""

    pattern: re.Pattern[str]
    run: Callable[[Desk, str], Awaitable[None]]


async def _help(desk: Desk, _: str) -> None:
    desk.say(dialog.help_for(desk.rep.roles))


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
    words: str, run: Callable[[Desk, str], Awaitable[None]], *, argument: bool = False
) -> Command:
    tail = r"[ :：]*(?P<rest>.{0,160})" if argument else r"(?P<rest>)[。！!？? ]*"
    return Command(re.compile(rf"(?:{words}){tail}", re.DOTALL), run)


COMMANDS = (
    _command("帮助|help|HELP|Help|怎么用|你能做什么|[?？]", _help),
    _command("待办|我的待办|今日待办|todo", _todo),
    _command("我的灯|亮灯|红灯|黄灯|预警|团队红灯|团队的灯", _lights),
    _command("过程数据|我的数据|过程数据怎么算", figures.show_own),
    _command("团队总览|团队情况", figures.show_overview),
    _command("诊断|流程诊断", diagnosis.show),
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
    _command("合并账号|绑定账号|绑定(?=[ :：])", joining.ask, argument=True),
    _command("拆分账号|解绑账号", joining.part, argument=True),
    _command("漏斗|阶段漏斗|销售漏斗", stage_orders.show_funnel),
    _command("导入动作库|上传动作库", library_import.explain),
    _command("动作库|动作库列表|查看动作库", library_import.list_all),
    _command("(?:切换|更换|换)动作库", library_switch.ask, argument=True),
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


def is_command(desk: Desk) -> bool:
    return desk.message.kind in (Kind.TEXT, Kind.MENU) and _find(desk) is not None


async def run(desk: Desk) -> None:
    """The typed command."""
    found = _find(desk)
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


def _find(desk: Desk) -> tuple[Command, str] | None:
    text = desk.message.text.strip()
    if desk.message.kind is Kind.MENU:
        text = MENU_WORDS.get(text, text)
    for command in COMMANDS:
        match = command.pattern.fullmatch(text)
        if match is not None:
            return command, match["rest"].strip(" 。！!？?")
    return None
