//! Recorded hosts with their goldens, tables for the parsers, and hostile input.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parallax_model::{Key, Snapshot, SnapshotHeader, SourceStatus, Timestamp, Value, ontology};
use proptest::prelude::*;

use super::*;
use crate::Variables;
use crate::machine::{
    Entry, EntryKind, FileContent, MachineError, Op, Output, Recorded, Reply, SystemFacts, Variable,
    VariableValue,
};
use crate::secret::Fingerprinter;

fn observed(machine: &dyn Machine) -> Collected {
    let scope = Scope {
        project: None,
        variables: Variables::All,
        fingerprinter: Arc::new(Fingerprinter::lasting(b"a key for tests")),
    };
    (COLLECTOR.collect)(machine, &scope)
}

fn recorded(name: &str) -> Collected {
    let path = cases().join(name).join("machine.json");
    observed(&serde_json::from_str::<Recorded>(&fs::read_to_string(path).unwrap()).unwrap())
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/host/cases")
}

fn case_names() -> BTreeSet<String> {
    let entries = fs::read_dir(cases()).unwrap();
    entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// As the snapshot file has it: a line with the gaps, then one resource a line.
fn as_lines(collected: Collected) -> String {
    let header = SnapshotHeader {
        environment: "case".to_owned(),
        captured_at: Timestamp::UNIX_EPOCH,
        tool: String::new(),
        key_id: None,
        sources: Vec::new(),
        gaps: collected.gaps,
    };
    let snapshot = Snapshot::new(header, collected.resources);
    let mut file = Vec::new();
    snapshot.write(&mut file).unwrap();
    let text = String::from_utf8(file).unwrap();
    let gaps: String =
        snapshot.header().gaps.iter().map(|gap| serde_json::to_string(gap).unwrap() + "\n").collect();
    let resources: String = text.split_inclusive('\n').skip(1).collect();
    resources + &gaps
}

#[test]
fn cases_are_observed_as_their_goldens_say() {
    let mut wrong = Vec::new();
    for name in case_names() {
        let golden = cases().join(&name).join("golden.jsonl");
        let found = as_lines(recorded(&name));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &found).unwrap();
        }
        if fs::read_to_string(&golden).unwrap_or_default() != found {
            wrong.push(format!("{name}:\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_GOLDEN=1 rewrites goldens:\n{}", wrong.join("\n"));
}

#[test]
fn cases_state_what_the_ontology_declares_and_all_of_it() {
    let mut unstated: BTreeSet<String> = BTreeSet::new();
    for id in COLLECTOR.kinds {
        let row = ontology::kind(id).unwrap();
        unstated.extend(row.attributes.iter().map(|a| format!("{id}#{}", a.path)));
    }
    for name in case_names() {
        for resource in recorded(&name).resources {
            assert!(COLLECTOR.kinds.contains(&&*resource.kind), "{name}: kind {}", resource.kind);
            assert_eq!(ontology::kind(&resource.kind).unwrap().key, resource.key.as_str(), "{name}");
            for attribute in &resource.attributes {
                let row = ontology::attribute(&resource.kind, &attribute.path);
                let path = row.unwrap_or_else(|| panic!("{name}: {}#{}", resource.key, attribute.path)).path;
                unstated.remove(&format!("{}#{path}", resource.kind));
            }
        }
    }
    assert!(unstated.is_empty(), "no case states {unstated:?}");
}

fn attribute(collected: &Collected, key: &str, path: &str) -> Option<String> {
    let resource = collected.resources.iter().find(|r| r.key.as_str() == key)?;
    resource.attributes.get(path).map(Value::to_string)
}

#[test]
fn an_arm_laptop_is_never_an_amd64_host() {
    let architecture = |name: &str| attribute(&recorded(name), "host/cpu", "architecture").unwrap();
    assert_eq!(architecture("debian-12-laptop"), "x86_64");
    assert_eq!(architecture("macos-arm64"), "arm64");
    assert_eq!(architecture("macos-rosetta"), "arm64");
    assert_eq!(architecture("docker-qemu-on-arm"), "arm64");
}

#[test]
fn what_cannot_be_read_is_a_gap_and_nothing_is_invented() {
    let collected = observed(&Mute);
    assert_eq!(collected.status(), SourceStatus::Failed, "{:?}", collected.resources);
    for kind in COLLECTOR.kinds {
        let key = Key::parse(ontology::kind(kind).unwrap().key).unwrap();
        assert!(collected.gaps.iter().any(|g| g.hides(&key, None)), "{key} is neither seen nor a gap");
    }
}

#[test]
fn a_gap_over_an_attribute_never_stands_for_the_whole_resource() {
    // A resource that one side lacks is a divergence: a gap over some attribute would not hide that.
    for name in case_names() {
        let collected = recorded(&name);
        for gap in &collected.gaps {
            let key = Key::parse(gap.what.split('#').next().unwrap()).unwrap();
            let seen = collected.resources.iter().any(|r| r.key == key);
            let hidden = collected.gaps.iter().any(|gap| gap.hides(&key, None));
            assert!(seen || hidden, "{name}: {} alone does not hide {key}", gap.what);
        }
    }
}

/// A machine that lets nothing be seen.
#[derive(Debug)]
struct Mute;

impl Machine for Mute {
    fn place(&self) -> &'static str {
        "ssh://mute"
    }

    fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
        Ok(Replies(batch.ops().iter().map(|_| Err(ProbeError::Permission)).collect()))
    }
}

