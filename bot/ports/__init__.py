"""The Protocols that the engine needs, where it must not know the one behind them."""

from bot.domain.sharing import AppKey
from bot.ports.chat import ChatConnector
from bot.ports.doors import Accept, EnvelopeReader, Release
from bot.ports.erp import CONFLICT, Erp, ErpCustomers, ErpForecasts, ErpOrders
from bot.ports.files import CallCounter, FileStore, TokenStore
from bot.ports.gathering import Archive, MailFolder, MailLook
from bot.ports.reading import LanguageModel, PaperReader, Preparation, SecondReader, Transcriber
from bot.ports.sharing import Fence, Place, Shares
from bot.ports.storage import Delivery, Outgoing, Pending, Store, Trouble, UnitOfWork

__all__ = [
    "CONFLICT",
    "Accept",
    "AppKey",
    "Archive",
    "CallCounter",
    "ChatConnector",
    "Delivery",
    "EnvelopeReader",
    "Erp",
    "ErpCustomers",
    "ErpForecasts",
    "ErpOrders",
    "Fence",
    "FileStore",
    "LanguageModel",
    "MailFolder",
    "MailLook",
    "Outgoing",
    "PaperReader",
    "Pending",
    "Place",
    "Preparation",
    "Release",
    "SecondReader",
    "Shares",
    "Store",
    "TokenStore",
    "Transcriber",
    "Trouble",
    "UnitOfWork",
]
