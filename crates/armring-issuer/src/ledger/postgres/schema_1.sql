-- Accounts, payees, credentials, and what became of every token. Ids and digests are bytes of fixed length; amounts are minor units; times are
-- seconds since 1970. Numbers have 64 bits throughout, yes and no are 1 and 0: what is sent to the database is the same for every kind of it.
-- There is no sequence, and what a payment touches has its credential, its account or its request in front, so that it partitions.

CREATE TABLE accounts (
    id       BYTEA  NOT NULL PRIMARY KEY CHECK (length(id) = 8),
    currency BIGINT NOT NULL CHECK (currency BETWEEN 1 AND 999),
    is_open  BIGINT NOT NULL CHECK (is_open IN (0, 1)),
    is_float BIGINT NOT NULL CHECK (is_float IN (0, 1)),
    -- Always the sum of its entries, and how many those are.
    balance  BIGINT NOT NULL DEFAULT 0,
    entries  BIGINT NOT NULL DEFAULT 0 CHECK (entries >= 0),
    CHECK (balance >= 0 OR is_float = 1)
);

CREATE TABLE payees (
    id          BYTEA  NOT NULL PRIMARY KEY CHECK (length(id) = 8),
    account     BYTEA  NOT NULL REFERENCES accounts (id),
    certificate BYTEA  NOT NULL,
    revoked     BIGINT NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1))
);

CREATE TABLE credentials (
    id          BYTEA  NOT NULL PRIMARY KEY CHECK (length(id) = 8),
    account     BYTEA  NOT NULL REFERENCES accounts (id),
    payment_key BYTEA  NOT NULL UNIQUE CHECK (length(payment_key) = 32),
    object      BYTEA  NOT NULL,
    -- 0 inactive, 1 active, 3 cancelled, 4 cloned, 5 revoked: how it is where it is not frozen.
    state       BIGINT NOT NULL CHECK (state IN (0, 1, 3, 4, 5)),
    frozen      BIGINT NOT NULL DEFAULT 0 CHECK (frozen IN (0, 1)),
    -- Whose word there is for its key.
    maker       BIGINT,
    digits      BIGINT NOT NULL CHECK (digits BETWEEN 0 AND 999999),
    wrong       BIGINT NOT NULL DEFAULT 0,
    -- How many of its tokens were answered, and what those that took a part of its total come to.
    answered    BIGINT NOT NULL DEFAULT 0,
    total       BIGINT NOT NULL DEFAULT 0 CHECK (total >= 0)
);

CREATE INDEX credentials_of_account ON credentials (account, id);

CREATE TABLE codes (
    hash       BYTEA  NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    account    BYTEA  NOT NULL REFERENCES accounts (id),
    expires    BIGINT NOT NULL,
    credential BYTEA  REFERENCES credentials (id)
);

CREATE INDEX codes_by_expiry ON codes (expires);

-- Tokens that took their counter, settled or voided. Those of a credential which have totals have them in the order of their counters. That
-- the credential exists is known when they are written; a foreign key would look it up once more for each.
CREATE TABLE tokens (
    credential  BYTEA  NOT NULL,
    counter     BIGINT NOT NULL CHECK (counter BETWEEN 0 AND 4294967295),
    -- The part of the credential's total that it takes: above total_start, up to total_end. Null where no band signs it.
    total_start BIGINT CHECK (total_start >= 0),
    total_end   BIGINT CHECK (total_end >= total_start),
    outcome     BIGINT NOT NULL,
    time        BIGINT NOT NULL,
    -- 0 none, 1 press, 2 fresh unlock.
    gesture     BIGINT NOT NULL CHECK (gesture BETWEEN 0 AND 2),
    -- The token's digest.
    object      BYTEA  NOT NULL CHECK (length(object) = 32),
    receipt     BYTEA  NOT NULL,
    token       BYTEA  NOT NULL,
    request     BYTEA  NOT NULL,
    CHECK ((total_start IS NULL) = (total_end IS NULL)),
    PRIMARY KEY (credential, counter)
);

CREATE INDEX tokens_settled_by_time ON tokens (credential, time) WHERE outcome = 1;
CREATE UNIQUE INDEX tokens_by_digest ON tokens (object);

-- What was signed.
CREATE VIEW objects AS SELECT object AS id, object AS digest, receipt, token, request FROM tokens;

-- Requests that were settled.
CREATE TABLE settled (
    request    BYTEA  NOT NULL PRIMARY KEY CHECK (length(request) = 32),
    expiry     BIGINT NOT NULL,
    credential BYTEA  NOT NULL,
    counter    BIGINT NOT NULL
);

-- Tokens refused as cloned: what they claim was taken by the token with the counter taken_by.
CREATE TABLE clones (
    credential     BYTEA  NOT NULL,
    digest         BYTEA  NOT NULL UNIQUE CHECK (length(digest) = 32),
    taken_by       BIGINT NOT NULL,
    time           BIGINT NOT NULL,
    receipt        BYTEA  NOT NULL,
    token_object   BYTEA  NOT NULL,
    request_object BYTEA  NOT NULL,
    PRIMARY KEY (credential, digest)
);

-- Money from outside.
CREATE TABLE deposits (
    reference BYTEA  NOT NULL PRIMARY KEY CHECK (length(reference) = 16),
    account   BYTEA  NOT NULL REFERENCES accounts (id),
    minor     BIGINT NOT NULL CHECK (minor > 0),
    currency  BIGINT NOT NULL CHECK (currency BETWEEN 1 AND 999)
);

CREATE TABLE refunds (
    digest  BYTEA  NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    -- The digest of the payment's token, which may be one that was refused as cloned.
    token   BYTEA  NOT NULL CHECK (length(token) = 32),
    -- Nothing where it was refused.
    given   BIGINT NOT NULL CHECK (given >= 0),
    outcome BIGINT NOT NULL,
    time    BIGINT NOT NULL,
    receipt BYTEA  NOT NULL,
    object  BYTEA  NOT NULL,
    CHECK ((outcome = 1) = (given > 0))
);

CREATE INDEX refunds_of_token ON refunds (token);

-- Two for each reference, which sum to zero.
CREATE TABLE entries (
    account   BYTEA  NOT NULL,
    -- From 0 on, for each account.
    number    BIGINT NOT NULL CHECK (number >= 0),
    time      BIGINT NOT NULL,
    -- 0 deposit, 1 payment, 2 refund.
    kind      BIGINT NOT NULL CHECK (kind BETWEEN 0 AND 2),
    -- That of the deposit; the digest of the token or of the refund.
    reference BYTEA  NOT NULL CHECK (length(reference) = CASE kind WHEN 0 THEN 16 ELSE 32 END),
    change    BIGINT NOT NULL CHECK (change <> 0),
    currency  BIGINT NOT NULL CHECK (currency BETWEEN 1 AND 999),
    PRIMARY KEY (account, number)
);

-- The latest word about everyone of whom there was one.
CREATE TABLE revocations (
    -- 0 payee, 1 credential.
    kind    BIGINT NOT NULL CHECK (kind IN (0, 1)),
    id      BYTEA  NOT NULL CHECK (length(id) = 8),
    revoked BIGINT NOT NULL CHECK (revoked IN (0, 1)),
    -- Each change has the next one.
    epoch   BIGINT NOT NULL UNIQUE CHECK (epoch BETWEEN 1 AND 4294967295),
    time    BIGINT NOT NULL,
    -- When certificate or credential ceases to be valid anyway.
    until   BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);
