//! `Gemfile.lock` of Bundler. <https://bundler.io/man/bundle-lock.1.html>
//!
//! A gem that is built for platforms stands once for each, under that condition; the one without a platform, where it stands
//! beside these, has none, though Bundler takes it only where none of the others fits. Groups are in the Gemfile, which is a
//! program, so nothing is said of development. The project's own gem (`PATH` with `remote: .`) stands for nobody.

use std::collections::{HashMap, HashSet};

use super::graph::{connect, edge};
use super::{Files, Locked, Malformed, Origin, Package, platform};

/// The default source, as Bundler writes it.
const DEFAULT: [&str; 2] = ["https://rubygems.org", "http://rubygems.org"];

/// The part of the file that a line stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Gem,
    Git,
    Path,
    Dependencies,
    Checksums,
    Other,
}

/// What the lines of a source say before its gems.
#[derive(Debug, Default)]
struct Remote<'t> {
    urls: Vec<&'t str>,
    revision: Option<&'t str>,
}

#[derive(Default)]
struct Reading<'t> {
    packages: Vec<Package>,
    /// The platform of each package as the file has it.
    spelled: Vec<(&'t str, &'t str)>,
    asked: HashSet<&'t str>,
    checksums: HashMap<(&'t str, &'t str), Vec<String>>,
    /// Whether the gem whose needs are read is the project's own.
    own: bool,
    unclear: Vec<Malformed>,
}

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let text = files.text()?;
    let mut section = None;
    let mut remote = Remote::default();
    let mut reading = Reading::default();
    for (at, line) in text.lines().enumerate() {
        let content = line.trim_start_matches(' ');
        let depth = line.len() - content.len();
        let content = content.trim_end();
        match (depth, section) {
            _ if content.is_empty() => {}
            (0, _) => {
                section = Some(begins(content).ok_or(Malformed {
                    line: at + 1,
                    column: 1,
                    what: wrong(content),
                })?);
                remote = Remote::default();
            }
            (_, None) => {
                return Err(Malformed { line: at + 1, column: 1, what: "not the lock of a Gemfile" });
            }
            (_, Some(section)) => reading.line((section, depth), content, &mut remote, at + 1),
        }
    }
    Ok(reading.done())
}

fn begins(title: &str) -> Option<Section> {
    Some(match title {
        "GEM" => Section::Gem,
        "GIT" => Section::Git,
        "PATH" => Section::Path,
        "DEPENDENCIES" => Section::Dependencies,
        "CHECKSUMS" => Section::Checksums,
        // PLATFORMS, RUBY VERSION, BUNDLED WITH, PLUGIN SOURCE, and what later versions add.
        title if title.bytes().all(|b| b.is_ascii_uppercase() || b == b' ' || b == b'_') => Section::Other,
        _ => return None,
    })
}

fn wrong(line: &str) -> &'static str {
    let marks = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];
    if marks.iter().any(|mark| line.starts_with(mark)) {
        "a conflict that is not merged"
    } else {
        "not the lock of a Gemfile"
    }
}

impl<'t> Reading<'t> {
    fn line(&mut self, place: (Section, usize), content: &'t str, remote: &mut Remote<'t>, line: usize) {
        let understood = match place {
            (Section::Gem | Section::Git | Section::Path, 2) => {
                remote.take(content);
                Some(())
            }
            (section @ (Section::Gem | Section::Git | Section::Path), 4) => {
                self.gem(section, content, remote)
            }
            (Section::Gem | Section::Git | Section::Path, 6) => self.need(content),
            (Section::Dependencies, 2) => {
                let name = content.split(' ').next().unwrap_or_default().trim_end_matches('!');
                self.asked.insert(name);
                Some(())
            }
            (Section::Checksums, 2) => self.checksum(content),
            (Section::Other, _) => Some(()),
            _ => None,
        };
        if understood.is_none() {
            self.unclear.push(Malformed { line, column: 1, what: "not a gem and its version" });
        }
    }

    fn gem(&mut self, section: Section, content: &'t str, remote: &Remote<'t>) -> Option<()> {
        let (name, spelled) = name_and_version(content)?;
        self.own = section == Section::Path && remote.urls.as_slice() == ["."];
        if self.own {
            return Some(());
        }
        let (version, platform) = match spelled.split_once('-') {
            Some((version, platform)) => (version, Some(platform).filter(|platform| *platform != "ruby")),
            None => (spelled, None),
        };
        let commit = remote.revision.filter(|_| section == Section::Git);
        self.spelled.push((name, spelled));
        self.packages.push(Package {
            name: name.to_owned(),
            version: commit.unwrap_or(version).to_owned(),
            origin: remote.origin(section),
            when: platform.map(platform::of_gem),
            ..Package::default()
        });
        Some(())
    }

    fn need(&mut self, content: &'t str) -> Option<()> {
        let name = content.split(' ').next().filter(|name| !name.is_empty())?;
        if self.own {
            self.asked.insert(name);
        } else {
            self.packages.last_mut()?.needs.push(edge(name));
        }
        Some(())
    }

    /// `name (version) sha256=..,sha512=..`; without a hash where Bundler has none yet.
    fn checksum(&mut self, content: &'t str) -> Option<()> {
        let (gem, hashes) = content.split_once(')').map(|(gem, hashes)| (gem, hashes.trim()))?;
        let (name, version) = gem.split_once(" (")?;
        let mut hashes: Vec<String> = hashes
            .split(',')
            .filter(|hash| !hash.is_empty())
            .map(|hash| hash.replacen('=', ":", 1))
            .collect();
        hashes.sort();
        self.checksums.insert((name, version), hashes);
        Some(())
    }

