//! x
#![allow(warnings)]
mod generate;
use parallax_collect::document::*;
fn main() {
    let a: Vec<String> = std::env::args().skip(1).collect();
    if a[0] == "generate" {
        let g = generate::generate(50_000_000);
        std::fs::write(&a[1], &g.left).unwrap();
        std::fs::write(&a[2], &g.right).unwrap();
        std::fs::write(&a[3], g.changes.join("\n")).unwrap();
        return;
    }
    let t = std::time::Instant::now();
    let (l, r) = (std::fs::read(&a[0]).unwrap(), std::fs::read(&a[1]).unwrap());
    eprintln!("read {:?}", t.elapsed());
    let f = parallax_collect::secret::Fingerprinter::ephemeral([1; 32]);
    let reader = Reader { name: "x", fingerprinter: &f, key: DigestKey::new([3; 16]) };
    let pair =
        reader.read_pair(Document { label: "a", bytes: &l }, Document { label: "b", bytes: &r }).unwrap();
    eprintln!("pair {:?}", t.elapsed());
    for (a, b) in pair.left.iter().zip(&pair.right) {
        for (x, y) in a.attributes.iter().zip(&b.attributes) {
            println!("{}#{}", a.key, x.path);
        }
    }
    eprintln!("{} {} {} {}", pair.left.len(), pair.right.len(), pair.equal_resources, pair.equal_attributes);
}
