//! What holds for every reader: rows that make sense, and no input that breaks it.

use std::collections::BTreeMap;

use super::{FORMATS, Files, by_path};

/// How many damaged inputs each reader is fed; `PARALLAX_MUTATIONS=100000` for a thorough run.
fn mutations() -> u64 {
    std::env::var("PARALLAX_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(300)
}

#[test]
fn by_name() {
    let check = |path: &str, expected: Option<&str>| {
        assert_eq!(by_path(path).map(|format| format.id), expected, "{path}");
    };
    check("package-lock.json", Some("npm"));
    check("services/api/yarn.lock", Some("yarn"));
    check("requirements-dev.txt", Some("requirements"));
    check("pylock.dev.toml", Some("pylock"));
    check("package.json", None);
    check("", None);
}

/// One small, whole and varied example of each format that is read: `lockfile/examples/<id>.<anything>`.
fn examples() -> BTreeMap<String, Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lockfile/examples");
    let read = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, std::fs::read(entry.path()).unwrap())
    };
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(read).collect()
}

#[test]
fn every_format_that_is_read_has_an_example_that_gives_packages() {
    let examples = examples();
    for format in FORMATS {
        let Some(read) = format.read else { continue };
        let example = examples.iter().find(|(name, _)| name.split('.').next() == Some(format.id));
        let (name, bytes) = example.unwrap_or_else(|| panic!("no example of {}", format.id));
        let locked =
            read(&Files::new(format.name, bytes, &examples)).unwrap_or_else(|e| panic!("{name}:{e}"));
        assert!(!locked.packages.is_empty(), "{name} gives no package");
    }
}

#[test]
fn no_damaged_input_breaks_a_reader() {
    let examples = examples();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    for format in FORMATS {
        let Some(read) = format.read else { continue };
        for (_, whole) in examples.iter().filter(|(name, _)| name.split('.').next() == Some(format.id)) {
            for _ in 0..mutations() {
                let mut bytes = whole.clone();
                for _ in 0..=next(4) {
                    let (at, other) = (next(bytes.len()), next(bytes.len()));
                    match next(5) {
                        0 => bytes.truncate(at),
                        1 => bytes[at.min(whole.len() - 1)..]
                            .iter_mut()
                            .take(1)
                            .for_each(|b| *b = b"\0\n\"{[:, -@#="[other % 12]),
                        2 => drop(bytes.drain(at.min(other)..at.max(other))),
                        3 => {
                            let part = bytes[at.min(other)..at.max(other)].to_vec();
                            bytes.splice(at..at, part);
                        }
                        _ => bytes.insert(at, u8::try_from(next(256)).unwrap()),
                    }
                    if bytes.is_empty() {
                        break;
                    }
                }
                drop(read(&Files::new(format.name, &bytes, &examples)));
            }
        }
    }
}

/// Real lockfiles, where they are there.
pub(super) fn corpus() -> Option<std::path::PathBuf> {
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder =
        std::env::var_os("PARALLAX_CORPUS").map_or(beside, std::path::PathBuf::from).join("lockfiles");
    if folder.is_dir() {
        return Some(folder);
    }
    let told = format!("SKIPPED: {} is not there; set PARALLAX_CORPUS\n", folder.display());
    std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes()).unwrap();
    None
}
