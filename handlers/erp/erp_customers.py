"""Customers out of the ERPs: compared with ours, linked by somebody's word, never merged.

What an ERP tells is kept at once; comparing takes some milliseconds each, so a minute's tick
compares a few at a time and the first reading of thousands holds nobody up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.customer_master import CustomerCard, Reason
from bot.domain.erp import ErpCustomer
from bot.domain.identifiers import fault_of_credit_code, one_phone
from bot.domain.opportunities import Account
from bot.domain.people import Role
from bot.errors import InvalidInput, Refused, UserError
from bot.messages import OutboundMessage
from bot.router import Job
from handlers.customers import duplicates, pooling
from handlers.customers.duplicates import Likely
from handlers.customers.new_customers import NAME
from handlers.desk import Office
from handlers.erp import erp_forecasts, erp_orders
from handlers.erp.erp_entries import enter
from handlers.people import directory
from handlers.texts import customers as customer_texts
from handlers.texts import erp as texts
from storage.erp_customers import Proposal, StoredCustomer
from storage.unit_of_work import UnitOfWork

AT_ONCE = 100

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


async def take(tx: UnitOfWork, system: str, told: Iterable[ErpCustomer], at: datetime) -> None:
    """Each once, whatever way and however often it is told. What changes about one that is
    linked stands in the stream."""
    customers = {customer.code: customer for customer in told}
    known = await tx.erp_customers.known(system, customers)
    for code, customer in customers.items():
        before = known.get(code)
        if before is not None and before.told == customer:
            continue
        stored = await tx.erp_customers.put(system, customer, at=at)
        if before is not None and stored.account_id is not None:
            await enter(
                tx,
                stored.account_id,
                texts.CUSTOMER_CHANGED,
                texts.customer_changes(before.told, customer),
                occurred_at=at,
                at=at,
                key=f"erp-customer:{system}:{code}:{stored.revision}",
            )


class Comparing:
    """Finds whose of ours the ERPs' new customers are. `job` for the timer: new ones are compared
    with who is here, and administrators hear once a day that somebody waits for their word."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def job(self) -> Job[UnitOfWork]:
        return Job("compare ERP customers", {"minute": "*"}, self._run, next_due=self._next_due)

    async def _run(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        office = self._office
        messages: list[OutboundMessage] = []
        waiting = False
        for stored in await tx.erp_customers.uncompared(limit=AT_ONCE):
            proposal = await compare(tx, stored.told, at)
            await tx.erp_customers.propose(stored.id, proposal)
            done = await self._by_policy(tx, stored, proposal, at)
            messages += done or []
            waiting = waiting or (done is None and stored.told.active)
        if waiting:
            counts = await tx.erp_customers.counts()
            local = at.astimezone(office.zone).date()
            told = await directory.tell_admins(
                tx, office, texts.customers_wait(counts), key=f"erp-customers:{local}"
            )
            morning = office.first_allowed(at)
            messages += [replace(one, not_before=morning) for one in told]
        return messages

    async def _by_policy(
        self, tx: UnitOfWork, stored: StoredCustomer, proposal: Proposal, at: datetime
    ) -> list[OutboundMessage] | None:
        """None where somebody has to say."""
        office, policy = self._office, self._office.policy.erp
        if proposal.account_id is not None:
            if not policy.link_same_code or not is_sure(proposal):
                return None
            account = await tx.accounts.get(proposal.account_id)
            return await link(tx, office, stored, account, by=None, at=at)
        if not policy.create_unknown or not stored.told.active:
            return None
        admins = await tx.people.list_by_role(Role.ADMIN)
        if not admins:
            return None
        try:
            return await create(tx, office, stored, by=None, owner_id=admins[0].id, at=at)
        except UserError:
            return None

    async def _next_due(self, tx: UnitOfWork) -> datetime | None:
        found = await tx.erp_customers.uncompared(limit=1)
        return _LONG_AGO if found else None


def is_sure(proposal: Proposal) -> bool:
    return Reason.CREDIT_CODE in proposal.reasons and proposal.score >= duplicates.SAME


async def compare(tx: UnitOfWork, told: ErpCustomer, at: datetime) -> Proposal:
    """By the rules for duplicates. Where two of ours have the very same credit code, none of
    them is sure."""
    found = await alike(tx, told, at)
    if not found:
        return Proposal()
    best = found[0]
    reasons = best.reasons
    if sum(Reason.CREDIT_CODE in one.reasons for one in found) > 1:
        reasons = tuple(reason for reason in reasons if reason is not Reason.CREDIT_CODE)
    return Proposal(best.account.id, best.score, reasons)


async def alike(tx: UnitOfWork, told: ErpCustomer, at: datetime) -> list[Likely]:
    """Customers of ours that it may be, the likeliest first."""
    phones = (told.phone,) if told.phone else ()
    return await duplicates.find(tx, CustomerCard(0, (told.name,), told.credit_code, phones), at)


async def link(
    tx: UnitOfWork,
    office: Office,
    stored: StoredCustomer,
    account: Account,
    *,
    by: int | None,
    at: datetime,
) -> list[OutboundMessage]:
    """This customer of the ERP is that one of ours. Its code is kept, what we did not know is
    filled in, nothing of ours is changed; its orders and our forecasts follow. by: None for
    policy. Raises Refused when somebody was faster."""
    if not await tx.erp_customers.link(stored.id, account.id, by=by, at=at):
        raise Refused(texts.decided_before(stored.told.code))
    account = await _fill_in(tx, account, stored.told)
    office.customers.put(account)
    await tx.audit.append(
        at=at,
        actor=f"person:{by}" if by is not None else "policy:erp",
        action="link_erp_customer",
        subject=f"account:{account.id}",
        before=None,
        after={
            "erp_customer": f"{stored.system}:{stored.told.code}",
            "name": stored.told.name,
            "reasons": [str(reason) for reason in stored.proposal.reasons],
        },
    )
    await enter(
        tx,
        account.id,
        texts.CUSTOMER_LINKED,
        texts.linked_entry(stored.system, stored.told),
        occurred_at=at,
        at=at,
        key=f"erp-link:{stored.id}:{at.isoformat()}",
        by=by,
    )
    linked = replace(stored, account_id=account.id)
    _, messages = await erp_orders.claim(tx, office, linked, at)
    return messages + await erp_forecasts.follow_accounts(tx, office, [account.id], at)


async def create(
    tx: UnitOfWork,
    office: Office,
    stored: StoredCustomer,
    *,
    by: int | None,
    owner_id: int,
    at: datetime,
) -> list[OutboundMessage]:
    """One that we did not have: in the pool, without an opportunity, to be assigned. Raises
    InvalidInput for a name that cannot be, Refused for one that is taken."""
    told = stored.told
    if not NAME.fullmatch(told.name):
        raise InvalidInput(customer_texts.BAD_CUSTOMER_NAME)
    code = "" if fault_of_credit_code(told.credit_code) else told.credit_code
    account = await tx.accounts.add(
        name=told.name,
        owner_id=owner_id,
        at=at,
        credit_code=code,
        phone=one_phone(told.phone) or "",
    )
    messages = await pooling.put(tx, office, account, reason=texts.FROM_ERP, at=at)
    account = await tx.accounts.get(account.id)
    return messages + await link(tx, office, stored, account, by=by, at=at)


async def _fill_in(tx: UnitOfWork, account: Account, told: ErpCustomer) -> Account:
    """A credit code that we lack, and the ERP's name as another name, unless it is somebody
    else's."""
    if not account.credit_code and fault_of_credit_code(told.credit_code) is None:
        account = await tx.accounts.identify(account.id, credit_code=told.credit_code)
    is_new = told.name not in (account.name, *account.aliases)
    if is_new and await tx.accounts.find_by_name(told.name) is None:
        account = await tx.accounts.add_alias(account.id, told.name)
    return account
