//! Images written here by hand, read from layouts, archives and (in `registry::tests`) a real registry.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parallax_model::{GapKind, Resource};

use super::rootfs::{ImageMachine, Limits, Spool, unpack};
use super::*;
use crate::machine::{Batch, Environment, Find, Local, Machine};
use crate::secret::Fingerprinter;
use crate::{Observation, Scope, Variables};

/// A layer from entries: a path that ends with `/` is a folder, one with ` -> ` a link, one with ` => ` a hard link.
pub(crate) fn layer(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o755);
        header.set_mtime(0);
        header.set_size(0);
        if let Some((path, target)) = path.split_once(" -> ") {
            header.set_entry_type(tar::EntryType::Symlink);
            tar.append_link(&mut header, path, target).unwrap();
        } else if let Some((path, target)) = path.split_once(" => ") {
            header.set_entry_type(tar::EntryType::Link);
            tar.append_link(&mut header, path, target).unwrap();
        } else {
            header.set_size(content.len().try_into().unwrap());
            header.set_entry_type(if path.ends_with('/') {
                tar::EntryType::Directory
            } else {
                tar::EntryType::Regular
            });
            // As hostile ones are: the builder would refuse `..` and a leading slash.
            let name = path.as_bytes();
            if name.len() < 100 {
                header.as_old_mut().name[..name.len()].copy_from_slice(name);
                header.set_cksum();
                tar.append(&header, *content).unwrap();
            } else {
                tar.append_data(&mut header, path, *content).unwrap();
            }
        }
    }
    tar.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An image's layout in a folder: one manifest for each platform, under an index where there are several.
pub(crate) struct Built {
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) const CONFIG: &str = r#""config": {"User": "app", "Env": ["PATH=/opt/bin:/usr/bin:/bin", "LANG=C.UTF-8", "API_TOKEN=hunter2-canary"],
  "Entrypoint": ["/bin/sh", "-c"], "Cmd": ["echo hello"], "WorkingDir": "/srv/app", "ExposedPorts": {"8080/tcp": {}},
  "Labels": {"team": "shop", "registry.token": "hunter2-canary"}, "StopSignal": "SIGTERM"}"#;

