//! Output files: written beside and then renamed, so that there is the old file or the new one, never half of one.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use tempfile::NamedTempFile;

/// The unfinished file, which an interrupted run takes away with it. A command writes one file at a time.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

fn set_unfinished(path: Option<PathBuf>) {
    *UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner) = path;
}

/// Makes Ctrl-C leave no unfinished file behind; the exit code is that of an interrupted command (130).
pub(super) fn clean_up_when_interrupted() {
    // Fails only where a handler is set already, which nobody does before.
    let _ = ctrlc::set_handler(|| {
        if let Some(path) = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = std::fs::remove_file(path);
        }
        eprintln!("\n中断しました（書きかけのファイルは残しません。事例帳は中断した処理の前のままです）");
        std::process::exit(130);
    });
}

/// A file that comes into being only with [`OutputFile::commit`].
pub(super) struct OutputFile {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
}

/// Refuses an output that would take the place of a file that the command reads.
pub(super) fn refuse_inputs<'p>(output: &Path, inputs: impl IntoIterator<Item = &'p Path>) -> anyhow::Result<()> {
    let Ok(place) = output.canonicalize() else { return Ok(()) };
    for input in inputs {
        if input.canonicalize().is_ok_and(|input| input == place) {
            anyhow::bail!(
                "`{}` は読み込むファイルです。書き出すと元の内容が失われるので、別の名前を指定してください",
                output.display()
            );
        }
    }
    Ok(())
}

/// Whether a file is a casebook's record or a backup of one.
pub(super) fn is_database(path: &Path) -> bool {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let mut head = Vec::with_capacity(MAGIC.len());
    let read = File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head));
    read.is_ok() && head == MAGIC
}

impl OutputFile {
    /// Prepares a file. Fails at once where its folder is missing, neither it nor the file can be written, or a
    /// casebook is in its place.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            anyhow::bail!("出力先のフォルダー `{}` がありません（先にフォルダーを作ってください）", folder.display());
        }
        if path.is_dir() {
            anyhow::bail!("`{}` はフォルダーです（ファイル名を指定してください）", path.display());
        }
        if is_database(path) {
            anyhow::bail!(
                "`{}` は事例帳のデータベースです。書き出すと失われるので、別の名前を指定してください",
                path.display()
            );
        }
        if path.exists() {
            // A workbook that Excel holds open refuses this on Windows, before any work is done.
            std::fs::OpenOptions::new().append(true).open(path).with_context(|| not_writable(path))?;
        }
        let file = tempfile::Builder::new()
            .prefix(".jirei-")
            .suffix(".tmp")
            .tempfile_in(folder)
            .with_context(|| format!("出力先のフォルダー `{}` に書き込めません", folder.display()))?;
        set_unfinished(Some(file.path().to_owned()));
        Ok(Self { path: path.to_owned(), file: BufWriter::with_capacity(1 << 18, file) })
    }

    /// Puts the finished file in its place.
    pub(super) fn commit(self) -> anyhow::Result<()> {
        let path = self.path;
        let file =
            self.file.into_inner().map_err(io::IntoInnerError::into_error).with_context(|| {
                format!("`{}` に書き込めません（ディスクの空きを確かめてください）", path.display())
            })?;
        file.as_file().sync_all().with_context(|| format!("`{}` に書き込めません", path.display()))?;
        make_readable(file.path());
        file.persist(&path).map_err(|error| error.error).with_context(|| not_writable(&path))?;
        set_unfinished(None);
        Ok(())
    }
}

/// A temporary file is private to its owner; what takes its place should be as readable as any new file.
#[cfg(unix)]
pub(super) fn make_readable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    // Best effort: the content is complete either way.
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644));
}

#[cfg(not(unix))]
pub(super) fn make_readable(_path: &Path) {}

fn not_writable(path: &Path) -> String {
    format!("`{}` に書き込めません（Excel や Word で開いていれば閉じてください）", path.display())
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a whole file.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    finish(OutputFile::create(path)?, bytes)
}

/// Writes all bytes of a prepared file and puts it in its place.
pub(super) fn finish(mut file: OutputFile, bytes: &[u8]) -> anyhow::Result<()> {
    file.write_all(bytes).with_context(|| format!("`{}` に書き込めません", file.path.display()))?;
    file.commit()
}
