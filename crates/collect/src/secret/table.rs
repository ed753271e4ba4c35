//! What counts as secret: one table of names and value shapes, for Rust and for the far side's shell.
//! Knows nothing of how secrets are masked, nor of secrets written within a value.

use super::within;

/// Names that tell of something about a secret, or look like a secret's name and are none. They come first.
pub(super) const HARMLESS_NAMES: &[&str] = &[
    "PWD",
    "OLDPWD",
    "SSH_AUTH_SOCK",
    "PASSWORDAUTHENTICATION",
    "TOKENIZERS_PARALLELISM",
    "*_FILE",
    "*_PATH",
    "*_DIR",
    "*_SOCK",
    "*_TIMEOUT",
    "*_TTL",
    "*_EXPIRY",
    "*_EXPIRES_IN",
    "*_ENABLED",
    "*_TYPE",
    "*_METHOD",
    "*_LENGTH",
    "*_ALGORITHM",
    "*_ISSUER",
    "*_AUDIENCE",
    "*_DOMAIN",
    "*_HOST",
    "*_PORT",
    "*_USER",
    "*_USERNAME",
];

/// Names that are secret whatever else they hold (`AUTHOR_API_TOKEN`, `PUBLIC_KEY_PASSWORD`).
pub(super) const STRONG_NAMES: &[&str] = &[
    "*PASSWORD*",
    "*PASSWD*",
    "*PASSPHRASE*",
    "*PASSCODE*",
    "*SECRET*",
    "*TOKEN*",
    "*APIKEY*",
    "*API_KEY*",
    "*CREDENTIAL*",
    "*CONNECTIONSTRING*",
    "*CONNECTION_STRING*",
];

/// Names that are not secret although one of the weak globs below fits them.
pub(super) const OPEN_NAMES: &[&str] = &[
    "XAUTHORITY",
    "*AUTHORITY",
    "*AUTHOR",
    "*AUTHOR_*",
    "*AUTHORS*",
    "*KEYBOARD*",
    "*PUBLIC_KEY*",
    "*_KEY_ID",
    "*AUTH*_URL",
    "*AUTH*_MODE",
    "*AUTH*_LOGIN_CONFIG",
    "*PREFERREDAUTHENTICATIONS",
    "*PUBKEYAUTHENTICATION",
    "XDG_SESSION_ID",
    "TERM_SESSION_ID",
];

/// Names that are secret where none of the others has decided. Case of letters does not matter in any of these,
/// and `_` stands for `-` and `.` as well.
pub(super) const WEAK_NAMES: &[&str] = &[
    "PASS",
    "*_PASS",
    "*_PASS_*",
    "DBPASS",
    "*DB_PASS*",
    "PGPASS",
    "*USERPASS",
    "*ROOTPASS",
    "*_PWD",
    "*_KEY",
    "*_KEYS",
    "*_KEY_*",
    "*ACCESSKEY*",
    "*PRIVATE*",
    "*_PAT",
    "*AUTH*",
    "*_DSN",
    "*WEBHOOK*",
    "*COOKIE*",
    "*_SALT",
    "SSHPASS",
    "*STOREPASS",
    "*KEYPASS",
    "*MASTERKEY",
    "*ENCRYPTIONKEY",
    "*SIGNINGKEY",
    "*_PSK",
    "*MNEMONIC",
    "JWT",
    "*_JWT",
    "BEARER",
    "*_BEARER",
    "CRED",
    "CREDS",
    "*_CRED",
    "*_CREDS",
    "SESSION",
    "*SESSION_ID",
    "*SESSIONID",
    "PHPSESSID",
    "CONNECT_SID",
];

/// Names that are secret within a value (a query's `sig=`, a connection string's `Pwd=`), though not by themselves.
pub(super) const NAMES_WITHIN: &[&str] = &["SIG", "*SIGNATURE", "PWD"];

/// Names that are believed where `:` and the value stick to them: these are seldom an image's or a host's.
pub(super) const STICKING_NAMES: &[&str] =
    &["*PASSWORD", "*PASSWD", "*PASSPHRASE", "*SECRET", "*TOKEN", "*APIKEY", "*API_KEY", "*AUTHORIZATION"];

