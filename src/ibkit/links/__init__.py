"""Where bytes come from and go to: a socket, or memory.

A link never waits; ``ibkit.hosts.contract.Link`` says what it promises. Must not know what the bytes mean.
"""
