-- The accounts that take nothing new until an operator resumes them.
CREATE TABLE drained (
    account TEXT NOT NULL PRIMARY KEY
);
