"""What the bot says about the growth fund: statement, consent, catalogue, redemptions."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.payouts.growth import Kind, Mode
from bot.domain.payouts.money import percent
from handlers.texts.money import signed, yuan

TITLE = "成长基金"
CATALOGUE_TITLE = "兑换目录"
CONSENT, REVOKE, CATALOGUE = "我同意转入", "停止转入", "看兑换目录"
ASK, DROP, WITHDRAW = "提交兑换", "取消", "撤回兑换"
APPROVE, REJECT = "批准", "驳回"
KINDS = {"course": "课程", "ticket": "门票", "training": "培训"}
KIND_KEYS = {words: key for key, words in KINDS.items()}
STATES = {"waiting": "待批准", "approved": "已批准", "rejected": "已驳回", "withdrawn": "已撤回"}
MOVES = {
    Kind.SAVED: "转入",
    Kind.HELD: "兑换冻结",
    Kind.RELEASED: "退回",
    Kind.SPENT: "兑换",
    Kind.LEFT: "离职结清",
}
NOT_OPEN = "公司没有开通成长基金，奖金全部以现金发放。"
NO_SHARE = "现行奖金规则没有写成长基金的比例，暂时没有可以转入的。"
SHARE_CHANGED = "转入的比例刚刚改了，没有记下同意。请按新的比例再看一遍。"
NOT_BY_CONSENT = "成长基金现在不从个人奖金里转，不需要同意。"
KEEPERS_ONLY = "兑换目录由 HRBP 或管理员维护，我这里没有改动。"
NOT_YOURS = "这张卡片不是发给你的，我这里没有改动。"
NOT_APPROVER = "兑换由 HRBP 或管理员批准，自己的要由别人批。"
OVER = "这次兑换已经处理过了，我这里没有改动。"
NOBODY_TO_APPROVE = "还没有人可以批准兑换：请管理员给一位同事设上 HRBP 角色。"
EMPTY_CATALOGUE = "兑换目录还是空的。HRBP 或管理员发「新增兑换 课程 谈判技巧课 1200元」就能加。"
HOW_TO_ADD = (
    "例如「新增兑换 课程 谈判技巧课 1200元 两天，线下」；类别是课程、门票或培训。"
    "一次加很多就发 CSV 文件，表头：类别,名称,价格,说明。"
)
WHICH_TO_END = "要下架哪一项？例如「下架兑换 谈判技巧课」。"
WHICH_TO_REDEEM = "要兑换哪一项？发「兑换目录」看全部，例如「兑换 谈判技巧课」。"
PRICE_MISSING = "价格要大于0，例如 1200元。"
NAME_LONG = "名称不超过40个字，说明不超过100个字。"
NOTHING_HAPPENED = "好的，没有兑换。"
MOST_MOVES = 8


def consent_words(share_bp: int) -> str:
    """To what a person agrees; kept word for word."""
    return (
        f"我自愿把以后每个季度奖金的 {percent(share_bp)} 转入成长基金，用于课程、门票和培训。"
        "这是我自己的钱：随时可以停止转入，停止后的季度不再转；已转入的可以继续兑换，离职时余额以现金发给我。"
        "不同意不影响奖金，奖金全部照发现金。"
    )


def mode_words(mode: Mode, *, share_bp: int | None, consented: bool) -> str:
    if mode is Mode.OFF:
        return "现在没有开通转入，余额可以照常兑换。"
    if share_bp is None:
        return NO_SHARE
    if mode is Mode.MATCH:
        return f"公司在奖金之外，按每季度奖金的 {percent(share_bp)} 另存，奖金照发现金。"
    if consented:
        return "你已同意转入，季度最后一个月锁定时转一次，随时可以停止。"
    return consent_words(share_bp)


def mode_on_page(mode: Mode, *, share_bp: int | None, consented: bool) -> str:
    """The same for whoever may look at it."""
    if mode is Mode.OPT_IN and share_bp is not None:
        if consented:
            return f"已同意每季度转入奖金的 {percent(share_bp)}，季度最后一个月锁定时转一次。"
        return "没有同意转入，奖金全部发现金。"
    return mode_words(mode, share_bp=share_bp, consented=consented)


def consented(share_bp: int) -> str:
    return f"已记下你的同意：以后每季度奖金的 {percent(share_bp)} 转入成长基金，随时可以停止。"


REVOKED = "已停止转入，以后的季度奖金全部发现金。已有的余额可以继续兑换。"


def title(name: str, *, own: bool) -> str:
    return f"{'我' if own else name}的{TITLE}"


def move(kind: Kind, fen: int, why: str, day: str) -> str:
    return f"{day} {MOVES[kind]} {signed(fen)}：{why}"


def saved_why(quarter: str, mode: Mode) -> str:
    source = "本人奖金" if mode is Mode.OPT_IN else "公司另存"
    return f"{quarter_words(quarter)} {source}"


def quarter_words(quarter: str) -> str:
    return f"{quarter[:4]}年第{quarter[5]}季度"


def told_saved(quarter: str, fen: int, balance: int, mode: Mode) -> str:
    source = "按你的同意从本季度奖金转入" if mode is Mode.OPT_IN else "公司在奖金之外存入"
    return (
        f"{quarter_words(quarter)}{source}成长基金 {yuan(fen)}，余额 {yuan(balance)}。"
        "发「成长基金」看明细，发「兑换目录」看能换什么。"
    )


def told_payers(quarter: str, rows: Sequence[tuple[str, int]], mode: Mode) -> str:
    """For who pays the bonuses out."""
    total = sum(fen for _, fen in rows)
    head = (
        "按本人同意从现金奖金中转入，发放时请扣下"
        if mode is Mode.OPT_IN
        else "由公司另存，现金奖金照发"
    )
    lines = [f"**{quarter_words(quarter)}成长基金 {yuan(total)}**：{head}。"]
    lines += [f"- {name}：{yuan(fen)}" for name, fen in rows]
    return "\n".join(lines)


def shares_differ(quarter: str, shares: Sequence[int]) -> str:
    listed = "、".join(percent(bp) for bp in shares)
    return f"{quarter_words(quarter)}的规则写了不同的成长基金比例（{listed}），这个季度没有转入。"


def told_left(name: str, own: int, match: int) -> str:
    parts = []
    if own:
        parts.append(f"本人转入的 {yuan(own)} 应以现金发给他")
    if match:
        parts.append(f"公司存入的 {yuan(match)} 已收回")
    return f"{name}已离职，成长基金结清：{'；'.join(parts)}。"


def item_line(kind: str, name: str, price_fen: int, note: str) -> str:
    tail = f"（{note}）" if note else ""
    return f"- {KINDS[kind]} {name} {yuan(price_fen)}{tail}"


def catalogue(lines: Sequence[str], balance: int) -> str:
    if not lines:
        return EMPTY_CATALOGUE
    return "\n".join(
        [f"**{CATALOGUE_TITLE}**", *lines, f"> 你的余额 {yuan(balance)}。换一项发「兑换 名称」。"]
    )


def added(kind: str, name: str, price_fen: int) -> str:
    return f"兑换目录里有了：{KINDS[kind]} {name} {yuan(price_fen)}。"


def imported(count: int) -> str:
    return f"兑换目录加了{count}项，同名的按新价格。发「兑换目录」看全部。"


def table_refused(mistakes: Sequence[str]) -> str:
    return "\n".join(["兑换目录没有导入，请改好再发：", *[f"- {one}" for one in mistakes]])


def bad_row(number: int, why: str) -> str:
    return f"第 {number} 行：{why}"


UNKNOWN_KIND = "类别要写课程、门票或培训"


def ended(name: str) -> str:
    return f"「{name}」已下架，已经提交的兑换不受影响。"


def no_such_item(name: str) -> str:
    return f"兑换目录里没有「{name}」。发「兑换目录」看全部。"


def not_enough(price: int, missing: int) -> str:
    return f"要 {yuan(price)}，余额还差 {yuan(missing)}，没有兑换。"


def price_changed(name: str, price: int) -> str:
    return f"「{name}」的价格改成了 {yuan(price)}，没有兑换。请再看一遍，重新提交。"


def redeem_lines(kind: str, name: str, price: int, balance: int) -> list[str]:
    return [
        f"{KINDS[kind]}「{name}」{yuan(price)}",
        f"余额 {yuan(balance)}，兑换后剩 {yuan(balance - price)}。",
    ]


def asked_lines(person: str, kind: str, name: str, price: int) -> list[str]:
    return [f"{person}想用成长基金兑换{KINDS[kind]}「{name}」{yuan(price)}，金额已冻结。"]


def submitted(name: str) -> str:
    return f"已提交，等 HRBP 批准「{name}」；金额先冻结，不批准会退回。"


def told_decision(name: str, price: int, *, approved: bool, by: str) -> str:
    if approved:
        return f"{by}批准了你兑换的「{name}」（{yuan(price)}），HRBP 会为你安排。"
    return f"{by}没有批准你兑换的「{name}」，{yuan(price)} 已退回余额。"


def decided(person: str, name: str, *, approved: bool) -> str:
    return f"已{'批准' if approved else '驳回'}{person}兑换「{name}」，已告诉他。"


def withdrawn(name: str) -> str:
    return f"「{name}」的兑换已撤回，金额退回余额。"


def waiting_line(name: str, price: int) -> str:
    return f"待批准：{name} {yuan(price)}"
