//! Alpine's list of installed packages, as far as its lines were kept.
//! <https://wiki.alpinelinux.org/wiki/Apk_spec>

use super::Package;

/// The lines that are needed.
pub(super) const LINES: &[&str] = &["P:", "V:", "A:", "o:"];

/// The installed packages. Fields come in any order, each once for a package; the hash that begins a record is not
/// among the lines that were kept, so that a field's second time begins the next.
pub(super) fn read(text: &str) -> Vec<Package> {
    let mut all = Vec::new();
    let mut package = Package::default();
    let mut seen = [false; 4];
    for line in text.lines() {
        let Some((field, value)) = line.split_once(':') else { continue };
        let at = match field {
            "P" => 0,
            "V" => 1,
            "A" => 2,
            "o" => 3,
            _ => continue,
        };
        if at == 0 || seen.get(at).copied().unwrap_or_default() {
            all.push(std::mem::take(&mut package));
            seen = [false; 4];
        }
        if let Some(seen) = seen.get_mut(at) {
            *seen = true;
        }
        let value = value.trim().to_owned();
        match at {
            0 => package.name = value,
            1 => package.version = value,
            2 => package.architecture = value,
            _ => package.source = value,
        }
    }
    all.push(package);
    all.retain(|package| !package.name.is_empty() && !package.version.is_empty());
    all
}
