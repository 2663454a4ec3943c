"""Values that the connected server is too old or too new for, where the table of messages knows no version for them.

Refused here, as IB's own client refuses them, before anything is sent; fields that need a version are refused by the
wire. Must not know how a request is answered.
"""

from __future__ import annotations

from typing import Final

from ibkit.errors import InvalidRequest, UnsupportedField
from ibkit.model import UNSET_DOUBLE, Order
from ibkit.wire import messages as m

SCHEDULE_SINCE: Final = 165
FA_PROFILES: Final = 2
NO_FA_PROFILES: Final = 177
"""The server version from which on there are no profiles."""
ORDERS_BY_PROTOBUF: Final = 203

GONE: Final = {
    "faProfile": ("", NO_FA_PROFILES, "allocation profiles were merged into groups: name it in faGroup"),
    "eTradeOnly": (False, ORDERS_BY_PROTOBUF, "IB has withdrawn it"),
    "firmQuoteOnly": (False, ORDERS_BY_PROTOBUF, "IB has withdrawn it"),
    "nbboPriceCap": (UNSET_DOUBLE, ORDERS_BY_PROTOBUF, "IB has withdrawn it"),
}
"""Fields of orders that have no place any more: their defaults, the server version from which on, what to do instead.

Left out silently, as other clients do, an order would go to another account, or at another price, than was asked for.
"""


def check(message: m.Request, version: int) -> None:
    """Raise UnsupportedField or InvalidRequest for a value the server has no use for."""
    match message:
        case m.PlaceOrder(order=order):
            check_order(order, version)
        case m.ReqHistoricalData(whatToShow=what) if what == "SCHEDULE" and version < SCHEDULE_SINCE:
            raise UnsupportedField("whatToShow SCHEDULE", SCHEDULE_SINCE, version)
        case m.ReqFa(faData=kind) | m.ReplaceFa(faData=kind) if kind == FA_PROFILES:
            if version >= NO_FA_PROFILES:
                raise InvalidRequest(
                    f"faDataType {FA_PROFILES}, profiles, ended with server version {NO_FA_PROFILES - 1}, but the "
                    f"connected one has {version}: use groups, faDataType 1"
                )


def check_order(order: Order, version: int) -> None:
    """Raise InvalidRequest for a field that has no place any more."""
    for name, (default, since, why) in GONE.items():
        if (value := getattr(order, name)) != default and version >= since:
            raise InvalidRequest(
                f"order.{name} {value!r} cannot be sent to server version {version}: it ended with "
                f"version {since - 1} ({why}); leave it unset"
            )
