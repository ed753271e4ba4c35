//! `documents`: two 50 MB JSON lists, compared by meaning, against tools that compare JSON.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use parallax_collect::document::{DigestKey, Document, Reader};
use parallax_collect::secret::Fingerprinter;

use crate::generate::generate;
use crate::measure::{Cost, Line, is_there, median};
use crate::table::Table;
use crate::{Outcome, Setup};

/// The argument that makes this program compare two documents by the library alone, without the command line's part.
pub(crate) const READ_PAIR: &str = "--read-pair";

const BYTES: usize = 50_000_000;

struct Inputs {
    left: PathBuf,
    right: PathBuf,
    changes: BTreeSet<String>,
}

pub(crate) fn run(setup: &Setup) -> Outcome {
    let inputs = write_inputs(setup)?;
    let mut table = Table::default();
    let diff = Line::new(&setup.parallax, ["diff"]).path(&inputs.left).path(&inputs.right);
    let diff = diff.path(Path::new("--format")).path(Path::new("json"));
    match divergences(&diff) {
        Ok(found) => {
            hold("parallax diff", &found, &inputs.changes)?;
            table
                .measured("parallax diff a.json b.json --format json", median(setup.runs, |_| diff.clone())?);
        }
        Err(why) => table.note(format!("NOT MEASURED: parallax diff: {why}")),
    }
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let library = Line::new(&own, [READ_PAIR]).path(&inputs.left).path(&inputs.right);
    let printed = library.output()?;
    let found = String::from_utf8_lossy(&printed.stdout).lines().map(str::to_owned).collect();
    hold("the library", &found, &inputs.changes)?;
    table.measured("the library alone: read, compare, paths", median(setup.runs, |_| library.clone())?);
    table.note(format!("all {} changes found, and nothing else", inputs.changes.len()));
    peers(&mut table, &inputs);
    Ok(table)
}

fn write_inputs(setup: &Setup) -> Result<Inputs, String> {
    let made = generate(BYTES);
    let write = |name: &str, text: &str| {
        let path = setup.scratch.path().join(name);
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display())).map(|()| path)
    };
    let (left, right) = (write("a.json", &made.left)?, write("b.json", &made.right)?);
    Ok(Inputs { left, right, changes: made.changes.into_iter().collect() })
}

fn hold(who: &str, found: &BTreeSet<String>, expected: &BTreeSet<String>) -> Result<(), String> {
    let missing = expected.difference(found).count();
    let invented = found.difference(expected).count();
    match (missing, invented) {
        (0, 0) => Ok(()),
        _ => Err(format!(
            "{who} missed {missing} of {} changes and named {invented} that are none",
            expected.len()
        )),
    }
}

/// The paths that `parallax diff` names.
fn divergences(line: &Line) -> Result<BTreeSet<String>, String> {
    let output = line.output()?;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        format!(
            "no JSON report; build it with `cargo build --release -p parallax` ({error}; {})",
            said.trim()
        )
    })?;
    let list =
        report.get("divergences").and_then(|list| list.as_array()).ok_or("no divergences in the report")?;
    let text = |item: &serde_json::Value, field: &str| item.get(field)?.as_str().map(str::to_owned);
    Ok(list
        .iter()
        .filter_map(|item| Some(format!("{}#{}", text(item, "key")?, text(item, "attribute")?)))
        .collect())
}

/// Compares two files by the library, and gives the path of each difference.
pub(crate) fn read_pair(paths: &[String]) -> Result<String, String> {
    let [left, right] = paths else { return Err("two files are needed".to_owned()) };
    let read = |path: &str| std::fs::read(path).map_err(|e| format!("{path}: {e}"));
    let (one, other) = (read(left)?, read(right)?);
    // Inputs of a benchmark are nobody's attack: any key will do.
    let fingerprinter = Fingerprinter::ephemeral([0; 32]);
    let reader = Reader { name: "list", fingerprinter: &fingerprinter, key: DigestKey::new([0; 16]) };
    let documents = (Document { label: left, bytes: &one }, Document { label: right, bytes: &other });
    let pair = reader.read_pair(documents.0, documents.1).map_err(|e| e.to_string())?;
    let sides = pair.left.iter().chain(&pair.right);
    let paths: BTreeSet<String> =
        sides.flat_map(|r| r.attributes.iter().map(|a| format!("{}#{}\n", r.key, a.path))).collect();
    Ok(paths.into_iter().collect())
}

/// Two programs in Python share this: documents by key, and a list by its natural key.
const KEYED: &str = r#"
import json, sys
def load(p): return {o["metadata"]["namespace"] + "/" + o["metadata"]["name"]: o for o in json.load(open(p))}
def by_key(v):
    for f in ("name", "id", "key"):
        try: m = {x[f]: x for x in v}
        except (TypeError, KeyError): continue
        if len(m) == len(v): return m
