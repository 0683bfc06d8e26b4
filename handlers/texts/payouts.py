"""What the bot says about bonuses: statements, «拿多少», whose a contract is, monthly runs."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.payouts.money import percent
from bot.domain.payouts.recipients import without_numbers
from handlers.texts.money import signed, typeset, yuan

HELP = (
    "**奖金可以这样问**\n"
    "- 奖金：本月预估；奖金 1月、奖金 上月：别的月份；点「逐笔说明」看每一笔怎么算的\n"
    "- 奖金明细 HT-2026-018：这份合同的每一笔，或者为什么还没有\n"
    "- 如果这单签38万我拿多少：按现行规则试算，不留记录\n"
    "- 奖金规则：现行规则，一条一句话\n"
    "- 成长基金：余额和明细；兑换目录、兑换 名称：换课程、门票和培训\n"
    "- 算得不对：月结锁定后在结算单上点「有异议」；我的申诉：看进展"
)
HELP_FOR_SETTLERS = (
    "**奖金管理**\n"
    "- 直接发规则文件（.json），或「导入奖金规则」后面跟内容\n"
    "- 奖金待办：要你定的；奖金归属 HT-2026-018 签单人 张伟；"
    "奖金拆分 HT-2026-018 张伟70 陈静30；投诉成立 HT-2026-018 事由\n"
    "- 奖金核算 2026-01：提交月结，另一个人批准；奖金已发 2026-01\n"
    "- 新增兑换 课程 名称 1200元、下架兑换 名称：成长基金的兑换目录\n"
    "- 奖金 张伟：别人的；奖金健康度：兑现率、影响面、申诉时效"
)
OWN_PAY_ONLY = (
    "奖金只有本人、上级、HRBP、财务、销售总监和管理员能看。要了解，请问他本人或 HRBP；"
    "你自己的，发「奖金」就能看。"
)
OVERSEERS_ONLY = "这个由财务、HRBP、销售总监或管理员看。自己的奖金发「奖金」。"
SETTLERS_ONLY = "合同算在谁名下由 HRBP、财务或管理员改，我这里没有改动。"
RUNS_ONLY = "每月奖金由财务、HRBP 或管理员核算，我这里没有改动。"
NOT_PUBLISHED = "还没有发布奖金规则，现在算不出奖金。规则发布后我会告诉你。"
WHICH_DEAL = "要看哪份合同的奖金？请带合同号，例如「奖金明细 HT-2026-018」。"
NO_OPEN_ITEMS = "奖金没有待处理的事项。"
HOW_MONEY = "请核对收退款：回款配错了发「匹配 收款单号 合同号」，金额错了请在 ERP 里更正。"
HOW_PEOPLE = (
    "请发「奖金归属 合同号 签单人 姓名」，也可以写 线索提供人、原销售；"
    "几个人分就发「奖金拆分 合同号 张伟70 陈静30」。"
)
KINDS = {
    "commission": "提成",
    "collab": "协作奖金",
    "penalty": "投诉扣减",
    "clawback": "退款追回",
    "adjustment": "调整",
    "deduction": "工资扣减",
}
DEAL_KINDS = {"新签": "new", "增购": "upsell", "续约": "renewal"}
ESTIMATED = "预估，随回款和退款变化，月结锁定后才算数"
SAVED_OWN, SAVED_MATCH = "其中转入成长基金", "公司另存成长基金"
DETAILS, PACK, DISPUTE = "逐笔说明", "证据包", "有异议"
MOST_LINES = 8


def statement_title(name: str, month: str, *, own: bool) -> str:
    return f"{'我' if own else name}的奖金 {month_words(month)}"


def month_words(month: str) -> str:
    year, number = month.split("-")
    return f"{year}年{int(number)}月"


def statement_lines(rows: Sequence[tuple[str, str, str, int]]) -> list[str]:
    """rows: (contract, customer, kind, fen)."""
    lines = [
        f"{number} {customer} {KINDS.get(kind, kind)} {signed(fen)}".strip()
        for number, customer, kind, fen in rows[:MOST_LINES]
    ]
    if len(rows) > MOST_LINES:
        lines.append(f"还有{len(rows) - MOST_LINES}笔，点「{DETAILS}」看全部。")
    return lines or ["这个月还没有奖金。"]


def statement_state(*, locked: bool, paid: bool) -> str:
    if paid:
        return "已锁定，已发放"
    return "已锁定，30天内可提异议" if locked else ESTIMATED


def details(title: str, rows: Sequence[tuple[str, int, str]], total: int) -> str:
    """Every line with its sentence. rows: (kind, fen, why)."""
    lines = [f"**{title}：合计 {yuan(total)}**"]
    lines += [
        f"- {KINDS.get(kind, kind)} {signed(fen)}：{sentence(why)}" for kind, fen, why in rows
    ]
    return "\n".join(lines)


def sentence(why: str) -> str:
    """Why a line is what it is, for people's eyes."""
    return typeset(without_numbers(why))


