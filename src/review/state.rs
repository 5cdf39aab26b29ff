//! The very hidden sheet of the workbooks that come back from a person: named values above, a line a comment below.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::read::SheetRow;

/// Why a hidden sheet cannot be used.
pub(super) enum StateFault {
    /// A later version of the program wrote it.
    TooNew,
    /// It is not as the program wrote it.
    Damaged,
}

/// What a hidden sheet says.
pub(super) struct HiddenSheet {
    values: BTreeMap<String, Vec<String>>,
    /// First cell of each line below, and the cells after it.
    pub(super) lines: Vec<(String, Vec<String>)>,
}

impl HiddenSheet {
    /// Reads the sheet; its first `head` rows are named values, of which `signature` has the version of its form.
    pub(super) fn read(rows: Vec<SheetRow>, head: u64, signature: &str, version: u32) -> Result<Self, StateFault> {
        let mut sheet = Self { values: BTreeMap::new(), lines: Vec::new() };
        for (number, cells) in rows {
            let mut cells = cells.into_iter().map(|cell| cell.map_err(|_| StateFault::Damaged));
            let Some(first) = cells.next() else { continue };
            let first = first?;
            let rest = cells.collect::<Result<Vec<String>, _>>()?;
            match number <= head {
                true => drop(sheet.values.insert(first, rest)),
                false => sheet.lines.push((first.trim().to_owned(), rest)),
            }
        }
        let found: u32 = sheet.value(signature)?.parse().map_err(|_| StateFault::Damaged)?;
        if found > version { Err(StateFault::TooNew) } else { Ok(sheet) }
    }

    /// The value of a name.
    pub(super) fn value(&self, name: &str) -> Result<&str, StateFault> {
        self.values.get(name).and_then(|values| values.first()).map(String::as_str).ok_or(StateFault::Damaged)
    }

    /// The values of a name, each written as JSON.
    pub(super) fn list<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, StateFault> {
        let values = self.values.get(name).ok_or(StateFault::Damaged)?;
        values.iter().filter(|json| !json.is_empty()).map(|json| parse(json)).collect()
    }
}

/// A value that is written as JSON.
pub(super) fn parse<T: DeserializeOwned>(json: &str) -> Result<T, StateFault> {
    serde_json::from_str(json).map_err(|_| StateFault::Damaged)
}
