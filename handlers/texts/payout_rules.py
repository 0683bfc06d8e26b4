"""What the bot says about new bonus rules on their way to being published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.domain.payouts.rule_changes import State, Unfit
from handlers.texts.money import signed, yuan

AUTHORS_ONLY = "奖金规则由 HRBP、财务或管理员维护。想了解现行规则，发「奖金规则」。"
FOUR_EYES = "规则要由另一个人批准：自己写的不能自己批。"
NOBODY_ELSE = (
    "还没有第二个人可以批准。请管理员先给另一位同事设上 HRBP、财务或销售总监角色，再点「送审」。"
)
HOW_TO_IMPORT = (
    "把规则文件（.json）发给我，或者发「导入奖金规则」后面跟上规则内容。"
    "我会先检查、写成一句话给你看，试算三个月、另一个人批准之后才会生效。"
)
NO_RULES = "还没有发布过奖金规则。"
NO_JSON = (
    "没读到规则：「导入奖金规则」后面要跟规则内容（JSON 列表，以 [ 开头），"
    "也可以直接发 .json 文件。"
)
EMPTY = "文件里一条规则也没有。"
TITLE = "奖金规则变更"
SIMULATE, SUBMIT, DROP = "试算三个月", "送审", "作废"
AGAIN = "重新试算"
APPROVE, REFUSE = "批准", "退回"
TEST, COMPARE, PUBLISH = "静默试运行", "看对比", "发布"
CUTS_RIGHT = "这样改会追溯减少已签合同的奖金，必须有法务具名批准"

STATES = {
    State.DRAFT: "草稿",
    State.SIMULATED: "已试算，待送审",
    State.SUBMITTED: "待批准",
    State.APPROVED: "已批准，待发布",
    State.TESTING: "静默试运行中",
    State.PUBLISHED: "已发布",
    State.DROPPED: "已作废",
}


def unfit(why: Unfit, state: State) -> str:
    if why is Unfit.FOUR_EYES:
        return FOUR_EYES
    if why is Unfit.ROLE:
        return AUTHORS_ONLY
    return f"这次规则变更现在是「{STATES[state]}」，这一步不用做了。"


def id_too_long(most: int) -> str:
    return f"规则的 id 太长，最多{most}个字，请取短一点。"


def too_large(number: int) -> str:
    return f"规则里的数字 {str(number)[:20]}… 太大了，请核对单位：金额用分，比例用万分之几。"


def refused(problems: Sequence[str]) -> str:
    listed = "\n".join(f"- {one}" for one in problems)
    return f"规则没有存下，有{len(problems)}处要改：\n{listed}"


def imported(sentences: Sequence[str], notices: Sequence[str], first: date) -> str:
    lines = ["**规则读好了，请核对：**", *(f"- {one}" for one in sentences)]
    if notices:
        lines += ["**要注意：**", *(f"- {one}" for one in notices)]
    lines.append(f"从{day(first)}起生效。发布之前谁的奖金都不会变。")
    return "\n".join(lines)


def card_lines(count: int, author: str, first: date) -> list[str]:
    return [f"{author}提交了{count}条规则，{day(first)}起生效。"]


def next_step(state: State, *, is_author: bool) -> str:
    if state is State.SUBMITTED and is_author:
        return "已送审，等另一个人批准。"
    return {
        State.DRAFT: "下一步：试算最近三个月，看每个人前后差多少。",
        State.SIMULATED: "下一步：送审，由另一个人批准。",
        State.SUBMITTED: "请核对规则和试算，再批准或退回。",
        State.APPROVED: "下一步：发布；想先观察就静默试运行，谁都不会收到通知。",
        State.TESTING: "试运行中：不发钱、不通知，只做对比。满意后再发布。",
        State.PUBLISHED: "",
        State.DROPPED: "",
    }[state]


def simulated(
    *, since: date, until: date, deals: int, people: int, changed: int, before: int, after: int
) -> list[str]:
    if not deals:
        return [f"{day(since)}到{day(until)}没有合同可以试算，没有可比的数字。"]
    return [
        f"试算{day(since)}到{day(until)}的{deals}份合同：合计 {yuan(before)} → {yuan(after)}"
        f"（{signed(after - before) if after != before else '不变'}）。",
        reach(people, changed),
    ]


def reach(people: int, changed: int) -> str:
    """Whom a change is about, and for how many of them it makes a difference."""
    told = f"其中{changed}人的金额会变" if changed else "没有人的金额会变"
    if changed == people:
        told = "金额都会变" if people > 1 else "金额会变"
    return f"影响面：涉及{people}人，{told}。"


def person_lines(rows: Sequence[tuple[str, int, int]]) -> list[str]:
    return [
        f"- {name}：{yuan(was)} → {yuan(now)}（{signed(now - was)}）" for name, was, now in rows
    ]


def cut(rows: Sequence[tuple[str, int]]) -> str:
    listed = "、".join(f"{name} {signed(fen)}" for name, fen in rows)
    return (
        f"{CUTS_RIGHT}：{listed}。请把生效日改到以后，或者在画布上选好「法务批准人」"
        "（规则文件里写 legal_approval，法务同事的姓名）再试算。"
    )


def no_such_lawyer(name: str) -> str:
    return f"法务批准人「{name}」不是在职的法务同事，请写批准人的真实姓名(legal_approval)"


def approved(by: str) -> str:
    return f"{by}批准了你的规则变更，可以发布了。"


def refused_by(by: str) -> str:
    return f"{by}退回了你的规则变更。改好后重新导入即可。"


def published(people: int) -> str:
    return f"已发布，正在通知{people}位同事；已签合同的预估几分钟内按新规则重算。"


def testing(since: date) -> str:
    return f"从{day(since)}开始静默试运行，不发钱、不通知。随时点「看对比」。"


def news(
    *,
    first: date,
    new: Sequence[str],
    old: Sequence[str],
    own: tuple[int, int] | None,
    months: int,
    people: int,
    changed: int,
) -> str:
    """To everybody affected: the change in words, their own before and after, the day."""
    lines = [f"**奖金规则有变化：{day(first)}起签约的合同按新规则算**"]
    lines += [f"- 新：{one}" for one in new]
    lines += [f"- 旧：{one}" for one in old]
    if own is None:
        lines.append(f"最近{months}个月你没有这些规则下的奖金，没有可比的数字。")
    else:
        was, now = own
        verdict = "不变" if was == now else signed(now - was)
        lines.append(
            f"拿你最近{months}个月的合同试算："
            f"现行规则 {yuan(was)}，新规则 {yuan(now)}（{verdict}）。"
        )
    lines.append(reach(people, changed))
    before = "仍按旧规则" if old else "不按这些规则算"
    lines.append(f"{day(first)}前签约的合同{before}。有疑问请找 HRBP，现行规则发「奖金规则」。")
    return "\n".join(lines)


def backdated(first: date) -> str:
    return f"注意：{day(first)}已经过去，那天以后签约的合同会按新规则重算，差额补在本月。"


def in_force(sentences: Sequence[str], on_the_way: Sequence[str]) -> str:
    lines = ["**现行奖金规则**", *(f"- {one}" for one in sentences)]
    if on_the_way:
        lines += ["**在途的变更**", *(f"- {one}" for one in on_the_way)]
    lines.append("想知道某一单能拿多少，直接问我，例如「如果这单签38万我拿多少」。")
    return "\n".join(lines)


def on_the_way(number: int, ids: Sequence[str], state: State, author: str) -> str:
    return f"#{number} {'、'.join(ids)}：{STATES[state]}，{author}提交"


def day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"
