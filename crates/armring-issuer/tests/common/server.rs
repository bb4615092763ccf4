//! A PostgreSQL of a test's own, to be crashed and starved.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where `initdb` and `pg_ctl` are.
const PROGRAMS: &str = "ARMRING_POSTGRES_BIN";

pub(crate) struct Server {
    folder: PathBuf,
    programs: PathBuf,
    /// What it is told beside what all are told.
    options: String,
}

impl Server {
    pub(crate) fn start(name: &str) -> Self {
        Self::start_in(std::env::temp_dir().join(format!("armring-{name}-{}", std::process::id())))
    }

    /// With its data in this folder, which is made anew.
    pub(crate) fn start_in(folder: PathBuf) -> Self {
        let programs = std::env::var_os(PROGRAMS).unwrap_or_else(|| panic!("{PROGRAMS} is not set; `cargo xtask ci` does it"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        let server = Self { folder, programs: programs.into(), options: "-c listen_addresses=".to_owned() };
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(&server.folder).status().unwrap().success());
        }
        let data = server.data();
        server.run(
            "initdb",
            &["-U", "armring", "--auth=trust", "--no-locale", "-E", "UTF8", "--no-sync", "--wal-segsize=1", "-D", &data],
        );
        server.go_on(None);
        server
    }

    /// Listens on a loopback address of its own (of 127/8: no other test has it), with TLS by this certificate, or without.
    #[cfg(feature = "tls")]
    pub(crate) fn listen(&mut self, tls: Option<(&str, &str)>) -> std::net::Ipv4Addr {
        let [_, b, c, d] = std::process::id().to_be_bytes();
        let address = std::net::Ipv4Addr::new(127, b | 0x80, c, d);
        self.options = format!("-c listen_addresses={address}");
        if let Some((certificate, key)) = tls {
            for (name, content, setting) in [("server.pem", certificate, "ssl_cert_file"), ("server.key", key, "ssl_key_file")] {
                let file = self.folder.join(name);
                let path = file.display().to_string();
                fs::write(&file, content).unwrap();
                assert!(Command::new("chmod").args(["600", &path]).status().unwrap().success());
                if is_root() {
                    assert!(Command::new("chown").args(["postgres", &path]).status().unwrap().success());
                }
                self.options += &format!(" -c {setting}={path}");
            }
            self.options += " -c ssl=on";
        }
        self.crash();
        self.go_on(None);
        address
    }

    /// Starts it, with files of at most so many KiB.
    pub(crate) fn go_on(&self, file_limit: Option<u32>) {
        let (data, log) = (self.data(), self.folder.join("log").display().to_string());
        let options = format!("-k {} {} -c max_wal_size=32MB -c autovacuum=off", self.folder.display(), self.options);
        let pg_ctl = self.programs.join("pg_ctl").display().to_string();
        let limit = file_limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
        // Whoever writes more is told so, and not killed. The unit of ulimit is 512 bytes in some shells and 1 KiB in others: dash has 512.
        let script = "ulimit -f $0; trap '' XFSZ; exec \"$@\"";
        let arguments = ["sh", "-c", script, &limit, &pg_ctl, "-w", "-D", &data, "-l", &log, "-o", &options, "start"];
        let status = as_user(arguments[0]).args(&arguments[1..]).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "{}", fs::read_to_string(&log).unwrap_or_default());
    }

    /// Ends it as a power cut does: without a checkpoint; unless it has ended by itself.
    pub(crate) fn crash(&self) {
        let data = self.data();
        let stopped =
            as_user(self.programs.join("pg_ctl")).args(["-w", "-D", &data, "-m", "immediate", "stop"]).output().unwrap();
        let is_gone = !Path::new(&data).join("postmaster.pid").exists();
        assert!(stopped.status.success() || is_gone, "{}", String::from_utf8_lossy(&stopped.stderr));
    }

    pub(crate) fn parameters(&self) -> String {
        format!("host={} user=armring dbname=postgres", self.folder.display())
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let output = as_user(&program).args(arguments).current_dir("/").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = as_user(self.programs.join("pg_ctl")).args(["-D", &self.data(), "-m", "immediate", "stop"]).output();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The server does not run as root.
fn as_user(program: impl AsRef<Path>) -> Command {
    if !is_root() {
        return Command::new(program.as_ref());
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program.as_ref());
    command
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}
