//! Small file systems, to be filled.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::workspace::output;

/// What each is called, and how many MiB it has: SQLite's log may take 64 of them, and a PostgreSQL takes some 40 before anything is in it.
const DISKS: [(&str, u32); 2] = [("sqlite", 96), ("postgres", 96)];

/// Mounted, until it is dropped.
pub(crate) struct SmallDisks {
    folder: PathBuf,
}

impl SmallDisks {
    /// By root, or by whoever `sudo` lets without asking; says why not otherwise.
    pub(crate) fn mount() -> Result<Self> {
        let folder = env::temp_dir().join(format!("armring-small-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let disks = Self { folder };
        for (name, size) in DISKS {
            let point = disks.folder.join(name);
            fs::create_dir(&point)?;
            // Everyone may write: the server is another user.
            let options = format!("size={size}m,mode=1777");
            as_root("mount", &["-t", "tmpfs", "-o", &options, "armring-small", &point.display().to_string()])?;
        }
        Ok(disks)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for SmallDisks {
    fn drop(&mut self) {
        for (name, _) in DISKS {
            let _ = as_root("umount", &[&self.folder.join(name).display().to_string()]);
            let _ = fs::remove_dir(self.folder.join(name));
        }
        // What is still mounted stays.
        let _ = fs::remove_dir(&self.folder);
    }
}

fn as_root(program: &str, arguments: &[&str]) -> Result<()> {
    let direct = output(Command::new(program).args(arguments));
    direct.or_else(|_| output(Command::new("sudo").arg("--non-interactive").arg(program).args(arguments)))?;
    Ok(())
}