def deal_title(number: str, customer: str) -> str:
    return f"{number} {customer} 的奖金"


def no_lines_of_deal(number: str, customer: str) -> str:
    return (
        f"合同 {number}（{customer}）目前没有你能看的奖金：可能还没到规则的条件（例如回款率），"
        "也可能不在规则范围内。现行规则发「奖金规则」。"
    )


def deal_line(person: str, kind: str, fen: int, why: str, month: str) -> str:
    name = person or "未分配"
    head = f"- {name} {KINDS.get(kind, kind)} {signed(fen)}（{month_words(month)}）"
    return f"{head}：{sentence(why)}"


def not_met(conditions: Sequence[str]) -> str:
    return f"- 规则逐条核对：{'；'.join(conditions)}"


def what_if(
    amount_fen: int, fen: int, whys: Sequence[str], *, customer: str, hints: Sequence[str]
) -> str:
    whose = f"{customer}这单" if customer else "这单"
    lines = [f"**{whose}签 {yuan(amount_fen)}、款全部到账，你拿 {yuan(fen)}**"]
    lines += [f"- {sentence(why).replace(f'合同 {IF_NUMBER} ', '')}" for why in whys]
    lines += [f"- {one}" for one in hints]
    lines.append("按今天签约、现行规则试算，没有记下任何东西；以月结为准。")
    return "\n".join(lines)


IF_NUMBER = "试算"


def nothing_for(amount_fen: int, hints: Sequence[str]) -> str:
    lines = [f"签 {yuan(amount_fen)}，按现行规则拿不到奖金。"]
    lines += [f"- {one}" for one in hints]
    return "\n".join(lines)


HOW_MUCH = "要按多少钱试算？例如「如果这单签38万我拿多少」。"


def please_settle(why: str, how: str) -> str:
    return f"奖金有一处要你定：{why}。{how}定好后我会自动重算。"


def open_item(number: str, why: str, who: str, how: str) -> str:
    asked = f"（{who}处理）" if who else ""
    return f"- {number}{asked}：{why}。{how}"


def open_items(lines: Sequence[str]) -> str:
    if not lines:
        return NO_OPEN_ITEMS
    return "\n".join([f"**奖金待办{len(lines)}项**", *lines])


HOW_PEOPLE_ORDER = (
    "例如「奖金归属 HT-2026-018 签单人 张伟」「奖金拆分 HT-2026-018 张伟70 陈静30」。"
)


def no_such_person(name: str) -> str:
    return f"没有找到同事「{name}」，请写全名。"


def two_of_that_name(name: str) -> str:
    return f"有不止一位叫「{name}」的同事，请管理员改名区分后再设。"


def shares_refused(total: int) -> str:
    if total > 100:
        return f"拆分合计 {total}%，超过了 100%，没有改动。请改成合计 100%。"
    return f"拆分合计 {total}%，不到 100%，没有改动。剩下的归谁？请改成合计 100%。"


