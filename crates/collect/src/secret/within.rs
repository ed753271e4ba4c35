//! Secrets written within a value: assignments, options with arguments, headers, users and passwords of URLs.
//! The same steps stand here for Rust and for the far side's shell; a table of rows holds the two to each other.
//! Which names are secret is [`super::table`]'s.
//!
//! Each step takes time in proportion to the value, and nothing is allocated: both are called for every value.

use super::table::{
    Case, NAMES_WITHIN, OPEN_LABELS, STICKING_NAMES, fits_any, glob_fits, names_secret, pattern,
};
use super::table::{as_is, either_case};

/// A name before a sign of assignment is at most so long.
const NAME_LIMIT: usize = 128;

/// A word with `:` and `@` that is longer is not looked into, but taken for a secret.
const WORD_LIMIT: usize = 2048;

/// A user of a URL that is this long is a token.
const TOKEN_USER: usize = 20;

/// What stands between two words, besides the end of a line.
const BETWEEN_WORDS: &[u8] = b" \t\r\"`,;&?#|\\'";

/// What stands between two URLs: a password may hold the rest of [`BETWEEN_WORDS`].
const BETWEEN_URLS: &[u8] = b" \t\r\n\"`'<>";

/// Whether a value assigns a secret, or holds a URL with one.
pub(super) fn holds_secret(value: &[u8]) -> bool {
    let (mut at, mut sign, mut dash, mut gap, mut percent) = (false, false, false, false, false);
    for byte in value {
        match byte {
            b'@' => at = true,
            b':' | b'=' => sign = true,
            b'-' => dash = true,
            b'%' => percent = true,
            b'\n' => gap = true,
            byte => gap |= BETWEEN_WORDS.contains(byte),
        }
    }
    let mut urls = value.split(|b| BETWEEN_URLS.contains(b));
    (percent && urls.clone().any(has_encoded_password))
        || (at && sign && urls.any(has_password))
        || ((sign || (dash && gap)) && value.split(|b| *b == b'\n').any(assigns_secret))
}

/// What the words so far make of the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Nothing,
    /// The value of a secret name and `:` or `=`.
    Value,
    /// The argument of a secret option.
    Argument,
}

fn assigns_secret(line: &[u8]) -> bool {
    let mut awaited = Awaited::Nothing;
    let mut before: &[u8] = b"";
    for word in line.split(|b| BETWEEN_WORDS.contains(b)).filter(|word| !word.is_empty()) {
        match awaited {
            Awaited::Value if word.iter().all(|b| b":=".contains(b)) => continue,
            Awaited::Value if !is_open_value(word) => return true,
            Awaited::Argument if !word.starts_with(b"-") => return true,
            Awaited::Nothing | Awaited::Value | Awaited::Argument => {}
        }
        match awaits(before, word) {
            Ok(next) => awaited = next,
            Err(Found) => return true,
        }
        before = word;
    }
    false
}

/// A word that assigns a secret.
struct Found;

fn awaits(before: &[u8], word: &[u8]) -> Result<Awaited, Found> {
    let when = |secret: bool, awaited| if secret { awaited } else { Awaited::Nothing };
    if let Some(value) = word.strip_prefix(b":").or_else(|| word.strip_prefix(b"=")) {
        let bare = value.iter().all(|b| b":=".contains(b));
        return match is_secret_within(before) {
            true if !bare && !is_open_value(value) => Err(Found),
            secret => Ok(when(secret && bare, Awaited::Value)),
        };
    }
    if sticks_to_secret(word) {
        return Err(Found);
    }
    if word.contains(&b'=') {
        let mut name: &[u8] = b"";
        for part in word.split(|b| *b == b'=').filter(|part| !part.is_empty()) {
            if !name.is_empty() && !is_open_value(part) && is_secret_within(name) {
                return Err(Found);
            }
            name = part;
        }
        return Ok(when(word.ends_with(b"=") && is_secret_within(name), Awaited::Value));
    }
    if let Some(name) = word.strip_suffix(b":") {
        return Ok(when(is_secret_within(name), Awaited::Value));
    }
    Ok(when(word.starts_with(b"-") && is_secret_within(word), Awaited::Argument))
}

/// `password:x`, which is no image (`token:1.2`) and no mount (`token:/run/token`).
fn sticks_to_secret(word: &[u8]) -> bool {
    let Some((name, value)) = split_at_first(word, b':') else { return false };
    let open = value.is_empty()
        || value.starts_with(b"/")
        || value == b"latest"
        || value.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        || is_open_value(value);
    !open
        && name.len() <= NAME_LIMIT
        && fits_any(STICKING_NAMES, last_name(name), Case::Folded)
        && !name.contains(&b'/')
}

/// Values that are none: marks of structure, and words of JSON and YAML.
fn is_open_value(value: &[u8]) -> bool {
    value.iter().all(|b| b"[]{}~".contains(b))
        || [&b"null"[..], b"true", b"false"].iter().any(|word| {
            value.strip_prefix(*word).is_some_and(|rest| rest.first().is_none_or(|b| b"]}".contains(b)))
        })
}

/// Whether what ends in a name, within a value, names a secret.
fn is_secret_within(before: &[u8]) -> bool {
    if before.len() > NAME_LIMIT {
        return false;
    }
    let name = last_name(before);
    let name = name.strip_prefix(b"-").unwrap_or(name);
    let name = name.strip_prefix(b"-").unwrap_or(name);
    !name.is_empty() && (fits_any(NAMES_WITHIN, name, Case::Folded) || names_secret(name))
}

