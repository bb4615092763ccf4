-- What is counted of a credential stands with its newest token, which a payment writes anyway: it writes to one place less that is far from those of
-- other payments.

-- How many of the credential's tokens were answered, and what those that took a part of its total come to: as of now with the highest counter, as of
-- its own answer with any other. Null with those that were not the newest when this was added.
ALTER TABLE tokens ADD COLUMN answered INTEGER CHECK (answered > 0);
ALTER TABLE tokens ADD COLUMN total INTEGER CHECK (total >= 0);

UPDATE tokens SET answered = credentials.answered, total = credentials.total
FROM credentials WHERE credentials.id = credential
AND counter = (SELECT max(counter) FROM tokens AS newest WHERE newest.credential = credentials.id);

ALTER TABLE credentials DROP COLUMN answered;
ALTER TABLE credentials DROP COLUMN total;

-- What was answered last is the token with the highest counter, or came before late_until.
ALTER TABLE credentials DROP COLUMN latest;
