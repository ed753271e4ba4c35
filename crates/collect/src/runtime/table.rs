//! The table of runtimes and tools. To add one: its row here, the function that reads its answer in
//! `parse`, and a line in the table of that function's tests. Data only.

use super::parse::{self, Printed};

/// A runtime or tool.
#[derive(Debug)]
pub(super) struct Tool {
    /// The last segment of its key.
    pub name: &'static str,
    /// The commands that reach it; the first that the search path has is the one that is reported.
    pub commands: &'static [&'static str],
    /// The names that it is packaged under (Debian, Alpine, Homebrew, Nix, npm, version managers). A `*` at the
    /// end stands for anything; `{file}` and `{triple}` for parts of the file's name.
    pub packages: &'static [&'static str],
    /// At least so many numbers are in the versions that it prints; a package's shorter one is not believed.
    pub version_parts: usize,
    /// Files beside it that tell its version, best first.
    pub tells: &'static [Tells],
    /// How to ask: arguments of the command. Nothing here may change anything or reach for the network.
    pub ask: &'static [&'static str],
    /// Variables that keep it from doing so, as `env` takes them.
    pub quiet: &'static [&'static str],
    /// Reads the answer.
    pub read: fn(&Printed) -> Option<String>,
}

/// How files beside an installation tell its version.
#[derive(Debug)]
pub(super) enum Tells {
    /// The `package.json` of the npm package that holds the file.
    NpmPackage,
    /// A text file, by its path from the folder of the file.
    Beside {
        /// The path.
        path: &'static str,
        /// Only lines that start so; all if empty.
        lines: &'static [&'static str],
        /// Reads it.
        read: fn(&str) -> Option<String>,
    },
    /// The name of the only file in a folder beside that starts and ends so.
    Named {
        /// The folder, from the folder of the file.
        folder: &'static str,
        /// What comes before the version.
        prefix: &'static str,
        /// What comes after it.
        suffix: &'static str,
    },
    /// The `dist-info` folder of the Python distribution.
    Distribution(&'static str),
    /// Erlang's `OTP_VERSION`, in a folder that another file names.
    ErlangRelease,
    /// Debian's wrapper around the clients of `PostgreSQL`, where one version only is installed.
    PostgresWrapper,
}

impl Tool {
    /// Whether it is packaged under that name.
    pub(super) fn is_package(&self, name: &str) -> bool {
        self.packages.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => *pattern == name,
        })
    }
}

const fn tool(
    name: &'static str,
    commands: &'static [&'static str],
    read: fn(&Printed) -> Option<String>,
) -> Tool {
    Tool {
        name,
        commands,
        packages: &[],
        version_parts: 2,
        tells: &[],
        ask: &["--version"],
        quiet: &[],
        read,
    }
}

const fn beside(path: &'static str, read: fn(&str) -> Option<String>) -> Tells {
    Tells::Beside { path, lines: &[], read }
}

const JAVA_RELEASE: &[Tells] = &[
    Tells::Beside { path: "../release", lines: &["JAVA_VERSION="], read: parse::java_release },
    Tells::Beside { path: "../../release", lines: &["JAVA_VERSION="], read: parse::java_release },
];

const NPM: &[Tells] = &[Tells::NpmPackage];

const RUST: &[Tells] = &[Tells::Beside {
    path: "../lib/rustlib/multirust-channel-manifest.toml",
    lines: &["[pkg.rustc]", "version = "],
    read: parse::rust_manifest,
}];

