//! Tests of what may befall a shared store: several processes, other versions, other people's tables, roles with few rights,
//! encryption. What a cut connection leaves is in `cut_tests.rs`.

#![expect(clippy::disallowed_methods, reason = "these tests make files of their own")]

use parallax_model::Timestamp;

use super::server::{Server, sql};
use super::*;
use crate::store::tests::{Place, assert_whole, header, snapshot};
use crate::{Migrated, Query, Store};

const LATER: &[&[&str]] = &[
    schema::MIGRATIONS[0],
    &["ALTER TABLE parallax.entry ADD COLUMN IF NOT EXISTS later BIGINT"],
    &["ALTER TABLE parallax.entry ADD COLUMN IF NOT EXISTS latest BIGINT"],
];

fn opened(url: &str, steps: &'static [&'static [&'static str]]) -> Result<Postgres, StoreError> {
    let backend = Postgres::dialled(url, &Credentials::default(), steps)?;
    backend.set_up()?;
    Ok(backend)
}

#[test]
fn two_processes_record_at_once_and_nothing_is_lost() {
    crate::sqlite::tests::two_processes_lose_nothing(&Place::database());
}

#[test]
fn a_killed_writer_leaves_whole_recordings_only() {
    crate::sqlite::tests::killed_writers_leave_whole_recordings_only(&Place::database(), 250);
}

#[test]
fn many_set_up_one_database_and_record_into_new_environments_at_once() {
    let url = Server::shared().database();
    let record = |thread: i64| {
        let store = Store::open(&url).unwrap();
        for n in 0..6 {
            let name = format!("environment {}", (thread + n) % 6);
            store.record(&name, &snapshot(thread * 10 + n, 200, 5, n.unsigned_abs() % 3)).unwrap();
        }
    };
    std::thread::scope(|scope| {
        (0..6).for_each(|thread| {
            scope.spawn(move || record(thread));
        });
    });
    let store = Store::open(&url).unwrap();
    assert_eq!(store.environments().unwrap().len(), 6);
    assert_whole(&store, 36);
}

#[test]
fn a_later_store_is_refused_and_an_earlier_one_waits_for_its_migration() {
    let url = Server::shared().database();
    let entry = Store::open(&url).unwrap().record("staging", &snapshot(0, 50, 0, 0)).unwrap().entry;
    let error = opened(&url, LATER).unwrap_err();
    assert!(matches!(error, StoreError::Older { found: 1, known: 3, .. }), "{error:?}");
    assert!(error.to_string().contains("`parallax store migrate`"), "{error}");

    // One that is open while the store moves on stops as well.
    let earlier = Store::open(&url).unwrap();
    let backend = Postgres::dialled(&url, &Credentials::default(), LATER).unwrap();
    assert_eq!(backend.migrate().unwrap(), 1);
    assert_eq!(backend.migrate().unwrap(), 3);
    for error in [
        earlier.record("staging", &snapshot(1, 50, 1, 1)).unwrap_err(),
        earlier.read(&entry).unwrap_err(),
        Store::open(&url).unwrap_err(),
        Store::migrate(&url, &Credentials::default()).unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Newer { found: 3, known: 1, .. }), "{error:?}");
    }
    let store = Store::over(Box::new(opened(&url, LATER).unwrap()));
    store.record("staging", &snapshot(1, 50, 1, 1)).unwrap();
    assert_whole(&store, 2);
}

