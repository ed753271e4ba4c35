//! Package URLs: the identity of a package across tools.
//! <https://github.com/package-url/purl-spec/blob/main/PURL-SPECIFICATION.rst> and its `types`.

/// The purl type of an ecosystem; `generic` where the specification has none.
fn kind(ecosystem: &str) -> &str {
    match ecosystem {
        "npm" | "pypi" | "cargo" | "gem" | "composer" | "maven" | "nuget" | "hex" | "pub" | "swift"
        | "cocoapods" | "conan" | "cran" | "conda" | "hackage" | "deb" | "rpm" | "apk" => ecosystem,
        "go" => "golang",
        _ => "generic",
    }
}

/// `pkg:npm/%40babel/core@7.0.0`: the name's segments and the version are percent-encoded.
pub(crate) fn of(ecosystem: &str, name: &str, version: &str) -> String {
    let kind = kind(ecosystem);
    // Maven's coordinates are `group:artifact`.
    let name = if kind == "maven" { name.replacen(':', "/", 1) } else { name.to_owned() };
    let mut out = format!("pkg:{kind}/");
    for (at, segment) in name.split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        encode(segment, &mut out);
    }
    if !version.is_empty() {
        out.push('@');
        encode(version, &mut out);
    }
    out
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn as_the_specification_spells_them() {
        let check =
            |(ecosystem, name, version), expected: &str| assert_eq!(of(ecosystem, name, version), expected);
        check(("npm", "@angular/animation", "12.3.1"), "pkg:npm/%40angular/animation@12.3.1");
        check(("pypi", "django", "1.11.1"), "pkg:pypi/django@1.11.1");
        check(
            ("maven", "org.apache.xmlgraphics:batik-anim", "1.9.1"),
            "pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1",
        );
        check(
            ("go", "google.golang.org/genproto", "v0.0.0+x"),
            "pkg:golang/google.golang.org/genproto@v0.0.0%2Bx",
        );
        check(
            ("terraform", "registry.terraform.io/hashicorp/aws", ""),
            "pkg:generic/registry.terraform.io/hashicorp/aws",
        );
    }
}
