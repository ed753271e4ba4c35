//! `host`: what it costs to observe this machine, against what collects facts today.

use std::path::Path;

use crate::measure::{Line, is_there, median};
use crate::table::Table;
use crate::{Outcome, Setup};

/// What engineers paste into a chat.
const FOUR_LINES: &str = "uname -a; env | sort; cat /etc/os-release; node --version";

/// What a careful script of the same subject does: versions of 15 runtimes, packages, hashes of locks.
const RECIPE: &str = r"uname -a; env | sort; cat /etc/os-release; getconf -a; ulimit -a; locale
for tool in node npm python3 pip ruby java go rustc cargo php perl gcc make git openssl; do
  command -v $tool && { if [ $tool = go ]; then go version; elif [ $tool = openssl ]; then openssl version; else $tool --version; fi; }
done
dpkg -l
sha256sum /etc/ssl/certs/ca-certificates.crt package-lock.json Cargo.lock go.sum; true";

pub(crate) fn run(setup: &Setup) -> Outcome {
    let cache = |name: String| setup.scratch.path().join(name);
    let capture = |folder: String| {
        let line = Line::new(&setup.parallax, ["capture", "local", "-o", "-"]);
        line.with("XDG_CACHE_HOME", cache(folder))
    };
    let mut table = Table::default();
    let seen = capture("first".to_owned()).output().map_err(|e| build(&e))?;
    let resources = String::from_utf8_lossy(&seen.stdout).lines().count().saturating_sub(1);
    if resources == 0 {
        return Err(build(&String::from_utf8_lossy(&seen.stderr)));
    }
    table.measured(
        "parallax capture local, nothing cached",
        median(setup.runs, |run| capture(format!("cold-{run}")))?,
    );
    table.measured("parallax capture local, repeated", median(setup.runs, |_| capture("first".to_owned()))?);
    table.note(format!("{resources} resources"));
    table.peer("a shell recipe: 15 runtimes, dpkg, hashes", median(3, |_| Line::shell(RECIPE)), Some("0.43"));
    table.peer("its four-line form", median(3, |_| Line::shell(FOUR_LINES)), Some("0.09"));
    for (program, arguments, reported, install) in PEERS {
        let cost = match is_there(program) {
            true => median(3, |_| Line::new(Path::new(program), arguments.iter().copied())),
            false => Err((*install).to_owned()),
        };
        table.peer(&format!("{program} {}", arguments.join(" ")), cost, Some(reported));
    }
    Ok(table)
}

type Peer = (&'static str, &'static [&'static str], &'static str, &'static str);

const PEERS: &[Peer] = &[
    ("ansible", &["localhost", "-m", "setup"], "1.18", "pip install ansible-core"),
    ("envinfo", &["--json"], "1.66", "npm install -g envinfo"),
    ("ohai", &[], "0.73", "gem install ohai"),
    ("facter", &[], "0.32", "apt-get install facter"),
];

/// The message for a binary that does not answer.
pub(crate) fn build(why: &str) -> String {
    format!("no capture; build it with `cargo build --release -p parallax` ({})", why.trim())
}
