"""Approvals as the platforms told them last, inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.approvals import ApprovalNode, ApprovalState
from storage.dialects import AnyRow, in_chunks, insert_into
from storage.tables import approvals


@dataclass(frozen=True, slots=True)
class StoredApproval:
    """An instance with what we made of it. id: 0 before it is stored. revoked_by: another instance
    that took it back. activity_id: where the customer's stream has it."""

    id: int
    platform: str
    app: str
    number: str
    template: str
    meaning: str
    title: str
    state: ApprovalState
    applicant: str
    person_id: int | None
    account_id: int | None
    contract_id: int | None
    amount_fen: int | None
    applied_at: datetime
    decided_at: datetime | None
    controls: tuple[tuple[str, str], ...]
    nodes: tuple[ApprovalNode, ...]
    revoked_by: str
    digest: str
    activity_id: int | None
    told_at: datetime


class Approvals:
    """Repository of approvals."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def find(self, platform: str, number: str) -> StoredApproval | None:
        query = select(approvals).where(
            approvals.c.platform == platform, approvals.c.number == number
        )
        row = (await self._conn.execute(query)).first()
        return _to_approval(row) if row is not None else None

    async def save(self, approval: StoredApproval) -> None:
        """Instead of what was known under its number."""
        values = {
            **{name: getattr(approval, name) for name in _PLAIN},
            "state": str(approval.state),
            "controls": [list(control) for control in approval.controls],
            "nodes": [_as_json(node) for node in approval.nodes],
        }
        statement = insert_into(self._conn, approvals).values(values)
        await self._conn.execute(
            statement.on_conflict_do_update(
                index_elements=[approvals.c.platform, approvals.c.number],
                set_={name: statement.excluded[name] for name in values},
            )
        )

    async def to_reread(self, platform: str, app: str, *, since: datetime) -> list[tuple[str, str]]:
        """(number, template) of those that may change: under way, or passed and applied for since
        then."""
        states = [str(one) for one in ApprovalState if not one.is_final]
        query = select(approvals.c.number, approvals.c.template).where(
            approvals.c.platform == platform,
            approvals.c.app == app,
            approvals.c.state.in_(states),
            (approvals.c.state == str(ApprovalState.RUNNING)) | (approvals.c.applied_at >= since),
        )
        rows = await self._conn.execute(query.order_by(approvals.c.applied_at, approvals.c.id))
        return [(number, template) for number, template in rows]

    async def of_accounts(self, account_ids: Collection[int]) -> list[StoredApproval]:
        """The oldest application first."""
        found: list[StoredApproval] = []
        for chunk in in_chunks(account_ids):
            query = select(approvals).where(approvals.c.account_id.in_(chunk))
            rows = await self._conn.execute(query)
            found += [_to_approval(row) for row in rows]
        return _in_order(found)


_PLAIN = (
    "platform", "app", "number", "template", "meaning", "title", "applicant", "person_id",
    "account_id", "contract_id", "amount_fen", "applied_at", "decided_at", "revoked_by", "digest",
    "activity_id", "told_at",
)  # fmt: skip


def _in_order(found: list[StoredApproval]) -> list[StoredApproval]:
    return sorted(found, key=lambda one: (one.applied_at, one.id))


def _as_json(node: ApprovalNode) -> dict[str, str | None]:
    return {
        "user": node.user_id,
        "since": node.since.isoformat(),
        "until": node.until.isoformat() if node.until is not None else None,
        "outcome": node.outcome,
        "remark": node.remark,
    }


def _to_approval(row: AnyRow) -> StoredApproval:
    return StoredApproval(
        id=row.id,
        state=ApprovalState(row.state),
        controls=tuple((name, text) for name, text in row.controls),
        nodes=_nodes(row.nodes),
        **{name: getattr(row, name) for name in _PLAIN},
    )


def _nodes(told: Sequence[dict[str, str | None]]) -> tuple[ApprovalNode, ...]:
    return tuple(
        ApprovalNode(
            user_id=str(one["user"]),
            since=datetime.fromisoformat(str(one["since"])),
            until=datetime.fromisoformat(one["until"]) if one["until"] else None,
            outcome=str(one["outcome"]),
            remark=str(one["remark"]),
        )
        for one in told
    )
