//! Disks that are full, while it settles: nothing that was answered is lost, and it goes on when there is room again.
//!
//! A file system that is small and full needs to be mounted, which not everyone may: `cargo xtask postgres` does, and runs what is ignored
//! elsewhere. Files that can grow no more are there for everyone, and fail in other places: each by itself, and the log before the others.

use std::fs::File as Plain;
use std::io::{BufRead, BufReader, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Mutex;

use armring_issuer::*;

use super::common::load::{BANDS, Crowd, Front, Sent, pay};
use super::common::*;
use super::{answer, spawn};

/// A folder with two small file systems, `sqlite` and `postgres`.
const SMALL_DISKS: &str = "ARMRING_TEST_SMALL_DISKS";

/// How often a payment is sent again once there is room: a database that was brought down needs a few.
const TRIES: usize = 1_000;

/// A file that fills a small file system all but for some room.
struct Ballast(PathBuf);

impl Ballast {
    fn but_for(room: u64, disk: &Path) -> Self {
        let path = disk.join("ballast");
        let mut file = Plain::create(&path).unwrap();
        let full = loop {
            if let Err(error) = file.write_all(&[0; 1 << 12]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        let len = file.metadata().unwrap().len();
        file.set_len(len.checked_sub(room).unwrap()).unwrap();
        Self(path)
    }

    fn throw_off(self) {
        std::fs::remove_file(self.0).unwrap();
    }
}

fn small_disk(name: &str) -> PathBuf {
    let disks =
        std::env::var_os(SMALL_DISKS).unwrap_or_else(|| panic!("{SMALL_DISKS} is not set; `cargo xtask postgres` does it"));
    PathBuf::from(disks).join(name)
}

/// Pays until each band has failed once; then, once `make_room` has, all of it again through the same front, each until it is answered. What was
/// answered before has the same receipt, and the books hold.
fn runs_full_and_goes_on<L: Ledger + Send + 'static>(
    front: &Front<L>,
    sent: &[Vec<Sent>],
    make_room: impl FnOnce(),
) -> Vec<(Sent, Vec<u8>)> {
    let answered = || Mutex::new(Vec::new());
    let (before, after) = (answered(), answered());
    let failures =
        pay(front, sent.to_vec(), 1, |payment, receipt| before.lock().unwrap().push((payment.clone(), receipt.to_vec())));
    let before = before.into_inner().unwrap();
    assert!(failures > 0 && !before.is_empty(), "{} were answered before {failures} failed", before.len());
    make_room();
    pay(front, sent.to_vec(), TRIES, |payment, receipt| after.lock().unwrap().push((payment.clone(), receipt.to_vec())));
    let after = after.into_inner().unwrap();
    assert_eq!(after.len(), sent.iter().map(Vec::len).sum::<usize>());
    assert!(before.iter().all(|answer| after.contains(answer)), "each has the very receipt that it had before");
    after
}

#[test]
#[ignore = "needs a small file system, which `cargo xtask postgres` mounts"]
fn sqlite_on_a_small_disk_goes_on_when_there_is_room_again() {
    let disk = small_disk("sqlite");
    let file = disk.join("ledger.db");
    let mut crowd = Crowd::new(SqliteLedger::open(&file).unwrap());
    let sent = crowd.sign(150);
    let ballast = Ballast::but_for(1 << 20, &disk);
    let front = crowd.front();
    let answered = runs_full_and_goes_on(&front, &sent, || ballast.throw_off());
    drop(front);
    drop(Crowd::new(SqliteLedger::open(&file).unwrap()).holds(&answered, 0));
}

/// Where a file can grow no more, SQLite finds no room on the disk.
#[test]
fn a_full_disk_settles_nothing_more_and_loses_nothing() {
    let file = File::new("full");
    let place = file.0.display().to_string();
    drop(Crowd::new(SqliteLedger::open(&file.0).unwrap()));
    // A megabyte or two, as the shell counts: what the log takes of some dozens of payments.
    let child = spawn::<SqliteLedger>(&place, &["sh", "-c", "ulimit -f 2048; trap '' XFSZ; exec \"$0\" \"$@\""]);
    let (answered, failed) = answers_until_it_fails(child);
    assert!(!answered.is_empty() && failed, "{} were answered", answered.len());
    let mut crowd = Crowd::new(SqliteLedger::open(&file.0).unwrap()).holds(&answered, BANDS);

    let sent = crowd.sign(5);
    let front = crowd.front();
    assert_eq!(pay(&front, sent, 1, |_, _| {}), 0, "with room again, all is as before");
    assert_eq!(front.issuer(|issuer| issuer.ledger().audit().unwrap()), []);
}

/// What the child answered until it ended by itself, and whether that was for a failure.
fn answers_until_it_fails(mut child: Child) -> (Vec<(Sent, Vec<u8>)>, bool) {
    let (mut answers, mut failed) = (Vec::new(), false);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        answers.extend(answer(&line));
        failed |= line == "failed";
    }
    child.wait().unwrap();
    (answers, failed)
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::super::common::postgres::open;
    use super::super::common::server::Server;
    use super::*;

    /// Its log is on the same disk: the server goes down where that has no room, and does not come up.
    #[test]
    #[ignore = "needs a small file system, which `cargo xtask postgres` mounts"]
    fn on_a_small_disk_goes_on_when_there_is_room_again() {
        let disk = small_disk("postgres");
        let server = Server::start_in(disk.join("server"));
        let mut crowd = Crowd::new(open(&server.parameters()));
        let sent = crowd.sign(200);
        let ballast = Ballast::but_for(1 << 20, &disk);
        let front = crowd.front();
        let answered = runs_full_and_goes_on(&front, &sent, || {
            ballast.throw_off();
            server.crash();
            server.go_on(None);
        });
        drop(front);
        drop(Crowd::new(open(&server.parameters())).holds(&answered, 0));
    }

    /// Where its files can grow no more, the database finds no room on the disk.
    #[test]
    fn a_full_disk_settles_nothing_more_and_loses_nothing() {
        let server = Server::start("starved");
        drop(Crowd::new(open(&server.parameters())));
        server.crash();
        // A log file has one megabyte and fits; the table of tokens has then some two thousand of them.
        server.go_on(Some(2048));
        let mut crowd = Crowd::new(open(&server.parameters()));
        let sent = crowd.sign(600);
        let front = crowd.front();
        let answered = Mutex::new(Vec::new());
        let failures =
            pay(&front, sent, 1, |payment, receipt| answered.lock().unwrap().push((payment.clone(), receipt.to_vec())));
        assert!(failures > 0, "it was full");
        drop(front);
        server.crash();
        server.go_on(None);
        let mut crowd = Crowd::new(open(&server.parameters())).holds(&answered.into_inner().unwrap(), BANDS);
        let sent = crowd.sign(5);
        assert_eq!(pay(&crowd.front(), sent, 1, |_, _| {}), 0, "with room again, all is as before");
    }
}
