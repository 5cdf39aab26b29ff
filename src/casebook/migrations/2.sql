-- What people decide. Rows are only ever added: taking a decision back is a row of its own.
CREATE TABLE decisions (
    decision   INTEGER PRIMARY KEY,
    position   INTEGER NOT NULL REFERENCES comments,
    category   TEXT NOT NULL,
    action     TEXT NOT NULL CHECK (action IN ('accept', 'remove', 'add')),
    coder      TEXT NOT NULL,
    decided_at TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_of_comment ON decisions (position);

CREATE TABLE undone_decisions (
    decision  INTEGER PRIMARY KEY REFERENCES decisions,
    coder     TEXT NOT NULL,
    undone_at TEXT NOT NULL
) STRICT;

CREATE TRIGGER decisions_stay_as_made BEFORE UPDATE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER decisions_stay BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER undone_decisions_stay_as_made BEFORE UPDATE ON undone_decisions
BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER undone_decisions_stay BEFORE DELETE ON undone_decisions
BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
