"""Reading members and departments, whole or in part, past everything that is out of sight."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import stamina
from aiohttp import web

from bot.domain.people import Directory, DirectoryDepartment, DirectoryUser, PersonStatus
from bot.errors import AuthFailed, Unavailable
from tests.connectors.wecom.wecom_bed import Bed, open_bed

DEPARTMENTS = [
    {"id": 1, "name": "恒发机械", "parentid": 0, "department_leader": []},
    {"id": 2, "name": "华东组", "parentid": 1, "department_leader": ["Wang5"]},
]


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


def ok(**values: Any) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", **values}


def user(user_id: str, **values: Any) -> dict[str, Any]:
    return {"userid": user_id, "name": f"名{user_id}", "department": [2], "status": 1, **values}


def ids(directory: Directory) -> list[str]:
    return [user.user_id for user in directory.users]


async def test_whole_directory_has_everybody_once_with_their_leaders(bed: Bed) -> None:
    li4 = user(
        "Li4",
        department=[1, 2],
        is_leader_in_dept=[0, 1],
        main_department=2,
        position="销售主管",
        mobile="13800000004",
        direct_leader=["Wang5"],
    )
    bed.api.script("department/list", ok(department=DEPARTMENTS))
    bed.api.script("user/list", ok(userlist=[li4]), ok(userlist=[li4, user("007", status=5)]))
    assert await bed.client.read_directory() == Directory(
        platform="wecom",
        users=(
            DirectoryUser(
                user_id="li4",
                name="名Li4",
                mobile="13800000004",
                titles=("销售主管",),
                departments=("1", "2"),
                main_department="2",
                leads=("2",),
                leaders=("wang5",),
            ),
            DirectoryUser("007", "名007", status=PersonStatus.LEFT, departments=("2",)),
        ),
        departments=(
            DirectoryDepartment("1", "恒发机械"),
            DirectoryDepartment("2", "华东组", parent_id="1", leaders=("wang5",)),
        ),
        whole=True,
    )


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(1, PersonStatus.ACTIVE), (2, PersonStatus.INACTIVE), (4, PersonStatus.INACTIVE)],
)
async def test_member_without_mobile_or_name_is_still_a_member(
    bed: Bed, status: int, meaning: PersonStatus
) -> None:
    bed.api.script("user/get", ok(userid="Li4", status=status, mobile=""))
    [found] = (await bed.client.read_users(["li4"])).users
    assert found == DirectoryUser("li4", "Li4", status=meaning)


async def test_department_out_of_sight_leaves_the_directory_incomplete(
    bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise its people would be taken for gone."""
    bed.api.script("department/list", ok(department=DEPARTMENTS))
    bed.api.script("user/list", {"errcode": 60011, "errmsg": "no privilege"})
    bed.api.script("user/list", ok(userlist=[user("li4")]))
    directory = await bed.client.read_directory()
    assert (ids(directory), directory.whole) == (["li4"], False)
    assert "visible range" in caplog.text


async def test_large_company_is_read_in_small_answers(bed: Bed) -> None:
    bed.api.script("department/list", 45029)
    bed.api.script("department/simplelist", ok(department_id=[{"id": 1}, {"id": 9}]))
    bed.api.script("department/get", ok(department=DEPARTMENTS[0]), 60011)
    bed.api.script("user/list", 45029)
    bed.api.script("user/simplelist", ok(userlist=[{"userid": "Li4"}, {"userid": "gone"}]))
    bed.api.script("user/get", ok(**user("Li4")), 60111)
    directory = await bed.client.read_directory()
    assert ids(directory) == ["li4"]
    assert [department.id for department in directory.departments] == ["1"]
    assert not directory.whole


async def test_top_of_a_restricted_range_has_no_parent(bed: Bed) -> None:
    bed.api.script("department/list", ok(department=DEPARTMENTS[1:]))
    bed.api.script("user/list", ok(userlist=[]))
    [department] = (await bed.client.read_directory()).departments
    assert department.parent_id is None


async def test_busy_platform_is_asked_again(bed: Bed) -> None:
    bed.api.script("department/list", -1, web.Response(status=502), ok(department=DEPARTMENTS[:1]))
    bed.api.script("user/list", 45033, ok(userlist=[user("li4")]))
    assert ids(await bed.client.read_directory()) == ["li4"]


async def test_platform_that_stays_busy_ends_the_reading(bed: Bed) -> None:
    bed.api.script("department/list", -1, -1, -1)
    with pytest.raises(Unavailable):
        await bed.client.read_directory()


async def test_missing_permission_is_told_with_its_remedy(bed: Bed) -> None:
    bed.api.script("department/list", ok(department=DEPARTMENTS))
    bed.api.script("user/list", 48002, 48002)
    with pytest.raises(AuthFailed, match="接口权限"):
        await bed.client.read_directory()


async def test_some_users_are_read_once_each_and_the_gone_ones_named(bed: Bed) -> None:
    bed.api.script("user/get", ok(**user("Li4")), 60111, 60011)
    directory = await bed.client.read_users(["Li4", "li4", "Ghost", "hidden"])
    assert (ids(directory), directory.left_user_ids) == (["li4"], ("ghost",))
    assert not directory.whole
    assert bed.api.count("user/get") == 3