/// What stands before `:` where an `@` behind it ends no password: addresses, and packages' sources.
pub(super) const OPEN_LABELS: &[&str] = &[
    "MAILTO",
    "EMAIL",
    "E_MAIL",
    "FROM",
    "TO",
    "CC",
    "BCC",
    "REPLY_TO",
    "AUTHOR",
    "MAINTAINER",
    "OWNER",
    "CONTACT",
    "SERVICEACCOUNT",
    "GROUP",
    "SIP",
    "SIPS",
    "XMPP",
    "ACCT",
    "NPM",
    "PKG",
    "JSR",
    "GITHUB",
    "GITLAB",
    "BITBUCKET",
    "GIST",
    "WORKSPACE",
    "PATCH",
    "LINK",
    "PORTAL",
    "FILE",
    "USES",
    "ARN",
    "URN",
];

/// Shapes of values that are secret whatever their name; well-known tokens are in [`TOKENS`]. Each holds one of
/// the characters of [`MARKS`].
pub(super) const SECRET_VALUES: &[&str] = &[
    "*-----BEGIN*PRIVATE*",
    "*eyJ*.*.*",
    "*assword=*",
    "*ASSWORD=*",
    "*<password>*",
    "*<Password>*",
    "*AccountKey=*",
    "*SharedAccessKey=*",
    "*&sig=*",
    "*access_token=*",
    "*?token=*",
    "*&token=*",
    "*api_key=*",
    "*_authToken=*",
    "*://hooks.slack.com/services/*",
    "*/api/webhooks/*",
];

/// A value without any of these has none of the shapes above.
const MARKS: &[u8] = b"-.=/<";

/// Beginnings of values that are secret, as they stand in headers and in files of logins.
pub(super) const BEGINNINGS: &[&str] = &["Bearer ", "bearer ", "Basic "];

/// Beginnings of content hashes, which look random and are not secret.
pub(super) const HASHES: &[&str] = &["sha1-", "sha256-", "sha384-", "sha512-"];

/// The characters that a token is made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Alphabet {
    /// `A-Z0-9`
    Upper,
    /// `A-Za-z0-9_`
    Word,
    /// `A-Za-z0-9_-`
    Dashed,
}

impl Alphabet {
    pub(super) fn holds(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Self::Dashed => byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-',
        }
    }

    /// The same as a bracket expression of `sed`.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Upper => "[A-Z0-9]",
            Self::Word => "[A-Za-z0-9_]",
            Self::Dashed => "[A-Za-z0-9_-]",
        }
    }
}

/// A token that its beginning gives away.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) prefix: &'static str,
    pub(super) alphabet: Alphabet,
    /// At least so many characters follow.
    pub(super) least: usize,
    /// Where in a value its beginning is believed.
    place: TokenPlace,
}

/// Where in a value a token's beginning is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenPlace {
    /// At its start: the beginning is short enough to stand in other words (`task-..`).
    Start,
    /// Anywhere: nothing else is written like that.
    Anywhere,
}

const fn token(prefix: &'static str, alphabet: Alphabet, least: usize) -> Token {
    // Five characters are enough to stand out.
    let place = if prefix.len() >= 5 { TokenPlace::Anywhere } else { TokenPlace::Start };
    Token { prefix, alphabet, least, place }
}

/// A token whose four characters stand out.
const fn known(prefix: &'static str, alphabet: Alphabet, least: usize) -> Token {
    Token { place: TokenPlace::Anywhere, ..token(prefix, alphabet, least) }
}

