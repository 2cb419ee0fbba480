//! From units to cubins: in parallel, from the cache where it can be, in an order that does not depend on either.

use std::io;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::cache::Key;
use super::{Cache, Compiler, EmitError, Unit};
use crate::launch::Module;
use crate::target::Sm;

/// One module, compiled for one kind of GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cubin {
    /// What it runs on.
    pub target: Sm,
    /// The module.
    pub module: Module,
    /// An ELF file.
    pub bytes: Vec<u8>,
}

/// How cubins are made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Compilers that run at once.
    pub threads: usize,
    /// Where cubins are kept, if anywhere.
    pub cache: Option<Cache>,
}

/// What happens while cubins are made.
#[derive(Debug)]
pub enum Event<'a> {
    /// A module is about to be compiled.
    Started(Job<'a>),
    /// A module is there.
    Done {
        /// Which.
        job: Job<'a>,
        /// Cubins that are there, this one included.
        done: usize,
        /// Cubins that are asked for.
        total: usize,
        /// Time that the compiler took; none if the cubin was in the cache.
        compiled: Option<Duration>,
    },
    /// A cubin could not be kept; the result does not depend on that.
    NotKept(&'a io::Error),
}

/// A module and a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job<'a> {
    /// The module's source.
    pub unit: &'a Unit,
    /// What it is compiled for.
    pub target: Sm,
}

/// Compiles every job. The result is ordered as the jobs are.
///
/// `watch` is called from many threads; `Break` ends the compilation with [`EmitError::Stopped`] before the next module.
pub fn cubins(
    compiler: &Compiler,
    jobs: &[Job<'_>],
    options: &Options,
    watch: &(dyn Fn(Event<'_>) -> ControlFlow<()> + Sync),
) -> Result<Vec<Cubin>, EmitError> {
    compiler.check(jobs.iter().map(|job| &job.target))?;
    let work = Work { compiler, cache: options.cache.as_ref(), jobs, watch, done: AtomicUsize::new(0) };
    let results: Vec<Mutex<Option<Result<Cubin, EmitError>>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..options.threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(index) else { break };
                    let result = work.run(*job);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    *results[index].lock().expect("invariant: no thread panics with this lock") = Some(result);
                }
            });
        }
    });
    let found = results.into_iter().filter_map(|result| result.into_inner().expect("invariant: no thread panicked"));
    found.collect()
}

/// What all threads share.
struct Work<'a> {
    compiler: &'a Compiler,
    cache: Option<&'a Cache>,
    jobs: &'a [Job<'a>],
    watch: &'a (dyn Fn(Event<'_>) -> ControlFlow<()> + Sync),
    done: AtomicUsize,
}

impl Work<'_> {
    fn run(&self, job: Job<'_>) -> Result<Cubin, EmitError> {
        let key = key(self.compiler, job);
        let kept = self.cache.and_then(|cache| cache.get(key));
        let (bytes, compiled) = match kept {
            Some(bytes) => (bytes, None),
            None => {
                self.tell(Event::Started(job))?;
                let started = Instant::now();
                let bytes = self.compiler.cubin(job.unit, job.target)?;
                let time = started.elapsed();
                if let Some(Err(why)) = self.cache.map(|cache| cache.put(key, &bytes)) {
                    self.tell(Event::NotKept(&why))?;
                }
                (bytes, Some(time))
            }
        };
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.tell(Event::Done { job, done, total: self.jobs.len(), compiled })?;
        Ok(Cubin { target: job.target, module: job.unit.module, bytes })
    }

    fn tell(&self, event: Event<'_>) -> Result<(), EmitError> {
        if (self.watch)(event).is_break() { Err(EmitError::Stopped) } else { Ok(()) }
    }
}

/// All that the bytes of a cubin depend on.
fn key(compiler: &Compiler, job: Job<'_>) -> Key {
    let identity = compiler.identity();
    let fixed = [identity.as_str(), job.target.name(), job.unit.module.name(), &job.unit.text];
    Key::of(fixed.into_iter().chain(compiler.fixed_flags().iter().copied()).chain(job.unit.flags.iter().map(String::as_str)))
}
