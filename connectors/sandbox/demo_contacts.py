"""Whom the demo company's reps have as contacts: some that fit a customer by company or tag, one
whom nothing tells, and a group of one customer's people."""

from __future__ import annotations

from .wecom_contactbook import ContactBook, Outsider
from .wecom_customers import CustomerEvents

_PEOPLE = (
    # whose, external id, name, company as WeCom knows it, company as noted, tag, remark
    ("zhangwei", "wmWangZong", "王总", "杭州恒锐机电有限公司", "", "", "恒锐-王总"),
    ("zhangwei", "wmLuGong", "陆工", "", "恒锐机电", "", "恒锐-陆工"),
    ("zhangwei", "wmShen", "沈经理", "", "", "甬江轴承", ""),
    ("zhangwei", "wmAMing", "阿明", "", "", "", ""),
    ("chenjing", "wmXuZong", "徐总", "苏州吴淞精密制造有限公司", "", "", "吴淞-徐总"),
)


def meet(events: CustomerEvents, book: ContactBook) -> None:
    """As it was before anybody listened."""
    for user_id, key, name, company, noted, tag, remark in _PEOPLE:
        outsider = Outsider(key, name, kind=2 if company else 1, corp_name=company)
        tags = [book.tag(tag)] if tag else []
        events.add(user_id, outsider, quietly=True, company=noted, tag_ids=tags, remark=remark)
    members = ("zhangwei", "wmWangZong", "wmLuGong")
    events.open_group("wrHengRui0001", "恒锐产线改造群", *members, quietly=True)
