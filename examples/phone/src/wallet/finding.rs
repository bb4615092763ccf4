//! How the wallet finds its band.

use armring_pairing::{AdvertisingTag, PairingLabel, find_advertiser};

use super::command::printable;
use super::{Call, Effect, Finding, Found, Goal, How, Tone, Wallet};

impl Wallet {
    /// Looks for bands.
    pub(super) fn find(&mut self, finding: Finding) {
        if !matches!(self.call, Call::None) {
            return self.say(Tone::Bad, "a band is connected already: 'disconnect' first");
        }
        self.say(Tone::Plain, "looking for bands …");
        self.seek(finding);
    }

    pub(super) fn seek(&mut self, finding: Finding) {
        self.found.clear();
        self.finding = Some(finding);
        self.effects.push_back(Effect::Find);
    }

    /// Calls the band at a place, or one that has to be found first.
    pub(super) fn call_band(&mut self, at: Option<String>, finding: Finding) {
        if !matches!(self.call, Call::None) {
            return self.say(Tone::Bad, "a band is connected already: 'disconnect' first");
        }
        if matches!(finding, Finding::Connect(_)) && self.book.in_use.is_none() {
            return self.say(Tone::Bad, "no band is paired: hold the band's button, then 'pair'");
        }
        match at {
            None => self.find(finding),
            Some(at) => {
                let numbered = at.parse::<usize>().ok().and_then(|number| self.found.get(number.checked_sub(1)?));
                let place = numbered.map_or(at, |found| found.place.clone());
                self.call_there(finding, place);
            }
        }
    }

    fn call_there(&mut self, finding: Finding, place: String) {
        self.finding = None;
        match finding {
            Finding::List => {}
            Finding::Pair(how) => self.dial(place, Goal::Pair(how)),
            Finding::Connect(next) => self.connect(place, next),
        }
    }

    /// A band was seen.
    pub(super) fn found(&mut self, found: Found) {
        if self.found.contains(&found) || self.found.len() >= 100 {
            return;
        }
        self.found.push(found.clone());
        let own = self.owner(&found);
        match &self.finding {
            None => {}
            Some(Finding::List) => {
                let whose = if own { "your band" } else { "a band" };
                let (number, place) = (self.found.len(), printable(&found.place, 40));
                self.say(Tone::Plain, &format!("{number}  {place}  {whose}: 'pair {number}', or 'connect {number}'"));
            }
            Some(Finding::Connect(_)) if own => self.take_found(found.place),
            Some(Finding::Pair(_)) if found.tag.is_none() || !own => self.take_found(found.place),
            Some(_) => {}
        }
    }

    fn take_found(&mut self, place: String) {
        if let Some(finding) = self.finding.take() {
            self.call_there(finding, place);
        }
    }

    /// Whether it is the band in use: by its tag; and where the transport knows no tags, by its place.
    fn owner(&self, found: &Found) -> bool {
        let Some((band, place)) = &self.book.in_use else { return false };
        match found.tag {
            Some(tag) => {
                let link = find_advertiser(self.book.bands.iter(), &AdvertisingTag::new(tag));
                link.is_some_and(|link| link.peer() == band)
            }
            None => found.place == *place,
        }
    }

    pub(super) fn find_over(&mut self, result: Result<(), String>) {
        let Some(finding) = self.finding.take() else { return };
        match (result, finding, self.found.first()) {
            (Err(why), ..) => self.say(Tone::Bad, &why),
            (Ok(()), _, None) => {
                self.say(Tone::Bad, "no band is in reach: bring it near, hold its button to pair, and say it again")
            }
            (Ok(()), Finding::List, Some(_)) => {}
            (Ok(()), Finding::Pair(_), Some(_)) => {
                self.say(Tone::Bad, "only the band that is paired already is in reach: 'pair 1' pairs it anew");
            }
            (Ok(()), Finding::Connect(next), Some(_)) => {
                // Its tag comes in a packet that may be lost. Who answers shows whose it is.
                match self.found.iter().find(|found| self.roams && found.tag.is_none()) {
                    Some(found) => self.connect(found.place.clone(), next),
                    None => self.say(
                        Tone::Bad,
                        "bands are in reach, but not the one in use: 'find' lists them, 'connect WHERE' tries one",
                    ),
                }
            }
        }
    }

    /// What a code says that was scanned: pairs with the band there.
    pub(super) fn scanned_label(&mut self, label: PairingLabel, at: Option<String>) {
        self.call_band(at, Finding::Pair(How::Label(label)));
    }
}