/// Tokens of well-known services, wherever they stand.
pub(super) const TOKENS: &[Token] = &[
    token("AKIA", Alphabet::Upper, 16),
    token("ASIA", Alphabet::Upper, 16),
    known("ghp_", Alphabet::Word, 20),
    known("gho_", Alphabet::Word, 20),
    known("ghu_", Alphabet::Word, 20),
    known("ghs_", Alphabet::Word, 20),
    known("ghr_", Alphabet::Word, 20),
    token("github_pat_", Alphabet::Word, 20),
    token("glpat-", Alphabet::Dashed, 16),
    token("xoxb-", Alphabet::Dashed, 10),
    token("xoxp-", Alphabet::Dashed, 10),
    token("xoxa-", Alphabet::Dashed, 10),
    token("xoxr-", Alphabet::Dashed, 10),
    token("xoxs-", Alphabet::Dashed, 10),
    token("sk-", Alphabet::Dashed, 20),
    token("sk_live_", Alphabet::Word, 10),
    token("sk_test_", Alphabet::Word, 10),
    token("rk_live_", Alphabet::Word, 10),
    token("npm_", Alphabet::Word, 30),
    known("AIza", Alphabet::Dashed, 30),
    token("hf_", Alphabet::Word, 30),
    token("dop_v1_", Alphabet::Word, 30),
];

/// A value of at least this many characters of `A-Za-z0-9+/=_-`, with all of lower, upper and digit, that does
/// not look like a path is taken for a random token.
pub(super) const RANDOM_LEAST: usize = 32;

/// Whether a variable is secret, by its name or by the shape of its value. An empty value never is.
#[must_use]
pub fn is_secret(name: &str, value: &str) -> bool {
    !value.is_empty() && (is_secret_name(name) || is_secret_value(value))
}

/// Whether a name is a secret's. Most names are none, so that what could make them one is asked first.
pub(crate) fn is_secret_name(name: &str) -> bool {
    !name.is_empty() && names_secret(name.as_bytes())
}

/// [`is_secret_name`] for bytes.
pub(super) fn names_secret(name: &[u8]) -> bool {
    let fits = |globs| fits_any(globs, name, Case::Folded);
    (fits(STRONG_NAMES) || (fits(WEAK_NAMES) && !fits(OPEN_NAMES))) && !fits(HARMLESS_NAMES)
}

/// Whether any of the globs fits a text.
pub(super) fn fits_any(globs: &[&str], text: &[u8], case: Case) -> bool {
    globs.iter().any(|glob| glob_fits(glob, text, case))
}

pub(super) fn is_secret_value(value: &str) -> bool {
    let shaped = || fits_any(SECRET_VALUES, value.as_bytes(), Case::Exact);
    BEGINNINGS.iter().any(|start| value.starts_with(start) && value.len() > start.len())
        || (value.bytes().any(|b| MARKS.contains(&b)) && shaped())
        || TOKENS.iter().any(|token| holds(token, value))
        || within::holds_secret(value.as_bytes())
        || looks_random(value.as_bytes())
}

fn holds(token: &Token, value: &str) -> bool {
    if value.len() < token.prefix.len() + token.least {
        return false;
    }
    let long_enough = |rest: &str| rest.len() >= token.least;
    match token.place {
        TokenPlace::Start => value.strip_prefix(token.prefix).is_some_and(long_enough),
        TokenPlace::Anywhere => value.split_once(token.prefix).is_some_and(|(_, rest)| long_enough(rest)),
    }
}

fn looks_random(value: &[u8]) -> bool {
    let path_like = value.first() == Some(&b'/') && value.iter().filter(|b| **b == b'/').count() > 1;
    value.len() >= RANDOM_LEAST
        && !path_like
        && !HASHES.iter().any(|hash| value.starts_with(hash.as_bytes()))
        && value.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(b))
        && value.iter().any(u8::is_ascii_lowercase)
        && value.iter().any(u8::is_ascii_uppercase)
        && value.iter().any(u8::is_ascii_digit)
}

/// Whether the case of ASCII letters counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Case {
    Exact,
    /// It does not, and `_` stands for `-` and `.` as well.
    Folded,
}

