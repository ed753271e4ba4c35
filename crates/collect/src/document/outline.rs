//! One pass over a document's text, without a tree: its rows, and for each a digest, a key's hash and a count
//! of leaves. All that can be wrong with a document is found here. Does not build resources.

use super::digest::{DigestKey, Hash, Sort};
use super::error::{Fault, Problem};
use super::identity::{self, Identity};
use super::natural::{self, Choice, Fields, Pile};
use super::rows::{Form, Row, Rows};
use super::scan::{Literal, Scanner, Spelling, Text, load, resolve};
use super::DEPTH_LIMIT;

/// Reads the outline of a whole document: UTF-8 text without its byte order mark.
pub(super) fn outline(text: &[u8], key: DigestKey) -> Result<Rows, Fault> {
    let mut pass = Pass::new(text, key);
    if pass.scan.peek().is_none() {
        return Err(pass.scan.fault(Problem::Empty));
    }
    let rows = pass.root(Alone::Maybe)?;
    if pass.scan.peek().is_none() {
        return Ok(rows);
    }
    let mut pass = Pass::new(text, key);
    let mut all = Rows::new(Form::Many);
    while pass.scan.peek().is_some() {
        all.extend(pass.root(Alone::No)?);
    }
    Ok(all)
}

/// Whether a value is the only one of its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alone {
    Maybe,
    No,
}

/// A value that was read: a leaf as its span, a container as the sum of what it holds.
#[derive(Debug, Clone, Copy)]
enum Body {
    Leaf(Sort, Text),
    Sum(Sort, u128, u64),
}

/// Under what a value stands in its container.
#[derive(Debug, Clone, Copy)]
enum Label {
    Name(Text),
    Position(u64),
    Nothing,
}

