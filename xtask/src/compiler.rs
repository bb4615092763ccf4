//! The C compiler: some of what the workspace depends on is written in C.

use std::{env, process::Command};

use anyhow::{Result, bail};

use crate::workspace::output;

/// Is there a C compiler? `why` it is needed is said where there is none.
pub(crate) fn answers(why: &str) -> Result<()> {
    if cfg!(windows) {
        // Visual Studio's compiler is not on the path; the build scripts that need it find it, or say what is missing.
        return Ok(());
    }
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    // CC may carry arguments: `ccache gcc`.
    let mut words = compiler.split_whitespace();
    let found = words.next().is_some_and(|program| output(Command::new(program).args(words).arg("--version")).is_ok());
    if !found {
        bail!(
            "no C compiler: `{compiler} --version` does not run, and {why}\n  \
             Debian, Ubuntu: sudo apt-get install build-essential\n  \
             Fedora:         sudo dnf install gcc\n  \
             macOS:          xcode-select --install\n  \
             elsewhere:      put a C compiler on the path as `cc`, or name it in CC"
        );
    }
    eprintln!("`{compiler}` answers");
    Ok(())
}
