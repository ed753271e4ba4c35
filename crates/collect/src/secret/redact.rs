//! Takes secrets out of bytes that are to be kept: credentials within URLs, and well-known tokens. The same
//! rules exist as a `sed` script for the far side; a test holds the two to each other.
//!
//! A line at a time, leftmost first, longest wins: what POSIX regular expressions do.

use std::fmt::Write as _;

use memchr::memmem;

use super::table::{TOKENS, Token};

const MASK: &[u8] = b"REDACTED";

/// Replaces the credentials of URLs (`//user:secret@host`) by `//REDACTED@host`, also where the
/// URL is itself percent-encoded.
fn redact_urls(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for (start, after, end) in [
        (&b"//"[..], after_plain as fn(&[u8]) -> Option<usize>, &b"@"[..]),
        (b"//", after_slashed, b"@"),
        (b"%2f%2f", after_encoded, b"%40"),
    ] {
        if memmem::find(&out, end).is_some() {
            out = replaced(&out, start, after, end);
        }
    }
    out
}

/// Replaces credentials of URLs and well-known tokens.
#[must_use]
pub fn redact(bytes: &[u8]) -> Vec<u8> {
    let mut out = redact_urls(bytes);
    for token in TOKENS {
        if memmem::find(&out, token.prefix.as_bytes()).is_some() {
            out = without_token(&out, token);
        }
    }
    if memmem::find(&out, b"eyJ").is_some() {
        out = replaced_words(&out, b"eyJ", json_web_token);
    }
    out
}

/// [`redact`], for text: messages of errors, what commands said.
#[must_use]
pub fn redact_text(text: &str) -> String {
    String::from_utf8_lossy(&redact(text.as_bytes())).into_owned()
}

/// The same rules as a script of `sed -E`.
pub(crate) fn sed_script() -> String {
    let q = "[:space:]\"'<>`";
    let mut script = format!(
        "/@/{{\n\
         s%//[^][{q}/@:]*:[^{q}/]*@%//REDACTED@%g\n\
         s%//[^][{q}/@:]*:[^{q}/@]*[^0-9{q}/@][^{q}/@]*/[^{q}@]*@%//REDACTED@%g\n\
         }}\n\
         /%40/s/(%2[Ff]%2[Ff])[^%{q}\\/@&]*%3[Aa][^{q}\\/&]*%40/\\1REDACTED%40/g\n"
    );
    let prefixes: Vec<&str> = TOKENS.iter().map(|t| t.prefix).chain(["eyJ"]).collect();
    let _infallible = writeln!(script, "/{}/{{", prefixes.join("|"));
    for Token { prefix, alphabet, least, .. } in TOKENS {
        let class = alphabet.class();
        let _infallible =
            writeln!(script, "s/(^|[^A-Za-z0-9_]){prefix}{class}{class}{{{},}}/\\1REDACTED/g", least - 1);
    }
    script.push_str(
        "s/(^|[^A-Za-z0-9_])eyJ[A-Za-z0-9_-]{8,}[.][A-Za-z0-9_-]{8,}[.][A-Za-z0-9_-]*/\\1REDACTED/g\n}\n",
    );
    script
}

/// Replaces, behind each `start`, what `after` measures (up to and with `end`) by the mask.
fn replaced(bytes: &[u8], start: &[u8], after: fn(&[u8]) -> Option<usize>, end: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, others)) = rest.split_first() {
        let begins = rest.get(..start.len()).is_some_and(|b| b.eq_ignore_ascii_case(start));
        let found = if begins { rest.get(start.len()..).and_then(after) } else { None };
        match found {
            Some(length) => {
                let (before, tail) = rest.split_at_checked(start.len() + length).unwrap_or((rest, &[]));
                out.extend_from_slice(before.get(..start.len()).unwrap_or_default());
                out.extend_from_slice(MASK);
                out.extend_from_slice(end);
                rest = tail;
            }
            None => {
                out.push(*first);
                rest = others;
            }
        }
    }
    out
}

fn is_quote_or_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b'"' | b'\'' | b'<' | b'>' | b'`')
}

fn run(bytes: &[u8], holds: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|b| holds(**b)).count()
}

/// The length of `user:`.
fn user_and_colon(bytes: &[u8]) -> Option<usize> {
    let user = run(bytes, |b| !is_quote_or_space(b) && !matches!(b, b'/' | b'@' | b':' | b'[' | b']'));
    (bytes.get(user) == Some(&b':')).then_some(user + 1)
}

/// `user:password@`, the password up to the last `@` before a slash.
fn after_plain(bytes: &[u8]) -> Option<usize> {
    let user = user_and_colon(bytes)?;
    let rest = bytes.get(user..)?;
    let length = run(rest, |b| !is_quote_or_space(b) && b != b'/');
    let at = memchr::memrchr(b'@', rest.get(..length)?)?;
    Some(user + at + 1)
}

/// `user:pass/word@`: a slash in it, and not only a port's digits before that.
fn after_slashed(bytes: &[u8]) -> Option<usize> {
    let user = user_and_colon(bytes)?;
    let rest = bytes.get(user..)?;
    let head = run(rest, |b| !is_quote_or_space(b) && b != b'/' && b != b'@');
    let no_port = rest.get(..head)?.iter().any(|b| !b.is_ascii_digit());
    let slash = rest.get(head) == Some(&b'/');
    let tail = rest.get(head + 1..)?;
    let more = run(tail, |b| !is_quote_or_space(b) && b != b'@');
    (no_port && slash && tail.get(more) == Some(&b'@')).then_some(user + head + 1 + more + 1)
}

