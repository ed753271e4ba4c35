//! `.gitlab-ci.yml`: the images that its jobs run in. Variables take their value from the file; `services` are not
//! what the project is built with, and `include`d files are not followed. Pure.

use super::image;
use super::pin::{Pin, Read};
use super::yaml::{Node, parse};

/// Reads the image of the file, of `default`, and of each job.
pub(super) fn read(text: &str) -> Read {
    let root = parse(text)?;
    let mut pins = from_image(root.get("image"), "image", &[&root]);
    for (name, job) in root.fields() {
        pins.extend(from_image(job.get("image"), &format!("{name}.image"), &[job, &root]));
    }
    Ok(pins)
}

fn from_image(image: Option<&Node>, field: &str, scopes: &[&Node]) -> Vec<Pin> {
    let image = image.and_then(|image| image.get("name").or(Some(image)));
    let Some((image, text)) = image.and_then(|image| Some((image, image.text()?))) else { return Vec::new() };
    let pin = |(tool, version): (&str, String)| Pin::version(tool, field, &version, image.line);
    image::versions(&expand(text, scopes)).into_iter().filter_map(pin).collect()
}

/// Replaces `$NAME` and `${NAME}` once, where the file gives the variable a value.
pub(crate) fn expand(text: &str, scopes: &[&Node]) -> String {
    let mut out = String::new();
    let mut rest = text;
    // A long value that is named often must not fill the memory.
    while let Some((before, after)) = rest.split_once('$').filter(|_| out.len() < 4096) {
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, left) = braced.unwrap_or_else(|| {
            let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
            after.split_at(end)
        });
        match scopes.iter().find_map(|scope| variable(scope, name)) {
            Some(value) => out.push_str(value),
            None => out.extend(["${", name, "}"]),
        }
        rest = left;
    }
    out.push_str(rest);
    out
}

fn variable<'n>(scope: &'n Node, name: &str) -> Option<&'n str> {
    let node = scope.get("variables")?.get(name)?;
    node.text().or_else(|| node.get("value")?.text())
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_pins;
    use super::*;

    #[test]
    fn images() {
        check_pins(
            read(
                "variables: {V: '20', W: {value: '3.12'}}\nimage: node:$V-alpine\ndefault:\n  image: {name: 'python:${W}'}\ntest:\n  image: golang:1.22\n  services: [postgres:16]\nother:\n  image: ruby:$UNKNOWN\n",
            ),
            &[
                "node[image] = 20 @2",
                "python[default.image] = 3.12 @4",
                "go[test.image] = 1.22 @6",
                "ruby[other.image] = ${UNKNOWN} @9",
            ],
        );
        for text in ["", "image: [node]", "image:", "a: {image: {}}", "- image: node"] {
            check_pins(read(text), &[]);
        }
        assert!(read("a: [").is_err());
    }
}
