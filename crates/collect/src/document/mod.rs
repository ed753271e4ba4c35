//! The source `documents`: plain JSON becomes resources, and two large documents are compared without
//! spreading what is equal. Reads bytes that it is handed; no file, no machine.
//!
//! **Rows.** A list, a Kubernetes `List` (an object of nothing but `apiVersion`, `kind: ..List`, `metadata` and
//! `items`) and a stream of values (JSON lines) are taken apart; any other document is one row. A row with
//! `apiVersion`, `kind` and `metadata.name` gets the key `k8s/<group>/<Kind>/<namespace>/<name>`; of several
//! with one key the second ends in `~2`. All others are `document/<name>/<row>`, where row is their natural key if
//! all of them have one, and else their position from 0.
//!
//! **Natural keys.** Lists within a row are addressed by them too: see the head of `natural.rs` for what one is.
//!
//! **Attributes.** Every scalar is one. An object or list that holds nothing is one as well, with the text `{}` or
//! `[]`; a text that reads like that is set in quotes. A row that is a bare scalar has the path `.`.
//!
//! **Comparing.** Each document is read once, as text, into one digest per row (`digest.rs`: what it depends on and how
//! sure it is). Rows with equal keys and digests are equal by meaning and only counted. The others are
//! spread, and of those only the attributes that are not the same letter for letter are handed on.
//!
//! **Secrets** are masked as they are spread (`mask.rs`), so that none is ever in a resource.

mod digest;
mod error;
mod identity;
mod mask;
mod natural;
mod outline;
mod rows;
mod scan;
mod spread;
#[cfg(test)]
mod tests;
mod tree;

use parallax_model::{Attributes, Key, Resource};

pub use digest::DigestKey;
pub use error::{DocumentError, Problem};

use crate::secret::Fingerprinter;
use error::Fault;
use mask::Mask;
use rows::{Naming, Row, Rows};
use spread::Spread;
use tree::Node;

/// How deep values may be nested. Reading recurses, so there has to be a limit that any thread's stack bears; what people
/// write stays below 40, and `serde_json` stops at 128 too.
pub const DEPTH_LIMIT: usize = 128;

/// How long a document may be: what a place in it can be counted to in 32 bits.
pub const LENGTH_LIMIT: usize = u32::MAX as usize;

/// One document to read.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// What errors call it: its path.
    pub label: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// Two documents, with what is equal left out.
#[derive(Debug, Default)]
pub struct Pair {
    /// The left resources that the right one lacks, and those that differ, with the attributes in which they do.
    pub left: Vec<Resource>,
    /// The right ones.
    pub right: Vec<Resource>,
    /// How many resources are equal and left out.
    pub equal_resources: u64,
    /// How many attributes are equal and left out: those of equal resources, and equal ones of others.
    pub equal_attributes: u64,
}

/// Reads documents.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'f> {
    /// What stands for the document in keys, the same for both sides: `document/<name>/..`.
    pub name: &'f str,
    /// Masks secrets.
    pub fingerprinter: &'f Fingerprinter,
    /// Made from randomness once per process.
    pub key: DigestKey,
}

/// A document whose rows are known.
struct Outlined<'a> {
    document: Document<'a>,
    text: &'a [u8],
    rows: Rows,
}

