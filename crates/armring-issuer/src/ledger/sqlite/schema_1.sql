-- Accounts, payees, credentials, and what became of every token.
-- Ids and digests are blobs of fixed length; amounts are minor units; times are seconds since 1970.

CREATE TABLE accounts (
    id       BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 8),
    currency INTEGER NOT NULL CHECK (currency BETWEEN 1 AND 999),
    is_open  INTEGER NOT NULL CHECK (is_open IN (0, 1)),
    is_float INTEGER NOT NULL CHECK (is_float IN (0, 1)),
    -- Always the sum of its entries.
    balance  INTEGER NOT NULL DEFAULT 0 CHECK (balance >= 0 OR is_float)
) STRICT, WITHOUT ROWID;

CREATE TABLE payees (
    id          BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 8),
    account     BLOB NOT NULL REFERENCES accounts (id),
    certificate BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE credentials (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 8),
    account     BLOB    NOT NULL REFERENCES accounts (id),
    payment_key BLOB    NOT NULL UNIQUE CHECK (length(payment_key) = 32),
    object      BLOB    NOT NULL,
    -- 0 inactive, 1 active, 2 frozen, 3 cancelled.
    state       INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
    digits      INTEGER NOT NULL CHECK (digits BETWEEN 0 AND 999999),
    wrong       INTEGER NOT NULL DEFAULT 0,
    -- How many of its tokens were answered, and what those that took a part of its total come to.
    answered    INTEGER NOT NULL DEFAULT 0,
    total       INTEGER NOT NULL DEFAULT 0 CHECK (total >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX credentials_of_account ON credentials (account, id);

CREATE TABLE codes (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    account    BLOB    NOT NULL REFERENCES accounts (id),
    expires    INTEGER NOT NULL,
    credential BLOB    REFERENCES credentials (id)
) STRICT, WITHOUT ROWID;

-- Tokens that took their counter, settled or voided.
CREATE TABLE tokens (
    id             INTEGER PRIMARY KEY,
    credential     BLOB    NOT NULL REFERENCES credentials (id),
    counter        INTEGER NOT NULL CHECK (counter BETWEEN 0 AND 4294967295),
    digest         BLOB    NOT NULL CHECK (length(digest) = 32),
    -- The part of the credential's total that it takes: above total_start, up to total_end. Null where no band signs it.
    total_start    INTEGER CHECK (total_start >= 0),
    total_end      INTEGER CHECK (total_end >= total_start),
    request        BLOB    NOT NULL CHECK (length(request) = 32),
    outcome        INTEGER NOT NULL,
    time           INTEGER NOT NULL,
    receipt        BLOB    NOT NULL,
    token_object   BLOB    NOT NULL,
    request_object BLOB    NOT NULL,
    CHECK ((total_start IS NULL) = (total_end IS NULL)),
    UNIQUE (credential, counter)
) STRICT;

CREATE INDEX tokens_by_total ON tokens (credential, total_end, total_start) WHERE total_end IS NOT NULL;
CREATE INDEX tokens_settled_by_time ON tokens (credential, time, total_end, total_start) WHERE outcome = 1;
CREATE UNIQUE INDEX tokens_settled_request ON tokens (request) WHERE outcome = 1;

-- Tokens refused as cloned: what they claim was taken by another one.
CREATE TABLE clones (
    credential     BLOB    NOT NULL REFERENCES credentials (id),
    digest         BLOB    NOT NULL CHECK (length(digest) = 32),
    taken_by       INTEGER NOT NULL REFERENCES tokens (id),
    time           INTEGER NOT NULL,
    receipt        BLOB    NOT NULL,
    token_object   BLOB    NOT NULL,
    request_object BLOB    NOT NULL,
    PRIMARY KEY (credential, digest)
) STRICT, WITHOUT ROWID;

-- What moved money: a deposit or a token.
CREATE TABLE transfers (
    id      INTEGER PRIMARY KEY,
    time    INTEGER NOT NULL,
    deposit BLOB    CHECK (length(deposit) = 16),
    token   INTEGER REFERENCES tokens (id),
    CHECK ((deposit IS NULL) <> (token IS NULL))
) STRICT;

CREATE UNIQUE INDEX transfers_deposit ON transfers (deposit) WHERE deposit IS NOT NULL;

-- Two for each transfer, which sum to zero.
CREATE TABLE entries (
    id       INTEGER PRIMARY KEY,
    transfer INTEGER NOT NULL REFERENCES transfers (id),
    account  BLOB    NOT NULL REFERENCES accounts (id),
    change   INTEGER NOT NULL CHECK (change <> 0),
    currency INTEGER NOT NULL CHECK (currency BETWEEN 1 AND 999)
) STRICT;

CREATE INDEX entries_of_account ON entries (account, id);
