//! Compiles what the library embeds: the IPADIC sources of `dictionaries/ipadic/` into the form that lindera loads,
//! and the rules of `rules/` into the form that the matcher uses. Needs no network and no system package.

#![allow(dead_code, unreachable_pub, reason = "of the library's modules only what compiles rules is used here")]

#[path = "src/analyze/mod.rs"]
mod analyze;
#[path = "src/codebook.rs"]
mod codebook;
#[path = "src/diagnostic.rs"]
mod diagnostic;
#[path = "src/normalize.rs"]
mod normalize;
#[path = "build/rule.rs"]
mod rule;
#[path = "src/source.rs"]
mod source;

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
};

use lindera_dictionary::{
    builder::DictionaryBuilder,
    dictionary::{metadata::Metadata, schema::Schema},
};

use analyze::Analyzer;
use rule::RuleSet;
use source::Source;

const ARCHIVE: &str = "dictionaries/ipadic/mecab-ipadic-2.7.0-20070801.tar.xz";

/// Columns of the IPADIC sources, in order. The names of the parts of speech and of the base form are those
/// that lindera's own metadata uses.
const COLUMNS: [&str; 13] = [
    "surface",
    "left_context_id",
    "right_context_id",
    "cost",
    "part_of_speech",
    "part_of_speech_subcategory_1",
    "part_of_speech_subcategory_2",
    "part_of_speech_subcategory_3",
    "conjugation_type",
    "conjugation_form",
    "base_form",
    "reading",
    "pronunciation",
];

fn main() -> Result<(), Box<dyn Error>> {
    for path in ["build.rs", "build", "src/analyze", "src/codebook.rs", "src/diagnostic.rs", "src/normalize.rs"]
        .into_iter()
        .chain(["src/rule", "src/source.rs", "dictionaries", "rules"])
    {
        println!("cargo:rerun-if-changed={path}");
    }
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    let dictionary = out_dir.join("dictionary");
    compile_dictionary(&out_dir, &dictionary)?;
    // `embedded_dictionary!` reads the compiled files from below this folder.
    println!("cargo:rustc-env=LINDERA_WORKDIR={}", out_dir.display());
    compile_rules(&dictionary, &out_dir.join("rules.bin"))
}

fn compile_dictionary(work: &Path, compiled: &Path) -> Result<(), Box<dyn Error>> {
    let archive = File::open(ARCHIVE)?;
    let xz = lzma_rust2::XzReader::new(BufReader::new(archive), false);
    tar::Archive::new(xz).unpack(work)?;

    let columns = |names: &[&str]| Schema::new(names.iter().map(|name| name.to_string()).collect());
    let metadata = Metadata {
        name: "IPADIC".into(),
        encoding: "EUC-JP".into(),
        flexible_csv: false,
        skip_invalid_cost_or_id: false,
        normalize_details: false,
        dictionary_schema: columns(&COLUMNS),
        user_dictionary_schema: columns(&["surface", "part_of_speech", "reading"]),
        ..Metadata::default()
    };
    let source = work.join("ipadic");
    DictionaryBuilder::new(metadata).build_dictionary(&source, compiled)?;
    fs::remove_dir_all(source)?;
    Ok(())
}

/// Compiles the rule files; their faults, which `jirei rules check` finds sooner, end the build.
fn compile_rules(dictionary: &Path, compiled: &Path) -> Result<(), Box<dyn Error>> {
    let mut sources: Vec<Arc<Source>> = Vec::new();
    for entry in fs::read_dir("rules")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            sources.push(Source::new(&path, fs::read_to_string(&path)?));
        }
    }
    // As the program makes it from the embedded bytes: `with_dictionary` would give it another version.
    let analyzer = Analyzer::build(lindera::dictionary::load_fs_dictionary(dictionary)?)?;
    let rules = RuleSet::from_trusted(&sources, &analyzer)
        .map_err(|error| error.0.iter().map(|diagnostic| format!("\n{diagnostic}")).collect::<String>())?;
    fs::write(compiled, rules.to_image(&analyzer))?;
    Ok(())
}
