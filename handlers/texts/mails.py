"""What the bot says and writes about mails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.mails import IN, Carrier
from handlers.texts.receivables import moment

MOST_LISTED = 20
MOST_NAMED = 3

UNBOUND = "未归属邮件"
NOTHING_UNBOUND = "没有未归属的邮件。"
NO_BOXES = "还没有接邮箱。管理员在配置里写上 [mail.名字] 就能读，文档见 docs/mail.md。"
BIND_WHAT = (
    "发「邮件 #12 归 恒锐机电」把这封归到客户，「邮件 #12 不是客户」从名单里拿掉；"
    "发「未归属邮件」看名单。"
)
UNBIND_WHAT = "要解绑哪个邮箱？例如「解绑邮箱 li@hengrui.cn」或「解绑邮箱 @hengrui.cn」。"

NAMELESS = "邮件"
NO_BOX = "这个邮箱不再读取，正文没有取到"
GONE = "邮箱里已经没有这封邮件，正文没有取到"
NOT_FETCHED = "试了几次，正文没有取到"
SIGNED = "邮件头有对方域名的签名"
FORWARD_HOW = "请作为附件转发，或存成 .eml 发给机器人"


def title(direction: str, *, automatic: bool) -> str:
    return ("来信" if direction == IN else "去信") + ("（自动）" if automatic else "")


def entry(
    name: str,
    sender: str,
    to: Sequence[str],
    *,
    subject: str,
    words: str,
    remarks: Sequence[str],
) -> str:
    """to: the people outside whom we wrote to."""
    who = f"{name} <{sender}>" if name and name.casefold() != sender else sender
    heard = "、".join(to[:MOST_NAMED]) + (f"等{len(to)}人" if len(to) > MOST_NAMED else "")
    head = f"{who} → {heard}" if heard else who
    about = f"《{subject}》" if subject else "（无主题）"
    lines = [f"{head}：{about}", words, *(f"（{remark}）" for remark in remarks)]
    return "\n".join(line for line in lines if line)


def too_large(size: int) -> str:
    return f"邮件有 {size / 1024 / 1024:.0f} MB，太大，正文没有取"


def left_out(count: int) -> str:
    return f"还有{count}个附件没有取"


def line(number: int, at: datetime, who: str, *, out: bool, subject: str, box: str) -> str:
    """at: local. who: the addresses outside."""
    way = "发给 " if out else ""
    about = f"《{subject}》" if subject else ""
    return f"#{number} {moment(at)} {way}{who}{about}（{box}）"


def forwarded_by(carrier: Carrier) -> str:
    return f"{carrier.sender_name or carrier.sender} 转发"


def cannot_file(subject: str) -> str:
    about = f"《{subject}》" if subject else "一封邮件"
    return f"你转发的{about}认不出是谁写的，没有归到客户。{FORWARD_HOW}。"


def cannot_bind(number: int) -> str:
    return f"#{number} 是同事手工转发的，认不出是谁写的，归不了客户。{FORWARD_HOW}。"


def forwarded_line(number: int, at: datetime, who: str, *, subject: str, box: str) -> str:
    """at: local. who: the one of us who forwarded it."""
    about = f"《{subject}》" if subject else ""
    return f"#{number} {moment(at)} {who} 转发{about}（{box}）：认不出是谁写的，{FORWARD_HOW}"


def outside(name: str, addresses: Sequence[str]) -> str:
    some = "、".join(addresses[:MOST_NAMED])
    more = f"等{len(addresses)}人" if len(addresses) > MOST_NAMED else ""
    return f"{name} {some}{more}".strip()


def unbound(lines: Sequence[str], *, more: bool) -> str:
    tail = "\n更早的还有，先归这些。" if more else ""
    listed = "\n".join(f"- {one}" for one in lines)
    return f"{listed}{tail}\n\n{BIND_WHAT}"


def no_such(number: int) -> str:
    return f"没有 #{number} 这封未归属邮件，可能已经归好了，或者不在你能看的邮箱里。"


def settled(number: int) -> str:
    return f"#{number} 已经处理过了。"


def bound(number: int, customer: str, address: str, domain: str, others: int) -> str:
    """address, domain: what was learnt, "" for nothing."""
    names = "、".join(one for one in (address, domain) if one)
    said = [f"邮件 #{number} 归到{customer}，正文取来后进客户动态。"]
    if names:
        said.append(f"以后 {names} 的邮件自动归到这里。")
    if others:
        said.append(f"名单里同样的另外{others}封也会补进来。")
    if address:
        said.append(f"归错了发「解绑邮箱 {address}」。")
    return "".join(said)


def held_by(address: str, customer: str) -> str:
    return f"{address} 已经归在{customer}名下。要换客户请先发「解绑邮箱 {address}」。"


def held_elsewhere(address: str) -> str:
    return f"{address} 已经归在另一位同事的客户名下，请找主管或管理员处理。"


def dropped(number: int) -> str:
    return f"#{number} 已从名单里拿掉，没有留下内容。"


def not_bound(name: str) -> str:
    return f"{name} 没有归给任何客户。"


def unbound_address(name: str, customer: str) -> str:
    return f"{name} 不再归{customer}，以后的邮件进未归属名单；之前的动态保留。"


def silent(box: str, since: datetime | None, why: str) -> str:
    """since: local; None: it was never read."""
    until = f"{moment(since)}以后的邮件还没有进来" if since else "还一次都没有读到"
    return f"邮箱 {box} 读不到，{until}：{why}。修好后会自动补读；运行 gendan doctor 可以检查。"
