//! What Armring costs beside its primitives and beside others, on the same work in the same run.
//!
//! ```text
//!  handshakes ┐
//!  channel    │                                   ┌─▶ benches/all.rs   criterion, for whoever changes something
//!  tokens     ├──▶ Plan ──▶ Group of Contenders ──┼─▶ bin/compare      all by turns, for the table and the plot
//!  batches    │                                   └─▶ bin/once         one, once, for valgrind to count
//!  small      ┘
//! ```
//!
//! A [`Group`] is one piece of work; its contenders do it each in their own way. The first one is the floor: the bare primitives, by the library
//! that [`Contender::floor`] names. A [`Plan`] is one that is set up when it is wanted.

pub mod batches;
pub mod channel;
pub mod floor;
pub mod handshakes;
#[cfg(feature = "peers")]
pub mod peers;
pub mod small;
pub mod tokens;
pub mod turns;

/// Work that is not set up yet.
pub struct Plan {
    /// What is done.
    pub name: String,
    set_up: Box<dyn FnOnce(Group) -> Group>,
}

impl Plan {
    /// Work, and how those who do it are added.
    pub fn new(name: impl Into<String>, set_up: impl FnOnce(Group) -> Group + 'static) -> Self {
        Self { name: name.into(), set_up: Box::new(set_up) }
    }

    /// Sets it up.
    #[must_use]
    pub fn set_up(self) -> Group {
        (self.set_up)(Group { name: self.name, contenders: Vec::new() })
    }
}

/// Work, and who does it.
pub struct Group {
    /// What is done.
    pub name: String,
    /// Who does it.
    pub contenders: Vec<Contender>,
}

/// One way to do a piece of work.
pub struct Contender {
    /// Whose.
    pub name: &'static str,
    /// Beside which other one it is to be seen.
    pub floor: Option<&'static str>,
    /// At most how many times the time of that one it is to take.
    pub target: Option<f64>,
    /// Does it once.
    pub run: Box<dyn FnMut()>,
}

impl Group {
    /// Somebody who does it.
    #[must_use]
    pub fn with(self, name: &'static str, run: impl FnMut() + 'static) -> Self {
        self.and(Contender { name, floor: None, target: None, run: Box::new(run) })
    }

    /// Somebody who does it, seen beside `floor`.
    #[must_use]
    pub fn beside(self, floor: &'static str, target: Option<f64>, name: &'static str, run: impl FnMut() + 'static) -> Self {
        self.and(Contender { name, floor: Some(floor), target, run: Box::new(run) })
    }

    fn and(mut self, contender: Contender) -> Self {
        self.contenders.push(contender);
        self
    }
}

/// All there is, in the order in which it is shown.
pub fn all() -> Vec<Plan> {
    [handshakes::plans(), channel::plans(), tokens::plans(), batches::plans(), small::plans()].into_iter().flatten().collect()
}
