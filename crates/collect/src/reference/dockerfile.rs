//! Dockerfiles: the images of `FROM`, `COPY --from=` and `RUN --mount=from=`. Arguments take their defaults; names of
//! stages and `scratch` are no images. Pure.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use parse_dockerfile::{Flag, Instruction, UnescapedString};

use super::{Found, Kind};
use crate::lockfile::Malformed;
use crate::project::dockerfile::{declare, expand};

/// What is known while instructions are read in order.
struct Stages<'t> {
    whole: &'t str,
    arguments: BTreeMap<String, String>,
    /// Where the default of an argument stands.
    defaults: BTreeMap<String, Range<usize>>,
    names: HashSet<String>,
    count: usize,
    found: Vec<Found>,
}

pub(super) fn read(text: &str) -> Result<Vec<Found>, Malformed> {
    let parsed = parse_dockerfile::parse(text).map_err(|error| Malformed {
        line: error.line().max(1),
        column: error.column().max(1),
        what: "not a Dockerfile",
    })?;
    let mut stages = Stages {
        whole: text,
        arguments: BTreeMap::new(),
        defaults: BTreeMap::new(),
        names: HashSet::new(),
        count: 0,
        found: Vec::new(),
    };
    for instruction in &parsed.instructions {
        #[expect(clippy::wildcard_enum_match_arm, reason = "another's enum, which may grow")]
        match instruction {
            // After the first FROM they belong to a stage, and no FROM sees them.
            Instruction::Arg(arg) if stages.count == 0 => stages.declare(&arg.arguments),
            Instruction::From(from) => {
                stages.image(&from.image);
                stages.count += 1;
                stages.names.extend(from.as_.as_ref().map(|(_, name)| name.value.to_ascii_lowercase()));
            }
            Instruction::Copy(copy) => stages.options(&copy.options),
            Instruction::Run(run) => stages.options(&run.options),
            _ => {}
        }
    }
    Ok(stages.found)
}

impl Stages<'_> {
    fn declare(&mut self, arguments: &UnescapedString<'_>) {
        declare(&arguments.value, &mut self.arguments);
        if self.whole.get(arguments.span.clone()) != Some(arguments.value.as_ref()) {
            return;
        }
        let mut at = arguments.span.start;
        for word in arguments.value.split_inclusive(char::is_whitespace) {
            if let Some((name, value)) = word.trim_end().split_once('=') {
                let bare = value.trim_matches(['"', '\'']);
                let start = at + name.len() + 1 + (value.len() - value.trim_start_matches(['"', '\'']).len());
                self.defaults.insert(name.to_owned(), start..start + bare.len());
            }
            at += word.len();
        }
    }

    fn image(&mut self, written: &UnescapedString<'_>) {
        let image = expand(&written.value, &self.arguments);
        if self.is_image(&image) {
            let found = self.told(&image, &written.value, written.span.clone());
            self.found.push(found);
        }
    }

    fn is_image(&self, text: &str) -> bool {
        let name = text.to_ascii_lowercase();
        !text.is_empty() && name != "scratch" && !self.names.contains(&name)
    }

    fn told(&self, image: &str, written: &str, span: Range<usize>) -> Found {
        if self.whole.get(span.clone()) != Some(written) {
            return Found::apart(Kind::Image, image, self.whole, span.start, super::ESCAPED);
        }
        if written == image {
            return Found::here(Kind::Image, self.whole, span);
        }
        let (line, column) = super::place(self.whole, span.start);
        let argument =
            written.strip_prefix('$').map(|name| name.trim_start_matches('{').trim_end_matches('}'));
        let default = argument.and_then(|name| self.defaults.get(name));
        match default.filter(|range| self.whole.get((*range).clone()) == Some(image)) {
            Some(range) => Found { line, column, ..Found::here(Kind::Image, self.whole, range.clone()) },
            None => {
                let why = format!(
                    "`{written}` takes parts from ARG: give one ARG the whole reference as its default, or add the digest behind it"
                );
                Found::apart(Kind::Image, image, self.whole, span.start, why)
            }
        }
    }

    /// `--from=image` and `--mount=type=bind,from=image`. A number is a stage.
    fn options(&mut self, options: &[Flag<'_>]) {
        for option in options {
            let Some(value) = &option.value else { continue };
            match option.name.value.as_ref() {
                "from" => self.other(&value.value, value.span.clone()),
                "mount" if self.whole.get(value.span.clone()) == Some(value.value.as_ref()) => {
                    let mut at = value.span.start;
                    for part in value.value.split(',') {
                        if let Some(image) = part.strip_prefix("from=") {
                            self.other(image, at + 5..at + part.len());
                        }
                        at += part.len() + 1;
                    }
                }
                _ => {}
            }
        }
    }

    fn other(&mut self, written: &str, span: Range<usize>) {
        let is_stage = written.bytes().all(|b| b.is_ascii_digit());
        // Variables are not expanded here by the builder.
        if !is_stage && !written.contains('$') && self.is_image(written) {
            let found = self.told(written, written, span);
            self.found.push(found);
        }
    }
}
