//! What settles under load is killed at any moment, again and again; so is the database; connections are lost, and disks are full. What was
//! answered is in the books, nothing is spent twice, and the books balance.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod full;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
#[cfg(feature = "postgres")]
use std::sync::Mutex;

use armring_issuer::*;
use common::load::{BANDS, Crowd, Sent, pay};
use common::*;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Tells the child what to do; then in which ledger.
const CHILD: &str = "ARMRING_TEST_SETTLES_INTO";

/// How many children are killed: `cargo xtask ci` kills 100, and says so here.
const KILLS: &str = "ARMRING_TEST_KILLS";

fn kills() -> usize {
    std::env::var(KILLS).map_or(6, |kills| kills.parse().unwrap())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2).unwrap(), 16).unwrap()).collect()
}

/// A ledger that outlives its process.
trait Lasting: Ledger + Send + Sized + 'static {
    const NAME: &'static str;

    fn open_at(place: &str) -> Self;
}

impl Lasting for SqliteLedger {
    const NAME: &'static str = "sqlite";

    fn open_at(place: &str) -> Self {
        Self::open(place).unwrap()
    }
}

#[cfg(feature = "postgres")]
impl Lasting for PostgresLedger {
    const NAME: &'static str = "postgres";

    fn open_at(place: &str) -> Self {
        common::postgres::open(place)
    }
}

/// Not a test of its own: what the process does that is going to be killed.
#[test]
fn child_settles_until_it_is_killed() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let (kind, place) = task.split_once(' ').unwrap();
    match kind {
        SqliteLedger::NAME => settle_until_killed::<SqliteLedger>(place),
        #[cfg(feature = "postgres")]
        PostgresLedger::NAME => settle_until_killed::<PostgresLedger>(place),
        _ => panic!("{kind}"),
    }
}

/// Each line is a receipt that has left.
fn settle_until_killed<L: Lasting>(place: &str) {
    let mut crowd = Crowd::new(L::open_at(place));
    let sent = crowd.sign(60);
    let front = crowd.front();
    let failures = pay(&front, sent, 1, |(request, token), receipt| {
        let line = format!("\nanswered {} {} {}\n", hex(request), hex(token), hex(receipt));
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    });
    if failures > 0 {
        println!("\nfailed");
        return;
    }
    // Whoever is to be killed waits for it.
    loop {
        std::thread::park();
    }
}

fn spawn<L: Lasting>(place: &str, through: &[&str]) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = through.split_first().map_or_else(
        || Command::new(&program),
        |(first, rest)| {
            let mut command = Command::new(first);
            command.args(rest).arg(&program);
            command
        },
    );
    command
        .args(["child_settles_until_it_is_killed", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{} {place}", L::NAME))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Reads `lines` answers, kills, and reads what else had left by then.
fn answers_until_killed<L: Lasting>(place: &str, lines: usize) -> Vec<(Sent, Vec<u8>)> {
    let mut child = spawn::<L>(place, &[]);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut answers = Vec::new();
    let mut killed = false;
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 0 {
        // The last line may be cut: then the receipt had not left as a whole.
        if line.ends_with('\n') {
            answers.extend(answer(line.trim_end()));
        }
        line.clear();
        if answers.len() >= lines && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    assert!(killed, "the child ended by itself");
    child.wait().unwrap();
    answers
}

fn answer(line: &str) -> Option<(Sent, Vec<u8>)> {
    let parts: Vec<_> = line.strip_prefix("answered ")?.split(' ').map(unhex).collect();
    let [request, token, receipt] = parts.try_into().unwrap();
    Some(((request, token), receipt))
}

fn is_killed_again_and_again<L: Lasting>(place: &str) {
    let seed = std::process::id().into();
    println!("seed {seed}");
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let (mut all, kills) = (Vec::new(), kills());
    for round in 1..=kills {
        all.extend(answers_until_killed::<L>(place, 1 + rng.next_u32() as usize % 200));
        assert_eq!(L::open_at(place).audit().unwrap(), [], "round {round}");
    }
    // Each band waits for its answer before it signs anew: at most one a round was settled and not yet answered.
    Crowd::new(L::open_at(place)).holds(&all, kills * BANDS);
}

#[test]
fn nothing_that_was_answered_is_lost_when_the_process_is_killed() {
    let file = File::new("crash");
    is_killed_again_and_again::<SqliteLedger>(&file.0.display().to_string());
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::common::postgres::{open, schema};
    use super::common::server::Server;
    use super::*;

    /// How often the database is brought down, or its connections.
    fn blows() -> usize {
        if kills() < 100 { 2 } else { 8 }
    }

    #[test]
    fn nothing_that_was_answered_is_lost_when_the_process_is_killed() {
        is_killed_again_and_again::<PostgresLedger>(&schema());
    }

    /// Pays while something is done to the database; all are answered in the end, and the books hold.
    fn pay_through(parameters: &str, each: usize, blow: impl Fn(usize)) -> usize {
        let mut crowd = Crowd::new(open(parameters));
        let sent = crowd.sign(each);
        let front = crowd.front();
        let answered = Mutex::new(Vec::new());
        let tell = |payment: &Sent, receipt: &[u8]| answered.lock().unwrap().push((payment.clone(), receipt.to_vec()));
        let failures = std::thread::scope(|threads| {
            let paying = threads.spawn(|| pay(&front, sent, usize::MAX, tell));
            for number in 1..=blows() {
                // Each comes after another part of the payments.
                while answered.lock().unwrap().len() < BANDS * each * number / (blows() + 1) {
                    std::thread::yield_now();
                }
                blow(number);
            }
            paying.join().unwrap()
        });
        drop(front);
        let answered = answered.into_inner().unwrap();
        assert_eq!(answered.len(), BANDS * each);
        Crowd::new(open(parameters)).holds(&answered, 0);
        failures
    }

    #[test]
    fn a_database_that_crashes_and_starts_again_loses_nothing() {
        let server = Server::start("restarted");
        // Whether a caller is told, or the database is back before the last try, is a matter of moments.
        let _ = pay_through(&server.parameters(), 100, |_| {
            server.crash();
            server.go_on(None);
        });
    }

    #[test]
    fn connections_that_are_lost_in_mid_transaction_lose_nothing() {
        let parameters = schema();
        let mut other = ::postgres::Client::connect(&parameters, ::postgres::NoTls).unwrap();
        let own = "application_name = current_setting('search_path') AND pid <> pg_backend_pid()";
        let named =
            format!("{parameters} application_name={}", parameters.rsplit_once("search_path=").unwrap().1.trim_end_matches('\''));
        let other = std::cell::RefCell::new(&mut other);
        let _ = pay_through(&named, 100, |_| {
            let lost = format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {own}");
            let lost: i64 = other.borrow_mut().query_one(&lost, &[]).unwrap().get(0);
            assert!(lost > 0);
        });
    }
}
