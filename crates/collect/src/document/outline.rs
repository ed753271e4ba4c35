//! One pass over a document's text, without a tree: its rows, and for each a digest, a key's hash and a count
//! of leaves. All that can be wrong with a document is found here. Does not build resources.

use super::digest::{DigestKey, Hash, Sort};
use super::error::{Expected, Fault, Problem};
use super::identity::{self, Identity};
use super::natural::{self, Choice, Fields, Pile};
use super::rows::{self, Form, Row, Rows};
use super::scan::{Scanner, Token, load, resolve};
use super::{DEPTH_LIMIT, LENGTH_LIMIT};

/// Reads the outline of a whole document: UTF-8 text without its byte order mark.
pub(super) fn outline(text: &[u8], key: DigestKey) -> Result<Rows, Fault> {
    if text.len() > LENGTH_LIMIT {
        return Err(Fault::at(0, Problem::TooLong));
    }
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
        pass.scan.end_of_value()?;
    }
    Ok(all)
}

/// Whether a value is the only one of its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alone {
    Maybe,
    No,
}

/// What a container holds: the sum of the hashes, and how many.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    low: u64,
    high: u64,
    count: u64,
}

impl Held {
    #[expect(clippy::cast_possible_truncation, reason = "the number is split into its two halves")]
    const fn new(sum: u128, count: u64) -> Self {
        Self { low: sum as u64, high: (sum >> 64) as u64, count }
    }
}

/// Under what a value stands in its container.
#[derive(Debug, Clone, Copy)]
enum Label {
    Name(Token),
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
    /// The names of the open objects and a mark of each, for finding duplicates.
    names: Vec<(u64, Token)>,
    pile: Pile,
    /// What the container holds that was read last.
    held: Held,
}

impl<'a> Pass<'a> {
    fn new(text: &'a [u8], key: DigestKey) -> Self {
        let scan = Scanner::new(text, 0);
        let held = Held::default();
        Self { scan, key, depth: 0, leaves: 0, names: Vec::new(), pile: Pile::default(), held }
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
        body: Token,
        object: Option<(&Fields, &Identity)>,
    ) {
        let text = self.scan.text();
        let identity = object.and_then(|(_, identity)| rows.identity_hash(text, identity, self.key));
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        rows.push(Row {
            digest: self.hash(Label::Nothing, body),
            identity: identity.unwrap_or_default(),
            start: small(start),
            end: small(self.scan.at()),
            leaves: u32::try_from(self.leaves - leaves_before).unwrap_or(u32::MAX),
            twin: 0,
            sort: if identity.is_some() { rows::Sort::Object } else { rows::Sort::Item },
        });
        if identity.is_none() {
            rows.note_fields(object.map(|(fields, _)| fields), self.key);
        }
    }

    #[inline]
    fn value(&mut self, watch: &mut Watch<'_>) -> Result<Token, Fault> {
        match self.scan.peek_some()? {
            b'{' => self.object(watch),
            b'[' => self.list(None),
            first => {
                self.leaves += 1;
                self.leaf(first)
            }
        }
    }