#[derive(Debug)]
struct Gone;

impl Machine for Gone {
    fn place(&self) -> &'static str {
        "ssh://gone"
    }

    fn run(&self, _batch: &Batch) -> Result<Replies, MachineError> {
        Err(MachineError::Unreachable { place: "ssh://gone".into(), why: "no route".into() })
    }
}

#[test]
fn a_machine_that_is_gone_is_one_gap_over_the_host() {
    let collected = observed(&Gone);
    assert_eq!(collected.status(), SourceStatus::Failed);
    let key = Key::parse("host/kernel").unwrap();
    assert!(collected.gaps[0].hides(&key, None), "{:?}", collected.gaps);
}

/// A machine that answers the first batch and is gone for the second.
#[derive(Debug)]
struct Fading(Recorded);

impl Machine for Fading {
    fn place(&self) -> &'static str {
        "ssh://fading"
    }

    fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
        match batch.ops().first() {
            Some(Op::Read { .. }) if batch.ops().len() > 20 => self.0.run(batch),
            _ => Gone.run(batch),
        }
    }
}

#[test]
fn a_machine_that_fades_leaves_gaps_for_what_was_to_come() {
    let path = cases().join("debian-12-laptop/machine.json");
    let machine = Fading(serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap());
    let collected = observed(&machine);
    let whats: Vec<&str> = collected.gaps.iter().map(|g| &*g.what).collect();
    assert_eq!(whats, ["host/libc#version", "host/cgroup#memory_limit", "host/cgroup#cpu_limit"]);
    assert_eq!(attribute(&collected, "host/kernel", "name").as_deref(), Some("Linux"));
}

#[test]
fn architectures_have_one_spelling() {
    let check = |input: &str, expected: Option<&str>| {
        assert_eq!(processor::architecture(input).as_deref(), expected, "{input}");
    };
    check("amd64", Some("x86_64"));
    check("x86_64", Some("x86_64"));
    check("aarch64", Some("arm64"));
    check("arm64", Some("arm64"));
    check("i686", Some("i386"));
    check("armv7l", Some("armv7"));
    check("riscv64", Some("riscv64"));
    check("", None);
    check("a b\u{1b}", None);
    check(&"x".repeat(1000), None);
}

