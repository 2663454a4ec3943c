"""The connection as ib_async scripts expect it, where ib_async differs from ib_insync.

Must not know how requests work.
"""

from __future__ import annotations

from typing import Any

from ibkit import util
from ibkit.legacy import ib
from ibkit.model import Contract, MarketOrder, Number


class SnapMidOrder(MarketOrder):
    """An order that is pegged to the middle of the market when it arrives: an example of ib_async uses the name."""

    def __init__(self, action: str, totalQuantity: Number, **kwargs: object) -> None:
        super().__init__(action, totalQuantity, **kwargs)
        self.orderType = "SNAP MID"


class IB(ib.IB):
    """`ibkit.IB` with ib_async's manners: what was not found keeps its place, ``disconnect`` tells of the traffic."""

    def qualifyContracts(self, *contracts: Contract, returnAll: bool = False) -> list[Any]:  # Any: contracts or None
        """Fill in what is missing in contracts; what was not found is None, with ``returnAll`` the candidates."""
        found = super().qualifyContracts(*contracts, returnAll=True)
        return found if returnAll else [each if isinstance(each, Contract) else None for each in found]

    async def qualifyContractsAsync(self, *contracts: Contract, returnAll: bool = False) -> list[Any]:  # Any: as above
        """Fill in what is missing in contracts like ``qualifyContracts``."""
        found = await super().qualifyContractsAsync(*contracts, returnAll=True)
        return found if returnAll else [each if isinstance(each, Contract) else None for each in found]

    def disconnect(self) -> str | None:  # type: ignore[override]  # ib_async's
        """Close the connection; return what went through it, None when there was none."""
        status = None
        if self.isConnected():
            stats = self.client.connectionStats()
            status = (
                f"Disconnecting from {self.client.host}:{self.client.port}, "
                f"{util.formatSI(stats.numBytesSent)}B sent in {stats.numMsgSent} messages, "
                f"{util.formatSI(stats.numBytesRecv)}B received in {stats.numMsgRecv} messages, "
                f"session time {util.formatSI(stats.duration)}s."
            )
        super().disconnect()
        return status