def people_changed(number: str, told: str) -> str:
    return f"合同 {number} 的奖金归属已改：{told}。相关预估已重算；已锁定的月份不改，差额记在当月。"


def share_words(shares: Sequence[tuple[str, int]]) -> str:
    return "、".join(f"{name} {percent(weight)}" for name, weight in shares)


def complaint_noted(number: str) -> str:
    return f"已记下合同 {number} 的一次成立投诉，相关奖金已按规则重算。"


COMPLAINT_HOW = "请写合同号和事由，例如「投诉成立 HT-2026-018 交付延期两周」。"
WHICH_MONTH = "要核算哪个月？例如「奖金核算 2026-10」。"


def time_to_reckon(month: str) -> str:
    return (
        f"{month_words(month)}过完了，可以核算奖金：先看「奖金待办」有没有没定的，"
        f"再发「奖金核算 {month}」，由另一个人批准锁定。"
    )


def not_over(month: str) -> str:
    return f"{month_words(month)}还没过完，月末之后才能核算。"


def locked_before(month: str) -> str:
    return f"{month_words(month)}的奖金已经锁定，不能再改；更正会记在之后的月份。"


STILL_COMPUTING = "新规则发布后还有合同没重算完，请过几分钟再核算。"
RUN_TITLE = "月度奖金核算"
LOCK, REFRESH = "批准并锁定", "重新核对"
RUN_CLOSED = "已锁定"


def run_lines(
    month: str, *, total: int, people: int, lines: int, open_items: int, by: str
) -> list[str]:
    told = [
        f"{month_words(month)}：{people}人、{lines}笔，合计 {yuan(total)}。",
        f"{by}提交，要由另一个人批准；锁定后只能调整，不能改。",
    ]
    if open_items:
        told.append(f"还有{open_items}项待办没处理，未分配的钱不会发出。发「奖金待办」看。")
    return told


def run_people(rows: Sequence[tuple[str, int, int]]) -> str:
    lines = [f"- {name or '未分配'}：{yuan(fen)}（{count}笔）" for name, fen, count in rows]
    return "\n".join(["**每个人的合计**", *lines])


LOCK_OWN = "这一批是你提交的，要由另一个人批准。"
NOBODY_TO_LOCK = "还没有第二个人可以批准：请管理员给另一位同事设上财务、HRBP 或销售总监角色。"


def figures_moved(was: int, now: int) -> str:
    return (
        f"数字刚变过：提交时合计 {yuan(was)}，现在 {yuan(now)}（有新的回款、退款或归属变化）。"
        f"请点「{REFRESH}」，看过新数字再批准。"
    )


def locked(month: str, people: int) -> str:
    return f"{month_words(month)}的奖金已锁定，正在给{people}位同事发结算单。"


def head_of(month: str, head: str) -> str:
    """head: number and hash, as `gendan db verify` takes them."""
    return (
        f"{month_words(month)}的奖金已锁定。校验值：{head}\n"
        "请留着这条：以后有人改动记录，在服务器上运行 gendan db verify --head 加校验值就能发现。"
    )


def paid(month: str, *, held: int) -> str:
    tail = f"其中{held}笔正在申诉，裁定后再发。" if held else ""
    return f"已记下：{month_words(month)}的奖金发放了。{tail}"


def not_locked(month: str) -> str:
    return f"{month_words(month)}的奖金还没锁定，不能记为已发放。先发「奖金核算 {month}」。"


NO_PACK = "现在导不出证据包，请稍后再试；还是不行就告诉管理员。"
PACK_AGAIN = "刚好有人同时导出了证据包，请再点一次。"
PACK_GONE = "这个月没有可以导出的奖金。"


def pack_name(name: str, month: str) -> str:
    return f"奖金证据包_{name}_{month}.zip"


def pack_sent(name: str, total: int, head: str) -> str:
    return (
        f"{name}，合计 {yuan(total)}。任何人都可以用 gendan payouts verify 重算核验；"
        f"校验值 {head[:16]}… 已记入审计。"
    )
