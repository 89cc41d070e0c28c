-- The journal. Sealed columns hold ciphertext under the data key of the row's
-- conversation; every other column is open because something is looked up by it.
-- Times are microseconds since 1970 in UTC, 0 for none. The SQL is plain: another
-- engine reads the INTEGER PRIMARY KEY columns as BIGINT and nothing else changes.

CREATE TABLE conversations (
    id      TEXT   NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    chain   BYTEA  NOT NULL,
    wake    BIGINT NOT NULL,
    state   TEXT   NOT NULL,
    owner   TEXT   NOT NULL,
    route   TEXT   NOT NULL,
    queue   TEXT   NOT NULL,
    agent   TEXT   NOT NULL,
    sealed  BYTEA  NOT NULL,
    summary BYTEA  NOT NULL
);
CREATE INDEX conversations_created ON conversations (created, id);
CREATE INDEX conversations_state ON conversations (state, created, id);
CREATE INDEX conversations_wake ON conversations (wake) WHERE wake > 0;

CREATE TABLE keys (
    conversation TEXT  NOT NULL PRIMARY KEY REFERENCES conversations (id),
    wrapped      BYTEA NOT NULL
);

CREATE TABLE legs (
    id           TEXT  NOT NULL PRIMARY KEY,
    conversation TEXT  NOT NULL REFERENCES conversations (id),
    account      TEXT  NOT NULL,
    role         TEXT  NOT NULL,
    sealed       BYTEA NOT NULL
);
CREATE INDEX legs_conversation ON legs (conversation);

CREATE TABLE leg_keys (
    account TEXT NOT NULL,
    key     TEXT NOT NULL,
    leg     TEXT NOT NULL REFERENCES legs (id),
    PRIMARY KEY (account, key)
);
CREATE INDEX leg_keys_leg ON leg_keys (leg);

CREATE TABLE refs (
    leg   TEXT NOT NULL,
    ref   TEXT NOT NULL,
    kind  TEXT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (leg, ref, kind)
);

CREATE TABLE events (
    position     INTEGER NOT NULL PRIMARY KEY,
    id           TEXT    NOT NULL UNIQUE,
    conversation TEXT    NOT NULL REFERENCES conversations (id),
    seq          BIGINT  NOT NULL,
    kind         TEXT    NOT NULL,
    time         BIGINT  NOT NULL,
    role         TEXT    NOT NULL,
    digest       BYTEA   NOT NULL,
    chain        BYTEA   NOT NULL,
    UNIQUE (conversation, seq)
);

CREATE TABLE bodies (
    position INTEGER NOT NULL PRIMARY KEY REFERENCES events (position),
    sealed   BYTEA   NOT NULL
);

CREATE TABLE frames (
    arrival      INTEGER NOT NULL PRIMARY KEY,
    id           TEXT    NOT NULL,
    conversation TEXT    NOT NULL REFERENCES conversations (id),
    leg          TEXT    NOT NULL,
    account      TEXT    NOT NULL,
    endpoint     TEXT    NOT NULL,
    received     BIGINT  NOT NULL,
    reply_by     BIGINT  NOT NULL,
    dedup        TEXT    NOT NULL,
    dedup_while  TEXT    NOT NULL,
    outcome      TEXT    NOT NULL,
    digest       BYTEA   NOT NULL,
    UNIQUE (conversation, id)
);
CREATE INDEX frames_pending ON frames (conversation, id) WHERE outcome = '';

CREATE TABLE frame_bodies (
    arrival INTEGER NOT NULL PRIMARY KEY REFERENCES frames (arrival),
    sealed  BYTEA   NOT NULL
);

CREATE TABLE dedups (
    leg          TEXT NOT NULL,
    endpoint     TEXT NOT NULL,
    dedup        TEXT NOT NULL,
    account      TEXT NOT NULL,
    lasts        TEXT NOT NULL,
    conversation TEXT NOT NULL,
    frame        TEXT NOT NULL,
    PRIMARY KEY (leg, endpoint, dedup, account)
);

CREATE TABLE replies (
    frame        TEXT  NOT NULL PRIMARY KEY,
    conversation TEXT  NOT NULL REFERENCES conversations (id),
    sealed       BYTEA NOT NULL
);
CREATE INDEX replies_conversation ON replies (conversation);

CREATE TABLE deliveries (
    conversation    TEXT   NOT NULL REFERENCES conversations (id),
    event           TEXT   NOT NULL,
    leg             TEXT   NOT NULL,
    outcome         TEXT   NOT NULL,
    reason          TEXT   NOT NULL,
    maybe_duplicate BIGINT NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (conversation, event, leg)
);

CREATE TABLE dead_letters (
    id           TEXT   NOT NULL PRIMARY KEY,
    conversation TEXT   NOT NULL REFERENCES conversations (id),
    leg          TEXT   NOT NULL,
    account      TEXT   NOT NULL,
    adapter      TEXT   NOT NULL,
    version      TEXT   NOT NULL,
    frame        TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    replayed     BIGINT NOT NULL,
    reason       BYTEA  NOT NULL,
    input        BYTEA  NOT NULL
);
CREATE INDEX dead_letters_conversation ON dead_letters (conversation);

CREATE TABLE idempotents (
    token   TEXT   NOT NULL,
    key     TEXT   NOT NULL,
    digest  BYTEA  NOT NULL,
    event   TEXT   NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (token, key)
);
CREATE INDEX idempotents_expires ON idempotents (expires);

-- Counters of the whole journal: the last position and arrival given, and what
-- pages and metrics show without counting rows.
CREATE TABLE counters (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

-- A key wrapped when the journal was made, by which a wrong master key is known
-- before anything is read.
CREATE TABLE master_checks (
    wrapped BYTEA NOT NULL
);
