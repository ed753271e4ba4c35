//! Runs a command on this machine: in a process group of its own that is killed as a whole, with bounded time and
//! output. Keeps nothing.

use std::ffi::OsString;
use std::io::{ErrorKind, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process_group};

use super::super::{Output, ProbeError, Run};
use crate::machine::{CUT, beginning, stderr_kept};
use crate::secret::redact;

/// How often the end of a command is looked for while something else keeps its pipes open.
const GLANCE: Duration = Duration::from_millis(20);

/// Runs a command.
pub(super) fn run(
    run: &Run,
    program: &Path,
    variables: Option<&[(OsString, OsString)]>,
) -> Result<Output, ProbeError> {
    let deadline = Instant::now() + run.timeout.min(Duration::from_secs(86_400));
    let (name, arguments) = run.argv.split_first().ok_or(ProbeError::NotFound)?;
    let mut command = Command::new(program);
    command.arg0(name).args(arguments).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(variables) = variables {
        command.env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
    }
    let mut child = command.spawn().map_err(|e| super::file::failure(&e))?;
    let mut stdout = Stream::new(child.stdout.take(), run.max_bytes);
    let mut stderr = Stream::new(child.stderr.take(), run.max_bytes);
    let end = follow(&mut child, &mut stdout, &mut stderr, deadline);
    // Also what a command that ended by itself has left behind.
    kill_group(&child);
    match end {
        End::Late => {
            reap(&mut child);
            Err(ProbeError::TimedOut(run.timeout))
        }
        End::Cut => {
            reap(&mut child);
            // A credential across the limit is masked as a whole before anything is cut off.
            let stdout = beginning(redact(&stdout.bytes), run.max_bytes);
            Ok(Output { status: CUT, stdout, stderr: Vec::new() })
        }
        End::Exited(status) => Ok(Output {
            status: status.code().or_else(|| status.signal().map(|n| 128 + n)).unwrap_or(-1),
            stdout: redact(&stdout.bytes),
            stderr: redact(&stderr_kept(&stderr.bytes)),
        }),
    }
}

enum End {
    Exited(ExitStatus),
    Late,
    Cut,
}

/// One output stream of a command, read without blocking.
struct Stream<R> {
    pipe: Option<R>,
    bytes: Vec<u8>,
    most: usize,
}

impl<R: Read + std::os::fd::AsFd> Stream<R> {
    fn new(pipe: Option<R>, most: usize) -> Self {
        if let Some(pipe) = &pipe {
            let set = fcntl_getfl(pipe).and_then(|flags| fcntl_setfl(pipe, flags | OFlags::NONBLOCK));
            debug_assert!(set.is_ok());
        }
        Self { pipe, bytes: Vec::new(), most }
    }

    /// Takes what is there. Whether it went past its limit.
    fn drain(&mut self) -> bool {
        let mut block = [0; 16 * 1024];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut block) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.bytes.extend_from_slice(block.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.pipe = None,
            }
            if self.bytes.len() > self.most {
                return true;
            }
        }
        false
    }
}

/// Reads until the command has ended, is late, or has said too much.
fn follow<O, E>(child: &mut Child, stdout: &mut Stream<O>, stderr: &mut Stream<E>, deadline: Instant) -> End
where
    O: Read + std::os::fd::AsFd,
    E: Read + std::os::fd::AsFd,
{
    let mut pause = Duration::from_millis(1);
    loop {
        if stdout.drain() || stderr.drain() {
            return End::Cut;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let closed = stdout.pipe.is_none() && stderr.pipe.is_none();
        match child.try_wait() {
            Ok(Some(status)) => {
                // Whatever still holds the pipes goes now; what was written before stays readable.
                kill_group(child);
                let cut = stdout.drain() || stderr.drain();
                return if cut { End::Cut } else { End::Exited(status) };
            }
            Ok(None) | Err(_) if left.is_zero() => return End::Late,
            Ok(None) | Err(_) => {}
        }
        if closed {
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(GLANCE);
        } else {
            wait_readable(stdout, stderr, left.min(GLANCE));
        }
    }
}

fn wait_readable<O: std::os::fd::AsFd, E: std::os::fd::AsFd>(
    stdout: &Stream<O>,
    stderr: &Stream<E>,
    most: Duration,
) {
    let mut fds = Vec::with_capacity(2);
    fds.extend(stdout.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
    fds.extend(stderr.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
    let most = Timespec { tv_sec: 0, tv_nsec: most.subsec_nanos().into() };
    // Interrupted or not, the streams are looked at next.
    let _ready = poll(&mut fds, Some(&most));
}

fn kill_group(child: &Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It is gone already, most of the time.
        let _gone = kill_process_group(group, Signal::KILL);
    }
}

fn reap(child: &mut Child) {
    // A process that was killed can still hang in the kernel; it is not waited for.
    for _ in 0..50 {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
