"""Action libraries that administrators send as a file: checked as a whole, kept as a version."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.people import Role
from bot.errors import NotAllowed
from bot.messages import Fetched
from handlers.desk import Desk
from handlers.texts import libraries as texts
from handlers.texts.customers import when

SUFFIXES = (".yaml", ".yml", ".toml")
MOST_HISTORY = 10


async def explain(desk: Desk, _: str) -> None:
    """«导入动作库»: what to send. Raises NotAllowed."""
    if Role.ADMIN not in desk.rep.roles:
        raise NotAllowed(texts.ADMINS_ONLY)
    desk.say(texts.HOW_TO_IMPORT)


async def take_file(desk: Desk, file: Fetched, name: str) -> bool:
    """Whether the file was an administrator's library; then it is kept, or refused with all
    that is wrong in it (InvalidInput)."""
    if Role.ADMIN not in desk.rep.roles or not name.lower().endswith(SUFFIXES):
        return False
    library = desk.office.read_library(name, file.table)
    versions = [one for one in await desk.tx.libraries.list_versions() if one.key == library.key]
    if versions and versions[-1].source == file.table:
        desk.say(texts.same_as_before(library.label, versions[-1].version))
        return True
    version = await desk.tx.libraries.add_version(
        library.key, file_name=name, source=file.table, person_id=desk.rep.id, at=desk.at
    )
    library = replace(library, version=version)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="import_library",
        subject=f"library:{library.key}",
        before=None,
        after={"version": version, "label": library.label},
    )
    desk.tx.once_committed(lambda: desk.office.libraries.put(library))
    stages = [stage.label for stage in library.stages]
    desk.say(texts.imported(library.label, version, stages, [one.label for one in library.units]))
    return True


async def list_all(desk: Desk, _: str) -> None:
    """«动作库»: each with its newest version, who works by it, and what was imported."""
    shelf = desk.office.libraries
    users: dict[str, list[str]] = {shelf.organisation.key: [texts.ORGANISATION]}
    for team_id, library in shelf.teams.items():
        leader = await desk.tx.people.get(team_id)
        users.setdefault(library.key, []).append(texts.team_of(leader.name))
    lines = [
        texts.library_line(
            one.label, one.version, len(one.stages), len(one.units), users.get(one.key, [])
        )
        for one in shelf.newest()
    ]
    history = []
    for kept in (await desk.tx.libraries.list_versions())[-MOST_HISTORY:]:
        who = (await desk.tx.people.get(kept.person_id)).name
        at = when(kept.added_at.astimezone(desk.office.zone))
        label = shelf.of(f"{kept.key}@{kept.version}").label
        history.append(texts.history_line(label, kept.version, who, at))
    desk.say_privately(texts.TITLE, texts.all_libraries(lines, history))
