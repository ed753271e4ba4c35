//! Layers as engines write them, and as an enemy would.

use super::super::super::tests::{gzip, layer};
use super::*;

fn unpacked(layers: &[Vec<u8>], limits: Limits) -> io::Result<(Tree, Spool)> {
    let mut spool = Spool::new(&[&std::env::temp_dir()]).unwrap();
    let mut layers = layers.iter().map(|l| Ok(Box::new(io::Cursor::new(l.clone())) as Box<dyn Read + Send>));
    unpack(&mut layers, &mut spool, limits).map(|tree| (tree, spool))
}

#[track_caller]
fn check(layers: &[Vec<u8>], expected: &[&str]) {
    let (tree, spool) = unpacked(layers, Limits::default()).unwrap();
    let mut told: Vec<String> = Vec::new();
    for (path, node) in tree.below("") {
        let what = match &node.kind {
            NodeKind::Folder => "/".to_owned(),
            NodeKind::Link(target) => format!(" -> {target}"),
            NodeKind::Other => " other".to_owned(),
            NodeKind::File(content) => {
                let mut text = String::new();
                spool.read(*content).read_to_string(&mut text).unwrap();
                format!(" {text}")
            }
        };
        told.push(format!("{path}{what}"));
    }
    assert_eq!(told, expected);
}

#[test]
fn later_layers_win() {
    let below = layer(&[("a/x", b"1"), ("a/y", b"1"), ("b -> a", b""), ("c/d/e", b"1"), ("f", b"1")]);
    let above = layer(&[
        ("a/x", b"2"),
        ("b/z", b"through a link"),
        ("c", b"a file now"),
        ("f/", b""),
        ("g => a/y", b""),
    ]);
    check(
        &[below, above],
        &["/a/", "/a/x 2", "/a/y 1", "/a/z through a link", "/b -> a", "/c a file now", "/f/", "/g 1"],
    );
}

#[test]
fn whiteouts_take_away_what_is_below_and_nothing_else() {
    let below = layer(&[("a/x", b"1"), ("a/y", b"1"), ("b/x", b"1"), ("b/deep/x", b"1"), ("c", b"1")]);
    // The opaque mark may come after what the same layer puts there.
    let above = layer(&[
        ("a/.wh.x", b""),
        ("b/new", b"2"),
        ("b/.wh..wh..opq", b""),
        (".wh.c", b""),
        ("c", b"2"),
        (".wh..wh.plnk", b""),
    ]);
    check(&[below.clone(), above], &["/a/", "/a/y 1", "/b/", "/b/new 2", "/c 2"]);
    check(&[below, layer(&[(".wh.a", b""), (".wh.b", b""), (".wh.nothing", b""), (".wh.", b"")])], &["/c 1"]);
}

#[test]
fn hostile_names_stay_within() {
    check(
        &[layer(&[
            ("/absolute", b"1"),
            ("../../up", b"1"),
            ("a/../../b", b"1"),
            ("./", b""),
            ("/", b""),
            ("out -> /../../../etc", b""),
            ("out/passwd", b"mine"),
            ("loop -> loop", b""),
            ("loop/x", b"nowhere"),
            ("..", b""),
        ])],
        &[
            "/absolute 1",
            "/b 1",
            "/etc/",
            "/etc/passwd mine",
            "/loop -> loop",
            "/out -> /../../../etc",
            "/up 1",
        ],
    );
    let long = format!("{}file", "folder/".repeat(40));
    let (tree, _) = unpacked(&[layer(&[(&long, b"1")])], Limits::default()).unwrap();
    assert!(tree.get(&format!("/{long}")).is_some());
    let deep = "a/".repeat(2000);
    check(&[layer(&[(&deep, b"")])], &[]);
}

