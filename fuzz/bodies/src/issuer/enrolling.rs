//! A band that enrols with the service.

use armring_channel::{Channel, Opened};
use armring_pairing::{Enrol, EnrolVersions, PublicKey, SoftwareKey};
use armring_token::{Credential, Enrolment, Payment, Unverified};
use armring_wire::records::enrol::{EnrolToBand, EnrolToIssuer};
use armring_wire::records::issuer::{FromIssuer, ToIssuer};
use armring_wire::records::{Assurance, RELAY_MAX};
use armring_wire::{EnrolmentCode, Opaque, VersionRange, decode_record, encode};
use rand_core::TryRng;

use super::scene::World;
use crate::cast;

/// Handshake and request of a band with the payment key of `seed`; `alter` is given each message on its way.
pub(super) fn enrol(
    world: &mut World,
    code: EnrolmentCode,
    seed: u8,
    assurance: Assurance,
    mut alter: impl FnMut(&mut Vec<u8>),
) -> Option<Credential> {
    let mut identity = [0; 32];
    world.rng().try_fill_bytes(&mut identity).ok()?;
    let identity = SoftwareKey::new(identity);
    let issuer = PublicKey::new(world.list().enrolment_key(cast::NOW).unwrap());
    let versions = EnrolVersions { band: VersionRange::SUPPORTED, issuer: world.list().versions };
    let (waits, first) = <Enrol>::start(&identity, &issuer, versions, world.rng()).ok()?;
    let mut first = first.to_vec();
    alter(&mut first);
    let start = ToIssuer::EnrolStart { versions: versions.band, message: Opaque::new(&first)? };
    let second = world.asks(&start);
    let Ok(FromIssuer::Enrol(second)) = decode_record(&second) else { return None };
    let mut channel: Channel = waits.receive(second.as_bytes().try_into().ok()?, &identity).ok()?.channel;

    let (signing, payment_key) = (cast::signing::<Payment>(seed), cast::public::<Payment>(seed));
    let handshake = *channel.binding();
    let enrolment = Enrolment { handshake: handshake.as_bytes(), code, payment_key, assurance };
    let proof = enrolment.prove(&cast::root(), &signing).unwrap();
    let proof = Opaque::new(&proof).unwrap();
    let request = EnrolToIssuer::Request { code, payment_key: *payment_key.as_bytes(), assurance, proof };
    let mut buffer = [0; RELAY_MAX];
    let len = encode(&request, &mut buffer).unwrap().len();
    let mut sealed = channel.seal(&mut buffer, len).unwrap().to_vec();
    alter(&mut sealed);
    let answer = world.asks(&ToIssuer::Enrol(Opaque::new(&sealed)?));
    let Ok(FromIssuer::Enrol(answer)) = decode_record(&answer) else { return None };
    let mut answer = answer.as_bytes().to_vec();
    let Opened::Record(record) = channel.open(&mut answer).ok()? else { return None };
    let Ok(EnrolToBand::Issued { credential, .. }) = decode_record(record) else { return None };
    Some(*Unverified::<Credential>::parse(credential.as_bytes()).unwrap().claims())
}