#[test]
fn an_empty_database_is_migrated_and_an_unfinished_one_is_finished() {
    let url = Server::shared().database();
    let migrated = || Store::migrate(&url, &Credentials::default()).unwrap();
    assert_eq!(migrated(), Migrated { from: 0, to: 1 });
    assert_eq!(migrated(), Migrated { from: 1, to: 1 });
    sql(&url, "DROP TABLE parallax.store; DROP TABLE parallax.chunk");
    let store = Store::open(&url).unwrap();
    store.record("staging", &snapshot(0, 50, 0, 0)).unwrap();
    assert_whole(&store, 1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db").display().to_string();
    assert_eq!(Store::migrate(&file, &Credentials::default()).unwrap(), Migrated { from: 0, to: 1 });
    assert_eq!(Store::migrate(&file, &Credentials::default()).unwrap(), Migrated { from: 1, to: 1 });
}

#[test]
fn other_peoples_tables_do_not_matter() {
    let url = Server::shared().database();
    sql(
        &url,
        "CREATE TABLE entry (x INT); CREATE TABLE chunk (x INT); CREATE SCHEMA other; CREATE TABLE other.store (y INT)",
    );
    let store = Store::open(&url).unwrap();
    store.record("staging", &snapshot(0, 50, 0, 0)).unwrap();
    assert_whole(&store, 1);
    assert_eq!(sql(&url, "SELECT count(*) FROM entry"), ["0"]);
}

#[test]
fn rights_say_what_a_role_may_do() {
    let server = Server::shared();
    let url = server.database();
    let as_role = |role: &str| url.replace("postgres@", &format!("{role}@"));
    let database = url.rsplit('/').next().unwrap();
    let roles = ["nobody", "reader", "recorder", "owner"].map(|role| format!("{role}_{database}"));
    for role in &roles {
        sql(&url, &format!("CREATE ROLE {role} LOGIN"));
    }
    let [nobody, reader, recorder, owner] = roles;
    let error = Store::open(&as_role(&nobody)).unwrap_err();
    assert!(
        matches!(&error, StoreError::Unreachable { why, .. } if why.contains("permission denied")),
        "{error:?}"
    );

    sql(&url, &format!("CREATE SCHEMA parallax AUTHORIZATION {owner}"));
    let store = Store::open(&as_role(&owner)).unwrap();
    let entry = store.record("staging", &snapshot(0, 50, 0, 0)).unwrap().entry;

    sql(
        &url,
        &format!(
            "GRANT USAGE ON SCHEMA parallax TO {reader}, {recorder}; \
        GRANT SELECT ON ALL TABLES IN SCHEMA parallax TO {reader}; \
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA parallax TO {recorder}"
        ),
    );
    let store = Store::open(&as_role(&recorder)).unwrap();
    store.record("staging", &snapshot(1, 50, 1, 1)).unwrap();
    let store = Store::open(&as_role(&reader)).unwrap();
    assert_eq!(store.read(&entry).unwrap().hash(), entry.snapshot.unwrap());
    let error = store.record("staging", &snapshot(2, 50, 1, 2)).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert_whole(&store, 2);
    // What takes space is told in sums where the engine, or the role, cannot tell it otherwise.
    sql(&url, "REVOKE EXECUTE ON FUNCTION pg_total_relation_size(regclass) FROM PUBLIC");
    let sizes = store.stats().unwrap();
    assert_eq!(sizes.bytes, sizes.chunk_bytes + sizes.block_bytes);
}

#[test]
fn no_password_is_told_whatever_goes_wrong() {
    let server = Server::start(&[("password_encryption", "scram-sha-256")]);
    sql(&server.url("postgres"), "CREATE ROLE u LOGIN SUPERUSER PASSWORD 'right'");
    let rules = server.folder().join("pg_hba.conf");
    let own = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, format!("host all u 127.0.0.1/32 scram-sha-256\n{own}")).unwrap();
    sql(&server.url("postgres"), "SELECT pg_reload_conf()");
    let url = |password: &str| format!("postgresql://u:{password}@127.0.0.1:{}/postgres", server.port);
    let mut open = Store::open(&url("right"));
    // The server reads its rules when it comes to it.
    for _ in 0..100 {
        if Store::open(&url("wrong")).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
        open = Store::open(&url("right"));
    }
    let store = open.unwrap();
    let places = [
        url("c4n4ry"),
        url("c4n4ry").replace("/postgres", "/nowhere"),
        url("c4n4ry").replace(&server.port.to_string(), "1"),
        url("c4n4ry").replace("127.0.0.1", "nowhere.invalid"),
        format!("{}?sslmode=require", url("c4n4ry")),
        format!("{}?sslmode=verify-full&sslrootcert=/nowhere", url("c4n4ry")),
        format!("{}?sslmode=nonsense", url("c4n4ry")),
        url("c4n4ry").replace("postgresql:", "POSTGRESQL:"),
        url("c4n4ry").replace("postgresql:", "postgrseql:"),
        url("c4n4ry").replace("postgresql:", "postgres-ql:"),
        format!(" {}", url("c4n4ry")),
        url("c4n4ry").replace("://", ":"),
        url("c4n4ry@"),
    ];
    for place in &places {
        let error = Store::open(place).unwrap_err();
        let mut told = format!("{error} {error:?}");
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            told = format!("{told} {error}");
            cause = error.source();
        }
        assert!(!told.contains("c4n4ry"), "{told}");
    }
    assert!(!format!("{store:?}").contains("right"), "{store:?}");
    let from_variable = |name: &str| (name == "PGPASSWORD").then(|| "right".to_owned());
    let url = url("").replace(":@", "@");
    assert!(Store::open(&url).is_err());
    Store::open_with(&url, &Credentials::from_variables(from_variable)).unwrap();
}

