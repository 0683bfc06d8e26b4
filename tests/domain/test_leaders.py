"""Who answers for a rep (B4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.domain.leaders import LeaderFacts, find_next_supervisor, find_supervisor
from bot.domain.people import Person, PersonStatus

AT = datetime(2026, 1, 28, 2, tzinfo=UTC)

REP = Person(1, "张伟")
OVERRIDE = Person(2, "指定主管")
DIRECT = Person(3, "直属上级")
HEAD = Person(4, "部门负责人")
ABOVE = Person(5, "上级部门负责人")
LEFT = Person(6, "已离职", status=PersonStatus.LEFT)
DISABLED = Person(7, "已停用", status=PersonStatus.INACTIVE)
AWAY = Person(8, "休假中", on_leave_until=AT + timedelta(days=1))
BACK = Person(9, "休假回来", on_leave_until=AT)


def test_our_own_table_goes_before_the_platform() -> None:
    facts = LeaderFacts(REP, override=OVERRIDE, direct=(DIRECT,), department_leaders=((HEAD,),))
    assert find_supervisor(facts, AT) == OVERRIDE


def test_the_platforms_direct_leader_goes_before_the_department() -> None:
    facts = LeaderFacts(REP, direct=(DIRECT,), department_leaders=((HEAD,), (ABOVE,)))
    assert find_supervisor(facts, AT) == DIRECT


def test_who_is_not_at_work_is_passed_over() -> None:
    facts = LeaderFacts(
        REP, override=LEFT, direct=(DISABLED, AWAY), department_leaders=((BACK,), (ABOVE,))
    )
    assert find_supervisor(facts, AT) == BACK


def test_a_leaders_own_leads_go_one_level_up() -> None:
    facts = LeaderFacts(HEAD, direct=(HEAD,), department_leaders=((HEAD,), (ABOVE,)))
    assert find_supervisor(facts, AT) == ABOVE


def test_nobody_found_is_for_the_administrators() -> None:
    facts = LeaderFacts(REP, direct=(AWAY,), department_leaders=((), (REP,)))
    assert find_supervisor(facts, AT) is None


def test_escalation_goes_to_the_leader_of_the_leader() -> None:
    facts = LeaderFacts(DIRECT, department_leaders=((DIRECT,), (ABOVE,)))
    assert find_next_supervisor(facts, AT, below=REP) == ABOVE


def test_escalation_never_returns_to_the_rep() -> None:
    facts = LeaderFacts(DIRECT, direct=(REP,), department_leaders=((HEAD,),))
    assert find_next_supervisor(facts, AT, below=REP) == HEAD
    alone = LeaderFacts(DIRECT, direct=(REP,))
    assert find_next_supervisor(alone, AT, below=REP) is None
