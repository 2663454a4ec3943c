"""The settings of the simulated TWS: what REQ_CONFIG tells and UPDATE_CONFIG changes.

They are kept and told again; the gateway itself is set up by its own arguments. Must not know sessions.
"""

from __future__ import annotations

import dataclasses

from ibkit.model import TwsConfig, UpdateConfigResult
from ibkit.model.base import Record
from ibkit.model.config import (
    ApiConfig,
    ApiPrecautionsConfig,
    ApiSettingsConfig,
    LockAndExitConfig,
    OrdersConfig,
    OrdersSmartRoutingConfig,
)


class Configuration:
    """One set of settings, shared by all clients."""

    def __init__(self) -> None:
        self._config = TwsConfig(
            lockAndExit=LockAndExitConfig(autoLogoffTime="23:45", autoLogoffPeriod="DAILY", autoLogoffType="RESTART"),
            api=ApiConfig(
                precautions=ApiPrecautionsConfig(bypassOrderPrecautions=True, bypassRedirectOrderWarning=True),
                settings=ApiSettingsConfig(
                    readOnlyApi=False,
                    downloadOpenOrdersOnConnection=False,
                    sendMarketDataInLotsForUsStocks=False,
                    rejectMessagesAboveMaxRate=False,
                    sendInstrumentTimezone="instrument",
                    maintainAndResubmitOrdersOnReconnect=False,
                    allowLocalhostOnly=True,
                    trustedIPs=["127.0.0.1"],
                ),
            ),
            orders=OrdersConfig(smartRouting=OrdersSmartRoutingConfig(seekPriceImprovement=False)),
        )

    def read(self) -> TwsConfig:
        """Return the settings."""
        return self._config

    def update(self, changes: TwsConfig) -> UpdateConfigResult:
        """Take over what ``changes`` says; None and empty lists leave things as they are."""
        changed: list[str] = []
        _merge(self._config, changes, "", changed)
        return UpdateConfigResult(status="success", message="", changedFields=changed)


def _merge(own: Record, new: Record, path: str, changed: list[str]) -> None:
    for field in dataclasses.fields(own):  # type: ignore[arg-type]  # every Record is a dataclass
        value = getattr(new, field.name)
        before = getattr(own, field.name)
        where = f"{path}{field.name}"
        if value is None or value == []:
            continue
        if isinstance(value, Record) and isinstance(before, Record):
            _merge(before, value, f"{where}.", changed)
        elif value != before:
            setattr(own, field.name, value)
            changed.append(where)
