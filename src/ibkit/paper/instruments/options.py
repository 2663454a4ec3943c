"""Options and futures options: chains with expirations and strikes made by rule for any date.

Strikes depend on the base price of the underlying in the data files, never on the simulated price, so a contract
exists or not whatever the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from math import exp, floor, log
from zoneinfo import ZoneInfo

from ibkit.model import Contract
from ibkit.paper.instruments import expiries, ids, rules
from ibkit.paper.instruments.calendar import CALENDARS
from ibkit.paper.instruments.holidays import business_day_before, is_business_day
from ibkit.paper.instruments.instrument import Instrument, Liquidity, Listing
from ibkit.paper.instruments.pricing import OptionOn
from ibkit.paper.instruments.roots import root, scaled, volatility_root
from ibkit.paper.instruments.spots import HISTORY_BEGIN, ORDER_TYPES
from ibkit.paper.instruments.tables import number, rows

OPTION_EXCHANGES = (
    "SMART,AMEX,CBOE,PHLX,PSE,ISE,BOX,BATS,NASDAQOM,CBOE2,NASDAQBX,MIAX,GEMINI,EDGX,MERCURY,PEARL,EMERALD,MEMX"
)
_FRIDAYS_AHEAD = 60  # futures options that end on a Friday between the quarters
_STEPS = ((25.0, 0.5), (75.0, 1.0), (200.0, 2.5), (500.0, 5.0), (1000.0, 10.0))  # below this base, this step


@dataclass(frozen=True, slots=True)
class Chain:
    """All options of one trading class; ``number`` is its place in conIds and is never used again."""

    number: int
    symbol: str
    trading_class: str
    sec_type: str  # OPT or FOP
    under_key: str  # symbol and kind of the underlying: STK MSFT, IND SPX, FUT ES
    root_key: str
    base: float
    kind: str  # weekly, daily, am (third Fridays, last trade the day before), quarterly, fridays
    step: float
    multiplier: str
    exchanges: tuple[str, ...]
    rule: rules.MarketRule
    calendar: str
    volume: float

    @property
    def american(self) -> bool:
        """Whether options can be exercised before their end: those on shares, and the quarterly ones on futures."""
        return self.under_key.startswith("STK") or self.kind == "quarterly"

    @property
    def lowest(self) -> float:
        """The lowest strike: 40 % of the base, on the grid."""
        return max(self.step, floor(0.4 * self.base / self.step) * self.step)

    def strikes(self) -> list[float]:
        """Return all strikes, from 40 % to 200 % of the base."""
        count = min(511, round((2.0 * self.base - self.lowest) / self.step))
        return [round(self.lowest + n * self.step, 4) for n in range(count + 1)]

    def step_of(self, strike: float) -> int | None:
        """Return the place of a strike on the grid; None when it is not on it."""
        place = (strike - self.lowest) / self.step
        index = round(place) if abs(place) < 1e9 else -1
        return index if abs(place - index) < 1e-6 and 0 <= index < len(self.strikes()) else None

    def expirations(self, today: date) -> list[date]:
        """Return the last trading days listed today."""
        if self.kind == "am":
            fridays = [d for d in expiries.option_days(today, "weekly") if 14 <= d.day <= 21 and _third(d)]
            return [d for d in map(business_day_before, fridays) if d >= today]
        if self.kind == "quarterly":
            return [last for _, _, last in expiries.months("HMUZ", today, 4, expiries.third_friday)]
        if self.kind == "fridays":
            quarters = set(Chain.expirations(_QUARTERLY[self.symbol], today))
            return [
                d
                for d in expiries.option_days(today, "weekly")
                if (d - today).days <= _FRIDAYS_AHEAD and d not in quarters
            ]
        return expiries.option_days(today, self.kind)

    def ahead(self, day: date) -> int:
        """Return how many days before its last trading day ``day`` an option is listed."""
        if self.kind == "quarterly":
            return 375  # four quarters
        if self.kind == "fridays":
            return _FRIDAYS_AHEAD
        return expiries.option_ahead(day, self.kind)

    def trades_on(self, day: date) -> bool:
        """Tell whether options of this chain can end on ``day`` at all."""
        return day in self.expirations(day)


def _third(day: date) -> bool:
    return expiries.third_friday(day.year, day.month) == day


@cache
def chains() -> dict[int, Chain]:
    """Return all chains by number."""
    found = {}
    for row in rows("stocks"):
        if not row["chain"]:
            continue
        price_root, scale = scaled(row["root"] or row["symbol"])
        base = price_root.base * scale
        step = number(row, "step") or next((s for limit, s in _STEPS if base < limit), 25.0)
        chain = Chain(
            int(row["chain"]), row["symbol"], row["symbol"], "OPT", f"STK {row['symbol']}", price_root.key, base,
            row["class"], step, "100", tuple(OPTION_EXCHANGES.split(",")),
            rules.US_OPTION_PENNY if step == 1 and base > 75 else rules.US_OPTION, "US_OPTION",
            float(row["volume"]) / 4000,
        )  # fmt: skip
        found[chain.number] = chain
    return found | {chain.number: chain for chain in _INDEX_AND_FUTURE}


def _index(number: int, symbol: str, trading_class: str, kind: str, step: float) -> Chain:
    return Chain(
        number, symbol, trading_class, "OPT", f"IND {symbol}", symbol, root(symbol).base, kind, step, "100",
        ("SMART", "CBOE"), rules.INDEX_OPTION, "US_INDEX_OPTION", 1500.0,
    )  # fmt: skip


def _future(number: int, symbol: str, root_key: str, trading_class: str, kind: str, step: float, mult: str) -> Chain:
    return Chain(
        number, symbol, trading_class, "FOP", f"FUT {symbol}", root_key, root(root_key).base, kind, step, mult,
        ("CME", "GLOBEX"), rules.FUTURE_OPTION, "CME", 800.0,
    )  # fmt: skip


_INDEX_AND_FUTURE = (
    _index(50, "SPX", "SPX", "am", 25),
    _index(51, "SPX", "SPXW", "daily", 25),
    _index(52, "NDX", "NDX", "am", 100),
    _index(53, "NDX", "NDXP", "daily", 100),
    _index(54, "RUT", "RUT", "am", 10),
    _index(55, "RUT", "RUTW", "daily", 10),
    _future(60, "ES", "SPX", "ES", "quarterly", 25, "50"),
    _future(61, "ES", "SPX", "EW", "fridays", 25, "50"),
    _future(62, "NQ", "NDX", "NQ", "quarterly", 100, "20"),
    _future(63, "NQ", "NDX", "QN", "fridays", 100, "20"),
)
_QUARTERLY = {c.symbol: c for c in _INDEX_AND_FUTURE if c.kind == "quarterly"}


def trading_class(chain: Chain, day: date) -> str:
    """Return the trading class of an expiration: Friday futures options carry the number of the Friday."""
    return f"{chain.trading_class}{(day.day - 1) // 7 + 1}" if chain.kind == "fridays" else chain.trading_class


def option(chain: Chain, day: date, step: int, sign: int, under: Instrument) -> Instrument:
    """Make one option; ``under`` is what it is on."""
    strike = round(chain.lowest + step * chain.step, 4)
    right = "C" if sign > 0 else "P"
    calendar = CALENDARS[chain.calendar]
    hours = calendar.hours(day).liquid
    # The last session of the last day; on a day that is closed by now (an old contract) the usual end.
    expires = hours[-1].end if hours else calendar.epoch(day, calendar.liquid[-1][1])
    if chain.kind == "quarterly":
        expires = under.expires
    shown_class = trading_class(chain, day)
    if chain.sec_type == "OPT":
        local = f"{shown_class:<6}{day:%y%m%d}{right}{round(strike * 1000):08d}"
    else:
        month_code = expiries.MONTH_CODES[day.month - 1]
        local = f"{shown_class}{month_code}{day.year % 10} {right}{strike:g}"
    contract = Contract.create(
        secType=chain.sec_type,
        conId=ids.option(chain.number, day, step, sign),
        symbol=chain.symbol,
        lastTradeDateOrContractMonth=f"{day:%Y%m%d}",
        strike=strike,
        right=right,
        multiplier=chain.multiplier,
        exchange=chain.exchanges[0],
        currency="USD",
        localSymbol=local,
        tradingClass=shown_class,
    )
    # Trading thins out away from the money.
    distance = log(strike / chain.base)
    share = exp(-min(12.0, (distance / 0.15) ** 2))
    real = day + timedelta(days=1) if chain.kind == "am" else day
    while not is_business_day(real):
        real += timedelta(days=1)
    return Instrument(
        con_id=contract.conId,
        contract=contract,
        calendar=calendar,
        rule=chain.rule,
        pricing=OptionOn(under, strike, sign, expires, volatility_root(chain.root_key)),
        listing=Listing(
            long_name=under.listing.long_name,
            market_name=shown_class,
            industry=under.listing.industry,
            category=under.listing.category,
            subcategory=under.listing.subcategory,
            order_types=ORDER_TYPES,
            valid_exchanges=",".join(chain.exchanges) if chain.sec_type == "OPT" else chain.exchanges[0],
            contract_month=f"{day:%Y%m}",
            last_trade_time=_clock(expires, calendar.zone),
            extra=(("realExpirationDate", f"{real:%Y%m%d}"),),
        ),
        liquidity=Liquidity(chain.volume * share, 1.0, 10.0),
        commission_class="option_us" if chain.sec_type == "OPT" else "future_option",
        multiplier=float(chain.multiplier),
        volatility=under.volatility,
        underlying=under,
        expiry=day,
        expires=expires,
        listed=max(HISTORY_BEGIN, expires - 86400.0 * (chain.ahead(day) + 1)),
        routes=frozenset(chain.exchanges),
        american=chain.american,
    )


def _clock(t: float, zone: str) -> str:
    return datetime.fromtimestamp(t, ZoneInfo(zone)).strftime("%H:%M")
