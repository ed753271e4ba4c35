//! Align: which resource of one environment stands for which of the other. Pairs by key, and the
//! attributes of a pair by path. Does not look at values.
//!
//! Everything later works on [`Pair`]s and never assumes that both halves have one key, so that
//! names which stand for each other can be paired here and nowhere else.

use std::cmp::Ordering;

use parallax_model::{Attribute, Resource, Snapshot};

/// What stands at one place of either side, or of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair<'a, T> {
    /// Both sides have it.
    Both(&'a T, &'a T),
    /// Only the left has it.
    Left(&'a T),
    /// Only the right has it.
    Right(&'a T),
}

/// Pairs the resources of two snapshots, in the order of their keys.
pub fn resources<'a>(left: &'a Snapshot, right: &'a Snapshot) -> impl Iterator<Item = Pair<'a, Resource>> {
    Merge {
        left: left.resources(),
        right: right.resources(),
        order: |a: &Resource, b: &Resource| a.key.cmp(&b.key),
    }
}

/// Pairs the attributes of two resources, in the order of their paths.
pub fn attributes<'a>(left: &'a Resource, right: &'a Resource) -> impl Iterator<Item = Pair<'a, Attribute>> {
    Merge {
        left: left.attributes.as_slice(),
        right: right.attributes.as_slice(),
        order: |a: &Attribute, b: &Attribute| a.path.cmp(&b.path),
    }
}

/// Walks two sorted slices at once.
struct Merge<'a, T, F> {
    left: &'a [T],
    right: &'a [T],
    order: F,
}

impl<'a, T, F: Fn(&T, &T) -> Ordering> Iterator for Merge<'a, T, F> {
    type Item = Pair<'a, T>;

    fn next(&mut self) -> Option<Self::Item> {
        let (order, pair) = match (self.left.first(), self.right.first()) {
            (None, None) => return None,
            (Some(l), None) => (Ordering::Less, Pair::Left(l)),
            (None, Some(r)) => (Ordering::Greater, Pair::Right(r)),
            (Some(l), Some(r)) => match (self.order)(l, r) {
                Ordering::Less => (Ordering::Less, Pair::Left(l)),
                Ordering::Equal => (Ordering::Equal, Pair::Both(l, r)),
                Ordering::Greater => (Ordering::Greater, Pair::Right(r)),
            },
        };
        if order.is_le() {
            self.left = self.left.get(1..).unwrap_or_default();
        }
        if order.is_ge() {
            self.right = self.right.get(1..).unwrap_or_default();
        }
        Some(pair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(left: &[u8], right: &[u8], expected: &str) {
        let got: Vec<String> = Merge { left, right, order: u8::cmp }
            .map(|pair| match pair {
                Pair::Both(l, r) => format!("{l}={r}"),
                Pair::Left(l) => format!("{l}<"),
                Pair::Right(r) => format!(">{r}"),
            })
            .collect();
        assert_eq!(got.join(" "), expected);
    }

    #[test]
    fn table() {
        check(&[], &[], "");
        check(&[1, 2], &[], "1< 2<");
        check(&[], &[1], ">1");
        check(&[1, 3, 4], &[2, 3, 5], "1< >2 3=3 4< >5");
        check(&[1, 2], &[1, 2], "1=1 2=2");
    }
}
