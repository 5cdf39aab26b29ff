//! The index: what search reads. Derived from the casebook, in `index/` beside the record; deleting it loses nothing.
//!
//! The index carries the record's revision and its makers' versions in each commit. The record is committed first
//! and the index right after; a file `index.pending` stands between the two, so that search sees without opening
//! the record that the index has fallen behind.

mod check;
mod directory;
mod error;
pub(crate) mod kana;
mod recode;
mod schema;
pub(crate) mod tokens;

use std::{
    collections::BTreeSet,
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tantivy::{
    Directory, Index, IndexSettings, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term,
    directory::{INDEX_WRITER_LOCK, Lock, MmapDirectory, error::LockError},
};

use crate::{
    analyze::Analyzer,
    casebook::{
        Appended, BatchInfo, Casebook, CasebookError, Change, Decision, FrameCategory, ImportReport, ImportSource,
        StoredComment, StoredDecision, Undo,
    },
    classify::Classification,
    codebook::Codebook,
    comment::{Comment, CommentId},
};

pub use check::{check, state};
pub use error::IndexError;
pub use recode::recode;
pub use tokens::{DocumentTokens, TokenMaker, TokenMakers};

pub(crate) use error::InIndex;
pub(crate) use schema::Fields;

use directory::{IndexDirectory, Refusal, is_unwritable};
use schema::{PACKED, PackedTokenizer, SCHEMA_VERSION};

/// Name of the index's folder in the casebook's.
pub const FOLDER: &str = "index";
const NEW_FOLDER: &str = "index.new";
const OLD_FOLDER: &str = "index.old";
const PENDING: &str = "index.pending";

/// Bytes that a writing thread may hold before it writes a segment.
const THREAD_BUDGET: usize = 40_000_000;

/// An index of at most so many bytes is checked byte for byte when it is opened, which takes a few milliseconds; in
/// a larger one damage shows when it is read.
const CHECKED_BYTES: u64 = 8_000_000;

/// How long to wait for another process that still tidies up the index after it has let go of the record.
const PATIENCE: Duration = Duration::from_secs(30);

/// Comments whose tokens are made at a time when an index is made anew.
const BLOCK: usize = 2048;

/// Values of answers longer than this are free text, not something to filter by.
const ATTRIBUTE_CHARS: usize = 64;

/// What made an index; it goes with each of its commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexInfo {
    /// Version of the fields and tokens.
    pub schema: u32,
    /// Version of the dictionary that analysed the texts.
    pub dictionary: String,
    /// Version of the newest rule set that coded them.
    pub rules: String,
    /// Revision of the record.
    pub revision: u64,
    /// The categories in report order.
    pub frame: Vec<FrameCategory>,
}

/// A comment on its way into the casebook.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The comment.
    pub comment: Comment,
    /// What the rules say of it.
    pub classification: Classification,
    /// Its tokens, where the thread that analysed it has made them.
    pub tokens: Option<DocumentTokens>,
}

impl Entry {
    /// An entry whose text is analysed again when it turns out to be new.
    pub fn new(comment: Comment, classification: Classification) -> Self {
        Self { comment, classification, tokens: None }
    }

    /// An entry with its tokens, so that its text is analysed once.
    pub fn with_tokens(comment: Comment, classification: Classification, tokens: DocumentTokens) -> Self {
        Self { comment, classification, tokens: Some(tokens) }
    }
}

/// Brings a file's comments into the record and the index; one transaction, bounded memory.
///
/// # Errors
///
/// When the record or the index cannot be written: both are then as before.
pub fn import(
    casebook: &mut Casebook,
    maker: &mut TokenMaker<'_>,
    source: &ImportSource,
    codebook: &Codebook,
    entries: impl IntoIterator<Item = Entry>,
) -> Result<ImportReport, IndexError> {
    try_import(casebook, maker, source, codebook, entries.into_iter().map(Ok::<_, IndexError>))
}

