//! Tests of URLs, passwords, and of what is never told.

#![expect(clippy::disallowed_methods, reason = "these tests make files of their own")]

use super::*;

const CANARY: &str = "c4n4ry";

fn read(url: &str) -> Result<Address, StoreError> {
    Address::read(url, &Credentials::default())
}

#[track_caller]
fn check(url: &str, place: &str) {
    let address = read(url).unwrap();
    assert_eq!(address.place(), place);
    assert!(!format!("{address:?}").contains(CANARY), "{address:?}");
}

#[test]
fn urls_are_shown_without_their_passwords() {
    check("postgresql://h/d", "postgresql://h/d");
    check("postgres://u:c4n4ry@h:6000/d?sslmode=require", "postgresql://u@h:6000/d");
    check("postgresql://u@h:5432/d?password=c4n4ry", "postgresql://u@h/d");
    check("postgresql:///d?host=/run/pg&port=6000", "postgresql://%2Frun%2Fpg:6000/d");
    check("postgresql://u:c4n4ry@[::1]:6000/d", "postgresql://u@[::1]:6000/d");
    check("postgresql://a,b:6000/d", "postgresql://a,b:6000/d");
    check("postgresql://", "postgresql://localhost/");
    check("postgresql://u%0a:c4n4ry%40%3A@h/d", "postgresql://u?@h/d");
    assert_eq!(read("postgresql://u:c4n4ry%40%2f@h/").unwrap().password, Some(Secret("c4n4ry@/".into())));
}

#[track_caller]
fn refused(url: &str, expected: &str) {
    let error = read(url).unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(told.contains(expected), "{told}");
    for part in ["c4n", "n4r", "4ry"] {
        assert!(!told.contains(part), "{url}: {told}");
    }
}

#[test]
fn what_cannot_be_read_is_told_without_a_word_of_it() {
    refused("postgresql://u:c4n4ry@h:port/d", "port");
    refused("postgresql://u:c4n@4ry@h/d", "%40");
    refused("postgresql://u:c4n/4ry@h/d", "%2F");
    refused("postgresql://u:c4n?4ry@h/d", "%3F");
    refused("postgresql://u:c4n#4ry@h/d", "%23");
    refused("postgresql://u:c4n%4ry@h/d", "%25");
    refused("postgresql://u:c4n4ry%ff@h/d", "UTF-8");
    refused("postgresql://u:c4n4ry%00@h/d", "zero");
    refused("postgresql://u:c4n4ry@h/d?c4n4ry=1", "option");
    refused("postgresql://u:c4n4ry@h/d?c4n4ry", "no value");
    refused("postgresql://u:c4n4ry@h/d?sslmode=c4n4ry", "verify-full");
    refused("postgresql://u:c4n4ry@h/d?connect_timeout=c4n4ry", "seconds");
    refused("postgresql://u:c4n4ry@h/d?port=c4n4ry", "port");
    refused("postgresql://u:c4n4ry@[::1/d", "closed");
    refused("postgresql://u:c4n4ry@[c4n4ry]/d", "IPv6");
    refused("postgresql://u:c4n4ry", "port");
    refused("postgresql://u:x@h%3Ac4n4ry/d", "host");
    refused("postgresql://h c4n4ry/d", "host");
    refused("postgresql://h:c4n4ry:1/d", "host");
    refused(&format!("postgresql://{}c4n4ry/d", "x:".repeat(100_000)), "host");
}

#[test]
fn modes_are_those_of_libpq() {
    let mode = |query: &str| read(&format!("postgresql://h/d?{query}")).unwrap().mode;
    assert_eq!(mode(""), Mode::Prefer);
    assert_eq!(mode("sslmode=disable"), Mode::Disable);
    assert_eq!(mode("sslmode=allow"), Mode::Prefer);
    assert_eq!(mode("sslmode=require"), Mode::Require);
    assert_eq!(mode("sslmode=require&sslrootcert=/x"), Mode::VerifyChain);
    assert_eq!(mode("sslrootcert=system&sslmode=verify-full"), Mode::VerifyFull);
    assert_eq!(mode("sslmode=verify-ca"), Mode::VerifyChain);
}

#[test]
fn what_a_url_does_not_say_comes_from_variables() {
    let variables = |name: &str| match name {
        "PGUSER" => Some("somebody".to_owned()),
        "PGPASSWORD" => Some(CANARY.to_owned()),
        "PGSSLMODE" => Some("require".to_owned()),
        "PGSSLROOTCERT" => Some("/root.crt".to_owned()),
        _ => None,
    };
    let credentials = Credentials::from_variables(variables);
    assert!(!format!("{credentials:?}").contains(CANARY));
    let address = Address::read("postgresql://h/d", &credentials).unwrap();
    assert_eq!((address.user.as_deref(), address.mode), (Some("somebody"), Mode::VerifyChain));
    assert_eq!(address.password.map(|secret| secret.reveal().to_owned()), Some(CANARY.to_owned()));
    let address = Address::read("postgresql://u:p@h/d?sslmode=disable", &credentials).unwrap();
    assert_eq!((address.user.as_deref(), address.mode), (Some("u"), Mode::Disable));
    assert_eq!(address.password, Some(Secret("p".into())));
}

#[track_caller]
fn found(line: &str, url: &str, expected: Option<&str>) {
    let address = read(url).unwrap();
    assert_eq!(password_in(line, &address).as_ref().map(Secret::reveal), expected, "{line}");
}

#[test]
fn passwords_are_found_as_libpq_finds_them() {
    found("h:5432:d:u:secret", "postgresql://u@h/d", Some("secret"));
    found("*:*:*:*:a:b\\:c\\\\", "postgresql://u@h/d", Some("a:b:c\\"));
    found("h:5433:d:u:secret", "postgresql://u@h/d", None);
    found("h:*:u:u:secret", "postgresql://u@h", Some("secret"));
    found("localhost:*:*:u:secret", "postgresql://u@/d?host=/run", Some("secret"));
    found("[a\\:b]:*:*:u:secret", "postgresql://u@h/d", None);
    found("#*:*:*:*:secret", "postgresql://u@h/d", None);
    for line in ["", ":::", "h:5432:d:u", "\\", "ü:é"] {
        found(line, "postgresql://u@h/d", None);
    }
}

#[cfg(unix)]
#[test]
fn a_password_file_that_others_may_read_is_not_looked_at() {
    use std::os::unix::fs::PermissionsExt as _;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "other:1:d:u:no\nh:*:d:u:c4n4ry\n").unwrap();
    let path = file.path().display().to_string();
    let credentials = Credentials::from_variables(|name| (name == "PGPASSFILE").then(|| path.clone()));
    let password = |mode| {
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        Address::read("postgresql://u@h/d", &credentials).unwrap().password
    };
    assert_eq!(password(0o600), Some(Secret(CANARY.into())));
    assert_eq!(password(0o640), None);
    assert_eq!(password(0o604), None);
}
