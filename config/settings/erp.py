"""The sections `[erp.<name>]`: one ERP, its bills, and what their fields are called there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from config.settings.mistakes import SECTION_MISTAKE
from config.settings.sections import Count, FirstPage, Section, Text, bare, plain


class KingdeeFormSettings(Section):
    """One kind of Kingdee's bills and the keys of its fields, as the BOS designer shows them."""

    form: Text = "AR_RECEIVEBILL"
    number: Text = "FBillNo"
    line: Text = "FRECEIVEBILLENTRY_FEntryID"
    contract: Text = "FSALEORDERNUMBER"
    amount: Text = "FRECTOTALAMOUNTFOR"
    currency: Text = "FCURRENCYID.FNumber"
    received_on: Text = "FDATE"
    payer: Text = "FCONTACTUNIT.FName"
    changed_at: Text = "FModifyDate"
    status: Text = "FDocumentStatus"


class KingdeeCustomerSettings(Section):
    """Kingdee's customers and the keys of their fields."""

    form: Text = "BD_Customer"
    code: Text = "FNumber"
    name: Text = "FName"
    credit_code: Text = "FSOCIALCRECODE"
    phone: Text = "FTEL"
    status: Text = "FDocumentStatus"
    forbidden: Text = "FForbidStatus"
    changed_at: Text = "FModifyDate"


class KingdeeOrderSettings(Section):
    """Kingdee's sales orders and the keys of their fields. contract: "" where they name none."""

    form: Text = "SAL_SaleOrder"
    number: Text = "FBillNo"
    line: Text = "FSaleOrderEntry_FEntryID"
    customer: Text = "FCustId.FNumber"
    customer_name: Text = "FCustId.FName"
    contract: str = ""
    amount: Text = "FBillAllAmount"
    line_amount: Text = "FAllAmount"
    currency: Text = "FSettleCurrId.FNumber"
    ordered_on: Text = "FDate"
    delivery_on: Text = "FDeliveryDate"
    status: Text = "FDocumentStatus"
    closed: Text = "FCloseStatus"
    cancelled: Text = "FCancelStatus"
    changed_at: Text = "FModifyDate"


class KingdeeForecastSettings(Section):
    """A form of Kingdee that takes forecast lines, and the keys of its fields. key: a text field
    of its own for our key. level, evidence, opportunity: "" where the form has no such field.
    fixed: what else it demands."""

    form: Text
    id: Text = "FID"
    number: Text = "FBillNo"
    key: Text
    customer: Text
    amount: Text
    expected_on: Text
    level: str = ""
    evidence: str = ""
    opportunity: str = ""
    state: Text
    standing: Text = "有效"
    withdrawn: Text = "已撤回"
    status: Text = "FDocumentStatus"
    fixed: dict[str, str] = Field(default_factory=dict)
    until: Annotated[
        Literal["save", "submit", "audit"], Field(description="save、submit 或 audit")
    ] = "submit"


class U9cCustomerSettings(Section):
    """The entity of U9C that holds customers, and the paths of its fields."""

    entity: Text
    code: Text = "Code"
    name: Text = "Name"
    credit_code: str = ""
    phone: str = ""
    status: Text
    effective: Text
    changed_at: Text = "ModifiedOn"
    since_operator: Text = "ge"
    first_page: FirstPage = 1


class U9cOrderSettings(Section):
    """The entity of U9C that holds lines of sales orders, and the paths of its fields. audited,
    closed, cancelled: values under `status`, parted by commas. changed_at: of the order."""

    entity: Text
    number: Text
    line: Text
    customer: Text
    customer_name: Text
    contract: str = ""
    amount: Text
    line_amount: Text
    currency: Text
    ordered_on: Text
    delivery_on: str = ""
    status: Text
    audited: Text
    closed: str = ""
    cancelled: str = ""
    changed_at: Text
    since_operator: Text = "ge"
    first_page: FirstPage = 1


