//! From what tools print, and what files beside them say, to a version. Pure; any input gives a version
//! or nothing. Says nothing of whether two versions are equal.

use serde::Deserialize;

/// What a command printed, as text.
#[derive(Debug, Default)]
pub(super) struct Printed {
    /// Its standard output, free of colour codes.
    pub stdout: String,
    /// Its standard error, likewise.
    pub stderr: String,
}

impl Printed {
    /// From raw bytes; bytes that are no UTF-8 become U+FFFD, and colours are dropped.
    pub(super) fn of(stdout: &[u8], stderr: &[u8]) -> Self {
        let text = |bytes| without_colour(&String::from_utf8_lossy(bytes));
        Self { stdout: text(stdout), stderr: text(stderr) }
    }
}

/// Drops the terminal's control sequences (`ESC [ .. letter`).
fn without_colour(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            out.push(c);
        } else if chars.next() == Some('[') {
            chars.by_ref().find(char::is_ascii_alphabetic);
        }
    }
    out
}

/// A version as its first word: digits, and at most letters, digits and `.-_~` after them. A leading `v`
/// and build metadata (`+..`) are left out. `None` for anything else, or for one that is absurdly long.
pub(super) fn version(text: &str) -> Option<String> {
    let word =
        text.split_whitespace().next()?.trim_matches(|c| matches!(c, '"' | '\'' | ',' | ';' | '(' | ')'));
    let word = word.strip_prefix('v').unwrap_or(word);
    let word = word.split_once('+').map_or(word, |(before, _)| before);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~');
    let whole = word.starts_with(|c: char| c.is_ascii_digit())
        && word.ends_with(|c: char| c.is_ascii_alphanumeric())
        && word.chars().all(plain)
        && word.len() <= 64;
    whole.then(|| word.to_owned())
}

/// A version of two to four numbers and nothing else: what a folder's name is believed.
pub(super) fn plain_version(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let numbers: Vec<&str> = text.split('.').collect();
    let plain = (2..=4).contains(&numbers.len())
        && numbers.iter().all(|n| (1..=9).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()));
    plain.then(|| text.to_owned())
}

/// The version after a label, at its first place in a text: `after("git version ", ..)`. It has a dot.
pub(super) fn after(label: &str, text: &str) -> Option<String> {
    let (_, rest) = text.split_once(label)?;
    version(rest.lines().next()?).filter(|v| v.contains('.'))
}

/// The version after a label at the start of a line.
pub(super) fn line_after(label: &str, text: &str) -> Option<String> {
    text.lines().find_map(|line| version(line.trim_start().strip_prefix(label)?)).filter(|v| v.contains('.'))
}

/// The first line is a version and nothing else (`v20.20.2`, `8.15.1`).
pub(super) fn bare(printed: &Printed) -> Option<String> {
    let line = printed.stdout.lines().find(|l| !l.trim().is_empty())?.trim();
    version(line).filter(|v| v.contains('.') && !line.contains(char::is_whitespace))
}

/// `openjdk version "17.0.15" 2025-04-15`, `java version "1.8.0_392"`, on either stream.
pub(super) fn java(printed: &Printed) -> Option<String> {
    [&printed.stderr, &printed.stdout].into_iter().find_map(|text| {
        text.lines().find_map(|line| {
            let (name, quoted) = line.split_once(" version \"")?;
            let known = name.split_whitespace().next_back().is_some_and(|n| matches!(n, "openjdk" | "java"));
            version(quoted.split('"').next()?).filter(|_| known)
        })
    })
}

/// `javac 17.0.15`; before Java 9 on standard error.
pub(super) fn javac(printed: &Printed) -> Option<String> {
    [&printed.stdout, &printed.stderr]
        .into_iter()
        .find_map(|text| text.lines().find_map(|line| version(line.strip_prefix("javac ")?)))
}

/// `Python 3.11.7`; Python 2 says it on standard error.
pub(super) fn python(printed: &Printed) -> Option<String> {
    line_after("Python ", &printed.stdout).or_else(|| line_after("Python ", &printed.stderr))
}

