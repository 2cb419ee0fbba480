//! The GPUs that the driver says there are.

/// One GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Compute capability: major and minor version.
    pub capability: (i32, i32),
    /// Bytes of its memory.
    pub memory: usize,
    /// Streaming multiprocessors.
    pub processors: i32,
    /// Bytes of shared memory that a block can have.
    pub shared: usize,
}

/// All of them, and the driver's version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// As in `cuDriverGetVersion`.
    pub version: i32,
    /// By number.
    pub records: Vec<Record>,
}

/// Where nothing else is said.
pub const DEFAULT: &str = "13000;H200,9.0,143771,132,232448";

impl Machine {
    /// Reads `VERSION;NAME,MAJOR.MINOR,MEBIBYTES,PROCESSORS,SHARED;…`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let version = parts.next()?.parse().ok()?;
        let records = parts.map(record).collect::<Option<_>>()?;
        Some(Self { version, records })
    }
}

fn record(text: &str) -> Option<Record> {
    let fields: Vec<_> = text.split(',').collect();
    let [name, capability, memory, processors, shared] = fields[..] else { return None };
    let (major, minor) = capability.split_once('.')?;
    Some(Record {
        name: name.to_owned(),
        capability: (major.parse().ok()?, minor.parse().ok()?),
        memory: memory.parse::<usize>().ok()? << 20,
        processors: processors.parse().ok()?,
        shared: shared.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let machine = Machine::parse(DEFAULT).unwrap();
        assert_eq!((machine.version, machine.records.len()), (13_000, 1));
        assert_eq!((machine.records[0].capability, machine.records[0].memory), ((9, 0), 143_771 << 20));
        assert_eq!(Machine::parse("13000").unwrap().records, []);
        assert_eq!(Machine::parse("13000;A100,8.0"), None);
    }
}
