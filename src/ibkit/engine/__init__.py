"""What the client knows: messages in, state and finished calls and events out.

One ``Engine`` serves one connection; the ``State`` outlives it. Pure: no socket, no thread, no asyncio, and
``now`` is an argument. ``ibkit.hosts.contract.Engine`` says how it is driven.
"""
