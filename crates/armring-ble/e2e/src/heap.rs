//! Packets of a size that a test chooses: what a stack offers in an MTU exchange is that of its packet pool.

use trouble_host::{Packet, PacketPool};

/// A pool on the heap, whose packets have `MTU` bytes: those of ATT, and 4 of L2CAP.
pub struct Heap<const MTU: usize>;

pub struct Boxed(Box<[u8]>);

impl AsRef<[u8]> for Boxed {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsMut<[u8]> for Boxed {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Packet for Boxed {}

impl<const MTU: usize> PacketPool for Heap<MTU> {
    type Packet = Boxed;
    const MTU: usize = MTU;

    fn allocate() -> Option<Boxed> {
        Some(Boxed(vec![0; MTU].into()))
    }

    fn capacity() -> usize {
        64
    }
}
