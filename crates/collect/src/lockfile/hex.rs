//! `mix.lock` of Elixir and `rebar.lock` of Erlang. <https://hexdocs.pm/mix/Mix.Tasks.Deps.html>,
//! <https://rebar3.org/docs/configuration/dependencies/#lock-files>
//!
//! Mix does not tell what is direct; rebar does, by the level. Neither tells what is for development.

use std::collections::BTreeMap;

use super::graph::{connect, edge};
use super::term::{Term, Terms};
use super::{Edge, Files, Locked, Malformed, Origin, Package};

/// The registry that Mix takes by default.
const DEFAULT: &str = "hexpm";

pub(super) fn mix(files: &Files<'_>) -> Result<Locked, Malformed> {
    let mut terms = Terms::of(files.text()?);
    let Some(Term::Map(entries)) = terms.next()? else {
        return Err(Malformed { line: 1, column: 1, what: "not a map" });
    };
    let mut locked = Locked::default();
    for entry in &entries {
        let package = match entry.items() {
            [name, value] => mix_package(name.text().unwrap_or_default(), value.items()),
            _ => None,
        };
        match package {
            Some(package) => locked.packages.push(package),
            None => locked.unclear.push(terms.unclear(entry, NEITHER)),
        }
    }
    connect(&mut locked.packages);
    Ok(locked)
}

const NEITHER: &str = "a package that is neither from hex nor from git";

/// `{:hex, :name, "1.0.0", "inner hash", [:mix], [needs], "repository", "outer hash"}` or `{:git, "url", "commit", [options]}`.
fn mix_package(app: &str, value: &[Term]) -> Option<Package> {
    match value {
        [kind, name, version, rest @ ..] if kind.text() == Some("hex") => {
            let hashes = [("sha256", rest.get(4)), ("inner-sha256", rest.first())];
            let repository = rest.get(3).and_then(Term::text).unwrap_or(DEFAULT);
            let needs = rest.get(2).map(Term::items).unwrap_or_default();
            Some(Package {
                name: name.text().filter(|name| !name.is_empty())?.to_owned(),
                version: version.text().filter(|version| !version.is_empty())?.to_owned(),
                integrity: integrity(hashes.map(|(kind, hash)| (kind, hash.and_then(Term::text)))),
                origin: (repository != DEFAULT).then(|| Origin::registry(repository)),
                needs: needs.iter().filter_map(mix_need).collect(),
                ..Package::default()
            })
        }
        [kind, url, commit, ..] if kind.text() == Some("git") && !app.is_empty() => Some(Package {
            name: app.to_owned(),
            version: commit.text()?.to_owned(),
            origin: Some(Origin::git(url.text()?)),
            ..Package::default()
        }),
        _ => None,
    }
}

/// `{:jason, "~> 1.0", [hex: :jason, repo: "hexpm", optional: true]}`: the package's name may differ from the application's.
fn mix_need(need: &Term) -> Option<Edge> {
    let [app, _, options @ ..] = need.items() else { return None };
    let name = options.first().and_then(|options| options.get("hex")).or(Some(app))?;
    Some(edge(name.text()?))
}

fn integrity<const N: usize>(hashes: [(&str, Option<&str>); N]) -> Vec<String> {
    let said =
        hashes.into_iter().filter_map(|(kind, hash)| Some((kind, hash.filter(|hash| !hash.is_empty())?)));
    let mut all: Vec<String> =
        said.map(|(kind, hash)| format!("{kind}:{}", hash.to_ascii_lowercase())).collect();
    all.sort();
    all
}

pub(super) fn rebar(files: &Files<'_>) -> Result<Locked, Malformed> {
    let mut terms = Terms::of(files.text()?);
    let Some(first) = terms.next()? else { return Ok(Locked::default()) };
    let mut locked = Locked::default();
    // Without a version in front it is the first version's bare list.
    let entries = match first.items() {
        [version @ Term::Text(_), list] => {
            version.text().unwrap_or_default().clone_into(&mut locked.version);
            list.items()
        }
        entries => entries,
    };
    let hashes = terms.next()?;
    let (inner, outer) = (table(hashes.as_ref(), "pkg_hash"), table(hashes.as_ref(), "pkg_hash_ext"));
    for entry in entries {
        match rebar_package(entry, &inner, &outer) {
            Some(package) => locked.packages.push(package),
            None => locked.unclear.push(terms.unclear(entry, NEITHER)),
        }
    }
    Ok(locked)
}

