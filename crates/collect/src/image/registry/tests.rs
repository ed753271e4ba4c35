//! Against the real registry, and against small ones that do what a real one does seldom.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};

use super::server::{Door, Server};
use super::*;
use crate::image::tests::{Built, debian, look, value};

fn nobody() -> Credentials {
    Credentials::of_files(Vec::new())
}

fn resolved(server: &Server, name: &str) -> Resolved {
    let reference: Reference = format!("{}/{name}", server.host).parse().unwrap();
    let registry = Registry::of(&reference, &nobody()).unwrap();
    registry.resolve(&reference, &Platform::of_machine("x86_64")).unwrap()
}

#[test]
fn one_content_in_two_forms_has_two_digests_and_one_id() {
    let server = Server::start(Door::Open);
    let built = Built::new(&["linux/amd64"], &debian());
    server.push(built.path(), "shop:oci", "oci");
    server.push(built.path(), "shop:docker", "v2s2");
    let (oci, docker) = (resolved(&server, "shop:oci"), resolved(&server, "shop:docker"));
    assert_ne!(oci.digest, docker.digest);
    assert_eq!(oci.manifest.config.digest, docker.manifest.config.digest);
    assert_eq!((oci.index, docker.index), (None, None));
    // And it is seen as what it is, by tag and by digest.
    let name = format!("{}/shop", server.host);
    let registry = Registry::of(&name.parse().unwrap(), &nobody()).unwrap();
    let seen = look(&registry, &format!("{name}:docker")).unwrap();
    assert_eq!(value(&seen, "image/shop", "digest"), docker.digest.clone().unwrap());
    assert_eq!(value(&seen, "host/libc", "version"), "2.36");
    assert!(look(&registry, &format!("{name}@{}", docker.digest.unwrap())).is_ok());
    let error = look(&registry, &format!("{name}:none")).unwrap_err().to_string();
    assert_eq!(error, format!("{} has no image `{name}:none`", server.host));
}

#[test]
fn a_platform_that_is_added_changes_the_index_and_no_image() {
    let server = Server::start(Door::Open);
    let two = Built::new(&["linux/amd64", "linux/arm64"], &[]);
    let three = Built::new(&["linux/amd64", "linux/arm64", "linux/riscv64"], &[]);
    server.push(two.path(), "app:1", "oci");
    server.push(three.path(), "app:2", "oci");
    let (before, after) = (resolved(&server, "app:1"), resolved(&server, "app:2"));
    assert_eq!(before.digest, after.digest);
    assert!(before.index.is_some() && before.index != after.index);
    assert_eq!((before.platforms.len(), after.platforms.len()), (2, 3));
    let reference: Reference = format!("{}/app:1", server.host).parse().unwrap();
    let registry = Registry::of(&reference, &nobody()).unwrap();
    assert_eq!(registry.digest(&reference).ok(), before.index);
}

