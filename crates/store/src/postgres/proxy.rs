//! A proxy in front of a server that cuts one connection at a chosen message, for tests of what is left then.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// Where the connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// After the server got it, before it can answer.
    After(i64),
    /// After half of it.
    Within(i64),
    /// After so many bytes of the server's answers.
    Answer(i64),
    /// Nowhere.
    Never,
}

/// A proxy that runs until the test ends.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    /// How many messages are to be let through until the cut.
    left: Arc<AtomicI64>,
    answered: Arc<AtomicI64>,
    /// How many bytes are answered until the cut.
    most: Arc<AtomicI64>,
    is_cut: Arc<AtomicBool>,
}

impl Proxy {
    /// Starts one. Until [`Proxy::arm`] is called it lets everything through.
    pub(crate) fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            left: Arc::new(AtomicI64::new(i64::MAX)),
            answered: Arc::default(),
            most: Arc::new(AtomicI64::new(i64::MAX)),
            is_cut: Arc::default(),
        };
        let (left, is_cut) = (proxy.left.clone(), proxy.is_cut.clone());
        let (answered, most) = (proxy.answered.clone(), proxy.most.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                // Small messages would wait for each other.
                server.set_nodelay(true).unwrap();
                client.set_nodelay(true).unwrap();
                let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let (answers, limit, cut) = (answered.clone(), most.clone(), is_cut.clone());
                std::thread::spawn(move || answer(from, to, &answers, &limit, &cut));
                let (left, is_cut) = (left.clone(), is_cut.clone());
                std::thread::spawn(move || forward(client, server, &left, &is_cut));
            }
        });
        proxy
    }

    /// Cuts at that message from now, once. The kind of the cut is kept in the lowest bits.
    pub(crate) fn arm(&self, cut: Cut) {
        self.answered.store(0, Ordering::SeqCst);
        self.most.store(if let Cut::Answer(bytes) = cut { bytes } else { i64::MAX }, Ordering::SeqCst);
        let (number, kind) = match cut {
            Cut::After(number) => (number, 1),
            Cut::Within(number) => (number, 2),
            Cut::Answer(_) | Cut::Never => (i64::MAX / 8, 0),
        };
        self.is_cut.store(false, Ordering::SeqCst);
        self.left.store(number * 4 + kind, Ordering::SeqCst);
    }

    /// Whether the cut was made.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::SeqCst)
    }
}

/// One message of the client; the first of a connection has no type.
fn message(client: &mut TcpStream, is_first: bool) -> Option<Vec<u8>> {
    let mut out = vec![0; if is_first { 4 } else { 5 }];
    client.read_exact(&mut out).ok()?;
    let length = u32::from_be_bytes(out[out.len() - 4..].try_into().unwrap());
    let head = out.len();
    out.resize(head + usize::try_from(length).unwrap() - 4, 0);
    client.read_exact(&mut out[head..]).ok()?;
    Some(out)
}

fn answer(
    mut server: TcpStream,
    mut client: TcpStream,
    answered: &AtomicI64,
    most: &AtomicI64,
    is_cut: &AtomicBool,
) {
    let mut bytes = [0; 4096];
    let mut is_gone = false;
    // What the server says after the cut is taken too: if it were left lying, the system would reset the connection, and
    // throw away what the server has not read yet.
    while let Ok(length @ 1..) = server.read(&mut bytes) {
        if is_gone {
            continue;
        }
        let before = answered.fetch_add(i64::try_from(length).unwrap(), Ordering::SeqCst);
        let room = usize::try_from(most.load(Ordering::SeqCst) - before).unwrap_or_default();
        if room < length {
            // Only one connection is cut.
            most.store(i64::MAX, Ordering::SeqCst);
            is_cut.store(true, Ordering::SeqCst);
            drop(client.write_all(&bytes[..room]));
            drop(client.shutdown(Shutdown::Both));
            is_gone = true;
        } else {
            is_gone = client.write_all(&bytes[..length]).is_err();
        }
    }
    drop(client.shutdown(Shutdown::Both));
}

fn forward(mut client: TcpStream, mut server: TcpStream, left: &AtomicI64, is_cut: &AtomicBool) {
    let mut is_first = true;
    while let Some(bytes) = message(&mut client, is_first) {
        is_first = false;
        let now = left.fetch_sub(4, Ordering::SeqCst);
        let sent = match now {
            1 => bytes.len(),
            2 => bytes.len() / 2,
            _ => {
                if server.write_all(&bytes).is_err() {
                    break;
                }
                continue;
            }
        };
        // The client hears nothing of what the server makes of this.
        drop(client.shutdown(Shutdown::Both));
        is_cut.store(true, Ordering::SeqCst);
        drop(server.write_all(&bytes[..sent]));
        break;
    }
    drop(client.shutdown(Shutdown::Both));
    drop(server.shutdown(Shutdown::Write));
}