    fn done(mut self) -> Locked {
        for (package, spelled) in self.packages.iter_mut().zip(&self.spelled) {
            package.direct = Some(self.asked.contains(package.name.as_str()));
            package.integrity = self.checksums.remove(spelled).unwrap_or_default();
        }
        without_musl(&mut self.packages);
        connect(&mut self.packages);
        Locked { version: String::new(), packages: self.packages, unclear: self.unclear }
    }
}

/// A gem for Linux at large is for glibc alone where there is another of the same for musl.
fn without_musl(packages: &mut [Package]) {
    let key =
        |package: &Package, when: &str| (package.name.clone(), package.version.clone(), when.to_owned());
    let of_musl = |package: &Package| {
        let when = package.when.as_deref()?.strip_suffix(" libc=musl")?;
        Some(key(package, when))
    };
    let others: HashSet<_> = packages.iter().filter_map(of_musl).collect();
    for package in packages {
        let when = package.when.clone().unwrap_or_default();
        if others.contains(&key(package, &when)) {
            package.when = Some(format!("{when} libc=glibc"));
        }
    }
}

impl<'t> Remote<'t> {
    fn take(&mut self, content: &'t str) {
        match content.split_once(": ") {
            Some(("remote", url)) => self.urls.push(url.trim()),
            Some(("revision", commit)) => self.revision = Some(commit.trim()),
            Some(_) | None => {}
        }
    }

    fn origin(&self, section: Section) -> Option<Origin> {
        let default = |url: &str| DEFAULT.contains(&url.trim_end_matches('/'));
        match (section, self.urls.as_slice()) {
            (_, []) => None,
            (Section::Git, [url, ..]) => Some(Origin::git(url)),
            (Section::Path, [path, ..]) => Some(Origin::path(path)),
            (_, urls) if urls.iter().all(|url| default(url)) => None,
            // Several at once is what Bundler wrote before 2.2: any of them may have served the gem.
            (_, urls) => Some(Origin::registry(&urls.join(" "))),
        }
    }
}

/// `name (1.2.3-platform)`.
fn name_and_version(content: &str) -> Option<(&str, &str)> {
    let (name, rest) = content.split_once(" (")?;
    let version = rest.strip_suffix(')')?;
    (!name.is_empty() && !version.is_empty()).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;

    const LOCK: &str = "GIT\n  remote: https://u:p@git.example.org/e.git\n  revision: 821c2fa\n  branch: main\n  specs:\n    e (0.10.0)\n      n (>= 1.2.3)\n\nPATH\n  remote: .\n  specs:\n    own (1.0)\n      r (~> 1)\n\nPATH\n  remote: vendor/d\n  specs:\n    d (3.2.0)\n\nGEM\n  remote: https://rubygems.org/\n  specs:\n    n (1.15.0)\n      r (~> 1.4)\n      bundler (>= 1.0)\n    n (1.15.0-x86_64-linux-musl)\n      r (~> 1.4)\n    n (1.15.0-x86_64-linux)\n    n (1.15.0-java)\n    r (1.6.1)\n\nGEM\n  remote: https://gems.example.org/\n  specs:\n    p (2.0)\n\nPLATFORMS\n  ruby\n  x86_64-linux\n\nDEPENDENCIES\n  d!\n  n (>= 1)\n  own!\n\nCHECKSUMS\n  n (1.15.0) sha256=aa,md5=bb\n  n (1.15.0-java) sha256=cc\n  r (1.6.1)\n\nBUNDLED WITH\n   2.4.1\n";

    #[test]
    fn gems_and_platforms() {
        shown::check(
            shown::read(read, LOCK),
            &[
                "e 821c2fa git(https://git.example.org/e.git) indirect -> n@1.15.0",
                "d 3.2.0 path(vendor/d) direct",
                "n 1.15.0 [md5:bb sha256:aa] direct -> r@1.6.1",
                "n 1.15.0 direct when(os=linux cpu=x64 libc=musl) -> r@1.6.1",
                "n 1.15.0 direct when(os=linux cpu=x64 libc=glibc)",
                "n 1.15.0 [sha256:cc] direct when(ruby: java)",
                "r 1.6.1 direct",
                "p 2.0 registry(https://gems.example.org) indirect",
            ],
        );
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(shown::read(read, "GEM\n<<<<<<< HEAD\n"), &["!! 2:1: a conflict that is not merged"]);
        shown::check(shown::read(read, "hunter2\n"), &["!! 1:1: not the lock of a Gemfile"]);
        shown::check(shown::read(read, "  x\n"), &["!! 1:1: not the lock of a Gemfile"]);
        shown::check(
            shown::read(read, "GEM\n  specs:\n    a 1\n    b (\n      c\n    a (1.0\nDEPENDENCIES\n     x\n"),
            &[
                "! 3:1: not a gem and its version",
                "! 4:1: not a gem and its version",
                "! 5:1: not a gem and its version",
                "! 6:1: not a gem and its version",
                "! 8:1: not a gem and its version",
            ],
        );
    }

    #[test]
    fn a_real_file() {
        let Some(files) = shown::corpus("huginn+huginn") else { return };
        let locked = read(&Files::new("Gemfile.lock", &files["Gemfile.lock"], &files)).unwrap();
        assert_eq!((locked.packages.len(), locked.unclear.len()), (299, 0));
        let nokogiri: Vec<_> = locked.packages.iter().filter(|gem| gem.name == "nokogiri").collect();
        let conditions: Vec<_> = nokogiri.iter().filter_map(|gem| gem.when.as_deref()).collect();
        assert_eq!(
            conditions,
            [
                "os=linux cpu=arm64 libc=glibc",
                "os=darwin cpu=arm64",
                "os=darwin cpu=x64",
                "os=linux cpu=x64 libc=glibc"
            ]
        );
    }
}
