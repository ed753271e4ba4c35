//! TOML as tables whose fields may or may not be what they should be.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::lockfile::Malformed;

/// A table of a document.
pub(super) type Table<'a> = DeTable<'a>;

/// Parses a document. The parser's own message may quote the file, so only the place is kept.
pub(super) fn parse(text: &str) -> Result<Table<'_>, Malformed> {
    match DeTable::parse(text) {
        Ok(table) => Ok(table.into_inner()),
        Err(error) => Err(malformed(text, error.span().map_or(0, |span| span.start), "not TOML")),
    }
}

/// What is wrong at a byte of a text.
pub(super) fn malformed(text: &str, at: usize, what: &'static str) -> Malformed {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let line = 1 + memchr::memchr_iter(b'\n', before).count();
    Malformed { line, column: before.len() - start + 1, what }
}

/// A text field.
pub(super) fn text<'t>(table: &'t Table<'_>, name: &str) -> Option<&'t str> {
    as_text(table.get(name)?.get_ref())
}

/// A text.
pub(super) fn as_text<'t>(value: &'t DeValue<'_>) -> Option<&'t str> {
    if let DeValue::String(text) = value { Some(text) } else { None }
}

/// A number or text field, as it is written.
pub(super) fn scalar<'t>(table: &'t Table<'_>, name: &str) -> Option<&'t str> {
    match table.get(name)?.get_ref() {
        DeValue::String(text) => Some(text),
        DeValue::Integer(number) => Some(number.as_str()),
        DeValue::Float(number) => Some(number.as_str()),
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// Whether a field is `true`.
pub(super) fn is_true(table: &Table<'_>, name: &str) -> bool {
    matches!(table.get(name).map(Spanned::get_ref), Some(DeValue::Boolean(true)))
}

/// A field that is a table.
pub(super) fn table<'t, 'a>(table: &'t Table<'a>, name: &str) -> Option<&'t Table<'a>> {
    as_table(table.get(name)?.get_ref())
}

/// A table.
pub(super) fn as_table<'t, 'a>(value: &'t DeValue<'a>) -> Option<&'t Table<'a>> {
    if let DeValue::Table(table) = value { Some(table) } else { None }
}

/// A table within tables.
pub(super) fn table_at<'t, 'a>(root: &'t Table<'a>, place: &[&str]) -> Option<&'t Table<'a>> {
    place.iter().try_fold(root, |inner, name| table(inner, name))
}

/// The items of a field that is a list.
pub(super) fn list<'t, 'a>(
    table: &'t Table<'a>,
    name: &str,
) -> impl Iterator<Item = &'t Spanned<DeValue<'a>>> {
    items(table.get(name).map(Spanned::get_ref))
}

/// The items of a value that is a list.
pub(super) fn items<'t, 'a>(
    value: Option<&'t DeValue<'a>>,
) -> impl Iterator<Item = &'t Spanned<DeValue<'a>>> {
    let items = if let Some(DeValue::Array(items)) = value { Some(items) } else { None };
    items.into_iter().flat_map(|items| items.iter())
}

/// The tables of a field that is a list of such.
pub(super) fn tables<'t, 'a>(table: &'t Table<'a>, name: &str) -> impl Iterator<Item = &'t Table<'a>> {
    list(table, name).filter_map(|item| as_table(item.get_ref()))
}

/// The texts of a field that is a list of such.
pub(super) fn texts<'t>(table: &'t Table<'_>, name: &str) -> impl Iterator<Item = &'t str> {
    list(table, name).filter_map(|item| as_text(item.get_ref()))
}

/// The fields of a table that is a field, by name.
pub(super) fn fields<'t, 'a>(
    parent: &'t Table<'a>,
    name: &str,
) -> impl Iterator<Item = (&'t str, &'t DeValue<'a>)> {
    let inner = table(parent, name);
    inner
        .into_iter()
        .flat_map(|inner| inner.iter().map(|(name, value)| (name.get_ref().as_ref(), value.get_ref())))
}
