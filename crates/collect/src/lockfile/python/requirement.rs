//! One requirement: a name, extras, the versions that fit or a URL, and a marker.
//! <https://packaging.python.org/en/latest/specifications/dependency-specifiers/>

use parallax_model::platform::marker::Marker;

use super::normalised;

/// A requirement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Requirement<'t> {
    pub(super) name: String,
    pub(super) extras: Vec<String>,
    /// The clauses, without parentheses.
    pub(super) versions: &'t str,
    pub(super) url: Option<&'t str>,
    pub(super) marker: Option<&'t str>,
}

/// The operators of a clause, the longer ones first.
const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];

/// Reads a requirement; `None` where it is none.
pub(super) fn parse(text: &str) -> Option<Requirement<'_>> {
    let text = text.trim();
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let (name, rest) = text.split_at(text.find(|c| !is_of_name(c)).unwrap_or(text.len()));
    let (extras, rest) = extras(rest.trim_start())?;
    let name = normalised(name)?;
    if let Some(url) = rest.strip_prefix('@') {
        let url = url.trim_start();
        let (url, after) = url.split_at(url.find(char::is_whitespace).unwrap_or(url.len()));
        let marker = marker(after.trim_start().strip_prefix(';'))?;
        let clean = marker.is_some() || after.trim().is_empty();
        return (clean && !url.is_empty()).then_some(Requirement {
            name,
            extras,
            versions: "",
            url: Some(url),
            marker,
        });
    }
    let (versions, after) =
        rest.split_once(';').map_or((rest, None), |(versions, after)| (versions, Some(after)));
    let versions = versions.trim();
    let versions =
        versions.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(versions).trim();
    let marker = marker(after)?;
    clauses(versions).all(|clause| clause.is_some()).then_some(Requirement {
        name,
        extras,
        versions,
        url: None,
        marker,
    })
}

/// The marker after a semicolon, if there is one; the outer `None` where it is none.
#[expect(clippy::option_option, reason = "no marker is not the same as a wrong one")]
fn marker(after: Option<&str>) -> Option<Option<&str>> {
    let Some(marker) = after.map(str::trim) else { return Some(None) };
    Marker::parse(marker).is_ok().then_some(Some(marker))
}

fn extras(rest: &str) -> Option<(Vec<String>, &str)> {
    let Some(inner) = rest.strip_prefix('[') else { return Some((Vec::new(), rest)) };
    let (inner, rest) = inner.split_once(']')?;
    let names = inner.split(',').map(str::trim).filter(|name| !name.is_empty()).map(normalised);
    Some((names.collect::<Option<_>>()?, rest.trim_start()))
}

/// Operator and version of each clause; `None` for what is no clause.
fn clauses(versions: &str) -> impl Iterator<Item = Option<(&str, &str)>> {
    let parts = versions.split(',').map(str::trim).filter(|clause| !clause.is_empty());
    parts.map(|clause| {
        let operator = OPERATORS.iter().find(|operator| clause.starts_with(**operator))?;
        let version = clause.strip_prefix(operator)?.trim();
        let plain = !version.is_empty() && !version.contains(char::is_whitespace) && version.is_ascii();
        plain.then_some((*operator, version))
    })
}

/// The one version that clauses allow, if they name it.
pub(super) fn pin(versions: &str) -> Option<&str> {
    clauses(versions).flatten().find_map(|(operator, version)| {
        (matches!(operator, "==" | "===") && !version.ends_with('*')).then_some(version)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_the_specification() {
        let check = |text: &str, expected: (&str, &str, &str, Option<&str>, Option<&str>)| {
            let found = parse(text).unwrap_or_else(|| panic!("{text}"));
            let extras = found.extras.join(",");
            assert_eq!(
                (found.name.as_str(), extras.as_str(), found.versions, found.url, found.marker),
                expected
            );
        };
        check("A", ("a", "", "", None, None));
        check("A.B-C_D", ("a-b-c-d", "", "", None, None));
        check("aa", ("aa", "", "", None, None));
        check("name<=1", ("name", "", "<=1", None, None));
        check("name>=3,<2", ("name", "", ">=3,<2", None, None));
        check("name (==1.0)", ("name", "", "==1.0", None, None));
        check("name@http://foo.com", ("name", "", "", Some("http://foo.com"), None));
        check(
            "name [fred,bar] @ http://foo.com ; python_version=='2.7'",
            ("name", "fred,bar", "", Some("http://foo.com"), Some("python_version=='2.7'")),
        );
        check(
            "name[quux, strange];python_version<'2.7' and platform_version=='2'",
            ("name", "quux,strange", "", None, Some("python_version<'2.7' and platform_version=='2'")),
        );
        check(
            "name; os_name=='a' or os_name=='b'",
            ("name", "", "", None, Some("os_name=='a' or os_name=='b'")),
        );
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "-x",
            "x-",
            "a b",
            "a ==",
            "a == 1 2",
            "a; nonsense",
            "a[",
            "a[x",
            "a @",
            "a @ u v",
            "ä",
            "a=1",
            "a;",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn pins() {
        let check =
            |versions: &str, expected: Option<&str>| assert_eq!(pin(versions), expected, "{versions}");
        check("==1.0", Some("1.0"));
        check("=== 1.0+x", Some("1.0+x"));
        check(">=0.9,==1.0", Some("1.0"));
        check("==1.*", None);
        check("~=1.0", None);
        check("", None);
    }
}
