//! The lockfiles that are known by name: whose packages they fix, and in what format. Data; reads no file.

/// A known lockfile.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Its name, or a pattern with one `*`.
    pub(super) name: &'static str,
    /// Whose packages it fixes.
    pub(super) ecosystem: &'static str,
    /// Its format, as far as the name tells.
    pub(super) format: &'static str,
}

const fn known(name: &'static str, ecosystem: &'static str, format: &'static str) -> Known {
    Known { name, ecosystem, format }
}

/// All that are looked for.
pub(super) const KNOWN: &[Known] = &[
    known(".terraform.lock.hcl", "terraform", "terraform"),
    known("Cargo.lock", "cargo", "cargo"),
    known("Chart.lock", "helm", "helm"),
    known("Gemfile.lock", "gem", "bundler"),
    known("MODULE.bazel.lock", "bazel", "bazel"),
    known("Package.resolved", "swift", "swift"),
    known("Pipfile.lock", "pypi", "pipenv"),
    known("Podfile.lock", "cocoapods", "cocoapods"),
    known("bun.lock", "npm", "bun"),
    known("bun.lockb", "npm", "bun-binary"),
    known("cabal.project.freeze", "hackage", "cabal"),
    known("composer.lock", "composer", "composer"),
    known("conan.lock", "conan", "conan"),
    known("conda-lock.yml", "conda", "conda"),
    known("deno.lock", "deno", "deno"),
    known("devbox.lock", "nix", "devbox"),
    known("devcontainer-lock.json", "devcontainer", "devcontainer"),
    known("flake.lock", "nix", "flake"),
    known("go.sum", "go", "go-sum"),
    known("gradle.lockfile", "maven", "gradle"),
    known("mise.lock", "mise", "mise"),
    known("mix.lock", "hex", "mix"),
    known("npm-shrinkwrap.json", "npm", "npm"),
    known("package-lock.json", "npm", "npm"),
    known("packages.lock.json", "nuget", "nuget"),
    known("pdm.lock", "pypi", "pdm"),
    known("pixi.lock", "conda", "pixi"),
    known("pnpm-lock.yaml", "npm", "pnpm"),
    known("poetry.lock", "pypi", "poetry"),
    known("pubspec.lock", "pub", "pub"),
    known("pylock.toml", "pypi", "pylock"),
    known("pylock.*.toml", "pypi", "pylock"),
    known("rebar.lock", "hex", "rebar"),
    known("renv.lock", "cran", "renv"),
    known("requirements*.txt", "pypi", "requirements"),
    known("stack.yaml.lock", "hackage", "stack"),
    known("uv.lock", "pypi", "uv"),
    known("verification-metadata.xml", "maven", "gradle-verification"),
    known("yarn.lock", "npm", "yarn"),
];

/// The lockfile that a path is, by its name.
pub(super) fn by_path(path: &str) -> Option<&'static Known> {
    let name = path.rsplit('/').next().unwrap_or(path);
    KNOWN.iter().find(|known| fits(known.name, name))
}

/// Whether a name is a name or a pattern with one `*`.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        None => pattern == name,
    }
}

/// Whether its packages are read, and not its bytes alone.
pub(super) fn is_npm(known: &Known) -> bool {
    known.format == "npm"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(by_path(path).map(|known| known.format), expected, "{path}");
        };
        check("package-lock.json", Some("npm"));
        check("services/api/yarn.lock", Some("yarn"));
        check("requirements-dev.txt", Some("requirements"));
        check("pylock.dev.toml", Some("pylock"));
        check("package.json", None);
        check("", None);
    }
}
