//! SQLite's file format, as far as rows can be read from single pages: no b-tree is followed, so that one page that is lost costs
//! its own rows only. Knows nothing of tables, and never writes.
//!
//! SQLite itself gives up on a table where an inner page of it is damaged, and its own tool for this is not part of the library.
//! No crate that reads the format is kept up and follows payloads over several pages; what is needed of it is this file.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// The page size of every store, assumed where the file's header is lost.
const USUAL_SIZE: u16 = 4096;
const HEADER: &[u8; 16] = b"SQLite format 3\0";
/// No row is larger.
const MOST_BYTES: usize = 1 << 30;

/// A page's number, from 1.
pub(super) type PageNumber = u32;

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    page: PageNumber,
    cell: u16,
}

/// A row that is there whole.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) spot: Spot,
    /// Its number, where its table has such.
    pub(super) id: Option<i64>,
    payload: Vec<u8>,
}

/// One column of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Field<'r> {
    Null,
    Integer(i64),
    Text(&'r str),
    Blob(&'r [u8]),
    /// A fraction, or text that is no UTF-8: nothing that a store has.
    Other,
}

/// The pages of a file, and of the log beside it, which has the later ones.
#[derive(Debug)]
pub(super) struct Pages {
    file: RefCell<File>,
    log: Option<(RefCell<File>, HashMap<PageNumber, u64>)>,
    size: usize,
    usable: usize,
    count: PageNumber,
    lost: usize,
}

#[expect(clippy::disallowed_methods, reason = "the store's own file is no part of any environment")]
impl Pages {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut header = [0; 100];
        let is_whole = file.read_exact(&mut header).is_ok() && header.starts_with(HEADER);
        let (size, reserved, stated) = match is_whole.then(|| read_header(&header)).flatten() {
            Some(read) => read,
            None => (usize::from(USUAL_SIZE), 0, 0),
        };
        let mut log_path = path.as_os_str().to_owned();
        log_path.push("-wal");
        let log = File::open(log_path).ok().and_then(|mut log| {
            let pages = read_log(&mut log, size).unwrap_or_default();
            (!pages.is_empty()).then_some((RefCell::new(log), pages))
        });
        let in_file = PageNumber::try_from(length.div_ceil(size as u64)).unwrap_or(PageNumber::MAX);
        let in_log = log.as_ref().and_then(|(_, pages)| pages.keys().copied().max()).unwrap_or(0);
        let count = in_file.max(in_log);
        let lost = usize::try_from(stated.saturating_sub(count)).unwrap_or(usize::MAX);
        Ok(Self { file: RefCell::new(file), log, size, usable: size - reserved, count, lost })
    }

    /// How many pages there are, and how many there should be besides.
    pub(super) fn counts(&self) -> (PageNumber, usize) {
        (self.count, self.lost)
    }

    /// A page; `None` where it is not there, cannot be read, or is nothing but zeros.
    pub(super) fn page(&self, number: PageNumber) -> Option<Vec<u8>> {
        let mut page = vec![0; self.size];
        let read_at = |file: &RefCell<File>, at: u64, page: &mut [u8]| {
            let mut file = file.borrow_mut();
            file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(page)).ok()
        };
        let logged = self.log.as_ref().and_then(|(log, pages)| Some((log, *pages.get(&number)?)));
        match logged {
            Some((log, at)) => read_at(log, at, &mut page)?,
            None => read_at(&self.file, u64::from(number.checked_sub(1)?) * self.size as u64, &mut page)?,
        }
        page.iter().any(|byte| *byte != 0).then_some(page)
    }

    /// The pages that the file says it does not use: what stands in them is what was removed.
    pub(super) fn free(&self) -> HashSet<PageNumber> {
        let mut free = HashSet::new();
        let mut trunk = self.page(1).and_then(|first| number_at(&first, 32)).unwrap_or(0);
        while trunk != 0 && free.insert(trunk) {
            let Some(page) = self.page(trunk) else { break };
            let leaves =
                number_at(&page, 4).unwrap_or(0).min(PageNumber::try_from(self.size / 4).unwrap_or(0));
            let leaf = |at: u32| number_at(&page, 8 + 4 * usize::try_from(at).ok()?);
            free.extend((0..leaves).filter_map(leaf));
            trunk = number_at(&page, 0).unwrap_or(0);
        }
        free
    }

    /// The rows of a page that are there whole, each with all that it has on other pages; and how many are not.
    pub(super) fn rows(&self, number: PageNumber) -> (Vec<Row>, usize) {
        let (mut rows, mut lost) = (Vec::new(), 0);
        if let Some(page) = self.page(number) {
            for cell in 0..cell_count(&page, start_of(number)).unwrap_or(0) {
                match self.row(&page, Spot { page: number, cell }) {
                    Some(row) => rows.push(row),
                    None => lost += 1,
                }
            }
        }
        (rows, lost)
    }

    /// A row that was found before.
    pub(super) fn at(&self, spot: Spot) -> Option<Row> {
        self.row(&self.page(spot.page)?, spot)
    }

    fn row(&self, page: &[u8], spot: Spot) -> Option<Row> {
        let start = start_of(spot.page);
        let sort = *page.get(start)?;
        let pointers = if sort == INNER_INDEX { start + 12 } else { start + 8 };
        let at = usize::from(short_at(page, pointers + 2 * usize::from(spot.cell))?);
        let mut input = page.get(..self.usable)?.get(at..)?;
        if sort == INNER_INDEX {
            input = input.get(4..)?;
        }
        let length = usize::try_from(varint(&mut input)?).ok().filter(|length| *length <= MOST_BYTES)?;
        let id = if sort == LEAF_TABLE { Some(varint(&mut input)?) } else { None };
        let local = self.local(length, sort);
        let mut payload = input.get(..local)?.to_vec();
        if local < length {
            self.follow(number_at(input, local)?, length, &mut payload)?;
        }
        Some(Row { spot, id, payload })
    }

    /// How much of a payload stands on the row's own page.
    fn local(&self, length: usize, sort: u8) -> usize {
        let usable = self.usable;
        let (most, least) = ((usable - 12) * 64 / 255 - 23, (usable - 12) * 32 / 255 - 23);
        let most = if sort == LEAF_TABLE { usable - 35 } else { most };
        if length <= most {
            return length;
        }
        let rest = least + (length - least) % (usable - 4);
        if rest <= most { rest } else { least }
    }

    fn follow(&self, first: PageNumber, length: usize, payload: &mut Vec<u8>) -> Option<()> {
        let mut next = first;
        while payload.len() < length {
            // The pages that are still to come are no more than the file has, so that no length that lies is believed.
            let page = self.page(next)?;
            let part = page.get(4..self.usable)?;
            let wanted = part.len().min(length - payload.len());
            payload.extend_from_slice(part.get(..wanted)?);
            next = number_at(&page, 0)?;
            if next == 0 && payload.len() < length {
                return None;
            }
        }
        Some(())
    }
}

