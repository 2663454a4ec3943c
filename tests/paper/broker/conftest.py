"""Every store that a test opens is closed at its end, also those of brokers that were "killed"."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ibkit.paper.broker.store import Store


@pytest.fixture(autouse=True)
def stores_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    opened: list[Store] = []
    begin = Store.__init__

    def note(self: Store, path: str) -> None:
        begin(self, path)
        opened.append(self)

    monkeypatch.setattr(Store, "__init__", note)
    yield
    for store in opened:
        store.close()