#[test]
fn feature_levels_follow_the_abi() {
    const V1: &str = "fpu cx8 cmov mmx fxsr sse sse2 syscall";
    const V2: &str = "pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm";
    const V3: &str = "fma movbe xsave avx f16c abm bmi1 avx2 bmi2";
    const V4: &str = "avx512f avx512dq avx512cd avx512bw avx512vl";
    let check = |flags: &[&str], expected: Option<&str>| {
        let flags: Vec<&str> = flags.iter().flat_map(|f| f.split(' ')).collect();
        assert_eq!(processor::level(&flags), expected, "{flags:?}");
    };
    check(&[V1], Some("x86-64-v1"));
    check(&[V1, V2], Some("x86-64-v2"));
    check(&[V3, V2, V1], Some("x86-64-v3"));
    check(&[V1, V2, V3, V4], Some("x86-64-v4"));
    check(&[V1, V2, V3, "avx512f"], Some("x86-64-v3"));
    check(&[V1, V3, V4], Some("x86-64-v1"));
    check(&[V2, V3, V4], None);
    check(&[], None);
    // Each flag is needed: without it the level beneath is what is left.
    let levels = [(V1, None), (V2, Some("x86-64-v1")), (V3, Some("x86-64-v2")), (V4, Some("x86-64-v3"))];
    let all = [V1, V2, V3, V4].join(" ");
    for (flags, left) in levels {
        for missing in flags.split(' ') {
            let others: Vec<&str> = all.split(' ').filter(|flag| *flag != missing).collect();
            assert_eq!(processor::level(&others), left, "without {missing}");
        }
    }
}

#[test]
fn control_groups_state_limits() {
    use cgroup::Limit::{Of, Unlimited};
    let memory = |input: &str, expected| assert_eq!(cgroup::memory(input), expected, "{input}");
    memory("max\n", Some(Unlimited));
    memory("9223372036854771712\n", Some(Unlimited));
    memory("9223372036854710272\n", Some(Unlimited));
    memory("536870912\n", Some(Of(536_870_912)));
    memory("0", Some(Of(0)));
    for bad in ["", "-5", "1e9", "18446744073709551616", "\u{fffd}"] {
        memory(bad, None);
    }
    let cpu = |quota: &str, period: &str, expected| {
        assert_eq!(cgroup::cpu(quota, period), expected, "{quota} {period}");
    };
    cpu("max", "100000", Some(Unlimited));
    cpu("-1", "100000", Some(Unlimited));
    cpu("150000", "100000", Some(Of(1500)));
    cpu("1", "0", None);
    cpu("18446744073709551615", "1", None);
    cpu("", "", None);
}

#[test]
fn zones_have_one_spelling() {
    let path = |input: &str, expected: Option<&str>| {
        assert_eq!(parse::zone_of_path(input).as_deref(), expected, "{input}");
    };
    path("/usr/share/zoneinfo/Europe/Rome\n", Some("Europe/Rome"));
    path("../usr/share/zoneinfo/Etc/UTC", Some("UTC"));
    path("/var/db/timezone/zoneinfo/America/Argentina/Buenos_Aires", Some("America/Argentina/Buenos_Aires"));
    path("/nix/store/x-tzdata-2024a/share/zoneinfo/posix/UTC", Some("UTC"));
    path("/etc/elsewhere", None);
    path("/usr/share/zoneinfo/", None);
    let variable = |input: &str, expected: Option<&str>| {
        assert_eq!(parse::zone_of_variable(input).as_deref(), expected, "{input}");
    };
    variable(":Europe/Rome", Some("Europe/Rome"));
    variable("/usr/share/zoneinfo/Asia/Tokyo", Some("Asia/Tokyo"));
    variable("CET-1CEST,M3.5.0,M10.5.0/3", Some("CET-1CEST,M3.5.0,M10.5.0/3"));
    variable("<+03>-3", Some("<+03>-3"));
    for bad in ["", ":", "/etc/x", "a\nb", "\u{1b}[2J"] {
        variable(bad, None);
    }
}

#[test]
fn engines_name_their_groups() {
    let check =
        |input: &str, expected: Option<&str>| assert_eq!(surroundings::engine(input), expected, "{input}");
    check("docker", Some("docker"));
    check("docker-4f2a.scope", Some("docker"));
    check("docker.service", None);
    check("kubepods.slice", Some("kubernetes"));
    check("libpod-4f2a.scope", Some("podman"));
    check("lxc.payload.web", Some("lxc"));
    check("user.slice", None);
    check("", None);
}

#[test]
fn subsystems_for_linux() {
    let check =
        |input: &str, expected: Option<&str>| assert_eq!(surroundings::wsl(input), expected, "{input}");
    check("4.4.0-19041-Microsoft", Some("wsl1"));
    check("4.19.84-microsoft-standard", Some("wsl2"));
    check("5.15.153.1-microsoft-standard-WSL2", Some("wsl2"));
    check("6.1.0-25-amd64", None);
    check("", None);
}

