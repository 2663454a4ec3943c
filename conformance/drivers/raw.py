"""Clients with callbacks behind ``api.Api``: system and reference data; market data, orders and accounts are beside."""

from __future__ import annotations

from typing import Any

from conformance.drivers.api import Chain, Contract, Details, Fields, number
from conformance.drivers.wire import Wire, harmless


def contract_of(found: Any) -> Contract:
    """Return a contract of the client as ours."""
    return Contract(
        int(found.conId or 0),
        found.symbol or "",
        found.secType or "",
        found.exchange or "",
        found.currency or "",
        found.localSymbol or "",
        found.tradingClass or "",
        number(found.multiplier),
        number(found.strike),
        found.right or "",
        found.lastTradeDateOrContractMonth or "",
    )


class RawBase:
    """The connection: ids, asking and waiting."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.events = wire.events
        self.name = wire.name
        self._next_req = 1000
        self._orders: dict[int, tuple[Any, Any]] = {}
        self._expected: set[int] = set()
        self._refused: set[int] = set()  # requests whose refusal was waited for
        self._read = 0  # how far the complaints have been looked through
        self._next_order = int(self.events.wait("nextValidId", 0)[0])
        accounts = self.events.wait("managedAccounts", 0)[0]
        self.account = str(accounts).split(",")[0]
        self.version = wire.version()

    def req(self) -> int:
        """Return a new request id."""
        self._next_req += 1
        return self._next_req

    def contract(self, fields: Fields) -> Any:
        """Return the client's contract for fields."""
        legs = fields.get("comboLegs")
        if legs:
            fields = {**fields, "comboLegs": [self.wire.make("ComboLeg", **leg) for leg in legs]}
        return self.wire.make("Contract", **fields)

    def ask(self, call: str, *args: Any) -> int:
        """Call a request whose first argument is a new id; return the id."""
        req_id = self.req()
        self.wire.call(call, req_id, *args)
        return req_id

    def one(self, callback: str, call: str, *args: Any) -> tuple[Any, ...]:
        """Ask and return the one answer."""
        mark = self.events.mark()
        return self.events.wait(callback, mark, self.ask(call, *args))

    def many(self, callback: str, end: str, call: str, *args: Any, cancel: str = "") -> list[tuple[Any, ...]]:
        """Ask and return the answers until the end."""
        mark = self.events.mark()
        req_id = self.ask(call, *args)
        self.events.wait(end, mark, req_id)
        if cancel:
            self.wire.call(cancel, req_id)
        return self.events.all(callback, mark, req_id)

    def plain(self, callback: str, call: str, *args: Any) -> tuple[Any, ...]:
        """Call a request without an id and return the answer."""
        mark = self.events.mark()
        self.wire.call(call, *args)
        return self.events.wait(callback, mark, about=-1)

    # -- complaints -------------------------------------------------------------------------------------------------

    def expect(self, *codes: int) -> None:
        """Take errors of these codes for granted until the complaints are asked for."""
        self._expected |= set(codes)

    def complaints(self) -> list[str]:
        """Return the errors that nobody waited for since the last look, and what the client could not read."""
        rows = [row for row in self.events.since(self._read) if row.name in ("error", "trouble")]
        self._read = self.events.mark()
        expected, self._expected = self._expected, set()
        return [
            f"error {row.args[1]} of {row.args[0]}: {row.args[2]}" if row.name == "error" else f"dropped: {row.args[0]}"
            for row in rows
            if row.name == "trouble" or not (row.args[1] in expected or harmless(*row.args[1:]))
        ]

    def close(self) -> None:
        """Hang up."""
        self.wire.close()


class RawSystem(RawBase):
    """The gateway itself."""

    def accounts(self) -> list[str]:
        return [name for name in str(self.plain("managedAccounts", "reqManagedAccts")[0]).split(",") if name]

    def current_time(self) -> float:
        return float(self.plain("currentTime", "reqCurrentTime")[0])

    def current_millis(self) -> float:
        return float(self.plain("currentTimeInMillis", "reqCurrentTimeInMillis")[0])

    def next_id(self) -> int:
        return int(self.plain("nextValidId", "reqIds", 1)[0])

    def log_level(self, level: int) -> None:
        self.wire.call("setServerLogLevel", level)

    def verify(self) -> str:
        second = self.wire.again(20, verify=True)  # it comes before the start of a connection
        try:
            second.call("verifyRequest", "conformance", "1.0")
            data = second.events.wait("verifyMessageAPI", 0)[0]
            second.call("verifyMessage", "answer")
            ok, text = second.events.wait("verifyCompleted", 0)
            second.call("startApi")
            second.events.wait("nextValidId", 0)
        finally:
            second.close()
        return f"{data!r}, {ok}, {text!r}"

    def config(self) -> str:
        told = self.one("configResponseProtoBuf", "reqConfig")[1]
        mark = self.events.mark()
        req_id = self.req()
        self.wire.call("updateConfig", req_id, told)
        answer = self.events.wait("updateConfigResponseProtoBuf", mark, req_id)[1]
        return f"{len(str(told))} characters of configuration, put back: {answer.status}"

    def user_info(self) -> str:
        return str(self.one("userInfo", "reqUserInfo")[-1])

    def refused_id(self, client_id: int) -> str:
        """Connect with an id that is in use; return what the gateway says, and see that it hangs up."""
        second = self.wire.again(client_id)
        try:
            text = second.events.wait("error", 0, where=lambda req_id, code, text: code == 326)[2]
            hung_up = ("connectionClosed", "disconnected")
            second.events.until(lambda rows: any(row.name in hung_up for row in rows), 0, "the end of the connection")
            return str(text)
        finally:
            second.close()


