//! Reads a tar stream member by member: ustar, PAX and GNU, with a bound on everything that a header announces. Says
//! what is there; does not decide where it would go.
//!
//! Fields are read by the crate `tar`. Its own walk is not used: it takes a long name of any length into memory.

use std::io::{self, ErrorKind, Read};

use tar::{EntryType, Header, PaxExtensions};

const BLOCK: u64 = 512;
/// The most bytes of a long name.
const MOST_NAME: u64 = 64 << 10;
/// The most bytes of a member's extended header. Extended attributes are in it, too.
const MOST_EXTENDED: u64 = 1 << 20;
/// The most extended headers before one member.
const MOST_HEADERS: u32 = 16;

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// Its name, as it stands there; bytes that are no UTF-8 became U+FFFD.
    pub(super) path: String,
    /// What it is.
    pub(super) kind: MemberKind,
    /// The bytes of its content.
    pub(super) size: u64,
    /// Its permissions.
    pub(super) mode: u32,
    /// When it was written, seconds since 1970.
    pub(super) mtime: i64,
    /// Where its content begins in the stream.
    pub(super) offset: u64,
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MemberKind {
    File,
    /// A file that is written without its holes.
    Sparse,
    Folder,
    /// A symbolic link and its target.
    Link(String),
    /// Another name of an earlier member.
    HardLink(String),
    /// A device or a pipe.
    Other,
}

/// A tar stream.
#[derive(Debug)]
pub(super) struct Tape<R> {
    from: R,
    /// How many bytes were read.
    at: u64,
    /// How much of the member's content was not read yet, and of the filling behind it.
    left: u64,
    filling: u64,
}

