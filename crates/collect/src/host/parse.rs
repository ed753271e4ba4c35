//! Text of the system's own files into typed values. Pure; anything that does not fit is left out, so that
//! the caller can tell *not understood* from *read*.

/// What a distribution says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Distribution {
    pub(super) id: String,
    pub(super) version: Option<String>,
    pub(super) name: Option<String>,
}

/// Reads an `os-release` file; `None` where it names no distribution.
pub(super) fn os_release(text: &str) -> Option<Distribution> {
    let mut found = Distribution::default();
    for (name, value) in text.lines().filter_map(|line| line.trim().split_once('=')) {
        let value = unquote(value);
        match name {
            "ID" => found.id = value,
            "VERSION_ID" => found.version = Some(value),
            "PRETTY_NAME" => found.name = Some(value),
            _ => {}
        }
    }
    found.version = found.version.filter(|v| is_word(v, "._-+~"));
    found.name = found.name.filter(|n| is_line(n));
    is_word(&found.id, "._-").then_some(found)
}

/// Takes one pair of quotes off, and the backslashes that a shell would take off with them.
fn unquote(value: &str) -> String {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(literal) = inner('\'') {
        return literal.to_owned();
    }
    let mut chars = inner('"').unwrap_or(value).chars();
    let mut out = String::new();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

/// Reads `SystemVersion.plist` of macOS.
pub(super) fn system_version(text: &str) -> Option<Distribution> {
    let version = plist_string(text, "ProductVersion").filter(|v| is_word(v, "."))?;
    let name = plist_string(text, "ProductName").unwrap_or("macOS");
    let build = plist_string(text, "ProductBuildVersion").unwrap_or_default();
    let name = format!("{name} {version} {build}").trim_end().to_owned();
    Some(Distribution {
        id: "macos".to_owned(),
        version: Some(version.to_owned()),
        name: Some(name).filter(|n| is_line(n)),
    })
}

fn plist_string<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("<key>{key}</key>"))?;
    let value = after.trim_start().strip_prefix("<string>")?;
    value.split_once("</string>").map(|(inner, _)| inner.trim())
}

/// The version of `musl` in Alpine's list of packages, without the package's own revision.
pub(super) fn apk_musl(lines: &str) -> Option<&str> {
    let mut lines = lines.lines().skip_while(|line| line.trim_end() != "P:musl").skip(1);
    version_text(lines.next()?.strip_prefix("V:")?.split("-r").next()?)
}

/// The version that musl's loader tells when it is run without a program (`Version 1.2.5`).
pub(super) fn loader_musl(output: &str) -> Option<&str> {
    output.lines().find_map(|line| version_text(line.trim().strip_prefix("Version ")?))
}

/// The version that `getconf GNU_LIBC_VERSION` tells (`glibc 2.36`).
pub(super) fn getconf_glibc(output: &str) -> Option<&str> {
    version_text(output.trim().strip_prefix("glibc ")?)
}

fn version_text(text: &str) -> Option<&str> {
    let text = text.trim();
    (text.starts_with(|c: char| c.is_ascii_digit()) && is_word(text, "._-+~")).then_some(text)
}

/// The first processor's part of `/proc/cpuinfo`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CpuInfo<'a> {
    pub(super) model: Option<&'a str>,
    pub(super) vendor: Option<&'a str>,
    /// The feature flags of an x86 processor; empty where the file has none.
    pub(super) flags: Vec<&'a str>,
    /// The file describes an Arm processor.
    pub(super) is_arm: bool,
}

/// Reads the first processor's lines.
pub(super) fn cpuinfo(text: &str) -> CpuInfo<'_> {
    let mut found = CpuInfo::default();
    for line in text.lines().skip_while(|l| l.trim().is_empty()).take_while(|l| !l.trim().is_empty()) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match name.trim() {
            "model name" if is_line(value) => found.model = Some(value),
            "vendor_id" if is_line(value) => found.vendor = Some(value),
            "flags" => found.flags = value.split_ascii_whitespace().collect(),
            "CPU implementer" => found.is_arm = true,
            _ => {}
        }
    }
    found
}

/// One limit of a process: its name, soft, hard; in the resource's own unit or `unlimited`.
pub(super) type Limit = (String, String, String);