    #[inline]
    fn leaf(&mut self, first: u8) -> Result<Token, Fault> {
        match first {
            b'"' => self.scan.string(),
            b'-' | b'0'..=b'9' => self.scan.number(),
            _ => self.scan.literal(),
        }
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
    fn goes_on(&mut self, close: u8, what: Expected) -> Result<bool, Fault> {
        let byte = self.scan.peek_some()?;
        if byte != b',' && byte != close {
            return Err(self.scan.fault(Problem::Expected(what)));
        }
        self.scan.step();
        Ok(byte == b',')
    }

    fn object(&mut self, watch: &mut Watch<'_>) -> Result<Token, Fault> {
        self.enter()?;
        let first = self.names.len();
        let (mut sum, mut count, mut seen) = (0_u128, 0, 0_u64);
        if self.scan.peek_some()? == b'}' {
            self.scan.step();
            self.leaves += 1;
        } else {
            loop {
                let name = self.scan.string()?;
                self.scan.expect(b':', Expected::Colon)?;
                self.note_name(first, name, &mut seen)?;
                let body = self.member(name, watch)?;
                sum = sum.wrapping_add(self.hash(Label::Name(name), body));
                count += 1;
                if !self.goes_on(b'}', Expected::MemberOrEnd)? {
                    break;
                }
            }
        }
        self.check_names(first)?;
        self.names.truncate(first);
        self.depth -= 1;
        Ok(self.container(Sort::Object, sum, count))
    }

    /// A member's value, of which the watch is told.
    #[inline]
    fn member(&mut self, name: Token, watch: &mut Watch<'_>) -> Result<Token, Fault> {
        if matches!(watch, Watch::Nothing) {
            return self.value(watch);
        }
        let resolved;
        let name = if name.is_plain() {
            name.raw(self.scan.text())
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
    ) -> Result<Token, Fault> {
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
    fn note_field(&self, fields: &mut Fields, name: &[u8], body: Token) {
        let Some(number) = fields.number(name) else { return };
        let text = self.scan.text();
        if !body.is_plain() {
            fields.note(number, resolve(text, body).as_bytes(), self.key);
        } else if body.is(Sort::Text) || (body.is(Sort::Number) && natural::is_whole(body.raw(text))) {
            fields.note(number, body.raw(text), self.key);
        }
    }

    /// A list; where `rows` are asked for, each item becomes one.
    fn list(&mut self, mut rows: Option<&mut Rows>) -> Result<Token, Fault> {
        self.enter()?;
        let (mut keyed, mut ordered, mut count) = (0_u128, Hash::begin_list(self.key), 0_u64);
        let bottom = self.pile.len();
        // A list that is the whole document is taken apart: nobody asks for its own digest.
        let mut choice = if rows.is_some() && self.depth == 1 { Choice::NONE } else { Choice::ALL };
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
                        if !body.is(Sort::Object) {
                            choice = Choice::NONE;
                        }
                        if let Some(rows) = &mut rows {
                            self.row(rows, start, leaves, body, None);
                        }
                        body
                    }
                };
                let hash = self.hash(Label::Nothing, body);
                keyed = keyed.wrapping_add(hash);
                ordered.wide(hash);
                count += 1;
                if !self.goes_on(b']', Expected::ItemOrEnd)? {
                    break;
                }
            }
        }
        let is_keyed =
            count > 0 && choice.candidates().any(|(number, _)| self.pile.is_unique(bottom, number));
        self.pile.truncate(bottom);
        self.depth -= 1;
        if is_keyed {
            return Ok(self.container(Sort::Keyed, keyed, count));
        }
        ordered.word(count);
        Ok(self.container(Sort::Ordered, ordered.finish(), count))
    }

    const fn container(&mut self, sort: Sort, sum: u128, count: u64) -> Token {
        self.held = Held::new(sum, count);
        Token::of(sort)
    }

    /// An object in a list.
    fn item(
        &mut self,
        fields: &mut Fields,
        choice: &mut Choice,
        rows: Option<&mut Rows>,
    ) -> Result<Token, Fault> {
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

    /// The hash of a value that was just read, under its name.
    #[inline]
    fn hash(&self, label: Label, body: Token) -> u128 {
        let text = self.scan.text();
        let (mut name_buffer, mut leaf_buffer) = (None, None);
        let (names, name_start, name_end) = match label {
            Label::Name(name) => span(text, name, &mut name_buffer),
            Label::Nothing => (text, 0, 0),
        };
        let is_container = body.is_container();
        let (leaves, start, end) = span(text, body, &mut leaf_buffer);
        let length = if is_container { 24 } else { end - start };
        let mut hash = Hash::begin_bits(self.key, body.sort_bits(), name_end - name_start, length);
        hash.bytes(names, name_start, name_end);
        if is_container {
            hash.word(self.held.low);
            hash.word(self.held.high);
            hash.word(self.held.count);
        } else {
            hash.bytes(leaves, start, end);
        }
        hash.finish()
    }

    /// Remembers a member's name; in a small object it is held against those before it. `seen` has one bit for every 64th
    /// name: where that of a name is not set, it is new.
    #[inline]
    fn note_name(&mut self, first: usize, name: Token, seen: &mut u64) -> Result<(), Fault> {
        let mark = self.mark(name);
        let bit = 1 << (mark.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58);
        if *seen & bit != 0 && self.names.len() - first <= FEW_NAMES {
            let text = self.scan.text();
            let before = self.names.get(first..).unwrap_or_default();
            if before.iter().any(|other| other.0 == mark && resolve(text, other.1) == resolve(text, name)) {
                return Err(Fault::at(name.start(), Problem::DuplicateMember));
            }
        }
        *seen |= bit;
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
            [(a, one), (b, two)] if a == b && resolve(text, *one) == resolve(text, *two) => Some(two.start()),
            _ => None,
        });
        match twice.min() {
            Some(offset) => Err(Fault::at(offset, Problem::DuplicateMember)),
            None => Ok(()),
        }
    }

    /// A number that equal names share and most others do not.
    #[inline]
    fn mark(&self, name: Token) -> u64 {
        let mix = |text: &[u8], start: usize, end: usize| {
            let length = end - start;
            let mask =
                |word: u64| if length < 8 { word << (64 - 8 * length) >> (64 - 8 * length) } else { word };
            let head = if length == 0 { 0 } else { mask(load(text, start).unwrap_or_default()) };
            let tail = if length > 8 { load(text, end - 8).unwrap_or_default() } else { 0 };
            (head.rotate_left(7) ^ tail).wrapping_add(length as u64)
        };
        if name.is_plain() && load(self.scan.text(), name.start()).is_some() {
            return mix(self.scan.text(), name.start(), name.end());
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
fn span<'t>(text: &'t [u8], token: Token, unescaped: &'t mut Option<String>) -> (&'t [u8], usize, usize) {
    if token.is_plain() {
        return (text, token.start(), token.end());
    }
    let buffer = unescaped.insert(resolve(text, token).into_owned()).as_bytes();
    (buffer, 0, buffer.len())
}

fn text_of(body: Token) -> Option<Token> {
    body.is(Sort::Text).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> u128 {
        let rows = outline(text.as_bytes(), DigestKey::new([5; 16])).unwrap();
        rows.as_slice().iter().fold(0, |sum, row| sum ^ row.digest)
    }

    #[test]
    fn digests_depend_on_the_meaning_alone() {
        let base = r#"{"a":[{"name":"x","v":"a/b"},{"name":"y","v":[1,2]}],"b":{"c":null}}"#;
        let same = r#" {"b" : {"\u0063":null},"a":[{"v":[1,2],"name":"\u0079"},{"name":"x","v":"a\/b"}]}"#;
        assert_eq!(digest(base), digest(same));
        for other in [
            r#"{"a":[{"name":"x","v":"a/b"},{"name":"y","v":[2,1]}],"b":{"c":null}}"#,
            r#"{"a":[{"name":"y","v":"a/b"},{"name":"x","v":[1,2]}],"b":{"c":null}}"#,
            r#"{"a":[{"name":"x","v":"a/b"},{"name":"y","v":[[1,2]]}],"b":{"c":null}}"#,
            r#"{"a":[{"name":"x","v":"a/b"},{"name":"y","v":[1,2]}],"b":{"c":false}}"#,
            r#"{"a":[{"name":"x","v":"a/b"},{"name":"y","v":[1,2]}],"b":{"c":{}}}"#,
        ] {
            assert_ne!(digest(base), digest(other), "{other}");
        }
        // No natural key: the order counts.
        for (one, other) in
            [("[[1,2]]", "[[2,1]]"), (r#"{"a":[{"x":1},{"x":2}]}"#, r#"{"a":[{"x":2},{"x":1}]}"#)]
        {
            assert_ne!(digest(one), digest(other));
        }
        let ports = |a: &str, b: &str| digest(&format!(r#"{{"a":[{{"port":80{a}}},{{"port":80{b}}}]}}"#));
        let (tcp, udp) = (r#","protocol":"TCP""#, r#","protocol":"UDP""#);
        assert_eq!(ports(tcp, udp), ports(udp, tcp));
        assert_eq!(ports("", udp), ports(udp, ""));
        assert_ne!(ports("", tcp), ports(tcp, ""), "both are 80/TCP: no natural key");
    }
}
