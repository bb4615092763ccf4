//! The ledger against PostgreSQL, and against crashes: starts a server in a folder of its own, and throws both away.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    small_disks::SmallDisks,
    workspace::{Workspace, output, run as run_command},
};

/// How many processes are killed while they settle, for each database.
pub(crate) const KILLS: u32 = 100;

/// Every test of the ledger that has to do with PostgreSQL; the same where every transaction is serializable; and all crashes.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let server = Server::start(programs()?)?;
    let all = ["--tests", "--", "postgres", "--skip", "killed", "--skip", "crashes", "--skip", "full_disk"];
    run_command(&mut tests(workspace, &server, &all))?;
    run_command(&mut tests(workspace, &server, &["--test", "tool"]))?;
    eprintln!("once more, with every transaction serializable");
    let payments = ["--test", "books", "--test", "clones", "--test", "group", "--test", "settle", "--", "postgres"];
    run_command(tests(workspace, &server, &payments).env("ARMRING_TEST_SERIALIZABLE", "1"))?;
    killed(workspace, &server)
}

/// The crashes alone.
pub(crate) fn crashes(workspace: &Workspace) -> Result<()> {
    killed(workspace, &Server::start(programs()?)?)
}

fn killed(workspace: &Workspace, server: &Server) -> Result<()> {
    eprintln!("{KILLS} processes killed for each database, crashes of the database, files that can grow no more");
    run_command(&mut tests(workspace, server, &["--test", "crash", "--", "--skip", "connections"]))?;
    match SmallDisks::mount() {
        Ok(disks) => {
            let small = ["--test", "crash", "--", "--ignored", "small_disk"];
            run_command(tests(workspace, server, &small).env("ARMRING_TEST_SMALL_DISKS", disks.folder()))
        }
        // Root of a container may not.
        Err(reason) => {
            eprintln!("NOT TESTED: a disk that is full. No small file system can be mounted here:\n  {reason:#}");
            Ok(())
        }
    }
}

/// Tests of the ledger, which find the server.
fn tests(workspace: &Workspace, server: &Server, arguments: &[&str]) -> Command {
    let mut command = workspace.cargo(&["test", "--locked", "--package", "armring-issuer", "--features", "tls,tools"]);
    command.args(arguments).env("ARMRING_TEST_POSTGRES", server.parameters());
    command.env("ARMRING_POSTGRES_BIN", &server.programs).env("ARMRING_TEST_KILLS", KILLS.to_string());
    command
}

/// Where PostgreSQL's programs are. They are installed where there are none and that can be done.
fn programs() -> Result<PathBuf> {
    if let Some(programs) = env::var_os("ARMRING_POSTGRES_BIN") {
        return Ok(programs.into());
    }
    if let Some(found) = found() {
        return Ok(found);
    }
    if is_root() && output(Command::new("apt-get").arg("--version")).is_ok() {
        eprintln!("there is no PostgreSQL here: installing Debian's");
        let mut install = Command::new("apt-get");
        install.args(["install", "--yes", "--no-install-recommends", "postgresql"]).env("DEBIAN_FRONTEND", "noninteractive");
        if run_command(Command::new("apt-get").args(["--quiet", "update"])).and_then(|()| run_command(&mut install)).is_ok()
            && let Some(found) = found()
        {
            return Ok(found);
        }
    }
    bail!(
        "there is no PostgreSQL to test with\n  \
         Debian, Ubuntu: sudo apt-get install postgresql\n  \
         Fedora:         sudo dnf install postgresql-server\n  \
         macOS:          brew install postgresql\n  \
         elsewhere:      name the folder with initdb and pg_ctl in ARMRING_POSTGRES_BIN"
    )
}

fn found() -> Option<PathBuf> {
    // Debian keeps them by version, off the path.
    let versions = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().flatten();
    let by_version = versions.map(|version| version.path().join("bin")).filter(|folder| has_server(folder)).max();
    by_version.or_else(|| env::split_paths(&env::var_os("PATH")?).find(|folder| has_server(folder)))
}

fn has_server(folder: &Path) -> bool {
    ["initdb", "pg_ctl"].iter().all(|program| folder.join(program).exists())
}

struct Server {
    programs: PathBuf,
    folder: PathBuf,
}

impl Server {
    fn start(programs: PathBuf) -> Result<Self> {
        // Not in `target`: the server is another user, who may not be let in there, and a socket's path must be short.
        let folder = env::temp_dir().join(format!("armring-postgres-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let server = Self { programs, folder };
        if is_root() {
            let mut give = Command::new("chown");
            run_command(give.arg("postgres").arg(&server.folder))
                .context("PostgreSQL does not run as root, but as a user `postgres`")?;
        }
        output(server.program("initdb").args(["-U", "armring", "--auth=trust", "--no-locale", "-E", "UTF8", "--no-sync"]))?;
        // Processes are killed here, not this server: what it says is written need not be on the disk.
        let options = format!("-k {} -c listen_addresses= -c max_connections=200 -c fsync=off", server.folder.display());
        let log = server.folder.join("log");
        let mut start = server.program("pg_ctl");
        start.args(["-w", "-l"]).arg(&log).args(["-o", &options, "start"]).stdout(Stdio::null());
        run_command(&mut start).with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
        Ok(server)
    }

    fn parameters(&self) -> String {
        format!("host={} user=armring dbname=postgres", self.folder.display())
    }

    /// One of its programs, for its data, as a user that is not root.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.arg("-D").arg(self.folder.join("data")).current_dir("/");
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = output(self.program("pg_ctl").args(["-m", "immediate", "stop"]));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
