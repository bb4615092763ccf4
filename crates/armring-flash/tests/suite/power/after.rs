//! What must hold once power is back.

use std::collections::HashSet;
use std::rc::Rc;

use armring_band::{Gesture, Signal};
use armring_wire::records::band::{Awaited, Decline, ToBand};

use super::disk::{Chip, Disk, Order, Values};
use super::facts::{Facts, Hold, secret_in};
use super::life::request;
use super::tokens::{stored_tokens, tokens};
use super::world::{Setup, World};
use crate::common::{Raw, Torn};

/// What does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "what it holds is shown")]
pub(crate) enum Broken {
    /// The band does not start, or its storage does not.
    Start(String),
    /// What was acknowledged is not there, or something that nobody stored is.
    Storage(String),
    /// A secret that is gone is in the flash.
    Secret(String),
    /// A counter was used twice.
    Counter,
    /// Intervals of the total overlap.
    Interval,
    /// More was paid without a gesture than is granted.
    Free,
    /// Both sides have lost a link, or one that must be there is not.
    Link(usize),
    /// A link that is gone opens.
    Gone(usize),
    /// No other phone can be paired with.
    Pairing,
    /// A credential is lost.
    Credential(usize),
    /// Somebody was told that somebody else used the link, and nobody did.
    Alarm,
    /// What a receipt said is forgotten, and the wearer was told.
    Receipt,
    /// Tries at the PIN were given back.
    Tries,
    /// No PIN unlocks the band that should.
    Pin,
    /// A code was used for two payment keys.
    Key,
    /// The band does not do what it should.
    Stuck(String),
}

/// Where everything is looked at. Of wrong orders other things are to be noticed.
const LOOKS_AT_SECRETS: [Order; 2] = [Order::Right, Order::NeverPurges];

/// A flash that has power again, and what is stored in it.
pub(crate) struct Power {
    chip: Chip,
    disk: Disk,
    pub(crate) values: Values,
}

/// Power is back: the flash is mounted, and what is in it is what was promised.
pub(crate) fn power_on(raw: Raw, facts: &Facts, setup: Setup, seed: u64) -> Result<Power, Broken> {
    let chip = Chip::of(raw, seed);
    let mut disk = Disk::mount(&chip, setup.order).map_err(|error| Broken::Start(error.to_string()))?;
    let values = disk.values().map_err(Broken::Start)?;
    if setup.order == Order::Right {
        stored(facts, &values)?;
    }
    if LOOKS_AT_SECRETS.contains(&setup.order) {
        secrets(&chip, facts, &values)?;
    }
    Ok(Power { chip, disk, values })
}

/// The band starts with that.
fn start(power: Power, facts: &Rc<Facts>, setup: Setup, seed: u64) -> Result<World, Broken> {
    let Power { chip, disk, values } = power;
    let mut world = World::start((chip, disk), setup, facts.clone(), seed);
    world.load(&values).map_err(Broken::Start)?;
    // What is there now is what the band knows of.
    let facts = world.facts();
    facts.pending = None;
    // What it has stored it will sign if it is asked again.
    let new: Vec<_> = stored_tokens(&values).filter(|body| !facts.tokens.contains(body)).collect();
    facts.tokens.extend(new);
    let known = facts.tokens.len();
    facts.acknowledged = Rc::new(values);
    world.known = known;
    Ok(world)
}

fn stored(facts: &Facts, values: &Values) -> Result<(), Broken> {
    let mut after = (*facts.acknowledged).clone();
    if let Some(change) = &facts.pending {
        change.make(&mut after);
    }
    if *values == *facts.acknowledged || *values == after {
        return Ok(());
    }
    let keys = |values: &Values| values.keys().map(|key| format!("{key:02x}")).collect::<Vec<_>>().join(" ");
    Err(Broken::Storage(format!("{:?}: {} became {}", facts.pending, keys(&facts.acknowledged), keys(values))))
}

/// No eight bytes in a row of a secret that no value has any more.
fn secrets(chip: &Chip, facts: &Facts, values: &Values) -> Result<(), Broken> {
    let live: HashSet<&[u8]> = values.iter().filter_map(|(key, value)| secret_in(*key, value)).collect();
    let dead = facts.secrets.iter().filter(|secret| !live.contains(secret.as_slice()));
    let parts: HashSet<&[u8]> = dead.flat_map(|secret| secret.chunks_exact(8)).collect();
    // Most places in the flash differ in the first two bytes already.
    let mut begins = vec![false; 1 << 16];
    for part in &parts {
        begins[usize::from(u16::from_le_bytes([part[0], part[1]]))] = true;
    }
    let machine = chip.0.borrow();
    for window in machine.raw.bytes.windows(8) {
        if begins[usize::from(u16::from_le_bytes([window[0], window[1]]))] && parts.contains(window) {
            return Err(Broken::Secret(format!("{window:02x?}")));
        }
    }
    Ok(())
}

/// Power is cut again on the way, anywhere.
pub(crate) fn live_on_with_a_cut(power: Power, facts: &Rc<Facts>, setup: Setup, seed: u64) -> Result<(), Broken> {
    let mut world = start(power, facts, setup, seed)?;
    let torn = Torn::ALL[(seed >> 8) as usize % Torn::ALL.len()];
    world.chip.set_cut(Some(((seed >> 16) as usize % 40, torn)));
    let result = check(&mut world);
    if !world.chip.switch_on() {
        return result;
    }
    // The phones go on with what they have, and the band with its flash.
    let power = power_on(world.chip.raw(), &world.facts, setup, seed)?;
    live_on(power, &world.facts, setup, seed)
}

pub(crate) fn live_on(power: Power, facts: &Rc<Facts>, setup: Setup, seed: u64) -> Result<(), Broken> {
    check(&mut start(power, facts, setup, seed)?)
}

