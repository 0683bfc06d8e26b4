"""What the bot says when supervisors and roles are set."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.people import Role

ADMINS_ONLY = "主管和角色只有管理员能设，我这里没有改动。"
SUPERVISOR_HOW = (
    "请写清楚谁的主管是谁，例如「设置主管 张伟 李敏」；恢复按通讯录发「设置主管 张伟 默认」。"
)
ROLES_HOW = (
    "请写清楚谁是什么角色，例如「设置角色 张伟 销售、主管」；恢复按职务发「设置角色 张伟 默认」。"
)
LAST_ADMIN = "这是最后一位管理员，不能去掉。请先给别人设上管理员。"

MOST_NAMES = 10

OTHER_WORDS: dict[str, Role] = {
    "销售主管": Role.SUPERVISOR,
    "总监": Role.SALES_DIRECTOR,
    "CSM": Role.CSM,
    "产品经理": Role.PRODUCT,
    "仓库": Role.WAREHOUSE,
    "人事": Role.HRBP,
}


def supervisor_set(name: str, leader: str) -> str:
    return f"{name}的主管已设为{leader}，催办和升级从现在起找{leader}。"


def supervisor_by_platform(name: str) -> str:
    return f"{name}的主管恢复按通讯录。"


def your_supervisor(leader: str) -> str:
    return f"你的主管现在是{leader}。"


def you_lead(name: str) -> str:
    return f"{name}现在由你带，亮灯和补录会找你。"


def not_oneself(name: str) -> str:
    return f"{name}不能做自己的主管。"


def is_below(leader: str, name: str) -> str:
    return f"{leader}是{name}的下级，不能反过来做{name}的主管。请先改{leader}的主管。"


def roles_set(name: str, roles: Sequence[str]) -> str:
    return f"{name}的角色已设为：{'、'.join(roles)}。以后不再随职务变化。"


def roles_by_title(name: str) -> str:
    return f"{name}的角色恢复按职务，下次同步通讯录后生效。"


def your_roles(roles: Sequence[str]) -> str:
    return f"你的角色现在是：{'、'.join(roles)}。发「帮助」看能做什么。"


def no_such_role(word: str, known: Sequence[str]) -> str:
    return f"没有「{word}」这个角色，可以用：{'、'.join(known)}。"


def nobody_named(name: str) -> str:
    return f"通讯录里没有在岗的「{name}」，请写全名。"


def several_named(name: str) -> str:
    return f"在岗的「{name}」不止一位，分不清是谁。请先在通讯录里改成不同的名字。"


def who_you_are(
    name: str, roles: Sequence[str], supervisor: str | None, led: Sequence[str], *, may_change: bool
) -> str:
    lines = [
        f"你是{name}，角色：{'、'.join(roles) or '还没有'}。",
        f"你的主管：{supervisor}。" if supervisor else "你上面没有主管，要找主管的事会找管理员。",
    ]
    if led:
        rest = f"等{len(led)}人" if len(led) > MOST_NAMES else ""
        lines.append(f"你带的销售：{'、'.join(led[:MOST_NAMES])}{rest}。")
    how = f"要改就发「设置主管 {name} 李敏」或「设置角色 {name} 销售、主管」。"
    lines.append(how if may_change else "不对的话请找管理员改。")
    return "\n".join(lines)