#[track_caller]
fn refused(layers: &[Vec<u8>], limits: Limits, expected: &str) {
    let error = unpacked(layers, limits).map(|(tree, _)| tree.len()).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn bounds_hold() {
    let few = Limits { paths: 2, members: 4, kept: 10, unpacked: 20, ..Limits::default() };
    refused(&[layer(&[("a", b""), ("b", b""), ("c", b"")])], few, "more than 2 paths");
    refused(&[layer(&[("a", &b""[..]); 5])], few, "more than 4 entries");
    refused(&[layer(&[("a", b"0123456789x")])], few, "GiB of files");
    refused(&[layer(&[("a", b"012345678901234567890")])], few, "GiB unpacked");
    // 8 MB of zeros in 8 kB.
    let mut header = tar::Header::new_gnu();
    header.set_path("zeros").unwrap();
    header.set_size(8 << 20);
    header.set_mode(0o644);
    header.set_cksum();
    let bomb = header.as_bytes().iter().copied().chain(std::iter::repeat_n(0, 8 << 20)).collect::<Vec<u8>>();
    let little = Limits { free: 1 << 20, ..Limits::default() };
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    io::Write::write_all(&mut gz, &bomb).unwrap();
    refused(&[gz.finish().unwrap()], little, "more than 250 times its size");
    refused(&[zstd::encode_all(&bomb[..], 1).unwrap()], little, "more than 250 times its size");
    assert!(unpacked(&[gzip(&layer(&[("a", b"1")]))], little).is_ok());
    // A name that would be 8 GB long is not read.
    let mut name = tar::Header::new_gnu();
    name.set_entry_type(tar::EntryType::GNULongName);
    name.set_size(8 << 30);
    name.set_cksum();
    refused(&[name.as_bytes().to_vec()], Limits::default(), "too long");
    refused(&[layer(&[("a => nothing", b"")])], Limits::default(), "which is not there");
    refused(
        &[layer(&[("a", &[7; 2000])])[..1000].to_vec()].map(|l| l.to_vec()),
        Limits::default(),
        "ends within",
    );
    refused(&[b"BZh9xxxx".to_vec()], Limits::default(), "bzip2");
}

#[test]
fn large_files_are_kept_in_their_beginning() {
    let limits = Limits { whole_file: 4, beginning: 2, ..Limits::default() };
    let (tree, spool) =
        unpacked(&[layer(&[("big", b"0123456"), ("yarn.lock", b"0123456"), ("small", b"0123")])], limits)
            .unwrap();
    let kept = |path: &str| match tree.get(path).unwrap().kind {
        NodeKind::File(content) => (content.size, content.kept, content.is_whole()),
        NodeKind::Folder | NodeKind::Link(_) | NodeKind::Other => panic!("{path} is a file"),
    };
    assert_eq!(
        (kept("/big"), kept("/yarn.lock"), kept("/small")),
        ((7, 2, false), (7, 7, true), (4, 4, true))
    );
    assert_eq!(spool.len(), 13);
}

#[test]
fn a_hundred_thousand_mutations_are_unpacked_or_refused() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let long = "n".repeat(120);
    let seed =
        layer(&[("a/b", b"text"), ("l -> a/b", b""), ("a/.wh.b", b""), (&long, b"x"), ("h => a/b", b"")]);
    let limits = Limits { paths: 1000, members: 1000, kept: 1 << 20, unpacked: 1 << 20, ..Limits::default() };
    let mut spool = Spool::new(&[&std::env::temp_dir()]).unwrap();
    let mut good = 0;
    for _ in 0..100_000 {
        let mut bytes = seed.clone();
        for _ in 0..=next(3) {
            let at = next(bytes.len());
            bytes[at] = u8::try_from(next(256)).unwrap();
        }
        if next(4) > 0 {
            // As if it were meant: without a right sum a header is refused at once.
            for block in bytes.chunks_exact_mut(512).filter(|b| b[257..262] == *b"ustar") {
                let mut header = tar::Header::new_old();
                header.as_mut_bytes().copy_from_slice(block);
                header.set_cksum();
                block.copy_from_slice(header.as_bytes());
            }
        }
        bytes.truncate(bytes.len() - if next(8) == 0 { next(bytes.len()) } else { 0 });
        let mut one = std::iter::once(Ok(Box::new(io::Cursor::new(bytes)) as Box<dyn Read + Send>));
        good += usize::from(unpack(&mut one, &mut spool, Limits { kept: u64::MAX, ..limits }).is_ok());
    }
    assert!(good > 10_000, "{good}");
}