/// The hashes of one sort, by application.
fn table<'t>(hashes: Option<&'t Term>, kind: &str) -> BTreeMap<&'t str, &'t str> {
    let list = hashes.and_then(|hashes| hashes.get(kind)).map(Term::items).unwrap_or_default();
    let pair = |pair: &'t Term| match pair.items() {
        [name, hash] => Some((name.text()?, hash.text()?)),
        _ => None,
    };
    list.iter().filter_map(pair).collect()
}

/// `{<<"app">>, {pkg, <<"name">>, <<"1.0.0">>}, 0}` or `{<<"app">>, {git, "url", {ref, "commit"}}, 1}`.
fn rebar_package(
    entry: &Term,
    inner: &BTreeMap<&str, &str>,
    outer: &BTreeMap<&str, &str>,
) -> Option<Package> {
    let [app, source, level] = entry.items() else { return None };
    let app = app.text()?;
    let direct = Some(level.text()? == "0");
    match source.items() {
        [kind, name, version, ..] if kind.text() == Some("pkg") => Some(Package {
            name: name.text()?.to_owned(),
            version: version.text()?.to_owned(),
            integrity: integrity([
                ("inner-sha256", inner.get(app).copied()),
                ("sha256", outer.get(app).copied()),
            ]),
            direct,
            ..Package::default()
        }),
        [kind, url, commit, ..] if matches!(kind.text(), Some("git" | "git_subdir")) => Some(Package {
            name: app.to_owned(),
            version: commit.items().get(1)?.text()?.to_owned(),
            origin: Some(Origin::git(url.text()?)),
            direct,
            ..Package::default()
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;

    #[test]
    fn packages_of_mix() {
        shown::check(
            shown::read(
                mix,
                "%{\n  \"decimal\": {:hex, :decimal, \"2.1.1\", \"AA\", [:mix], [], \"hexpm\", \"bb\"},\n  \"j\": {:hex, :jason, \"1.4.1\", \"cc\", [:mix], [{:dec, \"~> 2.0\", [hex: :decimal, repo: \"hexpm\", optional: true]}, {:x, \"1\", [hex: :x]}], \"acme\", \"dd\"},\n  \"g\": {:git, \"https://t:k@h.example/g.git\", \"0123abc\", [branch: \"main\"]},\n  \"old\": {:hex, :old, \"0.1.0\"},\n  \"p\": {:path, \"x\"},\n}\n",
            ),
            &[
                "decimal 2.1.1 [inner-sha256:aa sha256:bb]",
                "jason 1.4.1 [inner-sha256:cc sha256:dd] registry(acme) -> decimal@2.1.1",
                "g 0123abc git(https://h.example/g.git)",
                "old 0.1.0",
                "! 6:3: a package that is neither from hex nor from git",
            ],
        );
        shown::hostile(mix);
        shown::check(shown::read(mix, ""), &["!! 1:1: not a map"]);
        shown::check(shown::read(mix, "%{\n \"a\": {:hex,"), &["!! 2:13: ends too early"]);
    }

    #[test]
    fn packages_of_rebar() {
        shown::check(
            shown::read(
                rebar,
                "{\"1.2.0\",\n[{<<\"certifi\">>,{pkg,<<\"certifi\">>,<<\"2.9.0\">>},1},\n {<<\"g\">>,\n  {git,\"https://h.example/g.git\",\n       {ref,\"0123abc\"}},\n  0}]}.\n[\n{pkg_hash,[\n {<<\"certifi\">>, <<\"AA\">>}]},\n{pkg_hash_ext,[\n {<<\"certifi\">>, <<\"BB\">>}]}\n].\n",
            ),
            &[
                "certifi 2.9.0 [inner-sha256:aa sha256:bb] indirect",
                "g 0123abc git(https://h.example/g.git) direct",
            ],
        );
        shown::check(
            shown::read(rebar, "[{<<\"a\">>,{pkg,<<\"a\">>,<<\"1\">>},0}, x].\n"),
            &["a 1 direct", "! 1:1: a package that is neither from hex nor from git"],
        );
        shown::check(shown::read(rebar, "[].\n"), &[]);
        shown::hostile(rebar);
    }
}
