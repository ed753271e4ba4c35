//! Which manager a file comes from, and which version its path says, where a manager keeps every version
//! in a folder of its own. Looks at paths only.

use super::parse;

/// What stands after a manager's marker in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// `<tool>/<version>/..`
    ToolThenVersion,
    /// `<prefix><version>/..` of one tool.
    Version { tool: &'static str, prefix: &'static str },
    /// `<version>[-_]<more>/..` of one tool.
    VersionAndMore { tool: &'static str, prefix: &'static str },
    /// `<hash>-<tool>-<version>/..`
    StoreName,
    /// Nothing that tells a version.
    Other,
}

use Holds::{Other, StoreName, ToolThenVersion, Version, VersionAndMore};

/// A manager, how its paths are recognised, and what they tell. The first that fits decides.
const LAYOUTS: &[(&str, &str, Holds)] = &[
    ("nvm", "nvm/versions/", ToolThenVersion),
    ("n", "n/versions/", ToolThenVersion),
    ("fnm", "fnm/node-versions/", Version { tool: "node", prefix: "" }),
    ("asdf", "asdf/installs/", ToolThenVersion),
    ("mise", "mise/installs/", ToolThenVersion),
    ("volta", "volta/tools/image/", ToolThenVersion),
    ("pyenv", "pyenv/versions/", Version { tool: "python", prefix: "" }),
    ("rbenv", "rbenv/versions/", Version { tool: "ruby", prefix: "" }),
    ("nodenv", "nodenv/versions/", Version { tool: "node", prefix: "" }),
    ("goenv", "goenv/versions/", Version { tool: "go", prefix: "" }),
    ("phpenv", "phpenv/versions/", Version { tool: "php", prefix: "" }),
    ("plenv", "plenv/versions/", Version { tool: "perl", prefix: "" }),
    ("tfenv", "tfenv/versions/", Version { tool: "terraform", prefix: "" }),
    ("rvm", "rvm/rubies/", Version { tool: "ruby", prefix: "ruby-" }),
    ("perlbrew", "perlbrew/perls/", Version { tool: "perl", prefix: "perl-" }),
    ("sdkman", "sdkman/candidates/", ToolThenVersion),
    ("uv", "uv/python/", VersionAndMore { tool: "python", prefix: "cpython-" }),
    ("rustup", "rustup/toolchains/", VersionAndMore { tool: "rust", prefix: "" }),
    ("homebrew", "Cellar/", ToolThenVersion),
    ("nix", "nix/store/", StoreName),
    ("toolcache", "hostedtoolcache/", ToolThenVersion),
    ("pipx", "pipx/venvs/", Other),
    ("uv", "uv/tools/", Other),
    ("conda", "anaconda3/", Other),
    ("conda", "miniconda3/", Other),
    ("conda", "miniforge3/", Other),
    ("conda", "mambaforge/", Other),
    ("conda", "micromamba/", Other),
    ("conda", "conda/", Other),
    ("venv", "venv/bin/", Other),
    ("npm", "node_modules/", Other),
    ("snap", "snap/", Other),
    ("cargo", "cargo/bin/", Other),
    ("bun", "bun/bin/", Other),
    ("deno", "deno/bin/", Other),
    ("gcloud", "google-cloud-sdk/", Other),
    ("homebrew", "homebrew/", Other),
    ("homebrew", "linuxbrew/", Other),
    ("macports", "opt/local/", Other),
    ("guix", "gnu/store/", Other),
    ("xcode", "Library/Developer/", Other),
    ("xcode", "Xcode.app/", Other),
];

/// Folders that the system's own package manager fills.
const SYSTEM: &[&str] = &["/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/"];

/// The manager that put a file where it is; `None` where the path does not say.
pub(super) fn of_path(path: &str) -> Option<&'static str> {
    if let Some((manager, _, _)) = layout(path) {
        return Some(manager);
    }
    if path.starts_with("/usr/local/") {
        return Some("local");
    }
    SYSTEM.iter().any(|prefix| path.starts_with(prefix)).then_some("system")
}

/// The version that a path says for a tool that is packaged under names which `is_package` knows.
pub(super) fn version_of_path(path: &str, is_package: impl Fn(&str) -> bool) -> Option<String> {
    let (_, rest, holds) = layout(path)?;
    let segment = |n: usize| rest.split('/').nth(n);
    // What was installed into that version's folder has a version of its own.
    if rest.contains("node_modules/") || rest.contains("site-packages/") {
        return None;
    }
    match holds {
        ToolThenVersion => {
            let tool = segment(0)?.to_ascii_lowercase();
            // Homebrew adds its own revision: `3.2.0_1`.
            let version = segment(1)?;
            let version = version.split_once('_').map_or(version, |(before, _)| before);
            parse::plain_version(version).filter(|_| is_package(&tool))
        }
        Version { tool, prefix } => {
            let name = segment(0)?.strip_prefix(prefix)?;
            parse::plain_version(name).filter(|v| is_package(tool) && v.matches('.').count() >= 2)
        }
        VersionAndMore { tool, prefix } => {
            let name = segment(0)?.strip_prefix(prefix)?;
            let (version, _) = name.split_once('-')?;
            parse::plain_version(version).filter(|v| is_package(tool) && v.matches('.').count() == 2)
        }
        StoreName => {
            let (_, name) = segment(0)?.split_once('-')?;
            let at = name.match_indices('-').map(|(at, _)| at).find(|at| {
                name.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            })?;
            let (package, version) = name.split_at_checked(at)?;
            parse::plain_version(version.trim_start_matches('-')).filter(|_| is_package(package))
        }
        Other => None,
    }
}

