//! The built-in profiles, as data. The test of `recommended`: a tired engineer who compares a laptop with a
//! staging host sees as violations what commonly breaks software, and no noise.
//!
//! What no rule speaks of is undeclared: shown, and failing only where the rules are strict. That is the lot
//! of tools (git, curl, make, gcc, docker), of the distribution and the version of its libc, of limits,
//! locale, time zone and virtualisation, of `PATH`, and of variables in general: all differ between most pairs
//! of machines that behave alike.

use parallax_model::Snapshot;
use parallax_model::selector::Selector;

use super::usage::Usage;
use super::{Origin, Profile, Requirement, Rule, Severity};

/// Language runtimes: what runs the software, or builds it. The system's own Perl is not here: much of a
/// distribution needs it and little else does, so it counts where the project pins it.
const RUNTIMES: &[&str] = &[
    "node", "python", "ruby", "java", "javac", "go", "rustc", "cargo", "php", "dotnet", "deno", "bun",
    "elixir", "erl",
];

/// Package managers: a major version reads another lockfile format or resolves in another way.
const MANAGERS: &[&str] =
    &["npm", "yarn", "pnpm", "pip", "uv", "poetry", "bundler", "composer", "maven", "gradle", "cargo"];

const OTHER_CODE: &str = "it makes programs load other code than the one that was tested";
const OTHER_FLAGS: &str = "it changes how every program of that runtime behaves";
const OTHER_TRUST: &str =
    "it changes which certificates are trusted, so that a connection works on one side only";

/// Variables that act on every program that starts, with what they do. Not here: `MALLOC_*` and other tuning
/// (speed, not behaviour), `JAVA_HOME`, `GEM_HOME`, `GOPATH` and the like (they name folders, which
/// differ wherever accounts do), `NODE_ENV`, `RAILS_ENV` and the like (meant to differ).
const VARIABLES: &[(&str, &str)] = &[
    ("LD_LIBRARY_PATH", OTHER_CODE),
    ("LD_PRELOAD", OTHER_CODE),
    ("LD_AUDIT", OTHER_CODE),
    ("DYLD_*", OTHER_CODE),
    ("PYTHONPATH", OTHER_CODE),
    ("PYTHONHOME", OTHER_CODE),
    ("NODE_PATH", OTHER_CODE),
    ("CLASSPATH", OTHER_CODE),
    ("RUBYLIB", OTHER_CODE),
    ("PERL5LIB", OTHER_CODE),
    ("NODE_OPTIONS", OTHER_FLAGS),
    ("JAVA_TOOL_OPTIONS", OTHER_FLAGS),
    ("JDK_JAVA_OPTIONS", OTHER_FLAGS),
    ("_JAVA_OPTIONS", OTHER_FLAGS),
    ("RUBYOPT", OTHER_FLAGS),
    ("PERL5OPT", OTHER_FLAGS),
    ("GOFLAGS", OTHER_FLAGS),
    ("GODEBUG", OTHER_FLAGS),
    ("RUSTFLAGS", OTHER_FLAGS),
    ("OPENSSL_CONF", OTHER_TRUST),
    ("SSL_CERT_FILE", OTHER_TRUST),
    ("SSL_CERT_DIR", OTHER_TRUST),
    ("NODE_EXTRA_CA_CERTS", OTHER_TRUST),
    ("NODE_TLS_REJECT_UNAUTHORIZED", OTHER_TRUST),
    ("REQUESTS_CA_BUNDLE", OTHER_TRUST),
];

/// The rules of a profile for these two sides: what the project uses decides which runtimes matter.
#[must_use]
pub fn profile_rules(profile: Profile, left: &Snapshot, right: &Snapshot) -> Vec<Rule> {
    rules_of(profile, &Usage::of(left, right))
}

pub(super) fn rules_of(profile: Profile, usage: &Usage) -> Vec<Rule> {
    match profile {
        Profile::None => Vec::new(),
        Profile::Strict => {
            let because = "the strict profile wants both sides to be equal";
            strict_rule(because).into_iter().collect()
        }
        Profile::Recommended => recommended(usage),
    }
}

fn strict_rule(because: &str) -> Option<Rule> {
    let mut rules = Rules(Vec::new(), "strict");
    rules.add("**", Requirement::Equal, Severity::Error, because);
    rules.0.pop()
}

