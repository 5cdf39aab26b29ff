//! Whether the index says what the record says.

use std::path::Path;

use tantivy::{
    ReloadPolicy, TantivyDocument,
    schema::{Field, Value},
};

use crate::casebook::{Casebook, CasebookError, StoredComment};

use super::{InIndex, IndexError, IndexInfo, OpenIndex, guarded};

/// Faults that are named at most.
const NAMED: usize = 20;

/// What made the index of a casebook, if search can use it as it is.
///
/// # Errors
///
/// Why it cannot; where [`IndexError::needs_rebuild`] says so, the next search makes it anew.
pub fn state(folder: &Path, dictionary: &str) -> Result<IndexInfo, IndexError> {
    OpenIndex::open(folder, dictionary).map(|open| open.info)
}

/// Compares the index with the record, comment by comment. Gives what differs, in Japanese; none is good.
///
/// # Errors
///
/// As [`state`], and when the record cannot be read.
pub fn check(casebook: &Casebook, dictionary: &str) -> Result<Vec<String>, IndexError> {
    let folder = casebook.folder();
    let open = OpenIndex::open(folder, dictionary)?;
    let mut indexed = guarded(folder, || {
        if !open.is_whole(folder)? {
            let message = "ファイルの中身が書いたときと違います".to_owned();
            return Err(IndexError::Damaged { folder: folder.to_path_buf(), message });
        }
        documents(folder, &open)
    })?;
    indexed.sort();
    let mut indexed = indexed.into_iter().peekable();
    let (mut faults, mut hidden) = (Vec::new(), 0);
    let mut name = |fault: String| if faults.len() < NAMED { faults.push(fault) } else { hidden += 1 };
    casebook.for_each(|stored| {
        while let Some(stray) = indexed.next_if(|document| document.position < stored.position) {
            name(format!("索引に、記録にないコメント {} があります", stray.id));
        }
        let Some(document) = indexed.next_if(|document| document.position == stored.position) else {
            name(format!("索引に、コメント {} がありません", stored.comment.id));
            return Ok(());
        };
        if document != Indexed::of(&stored) {
            name(format!("索引のコメント {} が記録と違います", stored.comment.id));
        }
        while indexed.next_if(|document| document.position == stored.position).is_some() {
            name(format!("索引に、コメント {} が重なっています", stored.comment.id));
        }
        Ok::<_, CasebookError>(())
    })?;
    for stray in indexed {
        name(format!("索引に、記録にないコメント {} があります", stray.id));
    }
    if hidden > 0 {
        faults.push(format!("ほか {hidden} 件"));
    }
    Ok(faults)
}

/// A comment as the index has it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Indexed {
    position: u64,
    id: String,
    text: String,
    categories: Vec<String>,
    primary: Option<String>,
}

impl Indexed {
    fn of(stored: &StoredComment) -> Self {
        Self {
            position: stored.position,
            id: stored.comment.id.to_string(),
            text: stored.comment.text.clone(),
            categories: stored.categories.iter().map(|id| id.to_string()).collect(),
            primary: stored.primary.as_ref().map(|id| id.to_string()),
        }
    }
}

fn documents(folder: &Path, open: &OpenIndex) -> Result<Vec<Indexed>, IndexError> {
    let reader = open.index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
    let reader: tantivy::IndexReader = reader.in_index(folder)?;
    let mut documents = Vec::new();
    for segment in reader.searcher().segment_readers() {
        let store = segment.get_store_reader(10).in_index(folder)?;
        for document in store.iter::<TantivyDocument>(segment.alive_bitset()) {
            let document = document.in_index(folder)?;
            let all = |field: Field| -> Vec<String> {
                document.get_all(field).filter_map(|value| value.as_str().map(str::to_owned)).collect()
            };
            let first = |field: Field| all(field).into_iter().next();
            documents.push(Indexed {
                position: document.get_first(open.fields.position).and_then(|value| value.as_u64()).unwrap_or(0),
                id: first(open.fields.id).unwrap_or_default(),
                text: first(open.fields.text).unwrap_or_default(),
                categories: all(open.fields.category),
                primary: first(open.fields.primary),
            });
        }
    }
    Ok(documents)
}
