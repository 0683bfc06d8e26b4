"""Sums of money in a message, in fen, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum, auto

from handlers.understanding.numbers import ARABIC, HAN, to_lower_number
from handlers.understanding.spans import CORRECTION, Found, choose

_BARE = re.compile(r"(?!20[12]\d$)(?:[1-9]\d{3,8}|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d{1,2})?")
"""As people write sums without saying so; a year or a telephone number is none."""
_BOUNDARY_BEFORE = re.compile(r"(?:^|[\s,。;!?:〓(]|了|的|单)$")
_BOUNDARY_AFTER = re.compile(r"$|[\s,。;!?)]|签|成|到|拿|搞|已|收|打|付|的")
_LARGEST_FEN = 10**15
_HAN_START = HAN.translate({ord(unit): None for unit in "千万亿仟"})
_TAIL = (
    r"(?:[零〇]?\d{1,4}|[零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖][十百千拾佰仟]?"
    r"[一二三四五六七八九零百十壹贰叁肆伍陆柒捌玖]{0,5})"
)
_MONEY = re.compile(
    rf"(?P<sign>[¥$]|rmb|人民币)?\s*(?<![a-z\d.#])(?<![a-z\d]-)(?P<number>{ARABIC}|(?<![几数])[{_HAN_START}][{HAN}]{{0,15}}"
    rf"(?:点[{HAN}]{{1,4}})?)"
    rf"\s*(?P<more>多|来|几|出头)?个?(?P<unit>亿|千万|百万|十万|万|千|w(?![a-z])|k(?![a-z]))?"
    rf"(?P<tail>(?<=[亿万千wk]){_TAIL}(?:[千k百]{_TAIL}?)?)?(?P<yuan>元整?|块钱?|圆整?"
    rf"|rmb|人民币)?(?P<more_yuan>多)?(?P<jiao>(?<=[块元])[\d一二两三四五六七八九](?:毛|角))?"
)
_NUMERAL = re.compile(rf"[\d{_HAN_START}]")
_NOT_MONEY_AFTER = re.compile(
    r"\s*(?:%|折|成|个(?!w|万)|分钟|小时|秒|分(?!钱)|天|周|月|年|号|日|点|套|台|家|人"
    r"|次|页|版|条|件|路|楼|层|期|季度|位|份|把|吨|米|种|遍|圈|公里|度|倍|吨|届|名|批"
    r"|轮|间|张|项|步|级|ms|mb|gb|g(?![a-z])|[:：/])"
)
_PIECES_AFTER = re.compile(
    r"\s*(?:余|多)?(?:只|支|根|卷|箱|桶|瓶|双|颗|粒|升|公斤|斤|平米|平方|枚|片|亩|人次|套(?!餐)|台|吨|米|件"
    r"|把|条|本|册|户|点位|座|盒|袋|家(?!报|出|给)|间|头|羽|株|棵|度|斤|里|转|小时|辆|张|股|字|公里|用户|终端|并发|人(?!民)|吨级|平)"
)
_NOT_MONEY_BEFORE = re.compile(
    r"(?:第|(?<!quot)(?<!offe)[a-z]|电话|手机|手机号|编号|单号|号码|po号?|no\.?|合同号|订单号|尾号|微信号"
    r"|版本|型号|税号|账号|群里|近?\d天)[:： ]?$|[这那]$"
)
_MONEY_CUE = re.compile(
    r"(?:报价?了?|报的是?|报到|报过去|报给\w{0,4}|价格?|总价|金额|合同额|合同金额|合同价"
    r"|合同|总额|总共|一共|合计|共计|首付款?|预付款?|定金|订金|尾款|首款|进度款|回款|到账"
    r"|付了|(?:已|实|预)付|[实已]收|交了|刷了|打了|打款|付款|收到|到了|汇了|转了|退款|退了|退|款项?|预测|预计|业绩|签了"
    r"|成交|单子|单|押金|货款|少我|欠我|扣了?|少发|少算|少了|差了?|漏了?|漏算|漏发|多扣|少给|改成|改为|是|应该是"
    r"|[一二两三]笔|少[^,。;!?\d]{0,3}[算发给]了?|多[收付打转汇]了?|offer|给到|给了?)(?:是|为|了|到|:|：|额|价|的|在|大概|大约|差不多|约|才|总共|一共"
    r"|总计)*\s*$"
)
_RATIO = re.compile(r"[一二三四五六七八九]{2,5}")
"""付款三三三一: shares, without any unit."""
_SMALL_ALONE = Decimal(300)
_ABOUT_BEFORE = re.compile(
    r"(?:大概|大约|差不多|约|估计|左右|将近|接近|近|小|毛)(?:是|在|有|能|要)?\s*$"
)
_ABOUT_AFTER = re.compile(r"\s*(?:块钱?|元)?(?:左右|上下|的样子|吧?差不多|这样子)")
_BELOW = re.compile(r"(?:不到|不足|不满|没到)\s*$|(?:几|好几)$")
_OVERPAID = re.compile(r"多(?:收|付|打|转|汇)了?")
_GIVEN_BACK = re.compile(r"[^。;!?]{0,12}退(?!货|换|休|步)")
_EACH = re.compile(r"一笔|一次|一家")
_IN_ALL = re.compile(r"总|共|合计|加起来|一起")
_REFUND = re.compile(r"退(?!出|换|回来?了?方案|休|步)[款了回给]*|冲红|红冲|退货款")


class Owner(Enum):
    """Whose figure it is."""

    OURS = auto()
    THEIRS = auto()
    DIFFERENCE = auto()


_COMPETITOR_BEFORE = re.compile(
    r"(?:竞品|竞争对手|对手|友商|同行|另一家|另外一家|别家|别人家?|其他家|其它家|人家"
    r"|那家|隔壁|第三方|对面|供应商[a-z]?|用友|金蝶|华为|浪潮|sap|鼎捷|[a-z]家|[a-z]公司"
    r"|他家|他们家|有家|某家|一家)[^,，。;；!?\n]{0,10}$"
)
_COUNTER_BEFORE = re.compile(
    r"(?:还价|还到|砍价|砍到|砍成|砍|压到|压价到?|(?<![油液气水电高低冲增])压(?![机力缩铸])|只肯|只愿|只能|只给|只有|最多|最高"
    r"|心理价位?|心里价|目标价|期望价?|希望|想要|想|要求|预算|上限|封顶|想让|让我们降到"
    r"|让降到|让我们做到|要我们降到|要降到|要求降到|能不能|能否|可不可以|降到\w{0,2}才"
    r"|客户出价?|出价|回价|对方出|给的价|他们给|客户给|控制在|低于|卡在|底价|限价|拦标价"
    r"|控制价)[^,，。;；!?\n\d万]{0,8}$"
)
_COUNTER_AFTER = re.compile(
    r"\s*(?:元|块)?(?:以内|以下|才[签做肯行能买]|就[签定买]|能不能|行不行|可不可以|封顶"
    r"|的预算|预算|能做不|做不做|(?:块钱)?的(?:优惠|折扣|让利|差价|返点|返利|缺口|差距))"
)
_DIFFERENCE_BEFORE = re.compile(
    r"(?:让了?|让利|降了?|便宜了?|优惠了?|减了?|少收|高了?|贵了?|(?<!差不)多了?|剩下?|剩余|低了?|差了?|差价"
    r"|相差|抹了?|打掉|涨了?|加了?|送了?|超了?|高出|贵出|还欠|还差|欠)(?:我们|他们|大概"
    r"|快|约|个)*\s*$"
)
_OTHER_MONEY = re.compile(
    r"(?:去年|往年|注册资本|营收|产值|年产值|规模|单价|每(?:一)?[台套个人年月盒箱瓶支吨斤米平件张份次天亩头盘条桶包吨公]{1,2}|每年|年费|月费|合|摊|赔偿?|罚"
    r"|维护费|服务费|运费|(?<!含)税|保证金|罚款|提成|奖金|工资|差旅|请客|花了|饭钱|车费|原价"
    r"|原来报?的?|原先|之前报?的?|上次报?的?|一开始报?的?|从)(?:是|为|才|了|要|的|报)*\s*$"
)
_QUOTED_AFTER = re.compile(r"\s*(?:元|块)?[^,。;!?\s]{0,2}(?:报过去|报了|报给|已报|报出)")
_CONCESSION = re.compile(
    r"打了?[\d一二三四五六七八九.]+折|优惠|折后|降到|降为|降成|改报|重新报|重报|调到|调整"
    r"|最后|最终|现在"
)
_MISSING_BEFORE = re.compile(
    r"(?:(?:少|漏|没)[^,。;!?\d]{0,3}(?:算|发|给)|少发|少算|少给|少了|漏发|漏算|漏了|漏掉|多扣|错扣|扣了|扣|差了?|少我?|欠|短了?|补发?)"
    r"(?:了|我|的|大概|约|一共|提成|奖金|奖励|的是)*\s*$"
)


def find_amounts(text: str, *, bare: bool = False) -> list[Found[int]]:
    """Every sum of money said, in fen, in the order of the text.

    bare: a number of four digits or more is a sum even where no word says so (恒锐 117300 签了).
    """
    found: list[Found[int]] = []
    if not _NUMERAL.search(text):
        return found
    for match in _MONEY.finditer(text):
        fen = _fen(text, match, bare=bare)
        if fen is not None and 0 < fen < _LARGEST_FEN:
            about = bool(
                _ABOUT_BEFORE.search(text[max(0, match.start() - 6) : match.start()])
                or _ABOUT_AFTER.match(text, match.end())
            )
            found.append(Found(match.start(), match.end(), fen, about))
    return found


def find_amount(
    text: str, *, prefer: re.Pattern[str] | None = None, bare: bool = False
) -> Found[int] | None:
    """Our figure in `text`: not the customer's, a competitor's, nor a mere difference.

    prefer: words that stand just before the figure wanted where there are several. bare: see
    `find_amounts`. Refunds are negative.
    """
    amounts = find_amounts(text, bare=bare)
    ours = [one for one in amounts if owner_of(text, one) is Owner.OURS]
    if _is_a_list(text, ours):
        return None
    chosen = _revised(text, ours) or _preferred(text, ours, prefer) or choose(text, ours)
    if chosen and _is_refund(text, chosen):
        return Found(chosen.start, chosen.end, -chosen.value, chosen.approximate)
    return chosen


def _is_refund(text: str, amount: Found[int]) -> bool:
    before, after = _clause_before(text, amount.start), text[amount.end :]
    return (
        text[: amount.start].endswith("-")
        or _REFUND.search(before + after[:3]) is not None
        or (_OVERPAID.search(before) is not None and _GIVEN_BACK.match(after) is not None)
    )


def _is_a_list(text: str, ours: Sequence[Found[int]]) -> bool:
    """一笔八千一笔一万二: none of them is the amount, and the sum was not said."""
    each = [one for one in ours if _EACH.search(text[max(0, one.start - 5) : one.start])]
    return len({one.value for one in each}) > 1 and _IN_ALL.search(text) is None


def find_missing(text: str) -> Found[int] | None:
    """The difference an appeal names: 少发了800. Two totals without a difference are none."""
    missing = [
        one
        for one in find_amounts(text)
        if _MISSING_BEFORE.search(text[max(0, one.start - 8) : one.start])
    ]
    return choose(text, missing)


def owner_of(text: str, amount: Found[int]) -> Owner:
    before = _clause_before(text, amount.start)
    if _DIFFERENCE_BEFORE.search(before):
        return Owner.DIFFERENCE
    if _COUNTER_BEFORE.search(before) or _COUNTER_AFTER.match(text, amount.end):
        return Owner.THEIRS
    if _COMPETITOR_BEFORE.search(before):
        return Owner.THEIRS
    if _OTHER_MONEY.search(before) and not _QUOTED_AFTER.match(text, amount.end):
        return Owner.THEIRS
    return Owner.OURS


def read_amount(text: str) -> int | None:
    """A bare answer such as 12万8, 128000 or 七十六万五, in fen."""
    amount = find_amount(f"金额{text.strip()}")
    return amount.value if amount else None


def _revised(text: str, ours: Sequence[Found[int]]) -> Found[int] | None:
    """报15万被嫌贵，打了9折13万5: the figure after the last concession is the offer."""
    if len(ours) < 2 or CORRECTION.search(text):
        return None
    for one, earlier in zip(ours[:0:-1], ours[-2::-1], strict=True):
        if _CONCESSION.search(text[earlier.end : one.start]):
            return one
    return None


def _preferred(
    text: str, ours: Sequence[Found[int]], prefer: re.Pattern[str] | None
) -> Found[int] | None:
    if prefer is None or len(ours) < 2 or CORRECTION.search(text):
        return None
    near = [one for one in ours if prefer.search(text[max(0, one.start - 8) : one.start])]
    near += [one for one in ours if prefer.match(text[one.end : one.end + 4])]
    return near[0] if near else None


def _clause_before(text: str, end: int) -> str:
    start = max(0, end - 20)
    return re.split(r"[,，。;；!?\n]|\s{1,3}(?=\S)", text[start:end])[-1]


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    return bool(
        _BARE.fullmatch(match["number"])
        and _BOUNDARY_BEFORE.search(text[: match.start()])
        and _BOUNDARY_AFTER.match(text, match.end())
    )


def _fen(text: str, match: re.Match[str], *, bare: bool) -> int | None:
    unit, tail = match["unit"] or "", match["tail"] or ""
    before = text[max(0, match.start() - 12) : match.start()]
    if _NOT_MONEY_BEFORE.search(before) or _BELOW.search(before):
        return None
    stated = bool(match["sign"] or match["yuan"] or unit in ("亿", "千万", "百万", "万", "w", "k"))
    said = match["number"] + unit + tail
    stated = stated or any(large in said for large in "万亿") or bool(unit and tail)
    stated = stated or (bare and _stands_alone(text, match))
    if not stated and (_NOT_MONEY_AFTER.match(text, match.end()) or not _MONEY_CUE.search(before)):
        return None
    if match["more"] == "几" and not unit:
        return None
    if _PIECES_AFTER.match(text, match.end()) and not match["yuan"]:
        return None
    if not stated and _RATIO.fullmatch(match["number"]):
        return None
    yuan = to_lower_number(said)
    if yuan is None or (not stated and yuan < _SMALL_ALONE):
        return None
    jiao = to_lower_number((match["jiao"] or "零")[0])
    return int(yuan * 100) + int(jiao or 0) * 10
