"""Values that the connected server is too old or too new for, where the table of messages knows no version for them.

Refused here, as IB's own client refuses them, before anything is sent; fields that need a version are refused by the
wire. Must not know how a request is answered.
"""

from __future__ import annotations

from typing import Final

from ibkit.errors import InvalidRequest, UnsupportedField
from ibkit.wire import messages as m

SCHEDULE_SINCE: Final = 165
FA_PROFILES: Final = 2
NO_FA_PROFILES: Final = 177
"""The server version from which on there are no profiles."""


def check(message: m.Request, version: int) -> None:
    """Raise UnsupportedField or InvalidRequest for a value the server has no use for."""
    match message:
        case m.ReqHistoricalData(whatToShow=what) if what == "SCHEDULE" and version < SCHEDULE_SINCE:
            raise UnsupportedField("whatToShow SCHEDULE", SCHEDULE_SINCE, version)
        case m.ReqFa(faData=kind) | m.ReplaceFa(faData=kind) if kind == FA_PROFILES:
            if version >= NO_FA_PROFILES:
                raise InvalidRequest(
                    f"faDataType {FA_PROFILES}, profiles, ended with server version {NO_FA_PROFILES - 1}, but the "
                    f"connected one has {version}: use groups, faDataType 1"
                )
