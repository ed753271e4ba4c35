//! What a registry asks for before it answers: the header `WWW-Authenticate`, as RFC 9110 has it.

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password with every request.
    Basic,
    /// A token, which another address gives.
    Bearer {
        /// The address.
        realm: String,
        /// For which service.
        service: Option<String>,
        /// For what.
        scope: Option<String>,
    },
}

/// The challenge that is met: a token where one is offered, else a password. `None` where neither is.
pub(super) fn read<'h>(headers: impl Iterator<Item = &'h str>) -> Option<Challenge> {
    let mut basic = None;
    for header in headers {
        for (scheme, parameters) in challenges(header) {
            let value = |name: &str| {
                parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
            };
            if scheme.eq_ignore_ascii_case("bearer")
                && let Some(realm) = value("realm")
            {
                return Some(Challenge::Bearer { realm, service: value("service"), scope: value("scope") });
            }
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Challenge::Basic);
            }
        }
    }
    basic
}

type Parameters = Vec<(String, String)>;

/// The challenges of one header, each a scheme and its parameters.
fn challenges(header: &str) -> Vec<(String, Parameters)> {
    let mut found: Vec<(String, Parameters)> = Vec::new();
    let mut rest = header;
    while let Some((word, after)) = word(rest) {
        let after = after.trim_start();
        match after.strip_prefix('=') {
            Some(value) => {
                let (value, after) = value_of(value.trim_start());
                if let Some((_, parameters)) = found.last_mut() {
                    parameters.push((word.to_owned(), value));
                }
                rest = after;
            }
            None => {
                found.push((word.to_owned(), Vec::new()));
                rest = after;
            }
        }
    }
    found
}

/// The next word and what follows it; whatever belongs to no word is passed over.
fn word(text: &str) -> Option<(&str, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let start = text.trim_start_matches(|c: char| !is_token(c));
    let end = start.find(|c: char| !is_token(c)).unwrap_or(start.len());
    let (word, rest) = start.split_at_checked(end)?;
    (!word.is_empty()).then_some((word, rest))
}

/// A value, quoted or not, and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(headers: &[&str], expected: &str) {
        let told = match read(headers.iter().copied()) {
            None => "nothing".to_owned(),
            Some(Challenge::Basic) => "basic".to_owned(),
            Some(Challenge::Bearer { realm, service, scope }) => {
                format!("{realm} {} {}", service.unwrap_or_default(), scope.unwrap_or_default())
            }
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn as_registries_write_them() {
        check(
            &[
                r#"Bearer realm="https://auth.example.org/token",service="registry.example.org",scope="repository:library/node:pull""#,
            ],
            "https://auth.example.org/token registry.example.org repository:library/node:pull",
        );
        check(&[r#"bearer realm=https://a/t, service=b"#], "https://a/t b ");
        check(&[r#"Basic realm="Registry, of \"us\"""#], "basic");
        check(
            &[r#"Basic realm="x", Bearer realm="https://a/t",scope="repository:a:pull,push""#],
            "https://a/t  repository:a:pull,push",
        );
        check(&["Basic realm=\"x\"", "Bearer realm=\"https://a/t\""], "https://a/t  ");
        check(&["Negotiate"], "nothing");
        check(&["Bearer service=\"x\""], "nothing");
        check(&[], "nothing");
        check(&["", ",,,=,\"", "Basic"], "basic");
    }

    proptest! {
        #[test]
        fn any_header(header in ".{0,200}") {
            read([header.as_str()].into_iter());
        }
    }
}
