//! Looking after the record: what is in it, whether it is whole, a copy of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, backup::Backup};
use serde::{Deserialize, Serialize};

use super::{Casebook, CasebookError, FILE, InCasebook, MIGRATIONS};

/// Faults of a kind that are named at most.
const NAMED: usize = 20;

/// What a casebook holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CasebookInfo {
    /// Version of the schema.
    pub schema: u32,
    /// Counts the changes of the record.
    pub revision: u64,
    /// Bytes of the record's file.
    pub bytes: u64,
    /// Number of comments.
    pub comments: u64,
    /// Number of responses with other answers than the comments.
    pub responses: u64,
    /// Number of texts that corrected files replaced; they are kept.
    pub former_comments: u64,
    /// Decisions by people that stand.
    pub decisions: u64,
    /// Decisions that were taken back.
    pub undone_decisions: u64,
    /// Files in the order in which they came in.
    pub files: Vec<ImportedFile>,
    /// Rules and dictionary that coded the comments, and how many.
    pub coders: Vec<CoderCount>,
    /// Number of runs on record.
    pub runs: u64,
    /// The same by command.
    pub runs_by_command: BTreeMap<String, u64>,
}

/// A file that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedFile {
    /// As the user named it.
    pub file: String,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub hash: String,
    /// When (RFC 3339).
    pub imported_at: String,
    /// Comments that were new.
    pub added: u64,
    /// Comments that it corrected.
    pub updated: u64,
    /// Comments that were the same but coded anew.
    pub recoded: u64,
    /// Comments that were the same.
    pub unchanged: u64,
}

/// How many comments rules with a dictionary coded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoderCount {
    /// Version of the rule set.
    pub rules: String,
    /// Version of the dictionary; empty where it was not kept.
    pub dictionary: String,
    /// Number of comments.
    pub comments: u64,
}

