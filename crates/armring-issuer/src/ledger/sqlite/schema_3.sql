-- What a payment reads and writes lies together: tokens in order of their counters beside what they took, entries by account, requests by
-- when they expire, and what was signed one after the other. Foreign keys are off meanwhile and compared at the end.

-- What was signed, in the order of settling.
CREATE TABLE objects (
    id      INTEGER PRIMARY KEY,
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    receipt BLOB    NOT NULL,
    token   BLOB    NOT NULL,
    request BLOB    NOT NULL
) STRICT;

INSERT INTO objects (id, digest, receipt, token, request) SELECT id, digest, receipt, token_object, request_object FROM tokens;
CREATE UNIQUE INDEX objects_by_digest ON objects (digest);

-- Tokens that took their counter, settled or voided. Those of a credential which have totals have them in the order of their counters.
CREATE TABLE tokens_3 (
    credential  BLOB    NOT NULL REFERENCES credentials (id),
    counter     INTEGER NOT NULL CHECK (counter BETWEEN 0 AND 4294967295),
    -- The part of the credential's total that it takes: above total_start, up to total_end. Null where no band signs it.
    total_start INTEGER CHECK (total_start >= 0),
    total_end   INTEGER CHECK (total_end >= total_start),
    outcome     INTEGER NOT NULL,
    time        INTEGER NOT NULL,
    -- 0 none, 1 press, 2 fresh unlock.
    gesture     INTEGER NOT NULL CHECK (gesture BETWEEN 0 AND 2),
    object      INTEGER NOT NULL REFERENCES objects (id),
    CHECK ((total_start IS NULL) = (total_end IS NULL)),
    PRIMARY KEY (credential, counter)
) STRICT, WITHOUT ROWID;

INSERT INTO tokens_3 SELECT credential, counter, total_start, total_end, outcome, time, gesture, id FROM tokens;

-- Requests that were settled, by when they expire: what comes in now lies together. Filled from the objects: see schema.rs.
CREATE TABLE settled (
    expiry     INTEGER NOT NULL,
    request    BLOB    NOT NULL CHECK (length(request) = 32),
    credential BLOB    NOT NULL,
    counter    INTEGER NOT NULL,
    PRIMARY KEY (expiry, request)
) STRICT, WITHOUT ROWID;

-- Tokens refused as cloned: what they claim was taken by the token with the counter taken_by.
CREATE TABLE clones_3 (
    credential     BLOB    NOT NULL,
    digest         BLOB    NOT NULL CHECK (length(digest) = 32),
    taken_by       INTEGER NOT NULL,
    time           INTEGER NOT NULL,
    receipt        BLOB    NOT NULL,
    token_object   BLOB    NOT NULL,
    request_object BLOB    NOT NULL,
    PRIMARY KEY (credential, digest),
    FOREIGN KEY (credential, taken_by) REFERENCES tokens (credential, counter)
) STRICT, WITHOUT ROWID;

INSERT INTO clones_3
SELECT clones.credential, clones.digest, tokens.counter, clones.time, clones.receipt, clones.token_object, clones.request_object
FROM clones JOIN tokens ON tokens.id = taken_by;

-- Money from outside.
CREATE TABLE deposits (
    reference BLOB    NOT NULL PRIMARY KEY CHECK (length(reference) = 16),
    account   BLOB    NOT NULL REFERENCES accounts (id),
    minor     INTEGER NOT NULL CHECK (minor > 0),
    currency  INTEGER NOT NULL CHECK (currency BETWEEN 1 AND 999)
) STRICT, WITHOUT ROWID;

INSERT INTO deposits
SELECT deposit, account, change, currency FROM transfers JOIN entries ON transfer = transfers.id
WHERE deposit IS NOT NULL AND change > 0;

-- Two for each reference, which sum to zero.
CREATE TABLE entries_3 (
    account   BLOB    NOT NULL REFERENCES accounts (id),
    -- From 0 on, for each account.
    number    INTEGER NOT NULL CHECK (number >= 0),
    time      INTEGER NOT NULL,
    -- 0 deposit, 1 payment, 2 refund.
    kind      INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
    -- That of the deposit; the digest of the token or of the refund.
    reference BLOB    NOT NULL CHECK (length(reference) = CASE kind WHEN 0 THEN 16 ELSE 32 END),
    change    INTEGER NOT NULL CHECK (change <> 0),
    currency  INTEGER NOT NULL CHECK (currency BETWEEN 1 AND 999),
    PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;

INSERT INTO entries_3
SELECT account, row_number() OVER (PARTITION BY account ORDER BY entries.id) - 1, transfers.time,
       CASE WHEN deposit IS NOT NULL THEN 0 WHEN transfers.token IS NOT NULL THEN 1 ELSE 2 END,
       coalesce(deposit, tokens.digest, refunds.digest), change, currency
FROM entries JOIN transfers ON transfers.id = transfer
LEFT JOIN tokens ON tokens.id = transfers.token LEFT JOIN refunds ON refunds.id = refund;

ALTER TABLE accounts ADD COLUMN entries INTEGER NOT NULL DEFAULT 0 CHECK (entries >= 0);
UPDATE accounts SET entries = (SELECT count(*) FROM entries_3 WHERE account = accounts.id);

DROP TABLE clones;
DROP TABLE entries;
DROP TABLE transfers;
DROP TABLE tokens;
ALTER TABLE tokens_3 RENAME TO tokens;
ALTER TABLE clones_3 RENAME TO clones;
ALTER TABLE entries_3 RENAME TO entries;
CREATE UNIQUE INDEX clones_by_digest ON clones (digest);
CREATE INDEX tokens_settled_by_time ON tokens (credential, time, total_end, total_start) WHERE outcome = 1;
