"""What the bot says about talk tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.activities import OBJECTIONS
from bot.domain.coaching import Choice, Situation, Tally, Why
from bot.domain.tracks import (
    BUYINGS,
    FIELDS,
    INDUSTRIES,
    PHASES,
    SIZES,
    Mistake,
    Phase,
    Track,
)
from handlers.texts.dialog import short_company, shorten

MORE = "换一批"
SWAPPED = "已换一批"
ALREADY_JUDGED = "这条已经按过了，按第一次的算。"
WHICH_CUSTOMER = "想看哪家客户的话术？例如「话术 恒锐机电」。"
NO_CARD = "还没有给你看过话术。先发「话术 客户名」。"
NO_SUCH_PLACE = "上一张话术卡片里没有这一条，请看编号。"
NO_TRACKS = "话术库里没有适合这家客户的话术。管理员可以发「新增话术」来写。"
UNFIT_NOTED = "记下了，这类客户以后少推这条。"

ADMINS_ONLY = "话术库由管理员维护，我这里没有改动。"
STOP_WHICH = "要停用哪一条？例如「停用话术 M07」。编号见「话术库」。"
ATTACH_HOW = "先把文件发给我，再发「话术材料 M07」；链接就写在后面：「话术材料 M07 https://…」。"
WRITING_DROPPED = "好，这条话术不写了，没有保存。"
TABLE_UNREADABLE = "这个文件读不了：请用 UTF-8 或 GBK 编码的 CSV，或 UTF-8 的 TOML。"

_PLACES = "①②③"
_STAGES = {
    Phase.EARLY: "接触、摸需求时用",
    Phase.MIDDLE: "方案、报价时用",
    Phase.LATE: "谈判、签约时用",
}
_QUESTIONS = {
    "title": "这条话术叫什么？18字以内，例如「先算停机账，再谈设备价」。",
    "opening": "开场第一句怎么说？写原话。",
    "question": "接着问客户什么？写原话。",
    "proof": "拿什么证明？写清楚给客户看哪份东西。",
    "next_step": "谈完约什么下一步？写到谁、哪天、做什么。",
}


def title(customer: str) -> str:
    return shorten(f"话术 · {short_company(customer)}", 36)


def head(place: int, choice: Choice, situation: Situation, result: str = "") -> str:
    """One short line of the card: three of them fit WeCom's 160 characters."""
    why = "、".join(_why(choice, situation)[:2])
    tail = f"〔{result}〕" if result else f" · {why}"
    return f"{_PLACES[place - 1]}{choice.track.title}{tail}"


def in_full(customer: str, choices: Sequence[Choice], situation: Situation) -> str:
    """The three tracks, word for word, and why each was chosen."""
    parts = [f"**{title(customer)}**"]
    for place, choice in enumerate(choices, 1):
        track = choice.track
        parts += [
            f"**{_PLACES[place - 1]}{track.title}（{track.code}）**",
            f"- 为什么：{'；'.join(_why(choice, situation))}",
            f"- 开场：{track.opening}",
            f"- 提问：{track.question}",
            f"- 证据：{track.proof}",
            f"- 下一步：{track.next_step}",
        ]
        if track.link:
            parts.append(f"- 材料：{track.link}")
        if track.file:
            parts.append(f"- 材料：{track.file_name}（发「材料 {track.code}」取）")
    parts.append(f"> 都不合适就回复「{MORE}」。")
    return "\n".join(parts)


def result_words(result: str) -> str:
    return {"used": "用了", "unfit": "不合适"}.get(result, "")


def used(track: Track) -> str:
    return f"记下了：用了「{track.title}」。客户怎么回的，记跟进时告诉我就行。"


def hint(codes: Sequence[str], track: Track, customer: str) -> str:
    """«价格高？试试…：话术 恒锐机电»."""
    objection = OBJECTIONS[codes[0]]
    return f"{objection}？试试「{track.title}」：发「话术 {short_company(customer)}」看怎么说。"


def no_open_deal(customer: str) -> str:
    return f"「{customer}」没有进行中的商机，暂时不用话术。"


def profile_how(customer: str) -> str:
    return f"例如「客户画像 {customer or '恒锐机电'} 300人 年采购200万」，两项写一项也行。"


def profile_saved(customer: str, told: Sequence[str]) -> str:
    return f"记下了：{customer} {'，'.join(told)}。话术会按这个来挑。"


