//! `Chart.lock` of Helm. <https://helm.sh/docs/helm/helm_dependency/>
//!
//! All charts are direct: what they bring themselves is in their archives. The digest is of the two lists, not of contents, and Helm has
//! no default registry, so each chart has its origin.

use super::tree::{packages_of, said, yaml};
use super::{Files, Locked, Malformed, Origin, Package};
use crate::yaml::Node;

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let root = yaml(files)?;
    let Some(list) = root.get("dependencies") else {
        return Err(Malformed { line: 1, column: 1, what: "no field `dependencies`" });
    };
    let (packages, unclear) = packages_of(list, |_, node| package(node));
    Ok(Locked { version: String::new(), packages, unclear })
}

fn package(node: &Node) -> Option<Package> {
    let origin = said(node, "repository").map(|repository| match repository.strip_prefix("file://") {
        Some(path) => Origin::path(path),
        None => Origin::registry(repository),
    });
    Some(Package {
        name: said(node, "name")?.to_owned(),
        version: said(node, "version")?.to_owned(),
        origin,
        direct: Some(true),
        ..Package::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::read;

    #[test]
    fn charts() {
        shown::check(
            shown::read(
                read,
                "dependencies:\n- name: postgresql\n  repository: oci://u:p@charts.example.org/acme\n  version: 12.1.3\n- name: own\n  repository: file://../own\n  version: 0.1.0\n- name: vendored\n  repository: \"\"\n  version: 1.10\n- name: odd\ndigest: sha256:0f\ngenerated: \"2023-01-01T00:00:00Z\"\n",
            ),
            &[
                "postgresql 12.1.3 registry(oci://charts.example.org/acme) direct",
                "own 0.1.0 path(../own) direct",
                "vendored 1.10 direct",
                "! 11:1: a package without name or version",
            ],
        );
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(shown::read(read, "digest: x\n"), &["!! 1:1: no field `dependencies`"]);
        shown::check(shown::read(read, "dependencies: []\ndigest: x\n"), &[]);
    }
}
