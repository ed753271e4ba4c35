//! Credentials of URLs within a text. Knows nothing of tokens by their shape: that is `redact`.

use std::borrow::Cow;

/// Takes out of a text what may be a credential in a URL: user and password, query and fragment.
pub(crate) fn without_credentials(text: &str) -> Cow<'_, str> {
    if !text.contains("//") {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("//") {
        out.push_str(before);
        out.push_str("//");
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).unwrap_or(after.len());
        let (url, left) = after.split_at(end);
        let named = url.split(['?', '#']).next().unwrap_or_default();
        match (after_user(named), after_user(url)) {
            (Some(host), _) => out.extend(["REDACTED@", host]),
            // A password with `?` or `#` in it: nothing here can be told apart.
            (None, Some(_)) => out.push_str("REDACTED"),
            (None, None) => out.push_str(named),
        }
        rest = left;
    }
    out.push_str(rest);
    out.into()
}

/// What follows the user and password; an `@` after `/` begins a scope (`/@types/node`) instead.
fn after_user(url: &str) -> Option<&str> {
    let mut found = None;
    let mut before = None;
    for (at, c) in url.char_indices() {
        if c == '@' && before != Some('/') {
            found = url.get(at + 1..);
        }
        before = Some(c);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_urls_are_taken_out() {
        let check = |text: &str, expected: &str| assert_eq!(without_credentials(text), expected);
        check("https://u:p@h/x.tgz?token=abc#f", "https://REDACTED@h/x.tgz");
        check("https://h/x.tgz?token=abc", "https://h/x.tgz");
        check("a git+ssh://git@h/r.git#sha b", "a git+ssh://REDACTED@h/r.git b");
        check("https://u:p/w@h/x", "https://REDACTED@h/x");
        check("https://u:p@h/x?a=@tok", "https://REDACTED@h/x");
        check("https://u:p?a@h/x", "https://REDACTED");
        check("https://h/@types/node.tgz", "https://h/@types/node.tgz");
        check("1.2.3", "1.2.3");
        check("//", "//");
    }
}