/// As [`import`], with entries that may fail to come: nothing is kept then.
///
/// # Errors
///
/// As [`import`], and the first error among the entries.
pub fn try_import<E: From<IndexError>>(
    casebook: &mut Casebook,
    maker: &mut TokenMaker<'_>,
    source: &ImportSource,
    codebook: &Codebook,
    entries: impl IntoIterator<Item = Result<Entry, E>>,
) -> Result<ImportReport, E> {
    import_if(casebook, maker, source, codebook, entries, |_| Ok(()))
}

/// As [`try_import`], and once all entries are in, `agree` looks at what would come of it: nothing is kept where it
/// disagrees.
///
/// # Errors
///
/// As [`try_import`], and what `agree` gives back.
pub fn import_if<E: From<IndexError>>(
    casebook: &mut Casebook,
    maker: &mut TokenMaker<'_>,
    source: &ImportSource,
    codebook: &Codebook,
    entries: impl IntoIterator<Item = Result<Entry, E>>,
    agree: impl FnOnce(&ImportReport) -> Result<(), E>,
) -> Result<ImportReport, E> {
    let folder = casebook.folder().to_path_buf();
    let folder = folder.as_path();
    let mut import = casebook.begin_import(source, codebook).map_err(IndexError::from)?;
    let revision = import.revision_before().map_err(IndexError::from)?;
    let mut writer = Writer::open_current(folder, revision, &source.dictionary)?;
    for entry in entries {
        let Entry { mut comment, classification, tokens } = entry?;
        let recorded = import.add(&comment, &classification, codebook).map_err(IndexError::from)?;
        if let Some(id) = recorded.renamed {
            comment.id = id;
        }
        let Some(writer) = &mut writer else { continue };
        if matches!(recorded.change, Change::Unchanged | Change::Repeated) {
            continue;
        }
        let tokens = tokens.unwrap_or_else(|| maker.tokens(&comment.text));
        let document = Document {
            comment: &comment,
            position: recorded.position,
            categories: recorded.categories.iter().map(|id| &**id).collect(),
            primary: recorded.primary.as_deref(),
            good_quote: recorded.good_quote,
            tokens,
        };
        writer.put(document, recorded.change != Change::Added)?;
    }
    agree(import.report())?;
    if !import.changed() {
        let is_current = writer.is_some();
        drop(writer);
        let report = import.commit().map_err(IndexError::from)?;
        // What an interrupted run left undone.
        if !is_current {
            rebuild_with(casebook, maker, &source.dictionary)?;
        }
        return Ok(report);
    }
    let info = IndexInfo {
        schema: SCHEMA_VERSION,
        dictionary: source.dictionary.clone(),
        rules: source.rules.clone(),
        revision: import.next_revision().map_err(IndexError::from)?,
        frame: crate::casebook::frame_of(codebook),
    };
    let (report, indexed) = commit_both(folder, writer, &info, || Ok(import.commit()?))?;
    if indexed.is_err() {
        rebuild_with(casebook, maker, &source.dictionary)?;
    }
    Ok(report)
}

/// Commits the record and right after it the index. Gives what became of the index by itself: where it failed, the
/// record stands and the index has to be made anew.
fn commit_both<T>(
    folder: &Path,
    writer: Option<Writer>,
    info: &IndexInfo,
    commit: impl FnOnce() -> Result<T, IndexError>,
) -> Result<(T, Result<(), IndexError>), IndexError> {
    let Some(writer) = writer else {
        mark_pending(folder)?;
        return Ok((commit()?, Err(IndexError::Missing(folder.to_path_buf()))));
    };
    let mut done = None;
    let between = || {
        mark_pending(folder)?;
        // Without the record's commit the index, which was current, still is.
        done = Some(commit().inspect_err(|_| clear_pending(folder))?);
        Ok(())
    };
    let indexed = writer.commit_with(info, between, || clear_pending(folder));
    match (done, indexed) {
        (Some(done), indexed) => Ok((done, indexed)),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => unreachable!("the index is committed after the record alone"),
    }
}

/// Makes the index anew from the record, beside the old one, and puts it in its place.
///
/// # Errors
///
/// When the record cannot be read or the index cannot be written: the old one then stays.
pub fn rebuild(casebook: &mut Casebook, maker: &mut TokenMaker<'_>) -> Result<IndexInfo, IndexError> {
    let dictionary = casebook.dictionary_version()?;
    rebuild_with(casebook, maker, &dictionary)
}

