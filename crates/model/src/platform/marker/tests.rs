//! Markers on platforms: the specification's own, each variable, and what alternatives keep of them.

use proptest::prelude::*;

use super::alternatives::Alternatives;
use super::*;
use crate::platform::Condition;

fn platform(os: &str, architecture: &str, python: &str, implementation: &str) -> Platform {
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Platform {
        os: known(os),
        architecture: known(architecture),
        libc: None,
        python: known(python),
        python_implementation: known(implementation),
    }
}

fn linux() -> Platform {
    platform("linux", "x86_64", "3.11.2", "cpython")
}

#[test]
fn those_of_the_specification() {
    let check = |text: &str, expected: Option<bool>| assert_eq!(holds(text, &linux()), expected, "{text}");
    check("python_version < '2.7' and platform_version == '2'", Some(false));
    check("os_name=='a' or os_name=='b'", Some(false));
    check("os_name=='a' and os_name=='b' or os_name=='posix'", Some(true));
    check("os_name=='posix' or os_name=='b' and os_name=='c'", Some(true));
    check("(os_name=='posix' or os_name=='b') and os_name=='c'", Some(false));
    check("os_name=='a' and (os_name=='b' or os_name=='posix')", Some(false));
    check("python_version > '3.12' or (python_version <= '3.4' and os_name == 'unix')", Some(false));
    check("python_version<='3.11' and extra == 'test'", None);
    check("\"3.6\" <= python_version and python_version in \"3.10 3.11\"", Some(true));
    check("sys_platform not in 'win32 cygwin' and 'lin' in sys_platform", Some(true));
    check("os.name == 'posix' and python_implementation == \"CPython\"", Some(true));
}

#[test]
fn by_variable() {
    let check = |platform: &Platform, text: &str, expected: Option<bool>| {
        assert_eq!(holds(text, platform), expected, "{text} on {platform:?}");
    };
    let windows = platform("win32", "x86_64", "3.12.0", "cpython");
    let mac = platform("darwin", "arm64", "3.9.6", "pypy");
    for (platform, text) in [
        (&linux(), "platform_machine == 'x86_64' and platform_system == 'Linux'"),
        (&platform("linux", "arm64", "", ""), "platform_machine == 'aarch64'"),
        (&platform("linux", "i386", "", ""), "platform_machine == 'i686'"),
        (&windows, "os_name == 'nt' and sys_platform == 'win32' and platform_system == 'Windows'"),
        (&windows, "platform_machine == 'AMD64' and implementation_version >= '3.12'"),
        (&mac, "sys_platform == 'darwin' and platform_system == 'Darwin' and platform_machine == 'arm64'"),
        (&mac, "implementation_name == 'pypy' and platform_python_implementation == 'PyPy'"),
        (&mac, "python_version == '3.9' and python_full_version == '3.9.6' and python_version == '3.9.*'"),
        (&mac, "python_version ~= '3.8' and python_full_version != '3.9' and python_version === '3.9'"),
    ] {
        check(platform, text, Some(true));
    }
    check(&mac, "implementation_version >= '3'", None);
    check(&mac, "platform_release >= '5' or platform_version != ''", None);
    check(&mac, "'x' in extras or 'dev' in dependency_groups", None);
    check(&platform("plan9", "mips", "", ""), "os_name == 'posix'", None);
    check(
        &platform("freebsd", "x86_64", "", ""),
        "platform_system == 'FreeBSD' and os_name == 'posix'",
        Some(true),
    );
    check(&platform("freebsd", "x86_64", "", ""), "sys_platform == 'freebsd13'", None);
    check(&platform("", "arm64", "3.13.0rc1", ""), "python_version >= '3.13'", Some(true));
    check(&platform("", "arm64", "3.13.0rc1", ""), "python_full_version >= '3.13'", Some(false));
    check(&platform("", "", "3.10.0+", ""), "python_full_version == '3.10.0'", Some(true));
    check(&platform("", "", "3", ""), "python_version >= '3.8'", None);
    // As texts, these would be the other way round.
    check(&linux(), "python_version >= '3.9' and python_full_version > '3.9.18'", Some(true));
    check(&linux(), "os_name ~= 'posix'", None);
    check(&linux(), "sys_platform >= 'a' and python_version == 'any'", Some(false));
    check(&linux(), "'a' == 'a'", None);
}

#[test]
fn where_only_the_series_is_known() {
    let known = platform("linux", "x86_64", "3.11", "cpython");
    let check = |text: &str, expected: Option<bool>| assert_eq!(holds(text, &known), expected, "{text}");
    check("python_full_version < '3.12'", Some(true));
    check("python_full_version >= '3.11'", Some(true));
    check("python_full_version < '3.11.4'", None);
    check("python_full_version == '3.11.4'", None);
    check("python_full_version != '3.11.4'", None);
    check("python_full_version == '3.10.4'", Some(false));
    check("python_full_version == '3.11.*'", Some(true));
    check("python_full_version ~= '3.11.2'", None);
    check("python_full_version ~= '3.10'", Some(true));
    check("python_version == '3.11'", Some(true));
}

