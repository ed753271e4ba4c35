//! The process that leads to a far shell: scripts go in, bytes come out, bounded in time and number. Knows nothing of
//! what they mean but the mark at a batch's end.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use memchr::memmem;
use rustix::process::{Pid, Signal, kill_process_group};

use super::{Ended, frames};
use crate::secret::redact_text;

/// So much of standard error is kept for messages.
const MAX_SAID: usize = 8 * 1024;

/// A process and its pipes.
#[derive(Debug)]
pub(super) struct Connection {
    child: Child,
    stdin: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    said: Arc<Mutex<Vec<u8>>>,
    listener: Option<JoinHandle<()>>,
    nonce: String,
    spoke: bool,
}

/// Why a batch was not answered.
#[derive(Debug)]
pub(super) enum Failure {
    Late,
    TooMuch,
    Ended(Ended),
}

impl Connection {
    pub(super) fn open(mut command: Command, nonce: String) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (sender, output) = sync_channel(16);
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        // Whatever fails from here on ends the process.
        let mut connection = Self { child, stdin, output, said, listener: None, nonce, spoke: false };
        if let Some(mut stdout) = stdout {
            thread::Builder::new().spawn(move || {
                let mut block = vec![0; 64 * 1024];
                while let Ok(count @ 1..) = stdout.read(&mut block) {
                    // Nobody listens any more once the connection is given up.
                    if sender.send(block.get(..count).unwrap_or_default().to_vec()).is_err() {
                        return;
                    }
                }
            })?;
        }
        if let Some(mut stderr) = stderr {
            let listener = thread::Builder::new().spawn(move || {
                let mut block = vec![0; 4096];
                while let Ok(count @ 1..) = stderr.read(&mut block) {
                    let mut said = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    let room = MAX_SAID.saturating_sub(said.len());
                    said.extend_from_slice(block.get(..count.min(room)).unwrap_or_default());
                }
            })?;
            connection.listener = Some(listener);
        }
        Ok(connection)
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Whether a batch was answered.
    pub(super) fn spoke(&self) -> bool {
        self.spoke
    }

    /// Sends a script and takes what comes, up to the mark of its end.
    pub(super) fn ask(&mut self, script: &str, after: Duration, most: usize) -> Result<Vec<u8>, Failure> {
        let deadline = Instant::now() + after;
        let message = format!("{}\n{script}", script.len());
        let (mut stdin, output, nonce) = (self.stdin.take(), &self.output, &self.nonce);
        let child = &mut self.child;
        let group = Group::of(child);
        let (received, stdin) = thread::scope(|threads| {
            let writer = thread::Builder::new().spawn_scoped(threads, move || {
                let pipe = stdin.as_mut();
                // A reader that has gone shows in what comes back.
                let _sent = pipe.map(|pipe| pipe.write_all(message.as_bytes()).and_then(|()| pipe.flush()));
                stdin
            });
            let received = match &writer {
                Ok(_) => receive(output, nonce, deadline, most),
                Err(_) => Err(None),
            };
            match received {
                Ok(_) => {}
                // It may end by itself, and say how.
                Err(None) => await_end(child, Instant::now() + Duration::from_secs(1)),
                Err(Some(_)) => group.end(Signal::KILL),
            }
            if matches!(received, Err(None)) {
                // Frees the writer.
                group.end(Signal::KILL);
            }
            (received, writer.ok().and_then(|writer| writer.join().unwrap_or_default()))
        });
        self.stdin = stdin;
        match received {
            Ok(bytes) => {
                self.spoke = true;
                Ok(bytes)
            }
            Err(Some(failure)) => Err(failure),
            Err(None) => Err(Failure::Ended(self.ended())),
        }
    }

    /// How the process ended, which its closed output shows that it does.
    fn ended(&mut self) -> Ended {
        self.stdin = None;
        let deadline = Instant::now() + Duration::from_secs(1);
        await_end(&mut self.child, deadline);
        let status = self.child.try_wait().ok().flatten().and_then(|status| status.code());
        while Instant::now() < deadline && self.listener.as_ref().is_some_and(|l| !l.is_finished()) {
            thread::sleep(Duration::from_millis(2));
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        Ended { status, said: printable(&said), spoke: self.spoke }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stdin = None;
        let group = Group::of(&self.child);
        group.end(Signal::TERM);
        for _ in 0..100 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        group.end(Signal::KILL);
        // It was killed; this does not wait long.
        let _status = self.child.wait();
    }
}

fn await_end(child: &mut Child, deadline: Instant) {
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(2));
    }
}

/// The process group of a child; a proxy command is in it too.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(i32::try_from(child.id()).ok().and_then(Pid::from_raw))
    }

    fn end(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It may have ended by itself.
            let _gone = kill_process_group(group, signal);
        }
    }
}

/// The bytes of a batch; `Err(None)` where the process has closed its output.
fn receive(
    output: &Receiver<Vec<u8>>,
    nonce: &str,
    deadline: Instant,
    most: usize,
) -> Result<Vec<u8>, Option<Failure>> {
    let mark = frames::end_mark(nonce);
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        match output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(block) => {
                let from = bytes.len().saturating_sub(mark.len());
                bytes.extend_from_slice(&block);
                if bytes.get(from..).is_some_and(|tail| memmem::find(tail, &mark).is_some()) {
                    return Ok(bytes);
                }
            }
            Err(RecvTimeoutError::Timeout) => return Err(Some(Failure::Late)),
            Err(RecvTimeoutError::Disconnected) => return Err(None),
        }
        if bytes.len() > most {
            return Err(Some(Failure::TooMuch));
        }
    }
}

/// What a program said, on one line: its words without control characters, banners and secrets.
fn printable(bytes: &[u8]) -> String {
    let text = redact_text(&String::from_utf8_lossy(bytes));
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned())
        .filter(|line| !line.is_empty() && !line.starts_with("@@@"))
        .collect();
    let mut said = lines.join("; ");
    if let Some((at, _)) = said.char_indices().nth(600) {
        said.truncate(at);
        said.push_str(" ...");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_ssh_are_made_fit_for_a_message() {
        let check = |input: &[u8], expected: &str| assert_eq!(printable(input), expected);
        check(b"", "");
        check(b"a\x1b[31m\r\n\n  b\xff \n@@@@@@\n", "a[31m; b\u{fffd}");
        check(b"https://u:hunter2@h", "https://REDACTED@h");
        assert!(printable(&[b'x'; 9000]).len() < 700);
    }
}
