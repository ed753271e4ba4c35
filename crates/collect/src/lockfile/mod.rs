//! Lockfiles: what each known format fixes, as packages. One file per ecosystem, one row per format.
//!
//! Readers are pure: bytes in, [`Locked`] out, or a [`Malformed`] with its line. They keep no text of a file that may hold a
//! credential, allocate in proportion to the file, and do not judge. What is installed from a lock on a given
//! platform is decided elsewhere, by the [`Package::when`] of each package.
//!
//! To add a format: a reader `fn(&Files<'_>) -> Result<Locked, Malformed>` in its ecosystem's file, and its row in [`FORMATS`].

mod cargo;
#[cfg(test)]
mod cases;
mod cocoapods;
mod composer;
mod conan;
mod conda;
mod cran;
mod declared;
mod devcontainer;
mod files;
mod gem;
mod go;
mod graph;
mod haskell;
mod helm;
mod hex;
mod javascript;
pub(crate) mod json;
mod jvm;
mod malformed;
mod mise;
mod nix;
mod nuget;
mod origin;
mod package;
mod platform;
mod pub_dev;
mod purl;
pub(crate) mod python;
#[cfg(test)]
mod shown;
mod swift;
mod term;
mod terraform;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use declared::{Declared, Requests, declared};
pub use files::Files;
pub use malformed::Malformed;
pub use package::{Edge, Locked, Origin, Package};
pub(crate) use purl::of as purl;
pub(crate) use python::normalised as pypi_name;

/// How a lockfile's packages are read.
pub type Reader = fn(&Files<'_>) -> Result<Locked, Malformed>;

/// A known format.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The file's name, or a pattern with one `*`.
    pub name: &'static str,
    /// Whose packages it fixes; the second segment of their keys.
    pub ecosystem: &'static str,
    /// Its short name.
    pub id: &'static str,
    /// How its packages are read; without it the file's hash is all that is compared.
    pub read: Option<Reader>,
}

impl Format {
    /// Whether other files of this format may be parts of one.
    pub(crate) fn includes(&self) -> bool {
        self.id == "requirements"
    }
}

const fn read(name: &'static str, ecosystem: &'static str, id: &'static str, read: Reader) -> Format {
    Format { name, ecosystem, id, read: Some(read) }
}

const fn unread(name: &'static str, ecosystem: &'static str, id: &'static str) -> Format {
    Format { name, ecosystem, id, read: None }
}

/// All that are looked for, by name.
pub const FORMATS: &[Format] = &[
    read(".terraform.lock.hcl", "terraform", "terraform", terraform::read),
    read("Cargo.lock", "cargo", "cargo", cargo::read),
    read("Chart.lock", "helm", "helm", helm::read),
    read("Gemfile.lock", "gem", "bundler", gem::read),
    unread("MODULE.bazel.lock", "bazel", "bazel"),
    read("Package.resolved", "swift", "swift", swift::read),
    read("Pipfile.lock", "pypi", "pipenv", python::pipenv),
    read("Podfile.lock", "cocoapods", "cocoapods", cocoapods::read),
    read("bun.lock", "npm", "bun", javascript::bun::read),
    unread("bun.lockb", "npm", "bun-binary"),
    read("cabal.project.freeze", "hackage", "cabal", haskell::cabal),
    read("composer.lock", "composer", "composer", composer::read),
    read("conan.lock", "conan", "conan", conan::read),
    read("conda-lock.yml", "conda", "conda", conda::conda_lock),
    read("deno.lock", "deno", "deno", javascript::deno::read),
    read("devbox.lock", "nix", "devbox", nix::devbox),
    read("devcontainer-lock.json", "devcontainer", "devcontainer", devcontainer::read),
    read("flake.lock", "nix", "flake", nix::flake),
    read("go.sum", "go", "go-sum", go::read),
    read("gradle.lockfile", "maven", "gradle", jvm::lock),
    read("mise.lock", "mise", "mise", mise::read),
    read("mix.lock", "hex", "mix", hex::mix),
    read("npm-shrinkwrap.json", "npm", "npm", javascript::npm::read),
    read("package-lock.json", "npm", "npm", javascript::npm::read),
    read("packages.lock.json", "nuget", "nuget", nuget::read),
    read("pdm.lock", "pypi", "pdm", python::pdm),
    read("pixi.lock", "conda", "pixi", conda::pixi),
    read("pnpm-lock.yaml", "npm", "pnpm", javascript::pnpm::read),
    read("poetry.lock", "pypi", "poetry", python::poetry),
    read("pubspec.lock", "pub", "pub", pub_dev::read),
    read("pylock.toml", "pypi", "pylock", python::pylock),
    read("pylock.*.toml", "pypi", "pylock", python::pylock),
    read("rebar.lock", "hex", "rebar", hex::rebar),
    read("renv.lock", "cran", "renv", cran::read),
    read("requirements*.txt", "pypi", "requirements", python::requirements),
    read("stack.yaml.lock", "hackage", "stack", haskell::stack),
    read("uv.lock", "pypi", "uv", python::uv),
    read("verification-metadata.xml", "maven", "gradle-verification", jvm::verification),
    read("yarn.lock", "npm", "yarn", javascript::yarn::read),
];

/// Files that are no lockfiles and that readers may look at beside one, by name or by a pattern with one `*`; those that
/// pin tools (`package.json`, `go.mod`, `pyproject.toml` ...) are there anyway.
pub const BESIDE: &[&str] = &[
    "Chart.yaml",
    "composer.json",
    "constraints*.txt",
    "deno.json",
    "deno.jsonc",
    "devbox.json",
    "pixi.toml",
    "pubspec.yaml",
    "requirements*.in",
];

/// The format that a path is, by its name.
#[must_use]
pub fn by_path(path: &str) -> Option<&'static Format> {
    let name = path.rsplit('/').next().unwrap_or(path);
    FORMATS.iter().find(|format| fits(format.name, name))
}

/// Whether a name is a name or a pattern with one `*`.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        None => pattern == name,
    }
}
