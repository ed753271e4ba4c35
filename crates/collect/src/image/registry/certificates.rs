//! Which certificate authorities are trusted for a registry: the system's, and those that Docker and Podman are told to
//! trust for that one. Read where this process runs.
//! <https://docs.docker.com/engine/security/certificates/>

use std::io::Read;
use std::path::Path;

use ureq::tls::{Certificate, PemItem, parse_pem};

/// Where engines keep the authorities of a registry, in a folder of its name.
const FOLDERS: [&str; 2] = ["/etc/docker/certs.d", "/etc/containers/certs.d"];
const MOST_FILES: usize = 64;
const MOST_BYTES: u64 = 1 << 20;

/// The authorities for a registry by its host, with its port where it has one.
pub(super) fn trusted(host: &str) -> Vec<Certificate<'static>> {
    let system = rustls_native_certs::load_native_certs().certs;
    let system = system.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
    let own = FOLDERS.iter().flat_map(|folder| own(Path::new(folder), host));
    system.chain(own).collect()
}

/// Those of one folder. What is not there, can't be read or is no certificate is not trusted.
#[expect(
    clippy::disallowed_methods,
    reason = "who is trusted is the user's own choice, where this process runs"
)]
fn own(folder: &Path, host: &str) -> Vec<Certificate<'static>> {
    if host.contains('/') || host.starts_with('.') {
        return Vec::new();
    }
    let Ok(entries) = std::fs::read_dir(folder.join(host)) else { return Vec::new() };
    let mut paths: Vec<_> = entries.take(MOST_FILES).flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "crt") && path.is_file());
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let mut bytes = Vec::new();
        let read = std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
        if read.is_err() {
            continue;
        }
        for item in parse_pem(&bytes).flatten() {
            if let PemItem::Certificate(certificate) = item {
                found.push(certificate);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

    #[test]
    fn what_is_trusted_for_one_registry() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().join("registry.example.org:5000");
        std::fs::create_dir(&here).unwrap();
        std::fs::write(here.join("ca.crt"), AUTHORITY.repeat(2)).unwrap();
        std::fs::write(here.join("other.crt"), "nothing").unwrap();
        std::fs::write(here.join("client.cert"), AUTHORITY).unwrap();
        let check =
            |host: &str, expected: usize| assert_eq!(own(folder.path(), host).len(), expected, "{host}");
        check("registry.example.org:5000", 2);
        check("registry.example.org", 0);
        check("../registry.example.org:5000", 0);
        check("..", 0);
    }
}
