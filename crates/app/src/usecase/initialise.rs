//! Writes a first `parallax.yaml` from what stands in a folder and in the account's ssh configuration.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use super::key;
use crate::error::AppError;

/// What was done, in lines for a person.
#[derive(Debug)]
pub struct Initialised {
    /// A line for each thing that was found or written.
    pub lines: Vec<String>,
}

/// Words in a host's name that tell of an environment, and the environment's usual name.
const ENVIRONMENT_WORDS: [(&str, &str); 9] = [
    ("staging", "staging"),
    ("stage", "staging"),
    ("stg", "staging"),
    ("production", "production"),
    ("prod", "production"),
    ("prd", "production"),
    ("preprod", "preproduction"),
    ("uat", "uat"),
    ("qa", "qa"),
];

/// Looks around and writes; an existing configuration is left as it is, and where the key is missing that is made.
///
/// # Errors
/// Where a configuration is there already, or the folder can't be written to.
pub fn initialise(folder: &Path) -> Result<Initialised, AppError> {
    let mut lines = Vec::new();
    if let Some(existing) = crate::config::find(folder) {
        let project = existing.parent().unwrap_or(folder);
        if !key::path(project).exists() {
            lines.push(format!("`{}` is there already and was not touched", existing.display()));
            write_folder(project, &mut lines)?;
            return Ok(Initialised { lines });
        }
        return Err(AppError::usage(format!(
            "`{}` is there already and was not touched",
            existing.display()
        ))
        .hint("`parallax schema config` prints what may stand in it"));
    }
    let hosts = ssh_hosts();
    write_new(&folder.join("parallax.yaml"), configuration(&hosts, folder).as_bytes(), 0o644)?;
    lines.push(
        "wrote parallax.yaml: environments, boundaries and the environment schema, with comments".to_owned(),
    );
    for host in &hosts {
        lines.push(format!(
            "  found {} in your ssh configuration: environment `{}`",
            host.alias, host.environment
        ));
    }
    write_folder(folder, &mut lines)?;
    lines.push(match hosts.first() {
        Some(host) => format!(
            "next: correct the folder of `{0}` in parallax.yaml, then parallax check {0}",
            host.environment
        ),
        None => "next: parallax check ssh://HOST/PATH".to_owned(),
    });
    Ok(Initialised { lines })
}

/// What keeps a project's own folder out of git.
const IGNORED: &[u8] = b"# The key and what is recorded stay here; decisions are reviewed like code.\n*\n!.gitignore\n!decisions.yaml\n";

/// Makes a project's `.parallax/` where it is missing, kept out of git by its own ignore file.
pub(super) fn own_folder(project: &Path) -> Result<(), AppError> {
    let own = project.join(".parallax");
    std::fs::create_dir_all(&own).map_err(|e| AppError::io("make the folder", own.display(), &e))?;
    let ignore = own.join(".gitignore");
    if ignore.exists() {
        return Ok(());
    }
    match write_new(&ignore, IGNORED, 0o644) {
        // Another run made it meanwhile.
        Err(_) if ignore.exists() => Ok(()),
        written => written,
    }
}

/// `.parallax/` with the key for fingerprints.
fn write_folder(folder: &Path, lines: &mut Vec<String>) -> Result<(), AppError> {
    own_folder(folder)?;
    let path = key::path(folder);
    if !path.exists() {
        let key: String = key::random::<32>()?.iter().map(|b| format!("{b:02x}")).collect();
        write_new(&path, format!("{key}\n").as_bytes(), 0o600)?;
        lines.push("wrote .parallax/key: secrets are compared by fingerprints made with it; share it as you share secrets, not in git".to_owned());
    }
    Ok(())
}

