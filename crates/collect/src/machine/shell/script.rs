//! Writes a batch as a script of POSIX sh. Whatever comes from outside is quoted; nothing is sent as an argument
//! of a process but the words of commands and of `find`.

use std::fmt::Write as _;
use std::time::Duration;

use super::super::{Batch, Environment, Find, Keep, MAX_FOLDERS, Op, Run, window};
use crate::secret::{sed_script, shell_function};

const PREAMBLE: &str = include_str!("preamble.sh");

/// So many commands run at the same time.
const CHAIN: usize = 12;

/// What waits its turn must fit in a pipe; a command that may say more gets a chain of its own.
const PIPE: usize = 60_000;

/// What every connection begins with.
pub(super) fn preamble(nonce: &str) -> String {
    format!("_p_n={nonce}\n_p_soh='\u{1}'\n_p_sed={}\n{}{PREAMBLE}", quoted(&sed_script()), shell_function())
}

/// A text as one word of the shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A path as one word: `~/` is the home there, and a relative one can't be taken for an option.
fn path(path: &str) -> String {
    match path.strip_prefix("~/") {
        Some(rest) => format!("\"${{HOME-}}\"/{}", quoted(rest)),
        None if path.starts_with('/') => quoted(path),
        None => format!("./{}", quoted(path)),
    }
}

/// A batch as a script, and how long its commands may take in all.
pub(super) fn batch(batch: &Batch, nonce: &str) -> (String, Duration) {
    let mut quick = String::new();
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for (index, op) in batch.ops().iter().enumerate() {
        match op {
            Op::Run(run) if !can_run(run) => {}
            Op::Run(run) if run.max_bytes > PIPE => large.push((index, run)),
            Op::Run(run) => small.push((index, run)),
            Op::System
            | Op::Read { .. }
            | Op::Sha256 { .. }
            | Op::List { .. }
            | Op::Find(_)
            | Op::Which { .. }
            | Op::Environment(_) => {
                if let Some(line) = probe(op) {
                    let _infallible = writeln!(quick, "_p_k={index}\n{line}");
                }
            }
        }
    }
    let chains: Vec<&[(usize, &Run)]> = small.chunks(CHAIN).chain(large.chunks(1)).collect();
    let limits = if chains.is_empty() { "" } else { "_p_limits\n" };
    let mut script = format!("{limits}{{ {{ :\n{quick}}} </dev/null");
    let mut time = Duration::ZERO;
    for (position, chain) in chains.iter().enumerate() {
        if position > 0 {
            script.push_str("\n: </dev/null");
        }
        for (index, run) in *chain {
            let seconds = seconds(run.timeout);
            let words: Vec<String> = run.argv.iter().map(|word| quoted(word)).collect();
            let _infallible =
                write!(script, " |\n_p_run {index} {seconds} {} {}", count(run.max_bytes), words.join(" "));
        }
        let longest = chain.iter().map(|(_, run)| seconds(run.timeout) + 4).max();
        time += Duration::from_secs(longest.unwrap_or_default());
    }
    let _infallible = write!(script, "\n}} | _p_redact\nprintf '\\n%s end\\n' {nonce}\n");
    (script, time)
}

/// Far clocks count whole seconds, and take none for no limit.
fn seconds(timeout: Duration) -> u64 {
    timeout.as_secs().saturating_add(u64::from(timeout.subsec_nanos() > 0)).clamp(1, 86_400)
}

/// A far shell counts with signed numbers.
fn count(n: usize) -> usize {
    n.min(1 << 30)
}

/// Whether a command can be asked for at all; one that can't be is not found.
pub(super) fn can_run(run: &Run) -> bool {
    let program = run.argv.first().is_some_and(|word| !word.is_empty() && !word.starts_with('-'));
    program && !run.argv.iter().any(|word| word.contains('\0'))
}

/// The line that answers a probe; `None` where it can't be asked in a script.
fn probe(op: &Op) -> Option<String> {
    let sendable = |p: &str| !p.contains('\0') && !p.is_empty();
    match op {
        Op::System => Some("_p_system".to_owned()),
        Op::Read { path: p, max_bytes, keep } => sendable(p).then(|| {
            // One byte more tells that the file goes on.
            let most = count(window(*max_bytes) + 1);
            match keep {
                Keep::All => format!("_p_read {most} {}", path(p)),
                Keep::LinesStartingWith(starts) => {
                    format!("_p_lines {most} {} {}", path(p), quoted(&line_script(starts)))
                }
            }
        }),
        Op::Sha256 { path: p } => sendable(p).then(|| format!("_p_sha {}", path(p))),
        Op::List { path: p, max_entries } => {
            sendable(p).then(|| format!("_p_list {} {}", count(*max_entries), path(p)))
        }
        Op::Find(find) => sendable(&find.root).then(|| search(find)),
        Op::Which { names } => {
            let names = names.iter().filter(|n| !n.is_empty() && !n.contains(['/', '\0']));
            Some(format!("_p_which {}", names.map(|name| quoted(name)).collect::<Vec<_>>().join(" ")))
        }
        Op::Run(_) => None,
        Op::Environment(wanted) => Some(environment(wanted)),
    }
}

