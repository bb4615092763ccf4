//! What a band has to hear of its connections, in an order that makes sense whatever centrals do.

use armring_band::Event;
use armring_wire::AttPayload;
use heapless::Deque;

/// What the band may have to hear of at once: the end of a connection, the two that ended each other, their end, and the next one.
const REPORTS: usize = 5;

/// What the band has not heard yet.
pub(crate) struct Reports {
    /// Whether the band knows of a connection, once it has heard all of it.
    known: bool,
    unheard: Deque<Report, REPORTS>,
}

enum Report {
    Connected(AttPayload),
    /// A second central, while the band pairs.
    Second,
    Disconnected,
}

impl Reports {
    pub(crate) const fn new() -> Self {
        Self { known: false, unheard: Deque::new() }
    }

    /// What the band hears next.
    pub(crate) fn next(&mut self) -> Option<Event<'static>> {
        Some(match self.unheard.pop_front()? {
            Report::Connected(payload) => Event::Connected(payload),
            Report::Second => Event::Connected(AttPayload::MIN),
            Report::Disconnected => Event::Disconnected,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.unheard.is_empty()
    }

    /// Fragments go to and fro from now on.
    pub(crate) fn connected(&mut self, payload: AttPayload) {
        self.push(Report::Connected(payload));
    }

    /// A second central connected: whether or not the band knew of the first one, it now hears of two.
    pub(crate) fn second(&mut self) {
        if !self.known {
            self.push(Report::Connected(AttPayload::MIN));
        }
        self.push(Report::Second);
    }

    /// Nobody is connected any more. Of a connection that the band has not heard of yet it need not hear.
    pub(crate) fn disconnected(&mut self) {
        if !self.known {
            return;
        }
        if matches!(self.unheard.back(), Some(Report::Connected(_))) {
            self.unheard.pop_back();
            self.known = false;
        } else {
            self.push(Report::Disconnected);
        }
    }

    fn push(&mut self, report: Report) {
        self.known = !matches!(report, Report::Disconnected);
        // There is room: each report but one follows another that the band has heard.
        let _ = self.unheard.push_back(report);
    }
}
