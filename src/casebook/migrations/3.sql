-- A batch is one deed of a person: a review file applied, a search marked, one correction. Every decision belongs to one.
CREATE TABLE batches (
    batch      INTEGER PRIMARY KEY,
    coder      TEXT NOT NULL,
    decided_at TEXT NOT NULL,
    source     TEXT NOT NULL
) STRICT;

-- What people decide. Rows are only ever added: taking a decision back is a row of its own.
-- by_rules: whether the rules gave the category (for 'primary': as the primary section) when it was decided, by which
-- rule set; text_hash: BLAKE3 of the text that was decided on. NULL where it is not known.
DROP TRIGGER decisions_stay_as_made;
DROP TRIGGER decisions_stay;
DROP TRIGGER undone_decisions_stay_as_made;
DROP TRIGGER undone_decisions_stay;
DROP INDEX decisions_of_comment;
ALTER TABLE decisions RENAME TO decisions_2;
ALTER TABLE undone_decisions RENAME TO undone_decisions_2;

CREATE TABLE decisions (
    decision   INTEGER PRIMARY KEY,
    batch      INTEGER NOT NULL REFERENCES batches,
    position   INTEGER NOT NULL REFERENCES comments,
    action     TEXT NOT NULL CHECK (action IN
        ('accept', 'remove', 'add', 'primary', 'leave', 'good_quote', 'note', 'replace', 'reject')),
    category   TEXT,
    kind       TEXT CHECK (kind IN ('mask', 'correction')),
    start_char INTEGER,
    end_char   INTEGER,
    original   TEXT,
    value      TEXT,
    by_rules   INTEGER CHECK (by_rules IN (0, 1)),
    rule_set   INTEGER REFERENCES rule_sets,
    text_hash  BLOB,
    CHECK ((category IS NOT NULL) = (action IN ('accept', 'remove', 'add', 'primary', 'leave'))),
    CHECK ((kind IS NOT NULL AND start_char >= 0 AND end_char >= start_char AND original IS NOT NULL)
        = (action IN ('replace', 'reject'))),
    CHECK (action NOT IN ('note', 'replace') OR value IS NOT NULL),
    CHECK (action <> 'good_quote' OR value IS NULL OR value IN ('yes', 'no'))
) STRICT;
CREATE INDEX decisions_of_comment ON decisions (position);
CREATE INDEX decisions_of_batch ON decisions (batch);

CREATE TABLE undone_decisions (
    decision  INTEGER PRIMARY KEY REFERENCES decisions,
    coder     TEXT NOT NULL,
    undone_at TEXT NOT NULL
) STRICT;

-- What one person decided at one time was one deed. The rules were accepted or overruled in what they gave.
INSERT INTO batches (coder, decided_at, source)
    SELECT coder, decided_at, '' FROM decisions_2 GROUP BY coder, decided_at ORDER BY min(decision);
INSERT INTO decisions (decision, batch, position, action, category, by_rules)
    SELECT decision, batch, position, action, category, action <> 'add'
    FROM decisions_2 JOIN batches USING (coder, decided_at) ORDER BY decision;
INSERT INTO undone_decisions SELECT decision, coder, undone_at FROM undone_decisions_2;
DROP TABLE undone_decisions_2;
DROP TABLE decisions_2;

CREATE TRIGGER decisions_stay_as_made BEFORE UPDATE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER decisions_stay BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER undone_decisions_stay_as_made BEFORE UPDATE ON undone_decisions
BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER undone_decisions_stay BEFORE DELETE ON undone_decisions
BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER batches_stay_as_made BEFORE UPDATE ON batches
BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER batches_stay BEFORE DELETE ON batches
BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
