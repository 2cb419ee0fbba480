//! What the driver says of the machine's GPUs.

use std::ffi::{CStr, c_int};

use cudarc::driver::sys::CUdevice_attribute as Attribute;
use serde::Serialize;

use super::CudaError;
use super::driver::Driver;
use crate::executor::Fault;

/// One GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceRecord {
    /// Its number, as in `cuda:0`.
    pub ordinal: usize,
    /// Its name.
    pub name: String,
    /// Compute capability: major and minor version.
    pub capability: (u32, u32),
    /// The CUDA version that the driver knows, e.g. 13000 for 13.0.
    pub driver: u32,
    /// Bytes of its memory.
    pub memory: u64,
    /// Streaming multiprocessors.
    pub processors: u32,
    /// Bytes of shared memory that a block can have.
    pub shared: u32,
}

impl DeviceRecord {
    /// The driver's version of CUDA for people, e.g. `13.0`.
    pub fn cuda_version(&self) -> String {
        format!("{}.{}", self.driver / 1000, self.driver % 1000 / 10)
    }
}

/// All GPUs of this machine.
pub fn devices() -> Result<Vec<DeviceRecord>, CudaError> {
    let driver = Driver::get()?;
    let (mut version, mut count) = (0, 0);
    // SAFETY: both are places for a number.
    unsafe {
        driver.cuDriverGetVersion(&raw mut version)?;
        driver.cuDeviceGetCount(&raw mut count)?;
    }
    if count < 1 {
        return Err(CudaError::NoDevice);
    }
    (0..count).map(|ordinal| record(driver, ordinal, version).map_err(CudaError::from)).collect()
}

/// The handle of a GPU.
pub(super) fn handle(driver: &Driver, ordinal: c_int) -> Result<c_int, Fault> {
    let mut device = 0;
    // SAFETY: `device` is a place for a handle.
    unsafe { driver.cuDeviceGet(&raw mut device, ordinal) }?;
    Ok(device)
}

fn record(driver: &Driver, ordinal: c_int, version: c_int) -> Result<DeviceRecord, Fault> {
    let device = handle(driver, ordinal)?;
    let attribute = |attribute: Attribute| {
        let mut value = 0;
        // SAFETY: `value` is a place for a number, `device` a handle that the driver gave.
        unsafe { driver.cuDeviceGetAttribute(&raw mut value, attribute as u32, device) }.map(|()| value.max(0) as u32)
    };
    let mut memory = 0_usize;
    // SAFETY: as above.
    unsafe { driver.cuDeviceTotalMem_v2(&raw mut memory, device) }?;
    Ok(DeviceRecord {
        ordinal: ordinal as usize,
        name: name(driver, device)?,
        capability: (
            attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        ),
        driver: version.max(0) as u32,
        memory: memory as u64,
        processors: attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
        shared: attribute(Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?,
    })
}

fn name(driver: &Driver, device: c_int) -> Result<String, Fault> {
    let mut bytes = [0_u8; 256];
    // SAFETY: the driver writes at most so many bytes, the last a zero.
    unsafe { driver.cuDeviceGetName(bytes.as_mut_ptr().cast(), bytes.len() as c_int, device) }?;
    Ok(CStr::from_bytes_until_nul(&bytes).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}
