//! A launch: what was asked for, kept until the stream gets there.

use std::ffi::CString;

use crate::code::{Code, INVALID_VALUE};
use crate::library::{Dim3, Module};
use crate::memory::Memory;

/// A kernel that was found.
#[derive(Clone)]
pub struct Function {
    /// Where it is.
    pub module: Module,
    /// Its name.
    pub name: CString,
    /// Whether its code is on the device already.
    pub loaded: bool,
    /// Most bytes of shared memory that a launch may ask for.
    pub shared: usize,
}

/// Shared memory that a block has without asking.
pub const SHARED: usize = 48 << 10;

/// One launch.
#[derive(Clone)]
pub struct Launch {
    module: Module,
    name: CString,
    grid: Dim3,
    block: Dim3,
    shared: usize,
    /// Copies of the arguments; none where the kernel is not executed.
    arguments: Vec<Vec<u64>>,
}

/// Values from here on are addresses: no count of anything is as large.
const ADDRESSES: u64 = 1 << 32;

impl Launch {
    /// Copies the arguments of a launch.
    ///
    /// # Safety
    /// `parameters` points to as many arguments as the kernel has parameters, each of its size.
    pub unsafe fn new(function: &Function, grid: Dim3, block: Dim3, shared: usize, parameters: *const *const u8) -> Result<Self, Code> {
        let positive = [grid, block].iter().all(|size| size.x > 0 && size.y > 0 && size.z > 0);
        if !positive || grid.x > i32::MAX as u32 || grid.y > 65_535 || grid.z > 65_535 || shared > function.shared {
            return Err(INVALID_VALUE);
        }
        let sizes = match &function.module {
            Module::Cubin(_) => Vec::new(),
            Module::Object(object) => object.parameters(&function.name).unwrap_or_default(),
        };
        let copy = |(index, size): (usize, &usize)| {
            let mut words = vec![0_u64; size.div_ceil(8)];
            // SAFETY: granted by the caller; the words have as many bytes at least.
            unsafe { (*parameters.add(index)).copy_to_nonoverlapping(words.as_mut_ptr().cast(), *size) };
            words
        };
        let arguments = sizes.iter().enumerate().map(copy).collect();
        Ok(Self { module: function.module.clone(), name: function.name.clone(), grid, block, shared, arguments })
    }

    /// The line of the log.
    pub fn line(&self) -> String {
        let Dim3 { x, y, z } = self.grid;
        format!("launch {} {x} {y} {z} {} {}", self.name.to_string_lossy(), self.block.x, self.shared)
    }

    /// Executes the kernel, if it can be; its pointers must be into the device's memory, or the host's that the device may use.
    pub fn run(&self, memory: &Memory, host: &Memory) -> Result<(), (Code, String)> {
        let Module::Object(object) = &self.module else { return Ok(()) };
        // Pointers are arguments, or what records begin with.
        for (index, argument) in self.arguments.iter().enumerate() {
            let address = argument.first().copied().unwrap_or_default();
            if address >= ADDRESSES && !memory.contains(address as usize) && !host.contains(address as usize) {
                let why = format!("{}: argument {index} points nowhere", self.name.to_string_lossy());
                return Err((crate::code::ILLEGAL_ADDRESS, why));
            }
        }
        // SAFETY: arguments were copied by the parameters' sizes, and point into memory that is the driver's.
        unsafe { object.run(&self.name, self.grid, self.block, self.shared, &self.arguments) }
    }
}
