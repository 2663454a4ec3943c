"""What a request returns that got no answer in time when the user wants no errors (``RaiseRequestErrors = False``).

Must not know any request.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import TypeVar

from ibkit.engine.call import Call, converse
from ibkit.engine.core import Engine
from ibkit.errors import RequestTimeout

logger = logging.getLogger("ibkit.ib")

T = TypeVar("T")
U = TypeVar("U")


def or_else(engine: Engine, call: Call[T], otherwise: U) -> Call[T | U]:
    """Return a call that gives ``otherwise`` when ``call`` times out and the user wants no errors."""

    def conversation() -> Generator[Call[T], T, T | U]:
        try:
            return (yield call)
        except RequestTimeout as error:
            if engine.settings.RaiseRequestErrors:
                raise
            logger.warning("%s", error)
            return otherwise

    return converse(conversation(), call.name)
