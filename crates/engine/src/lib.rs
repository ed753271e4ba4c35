//! Align, normalise, compare, judge: pure functions of snapshots, rules and a time that is handed in.
//!
//! The modules stand in this order, and each names only earlier ones: `align < normalise < compare <
//! boundary`. No I/O, no clock, no randomness: same inputs, same answer, to the byte.

pub mod align;
pub mod boundary;
pub mod compare;
pub mod normalise;

pub use boundary::judge;
pub use compare::compare;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "this test reads the crate's own sources")]
mod tests {
    use std::path::Path;

    /// Each module names only those before it.
    const ORDER: [&str; 4] = ["align", "normalise", "compare", "boundary"];

    fn sources(folder: &Path) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                out.extend(sources(&path));
            } else {
                out.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
        out
    }

    /// The crate's modules that a source names: `crate::x`, and each of `crate::{x, y}`.
    fn named(text: &str) -> Vec<&'static str> {
        let mut rest: Vec<&str> = text.split("crate::").skip(1).collect();
        for group in rest.clone() {
            if let Some(inner) = group.strip_prefix('{').and_then(|g| g.split_once("};")) {
                rest.extend(inner.0.split([',', '{', '}']).map(str::trim));
            }
        }
        ORDER.into_iter().filter(|m| rest.iter().any(|r| r.starts_with(m))).collect()
    }

    #[test]
    fn modules_name_only_earlier_ones() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for (at, module) in ORDER.iter().enumerate() {
            let later = &ORDER[at + 1..];
            let files = sources(&root.join(module));
            assert!(!files.is_empty(), "{module} has no source");
            for (path, text) in files {
                let wrong: Vec<&str> = named(&text).into_iter().filter(|m| later.contains(m)).collect();
                assert!(wrong.is_empty(), "{path} names {wrong:?}, which come after `{module}`");
            }
        }
        assert_eq!(named("use crate::{align, boundary::Rule};"), ["align", "boundary"]);
    }
}
