//! YAML as a small tree that knows its lines: what readers of CI files and lockfiles need. Scalars keep their text
//! (`3.10` stays `3.10`); of several documents the last that is a map counts. Pure, and bounded in depth and where
//! aliases multiply.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScanError, Span};

use crate::lockfile::Malformed;

/// The most that a tree may weigh, aliases weighed as what they stand for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    weight: usize,
    what: &'static str,
}

impl Limit {
    /// Of files that people write.
    pub(crate) const WRITTEN: Self = Self { weight: 200_000, what: "more than a CI file has" };
    /// Of lockfiles: a hundred thousand packages, which then take some 200 MB.
    pub(crate) const LOCKED: Self = Self { weight: 2_000_000, what: "more than a lockfile has" };
}

/// Collections within collections beyond this are refused.
const MOST_DEPTH: usize = 64;
/// So many bytes of text weigh as much as a node.
const BYTES_OF_A_NODE: usize = 64;

/// A node and the line where it begins, from 1.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    pub(crate) line: usize,
    /// Where it is written, in bytes, with its quotes.
    written: Written,
    pub(crate) content: Content,
}

/// What a node holds.
#[derive(Debug, Clone, Default)]
pub(crate) enum Content {
    /// Nothing was there.
    #[default]
    Nothing,
    /// Text; numbers and words that YAML reads otherwise are text here.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<(String, Node)>),
}

/// A place in the text; small, as lockfiles have many nodes.
#[derive(Debug, Clone, Copy, Default)]
struct Written {
    start: u32,
    end: u32,
}

impl Written {
    fn of(span: &Span) -> Self {
        let range = span.byte_range().unwrap_or_default();
        let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: small(range.start), end: small(range.end) }
    }

    fn range(self) -> Option<Range<usize>> {
        Some(usize::try_from(self.start).ok()?..usize::try_from(self.end).ok()?)
    }
}

impl Node {
    /// Where it begins in the text that it was read from, in bytes.
    pub(crate) fn start(&self) -> usize {
        self.written.range().map_or(0, |range| range.start)
    }

    /// Where a scalar's text stands in what it was read from; `None` where it is written otherwise (escapes, blocks).
    pub(crate) fn verbatim(&self, whole: &str) -> Option<Range<usize>> {
        let (text, range) = (self.text()?, self.written.range()?);
        let written = whole.get(range.clone())?;
        let inner = ['"', '\''].iter().find_map(|mark| written.strip_prefix(*mark)?.strip_suffix(*mark));
        let start = if inner.is_some() { range.start + 1 } else { range.start };
        (inner.unwrap_or(written).trim_end() == text).then(|| start..start + text.len())
    }

    /// The value of a field, or of one that a merge key (`<<`) brings in.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Content::Map(fields) = &self.content else { return None };
        let own = fields.iter().find(|(field, _)| field == name).map(|(_, node)| node);
        own.or_else(|| {
            let merged = &fields.iter().find(|(field, _)| field == "<<")?.1;
            match &merged.content {
                Content::List(items) => items.iter().find_map(|item| item.get(name)),
                Content::Nothing | Content::Text(_) | Content::Map(_) => merged.get(name),
            }
        })
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Nothing | Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The fields of a map; none of anything else.
    pub(crate) fn fields(&self) -> &[(String, Self)] {
        match &self.content {
            Content::Map(fields) => fields,
            Content::Nothing | Content::Text(_) | Content::List(_) => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.content {
            Content::List(items) => items,
            Content::Nothing | Content::Text(_) | Content::Map(_) => &[],
        }
    }

    fn weight(&self) -> usize {
        1 + match &self.content {
            Content::Nothing => 0,
            Content::Text(text) => text.len() / BYTES_OF_A_NODE,
            Content::List(items) => items.iter().map(Self::weight).sum(),
            Content::Map(fields) => {
                fields.iter().map(|(name, node)| name.len() / BYTES_OF_A_NODE + node.weight()).sum()
            }
        }
    }
}

/// Reads a file that people write.
pub(crate) fn parse(text: &str) -> Result<Node, Malformed> {
    parse_within(text, Limit::WRITTEN)
}

/// Reads a file that may have as much as a limit says.
pub(crate) fn parse_within(text: &str, limit: Limit) -> Result<Node, Malformed> {
    Ok(documents(text, limit)?.pop().unwrap_or_default())
}

/// Reads all documents of a file that are maps.
pub(crate) fn documents(text: &str, limit: Limit) -> Result<Vec<Node>, Malformed> {
    let mut builder = Builder::new(limit);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e: ScanError| Malformed {
            line: e.marker().line().max(1),
            column: e.marker().col() + 1,
            what: "not YAML",
        })?;
        builder.take(event, span.start.line().max(1), Written::of(&span))?;
    }
    Ok(builder.roots)
}

