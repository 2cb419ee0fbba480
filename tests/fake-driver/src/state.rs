//! All that the driver knows, behind one lock, and the way of every call: counted, failed if it is to fail, done.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::c_uint;
use std::fs::OpenOptions;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::code::{Code, ILLEGAL_STATE, INVALID_CONTEXT, INVALID_HANDLE, NOT_INITIALIZED, STREAM_CAPTURE_UNSUPPORTED, UNKNOWN};
use crate::devices::{DEFAULT, Machine};
use crate::launch::Function;
use crate::library::Module;
use crate::log::Log;
use crate::memory::Memory;
use crate::stream::{Device, Stream, Work};

/// Which calls fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The first, counted from 1; none if 0.
    pub first: u64,
    /// Whether all after it fail as well.
    pub on: bool,
}

/// All that the driver knows.
pub struct State {
    pub machine: Machine,
    pub initialized: bool,
    /// Calls so far.
    pub calls: u64,
    pub plan: Plan,
    /// What work in a stream failed with: from then on everything does.
    pub broken: Option<Code>,
    pub memory: Memory,
    pub host: Memory,
    /// How often each device's context is held.
    pub contexts: BTreeMap<usize, u64>,
    pub streams: BTreeMap<usize, Stream>,
    /// How often each event was recorded, and up to which time it has passed.
    pub events: BTreeMap<usize, (u64, u64)>,
    pub libraries: BTreeMap<usize, Module>,
    /// Kernels, by handle; a kernel's function has the same one. The first number is the library's.
    pub kernels: BTreeMap<usize, (usize, Function)>,
    pub graphs: BTreeMap<usize, Vec<Work>>,
    pub executables: BTreeMap<usize, Vec<Work>>,
    pub log: Log,
    next: usize,
}

thread_local! {
    /// The device whose context is current.
    static CURRENT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The driver's state; from the variables at first.
pub fn lock() -> MutexGuard<'static, State> {
    static STATE: OnceLock<Mutex<State>> = OnceLock::new();
    STATE.get_or_init(|| Mutex::new(State::from_variables())).lock().unwrap_or_else(PoisonError::into_inner)
}

/// One call of an entry point.
pub fn call(name: &str, act: impl FnOnce(&mut State) -> Result<(), Code>) -> c_uint {
    run(name, act, false)
}

/// One call of an entry point that gives something back: it does so even where it is to fail, as drivers do that report what failed before.
pub fn release(name: &str, act: impl FnOnce(&mut State) -> Result<(), Code>) -> c_uint {
    run(name, act, true)
}

fn run(name: &str, act: impl FnOnce(&mut State) -> Result<(), Code>, always: bool) -> c_uint {
    let mut state = lock();
    state.calls += 1;
    let Plan { first, on } = state.plan;
    let fails = first != 0 && (state.calls == first || on && state.calls > first);
    if fails {
        state.log.line(format!("error {name} was to fail"));
    }
    let done = if fails && !always { Ok(()) } else { catch_unwind(AssertUnwindSafe(|| act(&mut state))).unwrap_or(Err(UNKNOWN)) };
    match done {
        _ if fails => UNKNOWN.0,
        Ok(()) => 0,
        Err(Code(code)) => code,
    }
}

