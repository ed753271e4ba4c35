//! Secrets: what counts as one, raw values as a type that cannot be shown, the keyed hash that masks them, and
//! taking them out of text. Reads nothing itself.

mod redact;
mod table;
mod url;
mod within;

use std::fmt;

use parallax_model::Fingerprint;
use sha2::{Digest, Sha256};

pub(crate) use redact::sed_script;
pub use redact::{redact, redact_text};
pub use table::is_secret;
pub(crate) use table::{is_secret_name, shell_function};
pub(crate) use url::without_credentials;

/// A secret in clear. It can't be printed, compared or serialised; all one can do is mask it.
pub struct RawSecret(Vec<u8>);

impl RawSecret {
    /// Wraps a secret.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for RawSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawSecret(..)")
    }
}

/// Masks secrets: a keyed hash that a POSIX shell with `sha256sum` can compute as well, so that a secret
/// is masked on its own host.
///
/// With inner and outer key of 64 hex digits each, derived from the project's key, the fingerprint is the first
/// 32 hex digits of `sha256(outer || hex(sha256(inner || secret)))`: the two-key construction NMAC
/// (Bellare, Canetti and Krawczyk 1996) with each key filling one block of the hash.
pub struct Fingerprinter {
    inner: String,
    outer: String,
    key_id: String,
    lasting: bool,
}

impl Fingerprinter {
    /// From the project's key: fingerprints can be compared over time and between machines.
    #[must_use]
    pub fn lasting(key: &[u8]) -> Self {
        Self::derive(key, true)
    }

    /// From a key made for this run only: two sides can be compared, nothing may be kept but presence.
    #[must_use]
    pub fn ephemeral(random: [u8; 32]) -> Self {
        Self::derive(&random, false)
    }

    fn derive(key: &[u8], lasting: bool) -> Self {
        let sub_key = |context: &str| hex(&blake3::derive_key(context, key));
        Self {
            inner: sub_key("parallax 2026-11 fingerprint inner key"),
            outer: sub_key("parallax 2026-11 fingerprint outer key"),
            key_id: sub_key("parallax 2026-11 fingerprint key id").chars().take(8).collect(),
            lasting,
        }
    }

    /// Masks one secret.
    #[must_use]
    pub fn fingerprint(&self, secret: &RawSecret) -> Fingerprint {
        let inner = Sha256::new().chain_update(&self.inner).chain_update(&secret.0).finalize();
        let outer = Sha256::new().chain_update(&self.outer).chain_update(hex(&inner)).finalize();
        self.of_digest(&hex(&outer))
    }

    /// What to make of the outer digest (hex) that another host computed.
    pub(crate) fn of_digest(&self, digest: &str) -> Fingerprint {
        let mac: String = digest.chars().take(32).collect();
        Fingerprint::Keyed { key_id: self.key_id.as_str().into(), mac: mac.into() }
    }

    /// The inner and outer keys, for a script that is sent over standard input (never an argument,
    /// which every account on the far side could read).
    pub(crate) fn keys(&self) -> (&str, &str) {
        (&self.inner, &self.outer)
    }

    /// The id that fingerprints of this key carry, if they may be kept.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.lasting.then_some(self.key_id.as_str())
    }
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fingerprinter")
            .field("key_id", &self.key_id)
            .field("lasting", &self.lasting)
            .finish_non_exhaustive()
    }
}

