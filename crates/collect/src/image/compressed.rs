//! Opens a stream that may be compressed, told by its first bytes and not by what it is called; holds it to a bound on
//! what may come out.

use std::io::{self, BufReader, ErrorKind, Read};

/// So much may come out of anything, by default.
pub(super) const FREE: u64 = 256 << 20;
/// Beyond that, so many times what went in. Deflate gives at most 1,032 times; software and text give under 20.
const MOST_TIMES: u64 = 250;

/// What a stream that goes beyond its bounds is refused with.
pub(super) const TOO_MUCH: ErrorKind = ErrorKind::FileTooLarge;

/// The stream as it was before it was compressed; `free` bytes may come out whatever went in.
pub(super) fn open(from: Box<dyn Read + Send>, free: u64) -> io::Result<Box<dyn Read + Send>> {
    let mut from = Counted { from, count: 0, seen: std::sync::Arc::default() };
    let seen = std::sync::Arc::clone(&from.seen);
    let mut head = Vec::new();
    from.by_ref().take(4).read_to_end(&mut head)?;
    let magic = head.clone();
    let from = BufReader::with_capacity(64 << 10, io::Cursor::new(head).chain(from));
    let out: Box<dyn Read + Send> = match magic.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(from)),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(from)?;
            // A window of 128 MiB is what the tool itself grants.
            decoder.window_log_max(27)?;
            Box::new(decoder)
        }
        [b'B', b'Z', b'h', _] | [0xfd, b'7', b'z', b'X'] => {
            let why = "it is compressed with bzip2 or xz, which layers of images are not";
            return Err(io::Error::new(ErrorKind::InvalidData, why));
        }
        _ => Box::new(from),
    };
    Ok(Box::new(Bounded { from: out, came: 0, went: seen, free }))
}

/// Counts what went in.
struct Counted<R> {
    from: R,
    count: u64,
    seen: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        self.count += u64::try_from(count).unwrap_or_default();
        self.seen.store(self.count, std::sync::atomic::Ordering::Relaxed);
        Ok(count)
    }
}

/// Ends where more comes out than could be meant.
struct Bounded<R> {
    from: R,
    came: u64,
    went: std::sync::Arc<std::sync::atomic::AtomicU64>,
    free: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        self.came += u64::try_from(count).unwrap_or_default();
        let went = self.went.load(std::sync::atomic::Ordering::Relaxed);
        if self.came > self.free.saturating_add(went.saturating_mul(MOST_TIMES)) {
            let why = format!("it unpacks to more than {MOST_TIMES} times its size");
            return Err(io::Error::new(TOO_MUCH, why));
        }
        Ok(count)
    }
}
