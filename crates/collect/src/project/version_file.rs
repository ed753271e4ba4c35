//! Files that hold versions and little else: `.nvmrc` and its kin, `.tool-versions`, `.sdkmanrc`. Pure.

use super::pin::{Pin, Read, tool_name};

/// One tool's own file (`.nvmrc`, `.python-version`): its lines but for comments; several versions stand on
/// several lines, or are separated by spaces.
pub(super) fn single(tool: &str, text: &str) -> Read {
    let mut first = None;
    let mut texts = Vec::new();
    for (line, content) in lines(text) {
        first.get_or_insert(line);
        // `18.1.0 # comment` and lists; a range (`>= 18`) is one text.
        if content.contains(['<', '>', '=', '^', '~', '|']) {
            texts.push(content);
        } else {
            texts.extend(content.split_whitespace());
        }
        if tool != "python" {
            break;
        }
    }
    Ok(Pin::versions(tool, "", texts, first.unwrap_or(1)).into_iter().collect())
}

/// `.tool-versions` of asdf and mise: a tool and its versions on each line.
pub(super) fn tool_versions(text: &str) -> Read {
    let pin = |(line, content): (usize, &str)| {
        let mut words = content.split_whitespace();
        let tool = words.next()?;
        Pin::versions(tool, "", words, line)
    };
    Ok(lines(text).filter_map(pin).collect())
}

/// `.sdkmanrc`: `java=17.0.9-tem` on each line.
pub(super) fn sdkmanrc(text: &str) -> Read {
    let pin = |(line, content): (usize, &str)| {
        let (tool, version) = content.split_once('=')?;
        Pin::version(&tool_name(tool), "", version, line)
    };
    Ok(lines(text).filter_map(pin).collect())
}

/// `runtime.txt` of platforms as a service: `python-3.11.4`.
pub(super) fn runtime_txt(text: &str) -> Read {
    let pin = |(line, content): (usize, &str)| {
        let (tool, version) = content.rsplit_once('-')?;
        let known = matches!(tool, "python" | "ruby" | "node" | "php" | "java");
        if known { Pin::version(tool, "", version, line) } else { None }
    };
    Ok(lines(text).take(1).filter_map(pin).collect())
}

/// The lines that say something, without comments, numbered from 1.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(at, line)| {
        let content = match line.find('#') {
            Some(hash) => line.get(..hash).unwrap_or_default(),
            None => line,
        };
        let content = content.trim();
        (!content.is_empty()).then_some((at + 1, content))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_pins;
    use super::*;

    #[test]
    fn one_tool_files() {
        let check = |tool, text: &str, expected: &[&str]| check_pins(single(tool, text), expected);
        check("node", "v18.19.0\n", &["node = 18.19.0 @1"]);
        check("node", "# why\n\nlts/hydrogen # LTS\r\n20", &["node = lts/hydrogen @3"]);
        check("python", "3.11.4\n2.7.18\n3.11.4\n", &["python = 3.11.4 || 2.7.18 @1"]);
        check("ruby", "ruby-3.2.2", &["ruby = 3.2.2 @1"]);
        check("terraform", "latest:^1.5", &["terraform = latest:^1.5 @1"]);
        check("node", ">= 18", &["node = >= 18 @1"]);
        for nothing in ["", "\n\n", "# only\n", "\0"] {
            assert!(single("node", nothing).unwrap().len() <= 1, "{nothing:?}");
        }
    }

    #[test]
    fn files_of_several_tools() {
        check_pins(
            tool_versions("nodejs 18.19.0\n# x\njava temurin-17.0.9+9\npython 3.11.4 2.7.18 # both\nrust\n"),
            &["node = 18.19.0 @1", "java = 17.0.9+9 @3", "python = 3.11.4 || 2.7.18 @4"],
        );
        check_pins(
            sdkmanrc("# on\njava=17.0.9-tem\nmaven=3.9.5\nx\n="),
            &["java = 17.0.9 @2", "maven = 3.9.5 @3"],
        );
        check_pins(runtime_txt("python-3.11.4\n"), &["python = 3.11.4 @1"]);
        check_pins(runtime_txt("heroku-22\n"), &[]);
    }
}
