"""What is said about forecasts that people submit, co-sign, judge and compare."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.domain.forecasts import Bucket, Category, Move, RelativeTo, SignatureState, Tolerance
from handlers.texts.figures import quarter_words, week_words
from handlers.texts.money import amount_words

QUESTIONS = ("需求还在，没有缩水", "预算和审批走得通", "上一单验收和使用满意", "没有未解决的投诉",
             "客户响应及时，时间靠得住")  # fmt: skip
BUCKETS = {
    Bucket.WEEKLY: "30天内（每周）",
    Bucket.FORTNIGHTLY: "31–60天（双周）",
    Bucket.MONTHLY: "61–90天（每月）",
}
CATEGORIES = {
    Category.COMMIT: "承诺",
    Category.BEST_CASE: "最好情况",
    Category.PIPELINE: "在谈",
}
STANDINGS = {
    SignatureState.NOT_NEEDED: "",
    SignatureState.WAITING: "待复评",
    SignatureState.UNREVIEWED: "未复评",
    SignatureState.IN_REVIEW: "三方会审中",
    SignatureState.AGREED: "已复评",
}
MOVES = {
    Move.NEW: "新增",
    Move.WON: "已赢单",
    Move.LOST: "已丢单",
    Move.DROPPED: "移出",
    Move.SLIPPED: "推迟",
    Move.PULLED_IN: "提前",
    Move.GREW: "金额上调",
    Move.SHRANK: "金额下调",
    Move.LEVEL: "级别变化",
    Move.SAME: "不变",
}
TITLE, OK, OUT, SUBMIT, AGAIN, DROP = (
    "提交预测", "确认", "这次不报", "提交", "重新核对", "取消",
)  # fmt: skip
NOTHING = "你没有定过级的商机，没有可提交的预测。先定级，例如「恒锐 L1 PO号 PO-2026-018」。"
GONE = "这张预测卡片已经处理过了，请重新发「提交预测」。"
LOCKED = (
    "本周预测已锁定，不能再改。有变化请在下周的预测里提交，也可以现在就改金额和日期；"
    "一定要重交，就请主管重开：「申请重开预测 原因」。"
)
DROPPED = "已取消，没有提交"
SUBMITTED = "已提交"
CHANGE_HOW = "例如「改预测 恒锐机电 35万 12月20日 风险：客户换了负责人」。"
SCORES_SHORT = "五项各给 0–100 分，直接说，例如「评分 80 70 90 100 60」。"
SCORES_HOW = "请给五个 0–100 的分，例如「评分 恒锐机电 80 70 90 100 60」。"
LEADERS_ONLY = "这是主管做的，你可以看自己的「预测」。"
NO_SNAPSHOT = "还没有提交过预测。发「提交预测」开始。"
NO_TWO = "要有两次提交才能比较。"
CSM_HOW = "请写客户和人，例如「设置客户成功 恒锐机电 刘洋」。"
JUDGE_HOW = "请写人、金额和理由，例如「预测判断 张伟 30万 恒锐要推迟」。"
TARGET_HOW = "请写人、季度和金额，例如「预测目标 张伟 2026Q1 500万」。"
REVIEW_HOW = "请写编号、五个分和理由，例如「复评 #12 80 70 90 100 60 上一单还没验收」。"
RULING_HOW = "请写编号、分数和理由，例如「复评结论 #12 75 预算批文已看到」。"
REVIEW_TITLE = "预测复评"
NOT_YOUR_REVIEW = "这条复评不是请你做的。"
NOT_OWN_REVIEW = "自己报的预测不能自己复评。"
SIGNED_BEFORE = "这条已经复评过了。"
REPLACED = "销售重新提交过了，这一条不再算数，请看新的复评请求。"
NOT_IN_REVIEW = "这条不在三方会审中。"
NO_ONE_TO_REVIEW = "还没有客户成功或服务负责人"

HELP = (
    "意向和预测：\n"
    "- 定级：恒锐机电 L1 PO号 PO-2026-018（连同文件）；L2 要盖章的技术确认和预算批准邮件；"
    "恒锐机电 L3 需求：…，联系人 …\n"
    "- 下调：恒锐机电 L3，因为…；不再定级：取消定级 恒锐机电 原因\n"
    "- 凭据 恒锐机电；撤回凭据 #12 原因\n"
    "- 改预测 恒锐机电 35万 12月20日 风险：…\n"
    "- 提交预测（每周一 18:00 前）；预测；预测变化；预测准确率；锁定后：申请重开预测 原因\n"
    "- 客户成功：复评 #12 80 70 90 100 60 理由\n"
    "- 主管：预测 团队；预测判断 张伟 30万 理由；预测目标 张伟 2026Q4 500万；"
    "复评结论 #12 75 理由；重开预测 张伟 原因；设置客户成功 恒锐机电 孙丽"
)


def scored(question: str) -> str:
    return f"{question}（0–100分）"


def day_words(day: date) -> str:
    return f"{day.month}月{day.day}日"


def title(week: str) -> str:
    return f"{TITLE} {week_words(week)}"


def place(week: str, number: int, count: int) -> str:
    return f"{title(week)} · {number}/{count}"


def missing(customer: str, what: Sequence[str]) -> str:
    told = f"{customer} 还缺：{'、'.join(what)}，补上才能提交。"
    return told if list(what) == [SCORES] else f"{told}\n直接说，{CHANGE_HOW}"


DATE, AMOUNT, DATE_PAST, SCORES = (
    "预计成交日期",
    "金额",
    "新的预计成交日期（原来的已过）",
    "五项评分",
)


def line(
    customer: str,
    level: str,
    fen: int,
    on: date,
    *,
    standing: SignatureState = SignatureState.NOT_NEEDED,
    scores: tuple[int | None, int | None] = (None, None),
    risk: str = "",
) -> str:
    """«恒锐机电 L1 35万元 2月6日，已复评（自评80分、复评75分）；风险：…»."""
    told = f"{customer} {level} {amount_words(fen)} {day_words(on)}"
    words, given = STANDINGS[standing], scores_words(scores)
    if words and given:
        told += f"，{words}（{given}）"
    elif words or given:
        told += f"，{words or given}"
    return told + (f"；风险：{risk}" if risk else "")


def scores_words(scores: tuple[int | None, int | None]) -> str:
    """Of the rep and of whoever reviewed it: «自评80分、复评75分»; "" for none."""
    named = zip(("自评", "复评"), scores, strict=True)
    return "、".join(f"{who}{score}分" for who, score in named if score is not None)


def risk_asked(customer: str) -> str:
    return f"{customer}：没写风险"


def check(lines: Sequence[str], left_out: Sequence[str]) -> list[str]:
    told = [*lines]
    if left_out:
        told.append(f"这次不报：{'、'.join(left_out)}")
    return told


def submitted(week: str, count: int, fen: int, asked: int, *, mark: str) -> str:
    """mark: what the snapshot is marked as, "" for nothing."""
    tail = f"，其中{asked}条已请客户成功复评" if asked else ""
    marked = f"（{mark}）" if mark else ""
    return f"{week_words(week)}预测{marked}已提交：{count}条，共{amount_words(fen)}{tail}。"


def locked_sum(week: str, count: int, fen: int) -> str:
    return f"{week_words(week)}：{count}条，共{amount_words(fen)}"


LATE = "迟交"


def reopened(reason: str) -> str:
    return f"重开后重交：{reason}"


def changed(customer: str, what: Sequence[str]) -> str:
    return f"{customer}的预测已改：{'，'.join(what)}。"


def due(buckets: Sequence[Bucket]) -> str:
    return "、".join(BUCKETS[one] for one in buckets)


def reminder(buckets: Sequence[Bucket], count: int, lock: str) -> str:
    return (
        f"今天要提交预测：{due(buckets)}，你有{count}个定过级的商机。发「提交预测」，{lock}锁定。"
    )


def not_submitted(week: str, names: Sequence[str]) -> str:
    shown = "、".join(names[:MOST_NAMES])
    rest = f" 等{len(names)}人" if len(names) > MOST_NAMES else ""
    return f"{week_words(week)}预测已锁定，还没交的：{shown}{rest}。补交会标为迟交。"


def asked_to_review(rep: str, hours: int, due_words: str) -> str:
    return (
        f"{rep} 提交了这条预测，请在 {due_words} 前复评（{hours}小时，休息日不算）。"
        "到时没有复评，就显示为未复评，不计入承诺。"
    )


def review_answer(number: int) -> str:
    return f"五项各给 0–100 分，直接说「复评 #{number} 80 70 90 100 60 理由」。"


def signed(customer: str, mine: int, theirs: int) -> str:
    return f"{customer} 已复评：你{mine}分，销售{theirs}分。"


def too_far(
    number: int, customer: str, rep: str, csm: str, *, supervisor: str,
    answers: Sequence[tuple[int, int]], argument: str, risk: str, when: str, tolerance: Tolerance,
) -> str:  # fmt: skip
    """Both arguments side by side. supervisor: "" where there is none."""
    chair = f"{supervisor}（主管）" if supervisor else "主管"
    rows = [
        f"- {question}：{rep} {ours}，{csm} {theirs}"
        for question, (ours, theirs) in zip(QUESTIONS, answers, strict=True)
    ]
    return "\n".join([
        f"**{customer}的预测要三方会审（#{number}）**",
        f"两边评分相差超过{_apart(tolerance)}。建议时间：{when}，参加：{rep}、{csm}、{chair}。",
        *rows,
        f"- {rep}的说明：{risk or '没写'}",
        f"- {csm}的说明：{argument or '没写'}",
        f"会后由主管写结论：「复评结论 #{number} 分数 理由」。",
    ])  # fmt: skip


def _apart(tolerance: Tolerance) -> str:
    match tolerance.relative_to:
        case RelativeTo.SCALE:
            return f"{tolerance.limit}分"
        case RelativeTo.MEAN:
            return f"两边平均分的{tolerance.limit}%"
        case RelativeTo.REP:
            return f"销售评分的{tolerance.limit}%"


def agreed(customer: str, number: int, score: int, reason: str) -> str:
    return f"{customer}的三方会审（#{number}）有结论：{score}分，{reason}。两边原来的评分都保留。"


def unreviewed(customer: str, rep: str, csm: str) -> str:
    return f"{customer}（{rep}）的预测没人复评，请{csm}处理。它显示为未复评，不计入承诺。"


def sums(found: Sequence[tuple[Category, int, int]]) -> str:
    """(category, fen, deals)."""
    return "，".join(
        f"{CATEGORIES[category]} {amount_words(fen)}（{count}条）" for category, fen, count in found
    )


MOST_NAMES = 20


def not_yet_submitted(names: Sequence[str]) -> str:
    shown = "、".join(names[:MOST_NAMES])
    rest = f" 等{len(names)}人" if len(names) > MOST_NAMES else ""
    return f"没有提交：{shown}{rest}"


def team(leader: str, submitted: int, people: int) -> str:
    label = f"{leader}团队" if leader else "没有主管的人"
    return f"{label}（{submitted}/{people}人已提交）"


def more_teams(count: int) -> str:
    return f"还有{count}个团队，在网页上看。"


def target(quarter: str, aim: int, won: int, commit: int) -> str:
    gap = aim - won - commit
    tail = f"还差{amount_words(gap)}" if gap > 0 else f"超出{amount_words(-gap)}"
    return (
        f"{quarter_words(quarter)}目标 {amount_words(aim)}：已赢 {amount_words(won)}，加承诺"
        f" {amount_words(won + commit)}，{tail}"
    )


def no_target(quarter: str, won: int) -> str:
    done = f"{quarter_words(quarter)}已赢 {amount_words(won)}"
    return f"{done}，还没有设目标；主管发「预测目标」就能设。"


def judgement(fen: int, who: str, reason: str) -> str:
    return f"{who}的判断：{amount_words(fen)}（{reason}），仅供对照，不改原数"


def judged(who: str, week: str, fen: int) -> str:
    return f"已记在 {who} {week_words(week)}的预测旁边：{amount_words(fen)}。原数不变。"


def target_set(who: str, quarter: str, fen: int) -> str:
    return f"{who}{quarter_words(quarter)}的目标已设为 {amount_words(fen)}。"


def csm_set(customer: str, who: str) -> str:
    return f"{customer}的客户成功已设为{who}，以后的预测由{who}复评。"


def bridge_title(before: str, after: str, was: int, now: int) -> str:
    weeks = f"{week_words(before)} → {week_words(after)}"
    return f"**预测变化 {weeks}**\n{amount_words(was)} → {amount_words(now)}"


def bridge_line(move: Move, fen: int, names: Sequence[str]) -> str:
    sign = "+" if fen > 0 else "−" if fen < 0 else "±"
    shown = "、".join(names[:5]) + ("…" if len(names) > 5 else "")
    return f"- {MOVES[move]} {sign}{amount_words(abs(fen))}：{shown}"


def accuracy(label: str, share: float | None, lines: int, slipped: int) -> str:
    told = "还没有到期的预测" if share is None else f"{share:.0%}"
    return f"- {label}：{told}（{lines}条，{slipped}条没有按期）"


ACCURACY_TITLE = "**预测准确率**（按提交当时的快照，到期未成交算没有按期）"