/// Reads `/proc/self/limits`.
pub(super) fn limits(text: &str) -> Vec<Limit> {
    let row = |line: &str| {
        let (name, values) = line.strip_prefix("Max ")?.split_at_checked(22)?;
        let name = name.trim().replace(' ', "_");
        let mut values = values.split_ascii_whitespace();
        let (soft, hard) = (limit_value(values.next()?)?, limit_value(values.next()?)?);
        (name.starts_with(|c: char| c.is_ascii_lowercase()) && is_word(&name, "_"))
            .then_some((name, soft, hard))
    };
    text.lines().filter_map(row).collect()
}

fn limit_value(text: &str) -> Option<String> {
    (text == "unlimited" || is_number(text)).then(|| text.to_owned())
}

/// Limits as a POSIX shell's `ulimit -a` prints them: the option's letter, the name that Linux gives
/// the limit, and the size of the unit that the shell counts in.
const ULIMITS: &[(&str, &str, u64)] = &[
    ("-t", "cpu_time", 1),
    ("-f", "file_size", 512),
    ("-d", "data_size", 1024),
    ("-s", "stack_size", 1024),
    ("-c", "core_file_size", 512),
    ("-m", "resident_set", 1024),
    ("-u", "processes", 1),
    ("-n", "open_files", 1),
    ("-l", "locked_memory", 1024),
    ("-v", "address_space", 1024),
];

/// Reads `ulimit -Sa`, a line `--`, and `ulimit -Ha`.
pub(super) fn ulimits(text: &str) -> Vec<Limit> {
    let Some((soft, hard)) = text.split_once("--\n") else { return Vec::new() };
    let row = |(option, name, unit): &(&str, &str, u64)| {
        Some(((*name).to_owned(), ulimit(soft, option, *unit)?, ulimit(hard, option, *unit)?))
    };
    ULIMITS.iter().filter_map(row).collect()
}

fn ulimit(text: &str, option: &str, unit: u64) -> Option<String> {
    let value = text.lines().find_map(|line| {
        let (before, value) = line.split_once(')')?;
        before.ends_with(option).then_some(value.trim())
    })?;
    match value.parse::<u64>() {
        Ok(count) => count.checked_mul(unit).map(|n| n.to_string()),
        Err(_) => (value == "unlimited").then(|| value.to_owned()),
    }
}

/// A membership in a control group: the controllers of that hierarchy (none for the unified one), and
/// the group's path in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Membership<'a> {
    pub(super) controllers: Vec<&'a str>,
    pub(super) path: &'a str,
}

/// Reads `/proc/self/cgroup`.
pub(super) fn cgroup(text: &str) -> Vec<Membership<'_>> {
    let row = |line| {
        let mut fields = str::splitn(line, 3, ':');
        let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let controllers: Vec<&str> = controllers.split(',').filter(|c| !c.is_empty()).collect();
        (is_number(id) && path.starts_with('/') && (id == "0") == controllers.is_empty())
            .then_some(Membership { controllers, path })
    };
    text.lines().filter_map(row).collect()
}

/// The zone that a path leads to (`/usr/share/zoneinfo/Europe/Rome`), in its one spelling.
pub(super) fn zone_of_path(path: &str) -> Option<String> {
    let (_, name) = path.trim().rsplit_once("zoneinfo/")?;
    zone(name.strip_prefix("posix/").unwrap_or(name))
}

/// The zone that `TZ` stands for; `None` where it is neither a zone nor a rule.
pub(super) fn zone_of_variable(value: &str) -> Option<String> {
    let name = value.strip_prefix(':').unwrap_or(value);
    if name.starts_with('/') { zone_of_path(name) } else { zone(name) }
}

/// A zone's name or rule (`CET-1CEST,M3.5.0,M10.5.0/3`) in one spelling: the names of UTC are one.
pub(super) fn zone(name: &str) -> Option<String> {
    let name = name.trim();
    match name {
        "Etc/UTC" | "Etc/UCT" | "Etc/Universal" | "Etc/Zulu" | "UCT" | "Universal" | "Zulu" | "UTC0" => {
            Some("UTC".to_owned())
        }
        _ => (name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '<') && is_word(name, "/_+-,.:<>"))
            .then(|| name.to_owned()),
    }
}

/// Lines of `name: value`, as `sysctl` prints them.
pub(super) fn sysctl(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once(": ")).map(|(name, value)| (name, value.trim()))
}

/// Whether a text is a short word of ASCII letters, digits and the given marks.
pub(super) fn is_word(text: &str, marks: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}

/// Whether a text is fit to be shown: not empty, not long, no control characters or broken ones.
pub(super) fn is_line(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && !text.chars().any(|c| c.is_control() || c == '\u{fffd}')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit())
}
