//! The answers: each is told once what it says is durable.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::Redeemed;
use crate::error::MachineError;
use crate::ledger::{Answer, Syncer};

/// Who waits for an answer. Whoever is dropped without one is told that the front has stopped.
pub(super) struct Caller(Option<Box<dyn FnOnce(Redeemed) + Send>>);

impl Caller {
    pub(super) fn new(tell: impl FnOnce(Redeemed) + Send + 'static) -> Self {
        Self(Some(Box::new(tell)))
    }

    pub(super) fn answer(mut self, answer: Redeemed) {
        if let Some(tell) = self.0.take() {
            tell(answer);
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell(Err(MachineError::Stopped));
        }
    }
}

/// What one transaction came to: the answer to each payment, and all who sent it.
pub(super) struct Settled {
    pub(super) callers: Vec<Vec<Caller>>,
    pub(super) answers: Vec<Result<Answer, MachineError>>,
}

impl Settled {
    pub(super) fn tell(self) {
        for (callers, answer) in self.callers.into_iter().zip(self.answers) {
            match answer {
                Ok(answer) => {
                    let mut repeated = answer.repeated;
                    for caller in callers {
                        caller.answer(Ok(Ok(Answer { repeated, ..answer.clone() })));
                        repeated = true;
                    }
                }
                Err(error) => fail(callers, &Arc::new(error)),
            }
        }
    }
}

fn fail(callers: Vec<Caller>, error: &Arc<MachineError>) {
    callers.into_iter().for_each(|caller| caller.answer(Err(MachineError::Shared(Arc::clone(error)))));
}

/// Makes durable what was settled, then tells it. Once that has failed nothing is told any more: the operating system may take the next one
/// for a success without having written what was lost.
pub(super) fn run(settled: &Receiver<Settled>, mut sync: Syncer) {
    let mut failure = None;
    for settled in settled {
        if failure.is_none() {
            failure = sync().err().map(Arc::new);
        }
        match &failure {
            None => settled.tell(),
            Some(error) => settled.callers.into_iter().for_each(|callers| fail(callers, error)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests say what they expect by panicking")]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use armring_wire::{Outcome, TokenDigest};

    use super::*;

    /// One payment that two have sent.
    fn settled(told: &Sender<Redeemed>) -> Settled {
        let caller = || {
            let told = told.clone();
            Caller::new(move |answer| told.send(answer).unwrap())
        };
        let answer = Answer { token: TokenDigest([1; 32]), outcome: Outcome::Settled, receipt: vec![7], repeated: false };
        Settled { callers: vec![vec![caller(), caller()]], answers: vec![Ok(answer)] }
    }

    #[test]
    fn nobody_is_told_before_it_is_durable() {
        let ((told, hears), (sender, receiver)) = (channel(), channel());
        sender.send(settled(&told)).unwrap();
        drop((sender, told));
        let (seen, syncs) = channel();
        let hears = Arc::new(std::sync::Mutex::new(hears));
        let listens = Arc::clone(&hears);
        let sync = move || {
            seen.send(listens.lock().unwrap().try_recv().is_ok()).unwrap();
            Ok(())
        };
        run(&receiver, Box::new(sync));
        assert_eq!(syncs.iter().collect::<Vec<_>>(), [false], "synced once, before anybody was told");
        let repeated: Vec<_> = hears.lock().unwrap().iter().map(|told| told.unwrap().unwrap().repeated).collect();
        assert_eq!(repeated, [false, true]);
    }

    #[test]
    fn once_the_disk_has_failed_nobody_is_told_that_anything_is_settled() {
        let ((told, hears), (sender, receiver)) = (channel(), channel());
        for _ in 0..3 {
            sender.send(settled(&told)).unwrap();
        }
        drop((sender, told));
        // As an operating system does that has given up what it could not write.
        let mut fails = [false, true, false].into_iter();
        let sync = move || if fails.next() == Some(true) { Err(MachineError::Damaged("the disk")) } else { Ok(()) };
        run(&receiver, Box::new(sync));
        let told: Vec<_> = hears.iter().map(|told| told.is_ok()).collect();
        assert_eq!(told, [true, true, false, false, false, false]);
    }
}
