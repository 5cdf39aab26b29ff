//! The casebook: the folder that holds a project. `casebook.sqlite` is the record: files that came in, comments,
//! what the rules say of them and what people decide; `index/` beside it is derived and can always be rebuilt.
//! The only user of rusqlite.

mod batch;
mod care;
mod coding;
mod decision;
mod error;
mod import;
mod read;
mod recode;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};
use serde::{Deserialize, Serialize};

use crate::codebook::{CategoryKind, Codebook};

pub use batch::{Appended, BatchInfo, StoredBatch, StoredDecision, Undo};
pub use care::{CasebookInfo, CoderCount, ImportedFile};
pub use coding::Coder;
pub use decision::{Action, Decision, Judgement, RejectedReplacement, Replacement, ReplacementKind, Standing};
pub use error::CasebookError;
pub use import::{Absent, Change, Import, ImportReport, ImportSource, Recorded};
pub use read::{Kept, StoredCoding, StoredComment};
pub use recode::{CategoryChange, RecodeReport, Recoding};

pub(crate) use care::revision_at;

use error::InCasebook;

/// Name of the record in the casebook's folder.
pub const FILE: &str = "casebook.sqlite";

/// The schema's versions in order; `PRAGMA user_version` counts those that were applied.
const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
];

/// Marks the SQLite file as a casebook (`jire`).
const APPLICATION_ID: i32 = 0x6a69_7265;

/// How long to wait for another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// A category as the casebook and the index remember it, so that both can be read without the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameCategory {
    /// English identifier.
    pub id: Arc<str>,
    /// Section or list.
    pub kind: CategoryKind,
    /// Heading in the report.
    pub heading: String,
    /// Short name.
    pub short: String,
}

/// The categories of a codebook in report order.
pub fn frame_of(codebook: &Codebook) -> Vec<FrameCategory> {
    codebook
        .categories()
        .iter()
        .map(|category| FrameCategory {
            id: category.id.clone(),
            kind: category.kind,
            heading: category.heading.clone(),
            short: category.short.clone(),
        })
        .collect()
}

/// An open casebook.
#[derive(Debug)]
pub struct Casebook {
    folder: PathBuf,
    connection: Connection,
}

impl Casebook {
    /// Opens a casebook and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// When the folder is missing, holds no casebook, a newer or a damaged one, or is held by another process.
    pub fn open(folder: &Path) -> Result<Self, CasebookError> {
        if !folder.is_dir() {
            return Err(CasebookError::no_folder(folder));
        }
        if !folder.join(FILE).is_file() {
            return Err(CasebookError::NotACasebook(folder.to_path_buf()));
        }
        Self::connect(folder, false)
    }

    /// Opens a casebook, or makes the folder and an empty one.
    ///
    /// # Errors
    ///
    /// As [`Casebook::open`], and when the folder cannot be made.
    pub fn open_or_create(folder: &Path) -> Result<Self, CasebookError> {
        if folder.is_file() {
            return Err(CasebookError::no_folder(folder));
        }
        fs::create_dir_all(folder).map_err(|source| CasebookError::Create { folder: folder.to_path_buf(), source })?;
        Self::connect(folder, true)
    }

    fn connect(folder: &Path, create: bool) -> Result<Self, CasebookError> {
        match Self::connect_writable(folder, create, "NORMAL") {
            Err(CasebookError::ReadOnly(_)) if !create => Self::open_unwritable(folder),
            // There is no room for the file by which processes share the log; who has it alone keeps that in memory.
            Err(CasebookError::DiskFull(_)) if !create => Self::connect_writable(folder, create, "EXCLUSIVE"),
            connected => connected,
        }
    }

