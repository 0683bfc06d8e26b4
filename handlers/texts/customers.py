"""What the bot says about customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time

from bot.domain.customer_master import Reason
from bot.domain.identifiers import CodeFault
from bot.domain.opportunities import Light, OpportunityState
from handlers.texts.dialog import WEEKDAYS, short_name, shorten

STATES = {
    OpportunityState.OPEN: "跟进中",
    OpportunityState.ON_HOLD: "暂缓",
    OpportunityState.WON: "已赢单",
    OpportunityState.LOST: "已丢单",
    OpportunityState.INVALID: "无效",
}
BAD_CUSTOMER_NAME = (
    "客户名请用2到60个字，只含文字、数字、括号、点和短横，例如「新建客户 杭州某某有限公司」。"
)
STREAM_HAS_MORE = "\n\n更早的动态请在客户页面查看。"
WHICH_TO_SHOW = "想看哪家客户？例如「客户 恒锐机电」。"
WHICH_TO_CREATE = "要新建哪家客户？请带上全称，例如「新建客户 杭州某某有限公司」。"


def light(color: Light, gap_days: int, *, stuck: bool) -> str:
    """The light and why, in one phrase."""
    words = {
        Light.GREEN: "正常",
        Light.YELLOW: f"黄灯，已{gap_days}个工作日没有有效跟进",
        Light.RED: f"红灯，已{gap_days}个工作日没有有效跟进",
    }[color]
    if not stuck:
        return words
    return "阶段停滞" if color is Light.GREEN else f"{words}，阶段停滞"


def when(local: datetime) -> str:
    """1月28日(周三) 15:00; the day alone where only it is known, which is kept as midnight."""
    day = f"{local.month}月{local.day}日(周{WEEKDAYS[local.weekday()]})"
    return day if local.time() == time.min else f"{day} {local:%H:%M}"


def promised_words(local: datetime) -> str:
    """Without the hour where nobody said one: such a promise stands at nine."""
    day = f"{local.month}月{local.day}日(周{WEEKDAYS[local.weekday()]})"
    return f"{day} {local:%H:%M}" if has_hour(local) else day


def has_hour(promised: datetime) -> bool:
    return (promised.hour, promised.minute) != (9, 0)


def promised(local: datetime) -> str:
    return f"约好{promised_words(local)}联系"


def not_visible(name: str) -> str:
    return f"「{name}」不在你和你团队的客户里，看不到它的动态。需要的话请找主管开通。"


def no_such_customer(words: str) -> str:
    return f"客户名单里没有找到「{words}」。换个叫法试试，或发「新建客户 全称」来新建。"


def which_one(words: str, names: Sequence[str]) -> str:
    listed = "\n".join(f"- {name}" for name in names)
    return f"「{words}」可能是下面几家，请带上全称再发一次：\n{listed}"


def no_stream(name: str) -> str:
    return f"「{name}」还没有动态。直接告诉我你和他们的跟进，就会记在这里。"


def created(name: str) -> str:
    return f"已新建客户「{name}」，由你负责，从今天起计跟进。"


REASONS = {
    Reason.CREDIT_CODE: "同一统一信用代码",
    Reason.NAME: "名称相同",
    Reason.CORE: "名称只差地名或「有限公司」",
    Reason.CORE_ELSEWHERE: "字号相同、城市不同",
    Reason.SOUND: "读音相同",
    Reason.SLIP: "名称只差一个字",
    Reason.PART: "名称开头相同",
    Reason.CONTACT: "同一外部联系人",
    Reason.PHONE: "同一电话",
    Reason.DOMAIN: "同一网址或邮箱域名",
}
FACTS_HOW = (
    "请写客户名和要登记的统一信用代码、电话或网址，"
    "例如「客户资料 恒锐机电 91330100799655058B 0571-87654321 hengrui.com」。"
)
CARD_DONE = "这张卡片已经处理过了，不用再按。"
NOT_YOUR_CARD = "这张卡片是给提出新建的同事的，你不用按。"
CHOSEN = "已处理"
NOT_CREATED = "没有新建"
CLASH_TITLE = "撞单：客户归谁"
CLASH_REASON = "裁定理由"
CLASH_REASONS = (
    "先报先得",
    "近期一直在跟",
    "按区域划分",
    "按行业划分",
    "客户指定对接人",
    "确实是两家公司",
)
CLASH_WANTS_REASON = "请先在卡片上选裁定理由，再按一次。"
CLASH_NOT_YOURS = "这件撞单由两位同事共同的主管裁定，你按不了。"
KEEP_BOTH = "两家都留"


def reasons(found: Iterable[str]) -> str:
    """同一电话、名称只差一个字."""
    return "、".join(REASONS[Reason(one)] for one in found)


def bad_credit_code(words: str, fault: CodeFault) -> str:
    why = {
        CodeFault.LENGTH: "应为18位",
        CodeFault.CHARACTER: "里面有不会出现的字符（没有 I、O、S、V、Z）",
        CodeFault.CHECK_DIGIT: "校验位不对，可能抄错了一位",
    }[fault]
    return f"统一信用代码「{words}」{why}，请核对后再发一次，现在没有改动。"


def bad_phone(words: str) -> str:
    return f"电话「{words}」认不出来，请写手机号，或带区号的座机"


def bad_domain(words: str) -> str:
    return f"网址「{words}」不是公司自己的域名（公共邮箱、商城不算）"


def alike(name: str, found: Iterable[Reason]) -> str:
    return f"像在册的「{name}」（{reasons(found)}）"


def similar_title(name: str) -> str:
    return shorten(f"新建客户 {name}", 36)


def candidate(name: str, owner: str, found: Iterable[Reason]) -> str:
    return f"「{name}」（{owner}负责）：{reasons(found)}"


def similar_exists(name: str) -> str:
    return (
        "已经有名字很像或信息相同的客户，先没有新建。"
        f"确实是另一家的话，请按「是另一家，新建」，或发「确认新建客户 {name}」。"
    )


def use(name: str) -> str:
    return f"就是{short_name(name)}"


def uses(name: str) -> str:
    return f"好，就用「{name}」，没有新建。"


def exists(name: str, owner: str, found: Iterable[Reason]) -> str:
    return f"客户「{name}」已经在册，负责人是{owner}（{reasons(found)}），没有再建一个。"


def lies_in_pool(name: str) -> str:
    return f"「{name}」在公海里，没有人负责。发「领取 {name}」就归你，没有再建一个。"


def facts_kept(name: str, code: str, phone: str, domain: str) -> str:
    known = (("统一信用代码", code), ("电话", phone), ("网址", domain))
    listed = "，".join(f"{label}{value}" for label, value in known if value)
    return f"「{name}」的资料已登记：{listed}。"


def same_as(name: str, other: str, owner: str, found: Iterable[Reason]) -> str:
    return (
        f"注意：「{other}」（{owner}负责）和它{reasons(found)}，可能是同一家。"
        f"是的话请主管发「合并客户 {other} 到 {name}」。"
    )


def in_pool_from(owner: str) -> str:
    return f"公海（原{owner}）"


def to_person(name: str) -> str:
    return f"归{name}"


def clash_question(claimant: str, asked: str, holder: str, name: str) -> str:
    return f"{claimant}要新建「{asked}」，它很可能就是{holder}的「{name}」。请选理由，再定归谁。"


def clash_for_claimant(
    asked: str, name: str, holder: str, found: Iterable[Reason], judges: Sequence[str]
) -> str:
    return (
        f"「{asked}」很可能就是{holder}在跟的「{name}」（{reasons(found)}），先没有新建。"
        f"已请{_listed(judges)}裁定归谁，定了会告诉你。"
    )


def clash_for_holder(
    name: str, claimant: str, asked: str, found: Iterable[Reason], judges: Sequence[str]
) -> str:
    return (
        f"{claimant}想新建「{asked}」，和你的「{name}」很可能是同一家（{reasons(found)}）。"
        f"已请{_listed(judges)}裁定，在那之前仍由你负责。"
    )


def clash_waits(name: str) -> str:
    return f"你报的这家和「{name}」撞单，已经在等裁定，不用再发。"


def clash_to(name: str, winner: str, by: str, reason: str) -> str:
    return f"撞单「{name}」：{by}裁定归{winner}，理由：{reason}。"


def clash_both(name: str, asked: str, by: str, reason: str) -> str:
    return f"撞单「{name}」：{by}裁定两家都留，「{asked}」已新建给申请人，理由：{reason}。"


def clash_decided_before(verdict: str) -> str:
    return f"别人已经先裁定了，你这次没有生效。{verdict}"


def _listed(names: Sequence[str]) -> str:
    return "、".join(names) if names else "管理员"
