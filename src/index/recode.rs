//! Coding the comments of the record anew and bringing the index up to date.

use rayon::prelude::*;

use crate::{
    casebook::{Casebook, Change, Coder, RecodeReport, StoredComment, frame_of},
    classify::Classification,
    codebook::Codebook,
};

use super::{
    Document, DocumentTokens, IndexError, IndexInfo, SCHEMA_VERSION, TokenMaker, Writer, commit_both, rebuild_with,
};

/// Codes the comments anew that other rules or another dictionary coded; one transaction, bounded memory. People's
/// decisions stay. `classify` runs on all cores and gives the classification with the tokens of the same analysis.
///
/// # Errors
///
/// When the record or the index cannot be written: both are then as before.
pub fn recode(
    casebook: &mut Casebook,
    maker: &mut TokenMaker<'_>,
    coder: &Coder,
    codebook: &Codebook,
    classify: impl Fn(&StoredComment) -> (Classification, DocumentTokens) + Sync,
) -> Result<RecodeReport, IndexError> {
    let folder = casebook.folder().to_path_buf();
    let mut recoding = casebook.begin_recoding(coder, codebook)?;
    let revision = recoding.revision_before()?;
    // Tokens depend on the dictionary: where that is another, all of the index is.
    let mut writer = Writer::open_current(&folder, revision, &coder.dictionary)?;
    loop {
        let block = recoding.next_block()?;
        if block.is_empty() {
            break;
        }
        let classified: Vec<(Classification, DocumentTokens)> =
            block.par_iter().with_min_len(16).map(&classify).collect();
        for (stored, (classification, tokens)) in block.iter().zip(classified) {
            let recorded = recoding.put(stored, &classification, codebook)?;
            if let (Some(writer), Change::Recoded) = (&mut writer, recorded.change) {
                let document = Document {
                    comment: &stored.comment,
                    position: stored.position,
                    categories: recorded.categories.iter().map(|id| &**id).collect(),
                    primary: recorded.primary.as_deref(),
                    good_quote: recorded.good_quote,
                    tokens,
                };
                writer.put(document, true)?;
            }
        }
    }
    if !recoding.changed() {
        drop(writer);
        return Ok(recoding.commit()?);
    }
    let info = IndexInfo {
        schema: SCHEMA_VERSION,
        dictionary: coder.dictionary.clone(),
        rules: coder.rules.clone(),
        revision: revision + 1,
        frame: frame_of(codebook),
    };
    let (report, indexed) = commit_both(&folder, writer, &info, || Ok(recoding.commit()?))?;
    if indexed.is_err() {
        rebuild_with(casebook, maker, &coder.dictionary)?;
    }
    Ok(report)
}