/// Certificate and key of a root, and of a server of that name which the root vouches for.
fn certificates(name: &str) -> [String; 3] {
    let mut root = rcgen::CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_key = rcgen::KeyPair::generate().unwrap();
    let root_text = root.self_signed(&root_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(root, root_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    [root_text, own.pem(), key.serialize_pem()]
}

#[cfg(unix)]
#[test]
fn encryption_is_checked_as_far_as_it_is_asked_for() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let server = Server::start(&[]);
    let [root, certificate, key] = certificates("localhost");
    let folder = server.folder();
    let owner = std::fs::metadata(folder.join("postgresql.conf")).unwrap();
    for (name, text) in [("server.crt", &certificate), ("server.key", &key)] {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    let roots = tempfile::tempdir().unwrap();
    let own = roots.path().join("root.crt");
    let other = roots.path().join("other.crt");
    std::fs::write(&own, root).unwrap();
    std::fs::write(&other, &certificates("localhost")[0]).unwrap();
    std::fs::write(roots.path().join("empty.crt"), "no certificate").unwrap();
    let is_encrypted = |host: &str, query: &str| {
        let url = format!("postgresql://postgres@{host}:{}/postgres?{query}", server.port);
        let store = Postgres::open(&url, &Credentials::default()).map_err(|error| error.to_string())?;
        let question = statement::Statement {
            sql: "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
            types: &[],
        };
        let rows = store.ask(&question, &[]).unwrap();
        Ok::<bool, String>(rows[0].get(0))
    };
    let before = is_encrypted("127.0.0.1", "sslmode=require").unwrap_err();
    assert!(before.contains("TLS"), "{before}");
    assert_eq!(is_encrypted("127.0.0.1", "sslmode=prefer"), Ok(false));

    server.stop();
    let path = folder.join("postgresql.conf");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}ssl = on\n")).unwrap();
    server.start_again();
    let with = |mode: &str, root: &std::path::Path| format!("sslmode={mode}&sslrootcert={}", root.display());
    let refused = |host: &str, query: &str, part: &str| {
        let told = is_encrypted(host, query).unwrap_err();
        assert!(told.contains(part), "{host} {query}: {told}");
    };
    assert_eq!(is_encrypted("127.0.0.1", "sslmode=disable"), Ok(false));
    assert_eq!(is_encrypted("127.0.0.1", ""), Ok(true));
    assert_eq!(is_encrypted("127.0.0.1", "sslmode=require"), Ok(true));
    assert_eq!(is_encrypted("127.0.0.1", &with("verify-ca", &own)), Ok(true));
    assert_eq!(is_encrypted("localhost", &with("verify-full", &own)), Ok(true));
    refused("127.0.0.1", &with("verify-full", &own), "not valid for name");
    refused("localhost", &with("verify-full", &other), "invalid peer certificate");
    refused("localhost", &with("verify-ca", &other), "invalid peer certificate");
    refused("localhost", &with("require", &other), "invalid peer certificate");
    refused("localhost", "sslmode=verify-full", "certificate");
    refused("localhost", &with("verify-full", &roots.path().join("nothing")), "nothing");
    refused("localhost", &with("verify-full", &roots.path().join("empty.crt")), "no root certificate");
}

/// How many trips that takes.
fn trips<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = connect::TRIPS.get();
    let done = work();
    (connect::TRIPS.get() - before, done)
}

#[test]
fn a_recording_takes_few_trips() {
    let store = Store::open(&Server::shared().database()).unwrap();
    let (first, recorded) = trips(|| store.record("staging", &snapshot(0, 10_000, 0, 0)).unwrap());
    assert!(recorded.new_chunks > 50, "{}", recorded.new_chunks);
    assert!(first <= 10, "the first: {first}");
    let (second, recorded) = trips(|| store.record("staging", &snapshot(1, 10_000, 10, 3)).unwrap());
    assert_eq!(recorded.entry.number, 2);
    assert!(second <= 20, "one with 10 changed resources: {second}");
    assert_whole(&store, 2);
}

#[test]
fn what_the_database_cannot_hold_is_told() {
    let url = Server::shared().database();
    let store = Store::open(&url).unwrap();
    let error = store.record("a\0b", &snapshot(0, 5, 0, 0)).unwrap_err();
    assert!(matches!(error, StoreError::Backend { .. }), "{error:?}");
    store.record("'; DROP SCHEMA parallax CASCADE; -- ü", &snapshot(0, 5, 0, 0)).unwrap();
    assert_whole(&store, 1);
    sql(&url, "UPDATE parallax.chunk SET data = 'x' WHERE name = (SELECT root FROM parallax.entry)");
    let problems = Store::open(&url).unwrap().verify().unwrap().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    sql(&url, "UPDATE parallax.entry SET root = 'short'");
    let error = store.as_of("'; DROP SCHEMA parallax CASCADE; -- ü", Timestamp::MAX).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(store.changes(&Query::of("nowhere")).unwrap().is_empty());
    assert_eq!(header(0, Vec::new()).environment, "staging");
}
