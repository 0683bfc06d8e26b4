"""The website with bonuses: a locked month of 张伟's, and a dispute about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.payouts.growth import Mode
from bot.domain.people import Directory, DirectoryUser
from bot.domain.policy import GrowthFundPolicy, Policy
from config.policy import change_policy
from handlers.desk import Office
from handlers.policy.policies import PolicyBook
from tests.handlers.payouts.payout_company import ON_RECEIPTS, STAFF, PayoutCompany
from tests.pages.website import Website

REASON = "应该按5%算，合同里写了增购"


@dataclass
class Paid:
    """company: to talk to. dispute: the number of the one that waits."""

    company: PayoutCompany
    dispute: int


def with_a_fund(office: Office) -> Office:
    """An ERP that tells of receipts, and a growth fund by consent."""
    policy = replace(Policy(), growth_fund=GrowthFundPolicy(Mode.OPT_IN))
    return replace(office, erps=("books",), policies=PolicyBook(policy, change_policy))


async def with_bonuses(website: Website) -> PayoutCompany:
    """Rules are published; nothing is signed yet."""
    chat = website.chat
    company = PayoutCompany(chat)
    users = tuple(DirectoryUser(key, name) for key, (name, _) in STAFF.items())
    async with chat.database.begin() as tx:
        await tx.people.save_directory(
            Directory("wecom", users=users, whole=False),
            roles_by_title=chat.policy.roles.roles_of,
            at=chat.now,
        )
        for key, (_, role) in STAFF.items():
            person = await tx.people.find_by_identity("wecom", key)
            assert person is not None
            await tx.people.set_roles(person.id, [role])
            chat.people[key] = await tx.people.get(person.id)
    await chat.customer("杭州恒锐机电有限公司", "zhang", "恒锐机电")
    await company.publish({**ON_RECEIPTS, "fund_bp": 2000})
    return company


async def paid_and_disputed(website: Website) -> Paid:
    """A quarter is locked, a share of it saved, and 张伟 disputes his line."""
    company = await with_bonuses(website)
    await company.chat.say("zhang", "成长基金")
    await company.press("zhang", "我同意转入", "growth-")
    await company.signed()
    company.move_to("2026-03-10 10:00")
    await company.tell("SK1", 40_000)
    company.move_to("2026-04-02 10:00")
    await company.lock("2026-03")
    await company.press("zhang", "有异议", "paystub-")
    await company.chat.say("zhang", REASON)
    await company.press("zhang", "提交申诉", "dispute-")
    number = int(company.card("zhang", "dispute-").card_id.split("-")[1])
    return Paid(company, number)
