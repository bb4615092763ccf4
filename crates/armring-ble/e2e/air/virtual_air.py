"""Virtual Bluetooth LE controllers on one virtual air, each behind a TCP port of its own on loopback (HCI, H4).

Prints one line of JSON, {"ports": [...]}, when all listen, and exits when its standard input is closed, so that it cannot outlive
the test that started it. With a second argument, all that goes over the HCI of controller n is written to that path with ".n" at its end, as
btsnoop. A host that closes its socket is out of reach: its peer sees a supervision timeout.
"""

import asyncio
import json
import os
import socket
import sys

from bumble import hci, ll
from bumble.controller import Controller
from bumble.link import LocalLink
from bumble.snoop import BtSnooper, Snooper
from bumble.transport.common import StreamPacketSource

# Payload of an ACL packet towards a host, in bytes: what one link-layer packet carries.
ACL_LENGTH = 251


class Air(LocalLink):
    """Carries data under the address that the connection was made with, not under whichever the sender has now."""

    def send_acl_data(self, sender_controller, destination_address, transport, data):
        connection = sender_controller.le_connections.get(destination_address)
        destination = self.find_le_controller(destination_address)
        if connection is not None and destination is not None:
            address = connection.self_address
            asyncio.get_running_loop().call_soon(destination.on_link_acl_data, address, transport, data)


class VirtualController(Controller):
    le_acl_data_packet_length = ACL_LENGTH
    acl_data_packet_length = ACL_LENGTH

    def on_link_acl_data(self, sender, transport, data):
        connection = self.le_connections.get(sender)
        if connection is None:
            return
        for offset in range(0, len(data), ACL_LENGTH):
            part = data[offset : offset + ACL_LENGTH]
            boundary = 2 if offset == 0 else 1
            self.send_hci_packet(hci.HCI_AclDataPacket(connection.handle, boundary, 0, len(part), part))

    def on_hci_le_set_random_address_command(self, command):
        """Not while it advertises, as in real ones (Bluetooth Core 6.0, Vol 4, Part E, 7.8.4)."""
        if self.le_legacy_advertiser.enabled:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        return super().on_hci_le_set_random_address_command(command)

    def create_le_connection(self, peer_address):
        super().create_le_connection(peer_address)
        asyncio.get_running_loop().call_soon(self.establish, peer_address)

    def establish(self, peer_address):
        """Ends a connection to a peer that has stopped advertising in the meantime."""
        connection = self.le_connections.get(peer_address)
        peer = self.link.find_le_controller(peer_address)
        if connection and not (peer and connection.self_address in peer.le_connections):
            self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR)

    def send_advertising_pdu(self, packet):
        """Sends the scan response's data as well, which bumble's controller keeps to itself."""
        super().send_advertising_pdu(packet)
        response = bytes(self.le_legacy_advertiser.scan_response_data).rstrip(b"\0")
        if isinstance(packet, ll.AdvInd) and response:
            super().send_advertising_pdu(ll.AdvInd(packet.advertiser_address, response))

    def host_gone(self):
        self.le_legacy_advertiser.stop()
        for advertising_set in self.advertising_sets.values():
            advertising_set.stop()
        self.pending_le_connection = None
        self.le_scan_enable = 0
        for connection in list(self.le_connections.values()):
            peer = self.link.find_le_controller(connection.peer_address)
            del self.le_connections[connection.peer_address]
            theirs = peer and peer.le_connections.get(connection.self_address)
            if theirs:
                peer.on_le_disconnected(theirs, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)


class Host(asyncio.Protocol):
    """The other end of a controller's HCI. A new one takes the place of the old one."""

    def __init__(self, controller, snooper):
        self.controller = controller
        self.snooper = snooper
        self.source = StreamPacketSource()
        self.source.set_packet_sink(Commands(controller, snooper))

    def connection_made(self, transport):
        self.transport = transport
        if self.controller.host is not None:
            self.controller.host.transport.abort()
            self.controller.host_gone()
        self.controller.host = self

    def data_received(self, data):
        if self.controller.host is self:
            self.source.data_received(data)

    def on_packet(self, packet):
        if self.snooper:
            self.snooper.snoop(packet, Snooper.Direction.CONTROLLER_TO_HOST)
        if not self.transport.is_closing():
            self.transport.write(packet)

    def connection_lost(self, _):
        if self.controller.host is self:
            self.controller.host = None
            self.controller.host_gone()


class Commands:
    """What goes from a host to its controller."""

    def __init__(self, controller, snooper):
        self.controller = controller
        self.snooper = snooper

    def on_packet(self, packet):
        if self.snooper:
            self.snooper.snoop(packet, Snooper.Direction.HOST_TO_CONTROLLER)
        self.controller.on_packet(packet)


async def main(count, snoop):
    loop, air, ports = asyncio.get_running_loop(), Air(), []
    for index in range(count):
        # With the protocol named, asyncio sets TCP_NODELAY; without it, each answer waits for 40 ms.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        controller = VirtualController(f"C{index}", link=air, public_address=f"F0:F1:F2:F3:F4:{index:02X}")
        controller.host = None
        # Unbuffered: whoever reads it reads all that has gone so far.
        snooper = BtSnooper(open(f"{snoop}.{index}", "wb", buffering=0)) if snoop else None
        await loop.create_server(lambda controller=controller, snooper=snooper: Host(controller, snooper), sock=listening)
        ports.append(listening.getsockname()[1])
    print(json.dumps({"ports": ports}), flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
