//! Which registry is asked, and with which credential: from the installers' own files and variables (`.npmrc`, `pip.conf`,
//! `uv.toml`, cargo's `config.toml` and `credentials.toml`). What is read here goes to that registry and nowhere else.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::Asked;
use super::connection::{Failure, base64};

const NPM: &str = "https://registry.npmjs.org";
const PYPI: &str = "https://pypi.org/simple";
const CRATES: &str = "https://index.crates.io";
/// More is not read of one file.
const MOST_BYTES: u64 = 1 << 20;

/// A registry.
#[derive(Clone, Default)]
pub(super) struct Place {
    /// Its address without a slash at its end, and without credentials.
    pub(super) base: String,
    /// What the header `Authorization` says.
    pub(super) authorization: Option<String>,
}

/// Without the credential.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.host())
    }
}

impl Place {
    /// From an address that may hold user and password.
    fn of(url: &str) -> Self {
        let url = url.trim().trim_end_matches('/');
        let Some((scheme, rest)) = url.split_once("://") else {
            return Self { base: url.to_owned(), authorization: None };
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let Some((user, host)) = authority.rsplit_once('@') else {
            return Self { base: url.to_owned(), authorization: None };
        };
        let user = if user.contains(':') { decoded(user) } else { format!("{}:", decoded(user)) };
        Self {
            base: format!("{scheme}://{host}{path}"),
            authorization: Some(format!("Basic {}", base64(user.as_bytes()))),
        }
    }

    /// Its host and port, which is all that is told of it.
    pub(super) fn host(&self) -> &str {
        let rest = self.base.split_once("://").map_or(self.base.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    pub(super) fn not_understood(&self) -> Failure {
        Failure::Refused(format!("{} gives something else than a registry does", self.host()))
    }
}

/// All registries that are configured.
#[derive(Default)]
pub(super) struct Places {
    /// `.npmrc`: field and value, the nearer file first.
    npm: Vec<(String, String)>,
    pypi: Option<String>,
    cargo: Option<String>,
    cargo_tokens: BTreeMap<String, String>,
    certificates: Vec<PathBuf>,
}

impl Places {
    /// Reads what is configured for a project, for the user and for the machine.
    pub(super) fn read(project: &Path) -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let mut places = Self::default();
        for name in ["npm_config_registry", "NPM_CONFIG_REGISTRY"] {
            places.npm.extend(variable(name).map(|value| ("registry".to_owned(), value)));
        }
        let user = variable("NPM_CONFIG_USERCONFIG").map_or_else(|| home.join(".npmrc"), PathBuf::from);
        for path in [project.join(".npmrc"), user, PathBuf::from("/etc/npmrc")] {
            places.npm.extend(settings(&text(&path)).map(|(name, value)| (name, expanded(&value))));
        }
        places.python(project, &home);
        places.crates(project, &home);
        places.certificates.extend(places.npm_field("cafile").map(PathBuf::from));
        places.certificates.extend(variable("PIP_CERT").map(PathBuf::from));
        places
    }

    fn python(&mut self, project: &Path, home: &Path) {
        let variables = ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"];
        self.pypi = variables.iter().find_map(|name| variable(name));
        let uv = [project.join("uv.toml"), home.join(".config/uv/uv.toml"), "/etc/uv/uv.toml".into()];
        for path in uv {
            let table: Option<toml::Table> = toml::from_str(&text(&path)).ok();
            let found = table.as_ref().and_then(uv_index);
            self.pypi = self.pypi.take().or(found);
        }
        let manifest: Option<toml::Table> = toml::from_str(&text(&project.join("pyproject.toml"))).ok();
        let own =
            manifest.as_ref().and_then(|manifest| uv_index(manifest.get("tool")?.get("uv")?.as_table()?));
        self.pypi = self.pypi.take().or(own);
        let named = variable("PIP_CONFIG_FILE").map(PathBuf::from);
        let usual = [home.join(".config/pip/pip.conf"), home.join(".pip/pip.conf"), "/etc/pip.conf".into()];
        for path in named.into_iter().chain(usual) {
            for (name, value) in settings(&text(&path)) {
                match name.as_str() {
                    "index-url" | "index_url" => self.pypi = self.pypi.take().or(Some(value)),
                    "cert" => self.certificates.push(PathBuf::from(value)),
                    _ => {}
                }
            }
        }
    }

    fn crates(&mut self, project: &Path, home: &Path) {
        let own = variable("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
        let folders: Vec<PathBuf> =
            project.ancestors().map(|folder| folder.join(".cargo")).chain([own.clone()]).collect();
        let mut indexes: BTreeMap<String, String> = BTreeMap::new();
        for folder in folders {
            let Ok(table) = toml::from_str::<toml::Table>(&text(&folder.join("config.toml"))) else {
                continue;
            };
            let at = |path: &[&str]| lookup(&table, path);
            if let Some(name) = at(&["source", "crates-io", "replace-with"]) {
                let source =
                    at(&["source", &name, "registry"]).or_else(|| at(&["registries", &name, "index"]));
                self.cargo = self.cargo.take().or(source);
            }
            for (name, registry) in
                table.get("registries").and_then(toml::Value::as_table).into_iter().flatten()
            {
                if let Some(index) = registry.get("index").and_then(toml::Value::as_str) {
                    indexes.insert(name.clone(), sparse(index).to_owned());
                }
            }
            self.certificates.extend(at(&["http", "cainfo"]).map(PathBuf::from));
        }
        let credentials: toml::Table =
            toml::from_str(&text(&own.join("credentials.toml"))).unwrap_or_default();
        for (name, index) in indexes {
            let named = format!("CARGO_REGISTRIES_{}_TOKEN", name.to_uppercase().replace('-', "_"));
            let token = variable(&named).or_else(|| lookup(&credentials, &["registries", &name, "token"]));
            if let Some(token) = token {
                self.cargo_tokens.insert(index.trim_end_matches('/').to_owned(), token);
            }
        }
    }

    /// Certificates of authorities beyond the system's own.
    pub(super) fn certificates(&self) -> Vec<PathBuf> {
        self.certificates.clone()
    }

    fn npm_field(&self, name: &str) -> Option<&str> {
        self.npm.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn npm(&self, asked: &Asked) -> Place {
        let scope = asked.name.split_once('/').map(|(scope, _)| format!("{scope}:registry"));
        let configured =
            || scope.as_deref().and_then(|s| self.npm_field(s)).or_else(|| self.npm_field("registry"));
        let url = asked.registry.as_deref().or_else(configured).unwrap_or(NPM);
        let mut place = Place::of(url);
        // Credentials are kept by address: `//host/path/:_authToken`, the longest that fits.
        let address = place.base.split_once("://").map_or(String::new(), |(_, rest)| format!("//{rest}/"));
        let mut part = address.as_str();
        while place.authorization.is_none() && part.len() > 2 {
            let field = |name: &str| self.npm_field(&format!("{part}:{name}"));
            let bearer = field("_authToken").map(|token| format!("Bearer {token}"));
            place.authorization = bearer.or_else(|| field("_auth").map(|basic| format!("Basic {basic}")));
            part = part
                .trim_end_matches('/')
                .rsplit_once('/')
                .map_or("", |(before, _)| address.get(..before.len() + 1).unwrap_or_default());
        }
        place
    }

    pub(super) fn pypi(&self, asked: &Asked) -> Place {
        let configured = Place::of(self.pypi.as_deref().unwrap_or(PYPI));
        match &asked.registry {
            // The lockfile's address has lost its credentials; those of the configured index are for its own host.
            Some(url) => {
                let own = Place::of(url);
                let authorization = configured
                    .authorization
                    .filter(|_| Place::of(self.pypi.as_deref().unwrap_or(PYPI)).host() == own.host());
                Place { authorization, ..own }
            }
            None => configured,
        }
    }

    pub(super) fn cargo(&self, asked: &Asked) -> Result<Place, Failure> {
        let named = asked.registry.as_deref().or(self.cargo.as_deref()).unwrap_or(CRATES);
        let base = sparse(named).trim_end_matches('/').to_owned();
        if !base.starts_with("http") || base.ends_with(".git") {
            return Err(Failure::Refused(
                "an index of crates that is a git repository is not asked".to_owned(),
            ));
        }
        let authorization = self.cargo_tokens.get(&base).cloned();
        Ok(Place { authorization, ..Place::of(&base) })
    }

    /// The address that is asked about a package, without credentials.
    pub(super) fn address(&self, asked: &Asked) -> String {
        match asked.ecosystem {
            "npm" => self.npm(asked).base,
            "pypi" => self.pypi(asked).base,
            _ => self.cargo(asked).map(|place| place.base).unwrap_or_default(),
        }
    }
}

fn sparse(index: &str) -> &str {
    index.strip_prefix("sparse+").or_else(|| index.strip_prefix("registry+")).unwrap_or(index)
}

fn uv_index(table: &toml::Table) -> Option<String> {
    let listed = table.get("index").and_then(toml::Value::as_array).into_iter().flatten();
    let default = listed.filter(|index| index.get("default").and_then(toml::Value::as_bool) == Some(true));
    let mut urls = default.filter_map(|index| index.get("url")?.as_str().map(str::to_owned));
    urls.next().or_else(|| {
        table.get("index-url").or(table.get("pip")?.get("index-url"))?.as_str().map(str::to_owned)
    })
}

fn lookup(table: &toml::Table, path: &[&str]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let found = rest.iter().try_fold(table.get(*first)?, |value, name| value.get(name));
    found.and_then(toml::Value::as_str).map(str::to_owned)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A file's text; nothing where there is none, or where it is too large to be one.
fn text(path: &Path) -> String {
    use std::io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(path).ok().filter(|file| file.metadata().is_ok_and(|m| m.is_file()));
    let read = file.map(|file| file.take(MOST_BYTES).read_to_string(&mut text));
    if read.is_some_and(|read| read.is_ok()) { text } else { String::new() }
}

/// `name = value` of each line.
fn settings(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        let (name, value) = line.split_once('=').filter(|_| !line.starts_with(['#', ';']))?;
        Some((name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
    })
}

/// Replaces `${NAME}` by the variable, as npm does.
fn expanded(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, left)) = after.split_once('}') else { return value.to_owned() };
        out.push_str(&variable(name.trim_end_matches('?')).unwrap_or_default());
        rest = left;
    }
    out.push_str(rest);
    out
}

/// `%40` is `@`.
fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, left)) = rest.split_first() {
        let digits = left.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = left.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = left;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(ecosystem: &'static str, name: &str, registry: Option<&str>) -> Asked {
        Asked { ecosystem, name: name.into(), version: "1".into(), registry: registry.map(str::to_owned) }
    }

    #[test]
    fn npms_own_rules() {
        let text = "registry=https://a.example/npm/\n@s:registry = https://b.example\n; c=1\n//b.example/:_authToken=t0ken\n//a.example/:_auth=QQ==\n";
        let places = Places { npm: settings(text).collect(), ..Places::default() };
        let check = |name: &str, registry: Option<&str>, base: &str, authorization: Option<&str>| {
            let place = places.npm(&asked("npm", name, registry));
            assert_eq!(
                (place.base.as_str(), place.authorization.as_deref()),
                (base, authorization),
                "{name}"
            );
            assert!(!format!("{place:?}").contains("t0ken"));
        };
        check("x", None, "https://a.example/npm", Some("Basic QQ=="));
        check("@s/x", None, "https://b.example", Some("Bearer t0ken"));
        check("x", Some("https://c.example"), "https://c.example", None);
        check("x", Some("https://b.example.evil"), "https://b.example.evil", None);
    }

    #[test]
    fn addresses_with_users() {
        let place = Place::of("https://me:p%40ss@h.example:8/simple/");
        assert_eq!((place.base.as_str(), place.host()), ("https://h.example:8/simple", "h.example:8"));
        assert_eq!(place.authorization.as_deref(), Some("Basic bWU6cEBzcw=="));
        let places = Places { pypi: Some("https://me:x@h.example/simple".into()), ..Places::default() };
        assert!(places.pypi(&asked("pypi", "a", None)).authorization.is_some());
        assert!(places.pypi(&asked("pypi", "a", Some("https://h.example/other"))).authorization.is_some());
        assert!(places.pypi(&asked("pypi", "a", Some("https://g.example/simple"))).authorization.is_none());
    }

    #[test]
    fn indexes_of_crates() {
        let places = Places { cargo: Some("sparse+https://m.example/index/".into()), ..Places::default() };
        assert_eq!(places.cargo(&asked("cargo", "a", None)).unwrap().base, "https://m.example/index");
        assert_eq!(Places::default().cargo(&asked("cargo", "a", None)).unwrap().base, CRATES);
        assert!(places.cargo(&asked("cargo", "a", Some("ssh://git@h/index"))).is_err());
    }
}