/// `pip 23.2.1 from /usr/lib/.. (python 3.11)`
pub(super) fn pip(printed: &Printed) -> Option<String> {
    line_after("pip ", &printed.stdout)
}

/// `uv 0.4.18 (7b55e9790 2024-10-01)`
pub(super) fn uv(printed: &Printed) -> Option<String> {
    line_after("uv ", &printed.stdout)
}

/// `Poetry (version 1.8.2)`; before 1.2 without parentheses.
pub(super) fn poetry(printed: &Printed) -> Option<String> {
    after("Poetry (version ", &printed.stdout).or_else(|| after("Poetry version ", &printed.stdout))
}

/// `deno 1.40.0 (release, x86_64-unknown-linux-gnu)`
pub(super) fn deno(printed: &Printed) -> Option<String> {
    line_after("deno ", &printed.stdout)
}

/// `ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux-gnu]`: the patch level is not part of it.
pub(super) fn ruby(printed: &Printed) -> Option<String> {
    let found = line_after("ruby ", &printed.stdout)?;
    let (number, patch) = found.split_once('p').unwrap_or((&found, "0"));
    let patched = patch.bytes().all(|b| b.is_ascii_digit());
    Some(if patched { number.to_owned() } else { found })
}

/// `Bundler version 2.4.10`; from Bundler 4 on the number alone.
pub(super) fn bundler(printed: &Printed) -> Option<String> {
    line_after("Bundler version ", &printed.stdout).or_else(|| bare(printed))
}

/// `Apache Maven 3.8.7 (b89d5959fcde851dcb1c8946a785a163f14e1e29)`
pub(super) fn maven(printed: &Printed) -> Option<String> {
    line_after("Apache Maven ", &printed.stdout)
}

/// A line `Gradle 8.5` between rules.
pub(super) fn gradle(printed: &Printed) -> Option<String> {
    line_after("Gradle ", &printed.stdout)
}

/// `go version go1.22.1 linux/amd64`
pub(super) fn go(printed: &Printed) -> Option<String> {
    after("go version go", &printed.stdout)
}

/// `rustc 1.95.0 (59807616e 2026-04-14)`
pub(super) fn rustc(printed: &Printed) -> Option<String> {
    line_after("rustc ", &printed.stdout)
}

/// `cargo 1.95.0 (f2d3ce0bd 2026-03-21)`
pub(super) fn cargo(printed: &Printed) -> Option<String> {
    line_after("cargo ", &printed.stdout)
}

/// `PHP 8.2.29 (cli) (built: Jul  3 2025 16:16:05) (NTS)`; packagers' suffixes are cut.
pub(super) fn php(printed: &Printed) -> Option<String> {
    let found = line_after("PHP ", &printed.stdout)?;
    Some(
        found
            .split_once('-')
            .filter(|(_, s)| s.contains("ubuntu") || s.contains("deb"))
            .map_or(found.clone(), |(upstream, _)| upstream.to_owned()),
    )
}

/// `Composer version 2.5.5 2023-03-21 11:50:05`
pub(super) fn composer(printed: &Printed) -> Option<String> {
    after("Composer version ", &printed.stdout)
}

/// `This is perl 5, version 36, subversion 0 (v5.36.0) built for x86_64-linux-gnu-thread-multi`
pub(super) fn perl(printed: &Printed) -> Option<String> {
    let (_, rest) = printed.stdout.split_once("This is perl")?;
    let (_, rest) = rest.lines().next()?.split_once("(v")?;
    version(rest.split(')').next()?).filter(|v| v.contains('.'))
}

/// `Elixir 1.14.0 (compiled with Erlang/OTP 24)`, after a line about the virtual machine.
pub(super) fn elixir(printed: &Printed) -> Option<String> {
    line_after("Elixir ", &printed.stdout)
}

/// `25.2.3`, as `OTP_VERSION` has it; a release candidate is `27.0-rc1`.
pub(super) fn erlang(printed: &Printed) -> Option<String> {
    version(printed.stdout.trim()).filter(|_| !printed.stdout.trim().contains(char::is_whitespace))
}