/// Makes sure that the index fits the record and the dictionary; `true` where it had to be made anew.
///
/// # Errors
///
/// As [`rebuild`], and when the casebook cannot be opened.
pub fn ensure(folder: &Path, maker: &mut TokenMaker<'_>, dictionary: &str) -> Result<bool, IndexError> {
    let mut casebook = Casebook::open(folder)?;
    let fits = {
        let lock = casebook.lock()?;
        let revision = lock.reader().revision()?;
        let fits = || -> Result<bool, IndexError> {
            let fits = guarded(folder, || {
                let index = OpenIndex::open_files(folder)?;
                Ok(index.info.check(folder, dictionary).is_ok()
                    && index.info.revision == revision
                    && index.is_whole(folder)?)
            });
            match fits {
                Err(error) if error.needs_rebuild() => Ok(false),
                fits => fits,
            }
        };
        // Whoever was writing has committed the record, for the lock is ours, but the index may still be to come.
        fits()? || {
            wait_for_writer(folder)?;
            fits()?
        }
    };
    if fits {
        clear_pending(folder);
        return Ok(false);
    }
    rebuild_with(&mut casebook, maker, dictionary)?;
    Ok(true)
}

/// As [`rebuild`], and says that this version of the dictionary makes the tokens.
///
/// # Errors
///
/// As [`rebuild`].
pub fn rebuild_with(
    casebook: &mut Casebook,
    maker: &mut TokenMaker<'_>,
    dictionary: &str,
) -> Result<IndexInfo, IndexError> {
    let folder = casebook.folder().to_path_buf();
    let folder = folder.as_path();
    let lock = casebook.lock()?;
    let reader = lock.reader();
    let info = IndexInfo {
        schema: SCHEMA_VERSION,
        dictionary: dictionary.to_owned(),
        rules: reader.rules()?,
        revision: reader.revision()?,
        frame: reader.frame()?,
    };
    let new = folder.join(NEW_FOLDER);
    remove_folder(&new).in_index(folder)?;
    let written = Writer::create(folder, &new).and_then(|mut writer| {
        let makers = TokenMakers::new(maker.analyzer());
        let mut block = Vec::with_capacity(BLOCK);
        reader.for_each_in(i64::MIN, i64::MAX, |stored| {
            block.push(stored);
            if block.len() < BLOCK { Ok(()) } else { writer.put_block(&mut block, &makers) }
        })?;
        writer.put_block(&mut block, &makers)?;
        writer.commit_with(&info, || Ok(()), || ())
    });
    if let Err(error) = written {
        // What is half written would only take up room.
        let _ = remove_folder(&new);
        return Err(error);
    }
    put_in_place(folder, &new).in_index(folder)?;
    clear_pending(folder);
    Ok(info)
}

/// Records the decisions of one deed and brings the index up to date.
///
/// # Errors
///
/// As [`Casebook::append_decisions`], and when the index cannot be written.
pub fn decide(
    casebook: &mut Casebook,
    maker: &mut TokenMaker<'_>,
    info: &BatchInfo,
    decisions: &[Decision],
) -> Result<Appended, IndexError> {
    if decisions.is_empty() {
        return Ok(Appended::default());
    }
    let before = casebook.revision()?;
    mark_pending(casebook.folder())?;
    let appended = casebook.append_decisions(info, decisions)?;
    let ids: BTreeSet<&CommentId> = decisions.iter().map(|decision| &decision.comment).collect();
    refresh(casebook, maker, before, ids)?;
    Ok(appended)
}

/// Takes one decision back and brings the index up to date.
///
/// # Errors
///
/// When there is no such decision that stands, or the record or the index cannot be written.
pub fn undo_decision(
    casebook: &mut Casebook,
    maker: &mut TokenMaker<'_>,
    number: i64,
    undo: &Undo,
) -> Result<(), IndexError> {
    undo_with(casebook, maker, |stored| stored.number == number, |casebook| casebook.undo_decision(number, undo))
}

