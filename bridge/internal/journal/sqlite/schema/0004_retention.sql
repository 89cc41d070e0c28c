-- What is too old is found without reading all the rest.
CREATE INDEX frames_received ON frames (received);
CREATE INDEX dead_letters_at ON dead_letters (at);