#[test]
fn what_is_not_known_leaves_it_open_unless_the_rest_decides() {
    let check = |text: &str, expected: Option<bool>| {
        assert_eq!(holds(text, &platform("linux", "", "", "")), expected, "{text}");
    };
    check("sys_platform == 'linux' or python_version < '3.8'", Some(true));
    check("sys_platform == 'win32' and python_version < '3.8'", Some(false));
    check("sys_platform == 'linux' and python_version < '3.8'", None);
    check("sys_platform == 'win32' or platform_machine == 'x86_64'", None);
    check("?", None);
    check("? or sys_platform == 'linux'", Some(true));
    check("? and sys_platform == 'win32'", Some(false));
    check("(? or os_name == 'nt') and os_name == 'posix'", None);
    assert_eq!(Condition::new("python: sys_platform == 'linux'").holds(&linux()), Some(true));
    assert_eq!(Condition::new("python: sys_platform").holds(&linux()), None);
    assert_eq!(Condition::new("python:").holds(&linux()), None);
}

#[test]
fn what_is_no_marker() {
    let check = |text: &str, at: usize| assert_eq!(Marker::parse(text), Err(NotAMarker { at }), "{text:?}");
    check("", 0);
    check("  ", 2);
    check("os_name", 7);
    check("os_name == ", 11);
    check("os_name == nt", 11);
    check("os_name == 'nt", 11);
    check("os_name == 'nt' and", 19);
    check("os_name == 'nt' x", 16);
    check("(os_name == 'nt'", 16);
    check("os_name == 'nt')", 15);
    check("os_name not 'nt'", 12);
    check("names == 'nt'", 0);
    check("é == 'nt'", 0);
    check("os_name = 'nt'", 8);
    check(&"(".repeat(100_000), 64);
    let deep = format!("{}os_name == 'nt'{}", "(".repeat(64), ")".repeat(64));
    assert!(Marker::parse(&deep).is_ok());
}

#[test]
fn written_again() {
    let check = |text: &str, expected: &str| {
        let written = Marker::parse(text).unwrap().to_string();
        assert_eq!(written, expected);
        assert_eq!(Marker::parse(&written).unwrap().to_string(), expected);
    };
    check("sys.platform=='win32'", "sys_platform == 'win32'");
    check(
        "(os_name == \"a\" or os_name=='b')and(extra=='c')",
        "(os_name == 'a' or os_name == 'b') and extra == 'c'",
    );
    check("'3.8'<=python_version", "python_version >= '3.8'");
    check("'linux' not  in sys_platform", "'linux' not in sys_platform");
    check("platform_version == \"it's\"", "platform_version == \"it's\"");
    check("'a' == 'b' or ?", "'a' == 'b' or ?");
}

fn literal() -> impl Strategy<Value = String> {
    let version = ("(python_version|python_full_version)", "(<|>=|==|!=|<=|>)", "3\\.(8|9|10|11|12)(\\.0)?");
    let text = ("(sys_platform|os_name)", "(==|!=)", "(win32|linux|darwin|nt|posix)");
    let join =
        |(variable, operator, value): (String, String, String)| format!("{variable} {operator} '{value}'");
    prop_oneof![version.prop_map(join), text.prop_map(join), Just("'linux' in sys_platform".to_owned())]
}

fn marker() -> impl Strategy<Value = String> {
    literal().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner, 1..4).prop_map(|parts| format!("({})", parts.join(" or "))),
        ]
    })
}

fn any_platform() -> impl Strategy<Value = Platform> {
    ("(linux|win32|darwin)", "3\\.(7|8|9|10|11|12|13)\\.(0|1|17)")
        .prop_map(|(os, python)| platform(&os, "x86_64", &python, "cpython"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_panics(text in "\\PC{0,60}", odd in "[()'\" a-z_<>=~!?.0-9]{0,60}") {
        for text in [text, odd] {
            prop_assert!(Marker::parse(&text).is_ok() || holds(&text, &linux()).is_none());
            drop(Version::parse(&text));
        }
    }

    #[test]
    fn alternatives_say_what_the_marker_says(text in marker(), platform in any_platform()) {
        let marker = Marker::parse(&text).unwrap();
        let expected = marker.holds(&platform);
        prop_assert!(expected.is_some());
        let alternatives = Alternatives::of(&marker);
        let found = match alternatives.marker() {
            None => Some(true),
            Some(_) if alternatives.is_never() => Some(false),
            Some(short) => short.holds(&platform),
        };
        if alternatives.is_open() {
            prop_assert!(found.is_none() || found == expected);
        } else {
            prop_assert_eq!(found, expected, "{} became {}", text, alternatives);
        }
    }

    #[test]
    fn joining_and_meeting_mean_or_and_and(left in marker(), right in marker(), platform in any_platform()) {
        let of = |text: &str| Alternatives::of(&Marker::parse(text).unwrap());
        let holds = |alternatives: &Alternatives| match alternatives.marker() {
            None => Some(true),
            Some(_) if alternatives.is_never() => Some(false),
            Some(marker) => marker.holds(&platform),
        };
        let (one, other) = (of(&left), of(&right));
        let mut either = one.clone();
        either.join(&other);
        prop_assert!(either.is_open() || !either.join(&one) && !either.join(&other));
        if let (Some(one_holds), Some(other_holds)) = (holds(&one), holds(&other)) {
            prop_assert!([None, Some(one_holds || other_holds)].contains(&holds(&either)));
            prop_assert!([None, Some(one_holds && other_holds)].contains(&holds(&one.and(&other))));
        }
    }
}