#[test]
fn distributions() {
    let check = |input: &str, expected: Option<(&str, Option<&str>)>| {
        let found = parse::os_release(input);
        let found = found.as_ref().map(|d| (d.id.as_str(), d.version.as_deref()));
        assert_eq!(found, expected, "{input}");
    };
    check("ID=debian\nVERSION_ID=\"12\"\n", Some(("debian", Some("12"))));
    check("ID='ubuntu'\r\nVERSION_ID=24.04\r\n", Some(("ubuntu", Some("24.04"))));
    check("ID=arch", Some(("arch", None)));
    check("# ID=no\nID=a\\-b", Some(("a-b", None)));
    for bad in ["", "ID=", "ID", "ID=\"", "NAME=x", "ID=\u{0}\u{1b}", "\u{fffd}\u{fffd}=\u{fffd}"] {
        check(bad, None);
    }
    check(&format!("ID={}", "x".repeat(100_000)), None);
}

#[test]
fn libraries() {
    assert_eq!(parse::apk_musl("P:abc\nV:1-r0\nP:musl\nV:1.2.5-r0\nP:musl-utils\nV:9-r1\n"), Some("1.2.5"));
    assert_eq!(parse::apk_musl("P:musl-utils\nV:9-r1\n"), None);
    assert_eq!(parse::apk_musl("P:musl\n"), None);
    assert_eq!(parse::loader_musl("musl libc (x86_64)\nVersion 1.2.4\nDynamic"), Some("1.2.4"));
    assert_eq!(parse::getconf_glibc("glibc 2.36\n"), Some("2.36"));
    for bad in ["", "glibc", "glibc x", "undefined\n", "glibc 2.36\u{1b}[0m"] {
        assert_eq!(parse::getconf_glibc(bad), None, "{bad}");
    }
}

#[test]
fn process_limits() {
    let line = "Max open files            1024                 1048576              files     \n";
    let row = |name: &str, soft: &str, hard: &str| (name.to_owned(), soft.to_owned(), hard.to_owned());
    assert_eq!(parse::limits(line), [row("open_files", "1024", "1048576")]);
    for bad in ["", "Max open files", "Max open files            x y\n", "Max é", "Limit   Soft Limit"] {
        assert_eq!(parse::limits(bad), [], "{bad}");
    }
    let text = "open files                      (-n) 256\nstack size              (kbytes, -s) 8176\n--\n\
                open files                      (-n) unlimited\nstack size              (kbytes, -s) 65520\n";
    let expected = [row("stack_size", "8372224", "67092480"), row("open_files", "256", "unlimited")];
    assert_eq!(parse::ulimits(text), expected);
    assert_eq!(parse::ulimits("open files (-n) 1"), []);
}

/// Text that is near what the parsers read: their own words, broken and joined at random.
fn near_text() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "ID=",
        "VERSION_ID=\"",
        "\\",
        "\n",
        "'",
        "<key>ProductVersion</key>",
        "<string>",
        "</string>",
        "P:musl\n",
        "V:",
        "-r",
        "Version ",
        "glibc ",
        "2.36",
        "flags : ",
        "vendor_id:",
        ":",
        "Max open files            ",
        " 1024 ",
        "unlimited ",
        "--\n",
        "(-n) ",
        "0::/",
        "4:cpu,cpuacct:",
        "/../",
        "zoneinfo/",
        "posix/",
        "Etc/UTC",
        "18446744073709551616",
        "max",
        "C:\\",
        "/mnt/c",
        "//wsl$/",
        ";",
        "é",
        "\u{0}",
        "\u{fffd}",
    ]);
    prop_oneof![
        3 => prop::collection::vec(words, 0..12).prop_map(|words| words.concat()),
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(|b| String::from_utf8_lossy(&b).into_owned()),
    ]
}

/// A machine that answers every probe with the next of some texts, or fails it.
#[derive(Debug)]
struct Noise {
    kernel: &'static str,
    answers: Vec<Option<String>>,
}

