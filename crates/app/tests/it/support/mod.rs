//! What end-to-end tests stand on: a hermetic laptop, a staging host behind a real sshd, and the binary.

mod sshd;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) use sshd::Sshd;
use tempfile::TempDir;

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The `bin` folder of a real Node.js; `18190` or `18201`.
pub(crate) fn node_bin(which: &str) -> PathBuf {
    let folder = root().join(format!("target/parts/nodes/node_modules/node{which}/bin"));
    assert!(
        folder.join("node").exists(),
        "Node.js is missing at {}: run scripts/test --set-up",
        folder.display()
    );
    folder
}

/// A lockfile of one package, version 3.
pub(crate) fn lockfile(undici: &str) -> String {
    format!(
        r#"{{"name": "shop", "lockfileVersion": 3, "requires": true, "packages": {{
  "": {{"name": "shop", "dependencies": {{"undici": "^5", "ms": "2.1.3"}}}},
  "node_modules/undici": {{"version": "{undici}", "resolved": "https://registry.example.org/undici-{undici}.tgz", "integrity": "sha512-{}=="}},
  "node_modules/ms": {{"version": "2.1.3", "resolved": "https://registry.example.org/ms-2.1.3.tgz", "integrity": "sha512-AAAA"}}
}}}}
"#,
        undici.replace('.', "A")
    )
}

/// A laptop and a staging host: two homes, two projects, one sshd between them.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) sshd: Sshd,
}

/// How staging differs from the laptop.
pub(crate) struct Staging {
    pub(crate) node: PathBuf,
    pub(crate) undici: &'static str,
    pub(crate) variables: Vec<(String, String)>,
}

impl Staging {
    /// Nothing differs.
    pub(crate) fn same() -> Self {
        Self {
            node: node_bin("18190"),
            undici: "5.26.4",
            variables: vec![("LD_LIBRARY_PATH".into(), "/usr/local/lib/node:/usr/lib/x".into())],
        }
    }

    /// Another Node.js, another library path, another lockfile.
    pub(crate) fn drifted() -> Self {
        Self {
            node: node_bin("18201"),
            undici: "5.28.4",
            variables: vec![("LD_LIBRARY_PATH".into(), "/opt/staging/lib:/usr/lib/x".into())],
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }
}

impl World {
    pub(crate) fn new(staging: Staging) -> Self {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let make = |name: &str| std::fs::create_dir_all(folder.path().join(name)).unwrap();
        ["laptop/home/.ssh", "laptop/shop/.git", "staging/home", "staging/shop/.git"]
            .into_iter()
            .for_each(make);
        for (side, undici) in [("laptop", "5.26.4"), ("staging", staging.undici)] {
            let shop = folder.path().join(side).join("shop");
            std::fs::write(shop.join("package-lock.json"), lockfile(undici)).unwrap();
            std::fs::write(shop.join(".nvmrc"), "18.19.0\n").unwrap();
        }
        // Short names, so that what is shown of a path does not depend on where the tests are.
        std::os::unix::fs::symlink(node_bin("18190"), folder.path().join("laptop/bin")).unwrap();
        std::os::unix::fs::symlink(&staging.node, folder.path().join("staging/node")).unwrap();
        let mut variables = staging.variables;
        let home = folder.path().join("staging/home");
        variables.push(("HOME".into(), home.display().to_string()));
        variables.push(("PATH".into(), format!("{}/staging/node:/usr/bin:/bin", folder.path().display())));
        variables.push(("LANG".into(), "C.UTF-8".into()));
        let sshd = Sshd::start(folder.path(), &variables);
        let world = Self { folder, sshd };
        world.write_config("");
        world
    }

    pub(crate) fn shop(&self) -> PathBuf {
        self.folder.path().join("laptop/shop")
    }

    pub(crate) fn staging_shop(&self) -> PathBuf {
        self.folder.path().join("staging/shop")
    }

    /// The configuration, with `more` after the environments.
    pub(crate) fn write_config(&self, more: &str) {
        let text = format!(
            "version: 1\nenvironments:\n  local: {{sources: [{{host: local, project: .}}]}}\n  staging: {{sources: [{{host: ssh://staging, project: {}}}]}}\n{more}",
            self.staging_shop().display()
        );
        std::fs::write(self.shop().join("parallax.yaml"), text).unwrap();
    }

    /// Starts staging's server anew, with other variables.
    pub(crate) fn restart_sshd(&mut self, variables: &[(&str, &str)]) {
        self.sshd.stop();
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        std::fs::remove_dir_all(self.folder.path().join("sshd")).unwrap();
        self.sshd = Sshd::start(self.folder.path(), &variables);
    }

    /// The laptop's `parallax`, hermetic: only the variables that a test names are there.
    pub(crate) fn parallax(&self, arguments: &[&str]) -> Ran {
        self.parallax_with(arguments, &[])
    }

    pub(crate) fn parallax_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command();
        command.args(arguments).envs(variables.iter().copied());
        Ran::of(command.output().unwrap())
    }

    pub(crate) fn command(&self) -> Command {
        let home = self.folder.path().join("laptop/home");
        let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
        command
            .current_dir(self.shop())
            .env_clear()
            .env("HOME", &home)
            .env("PATH", format!("{}/laptop/bin:/usr/bin:/bin", self.folder.path().display()))
            .env("LD_LIBRARY_PATH", "/usr/local/lib/node:/usr/lib/x")
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .env("PARALLAX_SSH", self.sshd.client_arguments())
            .stdin(Stdio::null());
        command
    }
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let ran = Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        };
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        ran
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            let found = self.stdout.contains(part) || self.stderr.contains(part);
            assert!(found, "`{part}` is missing.\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        }
        self
    }

    pub(crate) fn last_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }
}
