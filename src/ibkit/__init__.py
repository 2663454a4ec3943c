"""ibkit: trade from Python through Interactive Brokers' TWS and IB Gateway."""
