//! Small files that last: written beside, made durable, renamed, and read back.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use armring_pairing::labelled_hash;

use crate::step;

/// A folder of small files, as a band's flash or a phone's storage.
#[derive(Clone)]
pub(crate) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Makes the folder if there is none.
    ///
    /// # Errors
    /// What the system says, with the name of the folder or file and what can be done; so for all that follow.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// A folder of small files in this one.
    pub(crate) fn drawer(&self, name: &str) -> io::Result<Self> {
        Self::open(&self.folder.join(name))
    }

    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let place = self.folder.join(name);
        match fs::read(&place) {
            Ok(bytes) => match bytes.split_last_chunk() {
                Some((bytes, sum)) if *sum == check_sum(name, bytes) => Ok(Some(bytes.to_vec())),
                _ => Err(io::Error::new(io::ErrorKind::InvalidData, self.damaged(name))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(&place, &error)),
        }
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let place = self.folder.join(name);
        let bytes = [bytes, &check_sum(name, bytes)].concat();
        self.replace(&place, &bytes).map_err(|error| named(&place, &error))
    }

    fn replace(&self, place: &Path, bytes: &[u8]) -> io::Result<()> {
        let beside = place.with_extension("new");
        step::step();
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        step::step();
        fs::rename(&beside, place)?;
        File::open(&self.folder)?.sync_all()?;
        if fs::read(place)? == bytes { Ok(()) } else { Err(io::Error::other("what was written reads back differently")) }
    }

    pub(crate) fn erase(&self, name: &str) -> io::Result<()> {
        step::step();
        let place = self.folder.join(name);
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(named(&place, &error)),
            _ => {}
        }
        File::open(&self.folder)?.sync_all()
    }

    pub(crate) fn erase_all(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            step::step();
            fs::remove_file(entry?.path())?;
        }
        File::open(&self.folder)?.sync_all()
    }

    /// What is said of a file that does not hold what it should.
    pub(crate) fn damaged(&self, name: &str) -> String {
        let place = self.folder.join(name);
        format!("{} is damaged: put a copy back, or remove it, and what it held is lost", place.display())
    }

    /// Copies everything to another folder: what a thief of the flash chip would do.
    pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let to = to.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                Self::copy(&entry.path(), &to)?;
            } else {
                fs::copy(entry.path(), to)?;
            }
        }
        Ok(())
    }
}

/// What stands behind the bytes of each file: flash and disks do not always return what was written. It keeps nobody out.
fn check_sum(name: &str, bytes: &[u8]) -> [u8; 8] {
    let hash = labelled_hash("demo file", &[&labelled_hash("demo name", &[name.as_bytes()]), bytes]);
    hash.first_chunk().copied().unwrap_or_default()
}

/// An error of the system's with the name of the file, and what can be done.
fn named(place: &Path, error: &io::Error) -> io::Error {
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ": let this user read and write there, and start again"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => ": make room, and start again",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => {
            ": something else is in its place; move that away, and start again"
        }
        _ => "",
    };
    io::Error::new(error.kind(), format!("{}: {error}{advice}", place.display()))
}
