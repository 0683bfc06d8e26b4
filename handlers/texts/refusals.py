"""What the bot says about why customers said no."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.domain.activities import OBJECTIONS
from bot.domain.opportunities import Opportunity
from bot.domain.refusals import ENOUGH, Refusals, Share
from handlers.texts.dialog import short_name
from handlers.texts.money import amount_words

NOT_YOURS = "拒绝原因给产品经理、主管和销售总监看，我这里不能发给你。"
NOT_ONE_BY_ONE = "一单一单的丢单清单给销售、主管和销售总监看；汇总发「拒绝原因」。"
WHICH_PERIOD = "看哪段时间？后面写「上周」「本月」「上季度」「近90天」都行，最长一年。"
NONE = "没有丢单记录。"

_PERIOD_WORDS = "同样长的上一段"


def title(first: date, last: date) -> str:
    return f"客户为什么拒绝 {_day(first)}–{_day(last)}"


def lines(report: Refusals, *, top: int) -> list[str]:
    """The shares that make 100 % together, the other view, and the trend."""
    if not report.lost:
        return [NONE]
    blank = report.lost - report.told
    found = [f"丢单{report.lost}单" + (f"，其中{blank}单没填原因" if blank else "")]
    if not report.enough:
        found.append(f"有原因的只有{report.told}单，不到{ENOUGH}单，样本太少，下面只列单数。")
    found += [_share(rank, share, report) for rank, share in enumerate(report.shares[:top], 1)]
    rest = report.shares[top:]
    if rest:
        tenths, count = sum(share.tenths for share in rest), sum(share.count for share in rest)
        told = f"{count}单" + (f"，{percent(tenths)}" if report.enough else "")
        found.append(f"其余{len(rest)}项：{told}")
    if report.enough and report.before < ENOUGH:
        found.append(f"{_PERIOD_WORDS}只有{report.before}单，暂不比较趋势。")
    return found


def lost_deals(first: date, last: date) -> str:
    return f"丢单清单 {_day(first)}–{_day(last)}"


def lost_deal(day: date, deal: Opportunity, reason: str | None, rep: str) -> str:
    """rep: "" for the reader's own."""
    amount = amount_words(deal.amount_fen) if deal.amount_fen is not None else "金额未知"
    why = OBJECTIONS.get(reason, reason) if reason else "没填原因"
    told = [f"- {_day(day)} {short_name(deal.account_name)}", amount, why]
    return " · ".join([*told, rep] if rep else told)


def and_more(count: int) -> str:
    return f"还有{count}单，缩短时间再看，例如「丢单清单 上周」。"


def mentions(report: Refusals) -> str:
    """All reasons that were said; a deal may have several, so they make more than 100 %."""
    listed = "、".join(f"{OBJECTIONS.get(code, code)}{n}单" for code, n in report.mentioned)
    return f"提到过（一单可有多个）：{listed}"


def quote(code: str, words: str) -> str:
    return f"- {OBJECTIONS.get(code, code)}：“{words}”"


def group(label: str, count: int, code: str | None, examples: Sequence[str]) -> str:
    """A group of free words only suggests a reason."""
    belongs = f"像是「{OBJECTIONS[code]}」" if code else "清单里没有，可考虑加一项"
    shown = "；".join(f"“{words}”" for words in examples)
    return f"- 「{label}」{count}单，{belongs}。{shown}"


QUOTES = "**原话（已隐去姓名、公司和号码）**"
GROUPS = "**归在“其他”里的说法（近12周，仅供参考）**"


def _share(rank: int, share: Share, report: Refusals) -> str:
    told = f"{rank}. {OBJECTIONS.get(share.code, share.code)} {share.count}单"
    if report.enough:
        told += f"，{percent(share.tenths)}"
    if share.change is not None:
        told += f"，{trend(share.change)}"
    return told


def percent(tenths: int) -> str:
    """12.5%, from tenths of a percent."""
    return f"{tenths // 10}.{tenths % 10}%"


def trend(change: int) -> str:
    """Against the period before. change: in tenths of a percent."""
    if change == 0:
        return "和上期持平"
    points = f"{abs(change) // 10}.{abs(change) % 10}个百分点"
    return f"比上期{'升' if change > 0 else '降'}{points}"


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"
