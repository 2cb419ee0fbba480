//! Streams: work in order, done when somebody waits for it; and the graphs that are captured from them.

use std::collections::VecDeque;

use crate::code::{Code, ILLEGAL_ADDRESS};
use crate::launch::Launch;
use crate::log::Log;
use crate::memory::Memory;

/// One piece of work.
#[derive(Clone)]
pub enum Work {
    /// A kernel.
    Launch(Launch),
    /// Bytes of the host that were read when this was put into the stream.
    Upload {
        /// On the device.
        to: usize,
        /// What goes there.
        bytes: Vec<u8>,
    },
    /// A copy between places that are both the driver's: the host's is read or written late.
    Copy {
        /// From this address.
        from: usize,
        /// To this one.
        to: usize,
        /// So many.
        bytes: usize,
        /// Towards the device.
        up: bool,
    },
    /// A copy within the device.
    Move {
        /// From this address.
        from: usize,
        /// To this one.
        to: usize,
        /// So many.
        bytes: usize,
    },
    /// So many bytes of one value.
    Fill {
        /// On the device.
        to: usize,
        /// The value.
        value: u8,
        /// So many.
        bytes: usize,
    },
    /// A mark, by the number of its event and how often that was recorded.
    Event(usize, u64),
    /// The start of a graph.
    Graph,
}

/// Work that waits.
#[derive(Default)]
pub struct Stream {
    /// In order.
    pub work: VecDeque<Work>,
    /// What is captured instead, if anything.
    pub capture: Option<Vec<Work>>,
}

/// What work is done on.
pub struct Device<'a> {
    /// The device's memory.
    pub memory: &'a Memory,
    /// The host's memory that the device uses.
    pub host: &'a Memory,
    /// What happened.
    pub log: &'a mut Log,
}

impl Device<'_> {
    /// Does one piece of work.
    pub fn run(&mut self, work: &Work) -> Result<(), Code> {
        match work {
            Work::Launch(launch) => {
                self.log.line(launch.line());
                launch.run(self.memory, self.host).map_err(|(code, why)| {
                    self.log.line(format!("error {why}"));
                    code
                })?;
                // What a kernel wrote behind a piece is found after it.
                if self.memory.is_whole() && self.host.is_whole() {
                    Ok(())
                } else {
                    self.refuse(&format!("{} wrote out of bounds", launch.line()))
                }
            }
            Work::Upload { to, bytes } => {
                self.log.line(format!("upload {}", bytes.len()));
                self.check(self.memory, *to, bytes.len())?;
                // SAFETY: as many bytes lie there.
                unsafe { bytes.as_ptr().copy_to_nonoverlapping(*to as *mut u8, bytes.len()) };
                Ok(())
            }
            Work::Copy { from, to, bytes, up } => {
                self.log.line(format!("{} {bytes}", if *up { "upload" } else { "download" }));
                let (device, host) = if *up { (to, from) } else { (from, to) };
                self.check(self.memory, *device, *bytes)?;
                self.check(self.host, *host, *bytes)?;
                // SAFETY: as many bytes lie at both ends, which are different pieces.
                unsafe { (*from as *const u8).copy_to_nonoverlapping(*to as *mut u8, *bytes) };
                Ok(())
            }
            Work::Move { from, to, bytes } => {
                self.log.line(format!("move {bytes}"));
                self.check(self.memory, *from, *bytes)?;
                self.check(self.memory, *to, *bytes)?;
                // SAFETY: as many bytes lie at both ends.
                unsafe { (*from as *const u8).copy_to(*to as *mut u8, *bytes) };
                Ok(())
            }
            Work::Fill { to, value, bytes } => {
                self.log.line(format!("fill {bytes}"));
                self.check(self.memory, *to, *bytes)?;
                // SAFETY: as many bytes lie there.
                unsafe { (*to as *mut u8).write_bytes(*value, *bytes) };
                Ok(())
            }
            Work::Graph => {
                self.log.line("graph".into());
                Ok(())
            }
            Work::Event(..) => Ok(()),
        }
    }

    fn check(&mut self, memory: &Memory, address: usize, bytes: usize) -> Result<(), Code> {
        memory.check(address, bytes).or_else(|_| self.refuse(&format!("{bytes} bytes at {address:#x} are not all allocated")))
    }

    fn refuse(&mut self, why: &str) -> Result<(), Code> {
        self.log.line(format!("error {why}"));
        Err(ILLEGAL_ADDRESS)
    }
}
