//! The stubs in macOS's `/usr/bin`: where the developer tools are not installed, running one opens a dialog. So
//! the tools themselves are looked for and asked in their place; a stub with nothing behind it is no tool.

use super::Followed;
use crate::machine::Candidate;
use crate::runtime::known::{Known, Pending};
use crate::runtime::surroundings::Surroundings;

const MANAGER: &str = "xcode";
const STUBS: &[&str] = &["clang", "gcc", "git", "make", "pip3", "python3"];
const JAVA: &[&str] = &["java", "javac"];
/// Where the developer tools are, the chosen ones first.
const FOLDERS: &[&str] = &[
    "/var/db/xcode_select_link/usr/bin",
    "/var/db/xcode_select_link/Toolchains/XcodeDefault.xctoolchain/usr/bin",
    "/Applications/Xcode.app/Contents/Developer/usr/bin",
    "/Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/bin",
    "/Library/Developer/CommandLineTools/usr/bin",
];

/// Whether a candidate is such a stub.
pub(super) fn is_stub(candidate: &Candidate, world: &Surroundings) -> bool {
    let name = candidate.name.as_str();
    world.kernel == "Darwin"
        && candidate.path == format!("/usr/bin/{name}")
        && (STUBS.contains(&name) || JAVA.contains(&name))
}

/// The tool behind a stub.
pub(super) fn follow(command: &str, known: &mut Known) -> Result<Followed, Pending> {
    if JAVA.contains(&command) {
        let any = known.list("/Library/Java/JavaVirtualMachines")?.is_some_and(|names| !names.is_empty());
        return Ok(if any { Followed::Ask { quiet: &[], manager: "system" } } else { Followed::Absent });
    }
    let paths: Vec<String> = FOLDERS.iter().map(|folder| format!("{folder}/{command}")).collect();
    let heads: Vec<_> = paths.iter().map(|path| known.head(path).map(|head| head.is_some())).collect();
    for (path, head) in paths.into_iter().zip(heads) {
        if head? {
            return Ok(Followed::within(path, MANAGER));
        }
    }
    Ok(Followed::Absent)
}
