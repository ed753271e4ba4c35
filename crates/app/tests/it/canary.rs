//! A planted secret is found nowhere: not in text, JSON, snapshot file, or debug log.

use crate::support::{Staging, World};

const CANARY: &str = "c4n4ryS3cr3tDoNotLeak99";

#[test]
fn a_planted_secret_is_found_nowhere() {
    let url = format!("postgres://shop:{CANARY}@db.example.org/shop");
    let world = World::new(
        Staging::drifted()
            .with("STRIPE_API_KEY", CANARY)
            .with("DATABASE_URL", &url)
            .with("SHAPED", &format!("ghp_{CANARY}{CANARY}")),
    );
    for shop in [world.shop(), world.staging_shop()] {
        std::fs::write(shop.join(".npmrc"), format!("//registry.example.org/:_authToken={CANARY}\n"))
            .unwrap();
        std::fs::write(shop.join(".env"), format!("API_TOKEN={CANARY}\nDATABASE_URL={url}\n")).unwrap();
        let lock = std::fs::read_to_string(shop.join("package-lock.json")).unwrap();
        let lock = lock.replace("https://registry", &format!("https://me:{CANARY}@registry"));
        std::fs::write(shop.join("package-lock.json"), lock).unwrap();
    }
    world.write_config("env_schema: {NPM_TOKEN: {type: integer}, DATABASE_URL: {matches: x}}\n");
    let other = format!("postgres://shop:{CANARY}2@db.example.org/shop");
    let variables = [("DATABASE_URL", other.as_str()), ("NPM_TOKEN", CANARY), ("PARALLAX_LOG", "trace")];
    let mut seen = String::new();
    for arguments in [
        &["check", "staging", "--verbose", "--show-suppressed"][..],
        &["check", "staging", "--format", "json"],
        &["check", "staging", "--mode", "ci", "--strict"],
        &["diff", "staging", "--verbose"],
        &["capture", "staging", "-o", "-"],
        &["capture", "local", "-o", "-"],
        &["init"],
        &["exec", "--", "true"],
        &["lint", "--verbose"],
        &["lint", ".env", "--format", "json"],
        &["lint", "--registry", "--offline", "--fix", "--dry-run"],
    ] {
        let ran = world.parallax_with(arguments, &variables);
        seen.push_str(&ran.stdout);
        seen.push_str(&ran.stderr);
    }
    assert!(
        seen.contains("DATABASE_URL") && seen.contains("STRIPE_API_KEY"),
        "the variables were looked at:\n{seen}"
    );
    seen.push_str(&with_a_key(&world, &variables));
    let leak = seen.lines().find(|line| line.contains(CANARY));
    assert_eq!(leak, None);
    let kept = walk(world.folder.path().join("laptop/home"));
    assert!(!kept.contains(CANARY), "a cache holds the secret");
    let kept =
        walk(world.shop().join(".parallax")) + &everything_in(&world.shop().join(".parallax/store.db"));
    assert!(kept.contains("env/DATABASE_URL") && kept.contains("Keyed"), "recorded, as fingerprints");
    for secret in [CANARY, "c4n4ryS3cr3tRotated"] {
        assert!(!kept.contains(secret), "the store holds the secret");
    }
}

/// With a key fingerprints are recorded, and a secret that was changed is a change.
fn with_a_key(world: &World, before: &[(&str, &str)]) -> String {
    let mut seen = String::new();
    let rotated = format!("postgres://shop:{CANARY}3@db.example.org/shop");
    let rotated =
        [("DATABASE_URL", rotated.as_str()), ("NPM_TOKEN", "c4n4ryS3cr3tRotated"), ("PARALLAX_LOG", "trace")];
    for (arguments, variables) in [
        (&["capture", "staging", "local"][..], before),
        (&["check", "staging"], &rotated[..]),
        (&["capture", "local"], &rotated[..]),
        (&["check", "local@0s", "staging@0s", "--verbose"], &rotated[..]),
        (&["diff", "local@0s", "staging@0s", "--verbose", "--show-suppressed"], &rotated[..]),
        (&["capture", "local@0s", "-o", "-"], &rotated[..]),
        (&["log", "local"], &rotated[..]),
    ] {
        let ran = world.parallax_with(arguments, variables);
        seen.push_str(&ran.stdout);
        seen.push_str(&ran.stderr);
    }
    seen
}

/// All that a store gives back: headers, resources, changes.
fn everything_in(file: &std::path::Path) -> String {
    let store = parallax_store::Store::open(&file.display().to_string()).unwrap();
    let mut all = String::new();
    for environment in store.environments().unwrap() {
        for entry in store.entries(&environment, jiff::Timestamp::MIN, jiff::Timestamp::MAX).unwrap() {
            all.push_str(&format!("{entry:?} {:?}", store.read(&entry).unwrap()));
        }
        let changes = store.changes(&parallax_store::Query::of(&environment)).unwrap();
        assert!(!changes.is_empty(), "{environment} has changed");
        all.push_str(&format!("{changes:?}"));
    }
    all
}

#[test]
fn secrets_are_compared_without_being_shown() {
    let world = World::new(Staging::same().with("API_TOKEN", CANARY).with("OTHER_TOKEN", CANARY));
    let variables = [("API_TOKEN", "c4n4ryAnother"), ("OTHER_TOKEN", CANARY)];
    let ran = world.parallax_with(&["diff", "staging", "--only", "env/*_TOKEN"], &variables).exits(0);
    assert!(ran.stdout.contains("API_TOKEN") && !ran.stdout.contains("OTHER_TOKEN"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("c4n4ry"), "{}", ran.stdout);
}

fn walk(folder: std::path::PathBuf) -> String {
    let mut all = String::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()));
            }
        }
    }
    all
}
