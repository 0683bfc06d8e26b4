"""Start here. COMMANDS: name -> function; GROUPS: those with commands of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import BotError
from config.commands import (
    conversions,
    db,
    doctor,
    personal_data,
    replay,
    sandbox,
    serve,
    setup,
    understand,
)
from config.policy import ConfigError
from handlers.machine_forecast import command as machine_forecast
from handlers.payouts import command as payouts

COMMANDS: Mapping[str, Callable[..., None]] = {
    "serve": serve.serve,
    "sandbox": sandbox.sandbox,
    "setup": setup.set_up,
    "doctor": doctor.run_doctor,
    "understand": understand.understand,
    "conversions": conversions.count_conversions,
    "replay": replay.replay,
    "export-customer": personal_data.export_customer,
    "erase-customer": personal_data.erase_customer,
    "export-contact": personal_data.export_contact,
    "erase-contact": personal_data.erase_contact,
    "export-person": personal_data.export_person,
    "erase-person": personal_data.erase_person,
}
GROUPS = {"db": db.app, "payouts": payouts.app, "forecast": machine_forecast.app}

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help="跟单 Gendan")
cli.callback(invoke_without_command=True)(serve.start)
for name, command in COMMANDS.items():
    cli.command(name)(command)
for name, group in GROUPS.items():
    cli.add_typer(group, name=name)


def main() -> None:
    """Exit codes: 0 done, 1 the thing asked about does not hold, 2 wrong usage or
    configuration, told in one line."""
    try:
        code = cli(standalone_mode=False)
    except typer.TyperException as error:
        sys.exit(_complain(error.format_message()))
    except typer.Abort:
        sys.exit(_complain("已中断 (interrupted)"))
    except (ConfigError, BotError, OSError, SQLAlchemyError) as error:
        sys.exit(_complain(str(error)))
    sys.exit(code or 0)


def _complain(text: str) -> int:
    typer.echo(f"gendan: {text}", err=True)
    return 2


if __name__ == "__main__":
    main()
