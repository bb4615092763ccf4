"""A phone's radio on bumble's own host, for the band of the controller that listens at the port of the first argument.

A second implementation of GATT from the one that the band runs on. It scans, connects, exchanges the MTU (the second argument), reads what the
band says of itself, subscribes, and prints one line of JSON, {"mtu": ..., "info": hex}. Then each line of its standard input is written to the
band without response, and each notification is printed as a line, both in hexadecimal. It ends with its input, or with the connection.

The third argument says what it does about Bluetooth's own security, LE Secure Connections that "just work": "none"; "before" it looks at the band, it
pairs and encrypts; "beside" the link, it does so while the first of what is written is under way, and writes the rest when that has come to an
end; "vain", likewise, and does not wait for the end. How it came out is a line of JSON, {"security": ...}.
"""

import asyncio
import json
import os
import sys

from bumble.core import UUID, AdvertisingData, ProtocolError
from bumble.device import Device, Peer
from bumble.hci import Address
from bumble.pairing import PairingConfig
from bumble.transport import open_transport

SERVICE, WRITES, NOTIFICATIONS, INFO = (UUID(f"d7ef000{n}-59ed-4fc6-ac98-50c4ee8b05bc") for n in range(1, 5))


async def find(device):
    found = asyncio.get_running_loop().create_future()

    def sees(advertisement):
        services = advertisement.data.get(AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS) or []
        if SERVICE in services and not found.done():
            found.set_result(advertisement.address)

    device.on("advertisement", sees)
    await device.start_scanning()
    address = await found
    await device.stop_scanning()
    return address


def say(line):
    print(line, flush=True)


async def secure(connection):
    """Says how it came out."""
    try:
        await connection.pair()
        outcome = "encrypted" if connection.is_encrypted else "paired"
    except ProtocolError as error:
        outcome = f"refused: {error.error_name}"
    except asyncio.CancelledError:
        # The connection ended before.
        outcome = "unanswered"
    say(json.dumps({"security": outcome}))


def end(secured):
    if secured and not secured.done():
        say(json.dumps({"security": "unanswered"}))
    os._exit(0)


async def main(port, mtu, security):
    transport = await open_transport(f"tcp-client:127.0.0.1:{port}")
    device = Device.with_hci("phone", Address("C0:11:22:33:44:55"), transport.source, transport.sink)
    device.pairing_config_factory = lambda _: PairingConfig(sc=True, mitm=False, bonding=False)
    await device.power_on()
    connection = await device.connect(await find(device))
    over = asyncio.Event()
    connection.on("disconnection", lambda _: over.set())
    secured = asyncio.create_task(secure(connection)) if security == "before" else None
    if secured:
        await secured
    peer = Peer(connection)
    mtu = await peer.request_mtu(mtu) if mtu > 23 else 23
    (service,) = await peer.discover_service(SERVICE)
    await peer.discover_characteristics(service=service)
    writes, notifications, info = (
        peer.get_characteristics_by_uuid(uuid, service)[0] for uuid in (WRITES, NOTIFICATIONS, INFO)
    )
    ready = json.dumps({"mtu": mtu, "info": (await info.read_value()).hex()})
    # The band speaks as soon as it is subscribed to: what it says comes after the line that says so.
    early = []
    hears = [early.append]
    await peer.subscribe(notifications, lambda value: hears[0](bytes(value)))
    say(ready)
    for value in early:
        say(value.hex())
    hears[0] = lambda value: say(value.hex())
    if security in ("beside", "vain"):
        secured = asyncio.create_task(secure(connection))

    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    ended = asyncio.create_task(over.wait())
    while True:
        line = asyncio.create_task(lines.readline())
        await asyncio.wait({line, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            end(secured)
        text = line.result().strip()
        if not text:
            break
        await writes.write_value(bytes.fromhex(text.decode()), with_response=False)
        if security == "beside":
            await secured
    # Where the band has just ended it, bumble waits for an event that has been: it is enough that the connection is over.
    ending = asyncio.create_task(connection.disconnect())
    await ended
    end(secured)


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