/// The characters of a name at the end.
fn last_name(text: &[u8]) -> &[u8] {
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"_.-".contains(b);
    text.iter().rposition(|b| !is_name(b)).and_then(|at| text.get(at + 1..)).unwrap_or(text)
}

/// Whether a word holds a user with a password before a host, or a token in the user's place.
fn has_password(word: &[u8]) -> bool {
    if !word.contains(&b'@') || !word.contains(&b':') {
        return false;
    }
    if word.len() > WORD_LIMIT {
        return true;
    }
    if ["*:oracle:thin:*/*@*", "*:oracle:oci:*/*@*"].iter().any(|glob| glob_fits(glob, word, Case::Exact)) {
        return true;
    }
    let sign: &[u8] = if is_path(word) { b"://" } else { b":/" };
    if memchr::memmem::find(word, sign).is_none() {
        return !is_path(word)
            && (has_plain_password(word) || word.split(|b| *b == b',').any(has_plain_password));
    }
    memchr::memmem::find_iter(word, sign).any(|at| {
        let scheme = word.get(..at).unwrap_or_default();
        let rest = word.get(at + sign.len()..).unwrap_or_default();
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        authority_has_password(scheme, rest)
    })
}

/// The same where a URL stands percent-encoded within another.
fn has_encoded_password(word: &[u8]) -> bool {
    memchr::memmem::find(word, b"%40").is_some()
        && (word.len() > WORD_LIMIT || glob_fits("*%2f%2f*%3a*%40*", word, Case::Folded))
}

fn is_path(word: &[u8]) -> bool {
    let begins = |start: &&[u8]| word.starts_with(start);
    !word.starts_with(b"//") && [&b"/"[..], b"./", b"../", b"~"].iter().any(begins)
}

/// `user:password@host/..`, behind a scheme.
fn authority_has_password(scheme: &[u8], rest: &[u8]) -> bool {
    let end = rest.iter().position(|b| b"/?#".contains(b)).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, b""));
    if let Some((user, host)) = split_at_last(authority, b'@') {
        if host.is_empty() || is_digest(host) {
            return false;
        }
        let password = split_at_first(user, b':').is_some_and(|(_, password)| !password.is_empty());
        return password || (user.len() >= TOKEN_USER && !scheme.ends_with(b"ssh"));
    }
    // A slash within the password, or a port and then a path?
    let port = split_at_last(authority, b':').map(|(_, port)| port);
    !authority.starts_with(b"[")
        && path.contains(&b'@')
        && port.is_some_and(|port| !port.iter().all(u8::is_ascii_digit))
}

/// `user:password@host`, without a scheme.
fn has_plain_password(word: &[u8]) -> bool {
    let Some((before, rest)) = split_at_first(word, b':') else { return false };
    let Some((password, host)) = split_at_last(rest, b'@') else { return false };
    let user = last_name(before);
    let lead = before.get(..before.len() - user.len()).unwrap_or_default();
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    let time = |b: &u8| b.is_ascii_digit() || b":.+-".contains(b);
    let port = password.iter().position(|b| b"/,".contains(b)).and_then(|at| password.get(..at));
    let open = user.is_empty()
        || before.contains(&b'@')
        || lead.last().is_some_and(|b| !b"=(,;|".contains(b))
        || fits_any(OPEN_LABELS, user, Case::Folded)
        || host.is_empty()
        || is_digest(host)
        || [&b"npm:"[..], b"patch:", b"workspace:", b"{"].iter().any(|start| host.starts_with(start))
        || password.first().is_none_or(|b| b"/\\@".contains(b))
        || password.ends_with(b":")
        || (user.first().is_some_and(u8::is_ascii_digit) && password.iter().all(time))
        || port.is_some_and(digits);
    !open
}

fn is_digest(host: &[u8]) -> bool {
    let rest = host.strip_prefix(b"sha");
    rest.is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit) && rest.contains(&b':'))
}

fn split_at_first(bytes: &[u8], sign: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(sign, bytes)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

fn split_at_last(bytes: &[u8], sign: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memrchr(sign, bytes)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// The steps above for POSIX sh: `_p_secret_within VALUE` succeeds where [`holds_secret`] does. It needs `_p_secret_name`.
pub(super) fn shell_functions() -> String {
    let globs = |globs: &[&str]| globs.iter().map(|g| pattern(g, either_case)).collect::<Vec<_>>().join("|");
    SHELL
        .replace("@NAMES_WITHIN@", &globs(NAMES_WITHIN))
        .replace("@STICKING_NAMES@", &globs(STICKING_NAMES))
        .replace("@OPEN_LABELS@", &globs(OPEN_LABELS))
        .replace("@NAME_LIMIT@", &NAME_LIMIT.to_string())
        .replace("@WORD_LIMIT@", &WORD_LIMIT.to_string())
        .replace("@TOKEN_USER@", &TOKEN_USER.to_string())
        .replace("@BETWEEN_WORDS@", &quoted(BETWEEN_WORDS))
        .replace("@BETWEEN_URLS@", &quoted(BETWEEN_URLS))
        .replace("@WORD@", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
}

/// Bytes as one word of the shell.
fn quoted(bytes: &[u8]) -> String {
    let spell = |b: &u8| if *b == b'\'' { "'\\''".to_owned() } else { as_is(char::from(*b)) };
    format!("'{}'", bytes.iter().map(spell).collect::<String>())
}

const SHELL: &str = include_str!("within.sh");
