//! What counts as secret: one table of names and value shapes, for Rust and for the far side's shell.
//! Knows nothing of how secrets are masked.

/// Names that are not secret although a glob below fits them; they come first.
pub(super) const OPEN_NAMES: &[&str] = &[
    "PWD",
    "OLDPWD",
    "SSH_AUTH_SOCK",
    "XAUTHORITY",
    "*AUTHORITY",
    "*AUTHOR",
    "*AUTHOR_*",
    "*AUTHORS*",
    "TOKENIZERS_PARALLELISM",
    "*KEYBOARD*",
    "*PUBLIC_KEY*",
    "*_KEY_ID",
    "*AUTH*_URL",
    "*AUTH*_MODE",
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

/// Names whose values are secret. Case of letters does not matter.
pub(super) const SECRET_NAMES: &[&str] = &[
    "*PASSWORD*",
    "*PASSWD*",
    "*PASSPHRASE*",
    "*_PASS",
    "PASS",
    "*_PWD",
    "*SECRET*",
    "*TOKEN*",
    "*_KEY",
    "*_KEYS",
    "*APIKEY*",
    "*API_KEY*",
    "*ACCESSKEY*",
    "*PRIVATE*",
    "*CREDENTIAL*",
    "*_PAT",
    "*AUTH*",
    "*_DSN",
    "*WEBHOOK*",
    "*CONNECTION_STRING*",
    "*COOKIE*",
    "*_SALT",
];

/// Shapes of values that are secret whatever their name; well-known tokens are in [`TOKENS`].
pub(super) const SECRET_VALUES: &[&str] = &["*://*:*@*", "*-----BEGIN*PRIVATE*", "eyJ*.*.*"];

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
}

const fn token(prefix: &'static str, alphabet: Alphabet, least: usize) -> Token {
    Token { prefix, alphabet, least }
}

/// Tokens of well-known services, wherever they stand.
pub(super) const TOKENS: &[Token] = &[
    token("AKIA", Alphabet::Upper, 16),
    token("ASIA", Alphabet::Upper, 16),
    token("ghp_", Alphabet::Word, 20),
    token("gho_", Alphabet::Word, 20),
    token("ghu_", Alphabet::Word, 20),
    token("ghs_", Alphabet::Word, 20),
    token("ghr_", Alphabet::Word, 20),
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
    token("AIza", Alphabet::Dashed, 30),
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

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let fits = |globs: &[&str]| globs.iter().any(|glob| glob_fits(glob, &name));
    !fits(OPEN_NAMES) && fits(SECRET_NAMES)
}

pub(super) fn is_secret_value(value: &str) -> bool {
    let known = |t: &Token| value.strip_prefix(t.prefix).is_some_and(|rest| rest.len() >= t.least);
    SECRET_VALUES.iter().any(|glob| glob_fits(glob, value))
        || TOKENS.iter().any(known)
        || looks_random(value.as_bytes())
}

fn looks_random(value: &[u8]) -> bool {
    let path_like = value.first() == Some(&b'/') && value.iter().filter(|b| **b == b'/').count() > 1;
    value.len() >= RANDOM_LEAST
        && !path_like
        && value.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(b))
        && value.iter().any(u8::is_ascii_lowercase)
        && value.iter().any(u8::is_ascii_uppercase)
        && value.iter().any(u8::is_ascii_digit)
}

fn glob_fits(glob: &str, text: &str) -> bool {
    crate::machine::name_fits(glob, text)
}

/// The table as a function of POSIX sh, `_p_secret NAME VALUE`, which succeeds for what is secret.
pub(crate) fn shell_function() -> String {
    let names = |globs: &[&str]| globs.iter().map(|g| pattern(g, either_case)).collect::<Vec<_>>().join("|");
    let mut values: Vec<String> = SECRET_VALUES.iter().map(|g| pattern(g, as_is)).collect();
    values.extend(TOKENS.iter().map(|t| format!("{}{}*", pattern(t.prefix, as_is), "?".repeat(t.least))));
    // Letters are spelled out, as what a range means depends on the far side's locale.
    let (lower, upper, digit) = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789");
    format!(
        "_p_secret() {{\n\
         case $2 in '') return 1 ;; esac\n\
         case $1 in {open}) ;; {secret}) return 0 ;; esac\n\
         case $2 in {values}) return 0 ;; esac\n\
         case $2 in *[!{lower}{upper}{digit}+/=_-]*|/*/*) return 1 ;; {long}*) ;; *) return 1 ;; esac\n\
         case $2 in *[{lower}]*) ;; *) return 1 ;; esac\n\
         case $2 in *[{upper}]*) ;; *) return 1 ;; esac\n\
         case $2 in *[{digit}]*) return 0 ;; esac\n\
         return 1\n}}\n",
        open = names(OPEN_NAMES),
        secret = names(SECRET_NAMES),
        values = values.join("|"),
        long = "?".repeat(RANDOM_LEAST),
    )
}

fn pattern(glob: &str, letter: fn(char) -> String) -> String {
    glob.chars()
        .map(|c| match c {
            '*' => "*".to_owned(),
            c if c.is_ascii_alphanumeric() => letter(c),
            c => format!("\\{c}"),
        })
        .collect()
}

fn either_case(c: char) -> String {
    if c.is_ascii_alphabetic() {
        format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase())
    } else {
        c.to_string()
    }
}

fn as_is(c: char) -> String {
    c.to_string()
}
