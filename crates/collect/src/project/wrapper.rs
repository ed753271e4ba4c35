//! The wrappers of Gradle and Maven: `gradle-wrapper.properties` and `maven-wrapper.properties`, whose
//! distribution has the version in its file name. Pure.

use super::pin::{Pin, Read};

/// Reads `distributionUrl`: `...apache-maven-3.9.5-bin.zip`, `...gradle-8.5-bin.zip`.
pub(super) fn read(text: &str) -> Read {
    let pin = |(at, line): (usize, &str)| {
        let (name, url) = line.split_once(['=', ':'])?;
        if name.trim() != "distributionUrl" {
            return None;
        }
        let file = url.split(['?', '#']).next()?.rsplit('/').next()?;
        let (tool, rest) = match (file.strip_prefix("gradle-"), file.strip_prefix("apache-maven-")) {
            (Some(rest), _) => ("gradle", rest),
            (None, Some(rest)) => ("maven", rest),
            (None, None) => return None,
        };
        let version = ["-bin.zip", "-all.zip", "-bin.tar.gz"]
            .iter()
            .find_map(|end| rest.trim_end().strip_suffix(end))?;
        Pin::version(tool, "", version, at + 1)
    };
    Ok(text.lines().enumerate().filter_map(pin).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_pins;
    use super::*;

    #[test]
    fn distributions() {
        let check = |text: &str, expected: &[&str]| check_pins(read(text), expected);
        check("a=b\ndistributionUrl=https\\://h/distributions/gradle-8.5-bin.zip\r\n", &["gradle = 8.5 @2"]);
        check("distributionUrl = https://u:p@h/apache-maven-3.9.5-bin.zip?t=x", &["maven = 3.9.5 @1"]);
        for nothing in [
            "",
            "distributionUrl",
            "distributionUrl=",
            "distributionUrl=https://h/other.zip",
            "#distributionUrl=x/gradle-1-bin.zip",
        ] {
            check(nothing, &[]);
        }
    }
}
