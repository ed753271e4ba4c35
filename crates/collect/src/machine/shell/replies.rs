//! Makes replies of frames: what each sort of probe's answer looks like on the wire. Any frames are taken.

use std::time::Duration;

use super::frames::Frame;
use super::script::can_run;
use crate::machine::{
    CUT, Candidate, Entry, EntryKind, Environment, Find, Found, MAX_FOLDERS, NOT_A_FILE, NOT_A_FOLDER, Op,
    Output, ProbeError, Reply, Rest, Run, SystemFacts, Variable, VariableValue, beginning, count_of_ranges,
    redacted_content, stderr_kept, window,
};
use crate::secret::{redact, redact_text};

/// The far side's limit on hashing one file or looking through folders.
const SLOW: Duration = Duration::from_secs(60);

/// The reply to a probe.
pub(super) fn reply(op: &Op, frames: &[&Frame<'_>], rest: Rest) -> Result<Reply, ProbeError> {
    if matches!(op, Op::Run(run) if !can_run(run)) {
        return Err(ProbeError::NotFound);
    }
    let kind = match op {
        Op::List { .. } | Op::Find(_) => NOT_A_FOLDER,
        Op::System
        | Op::Read { .. }
        | Op::Sha256 { .. }
        | Op::Which { .. }
        | Op::Run(_)
        | Op::Environment(_) => NOT_A_FILE,
    };
    match frames.iter().find_map(|frame| error(frame.tag, kind, op)) {
        Some(error) => return Err(error),
        None if frames.is_empty() && cannot_be_there(op) => return Err(ProbeError::NotFound),
        None => {}
    }
    let ok =
        body(frames, "ok").ok_or_else(|| ProbeError::Failed("the far shell did not answer".to_owned()))?;
    match op {
        Op::System => Ok(Reply::System(system(ok, frames))),
        Op::Read { max_bytes, .. } => {
            let rest = if ok.len() > window(*max_bytes) { Rest::More } else { rest };
            Ok(Reply::Content(redacted_content(ok, *max_bytes, rest)))
        }
        Op::Sha256 { .. } => digest(ok).map(Reply::Digest),
        Op::List { .. } => Ok(Reply::Entries(entries(frames))),
        Op::Find(find) => found(find, ok).map(Reply::Found),
        Op::Which { .. } => Ok(Reply::Candidates(candidates(frames))),
        Op::Run(run) => output(run, ok, frames).map(Reply::Output),
        Op::Environment(wanted) => Ok(Reply::Variables(variables(wanted, frames))),
    }
}

fn error(tag: &str, kind: &str, op: &Op) -> Option<ProbeError> {
    match tag {
        "absent" => Some(ProbeError::NotFound),
        "denied" => Some(ProbeError::Permission),
        "kind" => Some(ProbeError::Failed(kind.to_owned())),
        "failed" => Some(ProbeError::Failed("it cannot be read".to_owned())),
        "tool" => Some(ProbeError::Unsupported("no sha256sum, shasum or openssl".to_owned())),
        "late" | "ended 137" | "ended 124" => Some(ProbeError::TimedOut(SLOW)),
        "many" => match op {
            Op::List { max_entries, .. } => Some(ProbeError::TooLarge(*max_entries)),
            Op::System | Op::Read { .. } | Op::Sha256 { .. } | Op::Find(_) | Op::Which { .. } => None,
            Op::Run(_) | Op::Environment(_) => None,
        },
        tag if tag.starts_with("ended ") => Some(ProbeError::Failed("it cannot be read".to_owned())),
        _ => None,
    }
}

/// Whether it is not clear that a file ended with what came of it: what was masked there has made it shorter.
pub(super) fn is_doubtful(op: &Op, frames: &[&Frame<'_>]) -> bool {
    let Op::Read { max_bytes, .. } = op else { return false };
    body(frames, "ok")
        .is_some_and(|ok| ok.len() <= window(*max_bytes) && memchr::memmem::find(ok, b"REDACTED").is_some())
}

/// Whether a probe was not asked because its path cannot exist.
fn cannot_be_there(op: &Op) -> bool {
    let path = match op {
        Op::Read { path, .. } | Op::Sha256 { path } | Op::List { path, .. } => path,
        Op::Find(find) => &find.root,
        Op::System | Op::Which { .. } | Op::Run(_) | Op::Environment(_) => return false,
    };
    path.is_empty() || path.contains('\0')
}

fn body<'a>(frames: &[&Frame<'a>], tag: &str) -> Option<&'a [u8]> {
    frames.iter().find(|frame| frame.tag == tag).map(|frame| frame.body)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn system(ok: &[u8], frames: &[&Frame<'_>]) -> SystemFacts {
    let ok = text(ok);
    let mut lines = ok.lines();
    let mut names = lines.next().unwrap_or_default().split_whitespace().map(str::to_owned);
    let mut name = || names.next().unwrap_or_default();
    let (kernel_name, node_name, kernel_release, machine) = (name(), name(), name(), name());
    let kernel_version = lines.next().unwrap_or_default().to_owned();
    let online = lines.next().unwrap_or_default();
    let processors = match online.strip_prefix('+') {
        Some(count) => count.trim().parse().unwrap_or_default(),
        None => count_of_ranges(online).unwrap_or_default(),
    };
    let page_size = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or_default();
    let path = |tag| text(body(frames, tag).unwrap_or_default());
    SystemFacts {
        kernel_name,
        kernel_release,
        kernel_version,
        machine,
        node_name,
        page_size,
        processors,
        home: path("home"),
        folder: path("folder").trim_end_matches('\n').to_owned(),
    }
}

fn digest(ok: &[u8]) -> Result<String, ProbeError> {
    let hex = ok.get(..64).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    hex.map(|hex| text(hex).to_ascii_lowercase())
        .ok_or_else(|| ProbeError::Failed("what hashes there gave no SHA-256".to_owned()))
}

fn entries(frames: &[&Frame<'_>]) -> Vec<Entry> {
    let entry = |frame: &&Frame<'_>| {
        let kind = match frame.tag {
            "f" => EntryKind::File,
            "d" => EntryKind::Folder,
            "l" => EntryKind::Link,
            "o" => EntryKind::Other,
            _ => return None,
        };
        Some(Entry { name: text(frame.body), kind })
    };
    let mut entries: Vec<Entry> = frames.iter().filter_map(entry).collect();
    entries.sort();
    entries
}

/// What was found: files, folders that can't be looked into (with a slash at the end), and counts of folders.
fn found(find: &Find, ok: &[u8]) -> Result<Found, ProbeError> {
    let mut found = Found::default();
    let mut folders = 0_usize;
    for line in lines_of_paths(ok) {
        if let Some(count) = line.strip_prefix('+') {
            folders = folders.saturating_add(count.parse().unwrap_or_default());
        } else if let Some(folder) = line.strip_suffix('/') {
            // One as deep as the search goes is not entered anyway.
            if folder.split('/').count() < find.max_depth {
                found.unreadable.push(folder.to_owned());
            }
        } else {
            found.paths.push(line);
        }
    }
    if found.paths.len() > find.max_entries {
        return Err(ProbeError::TooLarge(find.max_entries));
    }
    if folders > MAX_FOLDERS {
        return Err(ProbeError::TooLarge(MAX_FOLDERS));
    }
    found.paths.sort();
    found.unreadable.sort();
    Ok(found)
}

/// What `find .` printed; a line that does not begin as its paths do goes on a name with a newline in it.
fn lines_of_paths(ok: &[u8]) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for line in text(ok).split_terminator('\n') {
        let count = line.strip_prefix("//+").map(|count| format!("+{count}"));
        match (line.strip_prefix("./").map(str::to_owned).or(count), paths.last_mut()) {
            (Some(path), _) => paths.push(path),
            (None, Some(last)) => {
                last.push('\n');
                last.push_str(line);
            }
            (None, None) => {}
        }
    }
    paths
}

