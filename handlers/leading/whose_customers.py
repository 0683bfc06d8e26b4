"""«我的客户», «陈静手上有哪些客户»: whom somebody looks after, the lit ones first."""

from __future__ import annotations

from bot.domain.opportunities import Account, Light, Opportunity
from bot.domain.people import Person
from bot.errors import NotFound
from handlers.customers import customers
from handlers.desk import Desk
from handlers.leading import teams
from handlers.texts import team as team_texts
from handlers.texts import whose_customers as texts

PAGE = 500
_FIRST = (Light.RED, Light.YELLOW, Light.GREEN)


async def show(desk: Desk, name: str) -> None:
    """name: of one of the speaker's people; "" for the speaker. Raises NotFound."""
    person = await _whose(desk, name)
    accounts = await desk.tx.accounts.list_of_owner(person.id)
    open_deals = {deal.account_id: deal for deal in await _open_deals(desk, person)}
    shown = sorted(accounts, key=lambda account: _urgency(open_deals.get(account.id)))
    lines = [_line(account, open_deals.get(account.id)) for account in shown]
    own = person.id == desk.rep.id
    title = texts.title(person.name, own=own)
    customers.tell_alone(desk, title, texts.listing(title, lines, own=own))


async def _whose(desk: Desk, name: str) -> Person:
    if not name or name == desk.rep.name:
        return desk.rep
    led = [one for one in await teams.below(desk.tx, desk.rep) if teams.is_called(one, name)]
    if len(led) != 1:
        raise NotFound(team_texts.not_one_of_yours(name))
    return led[0]


async def _open_deals(desk: Desk, person: Person) -> list[Opportunity]:
    found: list[Opportunity] = []
    page = await desk.tx.opportunities.list_of_owner(person.id, limit=PAGE)
    while page:
        found += page
        page = await desk.tx.opportunities.list_of_owner(
            person.id, limit=PAGE, after_id=page[-1].id
        )
    return found


def _urgency(deal: Opportunity | None) -> int:
    return len(_FIRST) if deal is None else _FIRST.index(deal.light)


def _line(account: Account, deal: Opportunity | None) -> str:
    light = None if deal is None else deal.light
    return texts.line(account.name, light, stuck=deal is not None and deal.stuck)