fn check(world: &mut World) -> Result<(), Broken> {
    pins(world)?;
    phones(world)?;
    tokens(world)?;
    if world.is_off() {
        return Ok(());
    }
    let values = world.disk.values().map_err(Broken::Start)?;
    if LOOKS_AT_SECRETS.contains(&world.setup.order) { secrets(&world.chip, &world.facts, &values) } else { Ok(()) }
}

/// A wrong PIN takes a try, and one of those that may be right unlocks.
fn pins(world: &mut World) -> Result<(), Broken> {
    if world.band.unlocking().is_none() || world.facts.pins.is_empty() {
        return Ok(());
    }
    let most = world.facts.tries;
    world.enters(*b"0000");
    if world.signals.iter().any(|signal| matches!(signal, Signal::WrongSecret(left) if *left >= most)) {
        return Err(Broken::Tries);
    }
    let unlocks = world.facts.pins.clone().into_iter().rev().any(|pin| {
        world.enters(pin);
        world.signals.contains(&Signal::Unlocked)
    });
    if unlocks || world.is_off() { Ok(()) } else { Err(Broken::Pin) }
}

/// Every phone that has a link tries it.
fn phones(world: &mut World) -> Result<(), Broken> {
    let (mut any, mut one_of, mut needs_one) = (false, false, false);
    let at = world.facts.at;
    let last_gone = world.facts.phones.iter().rposition(|phone| phone.hold == Hold::Gone);
    for phone in 0..world.facts.phones.len() {
        let hold = world.facts.phones[phone].hold;
        if hold == Hold::Gone && last_gone != Some(phone) {
            // It was tried before, when it was the last one.
            continue;
        }
        let linked = world.reconnect(phone);
        if world.is_off() {
            return Ok(());
        }
        if world.alarm {
            return Err(Broken::Alarm);
        }
        match hold {
            Hold::Must if !linked => return Err(Broken::Link(phone)),
            Hold::Gone if linked => return Err(Broken::Gone(phone)),
            _ => {}
        }
        any |= linked;
        needs_one |= hold == Hold::OneOf;
        one_of |= hold == Hold::OneOf && linked;
        // Nobody was at what belongs to the others.
        if linked && (phone == at || hold != Hold::Must) {
            pays(world, phone)?;
        }
        if linked && hold == Hold::Going {
            unpairs(world, phone)?;
        }
    }
    if needs_one && !one_of {
        return Err(Broken::Link(usize::MAX));
    }
    if any || world.is_off() { Ok(()) } else { pairs(world) }
}

/// An unpairing that was cut short is asked for again.
fn unpairs(world: &mut World, phone: usize) -> Result<(), Broken> {
    world.say(&ToBand::Unpair);
    world.gesture(Gesture::Unpair);
    if world.is_off() {
        return Ok(());
    }
    if world.facts.phones[phone].hold != Hold::Gone {
        return Err(Broken::Stuck("it does not unpair".into()));
    }
    if world.reconnect(phone) { Err(Broken::Gone(phone)) } else { Ok(()) }
}

/// No phone has a link: then another one can have one.
fn pairs(world: &mut World) -> Result<(), Broken> {
    let phone = world.new_phone();
    if (world.pairs(phone, false) && world.reconnect(phone)) || world.is_off() { Ok(()) } else { Err(Broken::Pairing) }
}

/// The phone has paid what it was about to have paid, then more.
fn pays(world: &mut World, phone: usize) -> Result<(), Broken> {
    world.put_on();
    let hold = world.facts.phones[phone].hold;
    let Some(status) = world.status() else {
        return if world.is_off() { Ok(()) } else { Err(Broken::Stuck("no status".into())) };
    };
    let enrolled = enrols_again(world, phone)?;
    if world.is_off() {
        return Ok(());
    }
    if status.credential.is_none() && !enrolled {
        let expected = matches!(hold, Hold::Must | Hold::OneOf) && world.facts.phones[phone].credential.is_some();
        return if expected { Err(Broken::Credential(phone)) } else { Ok(()) };
    }
    if let Some((_, asked)) = world.facts.request.clone().filter(|(at, _)| *at == phone) {
        pay(world, &asked)?;
    }
    for _ in 0..4 {
        let small = request(world, 80, 50_000);
        world.asks(&small);
        if world.waits_for() == Some(Awaited::PayGesture) {
            world.gesture(Gesture::Refuse);
            break;
        }
    }
    let another = request(world, 200, 50_000);
    pay(world, &another)?;
    let told = world.facts.told_time;
    if told > 0 && !world.is_off() {
        let expired = request(world, 200, told);
        world.asks(&expired);
        if world.declined() != Some(Decline::Expired) && !world.is_off() {
            return Err(Broken::Receipt);
        }
    }
    Ok(())
}

fn pay(world: &mut World, asked: &[u8]) -> Result<(), Broken> {
    let token = world.pays(asked);
    if token.is_some() || world.is_off() { Ok(()) } else { Err(Broken::Stuck(format!("{:?}", world.events))) }
}

/// An enrolment that was cut short is done again: with the same code, the band has the same key.
fn enrols_again(world: &mut World, phone: usize) -> Result<bool, Broken> {
    let Some((_, code, known)) = world.facts.enrolling.filter(|(at, ..)| *at == phone) else { return Ok(false) };
    if world.enrols(phone, code).is_none() && !world.is_off() {
        return Err(Broken::Stuck(format!("no credential: {:?}", world.events)));
    }
    let key = world.issuer.payment_keys.last().copied();
    if key.is_some() && known.is_some() && key != known { Err(Broken::Key) } else { Ok(true) }
}
