//! The file that a phone's memory is in: one owner, one program at a time, replaced whole or not at all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::book::Book;

/// A state file that this program alone uses for as long as this value lives.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// Locked. Beside the state, which is replaced with each change.
    _lock: File,
}

impl StateFile {
    /// Takes the file for this program alone, and reads it; `None` where there is none yet.
    ///
    /// # Errors
    /// Somebody else uses it or can read it, or it is damaged: it is then left as it is. The error says what to do.
    pub fn open(path: &Path) -> Result<(Self, Option<Book>)> {
        let name = path.display();
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder of {name}: name another with --state"))?;
        }
        let lock =
            private(&beside(path, "lock"), false).with_context(|| format!("cannot use {name}: name another with --state"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another phone uses {name}: end that one, or name another file with --state"),
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("cannot lock {name}")),
        }
        let file = Self { path: path.to_owned(), _lock: lock };
        let bytes = match fs::read(path) {
            Ok(bytes) => zeroize::Zeroizing::new(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((file, None)),
            Err(error) => return Err(error).with_context(|| format!("cannot read {name}: let this user read it")),
        };
        only_mine(path)?;
        let book = Book::from_bytes(&bytes).with_context(|| {
            format!(
                "{name} is damaged, and was left as it is. Put a copy of it back; or move it away and start again, then pair again: \
                 the links and receipts in it are lost to this phone, the money is not"
            )
        })?;
        Ok((file, Some(book)))
    }

    /// Replaces what is in the file. It holds the old or the new, whenever the power fails.
    ///
    /// # Errors
    /// It cannot be written; what was in it still is.
    pub fn write(&self, book: &Book) -> Result<()> {
        let bytes = book.to_bytes()?;
        self.replace(&bytes).with_context(|| {
            format!("cannot write {}: make room, or let this user write there, and say it again", self.path.display())
        })
    }

    fn replace(&self, bytes: &[u8]) -> Result<()> {
        let new = beside(&self.path, "new");
        // One that a crash left may be of anybody.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut file = private(&new, true)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if cfg!(unix) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

/// `phone.state` and `lock` give `phone.state.lock`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

/// A file that nobody else can read.
fn private(path: &Path, new: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(!new).create_new(new).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn only_mine(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(path)?.permissions().mode();
    let name = path.display();
    ensure!(mode & 0o077 == 0, "others can read or write {name}, which holds this phone's key: chmod 600 {name}");
    Ok(())
}

#[cfg(not(unix))]
fn only_mine(path: &Path) -> Result<()> {
    ensure!(path.is_file(), "{} is no file", path.display());
    Ok(())
}
