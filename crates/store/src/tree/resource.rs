//! A resource as canonical bytes: everything but its key. Does not know of chunks.

use parallax_model::{
    Attribute, AttributePath, Attributes, Fingerprint, Key, Number, Relation, RelationKind, Resource, Value,
};

use super::bytes::{Input, put_after, put_bytes, put_length};

/// A relation's kind in bytes. These numbers are the format: never change one.
const RELATIONS: [(RelationKind, u8); 10] = [
    (RelationKind::Mounts, 0),
    (RelationKind::ReadsSecret, 1),
    (RelationKind::Selects, 2),
    (RelationKind::RoutesTo, 3),
    (RelationKind::Calls, 4),
    (RelationKind::RunsImage, 5),
    (RelationKind::GovernedBy, 6),
    (RelationKind::GrantedBy, 7),
    (RelationKind::DependsOn, 8),
    (RelationKind::DeclaredIn, 9),
];

fn relation_byte(kind: RelationKind) -> u8 {
    match kind {
        RelationKind::Mounts => 0,
        RelationKind::ReadsSecret => 1,
        RelationKind::Selects => 2,
        RelationKind::RoutesTo => 3,
        RelationKind::Calls => 4,
        RelationKind::RunsImage => 5,
        RelationKind::GovernedBy => 6,
        RelationKind::GrantedBy => 7,
        RelationKind::DependsOn => 8,
        RelationKind::DeclaredIn => 9,
    }
}

/// The bytes of a resource without its key. They begin with the number of attributes.
pub(crate) fn encode(resource: &Resource) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 * (resource.attributes.len() + 1));
    put_length(&mut out, resource.attributes.len());
    put_bytes(&mut out, resource.kind.as_bytes());
    let mut before = "";
    for attribute in &resource.attributes {
        put_after(&mut out, before, attribute.path.as_str());
        encode_value(&mut out, &attribute.value);
        before = attribute.path.as_str();
    }
    put_length(&mut out, resource.relations.len());
    for relation in &resource.relations {
        out.push(relation_byte(relation.kind));
        put_bytes(&mut out, relation.to.as_str().as_bytes());
    }
    out
}

/// How many attributes the bytes of a resource hold.
pub(crate) fn attribute_count(body: &[u8]) -> Option<u64> {
    Input(body).number()
}

/// Reads a resource back.
pub(crate) fn decode(key: &str, body: &[u8]) -> Option<Resource> {
    Decoder::default().decode(key, body)
}

/// Reads resources back, one after another. Neighbours mostly have the same paths, which are then kept once.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The paths of the resource before.
    paths: Vec<AttributePath>,
    path: Vec<u8>,
}

impl Decoder {
    pub(crate) fn decode(&mut self, key: &str, body: &[u8]) -> Option<Resource> {
        let mut input = Input(body);
        let count = input.length()?;
        let mut resource = Resource::new(Key::parse(key).ok()?, input.text()?);
        // An attribute takes three bytes at least, so a count that lies cannot reserve much.
        let mut attributes = Vec::with_capacity(count.min(input.0.len() / 3));
        self.path.clear();
        for at in 0..count {
            input.follow(&mut self.path)?;
            let path = self.known(at)?;
            attributes.push(Attribute { path, value: decode_value(&mut input)? });
        }
        resource.attributes = Attributes::from_unsorted(attributes);
        for _ in 0..input.length()? {
            let byte = input.byte()?;
            let (kind, _) = RELATIONS.into_iter().find(|(_, known)| *known == byte)?;
            resource.relations.push(Relation { kind, to: Key::parse(input.text()?).ok()? });
        }
        input.is_empty().then_some(resource)
    }

    /// The path that was read, by its place in the resource.
    fn known(&mut self, at: usize) -> Option<AttributePath> {
        if let Some(known) = self.paths.get(at).filter(|known| known.as_str().as_bytes() == self.path) {
            return Some(known.clone());
        }
        let path = AttributePath::new(std::str::from_utf8(&self.path).ok()?);
        match self.paths.get_mut(at) {
            Some(known) => known.clone_from(&path),
            None => self.paths.push(path.clone()),
        }
        Some(path)
    }
}

pub(crate) fn encode_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(false) => out.push(1),
        Value::Bool(true) => out.push(2),
        Value::Number(number) => {
            out.push(3);
            put_bytes(out, number.as_str().as_bytes());
        }
        Value::Text(text) => {
            out.push(4);
            put_bytes(out, text.as_bytes());
        }
        Value::Secret(Fingerprint::Present) => out.push(5),
        Value::Secret(Fingerprint::Keyed { key_id, mac }) => {
            out.push(6);
            put_bytes(out, key_id.as_bytes());
            put_bytes(out, mac.as_bytes());
        }
    }
}

pub(crate) fn decode_value(input: &mut Input<'_>) -> Option<Value> {
    Some(match input.byte()? {
        0 => Value::Null,
        1 => Value::Bool(false),
        2 => Value::Bool(true),
        3 => Value::Number(Number::parse(input.text()?)?),
        4 => Value::Text(input.text()?.into()),
        5 => Value::Secret(Fingerprint::Present),
        6 => Value::Secret(Fingerprint::Keyed { key_id: input.text()?.into(), mac: input.text()?.into() }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_relation_has_one_byte_both_ways() {
        for (kind, byte) in RELATIONS {
            assert_eq!(relation_byte(kind), byte);
        }
    }
}
