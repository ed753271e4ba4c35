//! `renv.lock` of R. <https://rstudio.github.io/renv/articles/lockfile.html>
//!
//! renv's hash is of a package's description, not of its contents. What R itself brings is no package here.

use std::collections::BTreeSet;

use super::graph::{connect, edge};
use super::tree::{Source, Tree};
use super::{Files, Locked, Malformed, Origin, Package};

pub(super) fn read(files: &Files<'_>) -> Result<Locked, Malformed> {
    let source = Source::json(files)?;
    let Some(list) = source.root.get("Packages") else {
        return Err(Malformed { line: 1, column: 1, what: "no field `Packages`" });
    };
    let mut locked = Locked::default();
    for (name, entry) in list.fields() {
        match package(name, entry) {
            Some(package) => locked.packages.push(package),
            None => locked.unclear.push(source.unclear_field(name, "a package without name or version")),
        }
    }
    connect(&mut locked.packages);
    Ok(locked)
}

fn package(name: &str, entry: &Tree<'_>) -> Option<Package> {
    let version = entry.said("Version")?;
    let commit = entry.said("RemoteSha").filter(|sha| sha.len() >= 40);
    let origin = origin(entry);
    let git = matches!(origin, Some(Origin::Git(_)));
    let lists = ["Requirements", "Depends", "Imports", "LinkingTo"];
    // `R (>= 3.5)`: the name stands before its bounds.
    let needs: BTreeSet<&str> = lists
        .into_iter()
        .filter_map(|list| entry.get(list))
        .flat_map(|list| list.texts().chain(list.text()))
        .flat_map(|text| text.split(','))
        .filter_map(|need| need.trim().split([' ', '(', '\n']).next())
        .collect();
    Some(Package {
        name: entry.said("Package").unwrap_or(name).to_owned(),
        version: commit.filter(|_| git).unwrap_or(version).to_owned(),
        integrity: entry.said("Hash").map(|hash| format!("renv-md5:{hash}")).into_iter().collect(),
        origin,
        needs: needs.into_iter().map(edge).collect(),
        ..Package::default()
    })
}

fn origin(entry: &Tree<'_>) -> Option<Origin> {
    let hosted = |host: &str| {
        let host = entry.said("RemoteHost").unwrap_or(host).trim_start_matches("api.");
        let (user, name) = (entry.said("RemoteUsername")?, entry.said("RemoteRepo")?);
        Some(Origin::git(&format!("https://{host}/{user}/{name}")))
    };
    match entry.said("Source").map(str::to_ascii_lowercase).as_deref() {
        Some("repository" | "cran") | None => {
            let repository =
                entry.said("Repository").filter(|name| !matches!(*name, "CRAN" | "RSPM" | "P3M"))?;
            Some(Origin::registry(repository))
        }
        Some("bioconductor") => Some(Origin::registry("Bioconductor")),
        Some("github") => hosted("github.com"),
        Some("gitlab") => hosted("gitlab.com"),
        Some("bitbucket") => hosted("bitbucket.org"),
        Some("git" | "git2r" | "xgit") => Some(Origin::git(entry.said("RemoteUrl")?)),
        Some("url") => Some(Origin::url(entry.said("RemoteUrl")?)),
        Some("local") => Some(Origin::path(entry.said("RemoteUrl").unwrap_or("."))),
        Some(_) => Some(Origin::registry(entry.said("Source")?)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::read;

    #[test]
    fn packages() {
        shown::check(
            shown::read(
                read,
                r#"{"R": {"Version": "4.3.1", "Repositories": [{"Name": "CRAN", "URL": "https://cloud.r-project.org"}]},
"Packages": {
 "markdown": {"Package": "markdown", "Version": "1.0", "Source": "Repository", "Repository": "CRAN", "Hash": "4584", "Requirements": ["R", "mime", "utils"]},
 "mime": {"Package": "mime", "Version": "0.12.1", "Source": "GitHub", "RemoteType": "github", "RemoteHost": "api.github.com", "RemoteUsername": "yihui", "RemoteRepo": "mime", "RemoteSha": "1763e0dcb72fb58d97bab97bb834fc71f1e012bc"},
 "Biobase": {"Package": "Biobase", "Version": "2.60.0", "Source": "Bioconductor", "Imports": ["methods", "mime (>= 0.1)"]},
 "own": {"Package": "own", "Version": "1", "Source": "Repository", "Repository": "https://u:p@r.example.org/x", "Depends": "R (>= 3.5),\n markdown"},
 "odd": {"Package": "odd"}}}"#,
            ),
            &[
                "markdown 1.0 [renv-md5:4584] -> mime@1763e0dcb72fb58d97bab97bb834fc71f1e012bc",
                "mime 1763e0dcb72fb58d97bab97bb834fc71f1e012bc git(https://github.com/yihui/mime)",
                "Biobase 2.60.0 registry(Bioconductor) -> mime@1763e0dcb72fb58d97bab97bb834fc71f1e012bc",
                "own 1 registry(https://r.example.org/x) -> markdown@1.0",
                "! 7:3: a package without name or version",
            ],
        );
    }

    #[test]
    fn what_is_wrong() {
        shown::hostile(read);
        shown::check(shown::read(read, "{\"R\": {}}"), &["!! 1:1: no field `Packages`"]);
    }
}