/// The SHA-256 of bytes, as 64 hex digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_tell_same_from_different_and_nothing_else() {
        let project = Fingerprinter::lasting(b"key");
        let mask = |f: &Fingerprinter, s: &str| f.fingerprint(&RawSecret::new(s));
        assert_eq!(mask(&project, "a"), mask(&project, "a"));
        assert_ne!(mask(&project, "a"), mask(&project, "b"));
        assert_ne!(mask(&project, "a"), mask(&Fingerprinter::lasting(b"other"), "a"));
        assert!(!format!("{project:?} {:?}", RawSecret::new("hunter2")).contains("hunter2"));
        assert!(!format!("{project:?}").contains(project.keys().0));
    }

    /// Rows of names and values, and whether they are secret: for Rust, dash and BusyBox alike.
    const ROWS: &[(&str, &str, bool)] = &[
        ("DB_PASSWORD", "x", true),
        ("db_password", "x", true),
        ("PASSWORD", "x", true),
        ("DB_PASSWORD", "", false),
        ("PGPASSWORD", "x", true),
        ("MYSQL_PWD", "x", true),
        ("PWD", "/root", false),
        ("OLDPWD", "/", false),
        ("MYSQL_PASS", "x", true),
        ("PASS", "x", true),
        ("COMPASS", "x", false),
        ("API_TOKEN", "x", true),
        ("npm_config__authToken", "x", true),
        ("TOKENIZERS_PARALLELISM", "true", false),
        ("TOKEN_FILE", "/run/t", false),
        ("AWS_SECRET_ACCESS_KEY", "x", true),
        ("AWS_ACCESS_KEY_ID", "x", false),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", true),
        ("SSH_AUTH_SOCK", "/tmp/a", false),
        ("XAUTHORITY", "/root/.Xauthority", false),
        ("OIDC_AUTHORITY", "https://id.example.org", false),
        ("GIT_AUTHOR_NAME", "Ann", false),
        ("GIT_AUTHOR_EMAIL", "ann@example.org", false),
        ("AUTHOR", "Ann", false),
        ("BASIC_AUTH", "x", true),
        ("AUTH_HEADER", "x", true),
        ("AUTH_URL", "https://id.example.org", false),
        ("AUTH_URL", "https://a:b@id.example.org", true),
        ("KEYBOARD", "us", false),
        ("SIGNING_KEY", "x", true),
        ("MONKEY", "x", false),
        ("KEY", "x", false),
        ("STRIPE_APIKEY", "x", true),
        ("SSH_PUBLIC_KEY", "ssh-rsa x", false),
        ("GITHUB_PAT", "x", true),
        ("PATH", "/usr/bin", false),
        ("COMPAT", "1", false),
        ("SENTRY_DSN", "x", true),
        ("SLACK_WEBHOOK_URL", "x", true),
        ("PRIVATE_STUFF", "x", true),
        ("GOOGLE_CREDENTIALS", "{}", true),
        ("SESSION_COOKIE", "x", true),
        ("PASSWORD_SALT", "x", true),
        ("SECRET_KEY_BASE", "x", true),
        ("TOKEN_TTL", "60", false),
        ("DATABASE_URL", "postgres://u:p@db/x", true),
        ("DATABASE_URL", "postgres://db/x", false),
        ("A", "ghp_0123456789012345678901", true),
        ("A", "ghp_short", false),
        ("A", "github_pat_01234567890123456789", true),
        ("A", "glpat-0123456789abcdef", true),
        ("A", "xoxb-1234567890", true),
        ("LANG", "sk-SK.UTF-8", false),
        ("A", "sk-01234567890123456789", true),
        ("A", "sk_live_0123456789", true),
        ("A", "eyJhbGciOi.eyJzdWIi.c2ln", true),
        ("A", "eyJ", false),
        ("A", "-----BEGIN RSA PRIVATE KEY-----\nMII\n", true),
        ("A", "-----BEGIN CERTIFICATE-----", false),
        ("A", "npm_012345678901234567890123456789", true),
        ("A", "AIza012345678901234567890123456789", true),
        ("A", "hf_012345678901234567890123456789", true),
        ("A", "dop_v1_012345678901234567890123456789", true),
        ("A", "abcdefghijklmnopABCDEFGHIJKLM012", true),
        ("A", "abcdefghijklmnopABCDEFGHIJKLM01", false),
        ("A", "abcdefghijklmnopabcdefghijklm012", false),
        ("A", "ABCDEFGHIJKLMNOPABCDEFGHIJKLM012", false),
        ("A", "abcdefghijklmnopABCDEFGHIJKLMNOPQ", false),
        ("A", "/home/Runner1/work/abcdefghijklmnopq", false),
        ("A", "abcdefghijklmnop ABCDEFGHIJKLM012", false),
        ("A", "ab+/=_-hijklmnopABCDEFGHIJKLM012", true),
        ("A", "550e8400-e29b-41d4-a716-446655440000", false),
        ("A", "\u{e9}t\u{e9}", false),
        ("A.B", "$(touch x) `id` '", false),
        ("A B_TOKEN", "x", true),
        ("AUTHOR_API_TOKEN", "x", true),
        ("PUBLIC_KEY_PASSWORD", "x", true),
        ("PASSWORD_FILE", "/run/secrets/p", false),
        ("DBPASS", "x", true),
        ("DB_PASS_2", "x", true),
        ("ENCRYPTION_KEY_V2", "x", true),
        ("ConnectionStrings__Default", "Server=db", true),
        ("A", "Server=db;User=u;Password=x", true),
        ("JAVA_OPTS", "-Dpassword=x", true),
        ("A", "https://ghp_0123456789012345678901@github.com", true),
        ("A", "https://u@corp:pw@host", true),
        ("A", "https://host/x?token=abc", true),
        ("A", "Bearer eyJhbGciOi.eyJzdWIi.c2ln", true),
        ("A", "https://hooks.slack.com/services/T0/B0/x", true),
        ("A", "task-0123456789012345678901", false),
        ("A", "sha512-OG+QOf0fTLtazL9P9X7yqWxQ+Z0395Wk6DSkyTxtaq3w==", false),
        ("A", "https://host:8080/path", false),
        ("", "", false),
        // Options within values.
        ("NODE_OPTIONS", "--max-old-space-size=4096 --openssl-shared-pass=x", true),
        ("NODE_OPTIONS", "--max-old-space-size=4096 --enable-source-maps", false),
        ("RUN_ARGS", "serve --token x", true),
        ("RUN_ARGS", "serve --token --verbose", false),
        ("RUN_ARGS", "serve --token-file /run/token", false),
        ("RUN_ARGS", "serve --token-file=/run/token", false),
        ("RUN_ARGS", "serve --client-secret=x", true),
        ("RUN_ARGS", "serve --password x", true),
        ("RUN_ARGS", "serve --password='x'", true),
        ("RUN_ARGS", "docker build --build-arg=NPM_TOKEN=x .", true),
        ("RUN_ARGS", "serve --api-key=x", true),
        ("RUN_ARGS", "serve --api-key-file=x", false),
        ("RUN_ARGS", "serve -v --port 80 --color=auto", false),
        ("JAVA_OPTS", "-Xmx1g -Djavax.net.ssl.trustStorePassword=x", true),
        ("JAVA_OPTS", "-Djavax.net.ssl.keyStore=/x/y.jks -Xmx1g", false),
        ("JAVA_OPTS", "-Djava.security.auth.login.config=/x/jaas.conf", false),
        ("GIT_SSH_COMMAND", "ssh -o PreferredAuthentications=publickey -o PasswordAuthentication=no", false),
        // Structured values.
        ("A", "{\"password\":\"x\"}", true),
        ("A", "{\"a\": 1, \"password\" : 12}", true),
        ("A", "{\"password\":null}", false),
        ("A", "{\"secret\":{\"name\":\"x\"}}", false),
        ("A", "[{'api_key': 'x'}]", true),
        ("A", "{\\\"token\\\":\\\"x\\\"}", true),
        ("A", "{\"auths\":{\"r\":{\"auth\":\"x\"}}}", true),
        ("A", "{\"level\":\"debug\",\"port\":80}", false),
        ("A", "token: x", true),
        ("A", "a: b\n  token: x\n", true),
        ("A", "auth:\n  enabled: true\n", false),
        ("A", "password = x", true),
        ("A", "token=\nuser=x", false),
        ("A", "password:x", true),
        ("A", "Authorization: Bearer x", true),
        ("A", "X-Api-Key: x", true),
        ("A", "Bearer x", true),
        ("A", "Server=db;Uid=u;Pwd=x;", true),
        ("A", "Server=db;Uid=u;Timeout=3;", false),
        ("A", "<user>u</user><password>x</password>", true),
        ("A", "machine h login u password=x", true),
        // URLs and what resembles them.
        ("A", "https://h/x?sv=1&sig=x", true),
        ("A", "https://h/x?sig=x", true),
        ("A", "https://h/x?X-Amz-Signature=x", true),
        ("A", "https://h/x?page=2&sort=asc", false),
        ("A", "https://abcdefghij0123456789@github.com", true),
        ("A", "https://ann@github.com/o/r.git", false),
        ("A", "https://abcdefghij0123456789:@github.com", true),
        ("A", "root:x@tcp(db)/x", true),
        ("A", "app:x@db:5432/x", true),
        ("A", "--dsn=app:x@db:5432/x", true),
        ("A", "localhost:3000,app:x@db", true),
        ("A", "app:p@ss@db", true),
        ("A", "app:1234@10.0.0.1:5432", true),
        ("A", "jdbc:oracle:thin:u/x@h", true),
        ("A", "jdbc:oracle:thin:@h:1521/s", false),
        ("A", "jdbc:oracle:thin:@//h:1521/s", false),
        ("A", "jdbc:oracle:thin:u/x@tcps://h:1521/s", true),
        ("A", "jdbc:postgresql://db:5432/x", false),
        ("A", "postgres:/app:x@db/shop", true),
        ("A", "postgres://app:x/y@db/shop", true),
        ("A", "postgres://app:x?y@db/shop", true),
        ("A", "redis://:x@h:6379", true),
        ("A", "redis://a:1,redis://u:x@h", true),
        ("A", "/login?next=https://u:x@h", true),
        ("A", "u=postgres%3A%2F%2Fa%3Ax%40h", true),
        ("A", "git@github.com:org/repo", false),
        ("A", "git@github.com:org/repo.git@v1", false),
        ("A", "ssh://git@github.com:22/org/repo", false),
        ("A", "ssh://APKAEIBAERJR2EXAMPLE@git.example.org/v1/repos/x", false),
        ("A", "git+ssh://git@github.com/org/repo.git@v1", false),
        ("A", "deploy@host:/srv/x", false),
        ("A", "host:8080/a@b", false),
        ("A", "http://host:8080/a@b", false),
        ("A", "http://[::1]:8080/a@b", false),
        ("A", "https://unpkg.com/@scope/x@1.2.3", false),
        ("A", "https://fonts.example.org/css2?family=Inter:wght@400;700", false),
        ("A", "ann@example.org,bob@example.org", false),
        ("A", "mailto:ann@example.org", false),
        ("A", "serviceAccount:x@p.iam.example.org", false),
        ("A", "npm:@scope/x@1.2.3", false),
        ("A", "npm:react@18.2.0", false),
        ("A", "typescript@npm:^5.0.0, typescript@npm:5.x", false),
        ("A", "pkg:npm/x@1.2.3", false),
        ("A", "react@18.2.0", false),
        ("A", "alpine:3.18@sha256:0123456789abcdef", false),
        ("A", "registry:5000/a/b:1.2@sha256:0123456789abcdef", false),
        ("A", "docker://alpine:3.18@sha256:0123456789abcdef", false),
        ("A", "secret-manager:1.2.3", false),
        ("A", "example.org/token:1.2.3-alpine", false),
        ("A", "token:1.2.3", false),
        ("A", "token:/run/token:ro", false),
        ("A", "arn:aws:iam::123:user/a@b", false),
        ("A", "2026-01-01T10:00:00@UTC", false),
        ("A", "0 5 * * * @daily", false),
        ("A", "local/h:@/tmp/.ICE-unix/1,unix/h:/tmp/.ICE-unix/1", false),
        ("PATH", "/usr/bin:/opt/homebrew/opt/openssl@3/bin:/bin", false),
        ("PATH", "./bin:/opt/a@3/bin:~/x", false),
        ("PATH", "node_modules/.bin:/opt/a@3/bin", false),
        ("PS1", "\\[\\e]0;\\u@\\h: \\w\\a\\]${x:+($x)}\\u@\\h:\\w\\$ ", false),
        ("LS_COLORS", "rs=0:di=01;34:ln=01;36:*.tar=01;31", false),
        ("A", "* [a-z] ? ~ $(touch x) --x=`id`", false),
        // Names.
        ("JWT", "x", true),
        ("BEARER", "x", true),
        ("MASTERKEY", "x", true),
        ("ENCRYPTIONKEY", "x", true),
        ("CRED", "x", true),
        ("CREDS", "x", true),
        ("SESSION", "x", true),
        ("JSESSIONID", "x", true),
        ("SESSION_MANAGER", "x", false),
        ("XDG_SESSION_TYPE", "tty", false),
        ("XDG_SESSION_ID", "2", false),
        ("DESKTOP_SESSION", "x", false),
        ("GDMSESSION", "x", false),
        ("ORACLE_SID", "XE", false),
        ("TWILIO_ACCOUNT_SID", "x", false),
        ("JWT_EXPIRY", "x", false),
        ("api-key", "x", true),
        ("spring.datasource.password", "x", true),
        ("SACRED", "x", false),
        ("WPA_PSK", "x", true),
    ];

    #[test]
    fn rust_and_shells_agree_on_what_is_secret() {
        assert!(ROWS.len() >= 200, "{}", ROWS.len());
        let script = format!("{}_p_secret \"$1\" \"$2\"", shell_function());
        let mut wrong = Vec::new();
        for (name, value, expected) in ROWS {
            if is_secret(name, value) != *expected {
                wrong.push(format!("Rust: {name}={value}"));
            }
            for shell in [&["dash"][..], &["busybox", "ash"]] {
                let status = std::process::Command::new(shell[0])
                    .args(&shell[1..])
                    .args(["-euc", &script, "sh", name, value])
                    .stderr(std::process::Stdio::null())
                    .status()
                    .expect("packages dash and busybox-static are needed here");
                if status.code() != Some(i32::from(!*expected)) {
                    wrong.push(format!("{shell:?}: {name}={value}"));
                }
            }
        }
        assert!(wrong.is_empty(), "not {wrong:#?}");
    }

    /// Pieces that the rules know, so that random texts made of them reach every branch.
    const PIECES: &[&str] = &[
        "password",
        "token",
        "-",
        "--",
        "x",
        "u",
        "pwd",
        "sig",
        "=",
        ":",
        "@",
        "/",
        "://",
        ":/",
        " ",
        "\n",
        "\t",
        ",",
        ";",
        "\"",
        "'",
        "{",
        "}",
        "[",
        "]",
        "null",
        "true",
        "latest",
        "80",
        "sha256:",
        "npm",
        "mailto",
        "ssh",
        ".",
        "~",
        "?",
        "&",
        "#",
        "\\",
        "|",
        "<",
        "*",
        "$",
        "%2F%2f",
        "%3A",
        "%40",
        "\u{e9}",
        "abcdefghij0123456789",
        "(",
        "`",
        "AUTHORIZATION",
    ];

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(12))]
        #[test]
        fn rust_and_shells_agree_on_anything(
            values in proptest::collection::vec(
                proptest::collection::vec(proptest::sample::select(PIECES), 1..14), 200)
        ) {
            let values: Vec<String> = values.iter().map(|pieces| pieces.concat()).collect();
            let expected: String = values.iter().map(|v| if is_secret("A", v) { '1' } else { '0' }).collect();
            let script = format!(
                "{}for v in \"$@\"; do if _p_secret A \"$v\"; then printf 1; else printf 0; fi; done",
                shell_function()
            );
            for shell in [&["dash"][..], &["busybox", "ash"]] {
                let out = std::process::Command::new(shell[0])
                    .args(&shell[1..])
                    .args(["-c", &script, "sh"])
                    .args(&values)
                    .output()
                    .expect("packages dash and busybox-static are needed here");
                let found = String::from_utf8_lossy(&out.stdout).into_owned();
                let differs: Vec<_> = values
                    .iter()
                    .zip(expected.chars().zip(found.chars().chain(std::iter::repeat('?'))))
                    .filter(|(_, (a, b))| a != b)
                    .collect();
                proptest::prop_assert!(differs.is_empty(), "{shell:?}: {differs:?}");
            }
        }
    }
}