class RawReference(RawSystem):
    """What does not change during a day."""

    def details(self, contract: Fields) -> list[Details]:
        bond = contract.get("secType") == "BOND"
        callback = "bondContractDetails" if bond else "contractDetails"
        rows = self.many(callback, "contractDetailsEnd", "reqContractDetails", self.contract(contract))
        return [self._details(row[1]) for row in rows]

    def _details(self, found: Any) -> Details:
        return Details(
            contract_of(found.contract),
            number(found.minTick),
            [name for name in (found.validExchanges or "").split(",") if name],
            [int(rule) for rule in str(found.marketRuleIds or "").split(",") if rule],
            found.longName or "",
            found.timeZoneId or "",
            found.tradingHours or "",
            found.orderTypes or "",
        )

    def chains(self, symbol: str, exchange: str, sec_type: str, con_id: int) -> list[Chain]:
        callback = "securityDefinitionOptionParameter"
        rows = self.many(callback, callback + "End", "reqSecDefOptParams", symbol, exchange, sec_type, con_id)
        return [
            Chain(row[1], row[3], float(row[4]), sorted(row[5]), sorted(float(strike) for strike in row[6]))
            for row in rows
        ]

    def symbols(self, pattern: str) -> list[Contract]:
        return [contract_of(row.contract) for row in self.one("symbolSamples", "reqMatchingSymbols", pattern)[1]]

    def rule(self, rule_id: int) -> list[tuple[float, float]]:
        rows = self.plain("marketRule", "reqMarketRule", rule_id)[1]
        return [(float(row.lowEdge), float(row.increment)) for row in rows]

    def components(self, exchange: str) -> list[tuple[str, str]]:
        found = self.one("smartComponents", "reqSmartComponents", exchange)[1]
        if isinstance(found, dict):  # the official client in protobuf
            found = list(found.values())
        if found and isinstance(found[0], list):  # a map in JSON: number, [exchange, letter]
            found = [tuple(row[1]) for row in found]
        if found and isinstance(found[0], tuple):
            return [(exchange, letter) for exchange, letter in found]
        return [(row.exchange, row.exchangeLetter) for row in found]

    def depth_exchanges(self) -> list[str]:
        return [row.exchange for row in self.plain("mktDepthExchanges", "reqMktDepthExchanges")[0]]

    def tiers(self) -> list[str]:
        return [row.name for row in self.one("softDollarTiers", "reqSoftDollarTiers")[1]]

    def families(self) -> list[str]:
        return [row.accountID for row in self.plain("familyCodes", "reqFamilyCodes")[0]]

    # -- news and the rest ------------------------------------------------------------------------------------------

    def providers(self) -> list[str]:
        rows = self.plain("newsProviders", "reqNewsProviders")[0]
        return [getattr(row, "code", None) or row.providerCode for row in rows]

    def headlines(self, con_id: int, providers: str, count: int) -> list[tuple[str, str, str]]:
        args = (con_id, providers, "", "", count)
        rows = self.many("historicalNews", "historicalNewsEnd", "reqHistoricalNews", *args)
        return [(row[1], row[3], row[4]) for row in rows]

    def article(self, provider: str, article_id: str) -> str:
        return str(self.one("newsArticle", "reqNewsArticle", provider, article_id)[2])

    def bulletin(self) -> str:
        text = str(self.plain("updateNewsBulletin", "reqNewsBulletins", True)[2])
        self.wire.call("cancelNewsBulletins")
        return text

    def scan(self, **subscription: Any) -> list[tuple[int, Contract]]:
        wanted = self.wire.make("ScannerSubscription", **subscription)
        cancel = "cancelScannerSubscription"
        rows = self.many("scannerData", "scannerDataEnd", "reqScannerSubscription", wanted, cancel=cancel)
        return [(int(row[1]), contract_of(row[2].contract)) for row in rows]

    def scan_parameters(self) -> str:
        return str(self.plain("scannerParameters", "reqScannerParameters")[0])

    def fundamentals(self, contract: Fields, report: str) -> str:
        return str(self.one("fundamentalData", "reqFundamentalData", self.contract(contract), report)[1])

    def events_of(self, con_id: int) -> tuple[str, str]:
        """Return the calendar's meta data and the events of a contract, as JSON."""
        mark = self.events.mark()
        meta = self.ask("reqWshMetaData")
        data = str(self.events.wait("wshMetaData", mark, meta)[1])
        wanted = con_id if self.name == "stoqey" else self.wire.make("WshEventData", conId=con_id)
        found = str(self.one("wshEventData", "reqWshEventData", wanted)[1])
        self.wire.call("cancelWshMetaData", meta)
        return data, found

    def groups(self, contract_info: str) -> tuple[str, str]:
        listed = str(self.one("displayGroupList", "queryDisplayGroups")[1])
        mark = self.events.mark()
        group = self.ask("subscribeToGroupEvents", 1)
        self.events.wait("displayGroupUpdated", mark, group)
        mark = self.events.mark()
        self.wire.call("updateDisplayGroup", group, contract_info)
        shown = str(self.events.wait("displayGroupUpdated", mark, group)[1])
        self.wire.call("unsubscribeFromGroupEvents", group)
        return listed, shown

    def advisor(self) -> str:
        return str(self.plain("receiveFA", "requestFA", 1)[1])
