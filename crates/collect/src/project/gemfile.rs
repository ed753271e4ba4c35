//! `Gemfile`: its `ruby` line. Reads literal arguments only: a Gemfile is a program, and it is not run. Pure.

use super::pin::{Pin, Read};

/// Reads `ruby "3.2.2"`, `ruby "~> 3.1", ">= 3.1.2"` and `ruby file: ".ruby-version"`.
pub(super) fn read(text: &str) -> Read {
    let pin = |(at, line): (usize, &str)| {
        let rest = line.trim_start().strip_prefix("ruby")?;
        let arguments = rest.strip_prefix([' ', '\t', '('])?;
        from_arguments(arguments, at + 1)
    };
    Ok(text.lines().enumerate().filter_map(pin).collect())
}

fn from_arguments(arguments: &str, line: usize) -> Option<Pin> {
    let mut versions = Vec::new();
    let mut rest = arguments;
    while let Some((before, quote, inner, after)) = next_quoted(rest) {
        let name = before.trim_matches([' ', '\t', ',', ':', '=', '>', '(']);
        match name {
            "" => versions.push(inner),
            "file" => return Some(Pin::same_as("ruby", "", inner, line)),
            // `engine:`, `patchlevel:` and their values; or code, whose outcome is not known here.
            _ if quote && versions.is_empty() => return None,
            _ => {}
        }
        rest = after;
    }
    Pin::version("ruby", "", &versions.join(", "), line)
}

/// What stands before a quoted text, whether it is code, the text within, and what follows; `None` at the end or
/// at a comment.
fn next_quoted(rest: &str) -> Option<(&str, bool, &str, &str)> {
    let at = rest.find(['"', '\'', '#'])?;
    let (before, found) = rest.split_at(at);
    let quote = found.chars().next().filter(|c| *c != '#')?;
    let (inner, after) = found.get(1..)?.split_once(quote)?;
    Some((before, !before.contains(':'), inner, after))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_pins;
    use super::*;

    #[test]
    fn ruby_lines() {
        let check = |text: &str, expected: &[&str]| check_pins(read(text), expected);
        check("source 'x'\nruby '3.2.2'\n", &["ruby = 3.2.2 @2"]);
        check("ruby(\"~> 3.1\", \">= 3.1.2\") # why", &["ruby = ~> 3.1, >= 3.1.2 @1"]);
        check("ruby '2.7.5', engine: 'jruby', engine_version: '9.3'", &["ruby = 2.7.5 @1"]);
        check("ruby file: '.ruby-version'", &["ruby -> .ruby-version @1"]);
        check("ruby :file => \".ruby-version\"", &["ruby -> .ruby-version @1"]);
        check("rubygems 'x'\n# ruby '1'\nruby ENV['V'] || x\nruby", &[]);
        check("ruby '3", &[]);
        check("ruby '3.1' # it's", &["ruby = 3.1 @1"]);
    }
}
