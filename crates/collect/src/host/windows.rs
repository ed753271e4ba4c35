//! Windows paths on WSL, in the spelling that Linux programs there use.
//!
//! `C:\Users\x`, `c:/Users/x`, `/mnt/C/Users/x/` and `\\?\C:\Users\x` become `/mnt/c/Users/x`; a path into WSL
//! itself (`\\wsl$\Debian\home\x`) becomes `/home/x`. Upper and lower case beyond the drive's letter are kept:
//! Windows ignores them, but which of two spellings was meant is not known here. Drives that are
//! mounted elsewhere (`automount.root` in `/etc/wsl.conf`) are not followed.

/// The Linux spelling of a Windows path; `None` for a path that is none.
#[must_use]
pub fn windows_path(text: &str) -> Option<String> {
    let slashed = text.replace('\\', "/");
    let plain = slashed.strip_prefix("//?/").or_else(|| slashed.strip_prefix("//./")).unwrap_or(&slashed);
    for share in ["//wsl$/", "//wsl.localhost/"] {
        if let Some((_, inside)) =
            strip_ignoring_case(plain, share).map(|s| s.split_once('/').unwrap_or((s, "")))
        {
            return Some(joined("", inside));
        }
    }
    let mounted = plain.strip_prefix("/mnt/");
    let mut chars = mounted.unwrap_or(plain).chars();
    let drive = chars.next().filter(char::is_ascii_alphabetic)?.to_ascii_lowercase();
    let rest = match mounted {
        Some(_) => chars.as_str(),
        None => chars.as_str().strip_prefix(':')?,
    };
    (rest.is_empty() || rest.starts_with('/')).then(|| joined(&format!("/mnt/{drive}"), rest))
}

/// A search path with its Windows folders in the Linux spelling. Folders may be separated by `;` as on
/// Windows, or by `:`; the answer has `:`.
#[must_use]
pub fn windows_search_path(value: &str) -> String {
    let mut folders: Vec<String> = Vec::new();
    let separator = if value.contains(';') { ';' } else { ':' };
    for part in value.split(separator) {
        match folders.last_mut() {
            // The `:` after a drive's letter separates nothing.
            Some(last) if separator == ':' && part.starts_with('\\') && is_drive(last) => {
                *last = format!("{last}:{part}");
            }
            Some(_) | None => folders.push(part.to_owned()),
        }
    }
    let spelled = folders.into_iter().map(|folder| windows_path(&folder).unwrap_or(folder));
    spelled.collect::<Vec<_>>().join(":")
}

fn is_drive(text: &str) -> bool {
    text.len() == 1 && text.bytes().all(|b| b.is_ascii_alphabetic())
}

fn strip_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn joined(base: &str, rest: &str) -> String {
    let mut out = base.to_owned();
    for segment in rest.split('/').filter(|s| !s.is_empty()) {
        out.push('/');
        out.push_str(segment);
    }
    if out.is_empty() { "/".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let check = |input: &str, expected: Option<&str>| {
            assert_eq!(windows_path(input).as_deref(), expected, "{input}");
        };
        check(r"C:\Users\x", Some("/mnt/c/Users/x"));
        check("c:/Users//x/", Some("/mnt/c/Users/x"));
        check("/mnt/c/Users/x", Some("/mnt/c/Users/x"));
        check("/mnt/C/Users/x/", Some("/mnt/c/Users/x"));
        check(r"\\?\D:\data", Some("/mnt/d/data"));
        check(r"\\wsl$\Debian\home\x", Some("/home/x"));
        check(r"\\WSL.localhost\Debian", Some("/"));
        check("C:", Some("/mnt/c"));
        for none in
            ["", "/usr/bin", "/mnt", "/mnt/", "/mnt/data/x", "C", "C:x", "ab:/x", "é:\\x", "//server/x"]
        {
            check(none, None);
        }
    }

    #[test]
    fn search_paths() {
        let check = |input: &str, expected: &str| assert_eq!(windows_search_path(input), expected, "{input}");
        check(
            "/usr/bin:/mnt/c/Windows/System32/:/mnt/C/Tools",
            "/usr/bin:/mnt/c/Windows/System32:/mnt/c/Tools",
        );
        check(r"C:\Windows;D:\Tools\bin", "/mnt/c/Windows:/mnt/d/Tools/bin");
        check(r"/usr/bin:C:\Windows", "/usr/bin:/mnt/c/Windows");
        check("x:/usr/bin", "x:/usr/bin");
        check("", "");
    }
}