/// `gcc (Debian 12.2.0-14+deb12u1) 12.2.0`. Where clang answers to `gcc`, its version is marked as such.
pub(super) fn gcc(printed: &Printed) -> Option<String> {
    if let Some(clang) = clang(printed) {
        return Some(format!("{clang}-clang"));
    }
    let first = printed.stdout.lines().next()?;
    let known = first.contains("gcc") && printed.stdout.contains("Free Software Foundation");
    // The packager's note in parentheses may hold spaces and a version of its own.
    let after_note = first.rsplit_once(") ").map_or(first, |(_, rest)| rest);
    after_note.split_whitespace().find_map(version).filter(|v| known && v.contains('.'))
}

/// `Debian clang version 14.0.6`, `Apple clang version 15.0.0 (clang-1500.1.0.2.5)`
pub(super) fn clang(printed: &Printed) -> Option<String> {
    let first = printed.stdout.lines().next()?;
    let found = after("clang version ", first)?;
    // Ubuntu glues its revision on: `14.0.0-1ubuntu1.1`.
    Some(
        found
            .split_once('-')
            .filter(|(_, s)| s.contains("ubuntu"))
            .map_or(found.clone(), |(v, _)| v.to_owned()),
    )
}

/// `cmake version 3.25.1`
pub(super) fn cmake(printed: &Printed) -> Option<String> {
    line_after("cmake version ", &printed.stdout)
}

/// `GNU Make 4.3`
pub(super) fn make(printed: &Printed) -> Option<String> {
    line_after("GNU Make ", &printed.stdout)
}

/// `git version 2.47.3`, `git version 2.39.3 (Apple Git-146)`
pub(super) fn git(printed: &Printed) -> Option<String> {
    line_after("git version ", &printed.stdout)
}

/// `OpenSSL 3.0.15 3 Sep 2024 (Library: ..)`; `LibreSSL 3.3.6` is marked as what it is.
pub(super) fn openssl(printed: &Printed) -> Option<String> {
    let text = &printed.stdout;
    line_after("OpenSSL ", text).or_else(|| Some(format!("{}-libressl", line_after("LibreSSL ", text)?)))
}

/// `Docker version 28.2.2, build e6534b4`
pub(super) fn docker(printed: &Printed) -> Option<String> {
    line_after("Docker version ", &printed.stdout)
}

/// `podman version 4.3.1`
pub(super) fn podman(printed: &Printed) -> Option<String> {
    line_after("podman version ", &printed.stdout)
}

/// `Client Version: v1.32.0`; before 1.28 a Go structure with `GitVersion:"v1.20.0"`. Google's build
/// adds `-dispatcher`, which is a label.
pub(super) fn kubectl(printed: &Printed) -> Option<String> {
    let text = &printed.stdout;
    let found = after("GitVersion:\"", &text.replace("\", ", " "))
        .or_else(|| line_after("Client Version: ", text))?;
    Some(found.strip_suffix("-dispatcher").map_or(found.clone(), ToOwned::to_owned))
}

/// `v3.14.0+g3fc9f4b`; Helm 2 put `Client: ` before it.
pub(super) fn helm(printed: &Printed) -> Option<String> {
    line_after("Client: ", &printed.stdout).or_else(|| bare(printed))
}

/// `Terraform v1.11.4`, or `{"terraform_version": "1.11.4", ..}`
pub(super) fn terraform(printed: &Printed) -> Option<String> {
    after("\"terraform_version\": \"", &printed.stdout).or_else(|| line_after("Terraform ", &printed.stdout))
}

/// `psql (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`
pub(super) fn psql(printed: &Printed) -> Option<String> {
    line_after("psql (PostgreSQL) ", &printed.stdout)
}

/// `curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 ..`
pub(super) fn curl(printed: &Printed) -> Option<String> {
    line_after("curl ", &printed.stdout)
}

/// `OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026`, on standard error.
pub(super) fn ssh(printed: &Printed) -> Option<String> {
    let text = if printed.stderr.contains("OpenSSH_") { &printed.stderr } else { &printed.stdout };
    after("OpenSSH_", &text.replace(", ", " "))
}

