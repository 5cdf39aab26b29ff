//! `jirei licenses`: the licences that every copy of the program must carry.

use super::{Outcome, stdout};

const OWN: &str = include_str!("../../LICENSE");
const MIT: &str = include_str!("../../LICENSE-MIT");
const IPADIC: &str = include_str!("../../dictionaries/ipadic/COPYING");

pub(super) fn run() -> anyhow::Result<Outcome> {
    let mut out = stdout();
    for (title, text) in [("jirei", OWN), ("MIT", MIT), ("IPADIC (mecab-ipadic-2.7.0-20070801)", IPADIC)] {
        writeln!(out, "==== {title} ====\n\n{text}")?;
    }
    out.flush()?;
    Ok(Outcome::Done)
}
