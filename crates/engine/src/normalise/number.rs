//! Numbers: compared by their exact decimal value. Nothing is rounded, as nothing becomes a float.

use super::{Contrast, Outcome, unless_same};

/// A decimal number: `digits` times ten to the `exponent`, without zeros at either end of the digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads `-1.50e3`; `None` where the text is no decimal number, or its exponent is beyond all use.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = match rest.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let empty = whole.is_empty() || (fraction.is_empty() && mantissa.contains('.'));
        if empty || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let trimmed = digits.trim_end_matches('0');
        let dropped = i64::try_from(digits.len() - trimmed.len()).ok()?;
        let exponent = i64::from(power) - i64::try_from(fraction.len()).ok()? + dropped;
        let digits = trimmed.trim_start_matches('0').to_owned();
        Some(if digits.is_empty() {
            // Zero has one form, whatever its sign.
            Self { negative: false, digits, exponent: 0 }
        } else {
            Self { negative, digits, exponent }
        })
    }

    /// The number in its shortest plain form; with an exponent where that would be a row of zeros.
    #[must_use]
    pub fn in_words(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        if self.digits.is_empty() {
            return "0".to_owned();
        }
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        let point = length.saturating_add(self.exponent);
        if self.exponent >= 0 && point <= 24 {
            let zeros = usize::try_from(self.exponent).unwrap_or(0);
            return format!("{sign}{}{}", self.digits, "0".repeat(zeros));
        }
        if self.exponent < 0 && point > 0 {
            let (whole, fraction) = self
                .digits
                .split_at_checked(usize::try_from(point).unwrap_or(0))
                .unwrap_or((&self.digits, ""));
            return format!("{sign}{whole}.{fraction}");
        }
        if self.exponent < 0 && point > -8 {
            let zeros = usize::try_from(-point).unwrap_or(0);
            return format!("{sign}0.{}{}", "0".repeat(zeros), self.digits);
        }
        format!("{sign}{}e{}", self.digits, self.exponent)
    }
}

pub(super) fn compare(left: &str, right: &str) -> Outcome {
    let (l, r) = match (Decimal::parse(left), Decimal::parse(right)) {
        (Some(l), Some(r)) => (l, r),
        (None, _) => return not_a_number(left, right),
        (Some(_), None) => return not_a_number(right, left),
    };
    if l == r {
        return Outcome::Same;
    }
    Outcome::Different(Contrast {
        left: unless_same(left, l.in_words()),
        right: unless_same(right, r.in_words()),
        ..Contrast::default()
    })
}

/// The lesser of two bad texts is named, so that swapping sides says the same.
fn not_a_number(bad: &str, other: &str) -> Outcome {
    let named = if Decimal::parse(other).is_none() { bad.min(other) } else { bad };
    Outcome::NotComparable(format!("`{named}` is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(left: &str, right: &str, expected: &str) {
        let got = match compare(left, right) {
            Outcome::Same => "same".to_owned(),
            Outcome::Different(c) => {
                format!("{} / {}", c.left.as_deref().unwrap_or(left), c.right.as_deref().unwrap_or(right))
            }
            Outcome::NotComparable(why) => why,
        };
        assert_eq!(got, expected, "{left:?} {right:?}");
    }

    #[test]
    fn table() {
        check("1", "1.0", "same");
        check("1e3", "1000", "same");
        check("1.10", "1.1", "same");
        check("-0", "0", "same");
        check("0e999", "0", "same");
        check("100000000000000000000000001", "100000000000000000000000001.0", "same");
        check("0.1E+1", "1", "same");
        check(
            "123456789012345678901",
            "123456789012345678902",
            "123456789012345678901 / 123456789012345678902",
        );
        check("0.1", "0.10000000000000000000001", "0.1 / 0.10000000000000000000001");
        check("1e3", "1001.50", "1000 / 1001.5");
        check("-1", "1", "-1 / 1");
        check("1e400", "1e401", "1e400 / 1e401");
        check("1e-3", "0.002", "0.001 / 0.002");
        check("1e99999999999999999999", "1", "`1e99999999999999999999` is not a number");
        for bad in ["", "x", "1.", ".5", "1e", "0x10", "NaN", "inf", "1 ", "--1", "1.2.3", "\u{661}"] {
            check(bad, "1", &format!("`{bad}` is not a number"));
            check("1", bad, &format!("`{bad}` is not a number"));
        }
    }
}
