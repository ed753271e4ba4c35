//! Folds the packages of the operating system under their list: two hosts differ in hundreds, and that is one line.

use parallax_model::{Key, Snapshot};

use super::describe::Places;
use super::lockfile::words;
use super::{Change, Difference, DivergenceId};

/// How many packages the message names, and how many the details do.
const NAMED: usize = 3;
const DETAILED: usize = 20;

pub(super) fn fold(differences: &mut [Difference], left: &Snapshot, right: &Snapshot) {
    let lists = differences.iter().filter(|d| &*d.kind == "packages");
    let lists: Vec<(Key, DivergenceId)> = lists.map(|d| (d.key.clone(), d.id.clone())).collect();
    let places = Places::of(left, right);
    for (list, id) in lists {
        let moved = take_parts(differences, &list, &id, &places);
        let count = |side: &Snapshot| side.under(list.as_str()).filter(|r| &*r.kind == "package").count();
        let total = count(left).max(count(right));
        if let Some(whole) = differences.iter_mut().find(|d| d.id == id) {
            tell(whole, list.after(1), &moved, total, &places);
        }
    }
}

/// What happened to the packages, each told once.
#[derive(Default)]
struct Moved {
    changed: Vec<String>,
    only_left: Vec<String>,
    only_right: Vec<String>,
}

impl Moved {
    fn count(&self) -> usize {
        self.changed.len() + self.only_left.len() + self.only_right.len()
    }
}

/// Marks the packages as parts; gives what happened to each: of its version before all else.
fn take_parts(differences: &mut [Difference], list: &Key, id: &DivergenceId, places: &Places) -> Moved {
    let prefix = format!("{list}/");
    let mut moved = Moved::default();
    let mut last: Option<Key> = None;
    let is_part = |d: &&mut Difference| &*d.kind == "package" && d.key.as_str().starts_with(&prefix);
    for part in differences.iter_mut().filter(is_part) {
        part.part_of = Some(id.clone());
        let attribute = part.attribute.as_ref().map_or("", |a| a.as_str());
        let words = words(part, attribute, places);
        let list = match (part.change, &part.attribute) {
            (Change::OnlyLeft, None) => &mut moved.only_left,
            (Change::OnlyRight, None) => &mut moved.only_right,
            (Change::Changed | Change::OnlyLeft | Change::OnlyRight, _) => &mut moved.changed,
        };
        match list.last_mut().filter(|_| last.as_ref() == Some(&part.key)) {
            Some(told) if attribute == "version" => *told = words,
            Some(_) => {}
            None => list.push(words),
        }
        last = Some(part.key.clone());
    }
    moved
}

fn tell(whole: &mut Difference, manager: &str, moved: &Moved, total: usize, places: &Places) {
    let Moved { changed, only_left, only_right } = moved;
    let only = |count: usize, place: &str| (count > 0).then(|| format!("{count} only {place}"));
    let more = if changed.len() > NAMED { ", ..." } else { "" };
    let versions = (!changed.is_empty()).then(|| {
        let named = changed.get(..NAMED).unwrap_or(changed).join(", ");
        format!("{} in version ({named}{more})", changed.len())
    });
    let parts = [versions, only(only_left.len(), &places.left), only(only_right.len(), &places.right)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    whole.message = match (whole.change, moved.count()) {
        (Change::Changed, 0) => format!("os packages ({manager}) differ"),
        (Change::Changed, count) => {
            format!("os packages ({manager}) differ in {count} of {total}: {}", parts.join(", "))
        }
        (Change::OnlyLeft, _) => format!("os packages ({manager}) are only {}: {total} of them", places.left),
        (Change::OnlyRight, _) => {
            format!("os packages ({manager}) are only {}: {total} of them", places.right)
        }
    };
    let all = changed.iter().chain(only_left).chain(only_right);
    whole.details = all.take(DETAILED).cloned().collect();
    if let Some(more) = moved.count().checked_sub(DETAILED).filter(|more| *more > 0) {
        whole.details.push(format!("and {more} more"));
    }
}

#[cfg(test)]
mod tests {
    use parallax_model::{Resource, SnapshotHeader};

    use super::*;

    fn side(environment: &str, packages: &[(&str, &str)]) -> Snapshot {
        let header = SnapshotHeader {
            environment: environment.into(),
            captured_at: "2026-11-21T03:00:00Z".parse().unwrap(),
            tool: "test".into(),
            key_id: None,
            sources: Vec::new(),
            gaps: Vec::new(),
        };
        let all: Vec<String> = packages.iter().map(|(n, v)| format!("{n} {v}")).collect();
        let list = Resource::new(Key::of(["package", "dpkg"]), "packages").with("sha256", all.join("\n"));
        let one = |(name, version): &(&str, &str)| {
            Resource::new(Key::of(["package", "dpkg", name]), "package").with("version", *version)
        };
        Snapshot::new(header, packages.iter().map(one).chain([list]).collect())
    }

    #[test]
    fn hundreds_of_packages_are_one_line() {
        let left = side(
            "local",
            &[("bash", "5.2"), ("openssl", "3.0.11-1"), ("tzdata", "1"), ("vim", "9"), ("x", "1")],
        );
        let right = side(
            "staging",
            &[("bash", "5.2"), ("openssl", "3.0.14-1"), ("tzdata", "2"), ("zsh", "5"), ("x", "1+deb12u2")],
        );
        let found = super::super::compare(&left, &right);
        let whole: Vec<&Difference> = found.differences.iter().filter(|d| d.part_of.is_none()).collect();
        assert_eq!(whole.len(), 1);
        assert_eq!(
            whole[0].message,
            "os packages (dpkg) differ in 5 of 5: 3 in version (openssl 3.0.11-1 → 3.0.14-1, tzdata 1 → 2, x 1 → 1+deb12u2), \
             1 only here, 1 only in staging"
        );
        assert_eq!(whole[0].details[3..], ["vim only here", "zsh only in staging"]);
        assert_eq!(found.differences.len(), 6);
        assert_eq!(super::super::compare(&left, &left).differences.len(), 0);
    }
}
