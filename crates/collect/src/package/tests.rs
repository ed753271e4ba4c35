//! Lists of packages, whole and damaged.

use std::sync::Arc;

use super::*;
use crate::Variables;
use crate::machine::Recorded;
use crate::secret::Fingerprinter;

#[track_caller]
fn check(files: &str, expected: &[&str]) {
    let machine: Recorded = serde_json::from_str(&format!(r#"{{"files": {files}}}"#)).unwrap();
    let fingerprinter = Arc::new(Fingerprinter::lasting(b"k"));
    let seen = collect(&machine, &Scope { project: None, variables: Variables::All, fingerprinter });
    let text = |r: &Resource, path: &str| r.attributes.get(path).and_then(|v| v.as_text().map(str::to_owned));
    let mut told: Vec<String> = seen
        .resources
        .iter()
        .filter(|r| &*r.kind == "package")
        .map(|r| {
            let [version, architecture, source] =
                ["version", "architecture", "source"].map(|p| text(r, p).unwrap_or_default());
            format!("{} {version} {architecture} {source}", r.key).trim_end().to_owned()
        })
        .collect();
    told.sort();
    told.extend(seen.gaps.iter().map(|gap| format!("gap {} {}", gap.what, gap.why)));
    assert_eq!(told, expected, "{files}");
    let whole = seen.resources.iter().filter(|r| &*r.kind == "packages").count();
    assert_eq!(whole, usize::from(told.iter().any(|line| line.starts_with("package/"))));
}

#[test]
fn debian() {
    check(
        r#"{"/var/lib/dpkg/status": "Package: bash\nEssential: yes\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2+b7\nDescription: x\n Package: no\n\nPackage: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc (2.36-9)\nVersion: 2.36-9+deb12u8\n\nPackage: libc6\nStatus: install ok installed\nArchitecture: i386\nSource: glibc\nVersion: 2.36-9+deb12u8\n\nPackage: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\nPackage: half\nStatus: install ok half-installed\nVersion: 1\n"}"#,
        &[
            "package/dpkg/bash 5.2.15-2+b7 amd64",
            "package/dpkg/libc6:amd64 2.36-9+deb12u8 amd64 glibc",
            "package/dpkg/libc6:i386 2.36-9+deb12u8 i386 glibc",
        ],
    );
}

#[test]
fn without_a_package_manager() {
    check(
        r#"{"/var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12.4+deb12u5\nArchitecture: amd64\n",
            "/var/lib/dpkg/status.d/base.md5sums": "Package: no\nVersion: 1\n",
            "/var/lib/dpkg/status.d/tzdata": "Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\n"}"#,
        &["package/dpkg/base-files 12.4+deb12u5 amd64", "package/dpkg/tzdata 2024a-0+deb12u1 all"],
    );
}

#[test]
fn alpine() {
    check(
        r#"{"/lib/apk/db/installed": "C:Q1x=\nP:musl\nV:1.2.4-r2\nA:x86_64\nS:1\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\n\nC:Q1y=\nP:busybox-binsh\nV:1.36.1-r5\nA:x86_64\no:busybox\n"}"#,
        &["package/apk/busybox-binsh 1.36.1-r5 x86_64 busybox", "package/apk/musl 1.2.4-r2 x86_64"],
    );
}

#[test]
fn what_is_not_there_or_not_read() {
    check("{}", &[]);
    check(r#"{"/var/lib/dpkg/status": ""}"#, &[]);
    check(r#"{"/var/lib/dpkg/status": "Version: 1\nStatus: install ok installed\n\nPackage: x\n"}"#, &[]);
    check(r#"{"/lib/apk/db/installed": "V:1\nP:\nP:x\nV:\n:\n\u0000"}"#, &[]);
    check(
        r#"{"/var/lib/rpm/rpmdb.sqlite": "x"}"#,
        &["gap package/rpm/** /var/lib/rpm/rpmdb.sqlite: this version does not read rpm's database"],
    );
    check(
        r#"{"/var/lib/dpkg/status": {"error": "permission"}}"#,
        &["gap package/dpkg/** /var/lib/dpkg/status: permission denied"],
    );
}
