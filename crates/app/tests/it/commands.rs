//! The commands beside the gate.

use crate::support::{Ran, Staging, World};

#[test]
fn init_writes_what_check_then_uses() {
    let world = World::new(Staging::same());
    std::fs::remove_file(world.shop().join("parallax.yaml")).unwrap();
    let ssh = world.folder.path().join("laptop/home/.ssh/config");
    std::fs::write(&ssh, "Host shop-staging\n  HostName 127.0.0.1\n").unwrap();
    world.parallax(&["init"]).exits(0).says(&[
        "wrote parallax.yaml",
        "shop-staging",
        "then parallax check staging",
    ]);
    world.parallax(&["init"]).exits(2).says(&["was not touched"]);
    world.parallax(&["check", "local"]).exits(0);
    let ignored = std::fs::read_to_string(world.shop().join(".parallax/.gitignore")).unwrap();
    assert!(ignored.contains("!decisions.yaml"));
}

#[test]
fn exec_checks_then_becomes_the_application() {
    let world = World::new(Staging::same());
    world.write_config("env_schema: {PORT: {type: port, required: true}, MODE: {one_of: [a, b]}}\n");
    let run = |variables: &[(&str, &str)]| {
        world.parallax_with(&["exec", "--", "sh", "-c", "echo up on $PORT; exit 7"], variables)
    };
    run(&[]).exits(1).says(&["env_invalid", "PORT"]);
    let ran = run(&[("PORT", "http-c4n4ry")]).exits(1).says(&["env_invalid", "PORT is not a port"]);
    assert!(!ran.stderr.contains("c4n4ry"), "a value may be a secret: {}", ran.stderr);
    run(&[("PORT", "80"), ("MODE", "c")]).exits(1).says(&["env_invalid", "MODE"]);
    let ran = run(&[("PORT", "80"), ("MODE", "a")]).exits(7);
    assert_eq!(ran.stdout, "up on 80\n");
}

#[test]
fn exec_derives_the_schema_from_an_example() {
    let world = World::new(Staging::same());
    std::fs::write(world.shop().join(".env.example"), "# needed\nSESSION_NAME=\nLOG_LEVEL=info\n").unwrap();
    world.parallax(&["exec", "--", "true"]).exits(1).says(&["SESSION_NAME", ".env.example:2"]);
    world.parallax_with(&["exec", "--", "true"], &[("SESSION_NAME", "x")]).exits(0);
    world.parallax_with(&["exec", "--", "/no/such"], &[("SESSION_NAME", "x")]).exits(2).says(&["/no/such"]);
}

#[test]
fn the_schema_is_checked_in_each_environment() {
    let world = World::new(Staging::same().with("LOG_LEVEL", "loud"));
    world.write_config("env_schema: {LOG_LEVEL: {one_of: [debug, info]}}\n");
    let ran = world.parallax_with(&["check", "staging"], &[("LOG_LEVEL", "info")]).exits(1);
    assert!(ran.stdout.contains("env_invalid") && ran.stdout.contains("staging"), "{}", ran.stdout);
}

#[test]
fn pins_must_agree_with_what_answers() {
    let world = World::new(Staging::same());
    for shop in [world.shop(), world.staging_shop()] {
        std::fs::write(shop.join(".nvmrc"), "20.11.0\n").unwrap();
    }
    world.parallax(&["check", "staging"]).exits(1).says(&["pin_conflict", ".nvmrc", "20.11.0", "18.19.0"]);
}

fn is_json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).expect(&ran.stdout)
}

#[test]
fn schemas_ontology_and_completions_print() {
    let world = World::new(Staging::same());
    for subject in ["config", "report", "snapshot"] {
        let schema = is_json(&world.parallax(&["schema", subject]).exits(0));
        assert!(schema["$schema"].is_string());
    }
    world.parallax(&["ontology"]).exits(0).says(&["runtime", "env_drift", "search path"]);
    assert!(
        is_json(&world.parallax(&["ontology", "--format", "json"]).exits(0)).as_array().unwrap().len() > 10
    );
    world.parallax(&["ontology", "nothing"]).exits(2).says(&["no kind `nothing`"]);
    world.parallax(&["completions", "bash"]).exits(0).says(&["parallax"]);
    world.parallax(&["--help"]).exits(0).says(&["Exit codes"]);
}

#[test]
fn documents_are_compared_by_meaning() {
    let world = World::new(Staging::same());
    std::fs::write(world.shop().join("a.json"), r#"[{"name": "x", "ports": [{"name": "http", "port": 80}, {"name": "m", "port": 9}]}, {"name": "y"}]"#).unwrap();
    std::fs::write(world.shop().join("b.json"), r#"[{"name": "y"}, {"name": "x", "ports": [{"port": 9.0, "name": "m"}, {"name": "http", "port": 81}]}]"#).unwrap();
    let ran = world.parallax(&["diff", "a.json", "b.json"]).exits(0).says(&["1 difference"]);
    assert!(
        ran.stdout.contains("ports[http].port") && ran.stdout.contains("80") && ran.stdout.contains("81"),
        "{}",
        ran.stdout
    );
    world.parallax(&["diff", "--exit-code", "a.json", "b.json"]).exits(1);
    world.parallax(&["diff", "a.json", "a.json"]).exits(0).says(&["no difference"]);
}
