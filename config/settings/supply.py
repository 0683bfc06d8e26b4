"""The section `[supply]`: who hears of large sales."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from config.settings.sections import Section, split

SupplyGroups = Annotated[
    tuple[Annotated[str, Field(pattern=r"^(wecom|dingtalk):[^:\s]+:[gw]:\S+$")], ...],
    BeforeValidator(split),
    Field(description='像 "wecom:sales:w:cangku" 的列表 (platform:app:g or w:group)'),
]


class SupplySettings(Section):
    """Groups that hear of large sales: "platform:application:g:group id", or with w the name of
    one of its group robots (webhooks). Empty: groups that said so in chat, else everybody with
    the role."""

    warehouse: SupplyGroups = ()
    planning: SupplyGroups = ()
