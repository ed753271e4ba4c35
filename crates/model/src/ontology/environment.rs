//! Environment variables: the kind, and which names are search paths or noise.

use super::{AttributeRow, Compare, KindRow, Role};
use crate::{Code, Layer};

pub(super) const KINDS: &[KindRow] = &[KindRow {
    id: "env",
    title: "environment variable",
    help: "A variable in the environment that a process starts with.",
    key: "env/<NAME>",
    layer: Layer::Configuration,
    missing: Code::EnvDrift,
    attributes: &[AttributeRow {
        path: "value",
        help: "Its value; a secret's is a keyed fingerprint.",
        compare: Compare::Text,
        role: Role::Compared,
        code: Code::EnvDrift,
    }],
    headline: &[],
}];

/// Variables that hold an ordered search path.
pub const SEARCH_PATH_VARIABLES: &[&str] = &[
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "LIBRARY_PATH",
    "LD_PRELOAD",
    "PYTHONPATH",
    "NODE_PATH",
    "PERL5LIB",
    "RUBYLIB",
    "GEM_PATH",
    "CLASSPATH",
    "GOPATH",
    "MANPATH",
    "INFOPATH",
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "PKG_CONFIG_PATH",
    "CMAKE_PREFIX_PATH",
    "ACLOCAL_PATH",
    "LUA_PATH",
    "GI_TYPELIB_PATH",
    "XDG_DATA_DIRS",
    "XDG_CONFIG_DIRS",
    "ERL_LIBS",
];

/// Variables that describe the session that observed, not the environment; `*` at an end stands for
/// anything.
pub const SESSION_VARIABLES: &[&str] = &[
    "_",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "TERM",
    "TERM_*",
    "TERMINFO",
    "TERMINFO_DIRS",
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "SSH_*",
    "TTY",
    "GPG_TTY",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "WINDOWID",
    "XAUTHORITY",
    "DBUS_*",
    "XDG_SESSION_*",
    "XDG_RUNTIME_DIR",
    "XDG_SEAT",
    "XDG_VTNR",
    "DESKTOP_SESSION",
    "GDMSESSION",
    "SESSION_MANAGER",
    "VTE_VERSION",
    "STY",
    "TMUX",
    "TMUX_PANE",
    "KONSOLE_*",
    "ITERM_*",
    "WT_*",
    "VSCODE_*",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "SUDO_*",
    "HISTFILE",
    "HISTSIZE",
    "HISTFILESIZE",
    "PS1",
    "PS2",
    "PROMPT_COMMAND",
    "LS_COLORS",
    "LSCOLORS",
    "LESSOPEN",
    "LESSCLOSE",
    "PAGER",
    "EDITOR",
    "VISUAL",
    "__CF*",
    "Apple_PubSub_*",
    "SECURITYSESSIONID",
];

/// Variables that name the account; they differ wherever the account does.
const ACCOUNT_VARIABLES: &[&str] =
    &["HOME", "USER", "USERNAME", "LOGNAME", "SHELL", "MAIL", "HOSTNAME", "HOST", "TMPDIR"];

pub(super) fn is_search_path(name: &str) -> bool {
    SEARCH_PATH_VARIABLES.contains(&name)
}

pub(super) fn noise_owner(name: &str) -> Option<&'static str> {
    if ACCOUNT_VARIABLES.contains(&name) {
        return Some("account");
    }
    let session = SESSION_VARIABLES.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => *pattern == name,
    });
    session.then_some("session")
}