impl Casebook {
    /// What the casebook holds.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn info(&self) -> Result<CasebookInfo, CasebookError> {
        let read = || -> rusqlite::Result<CasebookInfo> {
            let connection = &self.connection;
            let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|n| n as u64);
            let pages = connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))?;
            let page = connection.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))?;
            let undone_decisions = count("SELECT count(*) FROM undone_decisions")?;
            Ok(CasebookInfo {
                schema: MIGRATIONS.len() as u32,
                revision: super::read_meta(connection, "revision")?.parse().unwrap_or(0),
                bytes: (pages * page) as u64,
                comments: count("SELECT count(*) FROM comments")?,
                responses: count("SELECT count(*) FROM responses")?,
                former_comments: count("SELECT count(*) FROM former_comments")?,
                decisions: count("SELECT count(*) FROM decisions")? - undone_decisions,
                undone_decisions,
                files: connection
                    .prepare("SELECT file, hash, imported_at, added, updated, recoded, unchanged FROM imports ORDER BY import")?
                    .query_map([], |row| {
                        let number = |column| row.get::<_, i64>(column).map(|n| n as u64);
                        Ok(ImportedFile {
                            file: row.get(0)?,
                            hash: row.get(1)?,
                            imported_at: row.get(2)?,
                            added: number(3)?,
                            updated: number(4)?,
                            recoded: number(5)?,
                            unchanged: number(6)?,
                        })
                    })?
                    .collect::<rusqlite::Result<_>>()?,
                coders: connection
                    .prepare(
                        "SELECT version, dictionary, count(*) FROM classifications JOIN rule_sets USING (rule_set)
                         GROUP BY rule_set ORDER BY rule_set",
                    )?
                    .query_map([], |row| {
                        Ok(CoderCount {
                            rules: row.get(0)?,
                            dictionary: row.get(1)?,
                            comments: row.get::<_, i64>(2)? as u64,
                        })
                    })?
                    .collect::<rusqlite::Result<_>>()?,
                runs: count("SELECT count(*) FROM runs")?,
                runs_by_command: connection
                    .prepare("SELECT record ->> 'command', count(*) FROM runs GROUP BY 1")?
                    .query_map([], |row| {
                        Ok((row.get::<_, Option<String>>(0)?.unwrap_or_default(), row.get::<_, i64>(1)? as u64))
                    })?
                    .collect::<rusqlite::Result<_>>()?,
            })
        };
        read().in_casebook(&self.folder)
    }

    /// Keeps the record of a run, a JSON document, with the time at which it ended (RFC 3339).
    ///
    /// # Errors
    ///
    /// When the record cannot be written.
    pub fn append_run(&mut self, ended_at: &str, record: &str) -> Result<(), CasebookError> {
        self.connection
            .execute("INSERT INTO runs (ended_at, record) VALUES (?1, ?2)", [ended_at, record])
            .map(drop)
            .in_casebook(&self.folder)
    }

    /// The records of runs, in their order: when each ended, and its JSON document.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn runs(&self) -> Result<Vec<(String, String)>, CasebookError> {
        self.connection
            .prepare("SELECT ended_at, record FROM runs ORDER BY run")
            .and_then(|mut statement| {
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).and_then(Iterator::collect)
            })
            .in_casebook(&self.folder)
    }

    /// Whether the record is whole: what SQLite says of the file, whether every reference leads somewhere, and
    /// whether each comment is coded and every value can be read. Gives the faults, in Japanese; none is good.
    ///
    /// # Errors
    ///
    /// When the record cannot be read at all.
    pub fn check(&self) -> Result<Vec<String>, CasebookError> {
        let mut faults = faults_of(&self.connection).in_casebook(&self.folder)?;
        if !faults.is_empty() {
            // What lies on damaged pages would only repeat it.
            return Ok(faults);
        }
        let mut comments = 0_u64;
        let mut hidden = 0;
        let mut name = |fault: String| if faults.len() < NAMED { faults.push(fault) } else { hidden += 1 };
        self.for_each(|stored| {
            comments += 1;
            let length = stored.comment.text.chars().count();
            for coding in &stored.codings {
                if coding.evidence.iter().any(|evidence| {
                    evidence.char_range.start >= evidence.char_range.end || evidence.char_range.end > length
                }) {
                    name(format!("コメント {} の根拠の範囲が本文の外にあります", stored.comment.id));
                }
            }
            Ok::<_, CasebookError>(())
        })?;
        if hidden > 0 {
            faults.push(format!("ほか {hidden} 件"));
        }
        let counted = self.comment_count()?;
        if comments != counted {
            faults.push(format!("コメントは {counted} 件のはずですが、読めるのは {comments} 件です"));
        }
        let uncoded: i64 = self
            .connection
            .query_row(
                "SELECT count(*) FROM comments WHERE position NOT IN (SELECT position FROM classifications)",
                [],
                |row| row.get(0),
            )
            .in_casebook(&self.folder)?;
        if uncoded > 0 {
            faults.push(format!("分類した記録のないコメントが {uncoded} 件あります"));
        }
        self.revision()?;
        self.frame()?;
        Ok(faults)
    }

    /// Copies the record into a new file while others may go on reading and writing, and makes sure that the copy
    /// is whole; gives its number of comments. The copy is one file: put it as `casebook.sqlite` into a folder of
    /// its own and it is a casebook. Nothing is left where it fails.
    ///
    /// # Errors
    ///
    /// When the record cannot be read or is not whole, or the copy cannot be written.
    pub fn backup(&self, to: &Path) -> Result<u64, CasebookError> {
        let copied = self.copy_to(to);
        if copied.is_err() {
            for end in ["", "-wal", "-shm", "-journal"] {
                let mut path = to.as_os_str().to_owned();
                path.push(end);
                let _ = fs::remove_file(PathBuf::from(path));
            }
        }
        copied
    }

    fn copy_to(&self, to: &Path) -> Result<u64, CasebookError> {
        let mut copy = Connection::open(to).map_err(|error| CasebookError::from_backup(&self.folder, to, error))?;
        Backup::new(&self.connection, &mut copy)
            // All pages in one step: a snapshot, which other processes' writing does not make begin again.
            .and_then(|backup| backup.run_to_completion(i32::MAX, std::time::Duration::from_millis(50), None))
            .map_err(|error| CasebookError::from_backup(&self.folder, to, error))?;
        let finish = || -> rusqlite::Result<(Vec<String>, i64)> {
            copy.pragma_update(None, "journal_mode", "DELETE")?;
            let faults = faults_of(&copy)?;
            Ok((faults, copy.query_row("SELECT count(*) FROM comments", [], |row| row.get(0))?))
        };
        let (faults, comments) = finish().map_err(|error| CasebookError::from_backup(&self.folder, to, error))?;
        drop(copy);
        match faults.first() {
            None => Ok(comments as u64),
            Some(fault) => Err(CasebookError::BackupFaulty { folder: self.folder.clone(), fault: fault.clone() }),
        }
    }
}

/// Opens a record for reading alone, without bringing its schema up to date; for a look at its revision.
pub(crate) fn revision_at(folder: &Path) -> rusqlite::Result<u64> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let read = |connection: Connection| super::read_meta(&connection, "revision");
    let revision = match Connection::open_with_flags(folder.join(FILE), flags).and_then(read) {
        // SQLite cannot make its log beside the record: a medium that is only for reading.
        Err(error) if super::error::is_unwritable(&error) && !super::has_log(folder) => {
            let flags = flags | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(super::unchanging(&folder.join(FILE)), flags).and_then(read)?
        }
        revision => revision?,
    };
    Ok(revision.parse().unwrap_or(0))
}

/// What SQLite finds amiss in a file.
fn faults_of(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut faults: Vec<String> = connection
        .prepare("PRAGMA integrity_check(100)")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    faults.retain(|fault| fault != "ok");
    faults.extend(orphans(connection)?);
    Ok(faults)
}

/// The first rows that refer to what is not there.
pub(super) fn orphans(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let orphans = statement.query_map([], |row| {
        Ok(format!(
            "{} の {} 行目が指す {} の行がありません",
            row.get::<_, String>(0)?,
            row.get::<_, Option<i64>>(1)?.unwrap_or(0),
            row.get::<_, String>(2)?
        ))
    })?;
    orphans.take(NAMED).collect()
}