/// A script of `sed` that leaves the lines which start with one of these texts.
fn line_script(starts: &[String]) -> String {
    let mut script = String::new();
    for start in starts.iter().filter(|start| !start.contains(['\n', '\0'])) {
        let pattern = escaped(start, "\\.[]*^$/");
        let _infallible = writeln!(script, "/^{pattern}/b");
    }
    script.push('d');
    script
}

/// A script that asks of files whether they go on behind their windows.
pub(super) fn more(ops: &[(usize, &Op)], nonce: &str) -> String {
    let mut script = "{ { :\n".to_owned();
    for (index, op) in ops {
        let Op::Read { path: p, max_bytes, keep } = op else { continue };
        let from = count(window(*max_bytes) + 1);
        let lines = match keep {
            Keep::All => String::new(),
            Keep::LinesStartingWith(starts) => quoted(&line_script(starts)),
        };
        let _infallible = writeln!(script, "_p_k={index}\n_p_more {from} {} {lines}", path(p));
    }
    let _infallible = write!(script, "}} </dev/null\n}} 2>/dev/null\nprintf '\\n%s end\\n' {nonce}\n");
    script
}

/// Says of each folder of a search, besides how many there are, whether it can't be looked into.
const LOOK: &str = r#"for d do [ -r "$d" ] && [ -x "$d" ] || printf "%s/\n" "$d"; done; echo "//+$#""#;

fn search(find: &Find) -> String {
    let any = |names: &[String], special: &str| {
        let tests: Vec<String> = names
            .iter()
            .filter(|name| !name.contains('\0'))
            .map(|name| format!("-name {}", quoted(&escaped(name, special))))
            .collect();
        if tests.is_empty() { "-name ''".to_owned() } else { tests.join(" -o ") }
    };
    let mut prune = vec![".git".to_owned()];
    prune.extend(find.prune.iter().cloned());
    format!(
        "_p_find {} {} -maxdepth {} -type d '(' {} ')' -prune -o -type d -exec sh -c {} sh '{{}}' + \
         -o -type f '(' {} ')' -print",
        count(find.max_entries.saturating_add(MAX_FOLDERS)),
        path(&find.root),
        find.max_depth,
        any(&prune, "?[]\\*"),
        quoted(LOOK),
        any(&find.names, "?[]\\"),
    )
}

/// A text in which these characters stand for themselves.
fn escaped(text: &str, special: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn environment(wanted: &Environment) -> String {
    let want = match &wanted.names {
        None => ":".to_owned(),
        Some(names) => {
            let mut cases = String::new();
            for name in names.iter().filter(|name| !name.contains('\0')) {
                let _infallible = write!(cases, "{}) return 0 ;; ", quoted(name));
            }
            format!("case $1 in {cases}esac; return 1")
        }
    };
    let (inner, outer) = wanted.fingerprinter.keys();
    format!("_p_want() {{ {want}; }}\n_p_env {inner} {outer}")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn quoting_survives_a_shell(texts in proptest::collection::vec("[^\0]{0,40}", 1..20)) {
            let words: Vec<String> = texts.iter().map(|t| quoted(t)).collect();
            let script = format!("for w in {}; do printf '%s\\0' \"$w\"; done", words.join(" "));
            let out = Command::new("dash").args(["-c", &script]).output().expect("package dash is needed here");
            let expected: String = texts.iter().map(|t| format!("{t}\0")).collect();
            prop_assert_eq!(String::from_utf8_lossy(&out.stdout).into_owned(), expected);
        }
    }

    #[test]
    fn a_far_command_sees_the_machines_own_environment() {
        let script = preamble("0123");
        assert!(!script.contains("export ") && !script.contains("readonly "));
        let assigned =
            script.split(|c: char| c.is_whitespace() || c == ';').filter_map(|word| word.split_once('='));
        for (name, _) in assigned {
            let identifier = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            assert!(!identifier || name.starts_with("_p_") || ["IFS", "LC_ALL"].contains(&name), "{name}");
        }
    }

    #[test]
    fn secrets_are_masked_before_they_leave() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "https://u:hunter2@h\n").unwrap();
        let mut asked = Batch::new();
        asked.read(file.display().to_string(), 100);
        let argv = ["sh", "-c", "echo //u:hunter2@h; echo //u:hunter2@h >&2"].map(str::to_owned).to_vec();
        asked.run(Run { argv, timeout: Duration::from_secs(5), max_bytes: 100, depends_on: Vec::new() });
        let fingerprinter = std::sync::Arc::new(crate::secret::Fingerprinter::lasting(b"k"));
        asked.environment(Environment { names: Some(vec!["A_TOKEN".into(), "URL".into()]), fingerprinter });
        let script = preamble("NN") + &batch(&asked, "NN").0;
        let mut dash = Command::new("dash");
        dash.args(["-c", &script]).envs([("A_TOKEN", "hunter2"), ("URL", "x://u:hunter2@h")]);
        let out = dash.output().expect("package dash is needed here");
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(!said.contains("hunter2"), "{said}");
        assert_eq!((said.matches("//REDACTED@h").count(), said.matches("NN 2 k").count()), (3, 2), "{said}");
    }

    #[test]
    fn limits_stay_within_what_a_shell_counts() {
        let check = |timeout: Duration, expected: u64| assert_eq!(seconds(timeout), expected);
        check(Duration::ZERO, 1);
        check(Duration::from_millis(1001), 2);
        check(Duration::MAX, 86_400);
        assert_eq!(count(usize::MAX), 1 << 30);
    }
}