impl State {
    fn from_variables() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        let machine = variable("FAKE_CUDA_DEVICES").unwrap_or_else(|| DEFAULT.to_owned());
        let fail = variable("FAKE_CUDA_FAIL").unwrap_or_default();
        let open = |path| OpenOptions::new().create(true).append(true).open(path).ok();
        Self {
            machine: Machine::parse(&machine).unwrap_or(Machine { version: 0, records: Vec::new() }),
            initialized: false,
            calls: 0,
            plan: Plan { first: fail.trim_start_matches('+').parse().unwrap_or_default(), on: fail.starts_with('+') },
            broken: None,
            memory: Memory::default(),
            host: Memory::default(),
            contexts: BTreeMap::new(),
            streams: BTreeMap::new(),
            events: BTreeMap::new(),
            libraries: BTreeMap::new(),
            kernels: BTreeMap::new(),
            graphs: BTreeMap::new(),
            executables: BTreeMap::new(),
            log: Log::to(variable("FAKE_CUDA_LOG").and_then(open)),
            next: 0x1000,
        }
    }

    /// A handle that nothing had before.
    pub fn handle(&mut self) -> usize {
        self.next += 0x10;
        self.next
    }

    /// Refuses everything before `cuInit`.
    pub fn check_initialized(&self) -> Result<(), Code> {
        if self.initialized { Ok(()) } else { Err(NOT_INITIALIZED) }
    }

    /// Makes a device's context current in this thread; none if there is no device.
    pub fn enter(&self, device: Option<usize>) -> Result<(), Code> {
        if device.is_some_and(|device| !self.contexts.contains_key(&device)) {
            return Err(INVALID_CONTEXT);
        }
        CURRENT.set(device);
        Ok(())
    }

    /// The device whose context is current. Nothing can be done in one where work has failed.
    pub fn current(&self) -> Result<usize, Code> {
        self.check_initialized()?;
        let device = CURRENT.get().filter(|device| self.contexts.contains_key(device)).ok_or(INVALID_CONTEXT)?;
        self.broken.map_or(Ok(device), Err)
    }

    /// The same, where no stream may be captured.
    pub fn current_idle(&self) -> Result<usize, Code> {
        if self.streams.values().any(|stream| stream.capture.is_some()) {
            return Err(STREAM_CAPTURE_UNSUPPORTED);
        }
        self.current()
    }

    /// Bytes of the current device's memory.
    pub fn capacity(&self) -> Result<usize, Code> {
        let device = self.current()?;
        Ok(self.machine.records.get(device).map_or(0, |record| record.memory))
    }

    /// Puts work into a stream, or into what is captured of it.
    pub fn push(&mut self, stream: usize, work: impl IntoIterator<Item = Work>) -> Result<(), Code> {
        let stream = self.streams.get_mut(&stream).ok_or(INVALID_HANDLE)?;
        match &mut stream.capture {
            Some(captured) => captured.extend(work),
            None => stream.work.extend(work),
        }
        Ok(())
    }

    /// Does a stream's work, at most so many pieces.
    pub fn work(&mut self, stream: usize, most: usize) -> Result<(), Code> {
        for _ in 0..most {
            let Some(work) = self.streams.get_mut(&stream).ok_or(INVALID_HANDLE)?.work.pop_front() else { break };
            if let Work::Event(event, time) = work
                && let Some((_, passed)) = self.events.get_mut(&event)
            {
                *passed = time.max(*passed);
            }
            let done = Device { memory: &self.memory, host: &self.host, log: &mut self.log }.run(&work);
            if let Err(code) = done {
                self.broken = Some(code);
                return Err(code);
            }
        }
        Ok(())
    }

    /// Does the work of every stream.
    pub fn work_all(&mut self) -> Result<(), Code> {
        let streams: Vec<usize> = self.streams.keys().copied().collect();
        streams.into_iter().try_for_each(|stream| self.work(stream, usize::MAX))
    }

    /// Everything that somebody has yet to give back.
    pub fn live(&self) -> usize {
        let contexts: u64 = self.contexts.values().sum();
        let handles = self.streams.len() + self.events.len() + self.libraries.len() + self.graphs.len() + self.executables.len();
        contexts as usize + handles + self.memory.count() + self.host.count()
    }

    /// Starts anew as another machine; refused while anything is in use.
    pub fn reset(&mut self, machine: Machine) -> Result<(), Code> {
        if self.live() > 0 {
            return Err(ILLEGAL_STATE);
        }
        self.machine = machine;
        (self.calls, self.plan, self.broken) = (0, Plan::default(), None);
        self.log.take();
        self.memory.mark();
        Ok(())
    }
}