/// Whether a glob with `*` fits a text, as `case` of the shell would say. Called for every name and value that is
/// looked at, so it allocates nothing.
pub(super) fn glob_fits(glob: &str, text: &[u8], case: Case) -> bool {
    let folded = |(a, b): (&u8, &u8)| a.eq_ignore_ascii_case(b) || (*a == b'_' && matches!(b, b'-' | b'.'));
    let same = |a: &[u8], b: &[u8]| match case {
        Case::Exact => a == b,
        Case::Folded => a.len() == b.len() && a.iter().zip(b).all(folded),
    };
    let Some((first, mut rest)) = glob.split_once('*') else { return same(glob.as_bytes(), text) };
    let Some((head, mut left)) = text.split_at_checked(first.len()) else { return false };
    if !same(first.as_bytes(), head) {
        return false;
    }
    while let Some((part, more)) = rest.split_once('*') {
        let part = part.as_bytes();
        let at = if part.is_empty() { Some(0) } else { left.windows(part.len()).position(|w| same(part, w)) };
        let Some(after) = at.and_then(|at| left.get(at + part.len()..)) else { return false };
        (left, rest) = (after, more);
    }
    let last = rest.as_bytes();
    left.len().checked_sub(last.len()).and_then(|at| left.get(at..)).is_some_and(|tail| same(last, tail))
}

/// The table as a function of POSIX sh, `_p_secret NAME VALUE`, which succeeds for what is secret.
pub(crate) fn shell_function() -> String {
    let names = |globs: &[&str]| globs.iter().map(|g| pattern(g, either_case)).collect::<Vec<_>>().join("|");
    let mut values: Vec<String> = SECRET_VALUES.iter().map(|g| pattern(g, as_is)).collect();
    values.extend(TOKENS.iter().map(|t| {
        let before = if t.place == TokenPlace::Anywhere { "*" } else { "" };
        format!("{before}{}{}*", pattern(t.prefix, as_is), "?".repeat(t.least))
    }));
    values.extend(BEGINNINGS.iter().map(|start| format!("{}?*", pattern(start, as_is))));
    let hashes: Vec<String> = HASHES.iter().map(|hash| format!("{}*", pattern(hash, as_is))).collect();
    // Letters are spelled out, as what a range means depends on the far side's locale.
    let (lower, upper, digit) = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789");
    format!(
        "_p_secret_name() {{\n\
         case $1 in {harmless}) return 1 ;; {strong}) return 0 ;; {open}) return 1 ;; {weak}) return 0 ;; esac\n\
         return 1\n}}\n\
         {within}\
         _p_secret() {{\n\
         case $2 in '') return 1 ;; esac\n\
         if _p_secret_name \"$1\"; then return 0; fi\n\
         case $2 in {values}) return 0 ;; esac\n\
         if _p_secret_within \"$2\"; then return 0; fi\n\
         case $2 in {hashes}|*[!{lower}{upper}{digit}+/=_-]*|/*/*) return 1 ;; {long}*) ;; *) return 1 ;; esac\n\
         case $2 in *[{lower}]*) ;; *) return 1 ;; esac\n\
         case $2 in *[{upper}]*) ;; *) return 1 ;; esac\n\
         case $2 in *[{digit}]*) return 0 ;; esac\n\
         return 1\n}}\n",
        within = within::shell_functions(),
        harmless = names(HARMLESS_NAMES),
        strong = names(STRONG_NAMES),
        open = names(OPEN_NAMES),
        weak = names(WEAK_NAMES),
        hashes = hashes.join("|"),
        values = values.join("|"),
        long = "?".repeat(RANDOM_LEAST),
    )
}

pub(super) fn pattern(glob: &str, letter: fn(char) -> String) -> String {
    glob.chars()
        .map(|c| match c {
            '*' => "*".to_owned(),
            c if c.is_ascii_alphanumeric() || c == '_' => letter(c),
            c => format!("\\{c}"),
        })
        .collect()
}

pub(super) fn either_case(c: char) -> String {
    if c == '_' {
        "[-_.]".to_owned()
    } else if c.is_ascii_alphabetic() {
        format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase())
    } else {
        c.to_string()
    }
}

pub(super) fn as_is(c: char) -> String {
    c.to_string()
}
