"""The simulated broker: orders, fills, fees and accounts; pure, single-threaded, time is an argument."""
