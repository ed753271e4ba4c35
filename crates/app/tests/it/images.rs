//! Images as endpoints: an OCI layout beside a host, what of it is compared, and what is left out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Staging, World};

/// An image's layout, made by `tar` and `sha256sum`.
fn layout(world: &World, openssl: &str) -> PathBuf {
    let folder = world.shop().join(format!("image-{openssl}"));
    let root = folder.join("root");
    for (path, text) in [
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n".to_owned()),
        ("usr/lib/x86_64-linux-gnu/libc.so.6", "GNU C Library stable release version 2.36.\n".to_owned()),
        ("lib/ld-linux-x86-64.so.2", String::new()),
        ("var/lib/dpkg/status", status(openssl)),
    ] {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
    let layer = folder.join("layer.tar");
    let done =
        Command::new("tar").arg("-C").arg(&root).args(["--mtime=@0", "-cf"]).arg(&layer).arg(".").status();
    assert!(done.unwrap().success());
    let out = folder.join("oci");
    fs::create_dir_all(out.join("blobs/sha256")).unwrap();
    let layer = blob(&out, &fs::read(layer).unwrap());
    let config = r#"{"os": "linux", "architecture": "amd64", "config": {"Env": ["LANG=C", "API_TOKEN=hunter2-canary"], "User": "app"}}"#;
    let config = blob(&out, config.as_bytes());
    let manifest = blob(&out, format!(r#"{{"config": {config}, "layers": [{layer}]}}"#).as_bytes());
    fs::write(out.join("index.json"), format!(r#"{{"manifests": [{manifest}]}}"#)).unwrap();
    out
}

fn status(openssl: &str) -> String {
    let one = |name: &str, version: &str| {
        format!("Package: {name}\nStatus: install ok installed\nVersion: {version}\nArchitecture: amd64\n\n")
    };
    one("libc6", "2.36-9+deb12u8") + &one("openssl", openssl)
}

fn blob(out: &Path, bytes: &[u8]) -> String {
    let file = out.join("new");
    fs::write(&file, bytes).unwrap();
    let told = Command::new("sha256sum").arg(&file).output().unwrap();
    let digest = String::from_utf8(told.stdout).unwrap().split(' ').next().unwrap().to_owned();
    fs::rename(file, out.join("blobs/sha256").join(&digest)).unwrap();
    format!(r#"{{"digest": "sha256:{digest}", "size": {}}}"#, bytes.len())
}

#[test]
fn an_image_beside_a_host() {
    let world = World::new(Staging::same());
    let image = format!("oci:{}", layout(&world, "3.0.11-1").display());
    let ran = world.parallax(&["check", &image, "staging"]);
    for left_out in ["host/kernel", "kernel_mismatch", "limits is", "hunter2"] {
        assert!(!ran.stdout.contains(left_out), "{left_out} in {}", ran.stdout);
    }
    // The host may have gaps; the image has none.
    let of_image = ran.stdout.lines().find(|line| line.starts_with("oci ")).unwrap();
    assert!(!of_image.contains(" gap"), "{of_image}");
    ran.says(&["an image has none of its own", "there is no image in staging", "API_TOKEN is set", "x86_64"]);
    let ran = world.parallax(&["check", &image, "staging", "--only", "host/kernel"]).exits(0);
    assert!(ran.stdout.contains("an image has none of its own"), "{}", ran.stdout);
}

#[test]
fn two_images() {
    let world = World::new(Staging::same());
    let [old, new] =
        ["3.0.11-1", "3.0.14-1"].map(|version| format!("oci:{}", layout(&world, version).display()));
    world.parallax(&["check", &old, &old]).exits(0);
    world.parallax(&["diff", &old, &new]).says(&[
        "os packages (dpkg) differ in 1 of 2: 1 in version (openssl 3.0.11-1 → 3.0.14-1)",
        "image oci digest",
    ]);
    fs::write(
        world.shop().join("parallax.yaml"),
        format!("version: 1\nenvironments:\n  a: {{sources: [{{image: '{old}'}}]}}\n  b: {{sources: [{{image: {{reference: '{new}', platform: linux/amd64}}, project: /}}]}}\n"),
    )
    .unwrap();
    world.parallax(&["diff", "a", "b", "--only", "package/**"]).says(&["openssl 3.0.11-1 → 3.0.14-1"]);
}

#[test]
fn images_that_are_not_there() {
    let world = World::new(Staging::same());
    world.parallax(&["check", "image:Node", "staging"]).exits(2);
    world.parallax(&["check", "oci:nowhere", "staging"]).exits(2);
    world.parallax(&["check", "docker-archive:", "staging"]).exits(2);
    // Nobody listens there.
    world.parallax(&["check", "image:127.0.0.1:1/app:1", "staging"]).exits(3).says(&["could not be reached"]);
}