/// `user%3Apassword%40`.
fn after_encoded(bytes: &[u8]) -> Option<usize> {
    let user = run(bytes, |b| !is_quote_or_space(b) && !matches!(b, b'%' | b'/' | b'@' | b'&'));
    let colon = bytes.get(user..user + 3)?;
    if !colon.eq_ignore_ascii_case(b"%3a") {
        return None;
    }
    let rest = bytes.get(user + 3..)?;
    let length = run(rest, |b| !is_quote_or_space(b) && b != b'/' && b != b'&');
    let at = memmem::rfind(rest.get(..length)?, b"%40")?;
    Some(user + 3 + at + 3)
}

fn without_token(bytes: &[u8], token: &Token) -> Vec<u8> {
    replaced_words(bytes, token.prefix.as_bytes(), |rest| {
        let length = run(rest, |b| token.alphabet.holds(b));
        (length >= token.least).then_some(length)
    })
}

/// Replaces a prefix at the start of a word, and what `after` measures behind it, by the mask.
fn replaced_words(bytes: &[u8], prefix: &[u8], after: impl Fn(&[u8]) -> Option<usize>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memmem::find(rest, prefix)) {
        let start = at + found;
        let before = start.checked_sub(1).and_then(|i| bytes.get(i));
        let word_goes_on = before.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        let length = if word_goes_on { None } else { bytes.get(start + prefix.len()..).and_then(&after) };
        out.extend_from_slice(bytes.get(at..start).unwrap_or_default());
        match length {
            Some(length) => {
                out.extend_from_slice(MASK);
                at = start + prefix.len() + length;
            }
            None => {
                out.extend(bytes.get(start));
                at = start + 1;
            }
        }
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    out
}

/// The three parts of a JSON web token, behind its `eyJ`.
fn json_web_token(rest: &[u8]) -> Option<usize> {
    let part = |bytes: &[u8]| run(bytes, |b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let first = part(rest);
    let second = part(rest.get(first + 1..)?);
    let dots = rest.get(first) == Some(&b'.') && rest.get(first + 1 + second) == Some(&b'.');
    let third = part(rest.get(first + second + 2..)?);
    (dots && first >= 8 && second >= 8).then_some(first + second + third + 2)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    fn sed(program: &[&str], input: &[u8]) -> Vec<u8> {
        let (first, rest) = program.split_first().unwrap();
        let mut child = Command::new(first)
            .args(rest)
            .args(["-E", "-e", &sed_script()])
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sed and busybox (package busybox-static) are needed here");
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let out = child.wait_with_output().unwrap().stdout;
        writer.join().unwrap().unwrap();
        out
    }

    fn check(input: &str, expected: &str) {
        assert_eq!(redact_text(input), expected);
        assert_eq!(redact_text(expected), expected, "twice is once");
        let line = format!("{input}\n");
        for program in [&["sed"][..], &["busybox", "sed"]] {
            let got = String::from_utf8(sed(program, line.as_bytes())).unwrap();
            assert_eq!(got, format!("{expected}\n"), "{program:?}");
        }
    }

    #[test]
    fn credentials_of_urls_go_and_urls_stay() {
        check("https://user:hunter2@host/x", "https://REDACTED@host/x");
        check("postgres://:hunter2@db:5432/a", "postgres://REDACTED@db:5432/a");
        check("//u:p@ss@host", "//REDACTED@host");
        check("//u:12345@host //v:w@x", "//REDACTED@host //REDACTED@x");
        check("a://u:pa/ss@host/x", "a://REDACTED@host/x");
        check("a://u:p%40ss@host", "a://REDACTED@host");
        check("to=https%3A%2F%2Fu%3Ahunter2%40host%2Fx", "to=https%3A%2F%2FREDACTED%40host%2Fx");
        check(
            "\"https://registry:4873/@types/node/-/a.tgz\"",
            "\"https://registry:4873/@types/node/-/a.tgz\"",
        );
        check("git+ssh://git@github.com:a/b", "git+ssh://git@github.com:a/b");
        check("http://[::1]:80/@a", "http://[::1]:80/@a");
        check("// see: me@example.org", "// see: me@example.org");
        check("", "");
    }

    #[test]
    fn known_tokens_go() {
        let word = "a1B2".repeat(10);
        for prefix in ["ghp_", "github_pat_", "npm_", "hf_", "sk-", "AIza"] {
            check(&format!("x={prefix}{word} y"), "x=REDACTED y");
            check(&format!("({prefix}short)"), &format!("({prefix}short)"));
        }
        check("AKIAIOSFODNN7EXAMPLE", "REDACTED");
        check(
            "npm_config_registry=1 task-0123456789012345678901",
            "npm_config_registry=1 task-0123456789012345678901",
        );
        check("Bearer eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl!", "Bearer REDACTED!");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn rust_and_sed_agree(lines in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![
                Just("//"), Just("@"), Just(":"), Just("/"), Just("user"), Just("12"), Just(" "), Just("\""), Just("["),
                Just("%2F%2f"), Just("%3a"), Just("%40"), Just("&"), Just("AKIA"), Just("ABCDEFGH01234567"), Just("ghp_"),
                Just("eyJ"), Just("abcdefgh12"), Just("."), Just("-"), Just("_"), Just("\u{e9}"), Just("\r"), Just("sk-"),
            ], 0..24), 0..60)) {
            let text: String = lines.iter().map(|line| line.concat() + "\n").collect();
            prop_assert_eq!(
                String::from_utf8_lossy(&sed(&["sed"], text.as_bytes())).into_owned(), redact_text(&text));
        }

        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let once = redact(&bytes);
            prop_assert_eq!(redact(&once), once);
        }
    }
}
