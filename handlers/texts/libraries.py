"""What the bot says about action libraries."""

from __future__ import annotations

from collections.abc import Sequence

TITLE = "动作库"
HOW_TO_IMPORT = (
    "请把动作库文件直接发给我：YAML（.yaml）或 TOML（.toml），UTF-8 编码，最大 64 KB。\n"
    "我会整份检查，有错会按行号列出来；没错就存成新的一版，等你说「切换动作库 名称」才生效。"
)
ADMINS_ONLY = (
    "动作库由管理员导入和切换；主管可以切换自己团队的，发「切换动作库 名称 给 我的团队」。"
)
TEAM_NOT_YOURS = "只有管理员、销售总监，或这个团队的主管自己，才能切换这个团队的动作库。"
WHICH = "要切换成哪个动作库？例如「切换动作库 医疗器械」。发「动作库」看全部。"
NOTHING_CHANGED = "没有切换，一切照旧。"
CANCELLED = "已取消"
SWITCHED = "已切换"
CONFIRM, CANCEL = "确认切换", "取消"


def imported(label: str, version: int, stages: Sequence[str], units: Sequence[str]) -> str:
    return (
        f"已导入动作库「{label}」第{version}版。\n"
        f"- 阶段：{' → '.join(stages)}\n"
        f"- 动作：{'、'.join(units)}\n"
        f"现在还没有人使用。要生效请发「切换动作库 {label}」，我会先列出影响。"
    )


def same_as_before(label: str, version: int) -> str:
    return f"这份文件和动作库「{label}」第{version}版完全一样，没有另存。"


def no_such_library(name: str, labels: Sequence[str]) -> str:
    return f"没有叫「{name}」的动作库。现有：{'、'.join(labels)}。"


def no_such_leader(name: str) -> str:
    return f"没找到主管「{name}」，或者不止一位叫这个名字。请写通讯录里的全名。"


def leads_nobody(name: str) -> str:
    return f"{name} 名下没有团队成员，没有可切换的团队。"


def in_use_already(whose: str, label: str) -> str:
    return f"{whose}现在用的就是动作库「{label}」。"


def named(label: str, version: int) -> str:
    return f"{label}（第{version}版）" if version else label


def team_of(name: str) -> str:
    return f"{name}的团队"


ORGANISATION = "全公司"


def library_line(label: str, version: int, stages: int, units: int, users: Sequence[str]) -> str:
    used = f"，使用中：{'、'.join(users)}" if users else ""
    return f"- {named(label, version)}：{stages}个阶段、{units}个动作{used}"


def history_line(label: str, version: int, who: str, when: str) -> str:
    return f"- {label} 第{version}版：{who} {when} 导入"


def all_libraries(lines: Sequence[str], history: Sequence[str]) -> str:
    past = "\n导入记录：\n" + "\n".join(history) if history else ""
    return (
        "动作库：\n" + "\n".join(lines) + past + "\n"
        "切换：「切换动作库 医疗器械」（全公司，管理员）、「切换动作库 医疗器械 给 李敏团队」。\n"
        "导入自己的：「导入动作库」。"
    )


def preview_title(label: str) -> str:
    return f"切换动作库：{label}"


def preview(
    whose: str,
    old: Sequence[str],
    *,
    people: int,
    deals: int,
    drafts: int,
    moves: Sequence[tuple[str, str, int]],
    new_units: Sequence[str],
    gone_units: Sequence[str],
) -> list[str]:
    """moves: stage before, stage after, how many deals."""
    lines = [
        f"范围：{whose}，{people}人；现用：{'、'.join(old)}",
        f"进行中的商机{deals}个，没填完的记录{drafts}条",
    ]
    if moves:
        listed = "；".join(f"{before} → {after} {count}个" for before, after, count in moves)
        lines.append(f"阶段对应：{listed}")
    if new_units:
        lines.append(f"新增动作：{'、'.join(new_units)}")
    if gone_units:
        lines.append(f"不再使用：{'、'.join(gone_units)}")
    lines.append("没填完的记录按原来的动作填完；历史记录和标签不变；停留天数接着算。")
    return lines


def switched(whose: str, label: str, deals: int) -> str:
    return f"{whose}已切换到动作库「{label}」，{deals}个进行中的商机已对应到新阶段。"


def told_leader(label: str, by: str) -> str:
    return f"{by} 把你的团队切换到了动作库「{label}」。没填完的记录按原来的动作填完。"
