//! The architecture that a file is built for, from its first bytes. Does not say whether it runs here.

/// The architecture of an ELF or Mach-O file by its first bytes (20 are enough); `None` for a script
/// or anything else. Of a universal file, the part that `machine` (as `uname -m` has it) runs.
pub(super) fn of_head(head: &[u8], machine: &str) -> Option<String> {
    let magic: [u8; 4] = *head.first_chunk()?;
    match magic {
        [0x7f, b'E', b'L', b'F'] => elf(head, machine),
        [0xcf | 0xce, 0xfa, 0xed, 0xfe] => mach_cpu(u32::from_le_bytes(*head.get(4..)?.first_chunk()?)),
        [0xfe, 0xed, 0xfa, 0xcf | 0xce] => mach_cpu(u32::from_be_bytes(*head.get(4..)?.first_chunk()?)),
        [0xca, 0xfe, 0xba, 0xbe] => universal(head, machine),
        _ => None,
    }
}

/// One name for what kernels call by several.
fn machine_name(machine: &str) -> &str {
    match machine {
        "aarch64" => "arm64",
        "amd64" => "x86_64",
        other => other,
    }
}

fn elf(head: &[u8], machine: &str) -> Option<String> {
    let [wide, little] = [*head.get(4)? == 2, *head.get(5)? == 1];
    let number: [u8; 2] = *head.get(18..)?.first_chunk()?;
    let number = if little { u16::from_le_bytes(number) } else { u16::from_be_bytes(number) };
    let name = match (number, wide, little) {
        (3 | 6, _, _) => "i386",
        (62, true, _) => "x86_64",
        (62, false, _) => "x32",
        (183, _, _) => "arm64",
        // The header does not tell the level; the kernel's name for itself does.
        (40, _, _) => machine.get(..5).filter(|m| m.starts_with("armv")).unwrap_or("arm"),
        (243, true, _) => "riscv64",
        (243, false, _) => "riscv32",
        (20, _, _) => "ppc",
        (21, _, true) => "ppc64le",
        (21, _, false) => "ppc64",
        (22, true, _) => "s390x",
        (22, false, _) => "s390",
        (8, true, true) => "mips64el",
        (8, true, false) => "mips64",
        (8, false, true) => "mipsel",
        (8, false, false) => "mips",
        (258, _, _) => "loongarch64",
        (other, _, _) => return Some(format!("elf-{other}")),
    };
    Some(name.to_owned())
}

fn mach_cpu(cpu: u32) -> Option<String> {
    let name = match cpu {
        0x0100_000c => "arm64",
        0x0200_000c => "arm64_32",
        0x0100_0007 => "x86_64",
        7 => "i386",
        12 => "arm",
        0x0100_0012 => "ppc64",
        18 => "ppc",
        _ => return None,
    };
    Some(name.to_owned())
}

/// A universal file: a count, then 20 bytes for each part. A Java class has the same magic; there the
/// same bytes hold a version of 45 or more.
fn universal(head: &[u8], machine: &str) -> Option<String> {
    let count = u32::from_be_bytes(*head.get(4..)?.first_chunk()?);
    if !(1..45).contains(&count) {
        return None;
    }
    let parts: Vec<String> = head
        .get(8..)?
        .chunks(20)
        .take(usize::try_from(count).ok()?)
        .filter_map(|part| mach_cpu(u32::from_be_bytes(*part.first_chunk()?)))
        .collect();
    let own = machine_name(machine);
    match parts.iter().find(|part| *part == own) {
        Some(part) => Some(part.clone()),
        None => parts.into_iter().next(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn elf_head(class: u8, order: u8, machine: [u8; 2]) -> Vec<u8> {
        let mut head = vec![0x7f, b'E', b'L', b'F', class, order, 1];
        head.resize(18, 0);
        head.extend(machine);
        head
    }

    #[test]
    fn heads() {
        let check = |head: &[u8], machine: &str, expected: Option<&str>| {
            assert_eq!(of_head(head, machine).as_deref(), expected, "{head:x?}");
        };
        check(&elf_head(2, 1, [62, 0]), "x86_64", Some("x86_64"));
        check(&elf_head(2, 1, [183, 0]), "x86_64", Some("arm64"));
        check(&elf_head(1, 1, [3, 0]), "x86_64", Some("i386"));
        check(&elf_head(1, 1, [40, 0]), "armv7l", Some("armv7"));
        check(&elf_head(1, 1, [40, 0]), "aarch64", Some("arm"));
        check(&elf_head(2, 1, [243, 0]), "", Some("riscv64"));
        check(&elf_head(2, 1, [21, 0]), "", Some("ppc64le"));
        check(&elf_head(2, 2, [0, 22]), "", Some("s390x"));
        check(&elf_head(2, 1, [0, 9]), "", Some("elf-2304"));
        check(&[0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1], "arm64", Some("arm64"));
        check(&[0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1], "arm64", Some("x86_64"));
        let mut fat = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2, 1, 0, 0, 7];
        fat.resize(28, 0);
        fat.extend([1, 0, 0, 12]);
        check(&fat, "arm64", Some("arm64"));
        check(&fat, "x86_64", Some("x86_64"));
        check(&[0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 61, 0, 0], "x86_64", None);
        check(b"#!/bin/sh\n", "x86_64", None);
        check(b"\x7fELF", "x86_64", None);
        check(b"", "x86_64", None);
    }

    proptest! {
        #[test]
        fn any_head(head in prop::collection::vec(any::<u8>(), 0..64), magic in 0..4usize) {
            let magics = [&b"\x7fELF"[..], b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b""];
            let head = [magics[magic], &head].concat();
            of_head(&head, "x86_64");
        }
    }
}
