"""What platforms, ERPs and servers answer to our calls: whatever it is, a `BotError` or a value.

Each reader is given its one answer to every call that it makes, so both the check of the answer
and what is made of it are tried.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any

import orjson
import stamina

from benchmarks.fuzzing.doors import DINGTALK, WECOM
from benchmarks.fuzzing.mutating import JSON
from benchmarks.fuzzing.target import AT, CLOCK, ZONE, Target, in_a_loop, told
from bot.errors import BotError, Unavailable
from connectors.dingtalk import attendance, records
from connectors.dingtalk import directory as dingtalk_directory
from connectors.dingtalk.api import Api as DingtalkApi
from connectors.dingtalk.approvals import Instances
from connectors.dingtalk.contacts import Contacts as DingtalkContacts
from connectors.erp import kingdee, u9c
from connectors.erp.kingdee_api import KingdeeAccount, KingdeeApi
from connectors.erp.kingdee_signature import Credentials
from connectors.erp.u9c_api import U9cAccount, U9cApi
from connectors.http import Http
from connectors.llm.client import LanguageModelClient
from connectors.wecom import directory as wecom_directory
from connectors.wecom import group_chats
from connectors.wecom.api import Api as WecomApi
from connectors.wecom.approval_bills import Bills
from connectors.wecom.approvals import Approvals
from connectors.wecom.checkins import CheckIns
from connectors.wecom.contacts import Contacts as WecomContacts

DAY = date(2026, 3, 2)
MORNING = time(4)
CALLS = 40
"""After which nobody answers any more: an answer may say for ever that there is another page."""


class _Http(Http):
    """Gives one answer to every call."""

    def __init__(self, data: bytes) -> None:  # and no session: nothing goes out
        self._data = data
        self._left = CALLS

    async def request_json(self, *_: Any, **__: Any) -> tuple[int, Any]:
        self._left -= 1
        if self._left < 0:
            raise Unavailable("no more answers")
        try:
            return 200, orjson.loads(self._data)
        except orjson.JSONDecodeError:
            raise Unavailable("not JSON") from None


class _Tokens:
    async def load_token(self, _: str) -> tuple[str, datetime]:
        return "token", AT + timedelta(days=1)

    async def save_token(self, *_: object) -> None: ...

    async def drop_token(self, *_: object) -> None: ...


class _Calls:
    async def add_calls(self, *_: object) -> int:
        return 0


Read = Callable[[], Awaitable[object]]


def _each(*reads: Read) -> None:
    """One that refuses keeps no other away, and nobody waits for a platform that is busy."""

    async def all_of_them() -> None:
        for read in reads:
            with suppress(BotError):
                await read()

    with stamina.set_testing(True):
        in_a_loop(all_of_them())


async def _all(parts: AsyncIterator[object]) -> None:
    async for _ in parts:
        pass


def _wecom(data: bytes) -> WecomApi:
    return WecomApi(WECOM, _Http(data), _Tokens(), CLOCK)


def wecom_contacts(data: bytes) -> None:
    api = _wecom(data)
    contacts = WecomContacts("sales", api, CLOCK)
    _each(
        lambda: _all(contacts.everything()),
        lambda: _all(contacts.groups()),
        lambda: contacts.contact("wm1"),
        lambda: contacts.group("wr1"),
        lambda: contacts.transfer(["wm1"], of="a", to="b", has_left=True),
        lambda: contacts.transfer_groups(["wr1"], to="b", has_left=True),
        lambda: contacts.transferred(of="a", to="b", has_left=True),
        lambda: group_chats.read(api, "gd0"),
    )


def wecom_people(data: bytes) -> None:
    api = _wecom(data)
    _each(
        lambda: wecom_directory.read_all(api),
        lambda: wecom_directory.read_some(api, ["a"]),
        lambda: CheckIns("sales", api, CLOCK).records(["a"], DAY, DAY, day_starts=MORNING),
    )


def wecom_bills(data: bytes) -> None:
    api = _wecom(data)
    bills = Bills("sales", {"t": "discount"}, api, CLOCK)
    _each(
        lambda: bills.approval("1"),
        lambda: _all(bills.applied(AT - timedelta(days=1), AT)),
        lambda: Approvals(api).leaves(at=AT),
        api.check_credentials,
    )


def dingtalk_people(data: bytes) -> None:
    api = DingtalkApi(DINGTALK, _Http(data), _Tokens(), _Calls(), CLOCK)
    contacts, approvals = DingtalkContacts("sales", api), Instances("sales", {"p": "x"}, api, CLOCK)
    _each(
        lambda: dingtalk_directory.read_directory(api),
        lambda: dingtalk_directory.read_users(api, ["a"]),
        lambda: _all(contacts.everything()),
        lambda: contacts.group("cid"),
        lambda: approvals.approval("1"),
        lambda: _all(approvals.applied(AT - timedelta(days=1), AT)),
        lambda: attendance.read_leaves(api, ["a"], at=AT),
        lambda: records.Attendance("sales", api, CLOCK).records(
            ["a"], DAY, DAY, day_starts=MORNING
        ),
        lambda: records.SignIns("sales", api, CLOCK).records(["a"], DAY, DAY, day_starts=MORNING),
        api.check_credentials,
    )


def kingdee_rows(data: bytes) -> None:
    credentials = Credentials("a", "u", "c_m", "s")
    account = KingdeeAccount("erp", "https://erp.example/k3cloud", credentials, "PRE001", ZONE)
    api = KingdeeApi(account, _Http(data), CLOCK)
    form = kingdee.BillForm("AR", *"abcdefghi")
    _each(
        lambda: kingdee.Kingdee(api, form, form, CLOCK).receipts(AT),
        lambda: kingdee.KingdeeCustomers(api, kingdee.CustomerForm(*"abcdefgh")).customers(AT),
        lambda: kingdee.KingdeeOrders(api, kingdee.OrderForm(*"abcdefghijklmno")).orders(AT),
        lambda: api.operate("Save", "AR", {}),
    )


def u9c_rows(data: bytes) -> None:
    account = U9cAccount("erp", "https://erp.example/U9C", "e", "o", "u", "c", "s", "C001", ZONE)
    api = U9cApi(account, _Http(data))
    receipts = u9c.ReceiptEntity("R", "N", "L", "K", "A", "C", "D", "P", "M", "S", "2", ">=", 1)
    customers = u9c.CustomerEntity("C", "N", "A", "P", "P", "S", "2", "M", ">=", 1)
    orders = u9c.OrderEntity(
        "O", "N", "L", "P", "P", "K", "A", "A", "C", "D", "D", "S", "2", "3", "4", "M", ">=", 1
    )
    _each(
        lambda: u9c.U9c(api, receipts).receipts(AT),
        lambda: u9c.U9cCustomers(api, customers).customers(AT),
        lambda: u9c.U9cOrders(api, orders).orders(AT),
        lambda: api.operate("Create", {}),
    )


def model_servers(data: bytes) -> None:
    http = _Http(data)
    model = LanguageModelClient(
        http, base_url="https://x.example", model="m", key="k", timeout_s=1.0, clock=CLOCK
    )
    _each(lambda: model.answer(rules="", text=""))


WECOM_CONTACTS = """{"errcode":0,"errmsg":"ok","follow_user":["a"],
"tag_group":[{"group_id":"g","tag":[
{"id":"t","name":"A"}]}],
"external_contact_list":[{"external_contact":{"external_userid":"wm1","name":
"王总","type":2,"corp_name":"恒锐","position":"总"},"follow_info":{"userid":"A","remark":"r",
"createtime":1772413200,"tag_id":["t"],"remark_mobiles":["13800000000"],"add_way":1}}],
"external_contact":{"external_userid":"wm1","name":"n","type":1},
"group_chat_list":[{"chat_id":"wr1",
"status":0}],"group_chat":{"chat_id":"wr1","name":"群","owner":"A","create_time":1772413200,
"member_list":[{"userid":"wm1","type":2,"join_time":1772413200,"name":"n"},{"userid":"a",
"type":1}]},
"customer":[{"external_userid":"wm1","errcode":0,"status":1}],"failed_chat_list":[{"chat_id":"wr1",
"errcode":1,"errmsg":"x"}],"chat_info":{"name":"n","owner":"a","userlist":["a","b"]}}"""
WECOM_PEOPLE = """{"errcode":0,"department":[{"id":2,"name":"销售","parentid":1,"department_leader":
["a"]}],"userlist":[{"userid":"A","name":"陈静","department":[2],"is_leader_in_dept":[1],"position":
"经理","status":1,"main_department":2,"direct_leader":["b"],"mobile":"1"}],"userid":"A",
"name":"陈静",
"checkindata":[{"userid":"a","checkin_type":"上班打卡","exception_type":"时间异常","checkin_time":
1772413200,"sch_checkin_time":1772413200,"location_title":"x","notes":"n"},{"userid":"a",
"checkin_type":"外出打卡","checkin_time":1772413300}]}"""
WECOM_BILLS = """{"errcode":0,"access_token":"t","expires_in":7200,"sp_no_list":["1"],
"info":{"sp_no":"1",
"sp_status":2,"apply_time":1772413200,"applyer":{"userid":"a"},"template_id":"t","process_list":{
"node_list":[{"node_type":1,"sub_node_list":[{"userid":"b","sp_yj":2,"sptime":1772413300,"speech":
"好"}]}]},"sp_record":[{"details":[{"approver":{"userid":"b"},"sp_status":2,"sptime":1772413300}]}],
"apply_data":{"contents":[{"control":"Money","id":"m","title":[{"text":"金额"}],
"value":{"new_money":
"100"}},{"control":"Vacation","id":"v","title":[{"text":"假"}],"value":{"vacation":{"attendance":{
"date_range":{"type":"halfday","new_begin":1772413200,"new_end":1772499600}}}}},{"control":"Table",
"id":"t","title":[{"text":"表"}],"value":{"children":[{"list":[{"control":"Selector",
"id":"s","title":
[{"text":"x"}],"value":{"selector":{"options":[{"value":[{"text":"甲"}]}]}}}]}]}},{"control":"Date",
"id":"d","title":[{"text":"日"}],"value":{"date":{"s_timestamp":"1772413200"}}}]}}}"""
DINGTALK_PEOPLE = """{"errcode":0,"auth_org_scopes":{"authed_dept":[1],
"authed_user":["a"]},"accessToken":
"t","expireIn":7200,"title":"g","ownerUserId":"a","recordresult":[{"userId":"a",
"checkType":"OnDuty",
"workDate":1772413200000,"timeResult":"Late","userCheckTime":1772413200000,"planId":1}],"data":[{
"userId":"a","timestamp":1772413200000,"place":"p","remark":"r"}],
"results":[{"userid":"x","name":"王",
"follower_user_id":"a","label_ids":[1],"labels":[{"id":1,"name":"A"}]}],
"result":{"userid":"a","name":
"陈","dept_id_list":[1],"leader_in_dept":[{"dept_id":1,"leader":true}],"role_list":[{"name":"r"}],
"active":"true","dept_manager_userid_list":["a"],"list":["2",{"userid":"a","dept_id":2,"leader":
false}],"has_more":false,"leave_status":[{"userid":"a","start_time":1772413200000,"end_time":
1772413200000,"duration_unit":"percent_day","duration_percent":100}],"status":"COMPLETED","result":
"agree","createTime":"2026-03-02T10:00Z","formComponentValues":[{"name":"金额","value":"[1]",
"componentType":"MoneyField","id":"m"},{"componentType":"TableField","value":
"[[{\\"name\\":\\"x\\",\\"value\\":\\"1\\"}]]"}],"tasks":[{"userId":"b",
"status":"COMPLETED","result":
"AGREE","createTime":"2026-03-02T10:00Z","finishTime":"2026-03-02T10:05Z"}]}}"""
KINGDEE_RECEIPTS = """[["S-1",1,"HT-1",100.5,"PRE001","2026-03-02T00:00:00","王","C"]]"""
KINGDEE_CUSTOMERS = """[["C1","恒锐","9133","138","C","A"]]"""
KINGDEE_ORDERS = """[["O-1",1,"C1","恒锐","HT-1",100,100,"PRE001","2026-03-02","C","A","A","x"]]"""
KINGDEE_DONE = """{"Result":{"ResponseStatus":{"IsSuccess":true,"Errors":[{"Message":"x"}]}}}"""
U9C = """{"ResCode":0,"Success":true,"Data":[{"N":"1","L":"1","K":"HT","A":"10.5","C":"C001","D":
"2026-03-02","P":"p","S":"2","M":"x","IsSucess":true,"ErrorMsg":""}]}"""
MODEL = """{"choices":[{"message":{"content":"{}"}}]}"""

TARGETS: Mapping[str, Target] = {
    "wecom-contacts": Target(wecom_contacts, told(WECOM_CONTACTS), (), form=JSON, share=4),
    "wecom-people": Target(wecom_people, told(WECOM_PEOPLE), (), form=JSON, share=4),
    "wecom-bills": Target(wecom_bills, told(WECOM_BILLS), (), form=JSON, share=4),
    "dingtalk-people": Target(dingtalk_people, told(DINGTALK_PEOPLE), (), form=JSON, share=4),
    "kingdee": Target(
        kingdee_rows,
        told(KINGDEE_RECEIPTS, KINGDEE_CUSTOMERS, KINGDEE_ORDERS, KINGDEE_DONE),
        (),
        form=JSON,
        share=10,
    ),
    "u9c": Target(u9c_rows, told(U9C), (), form=JSON, share=10),
    "model-server": Target(model_servers, told(MODEL), (), form=JSON, share=10),
}
