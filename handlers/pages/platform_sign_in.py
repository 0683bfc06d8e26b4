"""The last step of signing in through a platform: whom it named becomes a visitor, or is told why
not. Who was named and gets nothing stands in the audit chain; what nobody vouches for (a code or a
state that is no good) goes to the log alone, which strangers may fill at their own cost."""

from __future__ import annotations

import secrets
from datetime import datetime

from bot.domain.page_sessions import Entered, is_own_path
from bot.domain.people import PersonStatus
from bot.domain.sign_in import ERRAND_LIVES, Caller, Errand
from handlers.pages import signing_in
from handlers.texts import pages as texts
from storage.unit_of_work import UnitOfWork

_NAME_CHARS = 60


def set_out(path: str, at: datetime) -> Errand:
    """path: as asked for; what cannot be gone to becomes the list of customers."""
    wanted = path if is_own_path(path) else signing_in.OWN_CUSTOMERS
    return Errand(secrets.token_urlsafe(signing_in.SECRET_BYTES), wanted, at + ERRAND_LIVES)


async def come_in(tx: UnitOfWork, caller: Caller, errand: Errand, at: datetime) -> Entered | str:
    """The words to say to who may not. The transaction is to be committed either way."""
    unused = await tx.page_sessions.use_sign_in(errand.state, at=at, expires_at=errand.expires_at)
    if not unused or not errand.is_open(at):
        await _deny(tx, caller, "used or late", at)
        return texts.SIGN_IN_OVER
    if not caller.user_id:
        await _deny(tx, caller, "no member", at)
        return texts.NO_MEMBER
    person = await tx.people.find_by_identity(caller.platform, caller.user_id)
    if person is None:
        await _deny(tx, caller, "unknown", at)
        return texts.UNKNOWN_PERSON
    if person.status is not PersonStatus.ACTIVE:
        await _deny(tx, caller, str(person.status), at)
        return texts.GONE_PERSON
    return await signing_in.begin(tx, person, errand.path, came_by=caller.platform, at=at)


async def _deny(tx: UnitOfWork, caller: Caller, why: str, at: datetime) -> None:
    who = (caller.user_id or caller.outsider)[:_NAME_CHARS]
    await tx.audit.append(
        at=at,
        actor=f"{caller.platform}:{who}",
        action="sign_in_denied",
        subject="page sessions",
        before=None,
        after={"why": why},
    )
