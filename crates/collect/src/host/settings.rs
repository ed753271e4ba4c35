//! Settings that programs start with: locale, time zone, certificate authorities.

use parallax_model::{GapKind, Key, Resource};

use super::facts::{CATEGORIES, Facts, LOCALTIME, Platform, TIMEZONE, unseen};
use super::{parse, surroundings, windows};
use crate::Collected;
use crate::machine::{Batch, Output, ProbeError, Replies, Ticket, VariableValue};

/// The locale that `setlocale` would choose: `LC_ALL`, else the category's variable, else `LANG`, else `C`.
/// `lang` is what holds for all categories; a category is stated where it has another.
pub(super) fn locale(out: &mut Collected, facts: &Facts) {
    if let Some(error) = facts.variables_error() {
        return unseen(out, "host/locale", "environment variables", error);
    }
    let plain = |name: &str| match facts.variable(name) {
        Some(VariableValue::Plain(value)) => Some(value.as_str()),
        Some(VariableValue::Secret(_)) | None => None,
    };
    let for_all = plain("LC_ALL");
    let lang = for_all.or_else(|| plain("LANG")).unwrap_or("C");
    if !parse::is_line(lang) {
        return out.gap(
            "host/locale",
            GapKind::NotParsed,
            "the variables `LC_ALL` and `LANG` name no locale",
        );
    }
    let mut resource = Resource::new(Key::of(["host", "locale"]), "locale").with("lang", lang);
    for name in CATEGORIES {
        let value = if for_all.is_some() { None } else { plain(name) };
        let Some(value) = value.filter(|value| *value != lang) else { continue };
        let category = name.strip_prefix("LC_").unwrap_or(name).to_ascii_lowercase();
        if parse::is_line(value) {
            resource.attributes.set(category.as_str(), value);
        } else {
            let why = format!("the variable `{name}` names no locale");
            out.gap(format!("host/locale#{category}"), GapKind::NotParsed, why);
        }
    }
    out.push(resource);
}

/// Asks for the zone file's hash, where neither `TZ` nor a link names the zone.
pub(super) fn ask_zone(batch: &mut Batch, facts: &Facts) -> Option<Ticket<String>> {
    let named = facts.has_variable("TZ") || linked_zone(&facts.zone_link).is_some();
    (!named && facts.platform != Platform::Unknown).then(|| batch.sha256(LOCALTIME))
}

/// The time zone: `TZ`, else what the C library reads, by the name that its link tells, else by `/etc/timezone`.
/// Where the file has no name, its hash is stated and its name is a gap.
pub(super) fn time_zone(out: &mut Collected, facts: &Facts, hash: Option<Ticket<String>>, replies: &Replies) {
    let resource = Resource::new(Key::of(["host", "time"]), "time");
    if let Some(error) = facts.variables_error() {
        return unseen(out, "host/time", "the variable `TZ`", error);
    }
    if facts.has_variable("TZ") {
        return match facts.variable("TZ") {
            // Set to nothing means UTC.
            None => out.push(resource.with("zone", "UTC")),
            Some(VariableValue::Plain(value)) if parse::zone_of_variable(value).is_some() => {
                out.push(resource.with("zone", parse::zone_of_variable(value).unwrap_or_default()));
            }
            Some(VariableValue::Plain(_) | VariableValue::Secret(_)) => {
                out.gap("host/time", GapKind::NotParsed, "the variable `TZ` names no time zone");
            }
        };
    }
    if let Some(zone) = linked_zone(&facts.zone_link) {
        return out.push(resource.with("zone", zone));
    }
    match hash.map(|ticket| replies.get(ticket)) {
        None => out.gap("host/time", GapKind::Unsupported, format!("{LOCALTIME}: names no time zone")),
        // The C library takes UTC where there is no file.
        Some(Err(ProbeError::NotFound)) => out.push(resource.with("zone", "UTC")),
        Some(Err(error)) => out.gap_unless_absent("host/time", LOCALTIME, &error),
        Some(Ok(hash)) => match facts.hint(TIMEZONE).and_then(parse::zone) {
            Some(zone) => out.push(resource.with("zone", zone)),
            None => {
                let why = format!("{LOCALTIME} is no link and {TIMEZONE} names no zone");
                out.gap("host/time#zone", GapKind::NotParsed, why);
                out.push(resource.with("sha256", hash.as_str()));
            }
        },
    }
}

fn linked_zone(link: &Result<Output, ProbeError>) -> Option<String> {
    let output = link.as_ref().ok().filter(|output| output.status == 0)?;
    parse::zone_of_path(&String::from_utf8_lossy(&output.stdout))
}

/// The bundle that the variable `SSL_CERT_FILE` names.
#[derive(Debug)]
pub(super) enum AskedBundle {
    /// It names none: the system's is taken.
    System,
    /// It names this one.
    Named(String, Ticket<String>),
    /// Its value was masked, or is no path.
    Unclear,
}

/// Asks for the bundle that a variable names, if any does.
pub(super) fn ask_bundle(batch: &mut Batch, facts: &Facts) -> AskedBundle {
    match facts.variable("SSL_CERT_FILE") {
        None => AskedBundle::System,
        Some(VariableValue::Secret(_)) => AskedBundle::Unclear,
        Some(VariableValue::Plain(path)) if !parse::is_line(path) => AskedBundle::Unclear,
        Some(VariableValue::Plain(path)) => {
            let translated = windows::windows_path(path).filter(|_| surroundings::is_wsl(facts));
            let path = translated.unwrap_or_else(|| path.clone());
            let ticket = batch.sha256(path.as_str());
            AskedBundle::Named(path, ticket)
        }
    }
}

/// The bundle of certificate authorities that programs trust, by its hash.
pub(super) fn certificates(out: &mut Collected, facts: &Facts, asked: &AskedBundle, replies: &Replies) {
    const KEY: &str = "host/certificates";
    let resource = Resource::new(Key::of(["host", "certificates"]), "certificates");
    if let Some(error) = facts.variables_error() {
        return unseen(out, KEY, "the variable `SSL_CERT_FILE`", error);
    }
    match asked {
        AskedBundle::Unclear => {
            out.gap(KEY, GapKind::NotParsed, "the variable `SSL_CERT_FILE` was masked or is no path");
        }
        AskedBundle::Named(path, ticket) => {
            // Named and not there: programs trust nobody, which is a state like another.
            let mut resource = resource.with("path", path.as_str());
            match replies.get(*ticket) {
                Ok(hash) => resource.attributes.set("sha256", hash.as_str()),
                Err(ProbeError::NotFound) => resource.attributes.set("sha256", "missing"),
                Err(error) => return out.gap_unless_absent(KEY, path, &error),
            }
            out.push(resource);
        }
        AskedBundle::System => {
            let first = facts.bundles.iter().find(|(_, hash)| !matches!(hash, Err(ProbeError::NotFound)));
            match first {
                Some((path, Ok(hash))) => {
                    out.push(resource.with("path", *path).with("sha256", hash.as_str()));
                }
                Some((path, Err(error))) => out.gap_unless_absent(KEY, path, error),
                None => {}
            }
        }
    }
}
