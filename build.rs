//! Compiles the IPADIC sources of `dictionaries/ipadic/` into the form that lindera loads, so that the
//! library can embed it. Needs no network and no system package.

use std::{env, error::Error, fs::File, io::BufReader, path::PathBuf};

use lindera_dictionary::{
    builder::DictionaryBuilder,
    dictionary::{metadata::Metadata, schema::Schema},
};

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
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={ARCHIVE}");

    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    let archive = File::open(ARCHIVE)?;
    let xz = lzma_rust2::XzReader::new(BufReader::new(archive), false);
    tar::Archive::new(xz).unpack(&out_dir)?;

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
    let source = out_dir.join("ipadic");
    DictionaryBuilder::new(metadata).build_dictionary(&source, &out_dir.join("dictionary"))?;
    std::fs::remove_dir_all(source)?;

    // `embedded_dictionary!` reads the compiled files from below this folder.
    println!("cargo:rustc-env=LINDERA_WORKDIR={}", out_dir.display());
    Ok(())
}