/// `GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)`
pub(super) fn bash(printed: &Printed) -> Option<String> {
    let (_, rest) = printed.stdout.split_once("GNU bash, version ")?;
    version(rest.split('(').next()?).filter(|v| v.contains('.'))
}

/// `3.40.1 2022-12-28 14:03:47 df5c253c..`
pub(super) fn sqlite(printed: &Printed) -> Option<String> {
    let first = printed.stdout.lines().next()?;
    let dated = first.split_whitespace().nth(1).is_some_and(|d| d.len() == 10 && d.contains('-'));
    version(first).filter(|v| dated && v.contains('.'))
}

/// `redis-cli 7.0.15`
pub(super) fn redis(printed: &Printed) -> Option<String> {
    line_after("redis-cli ", &printed.stdout)
}

/// `mysql  Ver 8.0.36 for Linux on x86_64`; the client of `MariaDB` also says `Distrib 10.11.6-MariaDB` or
/// `from 11.4.2-MariaDB`, and that is its version.
pub(super) fn mysql(printed: &Printed) -> Option<String> {
    let text = &printed.stdout.replace(',', " ");
    after(" Distrib ", text).or_else(|| after("mysql from ", text)).or_else(|| after("Ver ", text))
}

/// The `version` of a `package.json` whose `name` fits.
pub(super) fn npm_package(text: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    #[derive(Deserialize)]
    struct Manifest {
        name: String,
        version: String,
    }
    let manifest: Manifest = serde_json::from_str(text).ok()?;
    version(&manifest.version).filter(|_| fits(&manifest.name))
}

/// Node's own header: three `#define NODE_*_VERSION` lines. A build that is no release is not told by it.
pub(super) fn node_header(text: &str) -> Option<String> {
    let number = |name: &str| {
        text.lines().find_map(|line| {
            let value = line.strip_prefix("#define ")?.trim_start().strip_prefix(name)?;
            value.trim().parse::<u32>().ok()
        })
    };
    let released = number("NODE_VERSION_IS_RELEASE") == Some(1);
    let [major, minor, patch] =
        [number("NODE_MAJOR_VERSION")?, number("NODE_MINOR_VERSION")?, number("NODE_PATCH_VERSION")?];
    released.then(|| format!("{major}.{minor}.{patch}"))
}

/// `JAVA_VERSION="17.0.15"` of a Java home's `release` file.
pub(super) fn java_release(text: &str) -> Option<String> {
    text.lines().find_map(|line| version(line.strip_prefix("JAVA_VERSION=")?))
}

/// The first line of Go's `VERSION`: `go1.22.1`.
pub(super) fn go_version_file(text: &str) -> Option<String> {
    let first = text.lines().next()?;
    version(first.strip_prefix("go")?).filter(|_| !first.contains(' '))
}

/// `{vsn,"1.14.0"}` of an Erlang application file.
pub(super) fn erlang_application(text: &str) -> Option<String> {
    after("{vsn,\"", &text.replace("\"}", " "))
}

/// A file that holds a version and nothing else (`OTP_VERSION`).
pub(super) fn version_file(text: &str) -> Option<String> {
    version(text.trim()).filter(|_| !text.trim().contains(char::is_whitespace))
}

/// The release of the Cloud SDK's component: `"version_string": "1.32.4"`, where it is said once.
pub(super) fn cloud_sdk_component(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("\"version_string\": \"")?;
    let once = !rest.contains("\"version_string\"");
    plain_version(rest.split('"').next()?).filter(|_| once)
}

/// `[pkg.rustc]`'s version in a toolchain's manifest. Cargo prints the same number, not its own crate's.
pub(super) fn rust_manifest(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("[pkg.rustc]\n")?;
    version(rest.lines().next()?.strip_prefix("version = ")?.trim_matches('"'))
}

/// `version = 3.11.7` of a virtual environment.
pub(super) fn virtual_environment(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        plain_version(value.trim()).filter(|_| name.trim() == "version")
    })
}

/// `version: '1.29.0'` of a snap.
pub(super) fn snap(text: &str) -> Option<String> {
    text.lines()
        .find_map(|line| plain_version(line.strip_prefix("version:")?.trim().trim_matches(['\'', '"'])))
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
