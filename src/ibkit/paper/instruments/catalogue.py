"""The catalogue: from a contract as a user writes it to the instruments it may mean.

Must not know prices, accounts or the wire.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from weakref import WeakValueDictionary

from ibkit.model import Contract, ContractDescription, ContractDetails, OptionChain, PriceIncrement
from ibkit.paper.instruments import expiries, futures, ids, options, rules
from ibkit.paper.instruments.bags import bag
from ibkit.paper.instruments.details import details
from ibkit.paper.instruments.instrument import Instrument
from ibkit.paper.instruments.matching import Wanted, matches, wanted
from ibkit.paper.instruments.pricing import Spot
from ibkit.paper.instruments.roots import root
from ibkit.paper.instruments.spots import spots

# As many matches as TWS gives for a symbol search.
SEARCH_LIMIT = 16
# Derived contracts kept alive without a user: keeps repeated look-ups cheap.
_RECENT = 4096


@cache
def _spots() -> dict[int, Instrument]:
    found: dict[int, Instrument] = {}
    for instrument in spots():
        if instrument.con_id in found:
            raise ValueError(
                f"{instrument.contract} and {found[instrument.con_id].contract} have the same conId: "
                "rename one, or state its conId in the data file"
            )
        found[instrument.con_id] = instrument
    return found


class Catalogue:
    """All instruments listed on the day ``today``; move ``today`` when the simulated date (New York) changes.

    Listings are made by rule for any date; conIds depend on the instrument alone, so they are the same in every
    catalogue. ``seed`` is accepted for symmetry with ``Market`` and changes nothing.
    """

    def __init__(self, seed: int, today: date) -> None:
        self.today = today
        self._made: WeakValueDictionary[tuple[object, ...], Instrument] = WeakValueDictionary()
        self._recent: OrderedDict[tuple[object, ...], Instrument] = OrderedDict()

    def find(self, contract: Contract) -> list[Instrument]:
        """Return every instrument that ``contract`` may mean: none, one, or many when it is ambiguous.

        Fields left at their default do not restrict. conId alone is enough. A CONTFUT gives the current front
        future under secType CONTFUT, with the conId of that future. A BAG gives one instrument that is the sum of
        its legs. Expired futures answer when ``includeExpired`` is set (for two years). An empty exchange gives
        each contract once, where TWS repeats it for every venue.
        """
        if contract.secType == "BAG":
            return self._bags(contract)
        want = wanted(contract)
        if contract.conId:
            return self._by_id(contract, want)
        kind = contract.secType
        if kind in ("FUT", "CONTFUT"):
            found = self._futures(want, contract.includeExpired, continuous=kind == "CONTFUT")
        elif kind in ("OPT", "FOP"):
            found = self._options(kind, want)
        else:
            if not (want.symbol or want.local_symbol or want.isin or want.cusip):
                return []
            found = (i for i in _spots().values() if i.sec_type == kind and self._listed(i, contract.includeExpired))
            found = (i for i in found if not i.expiry or want.expiry(i.expiry, f"{i.expiry:%Y%m}"))
        return [instrument for instrument in found if matches(instrument, want)]

    def by_con_id(self, con_id: int) -> Instrument | None:
        """Return the instrument with this conId, also an expired one; None when there is none."""
        if con_id in _spots():
            return _spots()[con_id]
        match ids.parse(con_id):
            case ids.FutureId(number, year, month):
                product = futures.by_number().get(number)
                if product is None or expiries.MONTH_CODES[month - 1] not in product.months:
                    return None
                return self._future(product, year, month)
            case ids.OptionId(number, day, step, sign):
                chain = options.chains().get(number)
                if chain is None or step >= len(chain.strikes()) or not chain.trades_on(day):
                    return None
                return self._option(chain, day, step, sign)
            case _:
                return None

    def details(self, instrument: Instrument, exchange: str = "") -> ContractDetails:
        """Return fresh ContractDetails as of ``today``; ``exchange`` is the route asked for (contract.exchange)."""
        return details(instrument, self.today, exchange)

    def search(self, pattern: str) -> list[ContractDescription]:
        """Return up to 16 stocks, indices, funds and futures' roots for a symbol search.

        Symbols equal to ``pattern`` come first, then symbols that begin with it, then names that hold it.
        """
        text = pattern.strip().upper()
        if not text:
            return []
        ranked: list[tuple[int, int, Instrument]] = []
        for place, instrument in enumerate(_spots().values()):
            if instrument.sec_type in ("CFD", "BOND"):
                continue
            symbol, name = instrument.contract.symbol, instrument.listing.long_name.upper()
            rank = 0 if symbol == text else 1 if symbol.startswith(text) else 2 if text in name else 3
            if rank < 3:
                ranked.append((rank, place, instrument))
        return [
            ContractDescription(Contract.recreate(instrument.contract), self._derivatives(instrument))
            for _, _, instrument in sorted(ranked, key=lambda row: row[:2])[:SEARCH_LIMIT]
        ]

    def chains(self, underlying: Instrument, exchange: str = "") -> list[OptionChain]:
        """Return the option chains on ``underlying``: a row for each trading class and exchange, from today on.

        ``exchange`` restricts the rows (reqSecDefOptParams' futFopExchange); for a future, the chains whose
        underlying is that very contract.
        """
        found = []
        for chain in options.chains().values():
            days: dict[str, list[str]] = {}
            for day in chain.expirations(self.today):
                if self._underlying(chain, day) is underlying:
                    days.setdefault(options.trading_class(chain, day), []).append(f"{day:%Y%m%d}")
            for trading_class, expirations in days.items():
                for venue in chain.exchanges if chain.sec_type == "OPT" else chain.exchanges[:1]:
                    if exchange in ("", venue):
                        found.append(
                            OptionChain(
                                venue, underlying.con_id, trading_class, chain.multiplier, expirations, chain.strikes()
                            )
                        )
        return found

    def market_rule(self, rule_id: int) -> list[PriceIncrement] | None:
        """Return the increments of a market rule; None when there is no such rule."""
        rule = rules.RULES.get(rule_id)
        return rule.increments if rule else None

    def root_key(self, symbol: str) -> str | None:
        """Return the name of the price that ``symbol`` hangs on (SPY and ES: SPX); None for an unknown symbol."""
        symbol = symbol.upper()
        for instrument in _spots().values():
            if symbol == instrument.contract.symbol and instrument.sec_type != "CASH":
                pricing = instrument.pricing
                if isinstance(pricing, Spot):
                    return pricing.root.key
        for product in futures.products():
            if product.symbol == symbol:
                return product.root.key
        try:
            return root(symbol).key
        except KeyError:
            return None

    # -- candidates ---------------------------------------------------------------------------------------------

    def _by_id(self, contract: Contract, want: Wanted) -> list[Instrument]:
        instrument = self.by_con_id(contract.conId)
        if instrument is None or not self._listed(instrument, contract.includeExpired):
            return []
        if contract.secType == "CONTFUT" and instrument.sec_type == "FUT":
            instrument = self._continuous(futures.of(instrument), instrument)
        if contract.secType and contract.secType != instrument.sec_type:
            return []
        return [instrument] if not want.exchange or want.exchange in instrument.routes else []

    def _listed(self, instrument: Instrument, expired_too: bool) -> bool:
        """Tell whether the instrument is alive on ``today`` (or lately expired, when that is wanted)."""
        if instrument.expiry is None:
            return True
        tonight = datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC) + timedelta(days=1)
        oldest = self.today
        if expired_too and instrument.sec_type == "FUT":
            oldest -= timedelta(days=futures.EXPIRED_DAYS)
        return oldest <= instrument.expiry and instrument.listed <= tonight.timestamp()

    def _futures(self, want: Wanted, expired_too: bool, continuous: bool) -> Iterator[Instrument]:
        if not (want.symbol or want.local_symbol or want.trading_class):
            return
        for product in futures.products():
            if want.symbol not in ("", product.symbol) or not want.local_symbol.startswith(
                product.trading_class if want.local_symbol else ""
            ):
                continue
            if continuous:
                yield self._continuous(product, self._future(product, *product.front(self.today)[:2]))
                continue
            months = product.listed_months(self.today)
            for year, month, last in (product.expired_months(self.today) if expired_too else []) + months:
                if want.expiry(last, f"{year}{month:02}"):
                    yield self._future(product, year, month)

    def _options(self, kind: str, want: Wanted) -> Iterator[Instrument]:
        if not (want.symbol or want.local_symbol):
            return
        for chain in options.chains().values():
            if chain.sec_type != kind or want.symbol not in ("", chain.symbol):
                continue
            if want.local_symbol and not want.local_symbol.startswith(chain.trading_class):
                continue
            if want.strike is None:
                steps: list[int] = list(range(len(chain.strikes())))
            else:
                step = chain.step_of(want.strike)
                steps = [] if step is None else [step]
            for day in chain.expirations(self.today):
                if not want.expiry(day, f"{day:%Y%m}") or not _names_day(want.local_symbol, kind, day):
                    continue
                for step in steps:
                    for sign in (1, -1):
                        if want.sign in (None, sign):
                            yield self._option(chain, day, step, sign)

    def _bags(self, contract: Contract) -> list[Instrument]:
        legs: list[tuple[Instrument, int]] = []
        for leg in contract.comboLegs:
            instrument = self.by_con_id(leg.conId)
            if instrument is None or leg.ratio <= 0 or not self._listed(instrument, False):
                return []
            legs.append((instrument, leg.ratio if leg.action.upper().startswith("B") else -leg.ratio))
        if not legs:
            return []
        key = ("BAG", contract.symbol, contract.exchange, *((i.con_id, ratio) for i, ratio in legs))
        return [self._keep(key, lambda: bag(contract, tuple(legs)))]

    # -- making contracts, one object each -----------------------------------------------------------------------

    def _keep(self, key: tuple[object, ...], make: Callable[[], Instrument]) -> Instrument:
        instrument = self._made.get(key)
        if instrument is None:
            instrument = self._made[key] = make()
        self._recent[key] = instrument
        self._recent.move_to_end(key)
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return instrument

    def _future(self, product: futures.Product, year: int, month: int) -> Instrument:
        return self._keep(
            ("FUT", product.number, year, month),
            lambda: futures.future(product, year, month, self._index(product.under)),
        )

    def _continuous(self, product: futures.Product, front: Instrument) -> Instrument:
        return self._keep(("CONTFUT", front.con_id), lambda: futures.continuous(product, front))

    def _option(self, chain: options.Chain, day: date, step: int, sign: int) -> Instrument:
        return self._keep(
            ("OPT", chain.number, day, step, sign),
            lambda: options.option(chain, day, step, sign, self._underlying(chain, day)),
        )

    def _underlying(self, chain: options.Chain, day: date) -> Instrument:
        kind, symbol = chain.under_key.split(" ", 1)
        if kind == "FUT":
            product = next(p for p in futures.products() if p.symbol == symbol)
            year, month, _ = next(expiries.months(product.months, day, 1, product.rule))
            return self._future(product, year, month)
        return _home(kind, symbol)

    @staticmethod
    def _index(symbol: str) -> Instrument | None:
        return _home("IND", symbol) if symbol else None

    def _derivatives(self, instrument: Instrument) -> list[str]:
        symbol, kind = instrument.contract.symbol, instrument.sec_type
        key = f"{kind} {symbol}"
        found = []
        if any(i.sec_type == "CFD" and i.underlying is instrument for i in _spots().values()):
            found.append("CFD")
        if any(c.under_key == key for c in options.chains().values()) and instrument is _home(kind, symbol):
            found.append("OPT")
        if kind == "IND" and any(p.under == symbol for p in futures.products()):
            found.append("FUT")
        return [*found, "BAG"] if found else []


@cache
def _home(kind: str, symbol: str) -> Instrument:
    """The first row of a kind and symbol: the home listing."""
    return next(i for i in _spots().values() if i.sec_type == kind and i.contract.symbol == symbol)


def _names_day(local_symbol: str, kind: str, day: date) -> bool:
    """Tell whether an OCC symbol (``MSFT  201218C00215000``) may name ``day``; spares making the whole chain."""
    return not local_symbol or kind != "OPT" or f"{day:%y%m%d}" in local_symbol
