"""Operators on events: an operator listens to a source and is itself an event.

Must not know anything but events.
"""

from __future__ import annotations

from typing import Any

from ibkit.events import Event, _Sink


class Op(_Sink):
    """An event that is fed by another one; override ``on_source`` to make your own operator.

    A chain of operators lives as long as its source does. When the source ends, so does the operator.
    """

    def __init__(self, source: Event | None = None) -> None:
        super().__init__(type(self).__name__)
        self._source: Event | None = None
        if source is not None:
            self.set_source(source)

    def set_source(self, source: Event) -> None:
        """Take input from ``source``; a first source of a chain of operators is set at its beginning."""
        if isinstance(self._source, Op):
            self._source.set_source(source)
            return
        if self._source is not None:
            self._disconnect_from(self._source)
        self._source = source
        if source.done():
            self.on_source_done(source)
        else:
            source.connect(self.on_source, self.on_source_error, self.on_source_done, keep_ref=True)

    def on_source(self, *args: Any) -> None:
        """Take one emission of the source."""
        self.emit(*args)

    def on_source_error(self, source: Event, error: BaseException) -> None:
        """Take an error of the source."""
        self.error_event.emit(source, error)

    def on_source_done(self, source: Event) -> None:
        """Take the end of the source."""
        self._disconnect_from(source)
        self._source = None
        self.set_done()

    def _disconnect_from(self, source: Event) -> None:
        source.disconnect(self.on_source, self.on_source_error, self.on_source_done)