class U9cForecastSettings(Section):
    """An entity of U9C that takes forecast lines: its fields, and the paths of the operations.
    key: a field of its own for our key. submit, reopen: "" where there is no such operation."""

    entity: Text
    create: Text
    modify: Text
    submit: str = ""
    reopen: str = ""
    number: Text
    key: Text
    customer: Text
    amount: Text
    expected_on: Text
    level: str = ""
    evidence: str = ""
    opportunity: str = ""
    state: Text
    standing: Text = "有效"
    withdrawn: Text = "已撤回"
    status: Text
    open_status: Text
    fixed: dict[str, str] = Field(default_factory=dict)
    equals_operator: Text = "eq"
    like_operator: Text = "like"
    first_page: FirstPage = 1


class U9cEntitySettings(Section):
    """The entity of U9C that holds a receipt's lines, and the paths of its fields."""

    entity: Text
    number: Text
    line: Text
    contract: Text
    amount: Text
    currency: Text
    received_on: Text
    payer: Text
    changed_at: Text = "ModifiedOn"
    status: Text
    audited: Text
    since_operator: Text = "ge"
    first_page: FirstPage = 1


class ErpSettings(Section):
    """One ERP. kingdee, u9c: asked over its API. folder: writes CSV files. push: it tells us
    by POST /erp/<name>, which the others may as well.

    notice_secret: signs what it tells by POST; without one that door is shut. receipts,
    refunds, customers, orders, forecasts: of Kingdee; without refunds they are negative receipts,
    and the others are not asked for, or written, unless they are given. entity, customer_entity,
    order_entity, forecast_entity: the same of U9C.
    """

    kind: Annotated[
        Literal["kingdee", "u9c", "folder", "push"],
        Field(description="kingdee、u9c、folder 或 push"),
    ]
    folder: Annotated[Path | None, Field(description="收款文件的文件夹 (a folder)")] = None
    notice_secret: Annotated[
        SecretStr, Field(description="至少 16 位的文字 (at least 16 characters)")
    ] = SecretStr("")
    base_url: Annotated[
        str,
        AfterValidator(bare),
        Field(pattern=r"^(https?://[^\s?#]+)?$", description="http(s):// 开头的地址 (a URL)"),
    ] = ""
    account_id: str = ""
    user: str = ""
    app_id: str = ""
    app_secret: SecretStr = SecretStr("")
    language: Count = 2052
    organisation: Annotated[int, Field(ge=0, description="整数 (a whole number)")] = 0
    enterprise: str = ""
    organisation_code: str = ""
    home_currency: Text = "PRE001"
    receipts: KingdeeFormSettings = KingdeeFormSettings()
    refunds: KingdeeFormSettings | None = None
    customers: KingdeeCustomerSettings | None = None
    orders: KingdeeOrderSettings | None = None
    forecasts: KingdeeForecastSettings | None = None
    entity: U9cEntitySettings | None = None
    customer_entity: U9cCustomerSettings | None = None
    order_entity: U9cOrderSettings | None = None
    forecast_entity: U9cForecastSettings | None = None

    @model_validator(mode="after")
    def _kind_has_what_it_needs(self) -> Self:
        asked = ("base_url", "user", "app_id", "app_secret")
        needed = {
            "kingdee": (*asked, "account_id"),
            "u9c": (*asked, "enterprise", "organisation_code", "entity"),
            "folder": ("folder",),
            "push": ("notice_secret",),
        }
        for key in needed[self.kind]:
            if not plain(getattr(self, key)):
                told = f'{key}：kind = "{self.kind}" 时必填 (required)'
                raise PydanticCustomError(SECTION_MISTAKE, told)
        if 0 < len(self.notice_secret.get_secret_value()) < 16:
            told = "notice_secret：至少 16 位 (at least 16 characters)"
            raise PydanticCustomError(SECTION_MISTAKE, told)
        return self