/// A collection that is being read.
struct Open {
    node: Node,
    anchor: usize,
    /// The field whose value comes next.
    field: Option<String>,
}

struct Builder {
    limit: Limit,
    roots: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, (usize, Node)>,
    weight: usize,
}

impl Builder {
    fn new(limit: Limit) -> Self {
        Self { limit, roots: Vec::new(), open: Vec::new(), anchors: HashMap::new(), weight: 0 }
    }

    fn take(&mut self, event: Event<'_>, line: usize, written: Written) -> Result<(), Malformed> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "another's enum; what is left holds no node")]
        match event {
            Event::Scalar(text, _, anchor, _) => {
                self.close(Node { line, written, content: Content::Text(text.into_owned()) }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.begin(Node { line, written, content: Content::List(Vec::new()) }, anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                self.begin(Node { line, written, content: Content::Map(Vec::new()) }, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(done) => self.close(done.node, done.anchor),
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let weight = self.anchors.get(&anchor).map_or(1, |(weight, _)| *weight);
                self.spend(weight, line)?;
                let node = self.anchors.get(&anchor).map(|(_, node)| node.clone()).unwrap_or_default();
                self.close(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, node: Node, anchor: usize) -> Result<(), Malformed> {
        if self.open.len() >= MOST_DEPTH {
            return Err(Malformed { line: node.line, column: 1, what: "nested too deeply" });
        }
        self.open.push(Open { node, anchor, field: None });
        Ok(())
    }

    fn spend(&mut self, weight: usize, line: usize) -> Result<(), Malformed> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > self.limit.weight {
            return Err(Malformed { line, column: 1, what: self.limit.what });
        }
        Ok(())
    }

    fn close(&mut self, node: Node, anchor: usize) -> Result<(), Malformed> {
        self.spend(1, node.line)?;
        if anchor != 0 {
            let weight = node.weight();
            self.spend(weight, node.line)?;
            self.anchors.insert(anchor, (weight, node.clone()));
        }
        let Some(parent) = self.open.last_mut() else {
            if matches!(node.content, Content::Map(_)) {
                self.roots.push(node);
            }
            return Ok(());
        };
        match &mut parent.node.content {
            Content::List(items) => items.push(node),
            Content::Map(fields) => match parent.field.take() {
                Some(field) => fields.push((field, node)),
                None => parent.field = Some(node.text().unwrap_or_default().to_owned()),
            },
            Content::Nothing | Content::Text(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_know_their_lines() {
        let root = parse("a: &x\n  b: 3.10\nc:\n  <<: *x\n  d: [1, {e: f}]\n").unwrap();
        assert_eq!(root.get("a").and_then(|a| a.get("b")).and_then(Node::text), Some("3.10"));
        let c = root.get("c").unwrap();
        assert_eq!((c.get("b").and_then(Node::text), c.get("b").unwrap().line), (Some("3.10"), 2));
        assert_eq!(c.get("d").unwrap().items()[1].get("e").and_then(Node::text), Some("f"));
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let mut text = "a0: &a0 [x, x]\n".to_owned();
        for n in 1..40 {
            text.push_str(&format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1));
        }
        assert_eq!(parse(&text).unwrap_err().what, "more than a CI file has");
        let long = format!("a: &a {}\nb: [{}]", "x".repeat(500_000), "*a, ".repeat(100_000));
        assert_eq!(parse(&long).unwrap_err().what, "more than a CI file has");
    }

    #[test]
    fn deep_nesting_is_refused() {
        for text in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
            assert!(
                parse_within(&text, Limit::LOCKED).is_err(),
                "{}",
                text.chars().take(3).collect::<String>()
            );
        }
        let folders: String = (0..70).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        assert_eq!(parse(&folders).unwrap_err().what, "nested too deeply");
    }

    #[test]
    fn what_is_no_yaml_is_named_by_its_place() {
        assert_eq!(parse("a: b\n\tc: \"hunter2\n").unwrap_err().what, "not YAML");
        assert!(parse("").unwrap().fields().is_empty());
        assert!(parse("- 1\n").unwrap().fields().is_empty());
    }
}
