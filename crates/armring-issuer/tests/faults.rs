//! What others changed in a database is found, and called what it is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests say what they expect by panicking")]

mod common;

use armring_issuer::*;
use armring_token::Counter;
use armring_wire::*;
use common::*;

/// A database, past its ledger.
trait Database {
    type Ledger: Ledger;
    /// The table with what was signed, and its column with the token's digest.
    const SIGNED: [&'static str; 2];

    fn open(&self) -> Self::Ledger;
    fn sql(&self, sql: &str);
    /// The table with what is counted of this credential, and which row of it.
    fn counts_of(credential: &str) -> [String; 2];
    /// How bytes stand in SQL.
    fn literal(bytes: &[u8]) -> String;
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Database for File {
    type Ledger = SqliteLedger;
    const SIGNED: [&'static str; 2] = ["objects", "digest"];

    fn open(&self) -> SqliteLedger {
        SqliteLedger::open(&self.0).unwrap()
    }

    fn sql(&self, sql: &str) {
        Self::sql(self, sql);
    }

    fn counts_of(credential: &str) -> [String; 2] {
        let newest = format!("SELECT max(counter) FROM tokens WHERE credential = {credential}");
        ["tokens".to_owned(), format!("credential = {credential} AND counter = ({newest})")]
    }

    fn literal(bytes: &[u8]) -> String {
        format!("x'{}'", hex(bytes))
    }
}

/// Books with one of everything.
struct Books<D: Database> {
    database: D,
    w: World<D::Ledger>,
    shops: [Shop; 2],
    bands: [Band; 2],
    /// 300 by the first band to the first shop, 300 by the second to the second, at the same time.
    settled: [(TokenDigest, RequestDigest); 2],
    /// More than may be, by the first.
    voided: (TokenDigest, RequestDigest),
    /// By the second, for the first request.
    repeated: (TokenDigest, RequestDigest),
    cloned: (CredentialId, TokenDigest),
    /// 100 of the first payment, and 1,000 more of it, which is refused.
    refunds: [RefundDigest; 2],
}

impl<D: Database> Books<D> {
    fn new(database: D) -> Self {
        let mut w = World::new(database.open());
        let shops = [w.shop(), w.shop()];
        let mut bands = [w.band(1_000), w.band(1_000)];
        let pay = |w: &mut World<_>, band: &mut Band, request: &[u8]| {
            let token = band.token(w, request);
            let asked = w.payment(request, &token).token().request;
            (w.settle(request, &token, NOW).token, asked)
        };
        let requests = [shops[0].request(&mut w, 300), shops[1].request(&mut w, 300)];
        let settled = [pay(&mut w, &mut bands[0], &requests[0]), pay(&mut w, &mut bands[1], &requests[1])];
        let request = shops[0].request(&mut w, 1_001);
        let voided = pay(&mut w, &mut bands[0], &request);
        let repeated = pay(&mut w, &mut bands[1], &requests[0]);
        let mut copied = w.band(1_000);
        let request = shops[0].request(&mut w, 10);
        let _first = pay(&mut w, &mut copied, &request);
        let request = shops[0].request(&mut w, 20);
        let clone = copied.token_with(&w, &request, |body| body.counter = Counter(1));
        let clone = w.settle(&request, &clone, NOW);
        assert_eq!(clone.outcome, Outcome::Cloned);
        let refunds = [100, 1_000].map(|minor| {
            let refund = shops[0].refund(&mut w, settled[0].0, minor);
            w.refund(&refund, NOW).0.refund
        });
        let cloned = (copied.credential.id, clone.token);
        let books = Self { database, w, shops, bands, settled, voided, repeated, cloned, refunds };
        assert_eq!(books.verify(), [], "nothing is wrong yet");
        books
    }

    /// What is told is of no account here. In an order of its own.
    fn verify(&self) -> Vec<Fault> {
        sorted(self.w.issuer.ledger().verify(&mut |_| {}).unwrap())
    }

    /// Does it, sees these very faults, and undoes it.
    #[track_caller]
    fn finds(&self, damage: &str, repair: &str, expected: &[Fault]) {
        self.database.sql(damage);
        assert_eq!(self.verify(), sorted(expected.to_vec()), "{damage}");
        self.database.sql(repair);
        assert_eq!(self.verify(), [], "{repair}");
    }

    fn moved(&self, number: usize) -> Reference {
        Reference::Payment(self.settled[number].0)
    }
}

fn sorted(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort_by_key(|fault| format!("{fault:?}"));
    faults
}

const NOBODY: [u8; 32] = [9; 32];

/// Where all sums are right, only who compares each entry with its token sees it.
fn entries_that_are_not_those_of_their_tokens<D: Database>(database: D) {
    let books = Books::new(database);
    let [first, second] = books.settled.map(|(token, _)| D::literal(&token.0));
    let swap = format!(
        "UPDATE entries SET reference = CASE WHEN reference = {first} THEN {second} ELSE {first} END
         WHERE kind = 1 AND change = 300 AND reference IN ({first}, {second})"
    );
    let both = [Fault::Moved(books.moved(0)), Fault::Moved(books.moved(1))];
    books.finds(&swap, &swap, &both);

    let by = |minor: i64| {
        let accounts = books.w.statement(books.shops[0].account).len();
        assert_eq!(accounts, 3, "two payments and a refund");
        let [payer, payee] = [books.bands[0].account, books.shops[0].account].map(|account| D::literal(&account.0));
        format!(
            "UPDATE entries SET change = change + {minor} WHERE reference = {first} AND change > 0;
             UPDATE entries SET change = change - {minor} WHERE reference = {first} AND change < 0;
             UPDATE accounts SET balance = balance + {minor} WHERE id = {payee};
             UPDATE accounts SET balance = balance - {minor} WHERE id = {payer}"
        )
    };
    books.finds(&by(1), &by(-1), &both[..1]);
    let time = |seconds| format!("UPDATE entries SET time = time + {seconds} WHERE reference = {first}");
    books.finds(&time(1), &time(-1), &both[..1]);
    let currency = |code| format!("UPDATE entries SET currency = {code} WHERE reference = {first}");
    books.finds(&currency(978), &currency(156), &both[..1]);

    let nobody = D::literal(&NOBODY);
    let rename = |from: &str, to: &str| format!("UPDATE entries SET reference = {to} WHERE reference = {from}");
    let unexplained = Fault::Unexplained(Reference::Payment(TokenDigest(NOBODY)));
    books.finds(&rename(&first, &nobody), &rename(&nobody, &first), &[unexplained, both[0]]);
    let one = |from: &str, to: &str| format!("UPDATE entries SET reference = {to} WHERE reference = {from} AND change < 0");
    books.finds(&one(&first, &nobody), &one(&nobody, &first), &[unexplained, both[0]]);
    let third = |from: &str, to: &str| format!("UPDATE entries SET kind = 1, reference = {to} WHERE reference = {from}");
    let refund = D::literal(&books.refunds[0].0);
    let back = format!("UPDATE entries SET kind = 2, reference = {refund} WHERE reference = {second} AND abs(change) = 100");
    books.finds(&third(&refund, &second), &back, &[both[1], Fault::Moved(Reference::Refund(books.refunds[0]))]);
}

fn sums_and_counts_that_are_wrong<D: Database>(database: D) {
    let books = Books::new(database);
    let (band, [payer, shop]) = (&books.bands[0], [books.bands[0].account, books.shops[0].account]);
    let [credential, account] = [D::literal(&band.credential.id.0), D::literal(&shop.0)];
    let first = D::literal(&books.settled[0].0.0);
    let balance = |by: i64| format!("UPDATE accounts SET balance = balance + {by} WHERE id = {account}");
    books.finds(&balance(1), &balance(-1), &[Fault::Balance(shop)]);
    let entries = |by: i64| format!("UPDATE accounts SET entries = entries + {by} WHERE id = {account}");
    books.finds(&entries(1), &entries(-1), &[Fault::Entries(shop)]);
    let change = |by: i64| format!("UPDATE entries SET change = change + {by} WHERE reference = {first} AND change < 0");
    books.finds(
        &change(1),
        &change(-1),
        &[Fault::Unbalanced(Currency::CNY), Fault::Balance(payer), Fault::Moved(books.moved(0))],
    );
    let totals = [Fault::Totals(band.credential.id)];
    let [table, row] = D::counts_of(&credential);
    for column in ["total", "answered"] {
        let count = |by: i64| format!("UPDATE {table} SET {column} = {column} + {by} WHERE {row}");
        books.finds(&count(1), &count(-1), &totals);
    }
    let overlap = |by: i64| {
        format!(
            "UPDATE tokens SET total_start = total_start + {by}, total_end = total_end + {by} WHERE credential = {credential} AND counter = 1"
        )
    };
    let moved = Fault::Receipt(books.settled[0].0);
    books.finds(&overlap(1), &overlap(-1), &[totals[0], moved]);
    let unknown = D::literal(&NOBODY[..8]);
    let owner = |from: &str, to: &str| format!("UPDATE tokens SET credential = {to} WHERE credential = {from} AND counter = 2");
    let voided = Fault::Receipt(books.voided.0);
    let nobody = Fault::Totals(CredentialId([9; 8]));
    // Where the newest token has the counts, it takes them along, and those of the one before are right again.
    let left = totals.into_iter().filter(|_| table == "credentials");
    let expected: Vec<_> = left.chain([nobody, voided]).collect();
    books.finds(&owner(&credential, &unknown), &owner(&unknown, &credential), &expected);
}

fn requests_that_are_not_listed_as_they_were_settled<D: Database>(database: D) {
    let books = Books::new(database);
    let (token, request) = books.settled[0];
    let [listed, nobody] = [D::literal(&request.0), D::literal(&NOBODY)];
    let wrong = [Fault::NotListed(request), Fault::NotSettled(request)];
    for column in ["expiry", "counter"] {
        let change = |by: i64| format!("UPDATE settled SET {column} = {column} + {by} WHERE request = {listed}");
        books.finds(&change(7), &change(-7), &wrong);
    }
    let rename = |from: &str, to: &str| format!("UPDATE settled SET request = {to} WHERE request = {from}");
    let other = Fault::NotSettled(RequestDigest(NOBODY));
    books.finds(&rename(&listed, &nobody), &rename(&nobody, &listed), &[wrong[0], other]);

    // What became of a token, in its row alone.
    let outcome = |of: &Band, counter: u32, outcome: Outcome| {
        let (credential, outcome) = (D::literal(&of.credential.id.0), u8::from(outcome));
        format!("UPDATE tokens SET outcome = {outcome} WHERE credential = {credential} AND counter = {counter}")
    };
    let (band, other) = (&books.bands[0], &books.bands[1]);
    books.finds(
        &outcome(band, 1, Outcome::Velocity),
        &outcome(band, 1, Outcome::Settled),
        &[Fault::Moved(books.moved(0)), Fault::Refunds(token), wrong[1], Fault::Receipt(token)],
    );
    let (voided, asked) = books.voided;
    books.finds(
        &outcome(band, 2, Outcome::Settled),
        &outcome(band, 2, Outcome::OverLimit),
        &[Fault::Moved(Reference::Payment(voided)), Fault::NotListed(asked), Fault::Receipt(voided)],
    );
    let (again, asked) = books.repeated;
    assert_eq!(asked, request);
    books.finds(
        &outcome(other, 2, Outcome::Settled),
        &outcome(other, 2, Outcome::AlreadySettled),
        &[Fault::Moved(Reference::Payment(again)), Fault::SettledTwice(request), Fault::Receipt(again)],
    );
}

fn deposits_and_refunds_that_are_not_what_moved<D: Database>(database: D) {
    let books = Books::new(database);
    let Reference::Deposit(deposit) = books.w.statement(books.bands[0].account)[0].reference else { panic!() };
    let (first, nobody) = (D::literal(&deposit.0), D::literal(&NOBODY[..16]));
    let minor = |by: i64| format!("UPDATE deposits SET minor = minor + {by} WHERE reference = {first}");
    let moved = Fault::Moved(Reference::Deposit(deposit));
    books.finds(&minor(1), &minor(-1), &[moved]);
    let rename = |from: &str, to: &str| format!("UPDATE deposits SET reference = {to} WHERE reference = {from}");
    let other = Fault::Moved(Reference::Deposit(DepositRef([9; 16])));
    let unexplained = Fault::Unexplained(Reference::Deposit(deposit));
    books.finds(&rename(&first, &nobody), &rename(&nobody, &first), &[other, unexplained]);

    let ([settled, refused], token) = (books.refunds, books.settled[0].0);
    let [refund, other] = books.refunds.map(|refund| D::literal(&refund.0));
    let given = |minor: i64| format!("UPDATE refunds SET given = {minor} WHERE digest = {refund}");
    let wrong = [Fault::Moved(Reference::Refund(settled)), Fault::RefundReceipt(settled)];
    books.finds(&given(99), &given(100), &wrong);
    books.finds(&given(301), &given(100), &[Fault::Refunds(token), wrong[0], wrong[1]]);
    let of = |token: &[u8]| format!("UPDATE refunds SET token = {} WHERE digest = {refund}", D::literal(token));
    books.finds(&of(&NOBODY), &of(&token.0), &[Fault::Refunds(TokenDigest(NOBODY)), wrong[0], wrong[1]]);
    let time = |by: i64| format!("UPDATE refunds SET time = time + {by} WHERE digest = {other}");
    books.finds(&time(1), &time(-1), &[Fault::RefundReceipt(refused)]);
}

fn receipts_clones_and_revocations_that_say_something_else<D: Database>(database: D) {
    let books = Books::new(database);
    let [(first, _), (second, _)] = books.settled;
    let [table, digest] = D::SIGNED;
    let put = |column: &str, of: TokenDigest, from: TokenDigest| {
        let [of, from] = [of, from].map(|token| D::literal(&token.0));
        format!(
            "CREATE TABLE kept AS SELECT {column} AS was FROM {table} WHERE {digest} = {of};
             UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE {digest} = {from}) WHERE {digest} = {of}"
        )
    };
    for column in ["receipt", "request"] {
        let repair = format!(
            "UPDATE {table} SET {column} = (SELECT was FROM kept) WHERE {digest} = {}; DROP TABLE kept",
            D::literal(&first.0)
        );
        // Another receipt is of another token; another request is for the same amount, to another shop.
        books.finds(&put(column, first, second), &repair, &[Fault::Receipt(first)]);
    }
    let time = |by: i64| {
        let credential = D::literal(&books.bands[0].credential.id.0);
        format!("UPDATE tokens SET time = time + {by} WHERE credential = {credential} AND counter = 2")
    };
    books.finds(&time(1), &time(-1), &[Fault::Receipt(books.voided.0)]);

    let (credential, clone) = books.cloned;
    let time = |by: i64| format!("UPDATE clones SET time = time + {by}");
    books.finds(&time(1), &time(-1), &[Fault::Receipt(clone)]);
    let taken_by = |counter: u32| format!("UPDATE clones SET taken_by = {counter}");
    books.finds(&taken_by(999), &taken_by(1), &[Fault::Clone(clone)]);
    let state = |state: u8| format!("UPDATE credentials SET state = {state} WHERE id = {}", D::literal(&credential.0));
    let listed = Fault::Revocation(PayeeRef::Credential(credential));
    books.finds(&state(1), &state(4), &[Fault::Clone(clone), listed]);

    let frozen = |by: u8| format!("UPDATE credentials SET frozen = {by} WHERE id <> {}", D::literal(&credential.0));
    books.finds(&frozen(1), &frozen(0), &books.bands.each_ref().map(|band| Fault::Revocation(band.payee())));
    let revoked = |by: u8| format!("UPDATE payees SET revoked = {by}");
    books.finds(&revoked(1), &revoked(0), &books.shops.each_ref().map(|shop| Fault::Revocation(shop.payee())));
}

/// Which no database allows that knows its own tables: so they are told to forget.
fn a_counter_that_was_taken_twice<D: Database>(database: D, forget: &str) {
    let books = Books::new(database);
    let band = books.bands[0].credential.id;
    books.database.sql(forget);
    books.database.sql(&format!("UPDATE tokens SET counter = 1 WHERE credential = {}", D::literal(&band.0)));
    let faults = books.verify();
    assert!(faults.contains(&Fault::CounterTwice(band, 1)), "{faults:?}");
}

macro_rules! in_every_database {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test(super::File::new(concat!("faults-", stringify!($test)))); })+

