"""A phone's radio on bumble's own host, for the band of the controller that listens at the port of the first argument.

A second implementation of GATT from the one that the band runs on. It scans, connects, exchanges the MTU (the second argument), reads what the
band says of itself, subscribes, and prints one line of JSON, {"mtu": ..., "info": hex}. Then each line of its standard input is written to the
band without response, and each notification is printed as a line, both in hexadecimal. It ends with its input, or with the connection.
"""

import asyncio
import json
import os
import sys

from bumble.core import UUID, AdvertisingData
from bumble.device import Device, Peer
from bumble.hci import Address
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


async def main(port, mtu):
    transport = await open_transport(f"tcp-client:127.0.0.1:{port}")
    device = Device.with_hci("phone", Address("C0:11:22:33:44:55"), transport.source, transport.sink)
    await device.power_on()
    connection = await device.connect(await find(device))
    over = asyncio.Event()
    connection.on("disconnection", lambda _: over.set())
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

    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    ended = asyncio.create_task(over.wait())
    while True:
        line = asyncio.create_task(lines.readline())
        await asyncio.wait({line, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            os._exit(0)
        text = line.result().strip()
        if not text:
            break
        await writes.write_value(bytes.fromhex(text.decode()), with_response=False)
    # Where the band has just ended it, bumble waits for an event that has been: it is enough that the connection is over.
    ending = asyncio.create_task(connection.disconnect())
    await ended
    os._exit(0)


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
