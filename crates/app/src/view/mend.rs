//! The shortest ways to mend a divergence, as commands to type where there are some. Never holds a
//! secret: what is masked can't be written back.

use parallax_engine::boundary::Divergence;
use parallax_engine::compare::Change;
use parallax_model::{AttributePath, Code, Key, Snapshot, Value};

use crate::usecase::Comparison;

/// Ways to mend, best first; none where there is nothing short to say.
#[must_use]
pub fn mends(divergence: &Divergence, comparison: &Comparison) -> Vec<String> {
    let difference = &divergence.difference;
    let sides = Sides { left: &comparison.left.snapshot, right: &comparison.right.snapshot };
    match difference.code {
        Code::RuntimeMismatch => runtime(divergence, &sides),
        Code::LockfileOutdated => lockfile(divergence, &sides),
        Code::DependencyDrift if difference.key.root() == "lockfile" => lockfile(divergence, &sides),
        Code::EnvDrift => variable(divergence, &sides),
        Code::EnvInvalid => vec![format!(
            "set {} in {} as the schema says, or correct the schema",
            difference.key.after(1),
            divergence.within.as_deref().unwrap_or("that environment")
        )],
        Code::PinConflict => {
            vec!["make the pins and what runs agree: change the one that is wrong".to_owned()]
        }
        Code::ArchMismatch => {
            vec!["build and test for the architecture that the other side runs (docker buildx build --platform)".to_owned()]
        }
        Code::SecretMissing | Code::SecretDrift => vec![format!(
            "set {} where it is wrong; its value is not shown, nor known to Parallax",
            difference.key.after(1)
        )],
        Code::KernelMismatch
        | Code::DependencyDrift
        | Code::IntegrityMismatch
        | Code::FloatingTag
        | Code::ImageDrift
        | Code::ConfigDrift
        | Code::PolicyDrift
        | Code::PermissionDrift
        | Code::NetworkDrift
        | Code::ResourceMissing
        | Code::InfrastructureDrift
        | Code::UndeclaredChange
        | Code::ApprovalExpired
        | Code::Unobserved => Vec::new(),
    }
}

struct Sides<'a> {
    left: &'a Snapshot,
    right: &'a Snapshot,
}

impl Sides<'_> {
    fn left_name(&self) -> String {
        here_or(&self.left.header().environment)
    }

    fn right_name(&self) -> String {
        here_or(&self.right.header().environment)
    }
}

/// `here` for this machine, `in NAME` for others.
fn here_or(name: &str) -> String {
    if name == "local" { "here".to_owned() } else { format!("in {name}") }
}

fn runtime(divergence: &Divergence, sides: &Sides<'_>) -> Vec<String> {
    let difference = &divergence.difference;
    let tool = difference.key.after(1);
    let text = |v: &Option<Value>| v.as_ref().and_then(Value::as_text).map(str::to_owned);
    match (difference.change, text(&difference.left), text(&difference.right)) {
        (Change::Changed, Some(left), Some(right)) => {
            let on_left = format!("{} {}", install(sides.left, &difference.key, &right), sides.left_name());
            let on_right = format!("{} {}", install(sides.right, &difference.key, &left), sides.right_name());
            vec![match pinned(sides, tool, &left, &right) {
                Pinned::Left(place) => format!("{on_right}, or pin {right} in {place}"),
                Pinned::Right(place) => format!("{on_left}, or pin {left} in {place}"),
                Pinned::Both(a, b) => format!("{a} and {b} pin {tool} differently: settle that first"),
                Pinned::Neither => format!("{on_left}, or {on_right}"),
            }]
        }
        (Change::OnlyLeft, _, _) => {
            vec![format!("install {tool} {} {}", version_of(sides.left, &difference.key), sides.right_name())]
        }
        (Change::OnlyRight, _, _) => {
            vec![format!("install {tool} {} {}", version_of(sides.right, &difference.key), sides.left_name())]
        }
        (Change::Changed, _, _) => Vec::new(),
    }
}

/// Which of two versions a project's pins name.
enum Pinned {
    Neither,
    /// The left one, there.
    Left(String),
    /// The right one, there.
    Right(String),
    /// Each one, in another place.
    Both(String, String),
}