    fn connect_writable(folder: &Path, create: bool, locking_mode: &str) -> Result<Self, CasebookError> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
        let mut connection = Connection::open_with_flags(folder.join(FILE), flags).in_casebook(folder)?;
        connection.busy_timeout(PATIENCE).in_casebook(folder)?;
        connection.pragma_update(None, "locking_mode", locking_mode).in_casebook(folder)?;
        prepare(&mut connection, folder, create)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self { folder: folder.to_path_buf(), connection })
    }

    /// Opens a casebook that this process cannot write to, on a medium or in a folder that is only for reading. SQLite's
    /// log needs a folder to write in, so it must have been closed, or be in use by somebody who can.
    fn open_unwritable(folder: &Path) -> Result<Self, CasebookError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = if has_log(folder) {
            let connection = Connection::open_with_flags(folder.join(FILE), flags).in_casebook(folder)?;
            connection.busy_timeout(PATIENCE).in_casebook(folder)?;
            if let Err(error) = version(&connection).in_casebook(folder) {
                return Err(match error {
                    CasebookError::ReadOnly(folder) => CasebookError::Unclosed(folder),
                    error => error,
                });
            }
            connection
        } else {
            let flags = flags | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(unchanging(&folder.join(FILE)), flags).in_casebook(folder)?
        };
        if identify(&connection, folder, false)? < MIGRATIONS.len() as u32 {
            return Err(CasebookError::ReadOnly(folder.to_path_buf()));
        }
        Ok(Self { folder: folder.to_path_buf(), connection })
    }

    /// The casebook's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether it can only be read: its folder or medium takes no writing.
    pub fn is_read_only(&self) -> bool {
        self.connection.is_readonly("main").unwrap_or(false)
    }

    /// Counts the changes of the record: the index carries the number that it was made from.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn revision(&self) -> Result<u64, CasebookError> {
        let value = self.meta("revision")?;
        value.parse().map_err(|_| CasebookError::Value {
            folder: self.folder.clone(),
            what: format!("meta: revision = `{value}`"),
        })
    }

    /// What tells this casebook from others, wherever its folder is moved to: 32 hexadecimal digits, drawn when it is
    /// made (or, where an older version of the program made it, when it is first opened to be written).
    ///
    /// # Errors
    ///
    /// When the record cannot be read, or not be written the first time.
    pub fn identity(&mut self) -> Result<String, CasebookError> {
        let Self { folder, connection } = self;
        if !has_identity(connection).in_casebook(folder)? {
            draw_identity(connection).in_casebook(folder)?;
        }
        self.meta("identity")
    }

    /// Version of the dictionary that the last import was analysed with; empty before the first.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn dictionary_version(&self) -> Result<String, CasebookError> {
        self.meta("dictionary")
    }

    /// Versions of the rule sets that the comments are coded with, the newest last: more than one where rules
    /// changed between imports.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn rule_versions(&self) -> Result<Vec<String>, CasebookError> {
        let sql = "SELECT version FROM rule_sets WHERE rule_set IN (SELECT rule_set FROM classifications)
             GROUP BY version ORDER BY max(rule_set)";
        let mut statement = self.connection.prepare(sql).in_casebook(&self.folder)?;
        let versions = statement.query_map([], |row| row.get(0)).and_then(Iterator::collect);
        versions.in_casebook(&self.folder)
    }

    /// The categories in report order as of the last import.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub fn frame(&self) -> Result<Vec<FrameCategory>, CasebookError> {
        serde_json::from_str(&self.meta("frame")?).map_err(|error| CasebookError::Value {
            folder: self.folder.clone(),
            what: format!("meta: frame: {error}"),
        })
    }

    /// How long to wait for another process that writes; five seconds unless said otherwise.
    ///
    /// # Errors
    ///
    /// When SQLite refuses.
    pub fn set_patience(&self, patience: Duration) -> Result<(), CasebookError> {
        self.connection.busy_timeout(patience).in_casebook(&self.folder)
    }

    /// Holds off other writers until the guard is dropped; readers go on.
    ///
    /// # Errors
    ///
    /// When another process writes for longer than one waits.
    pub fn lock(&mut self) -> Result<WriteLock<'_>, CasebookError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        Ok(WriteLock { _transaction: transaction.in_casebook(&self.folder)?, folder: &self.folder })
    }

    fn meta(&self, name: &str) -> Result<String, CasebookError> {
        read_meta(&self.connection, name).in_casebook(&self.folder)
    }
}

/// Keeps other writers out of a casebook; see [`Casebook::lock`].
#[derive(Debug)]
pub struct WriteLock<'c> {
    _transaction: rusqlite::Transaction<'c>,
    folder: &'c Path,
}

impl WriteLock<'_> {
    /// The record as it stands under the lock.
    pub(crate) fn reader(&self) -> read::Reader<'_> {
        read::Reader { connection: &self._transaction, folder: self.folder }
    }
}

