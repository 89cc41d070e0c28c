-- What a vendor signed and was taken, until its time is over. It holds nothing that
-- was said, and outlives its conversation: a captured request must begin nothing.
CREATE TABLE marks (
    account  TEXT   NOT NULL,
    endpoint TEXT   NOT NULL,
    mark     TEXT   NOT NULL,
    frame    TEXT   NOT NULL,
    until    BIGINT NOT NULL,
    PRIMARY KEY (account, endpoint, mark)
);
CREATE INDEX marks_until ON marks (until);
