//! The record of a run: gathered while a command works, written beside its output.

use std::{
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{Shared, clock::this_second, output};
use crate::{
    analyze::Analyzer,
    read::Account,
    record::{
        AppendixRecord, CasebookRecord, Counted, FORMAT, FileHash, InputRecord, OutputRecord, RunRecord, Tally,
        Versioned,
    },
    rule::RuleSet,
};

/// Whether a command does its work or computes again what it did, writing nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Work,
    Verify,
}

/// What a command has to note for its record.
#[derive(Clone)]
pub(super) struct Recorder<'c> {
    command: &'static str,
    arguments: Vec<String>,
    rules: Versioned,
    dictionary: Versioned,
    settings: Vec<FileHash>,
    inputs: Vec<InputRecord>,
    casebook: Option<CasebookRecord>,
    appendix: Option<AppendixRecord>,
    tally: Tally<'c>,
}

impl<'c> Recorder<'c> {
    pub(super) fn new(
        command: &'static str,
        shared: &Shared,
        analyzer: &Analyzer,
        rules: &'c RuleSet,
    ) -> anyhow::Result<Self> {
        let folder = |folder: &Option<PathBuf>| folder.as_ref().map(|folder| folder.display().to_string());
        Ok(Self {
            command,
            arguments: shared.arguments.clone(),
            rules: Versioned {
                folder: folder(&shared.rules),
                version: rules.version().to_owned(),
                hash: shared.rules_hash()?,
            },
            dictionary: Versioned {
                folder: folder(&shared.dictionary),
                version: analyzer.version().to_owned(),
                hash: analyzer.hash(),
            },
            settings: Vec::new(),
            inputs: Vec::new(),
            casebook: None,
            appendix: None,
            tally: Tally::new(rules.codebook()),
        })
    }

    /// Notes a file that says how to read or write.
    pub(super) fn setting(&mut self, path: Option<&Path>) -> anyhow::Result<()> {
        if let Some(path) = path {
            let (_, hash) = digest(path)?;
            self.settings.push(FileHash { path: path.display().to_string(), hash });
        }
        Ok(())
    }

    /// Notes the files that were read.
    pub(super) fn inputs(&mut self, accounts: &[Account]) {
        self.inputs.extend(accounts.iter().map(InputRecord::new));
    }

    /// Notes the casebook.
    pub(super) fn casebook(&mut self, casebook: CasebookRecord) {
        self.casebook = Some(casebook);
    }

    /// Notes what a case appendix prints.
    pub(super) fn appendix(&mut self, appendix: AppendixRecord) {
        self.appendix = Some(appendix);
    }

    /// Counts a comment, in the order of the run.
    pub(super) fn count(&mut self, counted: &Counted) {
        self.tally.add(counted);
    }

    /// The record, when all is done.
    pub(super) fn finish(self, output: Option<OutputRecord>) -> anyhow::Result<RunRecord> {
        Ok(RunRecord {
            record: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            command: self.command.to_owned(),
            arguments: self.arguments,
            ended_at: this_second()?,
            rules: self.rules,
            dictionary: self.dictionary,
            settings: self.settings,
            inputs: self.inputs,
            casebook: self.casebook,
            counts: self.tally.counts(),
            appendix: self.appendix,
            output,
        })
    }
}

/// Where the record of an output stands.
pub(super) fn path_beside(output: &Path) -> PathBuf {
    let mut name: OsString = output.as_os_str().to_owned();
    name.push(".record.json");
    name.into()
}

/// Where the next record of a casebook stands: beside its folder, numbered from the second on.
pub(super) fn next_beside(folder: &Path) -> anyhow::Result<PathBuf> {
    // `casebook/` is `casebook`; `.` has a name as well.
    let folder: PathBuf = match folder.file_name() {
        Some(_) => folder.components().collect(),
        None => folder.canonicalize().with_context(|| format!("`{}` の場所がわかりません", folder.display()))?,
    };
    let mut path = path_beside(&folder);
    let mut number = 1;
    while path.exists() {
        number += 1;
        let mut name = folder.as_os_str().to_owned();
        name.push(format!(".{number}"));
        path = path_beside(Path::new(&name));
    }
    Ok(path)
}

/// Writes a record beside an output.
pub(super) fn write(output: &Path, record: &RunRecord) -> anyhow::Result<()> {
    write_to(&path_beside(output), record)
}

/// Writes a record.
pub(super) fn write_to(path: &Path, record: &RunRecord) -> anyhow::Result<()> {
    output::write_file(path, record.to_json().as_bytes())?;
    eprintln!("実行の記録を {} に書き出しました（jirei verify で確かめられます）", path.display());
    Ok(())
}

/// Length and BLAKE3 of a file.
pub(super) fn digest(path: &Path) -> anyhow::Result<(u64, String)> {
    let unreadable = || format!("`{}` を読めません", path.display());
    let mut file = std::fs::File::open(path).with_context(unreadable)?;
    let mut hasher = HashWriter::default();
    io::copy(&mut file, &mut hasher).with_context(unreadable)?;
    Ok(hasher.finish())
}

/// An output file as a record has it.
pub(super) fn output_record(path: &Path) -> anyhow::Result<OutputRecord> {
    let (bytes, hash) = digest(path)?;
    Ok(OutputRecord { path: path.display().to_string(), bytes, hash })
}

/// What a path is given, as a record has it.
pub(super) fn output_of(path: &Path, bytes: &[u8]) -> OutputRecord {
    OutputRecord {
        path: path.display().to_string(),
        bytes: bytes.len() as u64,
        hash: blake3::hash(bytes).to_hex().to_string(),
    }
}

/// Takes what would be written and keeps its length and hash.
#[derive(Default)]
pub(super) struct HashWriter {
    hasher: blake3::Hasher,
    bytes: u64,
}

impl HashWriter {
    pub(super) fn finish(self) -> (u64, String) {
        (self.bytes, self.hasher.finalize().to_hex().to_string())
    }

    /// What would have been written to a path.
    pub(super) fn record(self, path: &Path) -> OutputRecord {
        let (bytes, hash) = self.finish();
        OutputRecord { path: path.display().to_string(), bytes, hash }
    }
}

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