fn candidates(frames: &[&Frame<'_>]) -> Vec<Candidate> {
    let found: Vec<&&Frame<'_>> = frames.iter().filter(|frame| matches!(frame.tag, "c" | "u")).collect();
    let lines = |tag| {
        let all = text(body(frames, tag).unwrap_or_default());
        let lines: Vec<String> = all.lines().map(str::to_owned).collect();
        if lines.len() == found.len() { lines } else { Vec::new() }
    };
    let (stats, reals) = (lines("stat"), lines("real"));
    let mut candidates: Vec<Candidate> = Vec::new();
    for (index, frame) in found.iter().enumerate() {
        let path = text(frame.body);
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let mut numbers = stats.get(index).map(|line| line.split(' ')).into_iter().flatten();
        let mut number = || numbers.next().and_then(|n| n.parse::<i64>().ok()).unwrap_or_default();
        let (size, mtime, inode) = (number(), number(), number());
        candidates.push(Candidate {
            name,
            resolved: reals.get(index).cloned().unwrap_or_else(|| path.clone()),
            path,
            size: u64::try_from(size).unwrap_or_default(),
            mtime,
            inode: u64::try_from(inode).unwrap_or_default(),
            head: Vec::new(),
        });
    }
    let readable: Vec<bool> = found.iter().map(|frame| frame.tag == "c").collect();
    give_heads(&mut candidates, &readable, &bytes_of_hex(&text(body(frames, "head").unwrap_or_default())));
    candidates
}

/// The heads come one behind the other: how long each is follows from its file's size.
fn give_heads(candidates: &mut [Candidate], readable: &[bool], heads: &[u8]) {
    let length = |c: &Candidate| usize::try_from(c.size.min(64)).unwrap_or(64);
    let having = || readable.iter().enumerate().filter(|(_, readable)| **readable).map(|(index, _)| index);
    let sum: usize = having().filter_map(|index| candidates.get(index)).map(length).sum();
    if sum != heads.len() {
        return;
    }
    let mut rest = heads;
    for index in having() {
        if let Some(candidate) = candidates.get_mut(index) {
            let (head, others) = rest.split_at_checked(length(candidate)).unwrap_or((rest, &[]));
            candidate.head = head.to_vec();
            rest = others;
        }
    }
}

fn bytes_of_hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map_while(|hex| u8::from_str_radix(hex, 16).ok()).collect()
}

