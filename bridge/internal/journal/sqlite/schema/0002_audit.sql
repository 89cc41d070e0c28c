-- Who did what to the program, sealed under a key of the trail's own. Rows are only
-- added, and taken away from the front when they are too old.
CREATE TABLE audit (
    position INTEGER NOT NULL PRIMARY KEY,
    at       BIGINT  NOT NULL,
    sealed   BYTEA   NOT NULL,
    chain    BYTEA   NOT NULL
);

-- Where the trail begins and ends, in one row: the key, the first position and the
-- chain before it, the last position, and the last chain sealed together with all
-- that, so that nobody without the master key can put another trail in its place.
CREATE TABLE audit_ends (
    wrapped BYTEA  NOT NULL,
    first   BIGINT NOT NULL,
    before  BYTEA  NOT NULL,
    last    BIGINT NOT NULL,
    proof   BYTEA  NOT NULL
);