/// What is to be remembered of an object's members.
enum Watch<'w> {
    Nothing,
    /// An item of a list: what may be its natural key.
    Item(&'w mut Fields),
    /// A value that may be a row: also what makes it a Kubernetes object.
    Row(&'w mut Fields, &'w mut Identity),
    /// The `metadata` of such a value.
    Metadata(&'w mut Identity),
    /// The root of a document, which may hold the rows in its `items`.
    Root(&'w mut Fields, &'w mut Identity, &'w mut Option<Rows>),
}

struct Pass<'a> {
    scan: Scanner<'a>,
    key: DigestKey,
    depth: usize,
    leaves: u64,
    /// The names of the open objects, for finding duplicates.
    names: Vec<(u64, Text)>,
    pile: Pile,
}

impl<'a> Pass<'a> {
    fn new(text: &'a [u8], key: DigestKey) -> Self {
        let scan = Scanner::new(text, 0);
        Self { scan, key, depth: 0, leaves: 0, names: Vec::new(), pile: Pile::default() }
    }

    /// One value at the root, taken apart where it is a list.
    fn root(&mut self, alone: Alone) -> Result<Rows, Fault> {
        let form = if alone == Alone::Maybe { Form::Single } else { Form::Many };
        match (self.scan.peek_some()?, alone) {
            (b'[', Alone::Maybe) => {
                let mut rows = Rows::new(Form::Many);
                self.list(Some(&mut rows))?;
                Ok(rows)
            }
            (b'{', _) => {
                let (mut fields, mut found) = (Fields::new(self.key), Identity::default());
                let mut items = None;
                let (start, leaves) = (self.scan.at(), self.leaves);
                let body = self.object(&mut Watch::Root(&mut fields, &mut found, &mut items))?;
                if let Some(rows) = items.filter(|_| identity::is_envelope(self.scan.text(), &found)) {
                    return Ok(rows);
                }
                let mut rows = Rows::new(form);
                self.row(&mut rows, start, leaves, body, Some((&fields, &found)));
                Ok(rows)
            }
            _ => {
                let mut rows = Rows::new(form);
                let (start, leaves) = (self.scan.at(), self.leaves);
                let body = self.value(&mut Watch::Nothing)?;
                self.row(&mut rows, start, leaves, body, None);
                Ok(rows)
            }
        }
    }

    fn row(
        &self,
        rows: &mut Rows,
        start: usize,
        leaves_before: u64,
        body: Body,
        object: Option<(&Fields, &Identity)>,
    ) {
        let text = self.scan.text();
        let identity = object.and_then(|(_, identity)| rows.identity_hash(text, identity, self.key));
        rows.push(Row {
            start,
            end: self.scan.at(),
            digest: self.hash(Label::Nothing, body),
            leaves: self.leaves - leaves_before,
            identity,
            twin: 0,
        });
        if identity.is_none() {
            rows.note_fields(object.map(|(fields, _)| fields), self.key);
        }
    }

    #[inline]
    fn value(&mut self, watch: &mut Watch<'_>) -> Result<Body, Fault> {
        let sort = match self.scan.peek_some()? {
            b'"' => {
                self.leaves += 1;
                return Ok(Body::Leaf(Sort::Text, self.scan.string()?));
            }
            b'{' => return self.object(watch),
            b'[' => return self.list(None),
            b'-' | b'0'..=b'9' => {
                self.leaves += 1;
                let (start, end) = self.scan.number()?;
                return Ok(Body::Leaf(Sort::Number, Text { start, end, spelling: Spelling::Plain }));
            }
            _ => match self.scan.literal()? {
                Literal::Null => Sort::Null,
                Literal::False => Sort::False,
                Literal::True => Sort::True,
            },
        };
        self.leaves += 1;
        Ok(Body::Leaf(sort, Text { start: 0, end: 0, spelling: Spelling::Plain }))
    }

    fn enter(&mut self) -> Result<(), Fault> {
        if self.depth >= DEPTH_LIMIT {
            return Err(self.scan.fault(Problem::TooDeep));
        }
        self.depth += 1;
        self.scan.step();
        Ok(())
    }

    /// After a value: whether another follows.
    #[inline]
    fn goes_on(&mut self, close: u8, what: &'static str) -> Result<bool, Fault> {
        let byte = self.scan.peek_some()?;
        if byte != b',' && byte != close {
            return Err(self.scan.fault(Problem::Expected(what)));
        }
        self.scan.step();
        Ok(byte == b',')
    }

    fn object(&mut self, watch: &mut Watch<'_>) -> Result<Body, Fault> {
        self.enter()?;
        let first = self.names.len();
        let (mut sum, mut count) = (0_u128, 0);
        if self.scan.peek_some()? == b'}' {
            self.scan.step();
            self.leaves += 1;
        } else {
            loop {
                let name = self.scan.string()?;
                self.scan.expect(b':', "`:` after a member's name")?;
                self.note_name(first, name)?;
                let body = self.member(name, watch)?;
                sum = sum.wrapping_add(self.hash(Label::Name(name), body));
                count += 1;
                if !self.goes_on(b'}', "`,` or `}` after a member")? {
                    break;
                }
            }
        }
        self.check_names(first)?;
        self.names.truncate(first);
        self.depth -= 1;
        Ok(Body::Sum(Sort::Object, sum, count))
    }

    /// A member's value, of which the watch is told.
    #[inline]
    fn member(&mut self, name: Text, watch: &mut Watch<'_>) -> Result<Body, Fault> {
        if matches!(watch, Watch::Nothing) {
            return self.value(watch);
        }
        let resolved;
        let name = if name.spelling == Spelling::Plain {
            self.scan.text().get(name.start..name.end).unwrap_or_default()
        } else {
            resolved = resolve(self.scan.text(), name);
            resolved.as_bytes()
        };
        match watch {
            Watch::Nothing => self.value(watch),
            Watch::Item(fields) => {
                let body = self.value(&mut Watch::Nothing)?;
                self.note_field(fields, name, body);
                Ok(body)
            }
            Watch::Metadata(identity) => {
                let body = self.value(&mut Watch::Nothing)?;
                identity.note_metadata(name, text_of(body));
                Ok(body)
            }
            Watch::Row(fields, identity) => self.row_member(name, fields, identity, None),
            Watch::Root(fields, identity, items) => self.row_member(name, fields, identity, Some(items)),
        }
    }

    fn row_member(
        &mut self,
        name: &[u8],
        fields: &mut Fields,
        identity: &mut Identity,
        items: Option<&mut Option<Rows>>,
    ) -> Result<Body, Fault> {
        let body = match items {
            _ if name == b"metadata" => self.value(&mut Watch::Metadata(identity))?,
            Some(items) if name == b"items" && self.scan.peek_some()? == b'[' => {
                self.list(Some(items.insert(Rows::new(Form::Many))))?
            }
            Some(_) | None => self.value(&mut Watch::Nothing)?,
        };
        identity.note(name, text_of(body));
        self.note_field(fields, name, body);
        Ok(body)
    }

    #[inline]
    fn note_field(&self, fields: &mut Fields, name: &[u8], body: Body) {
        let Some(number) = fields.number(name) else { return };
        let text = self.scan.text();
        match body {
            Body::Leaf(Sort::Text, token) => match token.spelling {
                Spelling::Plain => {
                    fields.note(number, text.get(token.start..token.end).unwrap_or_default(), self.key);
                }
                Spelling::Escaped => fields.note(number, resolve(text, token).as_bytes(), self.key),
            },
            Body::Leaf(Sort::Number, token) => {
                let digits = text.get(token.start..token.end).unwrap_or_default();
                if natural::is_whole(digits) {
                    fields.note(number, digits, self.key);
                }
            }
            Body::Leaf(..) | Body::Sum(..) => {}
        }
    }

    /// A list; where `rows` are asked for, each item becomes one.
    fn list(&mut self, mut rows: Option<&mut Rows>) -> Result<Body, Fault> {
        self.enter()?;
        let (mut keyed, mut ordered, mut count) = (0_u128, 0_u128, 0_u64);
        let bottom = self.pile.len();
        let mut choice = Choice::ALL;
        let mut fields = None;
        if self.scan.peek_some()? == b']' {
            self.scan.step();
            self.leaves += 1;
        } else {
            loop {
                let body = match self.scan.peek_some()? {
                    b'{' if rows.is_some() || !choice.is_none() => {
                        let fields = fields.get_or_insert_with(|| Fields::new(self.key));
                        self.item(fields, &mut choice, rows.as_deref_mut())?
                    }
                    _ => {
                        let (start, leaves) = (self.scan.at(), self.leaves);
                        let body = self.value(&mut Watch::Nothing)?;
                        if matches!(body, Body::Leaf(..) | Body::Sum(Sort::Ordered | Sort::Keyed, ..)) {
                            choice = Choice::NONE;
                        }
                        if let Some(rows) = &mut rows {
                            self.row(rows, start, leaves, body, None);
                        }
                        body
                    }
                };
                if !choice.is_none() {
                    keyed = keyed.wrapping_add(self.hash(Label::Nothing, body));
                }
                ordered = ordered.wrapping_add(self.hash(Label::Position(count), body));
                count += 1;
                if !self.goes_on(b']', "`,` or `]` after an item")? {
                    break;
                }
            }
        }
        let is_keyed = count > 0 && choice.candidates().any(|(number, _)| self.pile.is_unique(bottom, number));
        self.pile.truncate(bottom);
        self.depth -= 1;
        Ok(if is_keyed {
            Body::Sum(Sort::Keyed, keyed, count)
        } else {
            Body::Sum(Sort::Ordered, ordered, count)
        })
    }

    /// An object in a list.
    fn item(
        &mut self,
        fields: &mut Fields,
        choice: &mut Choice,
        rows: Option<&mut Rows>,
    ) -> Result<Body, Fault> {
        let (start, leaves) = (self.scan.at(), self.leaves);
        let body = if let Some(rows) = rows {
            fields.restart(Choice::ALL);
            let mut identity = Identity::default();
            let body = self.object(&mut Watch::Row(fields, &mut identity))?;
            self.row(rows, start, leaves, body, Some((fields, &identity)));
            body
        } else {
            fields.restart(*choice);
            self.object(&mut Watch::Item(fields))?
        };
        let pile = &mut self.pile;
        *choice = choice.filter(|number, candidate| {
            let hash = fields.hash(candidate, self.key);
            hash.inspect(|hash| pile.push(number, *hash)).is_some()
        });
        Ok(body)
    }

    #[inline]
    fn hash(&self, label: Label, body: Body) -> u128 {
        let text = self.scan.text();
        let mut unescaped = (None, None);
        let name = match label {
            Label::Name(name) => Some(span(text, name, &mut unescaped.0)),
            Label::Position(_) | Label::Nothing => None,
        };
        let label_length = match label {
            Label::Name(_) => name.map_or(0, |(_, start, end)| end - start),
            Label::Position(_) => 8,
            Label::Nothing => 0,
        };
        let (sort, leaf, length) = match body {
            Body::Leaf(sort, token) => {
                let leaf = span(text, token, &mut unescaped.1);
                (sort, Some(leaf), leaf.2 - leaf.1)
            }
            Body::Sum(sort, ..) => (sort, None, 24),
        };
        let mut hash = Hash::begin(self.key, sort, label_length, length);
        if let Some((buffer, start, end)) = name {
            hash.bytes(buffer, start, end);
        }
        if let Label::Position(position) = label {
            hash.word(position);
        }
        if let Some((buffer, start, end)) = leaf {
            hash.bytes(buffer, start, end);
        }
        if let Body::Sum(_, sum, count) = body {
            hash.wide(sum);
            hash.word(count);
        }
        hash.finish()
    }

    /// Remembers a member's name; in a small object it is held against those before it.
    #[inline]
    fn note_name(&mut self, first: usize, name: Text) -> Result<(), Fault> {
        let mark = self.mark(name);
        let before = self.names.get(first..).unwrap_or_default();
        if before.len() < FEW_NAMES && before.iter().any(|(other, _)| *other == mark) {
            let text = self.scan.text();
            let same = |other: &(u64, Text)| other.0 == mark && resolve(text, other.1) == resolve(text, name);
            if before.iter().any(same) {
                return Err(Fault::at(name.start, Problem::DuplicateMember));
            }
        }
        self.names.push((mark, name));
        Ok(())
    }

    /// Looks for duplicates among the names of a large object, which is now complete.
    fn check_names(&mut self, first: usize) -> Result<(), Fault> {
        let names = self.names.get_mut(first..).unwrap_or_default();
        if names.len() <= FEW_NAMES {
            return Ok(());
        }
        let text = self.scan.text();
        names.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| resolve(text, a.1).cmp(&resolve(text, b.1))));
        let twice = names.windows(2).filter_map(|pair| match pair {
            [(a, one), (b, two)] if a == b && resolve(text, *one) == resolve(text, *two) => Some(two.start),
            _ => None,
        });
        match twice.min() {
            Some(offset) => Err(Fault::at(offset, Problem::DuplicateMember)),
            None => Ok(()),
        }
    }

    /// A number that equal names share and most others do not.
    #[inline]
    fn mark(&self, name: Text) -> u64 {
        let mix = |text: &[u8], start: usize, end: usize| {
            let length = end - start;
            let mask = |word: u64| if length < 8 { word << (64 - 8 * length) >> (64 - 8 * length) } else { word };
            let head = if length == 0 { 0 } else { mask(load(text, start).unwrap_or_default()) };
            let tail = if length > 8 { load(text, end - 8).unwrap_or_default() } else { 0 };
            (head.rotate_left(7) ^ tail).wrapping_add(length as u64)
        };
        if name.spelling == Spelling::Plain && load(self.scan.text(), name.start).is_some() {
            return mix(self.scan.text(), name.start, name.end);
        }
        let mut padded = resolve(self.scan.text(), name).into_owned().into_bytes();
        let length = padded.len();
        padded.extend([0; 8]);
        mix(&padded, 0, length)
    }
}

/// Up to how many names are compared each with each.
const FEW_NAMES: usize = 16;

/// The buffer and span of a token's text.
#[inline]
fn span<'t>(text: &'t [u8], token: Text, unescaped: &'t mut Option<String>) -> (&'t [u8], usize, usize) {
    if token.spelling == Spelling::Plain {
        return (text, token.start, token.end);
    }
    let buffer = unescaped.insert(resolve(text, token).into_owned()).as_bytes();
    (buffer, 0, buffer.len())
}

fn text_of(body: Body) -> Option<Text> {
    match body {
        Body::Leaf(Sort::Text, token) => Some(token),
        Body::Leaf(..) | Body::Sum(..) => None,
    }
}
