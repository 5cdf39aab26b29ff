//! The model as JSON: quotes untouched, keys in English.

use serde::Serialize;

use super::{Appendix, ReportError};

#[derive(Serialize)]
struct Document<'a> {
    /// Raised when a key changes its meaning or goes.
    format_version: u32,
    #[serde(flatten)]
    appendix: &'a Appendix,
}

pub(super) fn render(appendix: &Appendix) -> Result<Vec<u8>, ReportError> {
    let mut bytes = serde_json::to_vec_pretty(&Document { format_version: 1, appendix })?;
    bytes.push(b'\n');
    Ok(bytes)
}
