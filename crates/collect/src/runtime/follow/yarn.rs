//! Yarn's own delegation: whichever Yarn is found starts the one that the project keeps, if `yarnPath` names it.

use super::{Followed, nearest};
use crate::runtime::known::{Known, Pending};
use crate::runtime::parse;
use crate::runtime::surroundings::{Surroundings, file_name};

const MANAGER: &str = "yarn";

/// Where the project's settings lead; `None` where they name no file.
pub(super) fn follow(world: &Surroundings, known: &mut Known) -> Result<Option<Followed>, Pending> {
    let found = nearest(&[".yarnrc.yml", ".yarnrc"], world, known, |_, text| kept(text).is_some())?;
    let Some((path, text)) = found else { return Ok(None) };
    let file = kept(&text).unwrap_or_default();
    let version = file_name(file).strip_prefix("yarn-").and_then(|name| {
        let name = name.strip_suffix(".cjs").or_else(|| name.strip_suffix(".js"))?;
        parse::version(name).filter(|v| v.contains('.'))
    });
    Ok(Some(match version {
        Some(version) => Followed::Version { told: (version, path), manager: MANAGER },
        None => {
            let why = format!("yarn: {path} names `{file}`, whose version its name does not tell");
            Followed::Nowhere { why, manager: MANAGER }
        }
    }))
}

/// `yarnPath: .yarn/releases/yarn-3.6.4.cjs`; in Yarn 1's own file `yarn-path "./yarn-1.22.19.js"`.
fn kept(text: &str) -> Option<&str> {
    let line = |line: &'_ str| line.starts_with("yarnPath:") || line.starts_with("yarn-path ");
    let (_, file) = text.lines().find(|l| line(l))?.split_once([':', ' '])?;
    Some(file.trim().trim_matches(['"', '\''])).filter(|file| !file.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(kept(text), expected, "{text}");
        check(
            "nodeLinker: pnp\nyarnPath: .yarn/releases/yarn-3.6.4.cjs\n",
            Some(".yarn/releases/yarn-3.6.4.cjs"),
        );
        check("yarn-path \"./yarn-1.22.19.js\"\n", Some("./yarn-1.22.19.js"));
        check("# yarnPath: x\n", None);
        check("yarnPath:\n", None);
        check("", None);
    }
}