            #[test]
            fn a_counter_that_was_taken_twice() {
                let forget = "CREATE TABLE others AS SELECT * FROM tokens; DROP TABLE tokens; ALTER TABLE others RENAME TO tokens";
                super::a_counter_that_was_taken_twice(super::File::new("faults-counter"), forget);
            }
        }
        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[test] fn $test() { super::$test(super::of_postgres::Schema::new()); })+

            #[test]
            fn a_counter_that_was_taken_twice() {
                let forget = "ALTER TABLE tokens DROP CONSTRAINT tokens_pkey";
                super::a_counter_that_was_taken_twice(super::of_postgres::Schema::new(), forget);
            }
        }
    };
}

in_every_database!(
    entries_that_are_not_those_of_their_tokens,
    sums_and_counts_that_are_wrong,
    requests_that_are_not_listed_as_they_were_settled,
    deposits_and_refunds_that_are_not_what_moved,
    receipts_clones_and_revocations_that_say_something_else,
);

#[cfg(feature = "postgres")]
mod of_postgres {
    use super::*;

    pub(crate) struct Schema(String);

    impl Schema {
        pub(crate) fn new() -> Self {
            Self(common::postgres::schema())
        }
    }

    impl Database for Schema {
        type Ledger = PostgresLedger;
        const SIGNED: [&'static str; 2] = ["tokens", "object"];

        fn open(&self) -> PostgresLedger {
            common::postgres::open(&self.0)
        }

        fn sql(&self, sql: &str) {
            ::postgres::Client::connect(&self.0, ::postgres::NoTls).unwrap().batch_execute(sql).unwrap();
        }

        fn counts_of(credential: &str) -> [String; 2] {
            ["credentials".to_owned(), format!("id = {credential}")]
        }

        fn literal(bytes: &[u8]) -> String {
            format!("'\\x{}'::bytea", hex(bytes))
        }
    }
}

/// What was signed has a table of its own there.
#[test]
fn in_sqlite_a_token_without_its_receipt_and_a_receipt_without_its_token() {
    let books = Books::new(File::new("faults-objects"));
    let (band, voided) = (books.bands[0].credential.id, books.voided.0);
    let digest = File::literal(&voided.0);
    let damage = format!(
        "CREATE TABLE kept AS SELECT * FROM objects WHERE digest = {digest}; DELETE FROM objects WHERE digest = {digest}"
    );
    let repair = "INSERT INTO objects SELECT * FROM kept; DROP TABLE kept";
    books.finds(&damage, repair, &[Fault::NoReceipt(band, 2)]);
    let nobody = File::literal(&NOBODY);
    let damage = format!("INSERT INTO objects (digest, receipt, token, request) VALUES ({nobody}, x'', x'', x'')");
    let repair = format!("DELETE FROM objects WHERE digest = {nobody}");
    books.finds(&damage, &repair, &[Fault::NoToken(TokenDigest(NOBODY))]);
    let damage = format!(
        "CREATE TABLE kept AS SELECT id FROM objects WHERE digest = {digest}; UPDATE objects SET id = 1000 WHERE digest = {digest}"
    );
    let repair = format!("UPDATE objects SET id = (SELECT id FROM kept) WHERE digest = {digest}; DROP TABLE kept");
    books.finds(&damage, &repair, &[Fault::NoReceipt(band, 2), Fault::NoToken(voided)]);
}

#[test]
fn in_sqlite_entries_that_are_not_found_from_their_account() {
    let books = Books::new(File::new("faults-entries"));
    let shop = books.shops[0].account;
    let account = File::literal(&shop.0);
    for last in ["last - 1", "NULL", "(SELECT previous FROM entries WHERE id = last)"] {
        let damage = format!(
            "CREATE TABLE kept AS SELECT last FROM accounts WHERE id = {account}; UPDATE accounts SET last = {last} WHERE id = {account}"
        );
        let repair = format!("UPDATE accounts SET last = (SELECT last FROM kept) WHERE id = {account}; DROP TABLE kept");
        books.finds(&damage, &repair, &[Fault::Entries(shop)]);
        books.database.sql(&damage);
        let told = books.w.issuer.statement(shop, |_| std::ops::ControlFlow::Continue(()));
        assert!(matches!(told, Err(Error::Machine(MachineError::Damaged(_)))), "{last}");
        books.database.sql(&repair);
    }
}

/// The index says another digest than the table.
#[test]
fn in_sqlite_a_file_of_which_a_bit_flipped() {
    let books = Books::new(File::new("faults-file"));
    let Books { database, w, voided, .. } = books;
    drop(w);
    database.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let digest = voided.0.0;
    let mut bytes = std::fs::read(&database.0).unwrap();
    let in_index = |at: &usize| bytes[*at..].starts_with(&digest[..8]) && !bytes[*at..].starts_with(&digest[..9]);
    let found: Vec<_> = (0..bytes.len() - 9).filter(in_index).collect();
    assert_eq!(found.len(), 1, "the index has its first eight bytes");
    bytes[found[0]] ^= 1;
    std::fs::write(&database.0, bytes).unwrap();
    let mut told = Vec::new();
    let faults = database.open().verify(&mut |what| told.push(what.to_owned())).unwrap();
    assert_eq!(faults, [Fault::File]);
    assert!(told.iter().any(|what| what.contains("objects_by_digest")), "{told:?}");
}
