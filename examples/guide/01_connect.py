"""Connect to TWS, IB Gateway or `ibkit paper`.

`connect()` without arguments goes to 127.0.0.1, port 7497, client id 1; the environment variables IBKIT_HOST,
IBKIT_PORT and IBKIT_CLIENT_ID stand in for arguments that are not given.
"""

from ibkit import *

util.startLoop()  # not needed anywhere, harmless everywhere

ib = IB()
ib.connect()
print("connected:", ib)
print("accounts:", ib.managedAccounts())
print("time at the broker:", ib.reqCurrentTime())
ib.disconnect()

# Host, port and client id can be given, too. Each program connects with a client id of its own.
ib.connect(clientId=12)
print("connected:", ib)

# A second connection with the same client id is refused, at once and by name.
try:
    IB().connect(clientId=12)
except ClientIdInUse as error:
    print("refused:", error)

ib.disconnect()
print("disconnected:", ib)