impl Built {
    pub(crate) fn new(platforms: &[&str], layers: &[Vec<u8>]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let built = Self { folder };
        std::fs::create_dir_all(built.path().join("blobs/sha256")).unwrap();
        std::fs::write(built.path().join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
        let diffs: Vec<String> = layers.iter().map(|l| format!("\"{}\"", digest::of_bytes(l))).collect();
        let layers: Vec<String> = layers
            .iter()
            .map(|layer| built.blob("application/vnd.oci.image.layer.v1.tar+gzip", &gzip(layer), ""))
            .collect();
        let manifests: Vec<String> = platforms
            .iter()
            .map(|platform| {
                let platform = Platform::parse(platform).unwrap();
                let is = format!(r#""os": "{}", "architecture": "{}""#, platform.os, platform.architecture);
                let diffs = diffs.join(", ");
                let config = format!(
                    r#"{{{is}, "created": "2026-01-01T00:00:00Z", {CONFIG}, "rootfs": {{"type": "layers", "diff_ids": [{diffs}]}}}}"#
                );
                let config = built.blob("application/vnd.oci.image.config.v1+json", config.as_bytes(), "");
                let manifest = format!(
                    r#"{{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": {config}, "layers": [{}]}}"#,
                    layers.join(", ")
                );
                let platform = format!(r#", "platform": {{{is}}}"#);
                built.blob("application/vnd.oci.image.manifest.v1+json", manifest.as_bytes(), &platform)
            })
            .collect();
        let top = match manifests.as_slice() {
            [only] => only.clone(),
            all => {
                let media = "application/vnd.oci.image.index.v1+json";
                let index = format!(
                    r#"{{"schemaVersion": 2, "mediaType": "{media}", "manifests": [{}]}}"#,
                    all.join(", ")
                );
                built.blob(media, index.as_bytes(), "")
            }
        };
        std::fs::write(
            built.path().join("index.json"),
            format!(r#"{{"schemaVersion": 2, "manifests": [{top}]}}"#),
        )
        .unwrap();
        built
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn blob(&self, media_type: &str, bytes: &[u8], more: &str) -> String {
        let digest = digest::of_bytes(bytes);
        std::fs::write(self.path().join("blobs").join(digest.replace(':', "/")), bytes).unwrap();
        format!(r#"{{"mediaType": "{media_type}", "digest": "{digest}", "size": {}{more}}}"#, bytes.len())
    }
}

/// A file system that is like one of Debian.
pub(crate) fn debian() -> Vec<Vec<u8>> {
    let busybox =
        std::fs::read("/bin/busybox").expect("busybox-static is missing: run scripts/test --set-up");
    let libc =
        [&b"\x7fELF junk"[..], b"GNU C Library (Debian GLIBC 2.36-9+deb12u8) stable release version 2.36.\n"]
            .concat();
    let below = layer(&[
        ("./", b""),
        ("usr/bin/", b""),
        ("bin -> usr/bin", b""),
        ("lib -> usr/lib", b""),
        ("usr/bin/busybox", &busybox),
        ("usr/bin/sh -> busybox", b""),
        ("usr/lib/x86_64-linux-gnu/libc.so.6", &libc),
        ("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", b"\x7fELF"),
        ("lib64 -> usr/lib64", b""),
        ("usr/lib64/ld-linux-x86-64.so.2 -> ../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", b""),
        ("etc/os-release -> ../usr/lib/os-release", b""),
        ("usr/lib/os-release", b"ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"),
        ("etc/localtime -> /usr/share/zoneinfo/Etc/UTC", b""),
        ("usr/share/zoneinfo/Etc/UTC", b"TZif"),
        ("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\napp:x:7:7::/srv:/bin/sh\n"),
        ("var/lib/dpkg/status", b"Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.36-9+deb12u8\n\nPackage: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1~deb12u2\n"),
        ("opt/bin/tool", b"old"),
        ("opt/gone/x", b"x"),
        ("opt/other/y", b"y"),
    ]);
    let above = layer(&[
        ("opt/bin/.wh.tool", b""),
        ("opt/gone/.wh..wh..opq", b""),
        ("opt/gone/z", b"z"),
        ("opt/.wh.other", b""),
        ("srv/app/package.json", br#"{"name": "shop", "version": "1.0.0"}"#),
        ("srv/app/.nvmrc", b"18.19.0\n"),
        ("lib/from-above", b"through the link"),
        ("srv/app/second => srv/app/.nvmrc", b""),
    ]);
    vec![below, above]
}

pub(crate) fn scope() -> Scope {
    Scope {
        project: None,
        variables: Variables::All,
        fingerprinter: Arc::new(Fingerprinter::lasting(b"key")),
    }
}

pub(crate) fn look(source: &dyn ImageSource, reference: &str) -> Result<Observation, ImageError> {
    let wanted = Wanted {
        reference: &reference.parse().unwrap(),
        platform: &Platform::of_machine("x86_64"),
        project: Project::WhereItStarts,
        temporary: &[&std::env::temp_dir()],
    };
    observe(source, &wanted, &scope())
}

pub(crate) fn value(seen: &Observation, key: &str, path: &str) -> String {
    let found: Vec<&Resource> = seen.resources.iter().filter(|r| r.key.as_str() == key).collect();
    let told = found.first().and_then(|r| r.attributes.get(path));
    told.map_or_else(String::new, |v| v.as_text().map_or_else(|| v.to_json(), str::to_owned))
}

fn open_layout(path: &Path) -> Result<Layout, ImageError> {
    Layout::open(path, "here", &[&std::env::temp_dir()])
}

#[track_caller]
fn is_as_debian(seen: &Observation) {
    let check = |key: &str, path: &str, expected: &str| {
        assert_eq!(value(seen, key, path), expected, "{key}#{path} in {seen:#?}");
    };
    check("host/os", "id", "debian");
    check("host/libc", "family", "glibc");
    check("host/libc", "version", "2.36");
    check("host/cpu", "architecture", "x86_64");
    check("host/time", "zone", "UTC");
    check("host/locale", "lang", "C.UTF-8");
    check("env/LANG", "value", "C.UTF-8");
    check("package/dpkg/openssl", "version", "3.0.11-1~deb12u2");
    check("package/dpkg", "packages", "2");
    check("pin/node", "version", "");
    check("image/shop", "user", "app");
    check("image/shop", "entrypoint", "/bin/sh -c");
    check("image/shop", "cmd", "\"echo hello\"");
    check("image/shop", "ports", "8080/tcp");
    check("image/shop", "labels[team]", "shop");
    check("image/shop", "stop_signal", "SIGTERM");
    check("host/kernel", "name", "");
    assert!(
        seen.resources.iter().any(|r| r.key.as_str().starts_with("pin/node")),
        "the project is where it starts"
    );
    assert!(!format!("{seen:?}").contains("hunter2"), "no secret in clear");
    let applicable: Vec<_> = seen.gaps.iter().filter(|g| g.kind != GapKind::NotApplicable).collect();
    assert_eq!(applicable, Vec::<&parallax_model::Gap>::new());
    for what in ["host/kernel", "host/limits", "host/cgroup", "host/cpu#level"] {
        assert!(seen.gaps.iter().any(|g| &*g.what == what), "{what}");
    }
}

#[test]
fn an_image_is_seen_as_a_host_is() {
    let built = Built::new(&["linux/amd64"], &debian());
    is_as_debian(&look(&open_layout(built.path()).unwrap(), "shop").unwrap());
}

#[test]
fn what_real_tools_write_is_read() {
    let built = Built::new(&["linux/amd64"], &debian());
    let from = format!("oci:{}", built.path().display());
    let out = tempfile::tempdir().unwrap();
    let at = |name: &str| out.path().join(name);
    let copy = |to: &str| registry::skopeo_for_tests(&["--insecure-policy", "copy", &from, to]);
    copy(&format!("oci-archive:{}", at("oci.tar").display()));
    copy(&format!("docker-archive:{}:team/shop:1", at("docker.tar").display()));
    is_as_debian(&look(&open_layout(&at("oci.tar")).unwrap(), "shop").unwrap());
    let open = |path: &PathBuf| Archive::open(path, "here", &[&std::env::temp_dir()]).unwrap();
    let archive = open(&at("docker.tar"));
    assert_eq!(archive.names()[0].to_string(), "team/shop:1");
    let seen = look(&archive, "shop").unwrap();
    is_as_debian(&seen);
    assert_eq!(value(&seen, "image/shop", "digest"), "", "an older docker save keeps no manifest");
    assert!(look(&archive, "team/shop:2").is_err() && look(&archive, "team/shop:1").is_ok());
    // Compressed as a whole, and with an OCI layout beside the list, as since Docker 25.
    let compressed = at("docker.tar.gz");
    std::fs::write(&compressed, gzip(&std::fs::read(at("docker.tar")).unwrap())).unwrap();
    is_as_debian(&look(&open(&compressed), "shop").unwrap());
    is_as_debian(&look(&open(&at("oci.tar")), "shop").unwrap());
    let zstd = at("docker.tar.zst");
    std::fs::write(&zstd, zstd::encode_all(&std::fs::read(at("docker.tar")).unwrap()[..], 1).unwrap())
        .unwrap();
    is_as_debian(&look(&open(&zstd), "shop").unwrap());
}

#[test]
fn what_is_no_image() {
    let empty = tempfile::tempdir().unwrap();
    let words = |result: Result<Layout, ImageError>| result.unwrap_err().to_string();
    assert_eq!(
        words(open_layout(empty.path())),
        "here: `index.json` is damaged: it is not there, so this is no OCI layout"
    );
    assert_eq!(words(open_layout(&empty.path().join("x"))), "here: there is no such file");
    let file = empty.path().join("file");
    std::fs::write(&file, "not a tar").unwrap();
    assert_eq!(words(open_layout(&file)), "here: `here` is damaged: the archive ends within a header");
    std::fs::write(&file, [b'x'; 4096]).unwrap();
    assert!(words(open_layout(&file)).contains("no tar archive"));
    let built = Built::new(&["linux/amd64", "linux/arm64"], &[]);
    let look = |reference: &str, machine: &str| {
        let wanted = Wanted {
            reference: &reference.parse().unwrap(),
            platform: &Platform::of_machine(machine),
            project: Project::None,
            temporary: &[&std::env::temp_dir()],
        };
        observe(&open_layout(built.path()).unwrap(), &wanted, &scope())
            .map(|seen| value(&seen, "image/app", "architecture"))
    };
    assert_eq!(look("app", "aarch64").unwrap(), "arm64");
    assert_eq!(
        look("app", "riscv64").unwrap_err().to_string(),
        "`app` is not there for linux/riscv64; it is for linux/amd64, linux/arm64"
    );
    assert_eq!(look("app:9", "x86_64").unwrap_err().to_string(), "here has no image `9`");
    // A blob that was changed is refused.
    let blobs = built.path().join("blobs/sha256");
    for blob in std::fs::read_dir(blobs).unwrap() {
        let path = blob.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.push(b' ');
        std::fs::write(&path, bytes).unwrap();
    }
    assert!(look("app", "x86_64").unwrap_err().to_string().contains("not what its digest says"));
}

#[test]
fn a_layer_that_was_changed_is_refused() {
    let built = Built::new(&["linux/amd64"], &debian());
    let blobs: Vec<PathBuf> =
        std::fs::read_dir(built.path().join("blobs/sha256")).unwrap().map(|b| b.unwrap().path()).collect();
    let largest = blobs.iter().max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let mut bytes = std::fs::read(largest).unwrap();
    // The gzip header's time: what comes out is the same.
    bytes[4] ^= 1;
    std::fs::write(largest, bytes).unwrap();
    let error = look(&open_layout(built.path()).unwrap(), "shop").unwrap_err().to_string();
    assert!(error.contains("not what its digest says"), "{error}");
}

/// The same files, packed as a layer and looked at where they are.
#[test]
fn an_image_answers_as_this_machine_does() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    put_files(&root);
    let path = format!("{0}/bin:{0}/up:{0}/none", root.display());
    let image = packed(&root, &path);
    let here = Local::new(None).with_variables(vec![("PATH".into(), path.into()), ("A".into(), "2".into())]);
    let at = |name: &str| root.join(name).display().to_string();
    let mut batch = Batch::new();
    for name in ["text", "link", "dangling", "empty", "a", "nowhere", "text/x", "up/tool", "a/../text"] {
        batch.read(at(name), 100);
        batch.read(at(name), 5);
        batch.read_lines(at(name), 100, &["a="]);
        batch.sha256(at(name));
        batch.list(at(name), 100);
    }
    batch.list(at(""), 3);
    for (max_depth, max_entries) in [(1, 9), (2, 9), (9, 9), (9, 1)] {
        for place in ["", "a", "up", "text", "nowhere"] {
            let (names, prune) = (vec!["one.*".into(), "tool".into()], vec!["node_modules".into()]);
            batch.find(Find { root: at(place), names, prune, max_depth, max_entries });
        }
    }
    batch.environment(Environment { names: None, fingerprinter: scope().fingerprinter });
    let (seen, expected) = (image.run(&batch).unwrap(), here.run(&batch).unwrap());
    for ((op, seen), expected) in batch.ops().iter().zip(seen.0).zip(expected.0) {
        assert_eq!(seen, expected, "{op:?}");
    }
    let mut batch = Batch::new();
    let asked = batch.which(&["tool", "linked", "not", "../tool", ""]);
    let round = batch.read(at("round"), 9);
    let told = |machine: &dyn Machine| {
        let replies = machine.run(&batch).unwrap();
        assert!(replies.get(round).is_err());
        let all = replies.get(asked).unwrap().clone();
        all.into_iter().map(|c| (c.name, c.path, c.resolved, c.size, c.head)).collect::<Vec<_>>()
    };
    assert_eq!(told(&image), told(&here));
}

fn put_files(root: &Path) {
    for (path, text) in [
        ("a/one.json", "{}"),
        ("a-b/one.json", "{}"),
        ("a/node_modules/one.json", ""),
        ("a/.git/one.json", ""),
        ("a/b/c/d/one.json", ""),
        ("bin/tool", "#!/bin/sh\n"),
        ("bin/not", ""),
        ("text", "a=1\nb=//u:hunter2@h\na=2"),
        ("empty", ""),
    ] {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), text).unwrap();
    }
    std::fs::set_permissions(root.join("bin/tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let links = [
        ("link", "a/../text"),
        ("dangling", "nowhere"),
        ("round", "round"),
        ("bin/linked", "tool"),
        ("up", "bin"),
    ];
    for (path, target) in links {
        symlink(target, root.join(path)).unwrap();
    }
}

fn packed(root: &Path, path: &str) -> ImageMachine {
    let mut tar = tar::Builder::new(Vec::new());
    tar.follow_symlinks(false);
    tar.append_dir_all(root.strip_prefix("/").unwrap(), root).unwrap();
    let layer = tar.into_inner().unwrap();
    let mut spool = Spool::new(&[&std::env::temp_dir()]).unwrap();
    let mut layers =
        std::iter::once(Ok(Box::new(std::io::Cursor::new(layer)) as Box<dyn std::io::Read + Send>));
    let tree = unpack(&mut layers, &mut spool, Limits::default()).unwrap();
    let env = Some(vec![format!("PATH={path}"), "A=1".into(), "A=2".into()]);
    let config =
        Config { os: "linux".into(), config: Process { env, ..Process::default() }, ..Config::default() };
    ImageMachine::new("an image".into(), tree, spool, config)
}

/// As Docker wrote before 1.10 and up to 24: a folder for each layer, the second time as a link.
#[test]
fn an_archive_with_links() {
    let layers = debian();
    let config = format!(r#"{{"os": "linux", "architecture": "amd64", {CONFIG}}}"#);
    let list = r#"[{"Config": "c.json", "RepoTags": null, "Layers": ["a/layer.tar", "b/layer.tar", "c/layer.tar"]}]"#;
    let archive = layer(&[
        ("a/layer.tar", &layers[0]),
        ("b/layer.tar", &layers[1]),
        ("c/layer.tar -> ../b/layer.tar", b""),
        ("c.json", config.as_bytes()),
        ("manifest.json", list.as_bytes()),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.tar");
    let open = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Archive::open(&path, "here", &[&std::env::temp_dir()]).and_then(|archive| look(&archive, "shop"))
    };
    is_as_debian(&open(&archive).unwrap());
    let words = |bytes: &[u8]| open(bytes).unwrap_err().to_string();
    assert_eq!(
        words(&layer(&[("x", b"")])),
        "here: `manifest.json` is damaged: it is not there, so `docker save` did not write this file"
    );
    let list = layer(&[("manifest.json", br#"[{"Config": "../../etc/passwd"}]"#)]);
    assert_eq!(words(&list), "here: `../../etc/passwd` is damaged: it is not there");
    let round = layer(&[("manifest.json", br#"[{"Config": "c"}]"#), ("c -> d", b""), ("d -> c", b"")]);
    assert_eq!(words(&round), "here: `c` is damaged: it is not there");
}