/// Takes back whatever still stands of a batch and brings the index up to date; gives how many decisions that were.
///
/// # Errors
///
/// When there is no such batch, nothing of it stands, or the record or the index cannot be written.
pub fn undo_batch(
    casebook: &mut Casebook,
    maker: &mut TokenMaker<'_>,
    number: i64,
    undo: &Undo,
) -> Result<u64, IndexError> {
    undo_with(casebook, maker, |stored| stored.batch == number, |casebook| casebook.undo_batch(number, undo))
}

fn undo_with<T>(
    casebook: &mut Casebook,
    maker: &mut TokenMaker<'_>,
    concerns: impl Fn(&StoredDecision) -> bool,
    undo: impl FnOnce(&mut Casebook) -> Result<T, CasebookError>,
) -> Result<T, IndexError> {
    let before = casebook.revision()?;
    let decisions = casebook.decisions()?;
    let ids: BTreeSet<&CommentId> = decisions
        .iter()
        .filter(|stored| stored.undone.is_none() && concerns(stored))
        .map(|stored| &stored.decision.comment)
        .collect();
    if !ids.is_empty() {
        mark_pending(casebook.folder())?;
    }
    let undone = undo(casebook)?;
    refresh(casebook, maker, before, ids)?;
    Ok(undone)
}

/// Writes comments into the index again after the record changed in them alone.
fn refresh(
    casebook: &mut Casebook,
    maker: &mut TokenMaker<'_>,
    before: u64,
    ids: BTreeSet<&CommentId>,
) -> Result<(), IndexError> {
    let folder = casebook.folder().to_path_buf();
    let dictionary = casebook.dictionary_version()?;
    let revision = casebook.revision()?;
    // Where another process got in between, its comments may be missing: then all is read again.
    let writer = if revision == before + 1 { Writer::open_current(&folder, before, &dictionary)? } else { None };
    let Some(mut writer) = writer else {
        rebuild(casebook, maker)?;
        return Ok(());
    };
    for id in ids {
        if let Some(stored) = casebook.comment(id)? {
            writer.delete(id);
            let tokens = maker.tokens(&stored.comment.text);
            writer.put_stored(&stored, tokens)?;
        }
    }
    let info = IndexInfo { revision, ..writer.info.clone() };
    writer.commit_with(&info, || Ok(()), || clear_pending(&folder))
}

impl IndexInfo {
    fn check(&self, folder: &Path, dictionary: &str) -> Result<(), IndexError> {
        let reason = if self.schema != SCHEMA_VERSION {
            format!("索引の形式 {} → {SCHEMA_VERSION}", self.schema)
        } else if self.dictionary != dictionary {
            format!("辞書 {} → {dictionary}", self.dictionary)
        } else {
            return Ok(());
        };
        Err(IndexError::Outdated { folder: folder.to_path_buf(), reason })
    }
}

/// An index as search reads it.
#[derive(Debug)]
pub(crate) struct OpenIndex {
    pub(crate) index: Index,
    pub(crate) fields: Fields,
    pub(crate) info: IndexInfo,
    refusal: Refusal,
}

