-- What each commit was, for whoever looks at a conversation later: what came, what
-- was sent and how it went. The number is the conversation's version it made. It
-- goes with the raw frames.
CREATE TABLE turns (
    conversation TEXT   NOT NULL REFERENCES conversations (id),
    number       BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    leg          TEXT   NOT NULL,
    sealed       BYTEA  NOT NULL,
    PRIMARY KEY (conversation, number)
);
CREATE INDEX turns_at ON turns (at);
