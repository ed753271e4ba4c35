//! The platforms that ecosystems name in their own ways, as conditions in the one syntax of
//! [`parallax_model::platform::Condition`]. Does not evaluate them.

use std::collections::BTreeSet;

use super::Package;

/// What a platform's name says of it: Node's spelling of the system and of the processor, and the C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    os: &'static str,
    cpu: Option<&'static str>,
    libc: Option<&'static str>,
}

impl Parts {
    fn condition(self) -> String {
        let mut out = format!("os={}", self.os);
        for (name, value) in [("cpu", self.cpu), ("libc", self.libc)] {
            if let Some(value) = value {
                out.extend([" ", name, "=", value]);
            }
        }
        out
    }
}

/// The condition of a platform gem: `x86_64-linux-musl`, `arm64-darwin-23`, `x64-mingw-ucrt`. One that names no system (`java`)
/// is told as it is, so that nobody takes it for met or unmet.
pub(super) fn of_gem(platform: &str) -> String {
    let mut words = platform.split('-');
    let cpu = words.next().map_or("", |word| word);
    let (os, libc) = (words.next().unwrap_or_default(), words.next());
    let system = match os {
        "linux" => Some("linux"),
        "darwin" => Some("darwin"),
        "freebsd" => Some("freebsd"),
        "openbsd" => Some("openbsd"),
        "solaris" => Some("sunos"),
        os if os.starts_with("mingw") || os.starts_with("mswin") => Some("win32"),
        _ => None,
    };
    let Some(os) = system else { return format!("ruby: {platform}") };
    let libc = match (os, libc) {
        // Bundler takes a gem for `linux` on musl, too, unless there is one for musl.
        ("linux", Some("gnu" | "gnueabihf" | "gnueabi")) => Some("glibc"),
        ("linux", Some("musl" | "musleabihf" | "musleabi")) => Some("musl"),
        _ => None,
    };
    match (processor(cpu), cpu) {
        (None, "universal") => Parts { os, cpu: None, libc }.condition(),
        (None, _) => format!("ruby: {platform}"),
        (cpu, _) => Parts { os, cpu, libc }.condition(),
    }
}

/// The condition of a sub-folder of a conda channel: `linux-64`, `osx-arm64`; `None` for `noarch`.
pub(super) fn of_conda(folder: &str) -> Option<String> {
    let (os, cpu) = folder.split_once('-')?;
    let os = match os {
        "osx" => "darwin",
        "win" => "win32",
        "linux" => "linux",
        "emscripten" | "wasi" => return Some(format!("conda: {folder}")),
        _ => return Some(format!("conda: {folder}")),
    };
    let cpu = match cpu {
        "64" => Some("x64"),
        "32" => Some("ia32"),
        other => processor(other),
    };
    Some(match cpu {
        Some(_) => Parts { os, cpu, libc: None }.condition(),
        None => format!("conda: {folder}"),
    })
}

/// The condition of one of .NET's runtime identifiers: `linux-musl-x64`, `win-x64`, `osx.13-arm64`.
pub(super) fn of_runtime(identifier: &str) -> String {
    let mut words: Vec<&str> = identifier.split('-').collect();
    let cpu = words.pop().and_then(processor);
    let os = words.first().and_then(|word| word.split('.').next()).unwrap_or_default();
    let (os, libc) = match (os, words.get(1)) {
        ("linux", Some(&"musl")) | ("alpine", _) => ("linux", Some("musl")),
        ("linux" | "ubuntu" | "debian" | "rhel" | "fedora" | "centos", _) => ("linux", Some("glibc")),
        ("osx", _) => ("darwin", None),
        ("win" | "win7" | "win8" | "win10", _) => ("win32", None),
        ("freebsd", _) => ("freebsd", None),
        _ => return format!("dotnet: {identifier}"),
    };
    match cpu {
        Some(_) => Parts { os, cpu, libc }.condition(),
        None => format!("dotnet: {identifier}"),
    }
}

/// A processor as Node names it.
fn processor(name: &str) -> Option<&'static str> {
    Some(match name {
        "x86_64" | "x64" | "amd64" => "x64",
        "arm64" | "aarch64" => "arm64",
        "x86" | "i386" | "i486" | "i586" | "i686" | "ia32" => "ia32",
        "arm" | "armv6" | "armv6l" | "armv7" | "armv7l" => "arm",
        "ppc64le" | "powerpc64le" | "ppc64" => "ppc64",
        "s390x" => "s390x",
        "riscv64" => "riscv64",
        "loongarch64" => "loong64",
        _ => return None,
    })
}