#[test]
fn behind_a_password() {
    let server = Server::start(Door::Locked);
    let built = Built::new(&["linux/amd64"], &[]);
    server.push(built.path(), "app:1", "oci");
    let reference: Reference = format!("{}/app:1", server.host).parse().unwrap();
    let platform = Platform::of_machine("x86_64");
    let ask = |credentials: &Credentials| {
        Registry::of(&reference, credentials).and_then(|registry| registry.resolve(&reference, &platform))
    };
    assert!(ask(&Credentials::of_files(vec![server.login()])).is_ok());
    let error = ask(&nobody()).unwrap_err().to_string();
    assert!(error.contains("refuses") && error.contains("somebody who is not logged in"), "{error}");
    let wrong = server.folder.path().join("wrong.json");
    let text =
        format!(r#"{{"auths": {{"{}": {{"username": "ann", "password": "hunter2-wrong"}}}}}}"#, server.host);
    std::fs::write(&wrong, text).unwrap();
    let credentials = Credentials::of_files(vec![wrong]);
    let error = ask(&credentials).unwrap_err();
    assert!(error.to_string().contains("the account that is kept for it"), "{error}");
    assert!(!format!("{error:?} {error} {credentials:?}").contains("hunter2"));
}

/// A registry that answers each request with the next of these, whatever is asked; gives what it was asked.
fn answers(list: Vec<String>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&asked);
    let own = host.clone();
    std::thread::spawn(move || {
        for answer in list {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut request = String::new();
            while reader.read_line(&mut request).is_ok_and(|n| n > 2) {}
            told.lock().unwrap().push(request);
            let _sent = stream.write_all(answer.replace("HOST", &own).as_bytes());
        }
    });
    (host, asked)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

#[track_caller]
fn check(list: Vec<String>, expected: &str) -> Vec<String> {
    let ping = answer("200 OK", "", "{}");
    let (host, asked) = answers([vec![ping], list].concat());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let text = format!(r#"{{"auths": {{"{host}": {{"username": "ann", "password": "hunter2-canary"}}}}}}"#);
    std::fs::write(&file, text).unwrap();
    let reference: Reference = format!("{host}/team/app:1").parse().unwrap();
    let told = Registry::of(&reference, &Credentials::of_files(vec![file]))
        .and_then(|registry| registry.resolve(&reference, &Platform::of_machine("x86_64")))
        .map_or_else(|error| error.to_string(), |image| image.config.architecture);
    assert_eq!(told.replace(&host, "HOST"), expected);
    assert!(!told.contains("hunter2"));
    asked.lock().unwrap().clone()
}

fn image() -> (String, String) {
    let config = r#"{"os": "linux", "architecture": "amd64"}"#;
    let digest = digest::of_bytes(config.as_bytes());
    let manifest =
        format!(r#"{{"schemaVersion": 2, "config": {{"digest": "{digest}", "size": 1}}, "layers": null}}"#);
    (manifest, config.to_owned())
}

#[test]
fn tokens_are_asked_for_once_and_kept() {
    let (manifest, config) = image();
    let challenge = "www-authenticate: Bearer realm=\"http://HOST/token\",service=\"s\",scope=\"repository:team/app:pull\"\r\n";
    let asked = check(
        vec![
            answer("401 Unauthorized", challenge, ""),
            answer("200 OK", "", r#"{"token": "abc"}"#),
            answer("200 OK", "", &manifest),
            answer("200 OK", "", &config),
        ],
        "amd64",
    );
    let lower: Vec<String> = asked.iter().map(|request| request.to_ascii_lowercase()).collect();
    assert!(!lower[1].contains("authorization"), "nothing is shown before it is asked for");
    assert!(
        lower[2].contains("get /token?scope=repository%3ateam%2fapp%3apull&service=s")
            || lower[2].contains("get /token?scope=repository:team/app:pull&service=s"),
        "{}",
        lower[2]
    );
    assert!(lower[2].contains("authorization: basic"));
    assert!(lower[3].contains("authorization: bearer abc") && lower[4].contains("authorization: bearer abc"));
}

#[test]
fn what_passes_is_tried_again() {
    let (manifest, config) = image();
    let busy = answer("429 Too Many Requests", "retry-after: 0\r\n", "");
    let broken = answer("503 Service Unavailable", "retry-after: 0\r\n", "");
    check(
        vec![busy.clone(), broken, answer("200 OK", "", &manifest), answer("200 OK", "", &config)],
        "amd64",
    );
    check(vec![busy.clone(), busy.clone(), busy], "HOST refuses `HOST/team/app:1`: it was asked too often");
}

#[test]
fn redirects_carry_no_credential() {
    let (manifest, config) = image();
    let elsewhere = answers(vec![answer("200 OK", "", &config)]);
    let to = format!("location: http://{}/blob?signature=x\r\n", elsewhere.0);
    let asked = check(
        vec![
            answer("401 Unauthorized", "www-authenticate: Basic realm=x\r\n", ""),
            answer("200 OK", "", &manifest),
            answer("307 Temporary Redirect", &to, ""),
        ],
        "amd64",
    );
    assert!(asked[2].to_ascii_lowercase().contains("authorization: basic"));
    assert!(!elsewhere.1.lock().unwrap()[0].to_ascii_lowercase().contains("authorization"));
}

#[test]
fn answers_that_are_wrong() {
    let (manifest, _) = image();
    let denied = r#"{"errors": [{"code": "DENIED", "message": "no pull for //u:hunter2@h here"}]}"#;
    check(
        vec![answer("403 Forbidden", "", denied)],
        "HOST refuses `HOST/team/app:1`: it does not give it to the account that is kept for it (DENIED: no pull for //REDACTED@h here)",
    );
    check(vec![answer("404 Not Found", "", "x")], "HOST has no image `HOST/team/app:1`");
    check(vec![answer("418 I'm a teapot", "", "")], "HOST could not be reached: it answered with 418");
    let unsafe_realm = "www-authenticate: Bearer realm=\"http://example.org/token\"\r\n";
    check(
        vec![answer("401 Unauthorized", unsafe_realm, "")],
        "HOST refuses `HOST/team/app:1`: it names an address for tokens that is not https",
    );
    let digest = digest::of_bytes(br#"{"os": "linux", "architecture": "amd64"}"#);
    check(
        vec![answer("200 OK", "", &manifest), answer("200 OK", "", "{}")],
        &format!("HOST: `{digest}` is damaged: its content is not what its digest says"),
    );
    check(
        vec![answer("200 OK", "", &"x".repeat((4 << 20) + 1))],
        "HOST: `manifests/1` is too large: it is larger than 4 MB",
    );
    let first = r#"{"schemaVersion": 1, "fsLayers": [{}]}"#;
    check(
        vec![answer("200 OK", "", first)],
        &format!(
            "HOST: `{}` is damaged: it is in the first schema, which has no configuration; push it again with a current engine",
            digest::of_bytes(first.as_bytes())
        ),
    );
    let chart = r#"{"config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": "x"}}"#;
    check(
        vec![answer("200 OK", "", chart)],
        &format!(
            "HOST: `{}` is damaged: it is no image but `application/vnd.cncf.helm.config.v1+json`",
            digest::of_bytes(chart.as_bytes())
        ),
    );
}

#[test]
fn a_registry_that_is_not_there() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let reference: Reference = format!("{host}/app:1").parse().unwrap();
    let error =
        Registry::of(&reference, &nobody()).unwrap().resolve(&reference, &Platform::of_machine("x86_64"));
    assert_eq!(
        error.unwrap_err().to_string(),
        format!("{host} could not be reached: the connection was refused")
    );
}
