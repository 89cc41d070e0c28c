-- What an Idempotency-Key came to goes with the event's conversation.
CREATE INDEX idempotents_event ON idempotents (event);
