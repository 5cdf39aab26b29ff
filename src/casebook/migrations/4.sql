-- What runs did: a JSON document each. Rows are only ever added.
CREATE TABLE runs (
    run      INTEGER PRIMARY KEY,
    ended_at TEXT NOT NULL,
    record   TEXT NOT NULL
) STRICT;
CREATE TRIGGER runs_stay_as_made BEFORE UPDATE ON runs
BEGIN SELECT RAISE(ABORT, 'runs are append-only'); END;
CREATE TRIGGER runs_stay BEFORE DELETE ON runs
BEGIN SELECT RAISE(ABORT, 'runs are append-only'); END;

-- Comments as they were before a corrected file came. Rows are only ever added.
CREATE TABLE former_comments (
    position    INTEGER NOT NULL REFERENCES comments,
    replaced_by INTEGER NOT NULL REFERENCES imports,
    import      INTEGER NOT NULL REFERENCES imports,
    text        TEXT NOT NULL,
    prefecture  TEXT,
    facility    TEXT,
    question    TEXT,
    response    INTEGER REFERENCES responses,
    PRIMARY KEY (position, replaced_by)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER former_comments_stay_as_made BEFORE UPDATE ON former_comments
BEGIN SELECT RAISE(ABORT, 'former comments are append-only'); END;
CREATE TRIGGER former_comments_stay BEFORE DELETE ON former_comments
BEGIN SELECT RAISE(ABORT, 'former comments are append-only'); END;

-- Codings depend on the dictionary as well as on the rules: a rule set is told apart by both. Which dictionary coded
-- a comment was not kept before; an unknown one makes the next import or recoding code it anew.
CREATE TABLE new_rule_sets (
    rule_set   INTEGER PRIMARY KEY,
    version    TEXT NOT NULL,
    dictionary TEXT NOT NULL,
    UNIQUE (version, dictionary)
) STRICT;
INSERT INTO new_rule_sets SELECT rule_set, version, '' FROM rule_sets;
DROP TABLE rule_sets;
ALTER TABLE new_rule_sets RENAME TO rule_sets;
