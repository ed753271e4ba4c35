//! npm's lists of systems, processors and C libraries that a package runs on, by the rules of `npm-install-checks`.

use super::Platform;

/// Whether all clauses (`os=linux,!win32 cpu=x64`) allow a platform; `None` where something is not known or not
/// understood.
pub(super) fn holds(clauses: &str, platform: &Platform) -> Option<bool> {
    let mut known = !clauses.trim().is_empty();
    for clause in clauses.split_whitespace() {
        let allowed = match clause.split_once('=') {
            Some(("os", list)) => allows(list, platform.os.as_deref()),
            Some(("cpu", list)) => allows(list, platform.architecture.as_deref().map(cpu)),
            Some(("libc", list)) => libc(list, platform),
            Some(_) | None => None,
        };
        match allowed {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

/// On anything but Linux, a package that asks for a C library is not installed.
fn libc(list: &str, platform: &Platform) -> Option<bool> {
    match platform.os.as_deref() {
        Some("linux") => allows(list, platform.libc.as_deref()),
        Some(_) => Some(false),
        None => None,
    }
}

/// Whether a list has a value, or has only others that it excludes.
fn allows(list: &str, value: Option<&str>) -> Option<bool> {
    if list == "any" {
        return Some(true);
    }
    let value = value?;
    let (mut named, mut excluding) = (false, true);
    for entry in list.split(',') {
        match entry.strip_prefix('!') {
            Some(excluded) if excluded == value => return Some(false),
            Some(_) => {}
            None => {
                excluding = false;
                named |= entry == value;
            }
        }
    }
    Some(named || excluding)
}

/// Node's name of an architecture (`process.arch`).
fn cpu(architecture: &str) -> &str {
    match architecture {
        "x86_64" => "x64",
        "i386" => "ia32",
        "armv6" | "armv7" => "arm",
        "ppc64le" => "ppc64",
        "loongarch64" => "loong64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(os: &str, architecture: &str, libc: &str) -> Platform {
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Platform {
            os: known(os),
            architecture: known(architecture),
            libc: known(libc),
            ..Platform::default()
        }
    }

    #[test]
    fn as_npm_decides() {
        let check = |clauses: &str, (os, architecture, libc): (&str, &str, &str), expected: Option<bool>| {
            assert_eq!(
                holds(clauses, &platform(os, architecture, libc)),
                expected,
                "{clauses} {os} {architecture} {libc}"
            );
        };
        let (debian, alpine) = (("linux", "x86_64", "glibc"), ("linux", "arm64", "musl"));
        let (mac, windows) = (("darwin", "arm64", "libsystem"), ("win32", "i386", ""));
        check("os=linux", debian, Some(true));
        check("os=linux", mac, Some(false));
        check("os=darwin,linux cpu=x64", debian, Some(true));
        check("os=darwin,linux cpu=x64", alpine, Some(false));
        check("os=!win32", debian, Some(true));
        check("os=!win32", windows, Some(false));
        check("os=!win32,!darwin", mac, Some(false));
        check("os=!win32,linux", mac, Some(false));
        check("os=any", windows, Some(true));
        check("cpu=ia32", windows, Some(true));
        check("libc=glibc", debian, Some(true));
        check("libc=glibc", alpine, Some(false));
        check("libc=musl", alpine, Some(true));
        check("libc=glibc", mac, Some(false));
        check("os=linux libc=musl", ("linux", "x86_64", ""), None);
        check("os=darwin libc=musl", ("linux", "x86_64", ""), Some(false));
        check("cpu=x64 os=linux", ("", "arm64", ""), Some(false));
        check("cpu=x64 os=linux", ("", "x86_64", ""), None);
        check("os=linux os=!linux", debian, Some(false));
        check("engine=node", debian, None);
        check("hunter2", debian, None);
        check("", debian, None);
        check("cpu=arm", ("linux", "armv7", "glibc"), Some(true));
    }
}