/// The first layout whose marker stands in the path as whole segments (a leading dot is let pass), and what
/// follows it.
fn layout(path: &str) -> Option<(&'static str, &str, Holds)> {
    LAYOUTS.iter().find_map(|(manager, marker, holds)| {
        path.match_indices(marker).find_map(|(at, _)| {
            let before = path.get(..at)?;
            let whole = before.ends_with('/') || before.ends_with("/.");
            whole.then_some((*manager, path.get(at + marker.len()..)?, *holds))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managers_and_versions() {
        let check = |path: &str, manager: Option<&str>, version: Option<&str>| {
            let packages = ["node", "nodejs", "node@18", "python", "python3", "rust", "ruby", "openssl@3"];
            let is_package = |name: &str| packages.contains(&name);
            assert_eq!(of_path(path), manager, "{path}");
            assert_eq!(version_of_path(path, is_package).as_deref(), version, "{path}");
        };
        check("/home/a/.nvm/versions/node/v18.19.0/bin/node", Some("nvm"), Some("18.19.0"));
        check("/usr/local/nvm/versions/node/v18.19.0/bin/node", Some("nvm"), Some("18.19.0"));
        check("/home/a/.nvm/versions/node/v18.19.0/lib/node_modules/npm/bin/npm-cli.js", Some("nvm"), None);
        check("/home/a/.nvm/versions/node/v18.19.0/lib/node_modules/node/bin/node", Some("nvm"), None);
        check(
            "/home/a/.local/share/fnm/node-versions/v20.1.0/installation/bin/node",
            Some("fnm"),
            Some("20.1.0"),
        );
        check("/home/a/.asdf/installs/nodejs/18.19.0/bin/node", Some("asdf"), Some("18.19.0"));
        check("/home/a/.asdf/installs/nodejs/ref:abc/bin/node", Some("asdf"), None);
        check("/home/a/.local/share/mise/installs/node/18.19.0/bin/node", Some("mise"), Some("18.19.0"));
        check("/home/a/.volta/tools/image/node/18.19.0/bin/node", Some("volta"), Some("18.19.0"));
        check("/root/.pyenv/versions/3.11.7/bin/python3.11", Some("pyenv"), Some("3.11.7"));
        check("/root/.pyenv/versions/pypy3.9-7.3.11/bin/python", Some("pyenv"), None);
        check("/root/.pyenv/versions/3.11/bin/python", Some("pyenv"), None);
        check(
            "/root/.local/share/uv/python/cpython-3.12.1-linux-x86_64-gnu/bin/python3.12",
            Some("uv"),
            Some("3.12.1"),
        );
        check(
            "/root/.rustup/toolchains/1.95.0-x86_64-unknown-linux-gnu/bin/rustc",
            Some("rustup"),
            Some("1.95.0"),
        );
        check("/root/.rustup/toolchains/stable-x86_64-unknown-linux-gnu/bin/rustc", Some("rustup"), None);
        check(
            "/root/.rustup/toolchains/nightly-2026-01-02-x86_64-unknown-linux-gnu/bin/rustc",
            Some("rustup"),
            None,
        );
        check("/opt/homebrew/Cellar/node@18/18.19.0/bin/node", Some("homebrew"), Some("18.19.0"));
        check("/opt/homebrew/Cellar/openssl@3/3.2.0_1/bin/openssl", Some("homebrew"), Some("3.2.0"));
        check("/opt/homebrew/Cellar/yarn/1.22.19/bin/yarn", Some("homebrew"), None);
        check(
            "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-nodejs-18.19.0/bin/node",
            Some("nix"),
            Some("18.19.0"),
        );
        check("/nix/store/0123456789abcdfghijklmnpqrsvwxyz-git-2.43.0/bin/git", Some("nix"), None);
        check("/opt/hostedtoolcache/Python/3.11.7/x64/bin/python3.11", Some("toolcache"), Some("3.11.7"));
        check("/home/a/.rvm/rubies/ruby-3.2.2/bin/ruby", Some("rvm"), Some("3.2.2"));
        check("/srv/node_modules/bun/bin/bun.exe", Some("npm"), None);
        check("/srv/app/.venv/bin/pip", Some("venv"), None);
        check("/home/a/.local/share/pipx/venvs/poetry/bin/poetry", Some("pipx"), None);
        check("/usr/bin/node", Some("system"), None);
        check("/usr/local/bin/node", Some("local"), None);
        check("/srv/node_modules/node18190/bin/node", Some("npm"), None);
        check("/home/a/xnvm/versions/node/v18.19.0/bin/node", None, None);
        check("/opt/thing/bin/node", None, None);
        check("", None, None);
        check("/nix/store/x", Some("nix"), None);
        check("/x/.pyenv/versions/é", Some("pyenv"), None);
    }
}