/// Rules of one profile, as they are written down.
struct Rules(Vec<Rule>, &'static str);

impl Rules {
    fn add(&mut self, select: &str, requirement: Requirement, severity: Severity, because: &str) {
        // A tool's name is a key's segment, so it makes a selector; a test holds it for the constants.
        if let Ok(select) = Selector::parse(select) {
            self.0.push(Rule {
                select,
                requirement,
                between: None,
                because: Some(because.to_owned()),
                severity: Some(severity),
                origin: Origin::Profile(self.1),
            });
        }
    }
}

fn recommended(usage: &Usage) -> Vec<Rule> {
    let mut rules = Rules(Vec::new(), "recommended");
    host(&mut rules);
    runtimes(&mut rules, usage);
    if usage.on_both_sides {
        let because = "the lockfile fixes which packages run; other packages are other software";
        rules.add("lockfile/**", Requirement::Equal, Severity::Error, because);
        let because =
            "each platform gets packages of its own from one lockfile; a warning, as its makers meant it so";
        rules.add("lockfile/**#selected", Requirement::Equal, Severity::Warning, because);
        let because = "pins say what the project is meant to run on, so the sides hold other states of it";
        rules.add("pin/**", Requirement::Equal, Severity::Error, because);
    }
    for (name, because) in VARIABLES {
        rules.add(&format!("env/{name}"), Requirement::Equal, Severity::Error, because);
    }
    rules.0
}

fn host(rules: &mut Rules) {
    let because = "programs and packages built for one architecture do not run on another";
    rules.add("host/cpu#architecture", Requirement::Equal, Severity::Error, because);
    let because = "another kernel is another operating system, with other files, limits and system calls";
    rules.add("host/kernel#name", Requirement::Equal, Severity::Error, because);
    let because =
        "kernels of one major version behave alike to most software; a warning, as most others do too";
    rules.add("host/kernel#release", Requirement::Compatible, Severity::Warning, because);
    let because = "programs built against one C library do not load with another";
    rules.add("host/libc#family", Requirement::Equal, Severity::Error, because);
}

fn runtimes(rules: &mut Rules, usage: &Usage) {
    let names: std::collections::BTreeSet<&str> =
        RUNTIMES.iter().copied().chain(usage.tools.iter().map(String::as_str)).collect();
    for name in names {
        let used = usage.tools.contains(name);
        if MANAGERS.contains(&name) && name != "cargo" {
            let because = "the project uses it, and another major version installs in another way";
            // What is installed already runs without it.
            rules.add(&format!("runtime/{name}"), Requirement::Present, Severity::Warning, because);
            rules.add(&format!("runtime/{name}#version"), Requirement::Compatible, Severity::Error, because);
        } else if used {
            let because = "the project runs on it";
            rules.add(&format!("runtime/{name}"), Requirement::Present, Severity::Error, because);
            rules.add(&format!("runtime/{name}#version"), Requirement::Equal, Severity::Error, because);
        } else if usage.tools.is_empty() {
            let because = "both sides have this runtime, and nothing tells which ones the project runs on";
            rules.add(&format!("runtime/{name}#version"), Requirement::Equal, Severity::Error, because);
        } else {
            let because = "both sides have this runtime; nothing pins or locks it, so it may not matter";
            rules.add(&format!("runtime/{name}#version"), Requirement::Equal, Severity::Warning, because);
        }
        let because = "modules built for one architecture do not load into a runtime built for another";
        rules.add(&format!("runtime/{name}#architecture"), Requirement::Equal, Severity::Error, because);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_selector_and_a_reason() {
        let tools = ["node", "npm", "perl"].iter().map(|t| (*t).to_owned()).collect();
        let rules = recommended(&Usage { tools, on_both_sides: true });
        let versions = RUNTIMES.len() + 2;
        // Each tool has two rules, and what is used a third; then host, lockfile, pin and variables.
        assert_eq!(rules.len(), versions * 2 + 3 + 4 + 3 + VARIABLES.len());
        assert!(rules.iter().all(|rule| rule.because.as_ref().is_some_and(|b| b.len() > 10)));
        assert!(strict_rule("x").is_some());
    }
}
