"""How the clients are judged: one function a capability, which asks, and looks whether the answers agree.

A check returns a line of detail or raises; what the client complained about meanwhile is a failure as well.
Standard library only.
"""
