-- Since when a message that the customer left for live agents waits, 0 for none.
ALTER TABLE conversations ADD COLUMN left_since BIGINT NOT NULL DEFAULT 0;
CREATE INDEX conversations_left ON conversations (created, id) WHERE left_since > 0;