impl OpenIndex {
    /// Opens the index of a casebook without opening the record.
    pub(crate) fn open(folder: &Path, dictionary: &str) -> Result<Self, IndexError> {
        if !folder.is_dir() {
            return Err(CasebookError::no_folder(folder).into());
        }
        if !folder.join(crate::casebook::FILE).is_file() {
            return Err(CasebookError::NotACasebook(folder.to_path_buf()).into());
        }
        let is_pending = folder.join(PENDING).exists();
        let unsettled = || {
            let reason = "前回の取り込みが途中で止まったか、別のプロセスが取り込み中".to_owned();
            IndexError::Outdated { folder: folder.to_path_buf(), reason }
        };
        // Where nothing can be written nobody waits for a writer or tidies up: the revisions decide.
        if is_pending && !is_settled_by_nobody(folder) {
            return Err(unsettled());
        }
        guarded(folder, || {
            let index = Self::open_files(folder)?;
            index.info.check(folder, dictionary)?;
            match crate::casebook::revision_at(folder) {
                Ok(revision) if revision != index.info.revision => {
                    let reason = format!("記録の版 {} → {revision}", index.info.revision);
                    return Err(IndexError::Outdated { folder: folder.to_path_buf(), reason });
                }
                Err(_) if is_pending => return Err(unsettled()),
                // A record that cannot be read just now does not keep anyone from searching.
                Ok(_) | Err(_) => {}
            }
            let files = fs::read_dir(folder.join(FOLDER)).in_index(folder)?;
            let bytes = files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).sum::<u64>();
            if bytes <= CHECKED_BYTES && !index.is_whole(folder)? {
                let message = "ファイルの中身が書いたときと違います".to_owned();
                return Err(IndexError::Damaged { folder: folder.to_path_buf(), message });
            }
            Ok(index)
        })
    }

    fn open_files(folder: &Path) -> Result<Self, IndexError> {
        let files = folder.join(FOLDER);
        if !files.join("meta.json").is_file() {
            return Err(if files.join(".managed.json").is_file() {
                IndexError::Damaged { folder: folder.to_path_buf(), message: "meta.json がありません".into() }
            } else {
                IndexError::Missing(folder.to_path_buf())
            });
        }
        let damaged = |message: String| IndexError::Damaged { folder: folder.to_path_buf(), message };
        let directory = IndexDirectory::open(&files, folder.join(crate::casebook::FILE))
            .map_err(TantivyError::from)
            .in_index(folder)?;
        let refusal = directory.refusal();
        let index = Index::open(directory).in_index(folder)?;
        index.tokenizers().register(PACKED, PackedTokenizer::default());
        let payload = index.load_metas().in_index(folder)?.payload.unwrap_or_default();
        let info: IndexInfo = serde_json::from_str(&payload).map_err(|error| damaged(error.to_string()))?;
        let (schema, fields) = schema::schema();
        if info.schema == SCHEMA_VERSION && index.schema() != schema {
            return Err(damaged("項目が形式と合いません".into()));
        }
        Ok(Self { index, fields, info, refusal })
    }

    /// Whether every file is as it was written, byte for byte.
    ///
    /// # Errors
    ///
    /// When that cannot be seen: where files may not be read, or somebody holds them.
    fn is_whole(&self, folder: &Path) -> Result<bool, IndexError> {
        let look = || {
            if !self.index.validate_checksum().in_index(folder)?.is_empty() {
                return Ok(false);
            }
            // A reader with the usual policy would watch the folder from a thread of its own.
            let reader = self.index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
            reader.map(|_: tantivy::IndexReader| true).in_index(folder)
        };
        match look() {
            Err(error) if error.needs_rebuild() => Ok(false),
            looked => looked,
        }
    }
}

/// A comment as the index takes it.
struct Document<'d> {
    comment: &'d Comment,
    position: u64,
    categories: Vec<&'d str>,
    primary: Option<&'d str>,
    good_quote: Option<bool>,
    tokens: DocumentTokens,
}

/// Writes an index; nothing shows before [`Writer::commit_with`].
struct Writer {
    folder: PathBuf,
    writer: IndexWriter,
    fields: Fields,
    info: IndexInfo,
    refusal: Refusal,
    // Dropped after the writer, which holds the lock.
    leftovers: Leftovers,
}

/// Deletes what a writer leaves that did not come to its commit; a full disk would stay full of it.
struct Leftovers {
    /// `None` when all is kept.
    index: Option<Index>,
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        let Some(index) = self.index.take() else { return };
        // What cannot be deleted now the next writer deletes.
        let _ = index
            .writer_with_num_threads::<TantivyDocument>(1, THREAD_BUDGET)
            .and_then(|writer| writer.garbage_collect_files().wait());
    }
}

impl Writer {
    /// The casebook's index if it fits the revision and the dictionary. For a casebook without comments an empty
    /// index is made; `None` means that it has to be made anew.
    fn open_current(folder: &Path, revision: u64, dictionary: &str) -> Result<Option<Self>, IndexError> {
        let files = folder.join(FOLDER);
        if revision == 0 {
            remove_folder(&files).in_index(folder)?;
            return Self::create(folder, &files).map(Some);
        }
        let opened = match guarded(folder, || OpenIndex::open_files(folder)) {
            Ok(opened) => opened,
            Err(error) if error.needs_rebuild() => return Ok(None),
            Err(error) => return Err(error),
        };
        if opened.info.revision != revision || opened.info.check(folder, dictionary).is_err() {
            return Ok(None);
        }
        Self::over(folder, opened).map(Some)
    }