impl Reader<'_> {
    /// Reads one document, whole.
    ///
    /// # Errors
    /// Where it is no JSON, not UTF-8, nested too deep, or has an object with two members of one name.
    pub fn read(&self, document: Document<'_>) -> Result<Vec<Resource>, DocumentError> {
        let mut outlined = self.outline(document)?;
        let naming = outlined.rows.naming(None);
        outlined.rows.name(naming, self.key);
        let rows = outlined.rows.as_slice().iter().enumerate();
        rows.map(|(position, row)| {
            let node = outlined.node(row)?;
            let attributes = Spread::of(&node, self.mask()).left;
            Ok(self.resource(&node, naming, position, row.twin, Attributes::from_unsorted(attributes)))
        })
        .collect()
    }

    /// Reads two documents and leaves out what is equal.
    ///
    /// # Errors
    /// As [`Self::read`], for the side that the error names.
    pub fn read_pair(&self, left: Document<'_>, right: Document<'_>) -> Result<Pair, DocumentError> {
        let (mut left, mut right) = (self.outline(left)?, self.outline(right)?);
        let naming = left.rows.naming(Some(&right.rows));
        left.rows.name(naming, self.key);
        right.rows.name(naming, self.key);
        let mut pair = Pair::default();
        for (a, b) in matched(&left.rows, &right.rows) {
            match (a, b) {
                (Some((_, a)), Some((_, b))) if a.digest == b.digest => {
                    pair.equal_resources += 1;
                    pair.equal_attributes += u64::from(a.leaves);
                }
                (Some(a), Some(b)) => self.spread_both(&mut pair, (&left, a), (&right, b), naming)?,
                (Some((position, row)), None) => {
                    pair.left.push(self.spread_one(&left, position, row, naming)?);
                }
                (None, Some((position, row))) => {
                    pair.right.push(self.spread_one(&right, position, row, naming)?);
                }
                (None, None) => {}
            }
        }
        pair.left.sort_by(|a, b| a.key.cmp(&b.key));
        pair.right.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(pair)
    }

    fn outline<'a>(&self, document: Document<'a>) -> Result<Outlined<'a>, DocumentError> {
        let text = document.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document.bytes);
        if let Err(error) = std::str::from_utf8(text) {
            let fault = Fault::at(error.valid_up_to(), Problem::NotUtf8);
            return Err(fault.in_document(document.label, text));
        }
        match outline::outline(text, self.key) {
            Ok(rows) => Ok(Outlined { document, text, rows }),
            Err(fault) => Err(fault.in_document(document.label, text)),
        }
    }

    fn spread_one(
        &self,
        outlined: &Outlined<'_>,
        position: usize,
        row: &Row,
        naming: Naming,
    ) -> Result<Resource, DocumentError> {
        let node = outlined.node(row)?;
        let attributes = Attributes::from_unsorted(Spread::of(&node, self.mask()).left);
        Ok(self.resource(&node, naming, position, row.twin, attributes))
    }

    fn spread_both(
        &self,
        pair: &mut Pair,
        (left, (at_left, a)): (&Outlined<'_>, (usize, &Row)),
        (right, (at_right, b)): (&Outlined<'_>, (usize, &Row)),
        naming: Naming,
    ) -> Result<(), DocumentError> {
        let (one, other) = (left.node(a)?, right.node(b)?);
        let spread = Spread::between(&one, &other, self.mask());
        pair.equal_attributes += spread.equal;
        if spread.left.is_empty() && spread.right.is_empty() {
            pair.equal_resources += 1;
            return Ok(());
        }
        let attributes = |list| Attributes::from_unsorted(list);
        pair.left.push(self.resource(&one, naming, at_left, a.twin, attributes(spread.left)));
        pair.right.push(self.resource(&other, naming, at_right, b.twin, attributes(spread.right)));
        Ok(())
    }

    const fn mask(&self) -> Mask<'_> {
        Mask::new(self.fingerprinter, self.key)
    }

    fn resource(
        &self,
        node: &Node<'_>,
        naming: Naming,
        position: usize,
        twin: u32,
        attributes: Attributes,
    ) -> Resource {
        let (kind, key) = match identity::parts_of(node) {
            Some([group, kind, namespace, name]) => {
                let suffix = if twin == 0 { String::new() } else { format!("~{twin}") };
                let name = format!("{name}{suffix}");
                ("object", Key::of(["k8s", group.as_ref(), kind.as_ref(), namespace.as_ref(), name.as_str()]))
            }
            None => {
                let natural = match naming {
                    Naming::Key(_, candidate) => node.key(candidate).map(|text| {
                        let shown = self.mask().shown(candidate.fields().0, &text);
                        shown.unwrap_or_else(|| text.into_owned())
                    }),
                    Naming::Position => None,
                };
                let row = natural.unwrap_or_else(|| position.to_string());
                ("document", Key::of(["document", self.name, row.as_str()]))
            }
        };
        let mut resource = Resource::new(key, kind);
        resource.attributes = attributes;
        resource
    }
}

impl<'a> Outlined<'a> {
    fn node(&self, row: &Row) -> Result<Node<'a>, DocumentError> {
        let within = self.text.get(..row.end as usize).unwrap_or(self.text);
        Node::read(within, row.start as usize)
            .map_err(|fault| fault.in_document(self.document.label, self.text))
    }
}

/// A row and its position in the document.
type Placed<'r> = (usize, &'r Row);

/// Rows of one key side by side, those of one side only alone.
fn matched<'r>(
    left: &'r Rows,
    right: &'r Rows,
) -> impl Iterator<Item = (Option<Placed<'r>>, Option<Placed<'r>>)> {
    let sorted = |rows: &'r Rows| {
        let mut rows: Vec<Placed<'r>> = rows.as_slice().iter().enumerate().collect();
        rows.sort_unstable_by_key(|(_, row)| row.identity);
        rows.into_iter().map(|(at, row)| (row.identity, (at, row)))
    };
    spread::pairs(sorted(left), sorted(right)).map(|(_, a, b)| (a, b))
}
