-- A payment writes to fewer places that are far from those of other payments. What is written for each is not compared with other tables any
-- more: that its credential and its accounts exist is known by then, and verify compares all.

-- Two for each reference, which sum to zero, in the order in which they came.
CREATE TABLE entries_4 (
    id        INTEGER PRIMARY KEY,
    account   BLOB    NOT NULL CHECK (length(account) = 8),
    -- From 0 on, for each account.
    number    INTEGER NOT NULL CHECK (number >= 0),
    -- The entry of the same account before this one.
    previous  INTEGER CHECK (previous < id),
    time      INTEGER NOT NULL,
    -- 0 deposit, 1 payment, 2 refund.
    kind      INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
    -- That of the deposit; the digest of the token or of the refund.
    reference BLOB    NOT NULL CHECK (length(reference) = CASE kind WHEN 0 THEN 16 ELSE 32 END),
    change    INTEGER NOT NULL CHECK (change <> 0),
    currency  INTEGER NOT NULL CHECK (currency BETWEEN 1 AND 999),
    CHECK ((number = 0) = (previous IS NULL))
) STRICT;

INSERT INTO entries_4
SELECT row_number() OVER all_of_them, account, number, CASE WHEN number > 0 THEN row_number() OVER all_of_them - 1 END,
       time, kind, reference, change, currency
FROM entries WINDOW all_of_them AS (ORDER BY account, number);

-- The newest entry of the account, from which the others are found.
ALTER TABLE accounts ADD COLUMN last INTEGER;
UPDATE accounts SET last = newest.id
FROM (SELECT account, max(id) AS id FROM entries_4 GROUP BY account) AS newest WHERE newest.account = accounts.id;

DROP TABLE entries;
ALTER TABLE entries_4 RENAME TO entries;

-- Tokens that took their counter, settled or voided. Those of a credential which have totals have them in the order of their counters.
CREATE TABLE tokens_4 (
    credential  BLOB    NOT NULL CHECK (length(credential) = 8),
    counter     INTEGER NOT NULL CHECK (counter BETWEEN 0 AND 4294967295),
    -- The part of the credential's total that it takes: above total_start, up to total_end. Null where no band signs it.
    total_start INTEGER CHECK (total_start >= 0),
    total_end   INTEGER CHECK (total_end >= total_start),
    outcome     INTEGER NOT NULL,
    time        INTEGER NOT NULL,
    -- 0 none, 1 press, 2 fresh unlock.
    gesture     INTEGER NOT NULL CHECK (gesture BETWEEN 0 AND 2),
    object      INTEGER NOT NULL,
    CHECK ((total_start IS NULL) = (total_end IS NULL)),
    PRIMARY KEY (credential, counter)
) STRICT, WITHOUT ROWID;

INSERT INTO tokens_4 SELECT credential, counter, total_start, total_end, outcome, time, gesture, object FROM tokens;
DROP TABLE tokens;
ALTER TABLE tokens_4 RENAME TO tokens;

-- When the newest token was answered. Those in order, by counter and by time, are read from the highest counter down until they are too old to
-- count. Others came late: none with a counter below late_from, none after late_until.
ALTER TABLE credentials ADD COLUMN latest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN late_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN late_until INTEGER NOT NULL DEFAULT 0;
-- Nobody knows which came late before: any may have.
UPDATE credentials SET latest = newest.time, late_until = newest.time
FROM (SELECT credential, max(time) AS time FROM tokens GROUP BY credential) AS newest WHERE newest.credential = credentials.id;

-- A part of a digest finds it as well as the whole.
DROP INDEX objects_by_digest;
CREATE INDEX objects_by_digest ON objects (substr(digest, 1, 8));