a, b = load(sys.argv[1]), load(sys.argv[2])
"#;

/// As fast as a script of this size can be: what is equal as it stands is compared by the interpreter's own code.
const SCRIPT: &str = r#"
def walk(p, x, y):
    if x == y: return
    if type(x) is dict and type(y) is dict:
        for k, v in x.items(): walk(p + (k,), v, y.get(k))
        for k in y.keys() - x.keys(): print(p + (k,), None, y[k])
        return
    if type(x) is list and type(y) is list:
        m, n = by_key(x), by_key(y)
        if m and n: return walk(p, m, n)
    print(p, x, y)
walk((), a, b)
"#;

/// An object at a time, and only those that differ once their lists are keyed: much faster than both whole.
const DEEPDIFF: &str = r#"
from deepdiff import DeepDiff
def keyed(v):
    if isinstance(v, dict): return {k: keyed(x) for k, x in v.items()}
    if isinstance(v, list): return (m := by_key(v)) and keyed(m) or [keyed(x) for x in v]
    return v
for k in sorted(a.keys() | b.keys()):
    x, y = keyed(a.get(k)), keyed(b.get(k))
    if x != y: print(k, DeepDiff(x, y))
"#;

const JSONDIFFPATCH: &str = r#"
const [root, left, right] = process.argv.slice(1);
const { create } = await import("file://" + root + "/jsondiffpatch/lib/index.js");
const { readFileSync } = await import("node:fs");
const objectHash = (o) => o.metadata ? o.metadata.namespace + "/" + o.metadata.name : o.name ?? JSON.stringify(o);
const index = (p) => Object.fromEntries(JSON.parse(readFileSync(p)).map((o) => [objectHash(o), o]));
console.log(JSON.stringify(create({ objectHash, arrays: { detectMove: false } }).diff(index(left), index(right))));
"#;

const JQ: &str = r#"f='sort_by(.metadata.namespace, .metadata.name) | walk(if type == "array" and all(.[]; type == "object" and has("name")) then sort_by(.name) else . end)'
jq -S "$f" "$1" >"$3/a.sorted" && jq -S "$f" "$2" >"$3/b.sorted"; diff "$3/a.sorted" "$3/b.sorted"; test $? -le 1"#;

fn peers(table: &mut Table, inputs: &Inputs) {
    let on = |line: Line| median(1, |_| line.clone().path(&inputs.left).path(&inputs.right));
    let python = std::env::var("PARALLAX_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = |code: &str| Line::new(Path::new(&python), ["-c", &format!("{KEYED}{code}")]);
    table.peer("a keyed Python script", on(script(SCRIPT)), Some("1.38"));
    table.peer("jsondiffpatch, objects by key", jsondiffpatch(&on), Some("4.32"));
    let folder = inputs.left.parent().unwrap_or(Path::new("."));
    let jq =
        |_| Line::new(Path::new("sh"), ["-c", JQ, "sh"]).path(&inputs.left).path(&inputs.right).path(folder);
    let jq = if is_there("jq") { median(1, jq) } else { Err("apt-get install jq".to_owned()) };
    table.peer("jq -S with sorted lists, and diff", jq, Some("7.4-13.8"));
    let has_deepdiff = Line::new(Path::new(&python), ["-c", "import deepdiff"]).output();
    let deepdiff = match has_deepdiff.is_ok_and(|output| output.status.success()) {
        true => on(script(DEEPDIFF)),
        false => Err("pip install deepdiff (another interpreter: PARALLAX_BENCH_PYTHON)".to_owned()),
    };
    table.peer("deepdiff, by object, keyed, where they differ", deepdiff, Some("19.6"));
    for (program, arguments, reported) in
        [("jd", &["-set"][..], "3.78"), ("dyff", &["between", "--omit-header"], "182")]
    {
        let cost = match is_there(program) {
            true => on(Line::new(Path::new(program), arguments.iter().copied())),
            false => Err(format!("`{program}` is not installed; it is a Go program with releases on GitHub")),
        };
        table.peer(program, cost, Some(reported));
    }
}

fn jsondiffpatch(on: &impl Fn(Line) -> Result<Cost, String>) -> Result<Cost, String> {
    let root = std::env::var("PARALLAX_BENCH_NODE_MODULES").or_else(|_| {
        let global = Line::shell("npm root -g").output()?;
        Ok::<_, String>(String::from_utf8_lossy(&global.stdout).trim().to_owned())
    })?;
    if !Path::new(&root).join("jsondiffpatch").is_dir() {
        return Err("npm install -g jsondiffpatch (another folder: PARALLAX_BENCH_NODE_MODULES)".to_owned());
    }
    on(Line::new(Path::new("node"), ["--input-type=module", "-e", JSONDIFFPATCH, &root]))
}
