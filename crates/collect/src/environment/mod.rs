//! Observes environment variables: `env/<NAME>`. What is secret was masked by the machine; what is noise and how
//! values compare is the ontology's to say.

use parallax_model::ontology::SEARCH_PATH_VARIABLES;
use parallax_model::{Key, Resource, Value};

use crate::host::windows_search_path;
use crate::machine::{Batch, Environment, Machine, VariableValue};
use crate::{Collected, Collector, Scope, Variables};

/// The collector.
pub(crate) const COLLECTOR: Collector =
    Collector { name: "environment", version: 1, kinds: &["env"], needs_project: false, collect };

fn collect(machine: &dyn Machine, scope: &Scope) -> Collected {
    let mut collected = Collected::default();
    let names = match &scope.variables {
        Variables::All => None,
        Variables::Named(names) => Some(names.clone()),
    };
    let mut batch = Batch::new();
    let ticket = batch.environment(Environment { names, fingerprinter: scope.fingerprinter.clone() });
    let system = batch.system();
    let replies = match machine.run(&batch) {
        Ok(replies) => replies,
        Err(error) => {
            collected.gap("env/**", error.gap_kind(), error.to_string());
            return collected;
        }
    };
    match replies.get(ticket) {
        Ok(variables) => {
            // Windows' own folders are in the search paths of WSL, in more than one spelling.
            let windows = replies
                .get(system)
                .is_ok_and(|s| s.kernel_release.to_ascii_lowercase().contains("microsoft"));
            for variable in variables {
                let value = match &variable.value {
                    VariableValue::Plain(text)
                        if windows && SEARCH_PATH_VARIABLES.contains(&variable.name.as_str()) =>
                    {
                        Value::text(windows_search_path(text))
                    }
                    VariableValue::Plain(text) => Value::text(text.as_str()),
                    VariableValue::Secret(fingerprint) => Value::Secret(fingerprint.clone()),
                };
                let key = Key::of(["env", &variable.name]);
                collected.push(Resource::new(key, "env").with("value", value));
            }
        }
        Err(error) => collected.gap_unless_absent("env/**", "environment", &error),
    }
    collected
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::machine::Recorded;
    use crate::secret::Fingerprinter;

    fn check(variables: Variables, expected: &[(&str, &str)]) {
        let machine: Recorded = serde_json::from_str(
            r#"{"variables": {"LANG": "C", "NO_TEXT": "", "A#B": "1", "API_TOKEN": "hunter2", "U": "x://a:hunter2@h"}}"#,
        )
        .unwrap();
        let fingerprinter = Arc::new(Fingerprinter::lasting(b"k"));
        let seen = collect(&machine, &Scope { project: None, variables, fingerprinter });
        let rows: Vec<(String, String)> = seen
            .resources
            .iter()
            .map(|r| (r.key.to_string(), r.attributes.get("value").unwrap().to_json()))
            .collect();
        let rows: Vec<(&str, &str)> =
            rows.iter().map(|(k, v)| (k.as_str(), v.get(..14).unwrap_or(v))).collect();
        assert_eq!(rows, expected);
        assert!(!format!("{seen:?}").contains("hunter2"));
        assert!(seen.gaps.is_empty());
    }

    #[test]
    fn search_paths_of_wsl_are_in_one_spelling() {
        let check = |kernel: &str, expected: &str| {
            let machine: Recorded = serde_json::from_str(&format!(
                r#"{{"system": {{"kernel_release": "{kernel}"}},
                    "variables": {{"PATH": "/usr/bin:C:\\Tools", "NOTE": "C:\\x"}}}}"#
            ))
            .unwrap();
            let fingerprinter = Arc::new(Fingerprinter::lasting(b"k"));
            let seen = collect(&machine, &Scope { project: None, variables: Variables::All, fingerprinter });
            let values: Vec<String> =
                seen.resources.iter().map(|r| r.attributes.get("value").unwrap().to_json()).collect();
            assert_eq!(values, [r#""C:\\x""#, expected], "{kernel}");
        };
        check("6.1.0-21-amd64", r#""/usr/bin:C:\\Tools""#);
        check("5.15.153.1-microsoft-standard-WSL2", r#""/usr/bin:/mnt/c/Tools""#);
        check("4.4.0-19041-Microsoft", r#""/usr/bin:/mnt/c/Tools""#);
    }

    #[test]
    fn variables_become_resources() {
        let secret = r#"{"secret":"fing"#.get(..14).unwrap();
        check(
            Variables::All,
            &[
                ("env/A%23B", "\"1\""),
                ("env/API_TOKEN", secret),
                ("env/LANG", "\"C\""),
                ("env/NO_TEXT", "\"\""),
                ("env/U", secret),
            ],
        );
        check(Variables::Named(vec!["LANG".into(), "ABSENT".into()]), &[("env/LANG", "\"C\"")]);
        check(Variables::Named(Vec::new()), &[]);
    }
}
