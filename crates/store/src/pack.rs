//! Compressing chunks, each against one that it resembles. Knows nothing of where they are kept.
//!
//! zstd takes another chunk as the dictionary: a leaf that replaces another costs what differs. It is C, and takes 8
//! processor seconds of a cold build (SQLite takes 11). Chunks are text, so that entropy coding, which LZ4 has not, matters.
//!
//! Measured with a first snapshot of 30,000 objects of ten attributes, recorded whole (bytes of chunks, processor time of the
//! recording, then of reading it back): level 3 against bases 2.02 MB, 282 ms, 59 ms; without bases 2.66 MB, 248 ms; level 1 1.92 MB,
//! 261 ms, 59 ms; level 6 1.81 MB, 360 ms, 54 ms. Level -5, which like LZ4 codes no entropy of texts: 3.19 MB, 278 ms, 54 ms, and 4.09 MB
//! without bases. A chunk that replaces another gains far more: the rows above are of new chunks against their neighbours.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use zstd_safe::{CCtx, DCtx};

/// Ratio and speed are flat around here for chunks of this size.
const LEVEL: i32 = 3;
/// No chunk or block of changes may claim to be larger.
const MOST_BYTES: u64 = 1 << 30;
/// Bytes that are kept for decompressing into.
const MOST_ROOM: usize = 1 << 20;
/// A chunk that compresses to less than one part in this many against its base is not tried without.
const CLEARLY_BETTER: usize = 8;

/// Compresses and decompresses, keeping its working memory.
pub(crate) struct Packer {
    compress: RefCell<CCtx<'static>>,
    decompress: RefCell<DCtx<'static>>,
    /// What is decompressed stands here before it is copied to where it stays.
    room: RefCell<Vec<u8>>,
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer")
    }
}

impl Packer {
    pub(crate) fn new() -> Self {
        Self {
            compress: RefCell::new(CCtx::create()),
            decompress: RefCell::new(DCtx::create()),
            room: RefCell::default(),
        }
    }

    /// Compresses bytes against others (which may be empty).
    pub(crate) fn pack(&self, bytes: &[u8], base: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(zstd_safe::compress_bound(bytes.len()));
        let done = self.compress.borrow_mut().compress_using_dict(&mut out, bytes, base, LEVEL);
        // The room is what zstd says that it may need, so this cannot fail but for want of memory.
        debug_assert!(done.is_ok(), "zstd ran out of room");
        out.shrink_to_fit();
        out
    }

    /// Compresses against a base if that pays: `Ok` with, `Err` without it.
    pub(crate) fn pack_best(&self, bytes: &[u8], base: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        let with = self.pack(bytes, base);
        if with.len() * CLEARLY_BETTER < bytes.len() {
            return Ok(with);
        }
        let without = self.pack(bytes, &[]);
        if without.len() <= with.len() { Err(without) } else { Ok(with) }
    }

    /// Gives the bytes back; `None` where they are damaged, or claim to be larger than anything is.
    pub(crate) fn unpack(&self, data: &[u8], base: &[u8]) -> Option<Arc<[u8]>> {
        let size = zstd_safe::get_frame_content_size(data).ok()??;
        if size > MOST_BYTES {
            return None;
        }
        let room = &mut *self.room.borrow_mut();
        room.clear();
        room.shrink_to(MOST_ROOM);
        room.try_reserve_exact(usize::try_from(size).ok()?).ok()?;
        self.decompress.borrow_mut().decompress_using_dict(room, data, base).ok()?;
        Some(room.as_slice().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks_and_damage_is_told() {
        let packer = Packer::new();
        let base: Vec<u8> = (0..4000_u32).flat_map(|n| (n * 7919).to_le_bytes()).collect();
        let mut bytes = base.clone();
        bytes[2000] ^= 1;
        let packed = packer.pack_best(&bytes, &base).unwrap();
        assert!(packed.len() < 200, "{}", packed.len());
        assert_eq!(packer.unpack(&packed, &base).as_deref(), Some(&*bytes));
        assert_ne!(packer.unpack(&packed, &[]).as_deref(), Some(&*bytes));
        for cut in 0..packed.len() {
            assert_eq!(packer.unpack(&packed[..cut], &base), None, "cut at {cut}");
        }
        assert_eq!(packer.pack_best(b"", b"").map(|_| ()).unwrap_err(), packer.pack(b"", b""));
        assert_eq!(packer.unpack(&packer.pack(b"", b""), b"").as_deref(), Some(&b""[..]));
    }
}
