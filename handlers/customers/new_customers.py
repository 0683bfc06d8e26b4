"""A customer as somebody enters it, and how it comes to be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from bot.domain.customer_master import CustomerCard
from bot.domain.identifiers import fault_of_credit_code, one_credit_code, one_domain, one_phone
from bot.domain.opportunities import Account
from bot.errors import InvalidInput
from handlers.customers import customers
from handlers.desk import Desk
from handlers.texts import customers as texts

NAME = re.compile(r"[\w（）()·&\-. ]{2,60}")

_CODE = re.compile(r"[0-9A-Za-z]{18}")


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer as entered; the numbers in one spelling, "" if not given."""

    name: str
    credit_code: str = ""
    phone: str = ""
    domain: str = ""

    @classmethod
    def read(cls, words: str) -> NewCustomer:
        """«杭州恒锐机电有限公司 91330100799655058B 0571-87654321 hengrui.com», the numbers in
        any order. Raises InvalidInput for a name or a code that cannot be."""
        code = phone = domain = ""
        name: list[str] = []
        for word in words.split():
            if not code and _CODE.fullmatch(word) and any(letter.isdigit() for letter in word):
                code = credit_code(word)
            elif not phone and (number := one_phone(word)) is not None:
                phone = number
            elif not domain and "." in word and (host := one_domain(word)) is not None:
                domain = host
            else:
                name.append(word)
        whole = " ".join(name)
        if not NAME.fullmatch(whole):
            raise InvalidInput(texts.BAD_CUSTOMER_NAME)
        return cls(whole, code, phone, domain)

    def card(self, contacts: Sequence[str] = ()) -> CustomerCard:
        """contacts: platform ids of external contacts."""
        phones = (self.phone,) if self.phone else ()
        domains = (self.domain,) if self.domain else ()
        return CustomerCard(0, (self.name,), self.credit_code, phones, domains, tuple(contacts))


def credit_code(words: str) -> str:
    """In one spelling. Raises InvalidInput for one that cannot be."""
    code = one_credit_code(words)
    fault = fault_of_credit_code(code)
    if fault is not None:
        raise InvalidInput(texts.bad_credit_code(words, fault))
    return code


async def create(desk: Desk, new: NewCustomer, *, since: datetime, owner_id: int) -> Account:
    """Without another look at who is there. With an opportunity at the first stage, whose
    lights count from `since`: a rep often tells of the first call before the customer is
    created. Raises Refused if the name is taken."""
    account = await desk.tx.accounts.add(
        name=new.name,
        owner_id=owner_id,
        at=since,
        credit_code=new.credit_code,
        phone=new.phone,
        domain=new.domain,
    )
    await customers.open_opportunity(desk, account, since=since)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="create_customer",
        subject=f"account:{account.id}",
        before=None,
        after={**asdict(new), "owner_id": account.owner_id},
    )
    desk.office.customers.put(account)
    return account
