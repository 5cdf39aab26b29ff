//! What the program carries: the dictionary and the rules, both compiled by `build.rs`.

use std::sync::Arc;

use crate::{
    analyze::{Analyzer, AnalyzerError},
    rule::{RuleSet, RuleSetError},
    source::Source,
};

/// The IPADIC dictionary that `build.rs` compiled.
mod ipadic {
    #![allow(missing_docs, unreachable_pub, reason = "written by lindera's macro")]
    lindera_dictionary::embedded_dictionary!("/dictionary", EmbeddedIpadic);
}

/// The rules that `build.rs` compiled.
const COMPILED_RULES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));

/// The rules that the program carries, as (path below `rules/`, text).
const EMBEDDED: [(&str, &str); 12] = [
    ("rules/codebook.toml", include_str!("../rules/codebook.toml")),
    ("rules/complaint.toml", include_str!("../rules/complaint.toml")),
    ("rules/concepts.toml", include_str!("../rules/concepts.toml")),
    ("rules/data_lag.toml", include_str!("../rules/data_lag.toml")),
    ("rules/device.toml", include_str!("../rules/device.toml")),
    ("rules/display.toml", include_str!("../rules/display.toml")),
    ("rules/elderly.toml", include_str!("../rules/elderly.toml")),
    ("rules/operation_support.toml", include_str!("../rules/operation_support.toml")),
    ("rules/polarity.toml", include_str!("../rules/polarity.toml")),
    ("rules/restore_card.toml", include_str!("../rules/restore_card.toml")),
    ("rules/smartphone.toml", include_str!("../rules/smartphone.toml")),
    ("rules/system_confusion.toml", include_str!("../rules/system_confusion.toml")),
];

/// The rule files that the program carries.
pub fn embedded_rules() -> Vec<Arc<Source>> {
    EMBEDDED.iter().map(|&(path, text)| Source::new(path, text)).collect()
}

impl Analyzer {
    /// The analyser with the embedded IPADIC, domain dictionary and variant table.
    ///
    /// ```
    /// let analyzer = jirei::analyze::Analyzer::embedded()?;
    /// let mut worker = analyzer.worker();
    /// let analysis = worker.analyze("資格確認書が届かない");
    /// let surfaces: Vec<_> = analysis.morphemes.iter().map(|m| m.surface(analysis.text())).collect();
    /// assert_eq!(surfaces, ["資格確認書", "が", "届か", "ない"]);
    /// # Ok::<(), jirei::analyze::AnalyzerError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the data compiled into the program cannot be read, which means a broken build.
    pub fn embedded() -> Result<Self, AnalyzerError> {
        Self::build(ipadic::load().map_err(AnalyzerError::Embedded)?)
    }
}

impl RuleSet {
    /// The rules that the program carries. With another dictionary than the program's they are compiled anew, since
    /// their words are sequences of its morphemes.
    ///
    /// # Errors
    ///
    /// Faults in them, which means a broken build.
    pub fn embedded(analyzer: &Analyzer) -> Result<Self, RuleSetError> {
        match Self::from_image(COMPILED_RULES, embedded_rules(), analyzer) {
            Some(rules) => Ok(rules),
            None => Self::from_trusted(&embedded_rules(), analyzer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiling them at each start would do as well, and take a quarter of a second.
    #[test]
    fn the_compiled_rules_are_those_of_the_embedded_dictionary() {
        let analyzer = Analyzer::embedded().unwrap();
        assert!(RuleSet::from_image(COMPILED_RULES, embedded_rules(), &analyzer).is_some());
    }
}
