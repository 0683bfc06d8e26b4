"""What the bot says when somebody leaves and their work goes to a colleague."""

from __future__ import annotations

from collections.abc import Sequence

MOST_NAMED = 6
MOST_DRAFTS = 10

TO_WHOM = "交给谁"
GIVE = "全部交接"
CHOOSE_FIRST = "请先在卡片上选好接手的人，再按「全部交接」。也可以发「交接 张伟 给 陈静」。"
HOW = "请写清楚交给谁，例如「交接 张伟 给 陈静」。"
NOT_YOURS = "要由离职同事的主管或管理员来交接，接手的人也要在你的团队里。"
HAS_LEFT = "你的账号已离职或停用，这条没有记录。还在公司的话，请让管理员检查通讯录。"


def title(name: str) -> str:
    return f"{name}工作交接"


def question(name: str) -> str:
    return f"{name}已离职或停用。名下的工作要交给谁？选好后一次全部交接。"


def facts(
    customers: Sequence[str],
    deals: int,
    drafts: int,
    deadlines: int,
    *,
    contacts: int,
    groups: int,
) -> tuple[tuple[str, str], ...]:
    shown = "、".join(customers[:MOST_NAMED])
    more = f"等{len(customers)}家" if len(customers) > MOST_NAMED else ""
    told = (
        ("客户", f"{shown}{more}" if customers else ""),
        ("商机", f"{deals}个" if deals else ""),
        ("待补材料", f"{deadlines}项" if deadlines else ""),
        ("草稿", f"{drafts}条" if drafts else ""),
        ("外部联系", f"{contacts}位" if contacts else ""),
        ("客户群", f"{groups}个" if groups else ""),
    )
    return tuple((name, value) for name, value in told if value)


def given_to(name: str) -> str:
    return f"已全部交给{name}"


def handed_over(
    name: str, to: str, *, customers: int, deals: int, drafts: int, contacts: int, groups: int
) -> str:
    parts = [f"{customers}家客户" if customers else "", f"{deals}个商机" if deals else ""]
    parts += [f"{drafts}条没确认的草稿" if drafts else ""]
    what = "、".join(part for part in parts if part) or "工作"
    said = f"已把{name}的{what}交给{to}。"
    if contacts:
        said += f"{contacts}位外部联系人正在由企业微信转接，客户不拒绝的话24小时内完成。"
    if groups:
        said += f"{groups}个客户群正在换成{to}做群主，换不了的会告诉你。"
    return said


def contacts_stay(to: str, count: int) -> str:
    return f"另有{count}位外部联系人没法自动转给{to}，请在企业微信或钉钉后台转接。"


def groups_stay(groups: Sequence[str]) -> str:
    shown = "、".join(name or "（没有群名）" for name in groups[:MOST_NAMED])
    more = f"等{len(groups)}个" if len(groups) > MOST_NAMED else ""
    return f"客户群{shown}{more}请在企业微信里更换群主，绑定的客户不变。"


def you_got(name: str, customers: Sequence[str], drafts: Sequence[str], contacts: int) -> str:
    shown = "、".join(customers[:MOST_NAMED])
    more = f"等{len(customers)}家" if len(customers) > MOST_NAMED else ""
    lines = [f"{name}离岗，名下工作由你接手。"]
    if customers:
        lines.append(f"客户：{shown}{more}，跟进时限从现在起算。")
    if contacts:
        lines.append(f"{contacts}位外部联系人会陆续转到你的企业微信。")
    if drafts:
        lines.append(f"{name}说过但没确认的，属实请用自己的话补记：")
        lines += [f"- {words}" for words in drafts[:MOST_DRAFTS]]
    return "\n".join(lines)


def nothing_left(name: str) -> str:
    return f"{name}名下没有要交接的客户、商机、草稿或外部联系人。"


def nobody_named(name: str) -> str:
    return f"没有找到「{name}」。请写通讯录里的全名。"


def several_named(name: str) -> str:
    return f"有两位叫「{name}」，分不清是谁。请管理员在通讯录里改成不同的名字再交接。"


def cannot_take(name: str) -> str:
    return f"不能交给{name}，请换一位在岗的同事。"
