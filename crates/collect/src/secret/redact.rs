//! Takes secrets out of bytes that are to be kept: credentials within URLs, well-known tokens, values that are
//! assigned to secret names, private keys. The same rules exist as a `sed` script for the far side; a test
//! holds the two to each other.
//!
//! A line at a time, leftmost first, longest wins: what POSIX regular expressions do. Time is linear in the input,
//! whatever it is.

mod scan;

use std::fmt::Write as _;

use memchr::memmem;

use super::table::{TOKENS, Token};
use scan::{Scan, is_quote_or_space, run};

const MASK: &[u8] = b"REDACTED";

/// How a name ends that a secret is assigned to (`_authToken=..`, `?access_token=..`); letters of any case.
const ASSIGNED: &[&str] = &[
    "token",
    "password",
    "passwd",
    "passphrase",
    "_pass",
    "_pwd",
    "secret",
    "_auth",
    "apikey",
    "api_key",
    "api-key",
    "accesskey",
    "access_key",
    "access-key",
    "secretkey",
    "secret_key",
    "private_key",
    "credential",
    "credentials",
    "signature",
    "sig",
];

const KEY_BEGINS: &[u8] = b"-----BEGIN ";
const KEY_MARK_ENDS: &[u8] = b"-----";

/// What the lines of a private key that have a name are called.
const KEY_HEADERS: &[&str] = &["Proc-Type: ", "DEK-Info: ", "Comment: ", "Version: ", "Charset: ", "Hash: "];

