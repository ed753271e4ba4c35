//! `.terraform.lock.hcl` of Terraform and `OpenTofu`. <https://developer.hashicorp.com/terraform/language/files/dependency-lock>
//!
//! A small reader for what the tools write, which is a sliver of HCL: blocks of one label whose fields are texts and lists of
//! texts. Anything else in it is refused, not guessed. Modules are not in the file.

use super::{Files, Locked, Malformed, Origin, Package};
use crate::project::pin::Lines;

/// The registries that the two tools take by default.
const DEFAULT: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let text = files.text()?;
    let mut words = Words { text, at: 0, lines: Lines::of(text) };
    let mut locked = Locked::default();
    while let Some(word) = words.next()? {
        let start = words.malformed("a provider without a version");
        let (Word::Name(kind), Some(Word::Text(label)), Some(Word::Sign('{'))) =
            (word, words.next()?, words.next()?)
        else {
            return Err(words.malformed("not a block"));
        };
        let block = block(&mut words)?;
        match (kind, block.version) {
            ("provider", Some(version)) => locked.packages.push(provider(&label, version, block.hashes)),
            ("provider", None) => locked.unclear.push(start),
            _ => {}
        }
    }
    Ok(locked)
}

fn provider(label: &str, version: String, mut hashes: Vec<String>) -> Package {
    hashes.sort();
    hashes.dedup();
    let host = label.split('/').next().unwrap_or_default();
    let other = !DEFAULT.contains(&host);
    Package {
        name: label.to_owned(),
        version,
        integrity: hashes,
        origin: other.then(|| Origin::registry(host)),
        ..Package::default()
    }
}

#[derive(Default)]
struct Block {
    version: Option<String>,
    hashes: Vec<String>,
}

fn block(words: &mut Words<'_>) -> Result<Block, Malformed> {
    let mut block = Block::default();
    loop {
        let name = match words.next()? {
            Some(Word::Name(name)) => name,
            Some(Word::Sign('}')) => return Ok(block),
            Some(_) => return Err(words.malformed("not a field")),
            None => return Err(words.malformed("ends too early")),
        };
        if !matches!(words.next()?, Some(Word::Sign('='))) {
            return Err(words.malformed("not a field"));
        }
        match (name, words.next()?) {
            ("version", Some(Word::Text(version))) => block.version = Some(version),
            (_, Some(Word::Text(_) | Word::Name(_))) => {}
            (name, Some(Word::Sign('['))) => {
                let list = list(words)?;
                if name == "hashes" {
                    block.hashes = list;
                }
            }
            (_, Some(_)) => return Err(words.malformed("neither a text nor a list")),
            (_, None) => return Err(words.malformed("ends too early")),
        }
    }
}

fn list(words: &mut Words<'_>) -> Result<Vec<String>, Malformed> {
    let mut items = Vec::new();
    loop {
        match words.next()? {
            Some(Word::Text(text)) => items.push(text),
            Some(Word::Sign(',')) => {}
            Some(Word::Sign(']')) => return Ok(items),
            Some(_) => return Err(words.malformed("neither a text nor the end of a list")),
            None => return Err(words.malformed("ends too early")),
        }
    }
}

enum Word<'t> {
    Name(&'t str),
    Text(String),
    Sign(char),
}

struct Words<'t> {
    text: &'t str,
    at: usize,
    lines: Lines,
}

impl<'t> Words<'t> {
    fn next(&mut self) -> Result<Option<Word<'t>>, Malformed> {
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let after = rest.trim_start();
            self.at += rest.len() - after.len();
            if after.starts_with('#') || after.starts_with("//") {
                self.at += memchr::memchr(b'\n', after.as_bytes()).unwrap_or(after.len());
                continue;
            }
            let Some(first) = after.chars().next() else { return Ok(None) };
            if first == '"' {
                return self.quoted(after).map(|text| Some(Word::Text(text)));
            }
            let end = after
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
                .unwrap_or(after.len());
            if let Some(name) = after.get(..end).filter(|name| !name.is_empty()) {
                self.at += end;
                return Ok(Some(Word::Name(name)));
            }
            self.at += first.len_utf8();
            return Ok(Some(Word::Sign(first)));
        }
    }

    fn quoted(&mut self, after: &str) -> Result<String, Malformed> {
        let mut out = String::new();
        let mut signs = after.char_indices().skip(1);
        while let Some((at, sign)) = signs.next() {
            match sign {
                '"' => {
                    self.at += at + 1;
                    return Ok(out);
                }
                '\\' => out.extend(signs.next().map(|(_, escaped)| escaped)),
                '\n' => break,
                sign => out.push(sign),
            }
        }
        Err(self.malformed("a text that does not end"))
    }

    fn malformed(&self, what: &'static str) -> Malformed {
        self.lines.malformed(self.at, what)
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::read;

    #[test]
    fn providers() {
        shown::check(
            shown::read(
                read,
                "# This file is maintained automatically by \"terraform init\".\n\nprovider \"registry.terraform.io/hashicorp/aws\" {\n  version     = \"4.9.0\"\n  constraints = \"~> 4.0\"\n  hashes = [\n    \"zh:084b\",\n    \"h1:zH0y\", // one\n  ]\n}\n\nprovider \"tf.example.org/acme/db\" {\n  version = \"1.0.0\"\n}\nprovider \"a/b/c\" {\n}\n",
            ),
            &[
                "registry.terraform.io/hashicorp/aws 4.9.0 [h1:zH0y zh:084b]",
                "tf.example.org/acme/db 1.0.0 registry(tf.example.org)",
                "! 15:9: a provider without a version",
            ],
        );
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        let check = |text: &str, expected: &str| shown::check(shown::read(read, text), &[expected]);
        check("provider \"a\" {\n version = \"1", "!! 2:12: a text that does not end");
        check("provider \"a\" {\n version = \"1\"", "!! 2:15: ends too early");
        check("provider \"a\" {\n hashes = [1, 2]\n}", "!! 2:13: neither a text nor the end of a list");
        check("provider \"a\" {\n x = {}\n}", "!! 2:7: neither a text nor a list");
        check("provider {}", "!! 1:12: not a block");
        shown::check(shown::read(read, ""), &[]);
    }
}
