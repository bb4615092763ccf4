-- Credentials that are frozen for a while or refused for good, makers, refunds, the revocation list, and the gesture of each token.
-- A check cannot be changed in place: credentials and transfers are made anew. Foreign keys are off meanwhile and compared at the end.

CREATE TABLE credentials_2 (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 8),
    account     BLOB    NOT NULL REFERENCES accounts (id),
    payment_key BLOB    NOT NULL UNIQUE CHECK (length(payment_key) = 32),
    object      BLOB    NOT NULL,
    -- 0 inactive, 1 active, 3 cancelled, 4 cloned, 5 revoked: how it is where it is not frozen.
    state       INTEGER NOT NULL CHECK (state IN (0, 1, 3, 4, 5)),
    frozen      INTEGER NOT NULL DEFAULT 0 CHECK (frozen IN (0, 1)),
    -- Whose word there is for its key.
    maker       INTEGER,
    digits      INTEGER NOT NULL CHECK (digits BETWEEN 0 AND 999999),
    wrong       INTEGER NOT NULL DEFAULT 0,
    -- How many of its tokens were answered, and what those that took a part of its total come to.
    answered    INTEGER NOT NULL DEFAULT 0,
    total       INTEGER NOT NULL DEFAULT 0 CHECK (total >= 0)
) STRICT, WITHOUT ROWID;

-- A frozen one had a clone, or else the operator froze it. It was active before if it ever paid.
INSERT INTO credentials_2 (id, account, payment_key, object, state, frozen, digits, wrong, answered, total)
SELECT id, account, payment_key, object,
       CASE WHEN state <> 2 THEN state
            WHEN EXISTS (SELECT 1 FROM clones WHERE clones.credential = credentials.id) THEN 4
            ELSE EXISTS (SELECT 1 FROM tokens WHERE tokens.credential = credentials.id AND outcome = 1) END,
       state = 2, digits, wrong, answered, total
FROM credentials;

DROP TABLE credentials;
ALTER TABLE credentials_2 RENAME TO credentials;
CREATE INDEX credentials_of_account ON credentials (account, id);

ALTER TABLE payees ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1));

-- 0 none, 1 press, 2 fresh unlock: bits 3 and 4 of the last byte of a token, which is below 128, so that it is a character of its own.
ALTER TABLE tokens ADD COLUMN gesture INTEGER NOT NULL DEFAULT 0 CHECK (gesture BETWEEN 0 AND 2);
UPDATE tokens SET gesture = coalesce(unicode(CAST(substr(token_object, -1) AS TEXT)), 0) >> 3 & 3;

CREATE UNIQUE INDEX tokens_by_digest ON tokens (digest);
CREATE UNIQUE INDEX clones_by_digest ON clones (digest);

CREATE TABLE refunds (
    id      INTEGER PRIMARY KEY,
    digest  BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    -- The digest of the payment's token, which may be one that was refused as cloned.
    token   BLOB    NOT NULL CHECK (length(token) = 32),
    -- Nothing where it was refused.
    given   INTEGER NOT NULL CHECK (given >= 0),
    outcome INTEGER NOT NULL,
    time    INTEGER NOT NULL,
    receipt BLOB    NOT NULL,
    object  BLOB    NOT NULL,
    CHECK ((outcome = 1) = (given > 0))
) STRICT;

CREATE INDEX refunds_of_token ON refunds (token, given) WHERE given > 0;

-- What moved money: a deposit, a token or a refund.
CREATE TABLE transfers_2 (
    id      INTEGER PRIMARY KEY,
    time    INTEGER NOT NULL,
    deposit BLOB    CHECK (length(deposit) = 16),
    token   INTEGER REFERENCES tokens (id),
    refund  INTEGER REFERENCES refunds (id),
    CHECK ((deposit IS NOT NULL) + (token IS NOT NULL) + (refund IS NOT NULL) = 1)
) STRICT;

INSERT INTO transfers_2 (id, time, deposit, token) SELECT id, time, deposit, token FROM transfers;
DROP TABLE transfers;
ALTER TABLE transfers_2 RENAME TO transfers;
CREATE UNIQUE INDEX transfers_deposit ON transfers (deposit) WHERE deposit IS NOT NULL;
CREATE UNIQUE INDEX transfers_refund ON transfers (refund) WHERE refund IS NOT NULL;

-- The latest word about everyone of whom there was one.
CREATE TABLE revocations (
    -- 0 payee, 1 credential.
    kind    INTEGER NOT NULL CHECK (kind IN (0, 1)),
    id      BLOB    NOT NULL CHECK (length(id) = 8),
    revoked INTEGER NOT NULL CHECK (revoked IN (0, 1)),
    -- Each change has the next one.
    epoch   INTEGER NOT NULL CHECK (epoch BETWEEN 1 AND 4294967295),
    time    INTEGER NOT NULL,
    -- When certificate or credential ceases to be valid anyway.
    until   INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX revocations_by_epoch ON revocations (epoch);
CREATE INDEX revocations_in_force ON revocations (kind, id, until) WHERE revoked = 1;
