"""All action libraries in memory, and who works by which. Loaded at start; changed once a
transaction that changes them has committed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.domain.leaders import leaders_above
from bot.domain.library import ActionLibrary, ActionUnit, LibraryUse, Stage
from bot.domain.opportunities import Opportunity
from bot.errors import UserError
from storage.unit_of_work import UnitOfWork

ReadLibrary = Callable[[str, bytes], ActionLibrary]
"""A file's name and bytes -> the library. Raises InvalidInput that lists what is wrong."""

log = logging.getLogger(__name__)


class LibraryShelf:
    """All action libraries in use, and who works by which. One per program. shipped: the libraries
    that come with it; `default` is the key of the one that holds until an administrator has chosen
    another."""

    def __init__(self, shipped: Iterable[ActionLibrary], default: str) -> None:
        self._by_ref: dict[str, ActionLibrary] = {}
        self._teams: dict[int, str] = {}
        for library in shipped:
            self._by_ref[library.ref] = library
        self._default = self._organisation = f"{default}@0"
        self._remember_units()

    async def load(self, tx: UnitOfWork, read: ReadLibrary) -> None:
        """What the database holds besides. A version that today's rules refuse is left out and
        logged: deals in it show their stage by its key."""
        for kept in await tx.libraries.list_versions():
            try:
                library = read(kept.file_name, kept.source)
            except UserError as error:
                fields = {"action": "load libraries", "library": f"{kept.key}@{kept.version}"}
                log.error("an action library is refused", extra={**fields, "error": str(error)})
                continue
            self._by_ref[f"{kept.key}@{kept.version}"] = replace(library, version=kept.version)
        self._remember_units()
        self.use_only(await tx.libraries.list_uses())

    def put(self, library: ActionLibrary) -> None:
        self._by_ref[library.ref] = library
        self._remember_units()

    def use(self, use: LibraryUse) -> None:
        if use.team_id is None:
            self._organisation = use.ref
        else:
            self._teams[use.team_id] = use.ref

    def use_only(self, uses: Iterable[LibraryUse]) -> None:
        """All that is in force: teams may have gone or been joined."""
        self._organisation, self._teams = self._default, {}
        for use in uses:
            self.use(use)

    @property
    def organisation(self) -> ActionLibrary:
        """Of everybody whose team has none of its own."""
        return self.of(self._organisation)

    @property
    def teams(self) -> dict[int, ActionLibrary]:
        return {team_id: self.of(ref) for team_id, ref in self._teams.items()}

    def of(self, ref: str) -> ActionLibrary:
        """By what a deal, a draft or an entry notes; one that is gone, or was never noted, is
        the one of policy.toml."""
        return self._by_ref.get(ref) or self._by_ref[self._default]

    def refs_of(self, library: ActionLibrary) -> list[str]:
        """What deals written in any version of it note."""
        refs = [ref for ref, one in self._by_ref.items() if one.key == library.key]
        return [*refs, ""] if self._default.partition("@")[0] == library.key else refs

    def stage(self, deal: Opportunity) -> Stage | None:
        """Where the deal stands, in the words of the library it is written in."""
        return self.of(deal.library).stage(deal.stage)

    async def of_person(self, tx: UnitOfWork, person_id: int) -> ActionLibrary:
        """Of the nearest team they belong to or lead, else the organisation's."""
        if not self._teams:
            return self.organisation
        if person_id in self._teams:
            return self.of(self._teams[person_id])
        facts = await tx.people.leader_facts(person_id)
        for leader in leaders_above(facts):
            if leader.id in self._teams:
                return self.of(self._teams[leader.id])
        return self.organisation

    def newest(self) -> list[ActionLibrary]:
        """The last version of each, by key."""
        last: dict[str, ActionLibrary] = {}
        for library in self._by_ref.values():
            if library.key not in last or last[library.key].version < library.version:
                last[library.key] = library
        return [last[key] for key in sorted(last)]

    def find(self, name: str, version: int | None = None) -> ActionLibrary | None:
        """By key or label; the newest version where none is named."""
        wanted = name.casefold().replace(" ", "")
        for library in self.newest():
            if wanted in (library.key, library.label.casefold().replace(" ", "")):
                if version is None:
                    return library
                return self._by_ref.get(f"{library.key}@{version}")
        return None

    def _remember_units(self) -> None:
        """Each library knows the units of all others, so that a stream is understood which was
        written by several; the newest version goes first."""
        every = sorted(self._by_ref.values(), key=lambda one: (-one.version, one.key))
        units: dict[str, ActionUnit] = {}
        for library in every:
            for unit in library.units:
                units.setdefault(unit.key, unit)
        self._by_ref = {
            ref: replace(library, past=tuple(units.values()))
            for ref, library in self._by_ref.items()
        }
