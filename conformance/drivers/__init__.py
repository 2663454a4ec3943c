"""Foreign clients behind one interface (``api.Api``), each in the environment where it lives. Standard library only."""
