//! The files of an index as tantivy sees them, also where nobody may write: on a CD, a locked memory stick, a share
//! that is only for reading.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use tantivy::{
    Directory,
    directory::{
        AntiCallToken, DirectoryLock, FileHandle, Lock, META_LOCK, MmapDirectory, TerminatingWrite, WatchCallback,
        WatchHandle, WritePtr,
        error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError},
    },
};

use super::error::{InIndex, IndexError};

/// A folder of index files that asks to write nothing of those who only read.
///
/// tantivy keeps its segment files from being deleted while a reader opens them by locking a file, which it opens for
/// writing or makes. Here a reader that may not do so locks the file as far as it can be opened for reading; where that
/// cannot be had either there is no lock, and on a medium that nobody can write none is needed.
#[derive(Debug, Clone)]
pub(super) struct IndexDirectory {
    files: MmapDirectory,
    folder: PathBuf,
    /// A file that whoever may read it should be able to search.
    like: PathBuf,
    refusal: Refusal,
}

/// Why the system first refused to write one of the files. tantivy passes on no more than the words of some such
/// errors, and of those in its threads not always these.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusal(Arc<OnceLock<io::ErrorKind>>);

impl Refusal {
    /// Adds the folder to what tantivy says, and what the system said where tantivy does not pass it on.
    pub(super) fn in_index<T>(&self, folder: &Path, done: tantivy::Result<T>) -> Result<T, IndexError> {
        done.in_index(folder).map_err(|error| error.refused(self.0.get().copied()))
    }

    fn noting<T>(&self, done: io::Result<T>) -> io::Result<T> {
        done.inspect_err(|error| {
            // A write that was only interrupted is tried again.
            if error.kind() != io::ErrorKind::Interrupted {
                let _ = self.0.set(error.kind());
            }
        })
    }
}

/// A file that notes why it could not be written.
struct NotingFile {
    file: WritePtr,
    refusal: Refusal,
}

impl Write for NotingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.refusal.noting(self.file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.refusal.noting(self.file.flush())
    }
}

impl TerminatingWrite for NotingFile {
    fn terminate_ref(&mut self, token: AntiCallToken) -> io::Result<()> {
        self.refusal.noting(self.file.terminate_ref(token))
    }
}

impl IndexDirectory {
    /// A folder of index files that are as readable as another file, the record.
    pub(super) fn open(folder: &Path, like: PathBuf) -> Result<Self, OpenDirectoryError> {
        Ok(Self {
            files: MmapDirectory::open(folder)?,
            folder: folder.to_path_buf(),
            like,
            refusal: Refusal::default(),
        })
    }

    pub(super) fn refusal(&self) -> Refusal {
        self.refusal.clone()
    }

    fn lock_for_reading(&self, lock: &Lock) -> DirectoryLock {
        let file = File::open(self.folder.join(&lock.filepath)).ok();
        // A file system without locks, as some shares are, is read without.
        DirectoryLock::from(Box::new(file.filter(|file| file.lock_shared().is_ok())))
    }
}

/// Gives a file the rights of another to read and write; as well as it can be done.
#[cfg(unix)]
fn make_as_readable(path: &Path, like: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if let Ok(like) = fs::metadata(like) {
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(like.permissions().mode() & 0o666));
    }
}

#[cfg(not(unix))]
fn make_as_readable(_path: &Path, _like: &Path) {}

/// Whether a folder or medium is only for reading, as far as an error tells.
pub(super) fn is_unwritable(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

impl Directory for IndexDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.files.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.files.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.files.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let file = self.files.open_write(path)?;
        Ok(WritePtr::new(Box::new(NotingFile { file, refusal: self.refusal.clone() })))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.files.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.refusal.noting(self.files.atomic_write(path, data))?;
        // tantivy makes these files for their owner's eyes alone, whoever may read the rest.
        make_as_readable(&self.folder.join(path), &self.like);
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.files.sync_directory()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        match self.files.acquire_lock(lock) {
            // The lock of writers stays what it is: who may not write gets none.
            Err(LockError::IoError(error)) if is_unwritable(error.kind()) && lock.filepath == META_LOCK.filepath => {
                Ok(self.lock_for_reading(lock))
            }
            locked => locked,
        }
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.files.watch(callback)
    }
}
