"""What a certificate of erasure says: what stays and why, and what is out of reach."""

from __future__ import annotations

from collections.abc import Sequence

TITLE = "个人信息删除证明"

KEPT_OF_CUSTOMER = (
    "企业名称、税号、行业；商机的阶段和金额；合同、回款（会计档案）",
    "跟进的时间、类型、时长和有效性，由谁完成（工资发放依据）",
    "审计链：条目的散列保留，内容已删除",
)
KEPT_OF_CONTACT = (
    "客户、商机、合同、回款（会计档案），和没有提到这位联系人的记录",
    "提到这位联系人的跟进：时间、类型、时长和有效性，由谁完成（工资发放依据），原话已删除",
    "作为凭据或申诉材料的文件（合同、工资争议的证明）",
    "是否同意会话存档的记录（证明存档合法）",
    "审计链：条目的散列保留，内容已删除",
)
KEPT_OF_PERSON = (
    "奖金明细、计算快照、申诉和裁定、成长基金流水，连同其中的姓名"
    "（工资支付凭据：要写明领取人，至少保存两年）",
    "跟进、阶段、意向、灯、预测：何时、由谁作出（奖金和业绩的依据），姓名换成代号",
    "写进客户动态的话（客户的业务记录，随客户保存），其中的姓名、手机换成代号",
    "考勤和审批的日期、结果（计薪依据），地点、备注、标题和表单内容已删除",
    "作为凭据或申诉材料的文件（合同、工资争议的证明）",
    "与客户的会话存档和邮件（随客户保存），账号、姓名换成代号；同意存档的记录（证明存档合法）",
    "审计链：操作人只记编号；提到姓名或手机的条目，散列保留，内容已删除",
)

OUT_OF_REACH = (
    "已发到企业微信、钉钉的消息，ERP 里的资料，早先的备份，"
    "以及开着版本控制的对象存储里文件的旧版本，需另行删除"
)
OUT_OF_REACH_OF_CONTACT = (
    f"{OUT_OF_REACH}；邮箱里的邮件、企业微信和钉钉上的外部联系人也请另行删除，否则会再读进来"
)
OUT_OF_REACH_OF_PERSON = (
    f"{OUT_OF_REACH}；邮箱里的邮件，以及配置文件里写着的账号（管理员、邮箱主人）也请另行删除"
)


def shared(names: Sequence[str]) -> str:
    """Names that others bear too; "" where there are none."""
    if not names:
        return ""
    return f"「{'」「'.join(names)}」还有别人也叫：只在直接相关的记录里删除，别处没有按这个名字查找"
