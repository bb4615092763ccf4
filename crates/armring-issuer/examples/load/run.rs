//! Payments, as fast as they go or at a given rate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use armring_issuer::Ledger;
use armring_wire::Outcome;
use armring_wire::records::issuer::Refusal;

use crate::people::{Front, NOW, Sent};

#[derive(Clone, Copy)]
pub(crate) enum Load {
    /// The queue is kept full.
    AsFastAsItGoes,
    /// So many a second come in, whatever has become of those before: open loop.
    Rate(f64),
}

pub(crate) struct Measured {
    /// Answers a second.
    pub(crate) rate: f64,
    /// Of each payment, in the order in which they came in. At a rate they count from when it was due.
    pub(crate) latencies: Vec<Duration>,
    /// How often there was no room.
    pub(crate) busy: usize,
    /// Of this process.
    pub(crate) processor: Duration,
    /// Of its threads, by name.
    pub(crate) threads: BTreeMap<String, Duration>,
}

impl Measured {
    /// Microseconds of a processor for each payment.
    pub(crate) fn processor_each(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.latencies.len() as f64
    }

    pub(crate) fn quantile(&self, part: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let at = ((sorted.len() as f64 * part).ceil() as usize).clamp(1, sorted.len());
        sorted[at - 1]
    }
}

pub(crate) fn pay<L: Ledger + Send + 'static>(front: &Front<L>, sent: &[Sent], load: Load) -> Measured {
    let took: Arc<Vec<AtomicU64>> = Arc::new(sent.iter().map(|_| AtomicU64::new(0)).collect());
    let answered = Arc::new(AtomicUsize::new(0));
    let (begin, processor, threads) = (Instant::now(), processor_time("/proc/self"), thread_times());
    let mut busy = 0;
    for (number, (request, token)) in sent.iter().enumerate() {
        let due = match load {
            Load::AsFastAsItGoes => begin.elapsed(),
            Load::Rate(rate) => wait_until(begin, Duration::from_secs_f64(number as f64 / rate)),
        };
        loop {
            let refused = Arc::new(AtomicUsize::new(0));
            let (took, answered, full) = (Arc::clone(&took), Arc::clone(&answered), Arc::clone(&refused));
            front.submit(request, token, NOW, move |answer| {
                match answer {
                    Ok(Err(Refusal::Busy)) => return full.store(1, Ordering::Release),
                    Ok(Ok(answer)) => assert_eq!(answer.outcome, Outcome::Settled),
                    other => panic!("{other:?}"),
                }
                let nanos = begin.elapsed().saturating_sub(due).as_nanos();
                took[number].store(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
                answered.fetch_add(1, Ordering::Release);
            });
            if refused.load(Ordering::Acquire) == 0 {
                break;
            }
            busy += usize::from(matches!(load, Load::Rate(_)));
            thread::sleep(Duration::from_micros(500));
        }
    }
    while answered.load(Ordering::Acquire) < sent.len() {
        thread::sleep(Duration::from_micros(200));
    }
    let rate = sent.len() as f64 / begin.elapsed().as_secs_f64();
    let processor = processor_time("/proc/self").saturating_sub(processor);
    let mut used = thread_times();
    used.iter_mut().for_each(|(name, time)| *time = time.saturating_sub(threads.get(name).copied().unwrap_or_default()));
    let latencies = took.iter().map(|nanos| Duration::from_nanos(nanos.load(Ordering::Relaxed))).collect();
    Measured { rate, latencies, busy, processor, threads: used }
}

fn wait_until(begin: Instant, due: Duration) -> Duration {
    let left = due.saturating_sub(begin.elapsed());
    if !left.is_zero() {
        thread::sleep(left);
    }
    due
}

/// What the threads of this process have had of all processors; those of one name together.
fn thread_times() -> BTreeMap<String, Duration> {
    let mut times = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default().trim().to_owned();
        *times.entry(name).or_default() += processor_time(&task.path().display().to_string());
    }
    times
}

/// What a process or thread has had of all processors; nothing where it cannot be known.
fn processor_time(of: &str) -> Duration {
    const TICKS: u64 = 100;
    let stat = std::fs::read_to_string(format!("{of}/stat")).unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or_default();
    Duration::from_millis((ticks(11) + ticks(12)) * 1_000 / TICKS)
}
