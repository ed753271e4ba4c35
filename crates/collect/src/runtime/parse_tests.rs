//! Real answers of every tool, and what is read from them; then anything at all.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::runtime::table::TOOLS;

/// What the tool prints on standard output (on standard error if it starts with `2>`), and its version.
const ANSWERS: &[(&str, &str, Option<&str>)] = &[
    ("node", "v18.19.0\n", Some("18.19.0")),
    ("node", "v22.0.0-nightly20240101abcdef\n", Some("22.0.0-nightly20240101abcdef")),
    ("npm", "10.2.3\n", Some("10.2.3")),
    ("npm", "\n10.2.3\n", Some("10.2.3")),
    ("npm", "npm ERR! 10.2.3\n", None),
    ("npx", "10.2.3\n", Some("10.2.3")),
    ("pnpm", "9.1.0\n", Some("9.1.0")),
    ("yarn", "1.22.19\n", Some("1.22.19")),
    ("yarn", "4.1.0-rc.3\n", Some("4.1.0-rc.3")),
    ("corepack", "0.23.0\n", Some("0.23.0")),
    (
        "deno",
        "deno 1.40.0 (release, x86_64-unknown-linux-gnu)\nv8 12.0.267.8\ntypescript 5.3.3\n",
        Some("1.40.0"),
    ),
    ("deno", "deno 2.1.4 (stable, release, x86_64-unknown-linux-gnu)\nv8 13.0.245.12-rusty\n", Some("2.1.4")),
    ("bun", "1.1.8\n", Some("1.1.8")),
    ("python", "Python 3.11.7\n", Some("3.11.7")),
    ("python", "2>Python 2.7.18\n", Some("2.7.18")),
    ("python", "Python 3.13.0rc2\n", Some("3.13.0rc2")),
    ("python", "Python 3.10.14 (75b3de9d9035, Apr 21 2024, 10:54:48)\n[PyPy 7.3.16]\n", Some("3.10.14")),
    ("pip", "pip 23.0.1 from /usr/lib/python3/dist-packages/pip (python 3.11)\n", Some("23.0.1")),
    ("uv", "uv 0.4.18 (7b55e9790 2024-10-01)\n", Some("0.4.18")),
    ("poetry", "Poetry (version 1.8.2)\n", Some("1.8.2")),
    ("poetry", "Poetry version 1.1.4\n", Some("1.1.4")),
    ("ruby", "ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64-linux-gnu]\n", Some("3.1.2")),
    ("ruby", "ruby 3.4.1 (2024-12-25 revision 48d4efcb85) +PRISM [arm64-darwin24]\n", Some("3.4.1")),
    ("ruby", "ruby 3.4.0preview1 (2024-05-16) [x86_64-linux]\n", Some("3.4.0preview1")),
    ("bundler", "Bundler version 2.4.10\n", Some("2.4.10")),
    ("bundler", "4.0.1\n", Some("4.0.1")),
    ("gem", "3.3.15\n", Some("3.3.15")),
    (
        "java",
        "2>openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)\n",
        Some("17.0.15"),
    ),
    (
        "java",
        "2>java version \"1.8.0_392\"\nJava(TM) SE Runtime Environment (build 1.8.0_392-b08)\n",
        Some("1.8.0_392"),
    ),
    ("java", "2>Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version \"21\" 2023-09-19\n", Some("21")),
    ("java", "2>openjdk version \"22-ea\" 2024-03-19\n", Some("22-ea")),
    ("java", "2>The operation couldn't be completed. Unable to locate a Java Runtime.\n", None),
    ("javac", "javac 17.0.15\n", Some("17.0.15")),
    ("javac", "2>javac 1.8.0_392\n", Some("1.8.0_392")),
    (
        "maven",
        "\u{1b}[1mApache Maven 3.8.7\u{1b}[m\nMaven home: /usr/share/maven\nJava version: 17.0.15\n",
        Some("3.8.7"),
    ),
    ("maven", "Apache Maven 3.9.6 (bc0240f3c744dd6b6ec2920b3cd08dcc295161ae)\n", Some("3.9.6")),
    ("maven", "Apache Maven 4.0.0-rc-2 (273314404f85fd6bd4ba6d50ab6d4cb2e5d1b9b5)\n", Some("4.0.0-rc-2")),
    (
        "gradle",
        "\n------------------------------------------------------------\nGradle 8.5\n-----\n\nBuild time: x\nGroovy: 3.0.17\n",
        Some("8.5"),
    ),
    ("go", "go version go1.22.1 linux/amd64\n", Some("1.22.1")),
    ("go", "go version go1.21rc2 darwin/arm64\n", Some("1.21rc2")),
    ("go", "go version devel go1.23-abc Thu linux/amd64\n", None),
    ("rustc", "rustc 1.95.0 (59807616e 2026-04-14)\n", Some("1.95.0")),
    ("rustc", "rustc 1.97.0-nightly (e50aa6fba 2026-05-19)\n", Some("1.97.0-nightly")),
    ("rustc", "rustc 1.63.0\n", Some("1.63.0")),
    ("cargo", "cargo 1.95.0 (f2d3ce0bd 2026-03-21)\n", Some("1.95.0")),
    (
        "php",
        "PHP 8.2.29 (cli) (built: Jul  3 2025 16:16:05) (NTS)\nCopyright (c) The PHP Group\n",
        Some("8.2.29"),
    ),
    ("php", "PHP 7.4.3-4ubuntu2.19 (cli) (built: Jun 27 2023 15:49:59) ( NTS )\n", Some("7.4.3")),
    ("php", "PHP 8.4.0-dev (cli) (built: x)\n", Some("8.4.0-dev")),
    ("php", "PHP Warning:  PHP Startup: Unable to load\nPHP 8.2.29 (cli)\n", Some("8.2.29")),
    ("composer", "Composer version 2.5.5 2023-03-21 11:50:05\n", Some("2.5.5")),
    (
        "composer",
        "\u{1b}[32mComposer\u{1b}[39m version \u{1b}[33m2.7.1\u{1b}[39m 2024-02-09 15:26:28\n",
        Some("2.7.1"),
    ),
    ("dotnet", "8.0.100\n", Some("8.0.100")),
    ("dotnet", "9.0.100-rc.2.24474.11\n", Some("9.0.100-rc.2.24474.11")),
    ("dotnet", "The command could not be loaded, possibly because:\n  * 8.0.100\n", None),
    (
        "perl",
        "\nThis is perl 5, version 36, subversion 0 (v5.36.0) built for x86_64-linux-gnu-thread-multi\n(with 54 registered patches)\n",
        Some("5.36.0"),
    ),
    ("perl", "\nThis is perl, v5.8.8 built for i386-linux-thread-multi\n", None),
    (
        "elixir",
        "Erlang/OTP 25 [erts-13.1.5] [source] [64-bit]\n\nElixir 1.14.0 (compiled with Erlang/OTP 24)\n",
        Some("1.14.0"),
    ),
    ("erl", "25.2.3\n", Some("25.2.3")),
    ("erl", "27.0-rc1\n", Some("27.0-rc1")),
    ("erl", "", None),
    (
        "gcc",
        "gcc (Debian 12.2.0-14+deb12u1) 12.2.0\nCopyright (C) 2022 Free Software Foundation, Inc.\n",
        Some("12.2.0"),
    ),
    (
        "gcc",
        "x86_64-linux-gnu-gcc-13 (Ubuntu 13.2.0-23ubuntu4) 13.2.0\nCopyright (C) 2023 Free Software Foundation, Inc.\n",
        Some("13.2.0"),
    ),
    (
        "gcc",
        "gcc (GCC) 8.5.0 20210514 (Red Hat 8.5.0-20)\nCopyright (C) 2018 Free Software Foundation, Inc.\n",
        Some("8.5.0"),
    ),
    (
        "gcc",
        "Apple clang version 15.0.0 (clang-1500.1.0.2.5)\nTarget: arm64-apple-darwin23\n",
        Some("15.0.0-clang"),
    ),
    ("gcc", "gcc: fatal error 1.2.3\n", None),
    ("clang", "Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu\n", Some("14.0.6")),
    ("clang", "Ubuntu clang version 14.0.0-1ubuntu1.1\nTarget: x86_64-pc-linux-gnu\n", Some("14.0.0")),
    ("clang", "clang version 17.0.6 (https://github.com/llvm/llvm-project 6009708b)\n", Some("17.0.6")),
    ("clang", "Apple clang version 15.0.0 (clang-1500.1.0.2.5)\n", Some("15.0.0")),
    ("cmake", "cmake version 3.25.1\n\nCMake suite maintained and supported by Kitware\n", Some("3.25.1")),
    ("make", "GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu\n", Some("4.3")),
    ("git", "git version 2.47.3\n", Some("2.47.3")),
    ("git", "git version 2.39.3 (Apple Git-146)\n", Some("2.39.3")),
    ("git", "git version 2.45.1.windows.1\n", Some("2.45.1.windows.1")),
    ("openssl", "OpenSSL 3.0.15 3 Sep 2024 (Library: OpenSSL 3.0.15 3 Sep 2024)\n", Some("3.0.15")),
    ("openssl", "OpenSSL 1.1.1w  11 Sep 2023\n", Some("1.1.1w")),
    ("openssl", "LibreSSL 3.3.6\n", Some("3.3.6-libressl")),
    ("docker", "Docker version 28.2.2, build e6534b4\n", Some("28.2.2")),
    ("docker", "Docker version 20.10.24+dfsg1, build 297e128\n", Some("20.10.24")),
    ("podman", "podman version 4.3.1\n", Some("4.3.1")),
    ("kubectl", "Client Version: v1.32.0\nKustomize Version: v5.5.0\n", Some("1.32.0")),
    ("kubectl", "Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0\n", Some("1.32.4")),
    (
        "kubectl",
        "Client Version: version.Info{Major:\"1\", Minor:\"20\", GitVersion:\"v1.20.2\", GitCommit:\"faecb19\"}\n",
        Some("1.20.2"),
    ),
    ("helm", "v3.14.0+g3fc9f4b\n", Some("3.14.0")),
    ("helm", "Client: v2.16.1+gbbdfe5e\n", Some("2.16.1")),
    ("helm", "WARNING: Kubernetes configuration file is group-readable.\nv3.14.0\n", None),
    ("terraform", "Terraform v1.11.4\non linux_amd64\n", Some("1.11.4")),
    (
        "terraform",
        "{\n  \"terraform_version\": \"1.11.4\",\n  \"platform\": \"linux_amd64\"\n}\n",
        Some("1.11.4"),
    ),
    (
        "terraform",
        "Terraform v1.9.0-beta1\non linux_amd64\n\nYour version is out of date! 1.11.4\n",
        Some("1.9.0-beta1"),
    ),
    ("psql", "psql (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some("15.18")),
    ("psql", "psql (PostgreSQL) 17beta1\n", None),
    (
        "curl",
        "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.15\nRelease-Date: 2023-02-20\n",
        Some("7.88.1"),
    ),
    ("ssh", "2>OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026\n", Some("9.2p1")),
    ("ssh", "2>OpenSSH_9.4p1, LibreSSL 3.3.6\n", Some("9.4p1")),
    ("bash", "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n", Some("5.2.15")),
    (
        "sqlite3",
        "3.40.1 2022-12-28 14:03:47 df5c253c0b3dd24916e4ec7cf77d3db5294cc9fd45ae7b9c5e82ad8197f3alt1\n",
        Some("3.40.1"),
    ),
    ("sqlite3", "3.40.1\n", None),
    ("redis-cli", "redis-cli 7.0.15\n", Some("7.0.15")),
    ("redis-cli", "redis-cli 6.0.16 (git:00000000)\n", Some("6.0.16")),
    ("mysql", "mysql  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)\n", Some("8.0.36")),
    (
        "mysql",
        "mysql  Ver 15.1 Distrib 10.11.11-MariaDB, for debian-linux-gnu (x86_64)\n",
        Some("10.11.11-MariaDB"),
    ),
    ("mysql", "mysql from 11.4.2-MariaDB, client 15.2 for Linux (x86_64)\n", Some("11.4.2-MariaDB")),
];

#[test]
fn answers() {
    let mut named = BTreeSet::new();
    for (name, printed, expected) in ANSWERS {
        let tool = TOOLS.iter().find(|tool| tool.name == *name).unwrap();
        let output = match printed.strip_prefix("2>") {
            Some(stderr) => Printed::of(b"", stderr.as_bytes()),
            None => Printed::of(printed.as_bytes(), b""),
        };
        assert_eq!((tool.read)(&output).as_deref(), *expected, "{name}: {printed}");
        if expected.is_some() {
            named.insert(*name);
        }
    }
    assert_eq!(
        named,
        TOOLS.iter().map(|tool| tool.name).collect(),
        "every tool has a row that gives a version"
    );
}

#[test]
fn nothing_comes_of_what_is_no_answer() {
    let long = format!("git version {}.1\n", "9".repeat(1 << 16));
    for bytes in
        [&b""[..], b"\n\n", b"\xff\xfe\x00", b"command not found", b"v", b"1", b"\x1b[", long.as_bytes()]
    {
        for tool in TOOLS.iter().filter(|tool| tool.name != "erl" || bytes != b"1") {
            let output = Printed::of(bytes, bytes);
            assert_eq!((tool.read)(&output), None, "{}: {bytes:?}", tool.name);
        }
    }
}

#[test]
fn files() {
    let check = |found: Option<String>, expected: Option<&str>| assert_eq!(found.as_deref(), expected);
    check(npm_package(r#"{"name":"npm","version":"10.2.3"}"#, |n| n == "npm"), Some("10.2.3"));
    check(npm_package(r#"{"name":"other","version":"10.2.3"}"#, |n| n == "npm"), None);
    check(npm_package(r#"{"name":"npm","version":"#, |n| n == "npm"), None);
    let header = |release: &str| {
        format!(
            "#ifndef X\n#define NODE_MAJOR_VERSION 18\n#define NODE_MINOR_VERSION 20\n#define NODE_PATCH_VERSION 1\n#define NODE_VERSION_IS_RELEASE {release}\n"
        )
    };
    check(node_header(&header("1")), Some("18.20.1"));
    check(node_header(&header("0")), None);
    check(node_header("#define NODE_MAJOR_VERSION 18\n"), None);
    check(java_release("IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.15\"\n"), Some("17.0.15"));
    check(java_release("JAVA_VERSION=\"\"\n"), None);
    check(go_version_file("go1.22.1\ntime 2024-02-29T18:18:48Z\n"), Some("1.22.1"));
    check(go_version_file("devel go1.23-abc\n"), None);
    check(erlang_application("{application,elixir,[{vsn,\"1.14.0\"},{modules,[]}]}."), Some("1.14.0"));
    check(version_file("25.2.3\n"), Some("25.2.3"));
    check(version_file("25.2.3 or so\n"), None);
    check(cloud_sdk_component("\"version_string\": \"1.32.4\"\n\"version\": \"528.0.0\""), Some("1.32.4"));
    check(cloud_sdk_component("\"version_string\": \"1.32.4\"\n\"version_string\": \"2.0.1\""), None);
    let manifest =
        "[pkg.cargo]\nversion = \"0.96.0 (a)\"\n[pkg.rustc]\nversion = \"1.95.0 (b 2026-04-14)\"\n";
    check(rust_manifest(manifest), Some("1.95.0"));
    check(rust_manifest("[pkg.rustc]\n"), None);
    check(virtual_environment("home = /usr/bin\nversion = 3.11.7\n"), Some("3.11.7"));
    check(virtual_environment("version_info = 3.11.7.final.0\n"), None);
    check(snap("name: x\nversion: '1.29.0'\n"), Some("1.29.0"));
    check(snap("version: latest\n"), None);
}

/// Texts that are close to what parsers look for: words of real answers, cut and mixed with anything.
fn nearly_an_answer() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        (0..ANSWERS.len(), 0..40usize, 0..40usize).prop_map(|(row, from, length)| {
            let bytes = ANSWERS[row].1.as_bytes();
            bytes.iter().copied().skip(from).take(length).collect::<Vec<u8>>()
        }),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(word, 0..4).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_answer_gives_a_version_or_nothing(bytes in nearly_an_answer(), tool in 0..TOOLS.len()) {
        let output = Printed::of(&bytes, &bytes);
        if let Some(version) = (TOOLS[tool].read)(&output) {
            prop_assert!(version.starts_with(|c: char| c.is_ascii_digit()) && version.len() <= 80);
        }
        let text = output.stdout.as_str();
        npm_package(text, |_| true);
        for read in [node_header, java_release, go_version_file, erlang_application, cloud_sdk_component] {
            read(text);
        }
        for read in [rust_manifest, virtual_environment, snap, version_file] {
            read(text);
        }
    }
}
