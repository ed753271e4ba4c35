//! Search paths: `:`-separated folders, where the first that has a name wins. So order matters, while a
//! folder's second mention and slashes at its end do not.
//!
//! An empty element means the current folder and is kept as `.`; a path that is empty as a whole names
//! no folder. Does not ask whether folders exist, and knows no other separator.

use super::{Contrast, Outcome, unless_same};

pub(super) fn compare(left: &str, right: &str) -> Outcome {
    let (l, r) = (folders(left), folders(right));
    let longest = l.len().max(r.len());
    let Some(at) = (0..longest).find(|at| l.get(*at) != r.get(*at)) else { return Outcome::Same };
    let name = |side: &[&str]| side.get(at).map_or_else(|| "nothing".to_owned(), |f| (*f).to_owned());
    let place = format!("position {}: {}, {}", at + 1, name(&l), name(&r));
    let mut details = vec![place.clone()];
    details.extend(only("left", &l, &r));
    details.extend(only("right", &r, &l));
    if details.len() == 1 {
        details.push("the same folders in another order".to_owned());
    }
    Outcome::Different(Contrast {
        left: unless_same(left, l.join(":")),
        right: unless_same(right, r.join(":")),
        place: Some(place),
        details,
    })
}

fn folders(text: &str) -> Vec<&str> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut seen = std::collections::HashSet::new();
    text.split(':').map(folder).filter(|folder| seen.insert(*folder)).collect()
}

fn folder(text: &str) -> &str {
    match (text.is_empty(), text.trim_end_matches('/')) {
        (true, _) => ".",
        (false, "") => "/",
        (false, trimmed) => trimmed,
    }
}

fn only(side: &str, these: &[&str], those: &[&str]) -> Option<String> {
    let those: std::collections::HashSet<&str> = those.iter().copied().collect();
    let only: Vec<&str> = these.iter().copied().filter(|f| !those.contains(f)).collect();
    (!only.is_empty()).then(|| format!("only {side}: {}", only.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(left: &str, right: &str, expected: &str) {
        let got = match compare(left, right) {
            Outcome::Same => "same".to_owned(),
            Outcome::Different(contrast) => contrast.place.unwrap(),
            Outcome::NotComparable(why) => why,
        };
        assert_eq!(got, expected, "{left:?} {right:?}");
    }

    #[test]
    fn table() {
        check("/a:/b", "/a:/b", "same");
        check("/a/:/b//", "/a:/b", "same");
        check("/a:/b:/a", "/a:/b", "same");
        check("/a:/a/:/b", "/a:/b", "same");
        check("//", "/", "same");
        check("", "", "same");
        check(":/a", ".:/a", "same");
        check("/a:", "/a:.", "same");
        check("/a::/b", "/a:/b", "position 2: ., /b");
        check("", ":", "position 1: nothing, .");
        check("/a:/b", "/b:/a", "position 1: /a, /b");
        check("/a:/b:/c", "/a:/x:/c", "position 2: /b, /x");
        check("/a", "/a:/b", "position 2: nothing, /b");
        check("/a:/b", "/a", "position 2: /b, nothing");
        check("/usr/local/lib/node", "/opt/staging/lib", "position 1: /usr/local/lib/node, /opt/staging/lib");
        check("/A", "/a", "position 1: /A, /a");
    }

    #[test]
    fn says_what_else_differs() {
        let Outcome::Different(contrast) = compare("/a/:/b:/c", "/b:/d") else { panic!("should differ") };
        assert_eq!(contrast.details, ["position 1: /a, /b", "only left: /a, /c", "only right: /d"]);
        assert_eq!((contrast.left.as_deref(), contrast.right), (Some("/a:/b:/c"), None));
        let Outcome::Different(contrast) = compare("/a:/b", "/b:/a") else { panic!("should differ") };
        assert_eq!(contrast.details, ["position 1: /a, /b", "the same folders in another order"]);
    }
}
