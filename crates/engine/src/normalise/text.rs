//! Text: equal when literally equal. Unicode is taken as it is: two spellings of `é` are two texts to
//! every program that reads them as bytes.

use super::{Outcome, different};

pub(super) fn compare(left: &str, right: &str) -> Outcome {
    if left == right { Outcome::Same } else { different() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for (left, right, same) in
            [("", "", true), ("a", "A", false), ("a", "a ", false), ("\u{e9}", "e\u{301}", false)]
        {
            assert_eq!(compare(left, right) == Outcome::Same, same, "{left:?} {right:?}");
        }
    }
}