impl Row {
    /// The columns; `None` where they are malformed.
    pub(super) fn fields(&self) -> Option<Vec<Field<'_>>> {
        let mut types = self.payload.as_slice();
        let length = usize::try_from(varint(&mut types)?).ok()?;
        let taken = self.payload.len() - types.len();
        let mut types = types.get(..length.checked_sub(taken)?)?;
        let mut body = self.payload.get(length..)?;
        let mut out = Vec::new();
        while !types.is_empty() {
            out.push(field(varint(&mut types)?, &mut body)?);
        }
        body.is_empty().then_some(out)
    }
}

const LEAF_TABLE: u8 = 0x0d;
const LEAF_INDEX: u8 = 0x0a;
const INNER_INDEX: u8 = 0x02;

/// Before the first page's own header stands the file's.
fn start_of(number: PageNumber) -> usize {
    if number == 1 { 100 } else { 0 }
}

/// How many rows a page states; none, where it is of a sort that holds none.
fn cell_count(page: &[u8], start: usize) -> Option<u16> {
    let holds = matches!(*page.get(start)?, LEAF_TABLE | LEAF_INDEX | INNER_INDEX);
    let most = u16::try_from(page.len() / 4).unwrap_or(u16::MAX);
    short_at(page, start + 3).filter(|count| holds && *count <= most)
}