fn read_meta(connection: &Connection, name: &str) -> rusqlite::Result<String> {
    connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0))
}

fn write_meta(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )?
        .execute([name, value])
        .map(drop)
}

fn has_identity(connection: &Connection) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM meta WHERE name = 'identity'")?.exists([])
}

fn draw_identity(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('identity', lower(hex(randomblob(16))))", [])
        .map(drop)
}

/// One more change of the record; gives the new number.
fn next_revision(connection: &Connection) -> rusqlite::Result<u64> {
    let revision = read_meta(connection, "revision")?.parse::<u64>().unwrap_or(0) + 1;
    write_meta(connection, "revision", &revision.to_string())?;
    Ok(revision)
}

/// Whether SQLite's log of a record holds anything.
fn has_log(folder: &Path) -> bool {
    fs::metadata(folder.join(format!("{FILE}-wal"))).is_ok_and(|log| log.len() > 0)
}

/// A file as a URI which tells SQLite that nobody changes it, so that it needs neither lock nor log.
fn unchanging(file: &Path) -> String {
    let path = fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    let path = path.to_string_lossy();
    // Windows writes `\\?\C:\…` for a whole path.
    let path = path.strip_prefix(r"\\?\").unwrap_or(&path).replace('\\', "/");
    let mut uri = String::from(if path.starts_with('/') { "file:" } else { "file:/" });
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => uri.push(byte.into()),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// Makes sure that a file is a casebook that this program knows, or an empty file where one may be made; gives the
/// version of its schema.
fn identify(connection: &Connection, folder: &Path, create: bool) -> Result<u32, CasebookError> {
    // All at one moment: another process may be making the casebook just now.
    let connection = &connection.unchecked_transaction().in_casebook(folder)?;
    let found = version(connection).in_casebook(folder)?;
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).in_casebook(folder)?;
    let is_empty = connection
        .query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()))
        .optional()
        .in_casebook(folder)?
        .is_none();
    if is_empty && !create || !is_empty && (id != APPLICATION_ID || found == 0) {
        return Err(CasebookError::NotACasebook(folder.to_path_buf()));
    }
    let known = MIGRATIONS.len() as u32;
    if found > known {
        return Err(CasebookError::TooNew { folder: folder.to_path_buf(), found, known });
    }
    Ok(found)
}

/// Sets the connection up, makes sure that the file is a casebook and applies the migrations that it lacks.
fn prepare(connection: &mut Connection, folder: &Path, create: bool) -> Result<(), CasebookError> {
    let found = identify(connection, folder, create)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; \
             PRAGMA cache_size = -65536;",
        )
        .in_casebook(folder)?;
    if found < MIGRATIONS.len() as u32 {
        migrate(connection, folder)?;
    }
    if !has_identity(connection).in_casebook(folder)? {
        // Nobody is kept waiting for it: where another process writes just now, the next one to open it does it.
        connection.busy_timeout(Duration::ZERO).in_casebook(folder)?;
        let _ = draw_identity(connection);
        connection.busy_timeout(PATIENCE).in_casebook(folder)?;
    }
    connection.pragma_update(None, "foreign_keys", true).in_casebook(folder)
}

/// Applies the migrations that a record lacks, all or none.
fn migrate(connection: &mut Connection, folder: &Path) -> Result<(), CasebookError> {
    // Tables that others refer to can be replaced only while references are not watched; they are looked at afterwards.
    connection.pragma_update(None, "foreign_keys", false).in_casebook(folder)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).in_casebook(folder)?;
    // Another process may have been faster.
    let found = version(&transaction).in_casebook(folder)? as usize;
    for migration in &MIGRATIONS[found.min(MIGRATIONS.len())..] {
        transaction.execute_batch(migration).in_casebook(folder)?;
    }
    draw_identity(&transaction).in_casebook(folder)?;
    let orphans = care::orphans(&transaction).in_casebook(folder)?;
    if let Some(orphan) = orphans.first() {
        return Err(CasebookError::Value { folder: folder.to_path_buf(), what: orphan.clone() });
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).in_casebook(folder)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32).in_casebook(folder)?;
    transaction.commit().in_casebook(folder)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
