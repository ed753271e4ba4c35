//! `go.mod`: its `go` and `toolchain` directives, both of which are minima to Go. Pure.

use super::pin::{Pin, Read};

/// Reads the two directives. A minimum is written as one, `>=1.21`.
pub(super) fn read(text: &str) -> Read {
    let mut pins = Vec::new();
    let mut block = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let mut words = line.split_whitespace();
        match (block, words.next(), words.next(), words.next()) {
            (true, Some(")"), _, _) => block = false,
            (false, Some(_), Some("("), None) => block = true,
            (false, Some(field @ ("go" | "toolchain")), Some(version), None) if version != "default" => {
                let version = version.strip_prefix("go").unwrap_or(version);
                pins.extend(Pin::version("go", field, &format!(">={version}"), at + 1));
            }
            _ => {}
        }
    }
    Ok(pins)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_pins;
    use super::*;

    #[test]
    fn directives() {
        check_pins(
            read("module x // go 1.2\n\ngo 1.21 // min\ntoolchain go1.21.5\nrequire (\n\tgo 1.0\n)\n"),
            &["go[go] = >=1.21 @3", "go[toolchain] = >=1.21.5 @4"],
        );
        check_pins(read("toolchain default\ngo\ngo 1 2\nrequire ("), &[]);
        check_pins(read(""), &[]);
    }
}