#[cfg(unix)]
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), AppError> {
    use std::os::unix::fs::OpenOptionsExt;
    let failed = |e: std::io::Error| AppError::io("write", path.display(), &e);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

/// A host of the ssh configuration whose name tells an environment.
struct FoundHost {
    alias: String,
    environment: String,
}

/// Reads `Host` lines of `~/.ssh/config`; names only.
fn ssh_hosts() -> Vec<FoundHost> {
    let Some(home) = std::env::var_os("HOME") else { return Vec::new() };
    let text = std::fs::read_to_string(Path::new(&home).join(".ssh").join("config")).unwrap_or_default();
    hosts_in(&text)
}

fn hosts_in(text: &str) -> Vec<FoundHost> {
    let mut found: Vec<FoundHost> = Vec::new();
    let hosts = text.lines().filter_map(|line| {
        let (word, rest) = line.trim().split_once(|c: char| c.is_whitespace() || c == '=')?;
        word.eq_ignore_ascii_case("host").then_some(rest)
    });
    for alias in hosts.flat_map(str::split_whitespace).filter(|a| !a.contains(['*', '?', '!', '"'])) {
        let words: Vec<&str> = alias.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let environment =
            ENVIRONMENT_WORDS.iter().find(|(word, _)| words.contains(word)).map(|(_, name)| *name);
        if let Some(environment) = environment.filter(|name| !found.iter().any(|f| f.environment == *name)) {
            found.push(FoundHost { alias: alias.to_owned(), environment: environment.to_owned() });
        }
    }
    found
}

fn configuration(hosts: &[FoundHost], folder: &Path) -> String {
    let mut text = String::from(
        "# What Parallax compares, and what must match. `parallax schema config` prints its schema.\n\
         version: 1\n\
         environments:\n\
         \x20 local: {sources: [{host: local, project: .}]}\n",
    );
    for host in hosts {
        // The folder there is not known; the user's own is the likeliest guess that is easy to correct.
        let name = folder.file_name().map_or_else(|| "app".into(), |n| n.to_string_lossy());
        let _written = writeln!(
            text,
            "  {}: {{sources: [{{host: ssh://{}, project: /srv/{name}}}]}}    # correct the project's folder there",
            host.environment, host.alias
        );
    }
    if hosts.is_empty() {
        text.push_str("  # staging: {sources: [{host: ssh://staging.example.org, project: /srv/app}]}\n");
    }
    text.push_str(
        "# The last rule that selects a divergence decides, as in .gitignore. Built-in rules stand beneath\n\
         # yours: profile recommended (the default), strict, or none.\n\
         profile: recommended\n\
         boundaries:\n\
         \x20 - {select: \"env/DATABASE_URL\", may: differ, because: each environment has its own database}\n\
         \x20 # - {select: \"runtime/*#version\", must: compatible}\n\
         \x20 # - {select: \"dependency/npm/**\", must: equal}\n\
         # Checked in every environment, and by `parallax exec -- COMMAND` before an application starts.\n\
         # env_schema:\n\
         #   DATABASE_URL: {type: url, required: true}\n\
         #   LOG_LEVEL: {one_of: [debug, info, warn, error]}\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_environments_in_an_ssh_configuration() {
        let text =
            "Host *\n  User me\nhost shop-staging web-prod\nHost=qa1 uat\n  HostName staging\nHost stg2\n";
        let found: Vec<_> = hosts_in(text).into_iter().map(|h| (h.alias, h.environment)).collect();
        let expected = [("shop-staging", "staging"), ("web-prod", "production"), ("uat", "uat")];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn what_is_written_is_a_configuration() {
        let hosts = hosts_in("Host staging prod");
        let config =
            crate::config::parse(&configuration(&hosts, Path::new("/home/me/shop")), "parallax.yaml")
                .unwrap();
        assert_eq!(config.names(), ["local", "production", "staging"]);
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        // A configuration in a folder above does not count.
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        initialise(folder.path()).unwrap();
        let path = folder.path().join("parallax.yaml");
        std::fs::write(&path, "version: 1\n").unwrap();
        std::fs::remove_file(folder.path().join(".parallax/key")).unwrap();
        assert!(
            initialise(folder.path()).unwrap().lines.iter().any(|line| line.contains("wrote .parallax/key"))
        );
        assert!(initialise(folder.path()).unwrap_err().to_string().contains("was not touched"));
        assert_eq!(std::fs::read_to_string(path).unwrap(), "version: 1\n");
    }
}