def no_such_track(code: str) -> str:
    return f"话术库里没有「{code}」。发「话术库」看编号。"


def no_material(track: Track) -> str:
    return f"「{track.title}」还没有配材料。管理员可以发「话术材料 {track.code} 链接」来配。"


def material_link(track: Track) -> str:
    return f"「{track.title}」的材料：{track.link}"


def ask_for(key: str) -> str:
    return f"{_QUESTIONS[key]}（不写了就回「取消」）"


def cannot_be_saved(reason: str) -> str:
    return f"这条话术先没存：{reason}。请改好再发，不写了就回「取消」。"


def saved(track: Track) -> str:
    scope = INDUSTRIES.get(track.industry, "所有行业")
    served = "、".join(OBJECTIONS[code] for code in track.objections) or "不限异议"
    return (
        f"已存为 {track.code}「{track.title}」：{scope}，{served}。"
        f"要配材料发「话术材料 {track.code} 链接」，停用发「停用话术 {track.code}」。"
    )


def stopped(track: Track) -> str:
    return (
        f"已停用 {track.code}「{track.title}」，不再推给任何人。恢复发「启用话术 {track.code}」。"
    )


def started(track: Track) -> str:
    return f"已启用 {track.code}「{track.title}」。"


def material_saved(track: Track, what: str) -> str:
    return f"{track.code}「{track.title}」的材料已换成：{what}"


def uploaded(codes: Sequence[str], mistakes: Sequence[Mistake]) -> str:
    if mistakes:
        listed = "\n".join(f"- 第{one.line}行：{one.reason}" for one in mistakes[:20])
        more = f"\n- 还有{len(mistakes) - 20}处" if len(mistakes) > 20 else ""
        return f"话术表里有{len(mistakes)}处不对，整份没有存：\n{listed}{more}"
    return f"已存{len(codes)}条话术：{'、'.join(codes[:30])}{'…' if len(codes) > 30 else ''}"


def columns_lacking(columns: Sequence[str]) -> str:
    return f"缺「{'、'.join(FIELDS[column] for column in columns)}」列"


def too_many(most: int) -> str:
    return f"一次最多{most}条，请分开传"


def listing(
    tracks: Sequence[Track],
    stopped_codes: frozenset[str],
    shown: Mapping[str, int],
    tallies: Mapping[str, Tally],
) -> str:
    """The library with use and success, by industry."""
    parts = [f"**话术库（{len(tracks)}条，近一年）**"]
    for industry in dict.fromkeys(track.industry for track in tracks):
        parts.append(f"**{INDUSTRIES.get(industry, '所有行业')}**")
        parts += [
            _listed(track, shown.get(track.code, 0), tallies.get(track.code, Tally()))
            + ("（已停用）" if track.code in stopped_codes else "")
            for track in tracks
            if track.industry == industry
        ]
    return "\n".join(parts)


def _listed(track: Track, shown: int, tally: Tally) -> str:
    line = f"- {track.code} {track.title}："
    if not shown:
        return f"{line}还没推过"
    ended = tally.won + tally.lost
    success = f"{ended}单里成交{tally.won}单" if ended else "还没有结果"
    return f"{line}推{shown}次，用{tally.taken}，不合适{tally.unfit}，{success}"


def _why(choice: Choice, situation: Situation) -> list[str]:
    held = [code for code in situation.objections if code in choice.track.objections]
    words = {
        Why.OBJECTION: f"客户提了「{'、'.join(OBJECTIONS[code] for code in held)}」",
        Why.PHASE: f"{PHASES[situation.phase]}：{_STAGES[situation.phase]}",
        Why.SIZE: f"适合{SIZES[situation.size]}" if situation.size else "",
        Why.BUYING: f"适合{BUYINGS[situation.buying]}",
        Why.INDUSTRY: f"{INDUSTRIES.get(situation.industry, '')}专用",
        Why.PROVEN: _record(choice.tally),
        Why.UNTRIED: "同类客户还没人试过",
    }
    return [words[why] for why in choice.why] or ["各行业通用"]


def _record(tally: Tally) -> str:
    ended = tally.won + tally.lost
    won = f"，已出结果{ended}单赢{tally.won}单" if ended else ""
    return f"同类客户{tally.judged}次选择里用了{tally.taken}次{won}"
