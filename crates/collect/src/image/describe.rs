//! What an image's configuration says, as the resource `image/<repository>`. Its variables are not here: they are
//! `env/<NAME>`, as a host's are.

use parallax_model::{Attribute, Key, PathBuilder, Resource, Value};

use super::{Reference, Resolved};
use crate::secret::{Fingerprinter, RawSecret, is_secret, redact_text};

/// The resource of an image.
pub(super) fn describe(reference: &Reference, image: &Resolved, fingerprinter: &Fingerprinter) -> Resource {
    let name = reference.repository();
    // An official image is known by its last name.
    let name = name.strip_prefix("library/").filter(|_| reference.registry() == "docker.io").unwrap_or(name);
    let mut out = Describing { fingerprinter, list: Vec::new() };
    out.set("registry", reference.registry());
    out.set_optional("tag", reference.tag());
    out.set_optional("digest", image.digest.as_deref());
    out.set_optional("index", image.index.as_deref());
    out.set("id", &image.manifest.config.digest);
    let platforms: Vec<String> = image.platforms.iter().map(ToString::to_string).collect();
    out.set("platforms", &platforms.join(" "));
    let config = &image.config;
    out.set("os", &config.os);
    out.set("architecture", &config.architecture);
    out.set("variant", &config.variant);
    out.set_optional("created", config.created.as_deref());
    let process = &config.config;
    out.set_optional("user", process.user.as_deref());
    out.set_optional("working_dir", process.working_dir.as_deref());
    out.set_optional("stop_signal", process.stop_signal.as_deref());
    out.words("entrypoint", process.entrypoint.as_deref().unwrap_or_default());
    out.words("cmd", process.cmd.as_deref().unwrap_or_default());
    for (field, set) in [("ports", &process.exposed_ports), ("volumes", &process.volumes)] {
        let names: Vec<&str> = set.iter().flatten().map(|(name, _)| name.as_str()).collect();
        out.set(field, &names.join(" "));
    }
    for (label, value) in process.labels.iter().flatten() {
        out.label(label, value);
    }
    let mut resource = Resource::new(Key::of(["image", name]), "image");
    resource.attributes = parallax_model::Attributes::from_unsorted(out.list);
    resource
}

struct Describing<'f> {
    fingerprinter: &'f Fingerprinter,
    list: Vec<Attribute>,
}

impl Describing<'_> {
    /// Empty is the same as not set.
    fn set(&mut self, path: &str, value: &str) {
        if !value.is_empty() {
            self.list.push(Attribute { path: path.into(), value: redact_text(value).as_str().into() });
        }
    }

    fn set_optional(&mut self, path: &str, value: Option<&str>) {
        self.set(path, value.unwrap_or_default());
    }

    /// A command's words, those with white space in quotes.
    fn words(&mut self, path: &str, words: &[String]) {
        let quoted = |word: &String| {
            let is_plain =
                !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c == '"' || c == '\'');
            if is_plain { word.clone() } else { Value::text(word.as_str()).to_json() }
        };
        let joined: Vec<String> = words.iter().map(quoted).collect();
        let (plain, joined) = (words.join(" "), joined.join(" "));
        if is_secret("", &plain) {
            self.list.push(Attribute { path: path.into(), value: self.masked(&plain) });
        } else {
            self.set(path, &joined);
        }
    }

    fn label(&mut self, label: &str, value: &str) {
        let path = PathBuilder::new().field("labels").item(label).path();
        let value = if is_secret(label, value) {
            self.masked(value)
        } else {
            Value::text(redact_text(value).as_str())
        };
        self.list.push(Attribute { path, value });
    }

    fn masked(&self, text: &str) -> Value {
        Value::Secret(self.fingerprinter.fingerprint(&RawSecret::new(text)))
    }
}