impl Noise {
    fn answer(&self, at: usize, op: &Op) -> Result<Reply, ProbeError> {
        let answer = |at: usize| self.answers[at % self.answers.len()].clone();
        let text = answer(at).ok_or(if at.is_multiple_of(2) {
            ProbeError::NotFound
        } else {
            ProbeError::Permission
        })?;
        let bytes = text.clone().into_bytes();
        Ok(match op {
            Op::System => Reply::System(SystemFacts {
                kernel_name: self.kernel.to_owned(),
                kernel_release: text.clone(),
                machine: ["x86_64", "aarch64", ""][at % 3].to_owned(),
                node_name: text,
                ..SystemFacts::default()
            }),
            Op::Read { .. } => Reply::Content(FileContent { bytes, truncated: at.is_multiple_of(7) }),
            Op::Sha256 { .. } => Reply::Digest("0".repeat(64)),
            Op::List { .. } => {
                let names = ["cgroup.controllers", "cpu,cpuacct", "ld-linux.so.2", "memory", &text];
                Reply::Entries(
                    names.iter().map(|n| Entry { name: (*n).to_owned(), kind: EntryKind::Other }).collect(),
                )
            }
            Op::Run(_) => Reply::Output(Output { status: 0, stdout: bytes.clone(), stderr: bytes }),
            Op::Environment(asked) => {
                let names = asked.names.iter().flatten().enumerate();
                let value = |n: usize| VariableValue::Plain(answer(at + n).unwrap_or_default());
                Reply::Variables(
                    names.map(|(n, name)| Variable { name: name.clone(), value: value(n) }).collect(),
                )
            }
            Op::Find(_) | Op::Which { .. } => return Err(ProbeError::NotFound),
        })
    }
}

impl Machine for Noise {
    fn place(&self) -> &'static str {
        "noise"
    }

    fn run(&self, batch: &Batch) -> Result<Replies, MachineError> {
        Ok(Replies(batch.ops().iter().enumerate().map(|(at, op)| self.answer(at, op)).collect()))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_never_stated_with_control_characters_nor_passed_over(
        kernel in prop::sample::select(vec!["Linux", "Darwin", "", "Minix"]),
        answers in prop::collection::vec(prop::option::weighted(0.8, near_text()), 1..40),
    ) {
        let collected = observed(&Noise { kernel, answers });
        for attribute in collected.resources.iter().flat_map(|r| &r.attributes) {
            prop_assert!(!attribute.value.to_string().contains(char::is_control), "{:?}", attribute);
        }
        for gap in &collected.gaps {
            prop_assert!(!gap.why.contains(char::is_control), "{:?}", gap);
        }
        // What every host has is stated or a gap.
        for text in ["host/kernel", "host/cpu", "host/limits", "host/locale", "host/time", "host/virtualisation", "host/name"] {
            let key = Key::parse(text).unwrap();
            let seen = collected.resources.iter().any(|r| r.key == key);
            prop_assert!(seen || collected.gaps.iter().any(|g| g.hides(&key, None)), "{}", text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsers_take_anything(text in near_text()) {
        let zone = parse::zone_of_path(&text).or_else(|| parse::zone_of_variable(&text));
        prop_assert!(zone.is_none_or(|zone| !zone.contains(char::is_control)));
        for found in [parse::os_release(&text), parse::system_version(&text)].into_iter().flatten() {
            let shown = [Some(found.id), found.version, found.name].into_iter().flatten().collect::<String>();
            prop_assert!(!shown.contains(char::is_control));
        }
        let info = parse::cpuinfo(&text);
        processor::level(&info.flags);
        processor::architecture(&text);
        parse::apk_musl(&text);
        parse::loader_musl(&text);
        parse::getconf_glibc(&text);
        for (name, soft, hard) in parse::limits(&text).iter().chain(&parse::ulimits(&text)) {
            prop_assert!(name.len() + soft.len() + hard.len() < 70);
        }
        prop_assert!(parse::cgroup(&text).iter().all(|m| m.path.starts_with('/')));
        prop_assert!(parse::sysctl(&text).count() <= text.len());
        cgroup::memory(&text);
        cgroup::cpu(&text, "100000");
        cgroup::cpu("100000", &text);
        surroundings::engine(&text);
        // A path that was spelled once is spelled.
        if let Some(path) = windows_path(&text).and_then(|path| windows_path(&path)) {
            prop_assert_eq!(windows_path(&path), Some(path));
        }
        prop_assert!(windows_search_path(&text).len() <= 5 * text.len() + 5);
    }
}