/// What the headers before a member say of it.
#[derive(Debug, Default)]
struct Extended {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
    is_sparse: bool,
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl<R: Read> Tape<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, at: 0, left: 0, filling: 0 }
    }

    /// The next member; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        let mut extended = Extended::default();
        for _ in 0..MOST_HEADERS {
            self.skip()?;
            let Some(header) = self.header()? else { return Ok(None) };
            let kind = header.entry_type();
            if kind.is_gnu_longname() {
                extended.path = Some(self.long_name(&header)?);
            } else if kind.is_gnu_longlink() {
                extended.link = Some(self.long_name(&header)?);
            } else if kind.is_pax_local_extensions() {
                let bytes = self.payload(&header, MOST_EXTENDED)?;
                extended.read(&bytes)?;
            } else if kind.is_pax_global_extensions() {
                self.announce(header.entry_size()?)?;
            } else {
                return self.member(&header, extended).map(Some);
            }
        }
        Err(damaged("a member of the archive has too many headers"))
    }

    /// The content of the member that came last.
    pub(super) fn content(&mut self) -> Content<'_, R> {
        Content { tape: self }
    }

    /// Reads what is left of the stream, so that its digest is held against all of it.
    pub(super) fn finish(mut self) -> io::Result<()> {
        io::copy(&mut self.from, &mut io::sink()).map(|_| ())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not ours, and grows")]
    fn member(&mut self, header: &Header, extended: Extended) -> io::Result<Member> {
        let path = extended.path.unwrap_or_else(|| text(&header.path_bytes()));
        let link = || extended.link.clone().or_else(|| header.link_name_bytes().map(|l| text(&l)));
        let kind = match header.entry_type() {
            EntryType::GNUSparse => MemberKind::Sparse,
            EntryType::Regular | EntryType::Continuous if extended.is_sparse => MemberKind::Sparse,
            // Before there were types, a folder was told by its name.
            EntryType::Regular if path.ends_with('/') => MemberKind::Folder,
            EntryType::Regular | EntryType::Continuous => MemberKind::File,
            EntryType::Directory => MemberKind::Folder,
            EntryType::Symlink => MemberKind::Link(link().unwrap_or_default()),
            EntryType::Link => MemberKind::HardLink(link().unwrap_or_default()),
            _ => MemberKind::Other,
        };
        let mut size = extended.size.map_or_else(|| header.entry_size(), Ok)?;
        match kind {
            MemberKind::File | MemberKind::Sparse => {}
            // What these say of a size is without meaning.
            MemberKind::Folder | MemberKind::Link(_) | MemberKind::HardLink(_) | MemberKind::Other => {
                size = 0;
            }
        }
        if header.entry_type() == EntryType::GNUSparse {
            self.holes(header)?;
        }
        self.announce(size)?;
        let mtime = header.mtime().ok().and_then(|t| i64::try_from(t).ok()).unwrap_or_default();
        Ok(Member { path, kind, size, mode: header.mode().unwrap_or(0o644), mtime, offset: self.at })
    }

    /// Skips the blocks that go on with the list of holes.
    fn holes(&mut self, header: &Header) -> io::Result<()> {
        let mut goes_on = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
        let mut blocks = 0_u32;
        while goes_on {
            let block = self.block()?.ok_or_else(|| damaged("the archive ends within a member"))?;
            goes_on = block.get(504).is_some_and(|b| *b == 1);
            blocks += 1;
            if blocks > 100_000 {
                return Err(damaged("a sparse file has too many holes"));
            }
        }
        Ok(())
    }

    fn announce(&mut self, size: u64) -> io::Result<()> {
        if size > u64::MAX / 4 {
            return Err(damaged("a member of the archive announces an impossible size"));
        }
        self.left = size;
        self.filling = (BLOCK - size % BLOCK) % BLOCK;
        Ok(())
    }

    fn long_name(&mut self, header: &Header) -> io::Result<String> {
        let bytes = self.payload(header, MOST_NAME)?;
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        Ok(text(bytes.get(..end).unwrap_or_default()))
    }

    fn payload(&mut self, header: &Header, most: u64) -> io::Result<Vec<u8>> {
        let size = header.entry_size()?;
        if size > most {
            return Err(damaged("a name or an extended header of the archive is too long"));
        }
        self.announce(size)?;
        let mut bytes = Vec::new();
        self.content().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn skip(&mut self) -> io::Result<()> {
        io::copy(&mut self.content(), &mut io::sink())?;
        let mut filling = [0; 512];
        let count = usize::try_from(self.filling).unwrap_or_default();
        if let Some(filling) = filling.get_mut(..count) {
            // Some writers leave the filling of the last member out.
            let got = read_full(&mut self.from, filling)?;
            self.at += u64::try_from(got).unwrap_or_default();
        }
        self.filling = 0;
        Ok(())
    }

    /// The next header; `None` at the block of zeros that ends an archive, or at the end of the stream.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let Some(block) = self.block()? else { return Ok(None) };
        if block.iter().all(|b| *b == 0) {
            return Ok(None);
        }
        let mut header = Header::new_old();
        header.as_mut_bytes().copy_from_slice(&block);
        let sum = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) };
        let found: u32 = block.iter().enumerate().map(sum).sum();
        match header.cksum() {
            Ok(told) if told == found => Ok(Some(header)),
            Ok(_) | Err(_) => Err(damaged("it is no tar archive, or one with a broken header")),
        }
    }

    fn block(&mut self) -> io::Result<Option<[u8; 512]>> {
        let mut block = [0; 512];
        let got = read_full(&mut self.from, &mut block)?;
        self.at += u64::try_from(got).unwrap_or_default();
        match got {
            0 => Ok(None),
            512 => Ok(Some(block)),
            _ => Err(damaged("the archive ends within a header")),
        }
    }
}

/// Fills a buffer, as far as there is something.
fn read_full(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while let Some(rest) = buffer.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

impl Extended {
    fn read(&mut self, bytes: &[u8]) -> io::Result<()> {
        for record in PaxExtensions::new(bytes) {
            let record = record.map_err(|_empty| damaged("an extended header of the archive is broken"))?;
            let value = record.value_bytes();
            match record.key() {
                Ok("path") => self.path = Some(text(value)),
                Ok("linkpath") => self.link = Some(text(value)),
                Ok("size") => {
                    let size = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok());
                    self.size = Some(size.ok_or_else(|| damaged("an extended header has a broken size"))?);
                }
                Ok("GNU.sparse.name") => {
                    self.is_sparse = true;
                    self.path = Some(text(value));
                }
                Ok(key) if key.starts_with("GNU.sparse.") => self.is_sparse = true,
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }
}

/// The content of one member.
#[derive(Debug)]
pub(super) struct Content<'t, R> {
    tape: &'t mut Tape<R>,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.tape.left).unwrap_or(usize::MAX).min(into.len());
        let Some(into) = into.get_mut(..most).filter(|into| !into.is_empty()) else { return Ok(0) };
        let count = self.tape.from.read(into)?;
        if count == 0 {
            return Err(damaged("the archive ends within a member"));
        }
        let counted = u64::try_from(count).unwrap_or_default();
        self.tape.left = self.tape.left.saturating_sub(counted);
        self.tape.at += counted;
        Ok(count)
    }
}