/// `python` and `pip` stand for what `python3` and `pip3` reach, and for the plain commands only where the
/// numbered ones reach nothing: Debian and macOS have the numbered ones alone, and version managers have both
/// as one.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        packages: &["node", "nodejs", "node@*", "nodejs-*", "node-linux-*", "node-darwin-*", "node-win-*"],
        tells: &[beside("../include/node/node_version.h", parse::node_header), Tells::NpmPackage],
        ..tool("node", &["node", "nodejs"], parse::bare)
    },
    Tool {
        packages: &["npm"],
        tells: NPM,
        quiet: &["NO_UPDATE_NOTIFIER=1"],
        ..tool("npm", &["npm"], parse::bare)
    },
    Tool {
        packages: &["npm"],
        tells: NPM,
        quiet: &["NO_UPDATE_NOTIFIER=1"],
        ..tool("npx", &["npx"], parse::bare)
    },
    Tool { packages: &["pnpm", "@pnpm/exe"], tells: NPM, ..tool("pnpm", &["pnpm"], parse::bare) },
    Tool {
        packages: &["yarn", "yarnpkg", "@yarnpkg/cli-dist"],
        tells: NPM,
        ..tool("yarn", &["yarn", "yarnpkg"], parse::bare)
    },
    Tool {
        packages: &["corepack"],
        tells: NPM,
        quiet: &["COREPACK_ENABLE_NETWORK=0"],
        ..tool("corepack", &["corepack"], parse::bare)
    },
    Tool {
        packages: &["deno"],
        tells: NPM,
        quiet: &["DENO_NO_UPDATE_CHECK=1"],
        ..tool("deno", &["deno"], parse::deno)
    },
    Tool { packages: &["bun"], tells: NPM, ..tool("bun", &["bun"], parse::bare) },
    Tool {
        packages: &["{file}-minimal", "python", "python3", "python3*", "python@*"],
        version_parts: 3,
        tells: &[beside("../pyvenv.cfg", parse::virtual_environment)],
        ..tool("python", &["python3", "python"], parse::python)
    },
    Tool {
        packages: &["python3-pip", "py3-pip", "pip"],
        tells: &[Tells::Distribution("pip")],
        quiet: &["PIP_DISABLE_PIP_VERSION_CHECK=1"],
        ..tool("pip", &["pip3", "pip"], parse::pip)
    },
    Tool { packages: &["uv"], tells: &[Tells::Distribution("uv")], ..tool("uv", &["uv"], parse::uv) },
    Tool {
        packages: &["poetry", "python3-poetry"],
        tells: &[Tells::Distribution("poetry")],
        ..tool("poetry", &["poetry"], parse::poetry)
    },
    Tool {
        packages: &["{file}", "ruby", "ruby@*"],
        version_parts: 3,
        ..tool("ruby", &["ruby"], parse::ruby)
    },
    Tool { packages: &["ruby-bundler"], ..tool("bundler", &["bundle", "bundler"], parse::bundler) },
    Tool { packages: &["ruby-rubygems"], ..tool("gem", &["gem"], parse::bare) },
    Tool { tells: JAVA_RELEASE, ask: &["-version"], ..tool("java", &["java"], parse::java) },
    Tool { tells: JAVA_RELEASE, ask: &["-version"], ..tool("javac", &["javac"], parse::javac) },
    Tool {
        packages: &["maven", "apache-maven"],
        version_parts: 3,
        tells: &[Tells::Named { folder: "../lib", prefix: "maven-core-", suffix: ".jar" }],
        ..tool("maven", &["mvn"], parse::maven)
    },
    Tool {
        packages: &["gradle"],
        tells: &[Tells::Named { folder: "../lib", prefix: "gradle-core-", suffix: ".jar" }],
        ..tool("gradle", &["gradle"], parse::gradle)
    },
    Tool {
        packages: &["go", "golang", "go@*"],
        version_parts: 3,
        tells: &[beside("../VERSION", parse::go_version_file)],
        ask: &["version"],
        quiet: &["GOTOOLCHAIN=local"],
        ..tool("go", &["go"], parse::go)
    },
    Tool { packages: &["rustc", "rust"], tells: RUST, ..tool("rustc", &["rustc"], parse::rustc) },
    // Debian numbers cargo's package by cargo's own crate.
    Tool { packages: &["rust"], tells: RUST, ..tool("cargo", &["cargo"], parse::cargo) },
    Tool { packages: &["{file}-cli", "php", "php@*"], version_parts: 3, ..tool("php", &["php"], parse::php) },
    Tool {
        packages: &["composer"],
        ask: &["--version", "--no-interaction", "--no-plugins"],
        quiet: &["COMPOSER_ALLOW_SUPERUSER=1"],
        ..tool("composer", &["composer"], parse::composer)
    },
    Tool {
        packages: &["dotnet-sdk", "dotnet"],
        tells: &[Tells::Named { folder: "sdk", prefix: "", suffix: "" }],
        quiet: &["DOTNET_CLI_TELEMETRY_OPTOUT=1", "DOTNET_NOLOGO=1", "DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1"],
        ..tool("dotnet", &["dotnet"], parse::bare)
    },
    Tool {
        packages: &["perl-base", "perl"],
        version_parts: 3,
        ask: &["-v"],
        ..tool("perl", &["perl"], parse::perl)
    },
    Tool {
        tells: &[beside("../lib/elixir/ebin/elixir.app", parse::erlang_application)],
        ..tool("elixir", &["elixir"], parse::elixir)
    },
    Tool {
        packages: &["erlang"],
        tells: &[Tells::ErlangRelease],
        ask: &[
            "-noshell",
            "-eval",
            "{ok, V} = file:read_file(filename:join([code:root_dir(), \"releases\", \
             erlang:system_info(otp_release), \"OTP_VERSION\"])), io:put_chars(V), halt().",
        ],
        ..tool("erl", &["erl"], parse::erlang)
    },
    Tool {
        packages: &["{file}", "{file}-{triple}", "gcc", "gcc@*", "gcc-wrapper"],
        version_parts: 3,
        ..tool("gcc", &["gcc"], parse::gcc)
    },
    Tool { packages: &["llvm", "llvm@*", "clang"], ..tool("clang", &["clang"], parse::clang) },
    Tool {
        packages: &["cmake"],
        version_parts: 3,
        tells: &[Tells::Distribution("cmake")],
        ..tool("cmake", &["cmake"], parse::cmake)
    },
    Tool { packages: &["make"], ..tool("make", &["make"], parse::make) },
    Tool { packages: &["git"], version_parts: 3, ..tool("git", &["git"], parse::git) },
    Tool {
        packages: &["openssl", "openssl@*"],
        version_parts: 3,
        ask: &["version"],
        ..tool("openssl", &["openssl"], parse::openssl)
    },
    Tool {
        packages: &["docker-ce-cli", "docker.io", "docker-cli", "moby-cli", "docker"],
        version_parts: 3,
        ..tool("docker", &["docker"], parse::docker)
    },
    Tool { packages: &["podman"], version_parts: 3, ..tool("podman", &["podman"], parse::podman) },
    Tool {
        packages: &["kubectl", "kubernetes-cli", "kubernetes-client"],
        version_parts: 3,
        tells: &[beside("../.install/kubectl.snapshot.json", parse::cloud_sdk_component)],
        ask: &["version", "--client"],
        ..tool("kubectl", &["kubectl"], parse::kubectl)
    },
    Tool {
        packages: &["helm", "kubernetes-helm"],
        version_parts: 3,
        ask: &["version", "--short"],
        ..tool("helm", &["helm"], parse::helm)
    },
    Tool {
        packages: &["terraform"],
        version_parts: 3,
        ask: &["version"],
        quiet: &["CHECKPOINT_DISABLE=1"],
        ..tool("terraform", &["terraform"], parse::terraform)
    },
    Tool {
        packages: &["libpq", "postgresql", "postgresql@*", "postgresql16-client", "postgresql17-client"],
        tells: &[Tells::PostgresWrapper],
        ..tool("psql", &["psql"], parse::psql)
    },
    Tool { packages: &["curl"], version_parts: 3, ..tool("curl", &["curl"], parse::curl) },
    Tool {
        packages: &["openssh-client", "openssh-client-default", "openssh"],
        ask: &["-V"],
        ..tool("ssh", &["ssh"], parse::ssh)
    },
    Tool { packages: &["bash"], version_parts: 3, ..tool("bash", &["bash"], parse::bash) },
    Tool {
        packages: &["sqlite3", "sqlite"],
        version_parts: 3,
        ..tool("sqlite3", &["sqlite3"], parse::sqlite)
    },
    Tool {
        packages: &["redis-tools", "redis"],
        version_parts: 3,
        ..tool("redis-cli", &["redis-cli"], parse::redis)
    },
    // MariaDB's packages own it as often as MySQL's, so that a package's name says little.
    tool("mysql", &["mysql"], parse::mysql),
];