    fn create(folder: &Path, files: &Path) -> Result<Self, IndexError> {
        fs::create_dir_all(files).in_index(folder)?;
        let (schema, fields) = schema::schema();
        let directory = IndexDirectory::open(files, folder.join(crate::casebook::FILE))
            .map_err(TantivyError::from)
            .in_index(folder)?;
        let refusal = directory.refusal();
        let index = Index::create(directory, schema, IndexSettings::default()).in_index(folder)?;
        index.tokenizers().register(PACKED, PackedTokenizer::default());
        let info = IndexInfo {
            schema: SCHEMA_VERSION,
            dictionary: String::new(),
            rules: String::new(),
            revision: 0,
            frame: Vec::new(),
        };
        Self::over(folder, OpenIndex { index, fields, info, refusal })
    }

    fn over(folder: &Path, opened: OpenIndex) -> Result<Self, IndexError> {
        let OpenIndex { index, fields, info, refusal } = opened;
        let threads = thread::available_parallelism().map_or(1, usize::from).clamp(1, 3);
        let since = Instant::now();
        let writer = loop {
            match index.writer_with_num_threads(threads, threads * THREAD_BUDGET) {
                // Who wrote before may still be merging segments.
                Err(TantivyError::LockFailure(LockError::LockBusy, _)) if since.elapsed() < PATIENCE => {
                    thread::sleep(Duration::from_millis(20));
                }
                writer => break refusal.in_index(folder, writer)?,
            }
        };
        // A deletion of nothing. tantivy gives the first operation the number of the last commit; a merge of what was
        // committed, such as an interrupted run leaves to the next, takes that for part of the commit and then forgets it
        // for the segments that have deletions of that commit already: the first comment to be replaced would stay.
        writer.delete_term(Term::from_field_text(fields.id, ""));
        let leftovers = Leftovers { index: Some(index) };
        Ok(Self { folder: folder.to_path_buf(), writer, fields, info, refusal, leftovers })
    }

    fn delete(&self, id: &CommentId) {
        self.writer.delete_term(Term::from_field_text(self.fields.id, id.as_str()));
    }

    fn put_stored(&mut self, stored: &StoredComment, tokens: DocumentTokens) -> Result<(), IndexError> {
        let document = Document {
            comment: &stored.comment,
            position: stored.position,
            categories: stored.categories.iter().map(|id| &**id).collect(),
            primary: stored.primary.as_deref(),
            good_quote: stored.good_quote,
            tokens,
        };
        self.put(document, false)
    }

    /// Takes a block of comments and leaves it empty; their tokens are made on all cores.
    fn put_block(&mut self, block: &mut Vec<StoredComment>, makers: &TokenMakers<'_>) -> Result<(), IndexError> {
        let tokens: Vec<DocumentTokens> =
            block.par_iter().with_min_len(16).map(|stored| makers.tokens(&stored.comment.text)).collect();
        block.drain(..).zip(tokens).try_for_each(|(stored, tokens)| self.put_stored(&stored, tokens))
    }

