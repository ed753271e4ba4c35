//! How tests write a package: one line that has everything, and nothing that is not told.

use std::collections::BTreeMap;

use super::{Files, Locked, Origin, Package, Reader};

/// `name version [hash] git(url) direct dev optional when(..) -> a@1 b`.
pub(super) fn line(package: &Package) -> String {
    let mut out = format!("{} {}", package.name, package.version);
    if !package.integrity.is_empty() {
        out.push_str(&format!(" [{}]", package.integrity.join(" ")));
    }
    match &package.origin {
        None => {}
        Some(Origin::Registry(url)) => out.push_str(&format!(" registry({url})")),
        Some(Origin::Git(url)) => out.push_str(&format!(" git({url})")),
        Some(Origin::Url(url)) => out.push_str(&format!(" url({url})")),
        Some(Origin::Path(path)) => out.push_str(&format!(" path({path})")),
    }
    for (told, yes, no) in [(package.direct, " direct", " indirect"), (package.dev, " dev", " run")] {
        out.push_str(match told {
            Some(true) => yes,
            Some(false) => no,
            None => "",
        });
    }
    if package.optional {
        out.push_str(" optional");
    }
    if let Some(when) = &package.when {
        out.push_str(&format!(" when({when})"));
    }
    for (at, edge) in package.needs.iter().enumerate() {
        out.push_str(if at == 0 { " -> " } else { " " });
        out.push_str(&edge.name);
        if let Some(version) = &edge.version {
            out.push_str(&format!("@{version}"));
        }
    }
    out
}

/// What a reader says of a file alone.
pub(super) fn read(reader: Reader, text: &str) -> Result<Locked, String> {
    read_with(reader, text, &[])
}

/// What a reader says of a file with others beside it.
pub(super) fn read_with(reader: Reader, text: &str, beside: &[(&str, &str)]) -> Result<Locked, String> {
    let others: BTreeMap<String, Vec<u8>> =
        beside.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    reader(&Files::new("lock", text.as_bytes(), &others)).map_err(|error| error.to_string())
}

/// Checks the lines of all packages, and of what is unclear (`! 3:1: ..`).
pub(super) fn check(locked: Result<Locked, String>, expected: &[&str]) {
    let lines = match locked {
        Ok(locked) => {
            let unclear = locked.unclear.iter().map(|what| format!("! {what}"));
            locked.packages.iter().map(line).chain(unclear).collect()
        }
        Err(error) => vec![format!("!! {error}")],
    };
    assert_eq!(lines, expected, "\n{}", lines.join("\n"));
}

/// Inputs that no reader may fail at otherwise than by saying so: empty, not text, nested, long. Checks that each is
/// refused or has no package.
pub(super) fn hostile(reader: Reader) {
    let deep = ["[", "{", "{\"a\":", "(", "- ", "<a>", "a:\n ", "%{", "\"", "a = [", "{a,"];
    let mut inputs: Vec<Vec<u8>> = deep.iter().map(|part| part.repeat(20_000).into_bytes()).collect();
    inputs.extend([vec![], b"\0".to_vec(), b"\xff\xfe{}".to_vec(), b"\n\n\n".to_vec(), vec![b'x'; 1 << 20]]);
    inputs.push("é".repeat(1 << 18).into_bytes());
    let others = BTreeMap::new();
    for input in inputs {
        if let Ok(locked) = reader(&Files::new("lock", &input, &others)) {
            let start = String::from_utf8_lossy(input.get(..9).unwrap_or(&input)).into_owned();
            assert!(locked.packages.is_empty(), "{start:?} gives packages");
        }
    }
}

/// The files of a real project by their names; `None`, told loudly, where there is no corpus.
pub(super) fn corpus(project: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let file = |entry: std::fs::DirEntry| {
        Some((entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).ok()?))
    };
    Some(
        std::fs::read_dir(super::tests::corpus()?.join(project))
            .unwrap()
            .flatten()
            .filter_map(file)
            .collect(),
    )
}