/// Makes one package of those that differ in their condition only: any of the conditions is enough.
pub(super) fn united(packages: Vec<Package>) -> Vec<Package> {
    let mut out: Vec<Package> = Vec::with_capacity(packages.len());
    let mut conditions: Vec<Option<BTreeSet<String>>> = Vec::with_capacity(packages.len());
    let mut known: std::collections::HashMap<(String, String, Option<String>), usize> =
        std::collections::HashMap::new();
    for package in packages {
        let origin = package.origin.as_ref().map(|origin| format!("{origin:?}"));
        let key = (package.name.clone(), package.version.clone(), origin);
        let when = package.when.clone().map(|when| BTreeSet::from([when]));
        let Some((kept, held)) =
            known.get(&key).and_then(|at| Some((out.get_mut(*at)?, conditions.get_mut(*at)?)))
        else {
            known.insert(key, out.len());
            conditions.push(when);
            out.push(package);
            continue;
        };
        match (held.as_mut(), when) {
            (Some(held), Some(when)) => held.extend(when),
            (_, None) | (None, _) => *held = None,
        }
        merge(kept, package);
    }
    for (package, when) in out.iter_mut().zip(conditions) {
        package.when = when.map(|when| when.into_iter().collect::<Vec<_>>().join(" | "));
    }
    out
}

/// What two say of one package: all hashes and needs, and the weaker of what excludes it.
fn merge(kept: &mut Package, other: Package) {
    kept.integrity.extend(other.integrity);
    kept.integrity.sort();
    kept.integrity.dedup();
    kept.needs.extend(other.needs);
    kept.needs.sort();
    kept.needs.dedup();
    kept.optional &= other.optional;
    kept.dev = match (kept.dev, other.dev) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        (None, _) | (_, None) => None,
    };
    kept.direct = match (kept.direct, other.direct) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        (None, _) | (_, None) => None,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_platforms() {
        let check = |found: String, expected: &str| assert_eq!(found, expected);
        check(of_gem("x86_64-linux"), "os=linux cpu=x64");
        check(of_gem("x86_64-linux-musl"), "os=linux cpu=x64 libc=musl");
        check(of_gem("aarch64-linux-gnu"), "os=linux cpu=arm64 libc=glibc");
        check(of_gem("arm64-darwin-23"), "os=darwin cpu=arm64");
        check(of_gem("universal-darwin"), "os=darwin");
        check(of_gem("x64-mingw-ucrt"), "os=win32 cpu=x64");
        check(of_gem("x86-mingw32"), "os=win32 cpu=ia32");
        check(of_gem("java"), "ruby: java");
        check(of_gem(""), "ruby: ");
        let check = |folder: &str, expected: Option<&str>| assert_eq!(of_conda(folder).as_deref(), expected);
        check("linux-64", Some("os=linux cpu=x64"));
        check("osx-arm64", Some("os=darwin cpu=arm64"));
        check("win-32", Some("os=win32 cpu=ia32"));
        check("linux-ppc64le", Some("os=linux cpu=ppc64"));
        check("zos-z", Some("conda: zos-z"));
        check("noarch", None);
        let check = |name: &str, expected: &str| assert_eq!(of_runtime(name), expected);
        check("linux-x64", "os=linux cpu=x64 libc=glibc");
        check("linux-musl-arm64", "os=linux cpu=arm64 libc=musl");
        check("alpine.3.18-x64", "os=linux cpu=x64 libc=musl");
        check("osx.13-arm64", "os=darwin cpu=arm64");
        check("win-x86", "os=win32 cpu=ia32");
        check("browser-wasm", "dotnet: browser-wasm");
        check("", "dotnet: ");
    }

    #[test]
    fn one_package_of_several_platforms() {
        let package = |when: Option<&str>, hash: &str, dev: bool| Package {
            name: "a".to_owned(),
            version: "1".to_owned(),
            integrity: vec![hash.to_owned()],
            dev: Some(dev),
            when: when.map(str::to_owned),
            ..Package::default()
        };
        let one = united(vec![package(Some("os=linux"), "z", true), package(Some("os=darwin"), "b", false)]);
        assert_eq!(one.len(), 1);
        assert_eq!(one[0].when.as_deref(), Some("os=darwin | os=linux"));
        assert_eq!((one[0].integrity.clone(), one[0].dev), (vec!["b".into(), "z".into()], Some(false)));
        let always = united(vec![package(Some("os=linux"), "z", true), package(None, "z", true)]);
        assert_eq!((always[0].when.clone(), always[0].dev), (None, Some(true)));
    }
}
