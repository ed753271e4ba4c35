//! Codes: one stable name for each sort of finding, which scripts may match on.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($variant:ident $text:literal $doc:literal)*) => {
        /// The sort of a finding. The text form is part of the interface and never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $(#[doc = $doc] $variant,)* }

        impl Code {
            /// Every code, in the order of the interface.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as scripts see it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// One sentence on what it means.
            #[must_use]
            pub fn help(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

codes! {
    KernelMismatch "kernel_mismatch" "The operating system's kernel differs."
    ArchMismatch "arch_mismatch" "The processor architecture, or a binary's, differs."
    RuntimeMismatch "runtime_mismatch" "A language runtime or tool differs in version."
    EnvDrift "env_drift" "An environment variable differs."
    EnvInvalid "env_invalid" "An environment variable breaks the environment schema."
    LockfileOutdated "lockfile_outdated" "A lockfile differs."
    DependencyDrift "dependency_drift" "A package differs in version or presence."
    IntegrityMismatch "integrity_mismatch" "A package's content hash differs from what is locked."
    PinConflict "pin_conflict" "Pins disagree with each other or with what runs."
    FloatingTag "floating_tag" "An image, an action or a package is named by something that can move."
    ImageDrift "image_drift" "A container image differs."
    ConfigDrift "config_drift" "A setting differs."
    SecretMissing "secret_missing" "A secret, or a key of it, is absent."
    SecretDrift "secret_drift" "A secret differs."
    PolicyDrift "policy_drift" "A policy differs."
    PermissionDrift "permission_drift" "Permissions differ."
    NetworkDrift "network_drift" "What can reach what differs."
    ResourceMissing "resource_missing" "A resource is absent on one side."
    InfrastructureDrift "infrastructure_drift" "Infrastructure differs."
    UndeclaredChange "undeclared_change" "What is live differs from what is declared."
    ApprovalExpired "approval_expired" "An approval has run out."
    Unobserved "unobserved" "A part that a boundary speaks of could not be observed."
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_text_agree() {
        for code in Code::ALL {
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{code}\""));
        }
    }
}
