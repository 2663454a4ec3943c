"""What trades cost: IB's published price lists as a table, and the rule that reads it.

Commission is worked out for a whole order: an execution costs what the order costs so far, less what it has cost
already, so a minimum is paid once. Must not know accounts.
"""

from __future__ import annotations

from typing import NamedTuple

from ibkit.paper.instruments import Instrument


class Fee(NamedTuple):
    """One row: ``per_unit`` for each share or contract plus ``rate`` of the trade value.

    At least ``minimum`` an order, at most ``cap`` of the trade value (0: no cap). ``sell_unit`` and ``sell_rate`` are
    charges on sales that come on top. All in ``currency``; '' is the contract's.
    """

    per_unit: float = 0.0
    rate: float = 0.0
    minimum: float = 0.0
    cap: float = 0.0
    currency: str = ""
    sell_unit: float = 0.0
    sell_rate: float = 0.0

    def total(self, quantity: float, value: float, sold: bool) -> float:
        """Return what an order costs that traded ``quantity`` for ``value`` (both positive)."""
        cost = max(self.minimum, self.per_unit * quantity + self.rate * value)
        if self.cap:
            cost = min(cost, self.cap * value)
        if sold:
            cost += self.sell_unit * quantity + self.sell_rate * value
        return round(cost, 6)


# FINRA's trading activity fee and the SEC fee on sales of US stocks.
_TAF, _SEC = 0.000166, 0.0000278

# The key is Instrument.commission_class. Futures: IB's commission, exchange and regulatory fees in one number.
FIXED: dict[str, Fee] = {
    "stock_us": Fee(per_unit=0.005, minimum=1.0, cap=0.01, sell_unit=_TAF, sell_rate=_SEC),
    "stock_europe": Fee(rate=0.0005, minimum=3.0),
    "stock_london": Fee(rate=0.0005, minimum=3.0),
    "stock_canada": Fee(per_unit=0.01, minimum=1.0, cap=0.005),
    "option_us": Fee(per_unit=0.65, minimum=1.0),
    "future_cme": Fee(per_unit=2.25),
    "future_cbot": Fee(per_unit=1.72),
    "future_nymex": Fee(per_unit=2.47),
    "future_comex": Fee(per_unit=2.47),
    "future_cfe": Fee(per_unit=2.30),
    "future_cmecrypto": Fee(per_unit=7.02),
    "future_eurex": Fee(per_unit=2.0),
    "future_option": Fee(per_unit=1.42),
    "forex": Fee(rate=0.00002, minimum=2.0, currency="USD"),
    "commodity": Fee(rate=0.000015, minimum=2.0),
    "crypto": Fee(rate=0.0018, minimum=1.75, cap=0.01),
    "cfd_stock": Fee(per_unit=0.005, minimum=1.0),
    "cfd_index": Fee(rate=0.00005, minimum=1.0),
    "cfd_metal": Fee(rate=0.00015, minimum=2.0),
    "bond": Fee(rate=0.001, minimum=1.0),
    "fund": Fee(minimum=14.95),
}
# Tiered: IB's own part for the smallest volume; exchange, clearing and rebates are not itemised.
TIERED: dict[str, Fee] = FIXED | {
    "stock_us": Fee(per_unit=0.0035, minimum=0.35, cap=0.01, sell_unit=_TAF, sell_rate=_SEC),
    "stock_europe": Fee(rate=0.0005, minimum=1.25),
    "stock_london": Fee(rate=0.0005, minimum=1.0),
}
TABLES: dict[str, dict[str, Fee]] = {"fixed": FIXED, "tiered": TIERED, "none": {}}
# Micro contracts by trading class: they share an exchange with their big brothers, not the price.
MICROS: dict[str, Fee] = {
    name: Fee(per_unit=price)
    for price, names in ((0.62, "MES MNQ M2K MYM"), (0.82, "MCL MGC SIL"), (0.62, "M6E M6B M6A"), (2.52, "MBT MET"))
    for name in names.split()
}
# Futures of an exchange that has no row of its own.
_OTHER_FUTURE = Fee(per_unit=2.5)
_FREE = Fee()


def fee(table: str, instrument: Instrument) -> Fee:
    """Return the row for an instrument; ``table`` is fixed, tiered or none."""
    rows = TABLES[table]
    if not rows:
        return _FREE
    if instrument.sec_type == "FUT" and instrument.contract.tradingClass in MICROS:
        return MICROS[instrument.contract.tradingClass]
    row = rows.get(instrument.commission_class)
    return row or (_OTHER_FUTURE if instrument.commission_class.startswith("future_") else _FREE)
