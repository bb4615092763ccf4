//! Requests, with the tokens that settled them.

use armring_wire::{CredentialId, RequestDigest, UnixTime};

use super::super::model::Fault;

/// A token that settled a request, and until when that could be paid.
pub(super) type Settling = (CredentialId, u32, UnixTime);

/// All that there is about one request.
#[derive(Debug, Default)]
pub(super) struct Settlement {
    token: Option<Settling>,
    is_settled_twice: bool,
    is_listed: bool,
    is_listed_wrongly: bool,
}

impl Settlement {
    /// Tokens come before what is listed.
    pub(super) const fn token(&mut self, settling: Settling) {
        self.is_settled_twice |= self.token.is_some();
        self.token = Some(settling);
    }

    pub(super) fn listed(&mut self, settling: Settling) {
        let is_right = self.token == Some(settling);
        self.is_listed_wrongly |= !is_right || self.is_listed;
        self.is_listed |= is_right;
    }

    pub(super) fn faults(&self, request: RequestDigest) -> impl Iterator<Item = Fault> {
        let is_missing = self.token.is_some() && !self.is_listed && !self.is_settled_twice;
        let faults = [
            (self.is_settled_twice, Fault::SettledTwice(request)),
            (is_missing, Fault::NotListed(request)),
            (self.is_listed_wrongly && !self.is_settled_twice, Fault::NotSettled(request)),
        ];
        faults.into_iter().filter_map(|(found, fault)| found.then_some(fault))
    }
}