fn output(run: &Run, stdout: &[u8], frames: &[&Frame<'_>]) -> Result<Output, ProbeError> {
    let stderr = body(frames, "e").unwrap_or_default();
    if stdout.len() > run.max_bytes || stderr.len() > run.max_bytes {
        let stdout = beginning(redact(stdout), run.max_bytes);
        return Ok(Output { status: CUT, stdout, stderr: Vec::new() });
    }
    // Without its end, it was its reader that was ended.
    let end = text(body(frames, "s").ok_or(ProbeError::TimedOut(run.timeout))?);
    let mut words = end.split_whitespace();
    let status: i32 = words.next().and_then(|word| word.parse().ok()).unwrap_or(-1);
    let mut clock = || words.next().and_then(|word| word.parse::<f64>().ok());
    // 137 is also the status of a command that something else has killed.
    let took = clock().zip(clock()).map(|(began, ended)| ended - began);
    if status == 137 && took.is_none_or(|took| took + 0.2 >= run.timeout.as_secs_f64()) {
        return Err(ProbeError::TimedOut(run.timeout));
    }
    Ok(Output { status, stdout: redact(stdout), stderr: redact(&stderr_kept(stderr)) })
}

fn variables(wanted: &Environment, frames: &[&Frame<'_>]) -> Vec<Variable> {
    let variable = |frame: &&Frame<'_>| {
        let body = text(frame.body);
        let (name, value) = body.split_once('\n').unwrap_or((&body, ""));
        let value = match frame.tag {
            "p" => VariableValue::Plain(redact_text(value)),
            "k" => VariableValue::Secret(wanted.fingerprinter.of_digest(value)),
            "x" => VariableValue::Secret(parallax_model::Fingerprint::Present),
            _ => return None,
        };
        Some(Variable { name: name.to_owned(), value })
    };
    let mut variables: Vec<Variable> = frames.iter().filter_map(variable).collect();
    variables.sort_by(|a, b| a.name.cmp(&b.name));
    variables.dedup_by(|later, earlier| later.name == earlier.name);
    variables
}