    fn put(&mut self, document: Document<'_>, replace: bool) -> Result<(), IndexError> {
        let Document { comment, position, categories, primary, good_quote, tokens } = document;
        if replace {
            self.delete(&comment.id);
        }
        let fields = &self.fields;
        let mut out = TantivyDocument::new();
        out.add_text(fields.id, comment.id.as_str());
        out.add_text(fields.base, tokens.base);
        out.add_text(fields.surface, tokens.surface);
        out.add_text(fields.reading, tokens.reading);
        out.add_text(fields.text, &comment.text);
        for (field, value) in [
            (fields.prefecture, &comment.prefecture),
            (fields.facility, &comment.facility),
            (fields.question, &comment.question),
        ] {
            if let Some(value) = value {
                out.add_text(field, value);
            }
        }
        for category in categories {
            out.add_text(fields.category, category);
        }
        if let Some(primary) = primary {
            out.add_text(fields.primary, primary);
        }
        if let Some(good_quote) = good_quote {
            out.add_text(fields.good_quote, Fields::good_quote_term(good_quote));
        }
        if !comment.attributes.is_empty() {
            for (name, value) in comment.attributes.iter() {
                if !value.is_empty() && value.chars().count() <= ATTRIBUTE_CHARS {
                    out.add_text(fields.attribute, Fields::attribute_term(name, value));
                }
            }
            if let Ok(json) = serde_json::to_string(&comment.attributes) {
                out.add_text(fields.attributes, json);
            }
        }
        out.add_u64(fields.chars, comment.text.chars().count() as u64);
        out.add_u64(fields.position, position);
        self.refusal.in_index(&self.folder, self.writer.add_document(out))?;
        Ok(())
    }

    /// Writes everything out, lets `between` commit the record, and makes the index show.
    fn commit_with<T>(
        mut self,
        info: &IndexInfo,
        between: impl FnOnce() -> Result<T, IndexError>,
        shown: impl FnOnce(),
    ) -> Result<T, IndexError> {
        let payload = serde_json::to_string(info)
            .map_err(|error| IndexError::Damaged { folder: self.folder.clone(), message: error.to_string() })?;
        let (refusal, folder) = (&self.refusal, &self.folder);
        let mut prepared = refusal.in_index(folder, self.writer.prepare_commit())?;
        prepared.set_payload(&payload);
        let done = between()?;
        refusal.in_index(folder, prepared.commit())?;
        self.leftovers.index = None;
        // Merging may take minutes, in which the index is as good as it will be.
        shown();
        self.refusal.in_index(&self.folder, self.writer.wait_merging_threads())?;
        Ok(done)
    }
}

/// Waits until no process writes the index.
fn wait_for_writer(folder: &Path) -> Result<(), IndexError> {
    let Ok(directory) = MmapDirectory::open(folder.join(FOLDER)) else { return Ok(()) };
    // tantivy's own lock, for which a writer does not wait, but who wants to read may.
    let lock = Lock { filepath: INDEX_WRITER_LOCK.filepath.clone(), is_blocking: true };
    directory.acquire_lock(&lock).map(drop).map_err(|error| TantivyError::LockFailure(error, None)).in_index(folder)
}

fn put_in_place(folder: &Path, new: &Path) -> std::io::Result<()> {
    let (current, old) = (folder.join(FOLDER), folder.join(OLD_FOLDER));
    remove_folder(&old)?;
    if current.exists() {
        fs::rename(&current, &old)?;
    }
    fs::rename(new, &current)?;
    // A reader may still hold its files open; the next rebuild tries again.
    let _ = remove_folder(&old);
    Ok(())
}

fn remove_folder(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Reads an index, whose reader takes for granted that its files are as they were written: where they are not, it may
/// panic.
pub(crate) fn guarded<T>(folder: &Path, read: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        let message = "読み出しの途中で食い違いが見つかりました".to_owned();
        Err(IndexError::Damaged { folder: folder.to_path_buf(), message })
    })
}

/// Whether the mark of an unfinished commit stands where this process may not take it away.
fn is_settled_by_nobody(folder: &Path) -> bool {
    let mark = fs::OpenOptions::new().append(true).open(folder.join(PENDING));
    mark.is_err_and(|error| is_unwritable(error.kind()))
}

fn mark_pending(folder: &Path) -> Result<(), IndexError> {
    fs::write(folder.join(PENDING), b"").in_index(folder)
}

fn clear_pending(folder: &Path) {
    // Where this fails the next search looks into the record and finds nothing to do.
    let _ = fs::remove_file(folder.join(PENDING));
}

/// A maker of tokens for an analyser; the same as [`TokenMaker::new`], for callers that hold the analyser alone.
impl<'a> From<&'a Analyzer> for TokenMaker<'a> {
    fn from(analyzer: &'a Analyzer) -> Self {
        Self::new(analyzer)
    }
}