/// Page size, bytes at the end of each that are not used, and how many pages there are, from the file's header.
fn read_header(header: &[u8]) -> Option<(usize, usize, PageNumber)> {
    let size = match short_at(header, 16)? {
        1 => 65_536,
        size => usize::from(size),
    };
    let reserved = usize::from(*header.get(20)?);
    let is_sound = size.is_power_of_two() && size >= 512 && size - reserved >= 480;
    is_sound.then_some((size, reserved, number_at(header, 28)?))
}

/// Where in the log the last committed copy of each page stands.
fn read_log(log: &mut File, size: usize) -> io::Result<HashMap<PageNumber, u64>> {
    let mut header = [0; 32];
    log.read_exact(&mut header)?;
    let is_big = header.get(..4) == Some(&[0x37, 0x7f, 0x06, 0x83]);
    let is_little = header.get(..4) == Some(&[0x37, 0x7f, 0x06, 0x82]);
    let word: fn([u8; 4]) -> u32 = if is_big { u32::from_be_bytes } else { u32::from_le_bytes };
    let mut sum = (0, 0);
    add_up(&mut sum, header.get(..24).unwrap_or_default(), word);
    let stated = |bytes: &[u8], at| (number_at(bytes, at), number_at(bytes, at + 4));
    let is_ours = number_at(&header, 8) == u32::try_from(size).ok();
    if !(is_big || is_little) || !is_ours || stated(&header, 24) != (Some(sum.0), Some(sum.1)) {
        return Ok(HashMap::new());
    }
    let (mut done, mut open) = (HashMap::new(), HashMap::new());
    let (mut frame, mut at) = (vec![0; size + 24], 32_u64);
    while log.read_exact(&mut frame).is_ok() {
        add_up(&mut sum, frame.get(..8).unwrap_or_default(), word);
        add_up(&mut sum, frame.get(24..).unwrap_or_default(), word);
        let is_same = frame.get(8..16) == header.get(16..24);
        if !is_same || stated(&frame, 16) != (Some(sum.0), Some(sum.1)) {
            break;
        }
        open.insert(number_at(&frame, 0).unwrap_or(0), at + 24);
        if number_at(&frame, 4) != Some(0) {
            // What was not committed is not there.
            done.extend(open.drain());
        }
        at += frame.len() as u64;
    }
    Ok(done)
}

/// The log's checksum.
fn add_up(sum: &mut (u32, u32), bytes: &[u8], word: fn([u8; 4]) -> u32) {
    for pair in bytes.as_chunks::<8>().0 {
        let [a, b, c, d, e, f, g, h] = *pair;
        sum.0 = sum.0.wrapping_add(word([a, b, c, d])).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(word([e, f, g, h])).wrapping_add(sum.0);
    }
}

fn field<'r>(sort: i64, body: &mut &'r [u8]) -> Option<Field<'r>> {
    let integer = |body: &mut &'r [u8], length: usize| {
        let bytes = take(body, length)?;
        let is_negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
        let start = if is_negative { -1_i64 } else { 0 };
        Some(Field::Integer(bytes.iter().fold(start, |value, byte| value << 8 | i64::from(*byte))))
    };
    match sort {
        0 => Some(Field::Null),
        1..=4 => integer(body, usize::try_from(sort).ok()?),
        5 => integer(body, 6),
        6 => integer(body, 8),
        7 => take(body, 8).map(|_| Field::Other),
        8 => Some(Field::Integer(0)),
        9 => Some(Field::Integer(1)),
        12.. => {
            let bytes = take(body, usize::try_from((sort - 12) / 2).ok()?)?;
            Some(match (sort % 2, std::str::from_utf8(bytes)) {
                (0, _) => Field::Blob(bytes),
                (_, Ok(text)) => Field::Text(text),
                (_, Err(_)) => Field::Other,
            })
        }
        _ => None,
    }
}

fn take<'r>(body: &mut &'r [u8], length: usize) -> Option<&'r [u8]> {
    let (taken, rest) = body.split_at_checked(length)?;
    *body = rest;
    Some(taken)
}

fn varint(input: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for at in 0..9 {
        let byte = *take(input, 1)?.first()?;
        if at == 8 {
            return Some((value << 8 | u64::from(byte)).cast_signed());
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value.cast_signed());
        }
    }
    None
}

fn short_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}
