"""«隐私»: what is kept of what an employee says, told to the employee (个人信息保护法 17).

A change here belongs in docs/privacy/ too."""

from __future__ import annotations

from collections.abc import Sequence

NOTICE = (
    "关于你的个人信息：\n"
    "- 记什么：你发给我的文字、语音、照片、文件，按过的按钮，和由此整理出的跟进、承诺、阶段、预测、"
    "凭据；你的姓名、账号、手机号、部门、上级、角色、请假。公司开通了的话，还有审批、考勤和外勤签到、"
    "与客户的邮件和会话存档。你和同事的私聊我看不到（公司存档内部会话的除外）。\n"
    "- 用来做什么：跟进管理、亮灯、预测、奖金核算。\n"
    "- 依据：按照依法制定的劳动规章制度实施人力资源管理所必需（个人信息保护法第13条）。\n"
    "- 谁看得到：你自己看自己的；各级主管看下属的客户、灯、过程数据、预测和奖金；HRBP、财务看客户、"
    "合同回款和所有人的奖金；法务看客户和合同；销售总监、管理员看全部。代你班、接你客户的同事"
    "看得到那家客户的动态，公海客户人人可看。\n"
    "- 留多久：原始消息默认180天，动态里的原话和亮灯推送默认3年（商机还在谈的除外），公司可以改；"
    "跟进的时间和类型、灯、奖金依据长期。\n"
    "- 不由机器单独定奖金：规则只负责算，要一人提交、另一人批准才锁定；不认可，30天内在奖金卡上按"
    "「有异议」，由人裁定（第24条）。\n"
)


def notice(admins: Sequence[str]) -> str:
    """admins: names of those who answer requests."""
    who = f"管理员（{'、'.join(admins)}）" if admins else "管理员"
    return f"{NOTICE}- 想要一份自己的资料、改错或删除：找{who}。"
