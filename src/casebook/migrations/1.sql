-- The record: what came in, and what the rules say of it.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('revision', '0'), ('dictionary', ''), ('frame', '[]');

-- A file that was read, and what came of it.
CREATE TABLE imports (
    import      INTEGER PRIMARY KEY,
    file        TEXT NOT NULL,
    hash        TEXT NOT NULL,
    imported_at TEXT NOT NULL,
    added       INTEGER NOT NULL DEFAULT 0,
    updated     INTEGER NOT NULL DEFAULT 0,
    recoded     INTEGER NOT NULL DEFAULT 0,
    unchanged   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The other answers of a response, shared by its comments: a JSON object of header to cell text.
CREATE TABLE responses (
    response   INTEGER PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    attributes TEXT NOT NULL
) STRICT;

-- A comment; its position is the order in which comments first came in.
CREATE TABLE comments (
    position   INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    text       TEXT NOT NULL,
    prefecture TEXT,
    facility   TEXT,
    question   TEXT,
    response   INTEGER REFERENCES responses,
    import     INTEGER NOT NULL REFERENCES imports
) STRICT;

CREATE TABLE rule_sets (
    rule_set INTEGER PRIMARY KEY,
    version  TEXT NOT NULL UNIQUE
) STRICT;

-- What a rule set made of a comment.
CREATE TABLE classifications (
    position         INTEGER PRIMARY KEY REFERENCES comments,
    rule_set         INTEGER NOT NULL REFERENCES rule_sets,
    primary_category TEXT
) STRICT;

-- A category given by the rule set of the comment's classification; evidence is a JSON array of
-- {"rule", "start", "end"} in characters of the text.
CREATE TABLE codings (
    position   INTEGER NOT NULL REFERENCES comments,
    ordinal    INTEGER NOT NULL,
    category   TEXT NOT NULL,
    confidence REAL NOT NULL,
    evidence   TEXT NOT NULL,
    PRIMARY KEY (position, ordinal)
) STRICT, WITHOUT ROWID;