fn pinned(sides: &Sides<'_>, tool: &str, left: &str, right: &str) -> Pinned {
    let key = Key::of(["pin", tool]);
    let Some(pin) = sides.left.get(&key).or_else(|| sides.right.get(&key)) else { return Pinned::Neither };
    let place_of = |version: &str, other: &str| {
        pin.attributes.iter().find_map(|attribute| {
            let place = attribute.path.as_str().strip_prefix("by[")?.strip_suffix(']')?.trim_matches('"');
            let said = attribute.value.as_text()?;
            let fits = |version: &str| version == said || version.starts_with(&format!("{said}."));
            (fits(version) && !fits(other)).then(|| place.to_owned())
        })
    };
    match (place_of(left, right), place_of(right, left)) {
        (Some(a), Some(b)) => Pinned::Both(a, b),
        (Some(place), None) => Pinned::Left(place),
        (None, Some(place)) => Pinned::Right(place),
        (None, None) => Pinned::Neither,
    }
}

fn version_of(snapshot: &Snapshot, key: &Key) -> String {
    let version = snapshot.get(key).and_then(|r| r.attributes.get("version"));
    version.map_or_else(String::new, Value::to_string)
}

/// The command of the manager that put the tool there.
fn install(on: &Snapshot, key: &Key, version: &str) -> String {
    let tool = key.after(1);
    let manager =
        on.get(key).and_then(|r| r.attributes.get("manager")).and_then(Value::as_text).unwrap_or("");
    match manager {
        "nvm" => format!("nvm install {version}"),
        "fnm" => format!("fnm install {version} && fnm default {version}"),
        "n" => format!("n {version}"),
        "volta" => format!("volta install {tool}@{version}"),
        "mise" => format!("mise use {tool}@{version}"),
        "asdf" => {
            let plugin = if tool == "node" { "nodejs" } else { tool };
            format!("asdf install {plugin} {version} && asdf set {plugin} {version}")
        }
        "pyenv" => format!("pyenv install {version} && pyenv local {version}"),
        "rbenv" => format!("rbenv install {version} && rbenv local {version}"),
        "sdkman" => format!("sdk install {tool} {version}"),
        "rustup" => format!("rustup toolchain install {version} && rustup override set {version}"),
        "npm" => format!("npm install --global {tool}@{version}"),
        _ => format!("install {tool} {version}"),
    }
}

fn lockfile(divergence: &Divergence, sides: &Sides<'_>) -> Vec<String> {
    let difference = &divergence.difference;
    let path = difference.key.after(1);
    let resource = sides.left.get(&difference.key).or_else(|| sides.right.get(&difference.key));
    let ecosystem = resource.and_then(|r| r.attributes.get("ecosystem")).and_then(Value::as_text);
    let install = match ecosystem {
        Some("npm") if path.ends_with("package-lock.json") => "npm ci",
        Some("npm") if path.ends_with("pnpm-lock.yaml") => "pnpm install --frozen-lockfile",
        Some("npm") if path.ends_with("yarn.lock") => "yarn install --immutable",
        Some("cargo") => "cargo build --locked",
        Some(_) | None => "the installer that respects it",
    };
    match (&divergence.within, difference.attribute.as_ref().map(AttributePath::as_str)) {
        (Some(environment), Some("declared")) => {
            let update = updating(path);
            vec![format!(
                "run {update} {} and commit {path}, or take the manifest back",
                here_or(environment)
            )]
        }
        (Some(environment), Some("installed")) => vec![format!("run {install} {}", here_or(environment))],
        (None, Some("installed" | "selected")) => Vec::new(),
        (_, _) => vec![format!(
            "bring the right {path} to both (git pull, or commit the one that is right), then run {install} {}",
            sides.right_name()
        )],
    }
}

/// What brings a lockfile to what the manifests ask for.
fn updating(path: &str) -> &'static str {
    match path.rsplit('/').next().unwrap_or(path) {
        "package-lock.json" | "npm-shrinkwrap.json" => "npm install",
        "pnpm-lock.yaml" => "pnpm install",
        "yarn.lock" => "yarn install",
        "bun.lock" => "bun install",
        "uv.lock" => "uv lock",
        "poetry.lock" => "poetry lock",
        "pdm.lock" => "pdm lock",
        "Pipfile.lock" => "pipenv lock",
        "Cargo.lock" => "cargo update --workspace",
        "go.sum" => "go mod tidy",
        "Gemfile.lock" => "bundle lock",
        "composer.lock" => "composer update --lock",
        _ => "the package manager",
    }
}

fn variable(divergence: &Divergence, sides: &Sides<'_>) -> Vec<String> {
    let difference = &divergence.difference;
    let name = difference.key.after(1);
    let mend = match difference.change {
        Change::OnlyLeft => format!("set {name} {}, or unset it {}", sides.right_name(), sides.left_name()),
        Change::OnlyRight => format!("set {name} {}, or unset it {}", sides.left_name(), sides.right_name()),
        Change::Changed => format!("set {name} to one value on both sides"),
    };
    vec![mend]
}