/// Replaces credentials of URLs, well-known tokens, values assigned to secret names, and private keys.
#[must_use]
pub fn redact(bytes: &[u8]) -> Vec<u8> {
    let keys = memmem::find(bytes, b"PRIVATE KEY").is_some();
    let mut out = if keys { without_private_keys(bytes) } else { bytes.to_vec() };
    out = without_credentials(out);
    for token in TOKENS {
        if memmem::find(&out, token.prefix.as_bytes()).is_some() {
            out = without_token(&out, token);
        }
    }
    if memmem::find(&out, b"eyJ").is_some() {
        out = without_web_tokens(&out);
    }
    if memchr::memchr(b'=', &out).is_some() {
        out = without_assigned(&out);
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
    let begin = "-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----";
    // The line that begins a key gets a second end, by which it is known behind the other rules.
    let mut script = format!(
        ":s\n\
         /{begin}/{{\n\
         s%({begin})(\\\\[nrt]|[A-Za-z0-9+/=[:space:]])+%\\1REDACTED%g\n\
         G\n\
         }}\n\
         /@/{{\n\
         s%//[^][{q}/:]*:[^{q}/]*@%//REDACTED@%g\n\
         s%//[^][{q}/@:]*:[^{q}/@]*[^0-9{q}/@][^{q}/@]*/[^{q}@]*@%//REDACTED@%g\n\
         s%([Hh][Tt][Tt][Pp][Ss]?://)[^][{q}/:?#]+@%\\1REDACTED@%g\n\
         }}\n\
         /%40/{{\n\
         s,(%2[Ff]%2[Ff])[^%{q}/@&]*%3[Aa][^{q}/&]*%40,\\1REDACTED%40,g\n\
         s,([Hh][Tt][Tt][Pp][Ss]?%3[Aa]%2[Ff]%2[Ff])[^%{q}/@&?#]+%40,\\1REDACTED%40,g\n\
         }}\n"
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
    let ends: String = ends_of_names().map(either_case).collect();
    let names: Vec<String> = ASSIGNED.iter().map(|name| name.chars().map(either_case).collect()).collect();
    let _infallible = writeln!(
        script,
        "/[{}]=/s/(({})=[\"']?)[^={q}&\\\\][^{q}&\\\\]*/\\1REDACTED/g",
        ends.replace(['[', ']'], ""),
        names.join("|"),
    );
    let headers = KEY_HEADERS.join("|");
    let _infallible = write!(
        script,
        "/\\n$/{{\n\
         s/\\n$//\n\
         :p\n\
         $b\n\
         n\n\
         \\%^[[:space:]]*[A-Za-z0-9+/=]*[[:space:]]*$%{{\n\
         s%[A-Za-z0-9+/=]+%REDACTED%\n\
         bp\n\
         }}\n\
         /^({headers})./{{\n\
         s/^({headers}).*/\\1REDACTED/\n\
         bp\n\
         }}\n\
         bs\n\
         }}\n"
    );
    script
}

/// The last letters of the names, each once.
fn ends_of_names() -> impl Iterator<Item = char> {
    let mut ends: Vec<char> = ASSIGNED.iter().filter_map(|name| name.chars().last()).collect();
    ends.sort_unstable();
    ends.dedup();
    ends.into_iter()
}

fn either_case(c: char) -> String {
    if c.is_ascii_alphabetic() { format!("[{}{}]", c.to_ascii_uppercase(), c) } else { c.to_string() }
}

/// Replaces the credentials of URLs (`//user:secret@host`, `https://token@host`) by `//REDACTED@host`, also where
/// the URL is itself percent-encoded.
fn without_credentials(mut out: Vec<u8>) -> Vec<u8> {
    if memchr::memchr(b'@', &out).is_some() {
        out = Scan::new(&out).replaced(b"//", plain, b"REDACTED@");
        out = Scan::new(&out).replaced(b"//", slashed, b"REDACTED@");
        out = Scan::new(&out).replaced(b"//", alone, b"REDACTED@");
    }
    if memmem::find(&out, b"%40").is_some() {
        out = Scan::new(&out).replaced(b"%2f%2f", encoded, b"REDACTED%40");
        out = Scan::new(&out).replaced(b"%2f%2f", encoded_alone, b"REDACTED%40");
    }
    out
}

/// `user:password@`, the password up to the last `@` before a slash.
fn plain(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let user = scan.skip(at, |b| !is_quote_or_space(b) && !matches!(b, b'/' | b':' | b'[' | b']'));
    if scan.byte(user) != Some(b':') {
        return None;
    }
    let end = scan.skip(user + 1, |b| !is_quote_or_space(b) && b != b'/');
    scan.last(b"@", user + 1, end)
}

/// `user:pass/word@`: a slash in it, and not only a port's digits before that.
fn slashed(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let user = scan.skip(at, |b| !is_quote_or_space(b) && !matches!(b, b'/' | b'@' | b':' | b'[' | b']'));
    let head = scan.skip(user + 1, |b| !is_quote_or_space(b) && b != b'/' && b != b'@');
    let colon = scan.byte(user) == Some(b':') && scan.byte(head) == Some(b'/');
    if !colon || scan.slice(user + 1, head).iter().all(u8::is_ascii_digit) {
        return None;
    }
    let end = scan.stop(head + 1, |b| is_quote_or_space(b) || b == b'@');
    (scan.byte(end) == Some(b'@')).then_some(end + 1)
}

/// `token@`, behind `http://` or `https://` only: elsewhere it is an account's name (`ssh://git@host`).
fn alone(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    if !scan.follows_scheme(at, b"://") {
        return None;
    }
    let fits = |b: u8| !is_quote_or_space(b) && !matches!(b, b'/' | b':' | b'?' | b'#' | b'[' | b']');
    let end = scan.skip(at, fits);
    scan.last(b"@", at + 1, end)
}

/// `user%3Apassword%40`.
fn encoded(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let user = scan.skip(at, |b| !is_quote_or_space(b) && !matches!(b, b'%' | b'/' | b'@' | b'&'));
    if !scan.slice(user, user + 3).eq_ignore_ascii_case(b"%3a") {
        return None;
    }
    let end = scan.stop(user + 3, |b| is_quote_or_space(b) || b == b'/' || b == b'&');
    scan.last(b"%40", user + 3, end)
}

/// `token%40`, behind `https%3A%2F%2F`.
fn encoded_alone(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    if !scan.follows_scheme(at, b"%3a%2f%2f") {
        return None;
    }
    let end =
        scan.skip(at, |b| !is_quote_or_space(b) && !matches!(b, b'%' | b'/' | b'@' | b'&' | b'?' | b'#'));
    (end > at && scan.slice(end, end + 3) == b"%40").then_some(end + 3)
}

fn without_token(bytes: &[u8], token: &Token) -> Vec<u8> {
    Scan::new(bytes).replaced_words(token.prefix.as_bytes(), |scan, at| {
        let length = run(scan.slice(at, usize::MAX), |b| token.alphabet.holds(b));
        (length >= token.least).then_some(at + length)
    })
}

fn without_web_tokens(bytes: &[u8]) -> Vec<u8> {
    let ends = |b: u8| !b.is_ascii_alphanumeric() && b != b'_' && b != b'-';
    let (mut second, mut third) = (Scan::new(bytes), Scan::new(bytes));
    Scan::new(bytes).replaced_words(b"eyJ", |first, at| {
        let one = first.stop(at, ends);
        let two = second.stop(one + 1, ends);
        if first.byte(one) != Some(b'.') || first.byte(two) != Some(b'.') {
            return None;
        }
        let whole = one - at >= 8 && two - one > 8;
        whole.then(|| third.stop(two + 1, ends))
    })
}

/// Replaces what is assigned to a secret name; a quote before it stays.
fn without_assigned(bytes: &[u8]) -> Vec<u8> {
    let fits = |b: u8| !is_quote_or_space(b) && b != b'&' && b != b'\\';
    let scan = Scan::new(bytes);
    let mut out = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for sign in memchr::memchr_iter(b'=', bytes) {
        let before = scan.slice(done, sign);
        let ends = |name: &&str| {
            let from = before.len().checked_sub(name.len());
            from.and_then(|from| before.get(from..)).is_some_and(|b| b.eq_ignore_ascii_case(name.as_bytes()))
        };
        if sign < done || !ASSIGNED.iter().any(ends) {
            continue;
        }
        let quoted = matches!(scan.byte(sign + 1), Some(b'"' | b'\''));
        let start = sign + 1 + usize::from(quoted);
        if scan.byte(start) == Some(b'=') {
            continue;
        }
        let end = scan.skip(start, fits);
        if end > start {
            out.extend_from_slice(scan.slice(done, start));
            out.extend_from_slice(MASK);
            done = end;
        }
    }
    out.extend_from_slice(scan.slice(done, usize::MAX));
    out
}

/// Replaces the lines of private keys, also where a key stands on one line with `\n` in it.
fn without_private_keys(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut within = false;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let end = if line.ends_with(b"\n") { line.len() - 1 } else { line.len() };
        let (text, newline) = line.split_at_checked(end).unwrap_or((line, &[]));
        match masked_key_line(text).filter(|_| within) {
            Some(masked) => out.extend_from_slice(&masked),
            None => within = key_begins(text, &mut out),
        }
        out.extend_from_slice(newline);
    }
    out
}

/// A line within a key; `None` where it is none.
fn masked_key_line(line: &[u8]) -> Option<Vec<u8>> {
    let header = |name: &&&str| line.starts_with(name.as_bytes()) && line.len() > name.len();
    if let Some(name) = KEY_HEADERS.iter().find(header) {
        return Some([name.as_bytes(), MASK].concat());
    }
    let start = run(line, is_space);
    let length = run(line.get(start..)?, is_base64);
    let (indent, rest) = line.split_at_checked(start)?;
    let tail = rest.get(length..)?;
    let mask = if length > 0 { MASK } else { b"" };
    tail.iter().all(|b| is_space(*b)).then(|| [indent, mask, tail].concat())
}

/// Takes over a line that stands in no key, and says whether one begins there.
fn key_begins(line: &[u8], out: &mut Vec<u8>) -> bool {
    let mut begins = false;
    let mut rest = line;
    while let Some(at) = memmem::find(rest, KEY_BEGINS) {
        let label = at + KEY_BEGINS.len();
        let after = rest.get(label..).unwrap_or_default();
        let length = run(after, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' ');
        let (name, behind) = after.split_at_checked(length).unwrap_or((after, &[]));
        let private = name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK");
        let mut taken = label;
        if private && behind.starts_with(KEY_MARK_ENDS) {
            begins = true;
            taken = label + length + KEY_MARK_ENDS.len();
            out.extend_from_slice(rest.get(..taken).unwrap_or_default());
            let content = key_content(rest.get(taken..).unwrap_or_default());
            if content > 0 {
                out.extend_from_slice(MASK);
            }
            taken += content;
        } else {
            out.extend_from_slice(rest.get(..taken).unwrap_or_default());
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    begins
}

/// The length of a key's content on one line: BASE64, spaces, and escapes such as `\n`.
fn key_content(bytes: &[u8]) -> usize {
    let mut length = 0;
    loop {
        length += match bytes.get(length..).unwrap_or_default() {
            [b'\\', b'n' | b'r' | b't', ..] => 2,
            [b, ..] if is_base64(*b) || is_space(*b) => 1,
            _ => return length,
        };
    }
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}

fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')
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
        check("ssh://ann@host/x", "ssh://ann@host/x");
        check("https://hunter2@host/x", "https://REDACTED@host/x");
        check("git+HTTPS://hunter2@github.com/a/b", "git+HTTPS://REDACTED@github.com/a/b");
        check("https://user@corp:hunter2@host", "https://REDACTED@host");
        check("https://medium.com/@user https://h?q=a@b", "https://medium.com/@user https://h?q=a@b");
        check("to=https%3A%2F%2Fhunter2%40host%2Fx", "to=https%3A%2F%2FREDACTED%40host%2Fx");
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

    #[test]
    fn what_is_assigned_to_secret_names_goes() {
        check("https://h/a.tgz?token=hunter2&x=1", "https://h/a.tgz?token=REDACTED&x=1");
        check(
            "{\"resolved\": \"https://h/?x=1&Password=h2\"},",
            "{\"resolved\": \"https://h/?x=1&Password=REDACTED\"},",
        );
        check("//r.example/:_authToken=hunter2", "//r.example/:_authToken=REDACTED");
        check("_auth = x _password=\"h2\" y", "_auth = x _password=\"REDACTED\" y");
        check("export DB_PASSWORD='h2'; make", "export DB_PASSWORD='REDACTED'; make");
        check("{\"a\": \"X_TOKEN=h2\\\"\"}", "{\"a\": \"X_TOKEN=REDACTED\\\"\"}");
        check("X-Amz-Signature=0a1b&b API_KEY=x", "X-Amz-Signature=REDACTED&b API_KEY=REDACTED");
        check("token= password== x config=1 PWD=/a secret=", "token= password== x config=1 PWD=/a secret=");
        check("\"sha512-aXb9d==\" token=>1", "\"sha512-aXb9d==\" token=>1");
    }

    #[test]
    fn private_keys_go() {
        check(
            "a\n-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIhunter2+/\n  h2==\r\n-----END RSA PRIVATE KEY-----\nabc",
            "a\n-----BEGIN RSA PRIVATE KEY-----\nProc-Type: REDACTED\n\nREDACTED\n  REDACTED\r\n-----END RSA PRIVATE KEY-----\nabc",
        );
        check(
            "{\"k\": \"-----BEGIN PRIVATE KEY-----\\nMIIh2/\\nx==\\n-----END PRIVATE KEY-----\\n\"}",
            "{\"k\": \"-----BEGIN PRIVATE KEY-----REDACTED-----END PRIVATE KEY-----\\n\"}",
        );
        check(
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: x\n\nlQ\n=a\na b\nlQ",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: REDACTED\n\nREDACTED\nREDACTED\na b\nlQ",
        );
        check("-----BEGIN CERTIFICATE-----\nMII\n", "-----BEGIN CERTIFICATE-----\nMII\n");
        check("-----BEGIN PRIVATE KEY-----\n\nabc 1 ok\nM\n", "-----BEGIN PRIVATE KEY-----\n\nabc 1 ok\nM\n");
        check(
            "-----BEGIN PRIVATE KEY-----\nM\nhttps://t@h\nM",
            "-----BEGIN PRIVATE KEY-----\nREDACTED\nhttps://REDACTED@h\nM",
        );
    }

    #[test]
    fn hostile_input_takes_linear_time() {
        let check = |start: &str, piece: &str, size: usize| {
            let hostile = start.to_owned() + &piece.repeat(size / piece.len());
            assert!(!redact(hostile.as_bytes()).is_empty());
        };
        check("@ ", "//a:b/", 4 << 20);
        for piece in [
            "%40 %2f%2fa%3a",
            "%40%2f%2fa%3a%4",
            "%2f",
            "eyJ-",
            "eyJabcdefgh.",
            "sk-",
            "AKIA-",
            "=token",
            "token==",
            "https://a",
            "?a&b;",
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN ",
            "/",
            "@",
        ] {
            check("@ %40 eyJ = PRIVATE KEY ", piece, 1 << 20);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn rust_and_sed_agree(lines in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![
                Just("//"), Just("@"), Just(":"), Just("/"), Just("user"), Just("12"), Just(" "), Just("\""), Just("["),
                Just("%2F%2f"), Just("%3a"), Just("%40"), Just("&"), Just("AKIA"), Just("ABCDEFGH01234567"), Just("ghp_"),
                Just("eyJ"), Just("abcdefgh12"), Just("."), Just("-"), Just("_"), Just("\u{e9}"), Just("\r"), Just("sk-"),
                Just("="), Just("TOKEN"), Just("_auth"), Just("sig"), Just("\\"), Just("\\n"), Just("?"), Just("#"), Just("https:"),
                Just("-----BEGIN "), Just("PRIVATE KEY"), Just("-----"), Just("-----BEGIN PRIVATE KEY-----"), Just("DEK-Info: "),
                Just("https%3A"),
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
