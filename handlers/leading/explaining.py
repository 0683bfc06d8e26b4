"""Questions about rules: what counts, when a light comes on, what a level needs, how a bonus is
worked out. Told with the numbers that the speaker works by."""

from __future__ import annotations

import re

from handlers.customers import customers
from handlers.desk import Desk
from handlers.payouts import rule_changing
from handlers.texts import explaining as texts

_LIGHTS = re.compile(r"[红黄]|灯|预警|升级|停滞|超期")
_LEVELS = re.compile(r"[lL] ?[123]|定级|等级|意向|凭据")
_BONUS = re.compile(r"奖|提成|佣金|激励|比例|个点|点提|系数|阶梯|扣")
_VALID = re.compile(r"有效|算|跟进|通话|电话|拜访|补录|要求|条件|标准|材料|附件|分钟|秒")


async def answer(desk: Desk, question: str) -> None:
    """What is not told apart is told of as a whole."""
    if _LIGHTS.search(question):
        desk.say(texts.lights(desk.policy.lights, desk.policy.pushes))
    elif _LEVELS.search(question):
        desk.say(texts.LEVELS)
    elif _BONUS.search(question):
        await rule_changing.list_all(desk, "")
    elif _VALID.search(question):
        told = texts.valid_actions(desk.library, desk.policy.actions)
        customers.tell_alone(desk, "有效跟进", told)
    else:
        desk.say(texts.WHICH)
