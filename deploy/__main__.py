"""python -m deploy licences|sbom|wheel: what `make` calls of the same name. And capacity: how much
a team needs."""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Annotated

import typer

from deploy import capacity, sbom, wheel
from deploy.licences import is_compatible, licence_of, table
from deploy.packages import ROOT, Package, bundled_scripts, closure, project, python_packages

LICENCES = ROOT / "deploy" / "licences.md"

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def every_package() -> list[Package]:
    """Of this environment: of the program, of all extras that are installed, and of the pages."""
    extras = [name for name in project()["optional-dependencies"] if _installed(name)]  # type: ignore[attr-defined]
    names = closure(extras)
    return python_packages({name: licence_of(name) for name in names}, extras) + bundled_scripts()


def _installed(extra: str) -> bool:
    try:
        closure([extra])
    except PackageNotFoundError:
        return False
    return True


@cli.command("licences")
def write_licences() -> None:
    """List the licences beside the lock; exit 1 if one may not go out with ours."""
    packages = every_package()
    LICENCES.write_text(table(packages), encoding="utf-8")
    refused = [one for one in packages if not is_compatible(one)]
    for one in refused:
        typer.echo(f"{one.name}: {one.licence}", err=True)
    raise typer.Exit(1 if refused else 0)


@cli.command("sbom")
def write_bill(file: Annotated[Path, typer.Argument()] = Path("dist", "sbom.cdx.json")) -> None:
    """Write the bill of materials."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(sbom.bill(every_package()), encoding="utf-8")
    typer.echo(file)


@cli.command("wheel")
def build_wheel(folder: Annotated[Path, typer.Argument()] = Path("dist")) -> None:
    """Build the wheel."""
    try:
        typer.echo(wheel.build(folder))
    except (wheel.NoPages, subprocess.CalledProcessError) as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from error


@cli.command("capacity")
def tell_capacity(
    *,
    people: Annotated[int, typer.Option(help="who talk to the bot")],
    messages_per_day: Annotated[float, typer.Option(help="of each of them")] = 20.0,
    customers: Annotated[int | None, typer.Option(help="of all; 30 for each by itself")] = None,
    retention_days: Annotated[int, typer.Option(help="how long messages are kept")] = 365,
    busiest_hour: Annotated[float, typer.Option(help="its share of a day")] = 0.25,
    file_share: Annotated[float, typer.Option(help="of messages with a file")] = 0.05,
    file_kb: Annotated[float, typer.Option(help="of such a file")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    ladder: Annotated[bool, typer.Option("--ladder", help="other sizes of it, Markdown")] = False,
) -> None:
    """What a team needs, and what breaks first as it grows."""
    team = capacity.Team(
        people,
        messages_per_day=messages_per_day,
        customers=30 * people if customers is None else customers,
        retention_days=retention_days,
        busiest_hour=busiest_hour,
        file_share=file_share,
        file_kb=file_kb,
    )
    try:
        plan = capacity.plan(team)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if ladder:
        typer.echo(capacity.table(capacity.ladder(team)))
        typer.echo(capacity.table_of_limits(plan), nl=False)
    elif as_json:
        typer.echo(json.dumps(plan.as_json(), indent=2))
    else:
        typer.echo(capacity.report(plan))


if __name__ == "__main__":
    cli()
