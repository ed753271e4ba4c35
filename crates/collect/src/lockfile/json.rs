//! Parts of JSON as lockfiles hold them, borrowed from the file: maps in their order, texts and lists that may be
//! something else. What has another shape than expected says nothing; what is not JSON is an error with its place.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Malformed;

/// The place of an error. `serde_json`'s message may quote the file, so it is not kept.
pub(crate) fn malformed(error: &serde_json::Error, shape: &'static str) -> Malformed {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "ends too early",
        serde_json::error::Category::Data => shape,
        serde_json::error::Category::Io | serde_json::error::Category::Syntax => "not JSON",
    };
    Malformed { line: error.line().max(1), column: error.column().max(1), what }
}

/// The place of an error within a part, told for the whole.
pub(crate) fn within(bytes: &[u8], raw: &RawValue, error: &Malformed) -> Malformed {
    let start = place(bytes, raw);
    let lines = start.line - 1;
    let shift = if error.line == 1 { start.column - 1 } else { 0 };
    Malformed { line: error.line + lines, column: error.column + shift, what: error.what }
}

/// Where a part begins that was borrowed from the bytes.
pub(crate) fn place(bytes: &[u8], raw: &RawValue) -> Malformed {
    let start = (raw.get().as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize);
    let before = bytes.get(..start).unwrap_or_default();
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let line = 1 + memchr::memchr_iter(b'\n', before).count();
    Malformed { line, column: before.len() - line_start + 1, what: "" }
}

/// Entries of a map in the order of the file, borrowed from it: a map would hash and sort what is walked once.
#[derive(Debug)]
pub(crate) struct Entries<'a, T>(pub(crate) Vec<(Cow<'a, str>, T)>);

/// A text, or anything else, which says nothing (`"resolved": false` of bundled packages).
#[derive(Debug, Default)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

/// The texts of a list, a text alone, or the names of a map's fields; none of anything else.
#[derive(Debug, Default)]
pub(crate) struct Texts<'a>(pub(crate) Vec<Cow<'a, str>>);

impl<T> Default for Entries<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Text<'_> {
    /// What it says, if anything.
    pub(crate) fn said(&self) -> Option<&str> {
        Some(self.0.as_ref()).filter(|text| !text.is_empty())
    }
}

impl Texts<'_> {
    /// The texts.
    pub(crate) fn list(&self) -> Vec<&str> {
        self.0.iter().map(AsRef::as_ref).collect()
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Entries<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<'a, T>(PhantomData<(&'a (), T)>);

impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<'a, T> {
    type Value = Entries<'a, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("packages by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((Text(name), value)) = map.next_entry()? {
            entries.push((name, value));
        }
        Ok(Entries(entries))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient(PhantomData))
    }
}

/// What is made of a value of any shape.
trait FromAny<'a>: Default {
    fn of_text(text: Cow<'a, str>) -> Self;

    fn of_map<'de: 'a, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn of_list<'de: 'a, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

impl<'a> FromAny<'a> for Text<'a> {
    fn of_text(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl<'a> FromAny<'a> for Texts<'a> {
    fn of_text(text: Cow<'a, str>) -> Self {
        Self(vec![text])
    }

    fn of_map<'de: 'a, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut names = Vec::new();
        while let Some((Text(name), _)) = map.next_entry::<Text<'a>, IgnoredAny>()? {
            names.push(name);
        }
        Ok(Self(names))
    }

    fn of_list<'de: 'a, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut texts = Vec::new();
        while let Some(Text(text)) = list.next_element()? {
            texts.push(text);
        }
        Ok(Self(texts))
    }
}

struct Lenient<'a, T>(PhantomData<(&'a (), T)>);

impl<'de: 'a, 'a, T: FromAny<'a>> Visitor<'de> for Lenient<'a, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok(T::of_text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::of_text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::of_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::of_list(list)
    }
}
